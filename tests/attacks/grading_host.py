"""A grader's process, which attacks may bring down: python -m tests.attacks.grading_host ROOT COURSE OUT ISOLATION."""

import json
import resource
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from seqlib.grading import collect as collecting
from seqlib.grading.feedback import write_feedback
from seqlib.grading.grade import ClassRun
from seqlib.grading.gradebook import gradebook_url, read_marks
from seqlib.grading.graded import TimeLimits
from seqlib.grading.kit import course_key, load_kit
from seqlib.grading.settings import Settings
from seqlib.threads import limit_threads

SHORT = TimeLimits(cell_s=4, notebook_s=25, restarts=3)
PATIENT = TimeLimits(cell_s=60, notebook_s=300, restarts=3)


def grade_class(root: Path, course: Path, isolation: str, limits: TimeLimits = SHORT) -> dict[str, Any]:
    """Grade a whole class as `seqlib grade` does, write its feedback, and tell what every record says."""
    exchange = course.parent / "exchange"
    refused = dict(_collect(exchange, course)) if exchange.is_dir() else {}
    run = ClassRun(Settings(assignment="target", root=root, course=course, limits=limits, isolation=isolation))
    rows = {row.student: row for row in run}
    key = course_key(course, create=False)
    write_feedback(load_kit("target", root), course, key)
    marks = read_marks("target", gradebook_url(course))
    return {
        "students": {
            student: {
                "verdicts": row.earned,
                "gradebook": sum(mark.score for mark in marks.get(student, ())),
                "statuses": {verdict.check: verdict.status for verdict in row.verdicts},
                "messages": [f"{verdict.message} {verdict.mistake} {verdict.rows}" for verdict in row.verdicts],
                "seconds": row.seconds,
                "fault": row.fault,
                "infrastructure": row.infrastructure,
            }
            for student, row in rows.items()
        },
        "refused": refused,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _collect(exchange: Path, course: Path) -> tuple[tuple[str, str], ...]:
    """Take the packs in on a machine where every student has an account, as a directory service would name them."""
    accounts = json.loads((course.parent / "accounts.json").read_text())
    collecting.pwd = SimpleNamespace(getpwuid=lambda uid: SimpleNamespace(pw_name=accounts[str(uid)]))
    return collecting.collect("target", exchange, course, own_accounts=bool(accounts)).refused


if __name__ == "__main__":
    limit_threads(1)
    result = grade_class(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[4])
    Path(sys.argv[3]).write_text(json.dumps(result))
