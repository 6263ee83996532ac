# ruff: noqa: E501 - what is handed in is text, and its longest lines stay as they would be written
"""Sabotaging: the check that runs, the process that grades, the work of others, and what is run later."""

from tests.attacks.attack import RIGHT, Attack


def _sabotage(name: str, tries: str, first: str = "", *, scale: str = "", **more: object) -> Attack:
    answers = RIGHT | ({"scale": scale} if scale else {})
    earns = {"earns": 80 if scale else 100}
    return Attack(
        name=f"sabotage-{name}", category="sabotage", tries=tries, first=first, answers=answers, **(earns | more)
    )  # type: ignore[arg-type]


SABOTAGE = [
    _sabotage("exit-in-a-check", "Ends its process, as if all were well, when it is asked.", scale="import os\ndef scale(x):\n    os._exit(0)"),
    _sabotage("exit-in-a-cell", "Ends its process in a cell.", "import os\nos._exit(0)"),
    _sabotage("raise-exits", "Raises what ends programs when it is asked.", scale="def scale(x):\n    raise SystemExit(0)"),
    _sabotage("interrupt", "Interrupts the thread that answers.", scale="def scale(x):\n    raise KeyboardInterrupt"),
    _sabotage("crash", "Reads where there is no memory.", scale="import ctypes\ndef scale(x):\n    ctypes.string_at(0)"),
    _sabotage("kill-the-parent", "Ends, stops and interrupts the process that started it.",
              """\
import os, signal
above = os.getppid()
if above > 2:
    for number in (signal.SIGINT, signal.SIGSTOP, signal.SIGKILL): os.kill(above, number)"""),
    _sabotage("kill-the-parent-in-a-check", "The same when it is asked, when its parent may be another.",
              scale="""\
import os, signal
def scale(x):
    above = os.getppid()
    if above > 2:
        for number in (signal.SIGINT, signal.SIGKILL): os.kill(above, number)
    return torch.zeros_like(x)""",
              earns=None),
    _sabotage("kill-everybody", "Ends every process that it may.",
              """\
import os, signal
for number in (signal.SIGTERM, signal.SIGKILL):
    try: os.kill(-1, number)
    except OSError: pass""", dangerous=True),
    _sabotage("kill-siblings", "Looks for processes that grade others and ends them.",
              """\
import os, signal
for pid in map(int, filter(str.isdigit, os.listdir('/proc'))):
    if pid not in (1, os.getpid()):
        try: os.kill(pid, signal.SIGKILL)
        except OSError: pass""", dangerous=True),
    _sabotage("stop-the-group", "Stops the group of processes that it belongs to.", "import os, signal\nos.killpg(0, signal.SIGSTOP)", slow=True),
    _sabotage("change-a-sibling", "Writes over the notebook of a student who is graded later.",
              """\
import glob
for path in {'@SIBLING@', *glob.glob('@COURSE@/submitted/*/target/target.ipynb')}:
    try: open(path, 'w').write('{}')
    except OSError: pass"""),
    _sabotage("change-arrivals", "Writes over the times at which work arrived.",
              """\
import glob
for path in glob.glob('@COURSE@/submitted/*/target/timestamp.txt'):
    try: open(path, 'w').write('2020-01-01 00:00:00.000000 UTC')
    except OSError: pass"""),
    _sabotage("remove-the-class", "Removes the folder of the class.", "import shutil\nshutil.rmtree('@COURSE@', ignore_errors=True)"),
    _sabotage("lock-the-stores", "Locks the gradebook and the store, and keeps them locked.",
              """\
import os, sqlite3, subprocess, sys
text = '''import sqlite3, sys, time
for path in sys.argv[2:]:
    try:
        book = sqlite3.connect(f'file:{path}?mode=rw', uri=True)
        book.execute('begin exclusive')
    except sqlite3.Error: pass
time.sleep(60)'''
subprocess.Popen([sys.executable, '-c', text, '@MARK@', '@COURSE@/gradebook.db', '@COURSE@/store.db'], start_new_session=True)"""),
    _sabotage("site-packages", "Leaves modules where every later process of Python finds them.",
              """\
import site, sys
for place in {*sys.path, *site.getsitepackages(), site.getusersitepackages()}:
    for name in ('@MARK@.pth', '@MARK@.py'):
        try: open(f'{place}/{name}', 'w').write('# @MARK@')
        except OSError: pass"""),
    _sabotage("change-the-library", "Changes the library that grades everybody.",
              """\
import seqlib, torch, IPython
for module in (seqlib, torch, IPython):
    try: open(module.__file__, 'a').write('\\n# @MARK@\\n')
    except OSError: pass""", dangerous=True, ours_only=True),
    _sabotage("shell-startup", "Leaves code where every later shell, kernel or plot runs it.",
              """\
import os, pathlib, pwd
for home in {os.path.expanduser('~'), pwd.getpwuid(os.getuid()).pw_dir, os.environ.get('IPYTHONDIR', '.')}:
    for place in ('.ipython/profile_default/startup', 'profile_default/startup', '.config/matplotlib', '.jupyter', '.local/share/jupyter', '.cache/torch', '.config/pip'):
        try:
            pathlib.Path(home, place).mkdir(parents=True, exist_ok=True)
            pathlib.Path(home, place, '@MARK@.py').write_text('# @MARK@')
        except OSError: pass"""),
    _sabotage("caches", "Leaves compiled code in the caches that torch and Python share.",
              """\
import os, pathlib, tempfile
for place in (tempfile.gettempdir(), '/tmp', '/var/tmp', '/root/.cache'):
    for name in ('torchinductor_root', 'torch_extensions', '__pycache__', 'matplotlib'):
        try:
            pathlib.Path(place, name).mkdir(exist_ok=True)
            pathlib.Path(place, name, '@MARK@.so').write_text('@MARK@')
        except OSError: pass"""),
    _sabotage("warm-parent", "Changes everything that a warm parent shares with the next student: torch, its threads, its modules.",
              """\
import builtins, gc, os, random, sys
torch.set_default_dtype(torch.float16)
torch.set_num_threads(64)
torch.use_deterministic_algorithms(True)
torch.manual_seed = lambda *a: None
torch.cumsum = torch.zeros_like = torch.stack = torch.exp = None
builtins.reversed = builtins.len = lambda *a: 0
sys.modules['torch'] = sys.modules['json'] = None
os.environ.clear()
os.umask(0o777)
gc.disable()""",
              earns=None),
    _sabotage("file-locks", "Locks every file of the library that it can open, and keeps them locked.",
              """\
import fcntl, glob, os, seqlib
kept = []
for path in [*glob.glob(os.path.dirname(seqlib.__file__) + '/**/*.py', recursive=True), '@KEY@', '@CHECKS@']:
    try:
        kept.append(open(path))
        fcntl.flock(kept[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError: pass""", ours_only=True),
]  # fmt: skip
