"""Grading a class without writing anything, to see what would change."""

from collections.abc import Iterator

from seqlib.grading.class_store import read_records
from seqlib.grading.plan import WAIT_S, Plan
from seqlib.grading.rows import Row
from seqlib.grading.submitted import Submitted

__all__ = ["try_class"]


def try_class(plan: Plan) -> Iterator[Row]:
    """Grade everything that the plan has, as it comes."""
    records = read_records(plan.course, plan.settings.store, plan.key, plan.settings.assignment)
    waiting = list(plan.folders)
    held: dict[str, Submitted] = {}
    with plan.runner() as runner:
        while waiting or held:
            for slot in runner.idle()[: len(waiting)]:
                held[slot] = plan.read(waiting.pop(0))
                runner.submit(slot, held[slot])
            for outcome in runner.wait(WAIT_S):
                submitted = held.pop(outcome.slot)
                reason = "its worker died" if outcome.lost else outcome.fault
                verdicts = outcome.graded.verdicts if outcome.graded is not None else plan.nothing()
                fault = f"not graded: {reason}" if reason else ""
                yield plan.row(submitted, verdicts, records.get(submitted.student), fault=fault)
