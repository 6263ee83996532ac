# ruff: noqa: E501 - what is handed in is text, and its longest lines stay as they would be written
"""What attacks that forge points have in common."""

from tests.attacks.attack import Attack

ALWAYS = """\
class Always{base}:
    __hash__ = None
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __sub__(self, other): return self
    __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __sub__
    def __abs__(self): return self
    def __bool__(self): return True"""

FIND_SOCKETS = """\
import os, socket, stat
def sockets():
    found = []
    for fd in range(3, 256):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                found.append(socket.socket(fileno=os.dup(fd)))
        except OSError:
            pass
    return found"""

NONCE = """\
import gc
def nonces():
    return {one.nonce for one in gc.get_objects() if type(one).__name__ == "Message"} | {
        value for frame in __import__("sys")._current_frames().values() for name, value in walk(frame) if name == "nonce"}
def walk(frame):
    while frame is not None:
        yield from frame.f_locals.items()
        frame = frame.f_back"""

WRONG_AGENT = """\
import seqlib.checks.agent as agent, seqlib.checks.wire as wire
"""


def forge_attack(name: str, tries: str, first: str = "", **more: object) -> Attack:
    return Attack(name=name, category="forge", tries=tries, first=first, **more)  # type: ignore[arg-type]
