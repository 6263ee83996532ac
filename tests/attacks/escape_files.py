# ruff: noqa: E501 - what is handed in is text, and its longest lines stay as they would be written
"""Escaping through files and processes."""

from tests.attacks.attack import RIGHT
from tests.attacks.escape_parts import escape_attack

FILES = [
    escape_attack("write-outside", "Writes into the folders of the host, the repository, the class and the system.",
            """\
import glob, sys, tempfile
for place in ('@OUTSIDE@', '@ROOT@', '@COURSE@', '/', '/tmp', '/var/tmp', '/dev/shm', '/run', '/etc', '/opt', '/srv'):
    plant_here = f'{place}/@MARK@'
    try:
        open(plant_here, 'w').close()
    except OSError:
        pass"""),
    escape_attack("shell-magics", "Writes outside with IPython's own magics and a shell.",
            """\
get_ipython().system('touch @OUTSIDE@/@MARK@ 2>/dev/null')
get_ipython().run_cell_magic('writefile', '@OUTSIDE@/@MARK@-2', 'x') if os.path.isdir('@OUTSIDE@') else None"""),
    escape_attack("symlinks", "Puts symbolic links where the host may write or read later.",
            """\
for name in ('target.ipynb', 'cases.safetensors', 'release.json', 'checks_public.py', 'out', 'feedback', 'core', '.ipython'):
    try:
        os.replace(name, name + '.old') if os.path.exists(name) else None
        os.symlink('@OUTSIDE@/@MARK@', name)
    except OSError:
        pass"""),
    escape_attack("hard-links", "Makes hard links to files of the host's inside its own folder.",
            """\
for number, path in enumerate(('@KEY@', '@SECRET_FILE@', '@SIBLING@', '/etc/passwd')):
    try:
        os.link(path, f'link{number}')
        won(path)
    except OSError:
        pass"""),
    escape_attack("roots-of-others", "Writes through the root and the working folder of other processes.",
            "plant(*(f'/proc/{pid}/{way}' for pid in ['1', str(os.getppid()), 'self'] for way in ('root', 'cwd/../../../../../..')))"),
    escape_attack("open-folders", "Climbs out through a folder that somebody left open.",
            """\
for fd in range(3, 256):
    for way in ('@OUTSIDE@'.lstrip('/'), '../../../../../../..@OUTSIDE@'):
        try:
            os.close(os.open(f'{way}/@MARK@', os.O_CREAT | os.O_WRONLY, dir_fd=fd))
        except (OSError, NotImplementedError):
            pass"""),
    escape_attack("by-handle", "Opens a file of the host's by its handle, past every folder.",
            """\
mount = os.open('/', os.O_RDONLY)
handle = ctypes.create_string_buffer(struct.pack('<II', 8, 1) + struct.pack('<II', 2, 0) + b'\\0' * 120)
found = syscall(304, mount, handle, os.O_RDONLY)
if found >= 0: won('open_by_handle_at')"""),
    escape_attack("devices", "Opens the machine's memory and disks, or makes device nodes for them.",
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
    escape_attack("sysfs", "Writes to the kernel's files: its control groups, its core pattern, its parameters.",
            """\
for path in ('/proc/sys/kernel/core_pattern', '/sys/kernel/uevent_helper', '/proc/sysrq-trigger', '/proc/sys/kernel/modprobe', '/sys/fs/cgroup/cgroup.procs'):
    try:
        os.close(os.open(path, os.O_WRONLY))
        won(path)
    except OSError:
        pass"""),
    escape_attack("control-groups", "Moves itself into another control group, or makes one without limits.",
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
    escape_attack("trace-the-parent", "Attaches to the process that started it.",
            """\
above = os.getppid()
if above > 1 and libc.ptrace(16, above, 0, 0) == 0:
    os.waitpid(above, 0x40000000)
    libc.ptrace(17, above, 0, 0)
    won('ptrace')""",
            dangerous=True),
    escape_attack("read-the-parent", "Reads the memory of the process that started it without stopping it, and takes its files.",
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
    escape_attack("outlive", "Leaves processes behind: a daemon, a session of its own, one that ignores every signal.",
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
    escape_attack("outlive-the-check", "Leaves a process behind from within a check.",
            """\
import subprocess, sys
def leave():
    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(90)', '@MARK@'], start_new_session=True, stdin=-3, stdout=-3, stderr=-3)""",
            answers=RIGHT | {"scale": "def scale(x):\n    leave()\n    return 3 * x - 1"}, earns=None),
    escape_attack("limits-of-others", "Changes the limits and the priorities of processes that are not its own.",
            """\
import resource
for pid in {os.getppid(), *(int(p) for p in os.listdir('/proc') if p.isdigit())} - {os.getpid(), 0}:
    try:
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        if 'PROBE' not in open(f'/proc/{pid}/environ').read(): won('prlimit')
    except OSError:
        pass""",
            dangerous=True),
    escape_attack("raise-own-limits", "Raises its own limits, priority and score for being killed.",
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
    escape_attack("terminal", "Types a command into the terminal that the grader was started from.",
            """\
import fcntl, termios
for path in ('/dev/tty', '/dev/console', '/dev/pts/0', '/dev/tty1'):
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        for letter in 'touch @OUTSIDE@/@MARK@\\n': fcntl.ioctl(fd, termios.TIOCSTI, letter.encode())
    except OSError:
        pass""", dangerous=True),
    escape_attack("set-user", "Becomes root: by setuid programs and by asking.",
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
    escape_attack("new-privileges", "Looks for capabilities that it still has.",
            """\
lines = dict(line.split(':', 1) for line in open('/proc/self/status') if ':' in line)
if int(lines['CapEff'], 16) or int(lines['CapBnd'], 16): won('capabilities')
if lines['NoNewPrivs'].strip() != '1': won('may gain privileges')
if lines['Seccomp'].strip() != '2': won('no filter')"""),
]  # fmt: skip
