"""Reference models, a package for each topic: pure functions and small modules, each open to `seqlib.trace`."""
