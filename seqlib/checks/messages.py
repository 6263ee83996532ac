"""What a student reads: everything on public cases; only check, mistake and ranks on secret ones."""

import builtins

from seqlib.checks.compare import Mismatch
from seqlib.checks.faults import CheckFailed, StudentFault
from seqlib.checks.registry import Mistake
from seqlib.errors import GradingError

__all__ = ["Told", "tell"]

Told = tuple[str, str, tuple[tuple[str, str], ...]]
"""A verdict's status, message and rows."""

STATUS_OF_FAULT = {
    "exception": "error",
    "gone": "error",
    "missing": "missing",
    "over_limit": "over_limit",
    "protocol": "tampered",
    "wrong_type": "failed",
}


def tell(failure: Exception, mistake: Mistake | None, *, secret: bool) -> Told:
    """Put the end of a failed run into words.

    Args:
        failure: What ended the run.
        mistake: The mistake that explains it, if exactly one does.
        secret: Whether values, indices and texts of the student's side must stay out.
    """
    if isinstance(failure, StudentFault):
        return _tell_fault(failure, secret)
    if isinstance(failure, CheckFailed):
        return _tell_failed(failure, mistake, secret)
    return _tell_unusable(failure, secret)


def _tell_failed(failure: CheckFailed, mistake: Mistake | None, secret: bool) -> Told:
    found = failure.mismatch
    rows = () if found is None or secret else _rows(failure.what, found)
    if mistake is not None:
        return "failed", mistake.sentence, rows
    if secret:
        return "failed", "The result is wrong." if found is None else _secret_sentence(found), ()
    if found is None:
        return "failed", failure.message, ()
    return "failed", _sentence(_place(failure.what, found), found), rows


def _place(what: str, found: Mismatch) -> str:
    return (what or "the result") + found.path


def _sentence(place: str, found: Mismatch) -> str:
    if found.kind == "type" and found.got == "None":
        return f"{place} is None; expected {found.expected}. Does the function end with return?"
    if found.kind in ("length", "names"):
        return f"{place} has {found.got}; expected {found.expected}."
    if found.kind == "type":
        return f"{place} is {found.got}; expected {found.expected}."
    if found.kind == "dtype":
        return f"{place} has dtype {found.got}; expected {found.expected}."
    if found.kind == "shape":
        return f"{place} has shape {found.got}; expected {found.expected}."
    at = "" if found.index in (None, ()) else f" at {list(found.index or ())}"
    if found.kind == "finite":
        return f"{place}{at} is {found.got}; expected {found.expected}."
    many = f" ({found.count[0]} of {found.count[1]} entries differ)" if found.count[1] > 1 else ""
    return f"{place}{at} is {found.got}; expected {found.expected}{many}."


def _rows(what: str, found: Mismatch) -> tuple[tuple[str, str], ...]:
    rows = [("Quantity", _place(what, found))]
    if found.index is not None:
        rows.append(("First index that differs", str(list(found.index))))
    rows += [("Expected", found.expected), ("Got", found.got)]
    if found.count[1] > 1:
        rows.append(("Entries that differ", f"{found.count[0]} of {found.count[1]}"))
    if found.expected_shape is not None and found.got_shape is not None and found.kind != "shape":
        rows += [("Expected shape", str(list(found.expected_shape))), ("Your shape", str(list(found.got_shape)))]
    return tuple(rows)


def _secret_sentence(found: Mismatch) -> str:
    if found.kind == "shape" and found.expected_shape is not None and found.got_shape is not None:
        wanted, got = len(found.expected_shape), len(found.got_shape)
        same = f"has the right number of dimensions ({wanted}) and another shape"
        return f"The result {same if wanted == got else f'has {got} dimensions; expected {wanted}'}."
    sentences = {
        "dtype": "The result has another dtype than asked.",
        "finite": "The result has values that are not finite.",
        "length": "The result has another number of parts than asked.",
        "names": "The result has other names than asked.",
        "type": "The result has another type than asked.",
    }
    return sentences.get(found.kind, "The result has the right form and wrong values.")


def _tell_fault(fault: StudentFault, secret: bool) -> Told:
    status = STATUS_OF_FAULT[fault.kind]
    if fault.kind == "exception":
        return status, *_exception(fault, secret)
    if not secret:
        return status, fault.what, ()
    sentences = {
        "gone": "Your process ended before it answered.",
        "missing": "A function that this check calls is not written yet.",
        "over_limit": "Your code did not answer in time.",
        "protocol": "What your process sent is no answer to what was asked.",
        "wrong_type": "Your function returned a value of a type that cannot be checked.",
    }
    return status, sentences[fault.kind], ()


def _exception(fault: StudentFault, secret: bool) -> tuple[str, tuple[tuple[str, str], ...]]:
    if secret:
        # The type's name comes from the student's side and could carry an input; Python's own cannot.
        known = isinstance(getattr(builtins, fault.error, None), type)
        return f"Your code raised {fault.error if known else 'an exception'}.", ()
    message = f"Your code raised {fault.error}: {fault.what}" if fault.what else f"Your code raised {fault.error}."
    rows = [("Exception", fault.error), ("Function", fault.function)]
    if fault.line > 0:
        message = f"{message}\nIn {fault.function}, line {fault.line}: {fault.source}".rstrip(": ")
        rows.append(("Line", f"{fault.line}: {fault.source}".rstrip(": ")))
    return message, tuple(rows)


def _tell_unusable(failure: Exception, secret: bool) -> Told:
    text = "The check could not use what your code returned"
    if secret:
        return "error", f"{text}.", ()
    detail = failure.what if isinstance(failure, GradingError) else f"{type(failure).__name__}: {str(failure)[:300]}"
    return "error", f"{text} ({detail}).", ()
