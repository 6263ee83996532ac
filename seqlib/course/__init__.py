"""What a student does with an assignment: start a copy, hand in one file."""
