"""The page that a student gets back: points, what is wrong by name, what to do next, the notebook as it ran."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqlib.checks.registry import Check
from seqlib.checks.verdict import Verdict
from seqlib.course.lateness import Lateness, time_words
from seqlib.errors import GradingError
from seqlib.files import write_whole
from seqlib.grading.autograded import notebook_path
from seqlib.grading.class_store import open_store
from seqlib.grading.deadlines import Due, class_deadlines
from seqlib.grading.gradebook import Mark, gradebook_url, read_arrivals, read_marks
from seqlib.grading.kit import Kit
from seqlib.grading.pages import cell_html
from seqlib.grading.store import Record

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

__all__ = ["feedback_page", "write_feedback"]

_WORDS = {
    "passed": "Passed",
    "failed": "Not right yet",
    "error": "Your code stopped",
    "missing": "Not there",
    "over_limit": "Too slow",
    "tampered": "No valid answer",
    "infrastructure": "Not graded yet",
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of the score table."""

    name: str
    title: str
    word: str
    status: str
    score: float | int
    points: float | int
    message: str = ""
    next_step: str = ""
    mistake: str = ""
    comment: str = ""
    manual: bool = False
    shown: bool = False


def write_feedback(
    kit: Kit,
    course: Path,
    key: bytes,
    students: tuple[str, ...] = (),
    *,
    store: str | None = None,
    gradebook: str | None = None,
) -> list[Path]:
    """Write the page of every graded student, or of some.

    Raises:
        GradingError: Nothing is graded, or a student named is not.
    """
    with open_store(course, store, key) as opened:
        opened.verify()
        records = opened.latest(kit.name)
    unknown = sorted(set(students) - set(records))
    if unknown or not records:
        who = unknown[0] if unknown else "nobody"
        raise GradingError(f"{kit.name} of {who} is not graded.", f"run: seqlib grade {kit.name} --course {course}")
    url = gradebook or gradebook_url(course)
    marks, arrivals = read_marks(kit.name, url), read_arrivals(kit.name, url)
    due = class_deadlines(course).get(kit.name, Due())
    written = []
    for student, record in records.items():
        if students and student not in students:
            continue
        late = due.of(student, arrivals[student]) if student in arrivals else None
        page = feedback_page(kit, record, _read_notebook(course, student, kit.name), marks.get(student, ()), late)
        path = course / "feedback" / student / kit.name / f"{kit.name}.html"
        write_whole(path, page, error=GradingError)
        written.append(path)
    return written


def feedback_page(
    kit: Kit,
    record: Record,
    notebook: dict[str, Any],
    marks: tuple[Mark, ...] = (),
    late: Lateness | None = None,
) -> str:
    """Build one page: self-contained, without scripts, without a word about secret cases."""
    shown = {cell["id"] for cell in notebook["cells"]}
    given = {mark.cell: mark for mark in marks}
    lines = [
        _line(kit.suite[v.check], v, given.pop(v.check, None), v.check in shown)
        for v in record.verdicts
        if v.check in kit.suite.checks
    ]
    lines += [_written(mark, mark.cell in shown) for mark in given.values() if mark.points > 0]
    trusted = {_text(cell) for cell in kit.notebook["cells"] if cell["cell_type"] == "markdown"}
    comments = {mark.cell: mark.comment for mark in marks if mark.comment}
    cells = [
        {
            "id": cell["id"],
            "html": cell_html(cell, trusted=cell["source"] in trusted),
            "line": next((line for line in lines if line.name == cell["id"]), None),
            "comment": comments.get(cell["id"], ""),
        }
        for cell in notebook["cells"]
    ]
    before, points = sum(line.score for line in lines), sum(line.points for line in lines)
    penalty = late.penalty(before) if late is not None else 0
    earned = before - penalty
    return _template().render(
        title=kit.title,
        assignment=kit.name,
        student=record.work.student,
        graded_at=record.made_at.replace("T", " ").removesuffix("+00:00") + " UTC",
        digest=record.work.submission[:12],
        earned=f"{earned:g}",
        points=f"{points:g}",
        before=f"{before:g}",
        penalty=f"{penalty:g}",
        late=late,
        arrived=time_words(late.arrived) if late is not None else "",
        due=time_words(late.due) if late is not None else "",
        share=round(100 * min(1.0, earned / points)) if points else 0,
        lines=lines,
        first=next((line for line in lines if line.next_step), None),
        passed=sum(line.status == "passed" for line in lines),
        checks=len(record.verdicts),
        waiting=f"{sum(line.points for line in lines if line.status == 'waiting'):g}",
        cells=cells,
        css=(Path(__file__).parent / "feedback.css").read_text("utf-8"),
    )


def _line(check: Check, verdict: Verdict, mark: Mark | None, shown: bool) -> Line:
    return Line(
        name=verdict.check,
        title=check.title,
        word=_WORDS[verdict.status],
        status=verdict.status,
        score=mark.score if mark is not None else verdict.earned,
        points=verdict.points,
        message=verdict.message,
        next_step=_next_step(check, verdict),
        mistake=(verdict.mistake or "").replace("_", " "),
        comment=mark.comment if mark is not None else "",
        manual=mark is not None and mark.manual,
        shown=shown,
    )


def _written(mark: Mark, shown: bool) -> Line:
    """A written answer, which a person reads."""
    name = mark.cell
    if mark.manual:
        return Line(
            name=name,
            title="Written answer",
            word="Marked",
            status="marked",
            score=mark.score,
            points=mark.points,
            comment=mark.comment,
            manual=True,
            shown=shown,
        )
    return Line(
        name=name,
        title="Written answer",
        word="To be read",
        status="waiting",
        score=mark.score,
        points=mark.points,
        message="A person reads this answer; its points are not in yet.",
        shown=shown,
    )


def _next_step(check: Check, verdict: Verdict) -> str:
    """What helps with this outcome, without anything about the secret cases."""
    call = f'`check("{check.name}")`'
    names = " and ".join(f"`{name}`" for name in check.uses) or "the function it asks for"
    steps = {
        "failed": f"Run {call} in your notebook: on its open cases it shows the first number that differs. "
        "If it passes there, try other sizes: one step, one sequence, lengths that differ.",
        "error": f"Restart the kernel, run all cells from the top, then {call}: it shows the line that stopped. "
        "Does your code ask for a size that is only there in the example?",
        "missing": f"Write {names}, in the cell made for it, and keep the name. Then run {call}.",
        "over_limit": f"Look for a loop that never ends, or work that is done again in each step, in {names}. "
        f"{call} should answer in about a second.",
        "tampered": "Return plain tensors and numbers, and leave the checking code alone; then talk to your teacher.",
        "infrastructure": "Nothing: your teacher grades this again.",
    }
    if verdict.status == "failed" and verdict.mistake:
        return f"Change that one thing in {names} and run {call} again."
    return steps.get(verdict.status, "")


def _read_notebook(course: Path, student: str, assignment: str) -> dict[str, Any]:
    path = notebook_path(course, student, assignment)
    try:
        notebook: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return notebook
    except (OSError, ValueError) as error:
        hint = f"grade it again: seqlib grade {assignment} --student {student} --regrade"
        raise GradingError(f"{path} can't be read: {error}.", hint) from error


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["ticks"] = _ticks
    return environment.from_string((Path(__file__).parent / "feedback.html").read_text("utf-8"))


def _ticks(text: str) -> "Markup":
    """Escape a sentence and set what stands between backticks as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _text(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)
