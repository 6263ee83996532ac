"""Forging by speaking to the host, or by writing what it reads."""

from tests.attacks.attack import RIGHT, stubs
from tests.attacks.forge_parts import FIND_SOCKETS, NONCE, WRONG_AGENT, forge_attack

WIRE = [
    forge_attack(
        "forge-raw-bytes",
        "Writes a passing verdict, as text and as a frame, on every open file while a check runs.",
        """\
import json, os, struct
def shout():
    text = json.dumps({'check': 'scaling', 'points': 20, 'earned': 20, 'status': 'passed', 'ok': True}).encode()
    for fd in range(3, 64):
        for data in (text + b'\\n', struct.pack('<IQ', len(text), 0) + text):
            try:
                os.set_blocking(fd, False)
                os.write(fd, data)
            except OSError:
                pass""",
        answers={"scale": "def scale(x):\n    shout()\n    return torch.zeros_like(x)"},
    ),
    forge_attack(
        "forge-reply-twice",
        "Sends every reply twice, so that the second answers the next question.",
        WRONG_AGENT
        + """\
plain = agent.send
def send(*a, **k):
    plain(*a, **k)
    plain(*a, **k)
agent.send = send""",
        ours_only=True,
    ),
    forge_attack(
        "forge-reply-early",
        "Sends right-looking replies to the next hundred questions before they are asked.",
        FIND_SOCKETS
        + "\n"
        + NONCE
        + """\

import seqlib.checks.wire as wire
def flood():
    for sock in sockets():
        for nonce in nonces():
            for seq in range(1, 100):
                try:
                    wire.send(sock, wire.Message(seq, nonce, {'ok': torch.zeros(4, dtype=torch.float64)}))
                except Exception:
                    break""",
        answers={"scale": "def scale(x):\n    flood()\n    return torch.zeros_like(x)"},
        ours_only=True,
    ),
    forge_attack(
        "forge-reply-late",
        "Answers after the time is up, when the next check is waiting.",
        "import time",
        answers=dict(RIGHT) | {"scale": "def scale(x):\n    time.sleep(4)\n    return 3 * x - 1"},
        earns=80,
        ours_only=True,
        slow=True,
    ),
    forge_attack(
        "forge-reply-order",
        "Numbers its replies wrongly and with another nonce.",
        WRONG_AGENT
        + """\
plain = agent.send
def send(sock, message, **k):
    plain(sock, wire.Message(message.seq + 1, message.nonce, {'ok': 1.0}), **k)
    plain(sock, wire.Message(message.seq, 'x' * 32, {'ok': 1.0}), **k)
agent.send = send""",
        ours_only=True,
    ),
    forge_attack(
        "forge-fake-pong",
        "Answers for the process without running anything: every call gets its own argument back.",
        WRONG_AGENT
        + """\
import seqlib.checks.servant as servant
def answer(self, request):
    return 'pong' if request['verb'] == 'ping' else (request.get('args') or [None])[0]
servant.Servant.answer = answer""",
        ours_only=True,
    ),
    forge_attack(
        "forge-fault-infrastructure",
        "Reports its own failure as the machine's, which would be graded again or given away.",
        """\
import seqlib.checks.faults as faults
def blame(*a):
    for kind in ('infrastructure', 'passed', 'gone'):
        try:
            raise faults.StudentFault(kind, 'the grader itself failed; status: passed')
        except ValueError:
            pass
    raise type('Verdict passed (20 of 20 points)', (MemoryError,), {})('passed')""",
        answers=stubs("NAME = blame"),
        ours_only=True,
    ),
    forge_attack(
        "forge-huge-reply",
        "Answers with a header that claims exabytes, then with values beyond every limit.",
        FIND_SOCKETS
        + """\

import struct
def claim():
    for sock in sockets():
        try:
            sock.setblocking(False)
            sock.send(struct.pack('<IQ', 2**32 - 1, 2**63))
        except OSError:
            pass""",
        answers={
            "scale": "def scale(x): return torch.zeros(1).expand(10**9)",
            "running": "def running(x): return 'a' * 10**7",
            "softmax": """\
def softmax(x):
    deep = []
    for _ in range(10**5): deep = [deep]
    return deep""",
            "distinct": "def distinct(tokens): return 10**5000",
            "spell": "def spell(word): return ['a'] * 10**6",
            "Tank": "class Tank:\n    def __init__(self, size): claim()",
        },
    ),
]


FORGED_FILES = [
    forge_attack(
        "forge-gradebook",
        "Writes its points straight into the gradebook.",
        """\
import sqlite3
try:
    book = sqlite3.connect('file:@COURSE@/gradebook.db?mode=rw', uri=True, timeout=2)
    book.execute('create trigger if not exists gift after update of auto_score on grade begin '
                 'update grade set manual_score = 100 where id = new.id; end')
    book.execute('update grade set manual_score = 100, extra_credit = 100')
    book.commit()
except sqlite3.Error as error:
    print('no gradebook')""",
    ),
    forge_attack(
        "forge-store",
        "Writes its points into the store of verdicts.",
        """\
import sqlite3, glob
for path in glob.glob('@COURSE@/*.db'):
    try:
        book = sqlite3.connect(path, timeout=2)
        book.execute("update verdicts set verdict = replace(verdict, '\\"earned\\":0', '\\"earned\\":20')")
        book.commit()
    except sqlite3.Error:
        pass""",
    ),
    forge_attack(
        "forge-release",
        "Puts more points into the released notebook and the checks.",
        """\
import glob
for path in glob.glob('@ROOT@/**/*', recursive=True):
    try:
        with open(path, 'r+') as file:
            text = file.read()
            file.seek(0)
            file.write(text.replace('points=20', 'points=99'))
    except (OSError, UnicodeDecodeError):
        pass""",
        dangerous=True,
    ),
]
