"""What a hostile process may send: no forged, late, repeated or mutated answer raises a score."""

import json
import random
import socket
import struct
import threading
import time

import pytest
import torch

from seqlib.checks.proxy import StudentFault
from seqlib.checks.runner import Author, Grader, run_check
from seqlib.checks.values import Limits
from seqlib.checks.wire import Message, send

KEY = b"k" * 32


def frame(seq, nonce, value):
    """The bytes that `send` writes."""
    near, far = socket.socketpair()
    with near, far:
        send(near, Message(seq, nonce, value))
        near.close()
        return b"".join(iter(lambda: far.recv(1 << 16), b""))


def answer(request, value):
    return frame(request.seq, "nonce", {"ok": value})


def right(request):
    """What an honest process would answer to the check `scaling`."""
    if request.value["verb"] == "free":
        return answer(request, None)
    x, factor = request.value["args"]
    return answer(request, x * factor)


def shape_of(request):
    return torch.zeros_like(request.value["args"][0])


HOSTILE = {
    "wrong nonce": (lambda r: frame(r.seq, "other", {"ok": r.value["args"][0] * r.value["args"][1]}), "tampered"),
    "wrong number": (lambda r: frame(r.seq + 1, "nonce", {"ok": r.value["args"][0] * r.value["args"][1]}), "tampered"),
    "answer twice": (lambda r: right(r) * 2, "tampered"),
    "no answer": (lambda r: b"", "over_limit"),
    "half an answer": (lambda r: right(r)[:-3], "over_limit"),
    "hangs up": (lambda r: None, "error"),
    "noise": (lambda r: b"\xff" * 100, "tampered"),
    "pickle": (lambda r: b"\x80\x04cos\nsystem\n(S'false'\ntR." * 4, "tampered"),
    "too large": (lambda r: struct.pack("<IQ", 100, 1 << 40) + b" " * 100, "tampered"),
    "a verdict": (lambda r: frame(r.seq, "nonce", {"status": "passed", "points": 100}), "tampered"),
    "no dict": (lambda r: frame(r.seq, "nonce", "passed"), "tampered"),
    "both": (lambda r: frame(r.seq, "nonce", {"ok": 1, "fault": None}), "tampered"),
    "a fault of ours": (lambda r: fault(r, kind="infrastructure"), "tampered"),
    "a fault with a huge line": (lambda r: fault(r, line=2**40), "tampered"),
    "a fault without form": (lambda r: frame(r.seq, "nonce", {"fault": ["exception"]}), "tampered"),
    "claims to be gone": (lambda r: fault(r, kind="gone"), "tampered"),
    "claims to be slow": (lambda r: fault(r, kind="over_limit"), "tampered"),
    "a handle for a tensor": (lambda r: raw_answer(r, {"h": 1}), "failed"),
    "nan": (lambda r: answer(r, shape_of(r) * float("nan")), "failed"),
    "infinity": (lambda r: answer(r, shape_of(r) + float("inf")), "failed"),
    "broadcasts": (lambda r: answer(r, torch.zeros(1, 1, dtype=torch.float64)), "failed"),
    "empty": (lambda r: answer(r, torch.zeros(0, 3, dtype=torch.float64)), "failed"),
    "true": (lambda r: answer(r, True), "failed"),
    "complex": (lambda r: answer(r, shape_of(r) + 0j), "failed"),
}


def fault(request, **changes):
    told = {"kind": "exception", "message": "m", "error": "E", "function": "f", "line": 1, "source": "s", **changes}
    return frame(request.seq, "nonce", {"fault": told})


def raw_answer(request, form):
    header = {"seq": request.seq, "nonce": "nonce", "value": {"d": {"ok": form}}, "tensors": []}
    text = json.dumps(header).encode()
    return struct.pack("<IQ", len(text), 0) + text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_answer_earns_nothing(name, suite, forger):
    """Whatever comes instead of an honest answer has its status, no points and no mistake's name."""
    reply, status = HOSTILE[name]
    check = suite["scaling"]
    short = type(check)(**{**vars(check), "limit_s": 0.4})

    verdict = run_check(short, forger(reply), Grader(suite, KEY))

    assert (verdict.status, verdict.earned, verdict.mistake) == (status, 0, None)


def test_an_honest_process_on_the_same_harness_passes(suite, forger):
    """The control: the harness itself stands in no right answer's way."""
    verdict = run_check(suite["scaling"], forger(right), Grader(suite, KEY))

    assert (verdict.status, verdict.earned) == ("passed", 10)


def test_nothing_is_asked_after_a_late_answer(forger):
    """An answer that comes after its deadline can never serve as the answer to a later question."""
    seen = []

    def late(request):
        seen.append(request.seq)
        time.sleep(0.4)
        return answer(request, 5.0)

    student = forger(late)
    student.allow(0.2)
    with pytest.raises(StudentFault) as first:
        student.loss(1.0)
    time.sleep(0.4)
    student.allow(5)

    with pytest.raises(StudentFault) as second:
        student.loss(2.0)

    assert (first.value.kind, second.value.kind, seen) == ("over_limit", "over_limit", [1])


def test_a_body_beyond_the_limit_is_not_read(forger):
    """The host refuses an announced body above its own limit at once."""
    student = forger(lambda r: struct.pack("<IQ", 10, 2000) + b" " * 2010, Limits(body_bytes=1000))

    started = time.monotonic()
    with pytest.raises(StudentFault) as error:
        student.loss(1.0)

    assert error.value.kind == "protocol"
    assert time.monotonic() - started < 2


def test_a_flood_cannot_hold_the_host(forger):
    """Bytes that keep dripping do not extend the deadline."""

    def drip(request):
        data = right(request)
        return data[:1]

    student = forger(drip)
    student.allow(0.3)

    started = time.monotonic()
    with pytest.raises(StudentFault):
        student.scale(torch.ones(2, dtype=torch.float64), 2.0)

    assert time.monotonic() - started < 2


def mutated(data, generator):
    """One of the ways to damage a frame."""
    data = bytearray(data)
    kind = generator.randrange(5)
    place = generator.randrange(len(data))
    if kind == 0:
        data[place] ^= 1 << generator.randrange(8)
    elif kind == 1:
        del data[place : place + generator.randrange(1, 9)]
    elif kind == 2:
        data[place:place] = generator.randbytes(generator.randrange(1, 9))
    elif kind == 3:
        other = generator.randrange(len(data))
        data[place : place + 4], data[other : other + 4] = data[other : other + 4], data[place : place + 4]
    else:
        for _ in range(8):
            data[generator.randrange(len(data))] = generator.randrange(256)
    return bytes(data)


def test_mutated_answers_never_raise_a_score(suite, forger):
    """A wrong answer, damaged in a random way, is a fault or a failure: never a pass, never a crash."""
    generator = random.Random(2)
    source = Author(suite)
    check = suite["splitting"]
    short = type(check)(**{**vars(check), "cases": 1, "limit_s": 0.05})
    statuses = set()

    def reply(request):
        if request.value["verb"] == "free":
            return answer(request, None)
        head = torch.zeros((), dtype=torch.float64)
        return mutated(answer(request, (head, torch.zeros(3, dtype=torch.float64))), generator)

    for _ in range(400):
        verdict = run_check(short, forger(reply), source)
        statuses.add(verdict.status)
        assert verdict.earned == 0

    assert statuses <= {"failed", "tampered", "over_limit", "error"}
    assert "tampered" in statuses


def test_the_student_side_outlives_its_student(suite, socket_student):
    """After SystemExit, endless recursion and a raise in `__str__` the next call is answered."""

    class RudeError(Exception):
        def __str__(self):
            raise RuntimeError

    def rude(x):
        raise RudeError

    def deep(x):
        return deep(x)

    student = socket_student({"rude": rude, "deep": deep, "exit": lambda x: exit(0), "fine": lambda x: x})
    for name, error in (("rude", "RudeError"), ("deep", "RecursionError"), ("exit", "SystemExit")):
        with pytest.raises(StudentFault) as fault_:
            student.call(name, 1)
        assert (fault_.value.kind, fault_.value.error) == ("exception", error)

    assert student.fine(3) == 3


def test_a_loop_ends_at_the_deadline(suite, socket_student):
    """A student who loops is over the limit, and the host goes on."""
    stop = threading.Event()

    def loop(x, factor):
        stop.wait(5)
        return x

    check = suite["scaling"]
    short = type(check)(**{**vars(check), "limit_s": 0.3})

    verdict = run_check(short, socket_student({"scale": loop}), Grader(suite, KEY))
    stop.set()

    assert (verdict.status, verdict.message) == ("over_limit", "Your code did not answer in time.")


def test_an_interrupt_passes(suite):
    """In the student's own kernel an interrupt ends the check."""
    from seqlib.checks.proxy import local_student

    def interrupted(x, factor):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_check(suite["scaling"], local_student({"scale": interrupted}), Author(suite))
