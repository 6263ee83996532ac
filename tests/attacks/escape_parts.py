"""What attacks that escape have in common."""

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


def escape_attack(name: str, tries: str, first: str, **more: object) -> Attack:
    options = {"answers": RIGHT, "earns": 100} | more
    return Attack(name=f"escape-{name}", category="escape", tries=tries, first=WON + first, **options)  # type: ignore[arg-type]
