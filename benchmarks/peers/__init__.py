"""Other graders in environments of their own: the same attacks and the same submissions, on stock settings."""
