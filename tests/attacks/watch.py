"""What outside sees of an attack: packets, files, processes, memory. The submission's own word counts for nothing.

Only the standard library is imported here, as peers' environments use this too.
"""

import os
import select
import signal
import socket
import stat
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tests.attacks.scene import Scene

__all__ = ["Watch", "cheats_in", "marked_processes"]

# Where an attacker would leave something: walked for names with a mark, not deeper than needed.
DROP_PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/dev/mqueue", "/opt", "/srv")
_DEPTH = 4


class Watch:
    """Listens, remembers how the host's files were, and tells afterwards what an attack did to them.

    Args:
        folders: The host's folders in which nothing may appear or change.
        own: Folders in which the engine itself writes, which are only searched for marks.
    """

    def __init__(self, folders: Iterable[Path], own: Iterable[Path] = ()) -> None:
        self._folders, self._own = list(folders), list(own)
        self._received: list[bytes] = []
        self._closing = threading.Event()
        self.tcp = self.udp = 0
        self.abstract = ""
        self.peak_bytes = 0
        self.watched_pid = 0

    def __enter__(self) -> "Watch":
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        self.abstract = f"seq-{os.getpid()}-{id(self):x}"
        unix = socket.socket(socket.AF_UNIX)
        unix.bind("\0" + self.abstract)
        unix.listen()
        self.tcp, self.udp = tcp.getsockname()[1], udp.getsockname()[1]
        self._before = dict(_states(self._folders))
        self._thread = threading.Thread(target=self._listen, args=(tcp, udp, unix), daemon=True)
        self._thread.start()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join(5)
        self._sampler.join(5)

    def keep(self, folder: Path) -> None:
        """From now on nothing may change in this folder either."""
        self._folders.append(folder)
        self._before |= dict(_states([folder]))

    def scene(self, scene: Scene) -> Scene:
        """The scene with this watch's ports in it."""
        from dataclasses import replace

        return replace(scene, tcp=self.tcp, udp=self.udp, abstract=self.abstract)

    def cheats(self, mark: str, *, grace_s: float = 1.0) -> list[str]:
        """What is there now that carries a mark."""
        found = []
        if any(mark.encode() in packet for packet in list(self._received)):
            found.append("a packet arrived")
        alive = marked_processes(mark)
        end = time.monotonic() + grace_s
        while alive and time.monotonic() < end:
            time.sleep(0.05)
            alive = marked_processes(mark)
        if alive:
            found.append(f"{len(alive)} process{'es' * (len(alive) > 1)} survived")
            for pid in alive:  # started by a submission that we handed in
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
        found += [f"left {path}" for path in self._left(mark)]
        return found

    def changed(self) -> list[str]:
        """Files of the host's that are not as they were."""
        after = dict(_states(self._folders))
        return sorted(str(path) for path in {*self._before, *after} if self._before.get(path) != after.get(path))

    def _left(self, mark: str) -> list[str]:
        places = [Path(place) for place in DROP_PLACES] + self._folders + self._own
        found = []
        for path in {path for place in places for path in _walk(place, _DEPTH)}:
            if mark in path.name and not _is_handed_in(path):
                found.append(str(path))
                with suppress(OSError):
                    path.unlink() if not path.is_dir() else path.rmdir()
        return sorted(found)

    def _listen(self, *listeners: socket.socket) -> None:
        open_ = list(listeners)
        while not self._closing.is_set():
            for ready in select.select(open_, [], [], 0.2)[0]:
                with suppress(OSError):
                    if ready in listeners and ready.type == socket.SOCK_STREAM:
                        open_.append(ready.accept()[0])
                    elif data := ready.recv(4096):
                        self._received.append(data)
                    else:
                        open_.remove(ready)
        for one in open_:
            one.close()

    def _sample(self) -> None:
        """Follow the memory of the grader's own processes: those in our own pid namespace."""
        while not self._closing.wait(0.05):
            if self.watched_pid:
                self.peak_bytes = max([self.peak_bytes, *map(_resident, _family(self.watched_pid))])


def cheats_in(texts: Iterable[str], canaries: dict[str, str]) -> list[str]:
    """Which secret words stand in what comes out, plainly or turned a little."""
    import base64

    found = []
    whole = "\n".join(texts)
    for name, word in canaries.items():
        turned = (word, word[::-1], word.encode().hex(), base64.b64encode(word.encode()).decode().rstrip("=")[:-1])
        if any(form and form in whole for form in turned):
            found.append(f"{name} came out")
    return found


def marked_processes(mark: str) -> list[int]:
    """Live processes whose command line or environment carries a mark."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        with suppress(OSError):
            text = Path(f"/proc/{entry}/cmdline").read_bytes() + Path(f"/proc/{entry}/environ").read_bytes()
            if mark.encode() in text and _state(entry) != "Z":
                found.append(int(entry))
    return found


def _state(pid: str) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _family(pid: int) -> list[int]:
    """A process and its descendants, as far as they live in our own pid namespace: what is deeper is sandboxed."""
    parents: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with suppress(OSError, IndexError, ValueError):
                parent = int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1])
                parents.setdefault(parent, []).append(int(entry))
    found, queue = [], [pid]
    while queue:
        one = queue.pop()
        with suppress(OSError):
            if os.readlink(f"/proc/{one}/ns/pid") == os.readlink("/proc/self/ns/pid"):
                found.append(one)
                queue += parents.get(one, [])
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


def _states(folders: Iterable[Path]) -> Iterable[tuple[Path, tuple[int, int, int]]]:
    for folder in folders:
        for path in _walk(folder, 12):
            with suppress(OSError):
                found = path.lstat()
                if "__pycache__" not in path.parts and not stat.S_ISDIR(found.st_mode):
                    yield path, (found.st_mode, found.st_size, found.st_mtime_ns)


def _walk(folder: Path, depth: int) -> Iterable[Path]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        yield Path(entry.path)
        if depth > 1 and entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), depth - 1)


def _is_handed_in(path: Path) -> bool:
    """Whether a marked name is the submission's own, where `collect` or the engine put it."""
    return "submitted" in path.parts
