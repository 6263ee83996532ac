"""Checks of an assignment: one function, used by its author, in the student's notebook and by the grader."""
