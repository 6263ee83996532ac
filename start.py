"""Set the course up and open it: python start.py

Works with any Python 3.11 to 3.13 on Linux, macOS and Windows. It makes a virtual environment in `.venv`, installs the
pinned versions once, and then runs `seqlib lab`. Words after it go to the seqlib command instead:

    python start.py                      set up, open the course
    python start.py --setup              set up, and stop there
    python start.py --extras grading,dev --setup
    python start.py start a1_recurrent   set up, then: seqlib start a1_recurrent
"""

# This file must be readable by an old Python, to tell its user so in one line: no new syntax here.
import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
OLDEST, NEWEST = (3, 11), (3, 13)
SPACE_GIB = 3


def stop(what, hint):
    """Say what is wrong and what to do, and end."""
    sys.stderr.write("{}\nHint: {}\n".format(what, hint))  # noqa: UP032 -- an old Python must read this file
    sys.exit(2)


def check_python():
    """Stop where torch has no build for this Python."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        stop(
            "This is Python {}.{}; the course needs 3.11 to 3.13.".format(*sys.version_info[:2]),
            "install one of those and run it by name, for example: python3.11 start.py",
        )


def venv_bin(name):
    """Return the path of a program inside the virtual environment."""
    if os.name == "nt":
        return os.path.join(VENV, "Scripts", name + ".exe")
    return os.path.join(VENV, "bin", name)


def wanted(extras):
    """Return the digest of what has to be installed."""
    digest = hashlib.sha256(repr((sys.version_info[:2], sorted(extras))).encode())
    for name in ("pyproject.toml", "constraints.txt"):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def installed():
    """Return the digest and the extras of what was installed last; empty when nothing was."""
    try:
        with open(os.path.join(VENV, "installed"), encoding="utf-8") as file:
            digest, _, extras = file.read().partition(" ")
        return digest, set(filter(None, extras.split(",")))
    except OSError:
        return "", set()


def set_up(extras):
    """Make the virtual environment and install into it what is not there yet."""
    digest, before = installed()
    extras = set(extras) | before
    if digest == wanted(extras):
        return
    free_gib = shutil.disk_usage(ROOT).free / 2**30
    if not before and not digest and free_gib < SPACE_GIB:
        stop(
            f"{free_gib:.1f} GiB are free on this disk; setting up takes about {SPACE_GIB} GiB.",
            "free some space, or put the course on another disk.",
        )
    if not os.path.exists(venv_bin("python")):
        print("Making a virtual environment in .venv ...", flush=True)
        run([sys.executable, "-m", "venv", VENV], "remove the folder .venv and try again.")
    print("Installing pinned packages (some minutes the first time) ...", flush=True)
    target = ROOT + ("[{}]".format(",".join(sorted(extras))) if extras else "")
    command = [venv_bin("python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(
        [*command, "--constraint", os.path.join(ROOT, "constraints.txt"), "--editable", target],
        "look at the messages above; running the same command again goes on where it stopped.",
    )
    with open(os.path.join(VENV, "installed"), "w", encoding="utf-8") as file:
        file.write("{} {}".format(wanted(extras), ",".join(sorted(extras))))


def run(command, hint):
    """Run a command and stop with a hint when it fails."""
    status = subprocess.call(command)
    if status:
        stop("{} ended with status {}.".format(" ".join(command[:4]), status), hint)


def main(words):
    """Read the few options, set up, and hand over to seqlib."""
    check_python()
    if words and words[0] in ("-h", "--help"):
        print(__doc__)
        return 0
    extras = []
    if words and words[0] == "--extras":
        if len(words) < 2:
            stop("--extras needs a value.", "for example: python start.py --extras grading --setup")
        extras, words = words[1].split(","), words[2:]
    set_up(extras)
    if words == ["--setup"]:
        return 0
    try:
        return subprocess.call([venv_bin("python"), "-m", "seqlib.cli", *(words or ["lab"])])
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
