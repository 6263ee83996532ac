"""What runs inside a sandbox: standard library, IPython and the students' edition only, nothing of the grader's."""
