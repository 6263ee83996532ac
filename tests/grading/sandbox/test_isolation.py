"""What a submission can see and do from inside a sandbox, and what can't be done to it."""

import json
import os
import platform
import signal
import socket
from pathlib import Path

import pytest

from seqlib.grading.limits import open_limits, probe
from seqlib.grading.outputs import CellState
from seqlib.grading.sandbox.filter import REFUSED

from .conftest import ROOT, host_pid, open_box

LOOK = Path(__file__).with_name("look_around.cell")
IS_ROOT = os.getuid() == 0
CAP_SYS_RESOURCE = 1 << 24
as_root = pytest.mark.skipif(not IS_ROOT, reason="only root can look at a submission's process from outside")


@pytest.fixture(scope="module")
def seen(shared, text_of):
    """What a cell that tries everything has seen."""
    return json.loads(text_of(shared, f"CALLS = {numbers_of_calls()!r}\n{LOOK.read_text('utf-8')}", 300))


def numbers_of_calls() -> dict[str, int]:
    """The refused calls that this machine has, by name."""
    seccomp = pytest.importorskip("pyseccomp")
    resolved = {
        name: seccomp.resolve_syscall(seccomp.Arch.NATIVE, name) for name in (*REFUSED, "clone", "clone3", "ioctl")
    }
    return {name: number for name, number in resolved.items() if number >= 0}


def test_only_local_sockets_can_be_made(seen):
    """No family but AF_UNIX: no INET, NETLINK, VSOCK or packet socket."""
    assert seen["sockets"] == [socket.AF_UNIX]


def test_no_other_process_can_be_named(seen, warm):
    """No number names a process but its own and the first ones of its namespace, which only end it."""
    assert set(seen["others"]) <= ({-1, 1} if warm else {-1, 1, 2, 3})


def test_proc_is_empty(seen, warm):
    """A submission of a warm sandbox has no /proc; a cold one has that of its own processes."""
    if warm:
        assert seen["proc"] == []
    assert {name for name in seen["proc"] if name.isdigit()} <= {"1", "2", "3"}


def test_nothing_can_be_written_outside_of_the_scratch_folders(seen):
    """In the whole tree no file can be opened for writing and none can be made."""
    assert seen["writable"] == []


def test_no_rights_are_left(seen):
    """No capability in any set, none to be had back, no new privileges, a filter, no group of the host's."""
    assert set(seen["capabilities"]["sets"]) == {0}
    assert seen["capabilities"]["bounding"] == []
    assert seen["no_new_privileges"] == 1
    assert seen["seccomp"] == 2
    assert 0 not in seen["ids"][:4]
    assert set(seen["ids"][4]) <= {65534}


def test_refused_calls_are_refused(seen):
    """Each call of the list answers EPERM, also the ways around it that this machine has."""
    calls = dict(seen["calls"])
    assert calls.pop("clone3") == "ENOSYS"
    calls.pop("ioctl")

    assert {name: got for name, got in calls.items() if got != "EPERM"} == {}
    assert set(seen["namespaces"]) == {"EPERM"}
    assert seen["sti"] == "EPERM"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other machines have one kind of call only")
def test_calls_of_other_kinds_end_the_process(seen):
    """The 32-bit and x32 numbers, which the list does not name, are no way around it."""
    assert seen["as_32_bit"] == -signal.SIGSYS
    assert seen["as_x32"] == -signal.SIGSYS


def test_few_handles_are_open(seen):
    """Standard streams, the ends of the output pipes, an event loop's own three, and the one socket to the host."""
    kinds = sorted(seen["handles"].values())

    assert kinds == ["CHR", "EPOLL", "FIFO", "FIFO", "FIFO", "FIFO", "SOCK", "SOCK", "SOCK"]


def test_the_environment_is_minimal(seen):
    """Nothing of the grader's: each variable is one that we or IPython set."""
    ours = {"PATH", "LANG", "HOME", "PWD", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONMALLOC"}
    ours |= {"GLIBC_TUNABLES", "IPYTHONDIR", "MPLCONFIGDIR", "MPLBACKEND", "PYDEVD_DISABLE_FILE_VALIDATION"}
    ours |= {"OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"}
    ipython = {"TERM", "CLICOLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "PAGER", "GIT_PAGER"}

    assert seen["environment"].keys() <= ours | ipython
    assert not any(str(ROOT) in value for name, value in seen["environment"].items() if name != "PATH")


def test_files_of_the_host_are_absent(shared, text_of):
    """No solution, check, key, other people's homes, or file of root's can be opened."""
    wanted = [
        *("/etc/shadow", "/etc/passwd", "/etc/hostname", "/root/.bashrc", "/root/.ssh", "/var/lib", "/var/tmp", "/opt"),
        *("/home/student/../..//etc/shadow", "/sys/class", "/sys/fs/cgroup", "/mnt", "/srv", "/boot", "/run/user"),
        *(str(ROOT / name) for name in ("solutions", "seqlib", "tests", "class", ".git", "pyproject.toml")),
        *("/dev/kmsg", "/dev/mem", "/dev/kvm", "/dev/fuse", "/dev/vda", "/dev/sda", "/dev/net"),
    ]

    found = text_of(shared, f"import os\nprint([name for name in {wanted!r} if os.path.exists(name)])")

    assert found == "[]\n"


def test_what_a_program_needs_is_there(shared, text_of):
    """The loader's cache, alternatives of programs, fonts and the time zone can be read by a submission."""
    names = ["/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts", "/etc/localtime"]
    names = [name for name in names if os.path.exists(name)]

    assert text_of(shared, f"import os\nprint([n for n in {names!r} if not os.access(n, os.R_OK)])") == "[]\n"


def test_abstract_sockets_are_not_shared(shared, text_of):
    """A socket without a file, which any process of a machine could connect to, is not to be found inside."""
    name = f"\0seqlib-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as host:
        host.bind(name)
        host.listen()

        source = f"import socket\ntry: socket.socket(1).connect({name!r})\nexcept OSError as e: print(e.errno)"

        assert text_of(shared, source) == "111\n"


def test_scratch_is_limited(shared, text_of):
    """A folder takes what it may and no more, and a file is not larger than a file may be."""
    source = """
import os
def fill(folder, files):
    size = 0
    try:
        for n in range(files):
            with open(f"{folder}/fill{n}", "wb", buffering=0) as file:
                for _ in range(48):
                    size += file.write(bytes(1 << 20))
    except OSError as error:
        return size >> 20, error.errno
    finally:
        for name in os.listdir(folder):
            if name.startswith("fill"): os.remove(f"{folder}/{name}")
    return size >> 20, 0
print([fill(folder, 5) for folder in ("/home/student", "/tmp", "/dev/shm")])
try:
    with open("large", "wb", buffering=0) as file:
        for _ in range(100): file.write(bytes(1 << 20))
except OSError as error:
    print(os.path.getsize("large") >> 20, error.errno)
os.remove("large")
"""
    filled, large = text_of(shared, source).splitlines()

    for size, fault in json.loads(filled.replace("(", "[").replace(")", "]")):
        assert size <= 128
        assert fault == 28
    assert large == "64 27"


def test_the_number_of_files_is_limited(shared, text_of, warm):
    """A warm sandbox takes 20,000 files a folder; what a cold one takes is bounded by the memory they cost."""
    if not warm:
        pytest.skip("bubblewrap can't limit the number of files")
    source = """
import os
os.mkdir("many")
try:
    for n in range(30_000): os.close(os.open(f"many/{n}", os.O_CREAT))
except OSError as error: print(n < 20_000, error.errno)
import shutil; shutil.rmtree("many")
"""
    assert text_of(shared, source) == "True 28\n"


def test_nothing_in_scratch_can_be_executed_with_rights_of_others(shared, text_of):
    """Scratch folders know no set-user-id bit and no device nodes; a set-user-id program gives nothing."""
    source = """
import os
flags = [os.statvfs(place).f_flag for place in ("/home/student", "/tmp", "/dev/shm")]
print([bool(flag & os.ST_NOSUID and flag & os.ST_NODEV) for flag in flags])
"""
    assert text_of(shared, source) == "[True, True, True]\n"


def test_nothing_of_the_previous_submission_is_left(boxes, text_of):
    """Files, variables, modules, shared memory, umask and folder of one submission are not those of the next."""
    mark = """
import os, sys, numpy, builtins
for folder in (".", "/tmp", "/dev/shm"): open(f"{folder}/left", "w").write("left")
os.environ["LEFT"] = "1"; numpy.left = 1; builtins.left = 1; sys.path.append("/left"); os.umask(0)
"""
    look = """
import os, sys, numpy, builtins
print([os.path.exists(f"{folder}/left") for folder in (".", "/tmp", "/dev/shm")], "LEFT" in os.environ,
      hasattr(numpy, "left"), hasattr(builtins, "left"), "/left" in sys.path, oct(os.umask(0o22)))
"""
    first = open_box(boxes)
    text_of(first, mark)
    first.close()

    second = open_box(boxes)
    found = text_of(second, look)
    second.close()

    assert found == "[False, False, False] False False False False 0o22\n"


def test_a_submission_neither_sees_nor_signals_a_sibling(boxes, warm, text_of):
    """Two of one warm parent at the same time: files, shared memory, abstract sockets and processes are their own."""
    if not warm:
        pytest.skip("cold ones share nothing")
    first, second = open_box(boxes), open_box(boxes)
    try:
        text_of(first, "import socket; s = socket.socket(socket.AF_UNIX); s.bind('\\0one'); s.listen()")
        text_of(first, "open('/dev/shm/one', 'w').close(); open('/tmp/one', 'w').close(); open('one', 'w').close()")

        source = """
import os, socket, ctypes, threading
def connected():
    try: socket.socket(socket.AF_UNIX).connect("\\0one")
    except OSError: return False
    return True
print(connected(), [os.path.exists(n) for n in ("/dev/shm/one", "/tmp/one", "one")])
for pid in (-1, *range(3, 70_000)):
    if pid not in [one.native_id for one in threading.enumerate()]:
        try: os.kill(pid, 9)
        except OSError: pass
libc = ctypes.CDLL(None, use_errno=True)
print(libc.shmget(0x5e9, 4096, 0o1666) >= 0)
"""
        assert text_of(second, source) == "False [False, False, False]\nTrue\n"
        other = "import ctypes; print(ctypes.CDLL(None).shmget(0x5e9, 4096, 0o666))"
        assert text_of(first, other) == "-1\n"
        assert boxes.alive
    finally:
        first.close()
        second.close()


@as_root
def test_it_stays_the_first_to_be_ended_when_memory_is_short(boxes):
    """What root has said cannot be taken back, where root may set limits."""
    rights = dict(line.split(":\t") for line in Path("/proc/self/status").read_text().splitlines())["CapEff"]
    if not int(rights, 16) & CAP_SYS_RESOURCE:
        pytest.skip("this root lacks CAP_SYS_RESOURCE, as in many containers")
    box = open_box(boxes)
    box.run("import os; os.write(os.open('/proc/self/oom_score_adj', 1), b'0')", 60)
    assert Path(f"/proc/{host_pid(box, 'seq-hungry')}/oom_score_adj").read_text() == "1000\n"
    box.close()


@as_root
def test_seen_from_outside_it_is_alone(boxes, shared):
    """Its only network interface is the loopback, it dies first when memory is short, its namespaces are its own."""
    pid = host_pid(shared, "seq-outside")

    interfaces = Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]

    assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]
    assert Path(f"/proc/{pid}/oom_score_adj").read_text() == "1000\n"
    for name in ("ipc", "mnt", "net", "pid", "uts", "cgroup"):
        assert os.readlink(f"/proc/{pid}/ns/{name}") != os.readlink(f"/proc/self/ns/{name}"), name


@as_root
def test_the_keeper_can_not_be_traced(shared):
    """The first process of the namespaces is closed to the student's, which has the same user."""
    pid = host_pid(shared, "seq-keeper")
    keeper = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])

    assert os.stat(f"/proc/{keeper}/mem").st_uid == 0


@as_root
def test_the_warm_parent_can_not_be_traced(boxes, warm, shared):
    """Another process of its user can neither read its memory nor its handles nor its environment."""
    if not warm:
        pytest.skip("a cold start has no parent")
    pid = parent_of_all(boxes.parent.pid)
    assert os.stat(f"/proc/{pid}/mem").st_uid == 0

    status = in_a_process_of_nobody(lambda: [open_any(f"/proc/{pid}/{name}") for name in ("mem", "environ", "maps")])

    assert status == 0


def test_a_fork_bomb_ends_in_itself(boxes, text_of):
    """The processes that it may have are soon had; the next cell, and the next submission, run."""
    bomb = """
import os, time
made = 0
try:
    for _ in range(200):
        if os.fork() == 0:
            time.sleep(600); os._exit(0)
        made += 1
except OSError as error: print(error.errno)
print(made < 64)
"""
    box = open_box(boxes)
    try:
        assert text_of(box, bomb) == "11\nTrue\n"
        assert text_of(box, "print(1)") == "1\n"
    finally:
        box.close()
    after = open_box(boxes)
    assert text_of(after, "import os; pid = os.fork()\nif not pid: os._exit(0)\nprint(os.wait()[1])") == "0\n"
    after.close()


def test_too_much_memory_ends_its_own_process(boxes, warm, text_of):
    """Three gigabytes end the process that takes them, or are refused; a sibling and the parent go on."""
    with open_limits() as limits:
        if not probe(limits).memory:
            pytest.skip("nothing limits memory on this machine; seqlib doctor says so")
    sibling = open_box(boxes) if warm else None
    box = open_box(boxes)
    try:
        run = box.run("held = []\nfor _ in range(48): held.append(b'1' * (64 << 20))", 120)
        assert run.state in (CellState.DIED, CellState.RAISED)
        if run.state == CellState.RAISED:
            assert run.outputs[-1]["ename"] == "MemoryError"
        if sibling is not None:
            assert text_of(sibling, "print(1)") == "1\n"
        assert boxes.alive
    finally:
        box.close()
        if sibling is not None:
            sibling.close()


def parent_of_all(bubblewrap: int) -> int:
    """The Python below bubblewrap that forks submissions."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            forks = b"inside.warm_parent" in Path(f"/proc/{entry}/cmdline").read_bytes()
            if forks and "bwrap" not in Path(f"/proc/{entry}/comm").read_text() and bubblewrap in lineage(int(entry)):
                return int(entry)
        except OSError:
            continue
    raise AssertionError("no warm parent")


def lineage(pid: int) -> list[int]:
    """A process and its parents."""
    found = []
    while pid:
        found.append(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return found


def in_a_process_of_nobody(body) -> int:
    """Run it as the user that sandboxes run as; 0 when it returned only empty strings."""
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        os._exit(int(any(body())))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def open_any(path: str) -> bool:
    """Whether something can be read there."""
    try:
        with open(path, "rb") as file:
            return bool(file.read(1)) or "mem" in path
    except OSError:
        return False
