"""nbgrader on the class folder: formgrader shows what `seqlib grade` decided, and nbgrader itself decides nothing.

Another class folder is named by the environment variable SEQLIB_CLASS.
"""

import os
from pathlib import Path

c = get_config()

c.CourseDirectory.root = os.environ.get("SEQLIB_CLASS", str(Path(__file__).resolve().parent / "class"))

# nbgrader's own autograder runs tests in the student's process and gives full points for no output.
# `nbgrader autograde`, and its button in formgrader, grade as `seqlib grade` does instead.
c.Autograde.sanitize_preprocessors = ["seqlib.grading.autograde.GradeOutside"]
c.Autograde.autograde_preprocessors = ["seqlib.grading.autograde.KeepVerdicts"]
c.GradeOutside.repository = os.environ.get("SEQLIB_ROOT", str(Path(__file__).resolve().parent))

# Late penalties are written by `seqlib grade` from course.toml.
# nbgrader's own step, AssignLatePenalties, would erase them: it is in neither list above, and its plugin does nothing.
c.LateSubmissionPlugin.penalty_method = "none"
