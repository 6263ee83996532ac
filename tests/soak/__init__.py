"""Kill parts of the grader at every named transition and at random moments, and see that nothing is lost or doubled."""
