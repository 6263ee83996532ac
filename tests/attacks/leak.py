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
    "scale": "def scale(x):\n    keep(repr(x[0].item()))\n    return 3 * x - 1",
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
             "import sys\ndef keep(word):\n    print(word)\n    print(word, file=sys.stderr, flush=True)\n    display(word)", ""),
    _through("raw-output", "Writes what a check asks to the terminal's own file descriptors.",
             "import os\ndef keep(word):\n    for fd in (0, 1, 2):\n        try:\n            os.write(fd, (word + '\\n').encode())\n"
             "        except OSError:\n            pass", ""),
    _through("late-thread", "Prints what a check asked from a thread that waits until another cell runs.",
             "import threading, time\nkept = []\nkeep = kept.append\ndef later():\n    while True:\n        time.sleep(0.2)\n"
             "        if kept: print(kept, flush=True)\nthreading.Thread(target=later, daemon=True).start()",
             "time.sleep(1)"),
    _through("through-files", "Writes what a check asks into files, of every place that it may write to.",
             "import os, tempfile\nplaces = [os.getcwd(), tempfile.gettempdir(), '/tmp', '/dev/shm', '/var/tmp', os.path.expanduser('~')]\n"
             "def keep(word):\n    for place in places:\n        try:\n            open(f'{place}/@MARK@', 'a').write(word + ' ')\n"
             "        except OSError:\n            pass",
             "for place in places:\n    try:\n        print(open(f'{place}/@MARK@').read())\n        os.remove(f'{place}/@MARK@')\n"
             "    except OSError:\n        pass"),
    _through("through-a-pipe", "Sends what a check asks through a pipe that was opened before.",
             "import os\nout, into = os.pipe()\nos.set_blocking(out, False)\nkeep = lambda word: os.write(into, word.encode())",
             "try:\n    print(os.read(out, 100000))\nexcept OSError:\n    pass"),
    _through("through-shared-memory", "Writes what a check asks into memory that it shares with its forks.",
             "import mmap\nshared = mmap.mmap(-1, 1 << 16)\nkeep = lambda word: shared.write(word.encode() + b' ')",
             "print(shared[:4000].rstrip(b'\\0'))"),
    _through("through-shared-tensors", "Writes what a check asks into a tensor in shared memory.",
             "shared = torch.zeros(4096, dtype=torch.uint8).share_memory_()\nat = 0\ndef keep(word):\n    global at\n"
             "    data = torch.tensor(list(word.encode() + b' '), dtype=torch.uint8)\n"
             "    start = int((shared != 0).sum())\n    shared[start:start + len(data)] = data",
             "print(bytes(shared[shared != 0].tolist()))"),
    _through("through-a-helper", "Hands what a check asks to a process of its own over an abstract socket.",
             "import os, socket, threading\nserver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\nserver.bind('\\0own-@MARK@')\n"
             "server.setblocking(False)\ndef keep(word):\n    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(word.encode(), '\\0own-@MARK@')",
             "while True:\n    try:\n        print(server.recv(1000))\n    except OSError:\n        break"),
    _through("through-system-v", "Leaves what a check asks in a System V shared memory segment.",
             "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\nlibc.shmat.restype = ctypes.c_void_p\n"
             "segment = libc.shmget(0, 4096, 0o1600)\nplace = libc.shmat(segment, None, 0)\nlibc.shmctl(segment, 0, None)\n"
             "def keep(word):\n    if place and place != ctypes.c_void_p(-1).value:\n        ctypes.memmove(place, word.encode(), len(word))",
             "if place and place != ctypes.c_void_p(-1).value:\n    print(ctypes.string_at(place, 64))"),
    _through("through-its-parent", "Writes what a check asks into the memory of the process that was forked for it.",
             "import ctypes, os\nbuffer = ctypes.create_string_buffer(4096)\nhome, place = os.getpid(), ctypes.addressof(buffer)\n"
             "def keep(word):\n    if os.getpid() == home:\n        buffer.value = word.encode()\n        return\n    try:\n"
             "        with open(f'/proc/{home}/mem', 'r+b', 0) as memory:\n            memory.seek(place)\n            memory.write(word.encode())\n"
             "    except OSError:\n        pass",
             "print(buffer.value)"),
    _through("by-signals", "Tells its parent what a check asks bit by bit, with signals.",
             "import os, signal, time\nbits, home = [], os.getpid()\nsignal.signal(signal.SIGUSR1, lambda *a: bits.append('0'))\n"
             "signal.signal(signal.SIGUSR2, lambda *a: bits.append('1'))\ndef keep(word):\n"
             "    for bit in ''.join(f'{byte:08b}' for byte in word.encode()) if word.startswith('w') else '':\n"
             "        try:\n            os.kill(home, signal.SIGUSR2 if bit == '1' else signal.SIGUSR1)\n        except OSError:\n            return\n"
             "        time.sleep(0.002)",
             "text = ''.join(bits)\nprint(bytes(int(text[i:i + 8], 2) for i in range(0, len(text) - 7, 8)))"),
    _through("by-file-times", "Tells what a check asks by the existence and the times of files.",
             "import os\nopen('clock', 'w').close()\nn = 0\ndef keep(word):\n    global n\n    for digit in word[1:]:\n"
             "        n += 1\n        if word[0] == 'w':\n            open(f'd{len(os.listdir()):05}-{digit}', 'w').close()",
             "names = sorted(name for name in os.listdir() if name.startswith('d0'))\nprint('w' + ''.join(name[-1] for name in names[:18]))"),
]  # fmt: skip

SAID = [
    _leak("exception-message", "Raises an error whose message is what was asked.",
          answers={"spell": "def spell(word):\n    raise ValueError(f'asked for {word}')"}, earns=90),
    _leak("exception-name", "Raises an error of a class that is named after what was asked.",
          answers={"spell": "def spell(word):\n    raise type(word, (ValueError,), {})()"}, earns=90),
    _leak("exception-line", "Fails in a line of code that it made of what was asked.",
          answers={"spell": "import linecache\ndef spell(word):\n    name = f'<{word}>'\n    text = f'def {word}(): raise ValueError({word!r})\\n{word}()'\n"
                            "    linecache.cache[name] = (len(text), None, text.splitlines(True), name)\n    exec(compile(text, name, 'exec'), globals())"},
          earns=90),
    _leak("type-name", "Returns an object of a type that is named after what was asked.",
          answers={"spell": "def spell(word):\n    return type(word, (), {})()"}, earns=90),
    _leak("dict-keys", "Returns a dict, a list and a nesting that carry what was asked.",
          answers={"spell": "def spell(word):\n    return {word: [word, {word: word}]}"}, earns=90),
    _leak("last-traceback", "Reads what was asked from the frames of the error that a check left behind.",
          answers={"spell": "def spell(word):\n    secret = word\n    return 1 / 0"}, earns=90,
          last="import gc, sys, types\nfor one in gc.get_objects():\n    if isinstance(one, (types.FrameType, types.TracebackType)):\n"
               "        frame = getattr(one, 'tb_frame', one)\n        if frame.f_code.co_name == 'spell': print(frame.f_locals)\n"
               "print(getattr(sys, 'last_value', None), sys.exc_info())"),
    _leak("at-exit", "Prints what was asked when the process ends or its objects die.",
          "import atexit\nkept = []\nkeep = kept.append\natexit.register(lambda: print(kept, flush=True))\n"
          "class Last:\n    def __del__(self): print(kept, flush=True)\nlast = Last()", KEEP),
    _leak("history", "Prints everything that the shell has run, stored or shown.",
          last="print(In, Out)\nprint(open(get_ipython().history_manager.hist_file, 'rb').read() if "
               "get_ipython().history_manager.enabled and isinstance(get_ipython().history_manager.hist_file, str) else '')"),
    _leak("callers", "Keeps the source and the locals of whoever calls it, and prints them in the last cell.",
          "import inspect, sys\nkept = []\ndef keep(word):\n    frame = sys._getframe(1)\n    while frame is not None:\n"
          "        try:\n            kept.append(inspect.getsource(frame))\n        except (OSError, TypeError):\n            pass\n"
          "        kept.append(str({name: str(value)[:2000] for name, value in list(frame.f_locals.items())}))\n        frame = frame.f_back",
          KEEP | {"spell": "def spell(word):\n    keep(word)\n    return word[::-1]"},
          last=HUNT + "for text in kept: hunt(text)"),
]  # fmt: skip

READ = [
    _leak("key-file", "Reads the course key from where it lies.", "try:\n    print(open('@KEY@').read())\nexcept OSError:\n    print('none')"),
    _leak("checks-file", "Reads the checks with their references, through every folder above.",
          HUNT + "import glob, os\nread('@CHECKS@')\nfor path in glob.glob('@ROOT@/**/*', recursive=True) + glob.glob('../**/*', recursive=True)[:2000]:\n"
                 "    if os.path.isfile(path) and os.path.getsize(path) < 1 << 22: read(path)"),
    _leak("other-submission", "Reads another student's notebook.",
          HUNT + "import glob\nread('@SIBLING@')\nfor path in glob.glob('@COURSE@/**/*.ipynb', recursive=True): read(path)"),
    _leak("host-file", "Reads a file of the host's, directly and through the roots of other processes.",
          HUNT + "import os\nfor pid in ['self', 'thread-self', *filter(str.isdigit, os.listdir('/proc'))]:\n"
                 "    for way in ('root', 'cwd'):\n        read(f'/proc/{pid}/{way}/@SECRET_FILE@')\n"
                 "        read(f'/proc/{pid}/{way}/../../../../../../../@SECRET_FILE@')\nread('@SECRET_FILE@')"),
    _leak("environment", "Reads its own environment and that of every process it can see.",
          HUNT + "import os\nhunt(str(dict(os.environ)))\nfor pid in filter(str.isdigit, os.listdir('/proc')): read(f'/proc/{pid}/environ')"),
    _leak("own-memory", "Searches all of its own memory for words that the warm parent may have held.",
          HUNT + "for line in open('/proc/self/maps'):\n    span, rights = line.split()[:2]\n    if 'r' not in rights or '[v' in line: continue\n"
                 "    low, high = (int(part, 16) for part in span.split('-'))\n    if high - low > 1 << 28: continue\n    try:\n"
                 "        with open('/proc/self/mem', 'rb', 0) as memory:\n            memory.seek(low)\n            hunt(memory.read(high - low))\n"
                 "    except (OSError, ValueError, OverflowError):\n        pass"),
    _leak("ancestors-memory", "Searches the memory of the processes that started it.",
          HUNT + "import os\npid = os.getppid()\nwhile pid > 1:\n    try:\n        lines = open(f'/proc/{pid}/maps').readlines()\n"
                 "        above = int(open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[1])\n    except OSError:\n        break\n"
                 "    for line in lines:\n        span, rights = line.split()[:2]\n        if 'rw' not in rights: continue\n"
                 "        low, high = (int(part, 16) for part in span.split('-'))\n        if high - low > 1 << 28: continue\n        try:\n"
                 "            with open(f'/proc/{pid}/mem', 'rb', 0) as memory:\n                memory.seek(low)\n                hunt(memory.read(high - low))\n"
                 "        except (OSError, ValueError, OverflowError):\n            pass\n"
                 "    if b'grading_host' in open(f'/proc/{pid}/cmdline', 'rb').read(): break\n    pid = above", slow=True),
    _leak("open-files", "Reads whatever any visible process has open.",
          HUNT + "import os, stat\nfor pid in ['self', str(os.getppid())]:\n    try:\n        fds = os.listdir(f'/proc/{pid}/fd')\n    except OSError:\n        continue\n"
                 "    for fd in fds:\n        path = f'/proc/{pid}/fd/{fd}'\n        try:\n            if stat.S_ISREG(os.stat(path).st_mode): read(path, 1 << 22)\n"
                 "            if stat.S_ISDIR(os.stat(path).st_mode): print(os.listdir(path)); read(f'{path}/../../../../../../@SECRET_FILE@')\n"
                 "        except OSError:\n            pass"),
    _leak("modules", "Searches every module and every living object for references.",
          HUNT + "import gc, sys\nfor module in list(sys.modules.values()):\n    for name, value in list(vars(module).items()):\n"
                 "        if isinstance(value, (str, bytes)): hunt(value)\n        if name == 'REFERENCE': print(getattr(value, 'keys', dict)(), '@CHECKS@'[:0])\n"
                 "for one in gc.get_objects():\n    try:\n        if type(one) is dict:\n            for value in list(one.values()):\n"
                 "                if type(value) in (str, bytes): hunt(value)\n        elif type(one) in (list, tuple):\n"
                 "            for value in one:\n                if type(value) in (str, bytes): hunt(value)\n    except Exception:\n        pass", slow=True),
    _leak("import-the-grader", "Imports the grader's own modules and loads the checks and the key with them.",
          HUNT + "from pathlib import Path\ntry:\n    import seqlib.grading.kit as kit, inspect\n    found = kit.load_kit('target', Path('@ROOT@'))\n"
                 "    hunt(str(vars(inspect.getmodule(found.suite.checks['scaling'].body))))\n    hunt(open('@CHECKS@').read())\n"
                 "    print(kit.course_key(Path('@COURSE@')).decode())\nexcept Exception as error:\n    print(type(error).__name__)",
          ours_only=True),
    _leak("leftovers", "Looks for what the submission before it left behind, in every place that can be written.",
          HUNT + "import glob, os, tempfile\nfor place in {'/tmp', '/var/tmp', '/dev/shm', '/run', '/dev/mqueue', os.path.expanduser('~'), tempfile.gettempdir()}:\n"
                 "    for path in glob.glob(f'{place}/*') + glob.glob(f'{place}/.*') + glob.glob(f'{place}/*/*'):\n"
                 "        if os.path.isfile(path) and os.path.getsize(path) < 1 << 20: read(path)"),
    _leak("freed-memory", "Asks for memory without clearing it and searches what others left in it.",
          HUNT + "import ctypes\nfor size in [1 << n for n in range(6, 24)]:\n    for _ in range(4):\n"
                 "        hunt(bytes(torch.empty(size, dtype=torch.uint8).numpy()))\nlibc = ctypes.CDLL(None)\nlibc.malloc.restype = ctypes.c_void_p\n"
                 "for _ in range(2000):\n    place = libc.malloc(4000)\n    hunt(ctypes.string_at(place, 4000))"),
    _leak("sockets-of-others", "Connects to every unix socket in sight, and reads what they say.",
          HUNT + "import socket\ntry:\n    lines = open('/proc/net/unix').read().splitlines()[1:]\nexcept OSError:\n    lines = []\n"
                 "for name in {line.split()[-1] for line in lines if len(line.split()) > 7} | {'@' + '@ABSTRACT@'}:\n"
                 "    if 'seq-' not in name: continue\n    try:\n        with socket.socket(socket.AF_UNIX) as sock:\n            sock.settimeout(0.3)\n"
                 "            sock.connect('\\0' + name[1:] if name[0] == '@' else name)\n            sock.send(b'@MARK@')\n            hunt(sock.recv(1000))\n"
                 "    except OSError:\n        pass"),
    _leak("kernel-log", "Reads the kernel's log and other files about the whole machine.",
          HUNT + "for path in ('/dev/kmsg', '/proc/kcore', '/proc/keys', '/var/log/syslog', '/proc/1/environ', '/etc/shadow', '/root/.bash_history'):\n"
                 "    try:\n        import os\n        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)\n        if os.getuid() and path == '/etc/shadow': print('wo' 'n-@MARK@')\n"
                 "        hunt(os.read(fd, 1 << 16))\n    except OSError:\n        pass"),
]  # fmt: skip

LEAK = [*KEPT, *SAID, *READ]
