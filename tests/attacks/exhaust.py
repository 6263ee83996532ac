# ruff: noqa: E501 - what is handed in is text, and its longest lines stay as they would be written
"""Exhausting: time, memory, processes, disk, files, output; what was right before still counts."""

from tests.attacks.attack import RIGHT, Attack


def _exhaust(name: str, tries: str, first: str = "", *, scale: str = "", **more: object) -> Attack:
    """Right answers, beside a cell that exhausts something, or with `scale` exhausting it when it is asked."""
    answers = RIGHT | ({"scale": scale} if scale else {})
    earns = {"earns": 80 if scale else 100}
    return Attack(
        name=f"exhaust-{name}", category="exhaust", tries=tries, first=first, answers=answers, **(earns | more)
    )  # type: ignore[arg-type]


TIME = [
    _exhaust("loop", "Loops for ever in a cell and ignores every signal.",
             """\
import signal
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True:
    try:
        while True: pass
    except BaseException: pass""", slow=True),
    _exhaust("loop-in-a-check", "Loops for ever when it is asked, and catches whatever should end it.",
             scale="""\
def scale(x):
    while True:
        try:
            while True: pass
        except BaseException: pass""", slow=True),
    _exhaust("sleep-in-a-check", "Sleeps when it is asked.", scale="import time\ndef scale(x):\n    time.sleep(10**6)", slow=True),
    _exhaust("regex", "Matches a pattern that takes for ever in one call that nothing interrupts.",
             scale="""\
import re
def scale(x):
    re.match(r'(a+)+$', 'a' * 64 + 'b')
    return 3 * x - 1""", slow=True),
    _exhaust("one-long-call", "Computes in one call of the interpreter that holds its lock.",
             scale="def scale(x):\n    sum(range(10**13))\n    return 3 * x - 1", slow=True),
    _exhaust("slow-ends", "Sleeps in destructors, at the exit, in threads that never end and in its signal handlers.",
             """\
import atexit, signal, threading, time
atexit.register(time.sleep, 10**6)
class Slow:
    def __del__(self): time.sleep(10**6)
kept = Slow()
threading.Thread(target=time.sleep, args=(10**6,)).start()
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, lambda *a: time.sleep(10**6))"""),
    _exhaust("many-slow-cells", "Has fifty cells that each stay just below the limit of a cell.",
             rewrite=lambda notebook: notebook["cells"].extend(
                 {"cell_type": "code", "id": f"slow-{n}", "metadata": {}, "outputs": [], "execution_count": None,
                  "source": "import time\ntime.sleep(3)"} for n in range(50)), slow=True),
    _exhaust("stops-itself", "Stops its own process and its group, so that it neither answers nor ends.",
             scale="""\
import os, signal
def scale(x):
    os.kill(os.getpid(), signal.SIGSTOP)
    return 3 * x - 1""", slow=True),
    _exhaust("stops-in-a-cell", "Stops its own process in a cell.", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", slow=True),
    _exhaust("waits-for-input", "Asks for input that nobody gives.", """\
try:
    input('your name? ')
except Exception:
    pass
import sys
sys.stdin.read(1)"""),
    _exhaust("timers", "Has signals and alarms go off all the time.",
             """\
import signal
signal.signal(signal.SIGALRM, lambda *a: None)
signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)"""),
    _exhaust("drips", "Answers a byte at a time, so that no single wait is too long.",
             """\
import seqlib.checks.wire as wire, seqlib.checks.agent as agent, time
plain = agent.send
class Drip:
    def __init__(self, sock): self.sock = sock
    def __getattr__(self, name): return getattr(self.sock, name)
    def sendall(self, data):
        for byte in bytes(data):
            self.sock.sendall(bytes([byte]))
            time.sleep(0.5)
    send = sendmsg = None
agent.send = lambda sock, *a, **k: plain(Drip(sock), *a, **k)""", earns=None, ours_only=True, slow=True),
]  # fmt: skip

MEMORY = [
    _exhaust("memory", "Takes sixteen gigabytes in a cell.", """\
hog = []
for _ in range(64): hog.append(bytearray(b'x') * (1 << 28))""", dangerous=True, slow=True),
    _exhaust("memory-in-a-check", "Takes sixteen gigabytes when it is asked.",
             scale="""\
def scale(x):
    global hog
    hog = [torch.ones(1 << 28) for _ in range(16)]
    return 3 * x - 1""", dangerous=True, slow=True),
    _exhaust("memory-by-forks", "Takes memory in many processes, each of them below the limit.",
             """\
import os, time
for _ in range(40):
    if os.fork() == 0:
        hog = bytearray(b'x') * (400 << 20)
        time.sleep(60)
        os._exit(0)
time.sleep(3)""",
             may_lose=True, dangerous=True, slow=True),
    _exhaust("shared-memory", "Fills the shared memory of the machine.",
             """\
try:
    with open('/dev/shm/@MARK@', 'wb') as file:
        for _ in range(1 << 14): file.write(bytes(1 << 20))
except OSError as error:
    print(error)""", dangerous=True, slow=True),
    _exhaust("nameless-memory", "Fills memory that is nobody's: nameless files, pipes and sockets.",
             """\
import os, socket
kept = []
try:
    fd = os.memfd_create('m')
    for _ in range(1 << 13): os.write(fd, bytes(1 << 20))
except OSError as error:
    print(error)
try:
    for _ in range(2000):
        a, b = socket.socketpair()
        a.setblocking(False)
        kept.append((a, b))
        try:
            while True: a.send(bytes(1 << 16))
        except BlockingIOError: pass
except OSError as error:
    print(error)""",
             dangerous=True, slow=True),
    _exhaust("recursion", "Recurses without an end, past the limit of the interpreter.",
             scale="""\
import sys
def scale(x):
    sys.setrecursionlimit(10**9)
    class Deep:
        def __getattr__(self, name): return getattr(self, name + 'x')
    f = lambda g: g(g)
    return f(f) if x is not None else Deep().a"""),
]  # fmt: skip

PROCESSES = [
    _exhaust("fork-bomb", "Forks without an end.", """\
import os
while True:
    try: os.fork()
    except OSError: pass""", may_lose=True, dangerous=True, slow=True),
    _exhaust("fork-bomb-in-a-check", "Forks without an end when it is asked.",
             scale="""\
import os
def scale(x):
    while True:
        try: os.fork()
        except OSError: pass""", may_lose=True, dangerous=True, slow=True),
    _exhaust("threads", "Starts threads without an end.",
             """\
import threading, time
try:
    while True: threading.Thread(target=time.sleep, args=(10**6,), daemon=True).start()
except RuntimeError as error:
    print(error)""", may_lose=True, dangerous=True, slow=True),
    _exhaust("open-files", "Opens files until no more can be opened.",
             """\
import os
kept = []
try:
    while len(kept) < 10**6: kept.append(os.open('/dev/null', os.O_RDONLY))
except OSError as error:
    print(error)""", earns=None),
    _exhaust("closed-files", "Closes every file that is open, in a cell.", "import os\nos.closerange(0, 65536)"),
    _exhaust("closed-files-in-a-check", "Closes every file that is open, when it is asked.",
             scale="""\
import os
def scale(x):
    os.closerange(3, 65536)
    return 3 * x - 1"""),
    _exhaust("busy-after-the-end", "Leaves threads and processes that compute after the end.",
             """\
import os, subprocess, sys, threading
os.environ['MARK'] = '@MARK@'
for _ in range(3): subprocess.Popen([sys.executable, '-c', 'while True: pass'], start_new_session=True)
def busy():
    while True: pass
threading.Thread(target=busy, daemon=True).start()"""),
]  # fmt: skip

DISK = [
    _exhaust("disk", "Fills its folder.",
             """\
try:
    for n in range(64):
        with open(f'fill{n}', 'wb') as file:
            for _ in range(1 << 10): file.write(bytes(1 << 20))
except OSError as error:
    print(error)""", dangerous=True, slow=True),
    _exhaust("large-file", "Writes one file that never ends, and one that only says that it is large.",
             """\
try:
    with open('sparse', 'wb') as file: file.truncate(1 << 50)
except OSError as error:
    print(error)
try:
    with open('large', 'wb') as file:
        while file.tell() < 1 << 36: file.write(bytes(1 << 24))
except OSError as error:
    print(error)""", dangerous=True, slow=True),
    _exhaust("many-files", "Makes more files than anybody can count.",
             """\
import os
try:
    for n in range(10**7):
        if n % 1000 == 0:
            os.mkdir(f'd{n}')
        os.mknod(f'd{n - n % 1000}/{n}')
except OSError as error:
    print(error)""", dangerous=True, slow=True),
    _exhaust("deep-folders", "Makes folders in folders, so deep that they can't be removed by name.",
             """\
import os
home = os.getcwd()
try:
    os.mkdir('@MARK@')
    os.chdir('@MARK@')
    for _ in range(3000):
        os.mkdir('d' * 50)
        os.chdir('d' * 50)
except OSError as error:
    print(error)
os.chdir(home)"""),
    _exhaust("locked-folders", "Leaves folders that nobody may enter or change.",
             """\
import os
os.makedirs('@MARK@/a/b')
open('@MARK@/a/b/c', 'w').close()
os.chmod('@MARK@/a/b', 0)
os.chmod('@MARK@/a', 0)
os.chmod('@MARK@', 0)"""),
]  # fmt: skip

OUTPUT = [
    _exhaust("stdout", "Prints without an end.", "while True: print('spam ' * 2000)", slow=True),
    _exhaust("stderr", "Complains without an end.", "import sys\nwhile True: sys.stderr.write('spam ' * 2000)", slow=True),
    _exhaust("raw-stdout", "Writes to the terminal's own file descriptors without an end.",
             """\
import os
while True:
    os.write(1, b'spam ' * 20000)
    os.write(2, b'spam ' * 20000)""", slow=True),
    _exhaust("displays", "Shows a hundred thousand things, and updates one as often.",
             """\
handle = display('x', display_id='@MARK@')
for n in range(100_000):
    handle.update(n)
    display({'text/plain': str(n)}, raw=True)""", slow=True),
    _exhaust("clear-output", "Prints and clears in turn, so that nothing ever adds up.",
             """\
from IPython.display import clear_output
for n in range(50_000):
    print('x' * 10_000)
    clear_output(wait=n % 2 == 0)""", slow=True),
    _exhaust("one-huge-output", "Prints and shows half a gigabyte at once.", """\
text = 'x' * (1 << 29)
print(text)
display({'text/html': text}, raw=True)""", dangerous=True, slow=True),
    _exhaust("huge-error", "Raises an error with a message of a hundred megabytes, from very many frames.",
             """\
def deep(n):
    if n == 0: raise ValueError('x' * 10**8)
    deep(n - 1)
deep(900)""", slow=True),
    _exhaust("error-in-a-check", "Raises an error whose text, name and attributes never end.",
             scale="""\
class Endless(Exception):
    def __str__(self): return 'x' * 10**8
    __repr__ = __str__
    @property
    def args(self): return self
Endless.__name__ = 'E' * 10**6
def scale(x):
    raise Endless from ExceptionGroup('x' * 10**7, [Endless() for _ in range(100)])"""),
    _exhaust("endless-repr", "Ends a cell with an object that takes for ever to be shown.",
             """\
class Slow:
    def __repr__(self):
        while True: pass
    def _repr_html_(self): return 'x' * 10**9
    def _repr_mimebundle_(self, **k): return {f'a/{n}': 'x' for n in range(10**6)}
Slow()""", dangerous=True, slow=True),
    _exhaust("output-in-a-check", "Prints without an end when it is asked.",
             scale="def scale(x):\n    while True: print('spam ' * 2000)", slow=True),
    _exhaust("colors", "Prints millions of colour codes, which a page has to turn into marks.",
             """\
for _ in range(20): print('\\x1b[31m\\x1b[1ma\\x1b[0m' * 10_000)
raise ValueError('\\x1b[3' * 10**6)"""),
    _exhaust("nested-markdown", "Writes Markdown and HTML that a page takes for ever to clean.",
             """\
from IPython.display import HTML, Markdown, display
display(Markdown('>' * 40_000 + 'x'), HTML('<div>' * 60_000), Markdown('[' * 30_000), Markdown('*a _b ' * 20_000),
        HTML('<a href="' * 20_000), Markdown('`' * 20_000 + '$' * 20_000))""", rewrite=lambda notebook: notebook["cells"].extend(
                 {"cell_type": "markdown", "id": f"nest-{n}", "metadata": {}, "source": text} for n, text in enumerate(
                     (">" * 20_000 + "x", "[" * 20_000, "*a _b " * 20_000, "- " * 5_000 + "x", "![" * 20_000, "<div>" * 20_000, "$" * 20_001, "|a" * 10_000 + "\n" + "|-" * 10_000))), slow=True),
]  # fmt: skip

EXHAUST = [*TIME, *MEMORY, *PROCESSES, *DISK, *OUTPUT]
