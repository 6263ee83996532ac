"""A protective wrapper for graders that protect nothing: no network, a throw-away folder, few processes, little memory.

It protects this machine from an attack, not the grader in it.
"""

import os
import shutil
from pathlib import Path

from seqlib.errors import GradingError

__all__ = ["USER", "wrapped"]

USER = 61234  # nobody's: limits on processes count by user, and do not bind root


def wrapped(command: list[str], place: Path, environment: dict[str, str], *, seconds: float) -> list[str]:
    """The command inside bubblewrap, as a user without rights, who may write only below `place`.

    Args:
        command: Its first word is the interpreter of the peer's environment.
        place: The throw-away folder; it must belong to `USER` where root runs this.
        environment: All that the command gets to know of ours.
        seconds: When everything in the wrapper ends.
    """
    if shutil.which("bwrap") is None:
        raise GradingError("bwrap is not installed.", "install it with: apt-get install bubblewrap.")
    limits = ["prlimit", "--nproc=400", f"--as={8 << 30}", f"--fsize={256 << 20}", "--core=0", f"--cpu={int(seconds)}"]
    box = ["bwrap", "--unshare-net", "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--new-session"]
    box += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for private in ("/tmp", "/var/tmp", "/run", "/dev/shm"):
        box += ["--perms", "1777", "--size", str(256 << 20), "--tmpfs", private]
    drop = []
    if os.getuid() == 0:
        drop = [
            "setpriv",
            f"--reuid={USER}",
            f"--regid={USER}",
            "--clear-groups",
            "--bounding-set=-all",
            "--no-new-privs",
        ]
        box += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
        box += _reachable(Path(command[0]).resolve().parents[1])
    else:
        box += ["--unshare-user"]
    environment_folder = Path(command[0]).parents[1].absolute().resolve()
    for folder in (environment_folder, Path(__file__).parents[2], place):
        for parent in list(reversed(folder.parents))[2:]:  # bubblewrap makes those that are missing for root alone
            box += ["--perms", "0755", "--dir", str(parent)]
        box += ["--ro-bind" if folder != place else "--bind", str(folder), str(folder)]
    box += ["--chdir", str(place), "--clearenv"]
    for name, value in environment.items():
        box += ["--setenv", name, value]
    return ["timeout", "--kill-after=5", str(int(seconds)), *box, "--", *drop, *limits, *command]


def _reachable(interpreter: Path) -> list[str]:
    """An interpreter under a private home, made reachable for a user without rights, and nothing else of that home."""
    private = [folder for folder in reversed(interpreter.parents) if not folder.stat().st_mode & 0o001]
    if not private:
        return []
    made = ["--perms", "0755", "--tmpfs", str(private[0])]
    for folder in reversed(interpreter.parents):
        if private[0] in folder.parents:
            made += ["--perms", "0755", "--dir", str(folder)]
    return [*made, "--ro-bind", str(interpreter), str(interpreter)]
