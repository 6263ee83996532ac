# ruff: noqa: E501 - what is handed in is text, and its longest lines stay as they would be written
"""Leaking: a secret case is kept by one process for another, or said aloud."""

from tests.attacks.leak_parts import HUNT, KEEP, leak_attack, through_attack

KEPT = [
    through_attack("kept-inputs", "Keeps what a secret check asks in a list, and prints it in the last cell.",
             "kept = []\nkeep = kept.append", "print(kept)"),
    through_attack("printed-inputs", "Prints and displays what a check asks while it is asked.",
             """\
import sys
def keep(word):
    print(word)
    print(word, file=sys.stderr, flush=True)
    display(word)""", ""),
    through_attack("raw-output", "Writes what a check asks to the terminal's own file descriptors.",
             """\
import os
def keep(word):
    for fd in (0, 1, 2):
        try:
            os.write(fd, (word + '\\n').encode())
        except OSError:
            pass""", ""),
    through_attack("late-thread", "Prints what a check asked from a thread that waits until another cell runs.",
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
    through_attack("through-files", "Writes what a check asks into files, of every place that it may write to.",
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
    through_attack("through-a-pipe", "Sends what a check asks through a pipe that was opened before.",
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
    through_attack("through-shared-memory", "Writes what a check asks into memory that it shares with its forks.",
             """\
import mmap
shared = mmap.mmap(-1, 1 << 16)
keep = lambda word: shared.write(word.encode() + b' ')""",
             "print(shared[:4000].rstrip(b'\\0'))"),
    through_attack("through-shared-tensors", "Writes what a check asks into a tensor in shared memory.",
             """\
shared = torch.zeros(4096, dtype=torch.uint8).share_memory_()
at = 0
def keep(word):
    global at
    data = torch.tensor(list(word.encode() + b' '), dtype=torch.uint8)
    start = int((shared != 0).sum())
    shared[start:start + len(data)] = data""",
             "print(bytes(shared[shared != 0].tolist()))"),
    through_attack("through-a-helper", "Hands what a check asks to a process of its own over an abstract socket.",
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
    through_attack("through-system-v", "Leaves what a check asks in a System V shared memory segment.",
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
    through_attack("through-its-parent", "Writes what a check asks into the memory of the process that was forked for it.",
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
    through_attack("by-signals", "Tells its parent what a check asks bit by bit, with signals.",
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
    through_attack("by-file-times", "Tells what a check asks by the existence and the times of files.",
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
    leak_attack("exception-message", "Raises an error whose message is what was asked.",
          answers={"spell": "def spell(word):\n    raise ValueError(f'asked for {word}')"}, earns=90),
    leak_attack("exception-name", "Raises an error of a class that is named after what was asked.",
          answers={"spell": "def spell(word):\n    raise type(word, (ValueError,), {})()"}, earns=90),
    leak_attack("exception-line", "Fails in a line of code that it made of what was asked.",
          answers={"spell": """\
import linecache
def spell(word):
    name = f'<{word}>'
    text = f'def {word}(): raise ValueError({word!r})\\n{word}()'
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    exec(compile(text, name, 'exec'), globals())"""},
          earns=90),
    leak_attack("type-name", "Returns an object of a type that is named after what was asked.",
          answers={"spell": "def spell(word):\n    return type(word, (), {})()"}, earns=90),
    leak_attack("dict-keys", "Returns a dict, a list and a nesting that carry what was asked.",
          answers={"spell": "def spell(word):\n    return {word: [word, {word: word}]}"}, earns=90),
    leak_attack("last-traceback", "Reads what was asked from the frames of the error that a check left behind.",
          answers={"spell": "def spell(word):\n    secret = word\n    return 1 / 0"}, earns=90,
          last="""\
import gc, sys, types
for one in gc.get_objects():
    if isinstance(one, (types.FrameType, types.TracebackType)):
        frame = getattr(one, 'tb_frame', one)
        if frame.f_code.co_name == 'spell': print(frame.f_locals)
print(getattr(sys, 'last_value', None), sys.exc_info())"""),
    leak_attack("at-exit", "Prints what was asked when the process ends or its objects die.",
          """\
import atexit
kept = []
keep = kept.append
atexit.register(lambda: print(kept, flush=True))
class Last:
    def __del__(self): print(kept, flush=True)
last = Last()""", KEEP),
    leak_attack("history", "Prints everything that the shell has run, stored or shown.",
          last="""\
print(In, Out)
print(open(get_ipython().history_manager.hist_file, 'rb').read() if get_ipython().history_manager.enabled and isinstance(get_ipython().history_manager.hist_file, str) else '')"""),
    leak_attack("callers", "Keeps the source and the locals of whoever calls it, and prints them in the last cell.",
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
