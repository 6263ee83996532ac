"""nbgrader on the class folder: formgrader shows what `seqlib grade` decided, and nbgrader itself decides nothing.

Another class folder is named by the environment variable SEQLIB_CLASS.
"""

import os
from pathlib import Path

c = get_config()

c.CourseDirectory.root = os.environ.get("SEQLIB_CLASS", str(Path(__file__).resolve().parent / "class"))

# nbgrader's own autograder runs tests in the student's process and gives full points for no output.
# Its button in formgrader says so instead; `seqlib grade` puts back whatever the attempt removed.
c.Autograde.sanitize_preprocessors = ["seqlib.grading.refuse.RefuseAutograde"]
c.Autograde.autograde_preprocessors = ["seqlib.grading.refuse.RefuseAutograde"]

# Late penalties are written by `seqlib grade` from course.toml.
# nbgrader's own step, AssignLatePenalties, would erase them: it is in neither list above, and its plugin does nothing.
c.LateSubmissionPlugin.penalty_method = "none"
