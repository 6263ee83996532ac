"""Grading resumes, regrades on request, writes nothing in a dry run, and says in one line what it can't do."""

import json
import multiprocessing
import os
import shutil
import signal
import stat
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from seqlib.checks.sources import Grader
from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError, ReleaseError
from seqlib.grading.grade import ClassRun
from seqlib.grading.gradebook import gradebook_url, read_arrivals
from seqlib.grading.graded import Graded, TimeLimits
from seqlib.grading.kit import course_key
from seqlib.grading.release import release
from seqlib.grading.runners.base import AbstractRunner, Outcome
from seqlib.grading.runners.pool import PoolRunner
from seqlib.grading.session import grade_submission
from seqlib.grading.store import Store
from seqlib.grading.submitted import Cell, Submitted, find_submissions, read_submission


def submission(*cells: Cell) -> Submitted:
    """A readable submission."""
    return Submitted(student="ada", digest="d" * 64, data=b"{}", cells=cells)


def code(source: str, grade_id: str = "") -> Cell:
    """A code cell."""
    return Cell(kind="code", source=source, grade_id=grade_id)


@pytest.fixture
def copy(small_class, tmp_path):
    """The settings of a copy of the graded class, which a test may change."""
    shutil.copytree(small_class.course, tmp_path / "class")
    return replace(small_class.settings, course=tmp_path / "class")


def test_what_has_not_changed_is_skipped(copy, small_class):
    """A second run starts no kernel, appends nothing, and gives the same points."""
    with Store(copy.course / "store.db", course_key(copy.course)) as store:
        before = store.head()

    run = ClassRun(copy)
    rows = list(run)

    assert all(row.skipped for row in rows)
    assert {row.student: row.earned for row in rows} == {n: r.earned for n, r in small_class.rows.items()}
    assert run.head == before


def test_regrading_one_student_appends_the_same_verdicts(copy):
    """Two gradings of one submission agree in everything but their seconds."""
    [row] = ClassRun(replace(copy, students=("wrong_forgets",), regrade=True))

    assert (row.skipped, row.before, row.earned) == (False, 50, 50)
    with Store(copy.course / "store.db", course_key(copy.course)) as store:
        assert store.verify() == 3 * 6


def test_a_changed_check_runs_alone(copy, tmp_path):
    """The other verdicts are those from before, to the seconds; on request all run."""
    shutil.copytree(copy.root, tmp_path / "root")
    checks = tmp_path / "root/solutions/toy/checks.py"
    before = {row.student: row.verdicts for row in ClassRun(copy)}
    text = checks.read_text("utf-8")
    assert text.count("limit_s=3)\ndef time_mean") == 1
    checks.write_text(text.replace("limit_s=3)\ndef time_mean", "limit_s=2)\ndef time_mean"), "utf-8")
    release("toy", tmp_path / "root")
    settings = replace(copy, root=tmp_path / "root", students=("right_with_scripts", "wrong_forgets"))

    after = {row.student: row for row in ClassRun(settings)}
    again = {row.student: row for row in ClassRun(replace(settings, regrade=True))}

    for student, row in after.items():
        assert not row.skipped
        same = [old == new for old, new in zip(before[student], row.verdicts, strict=True)]
        assert same == [True, True, False]
        assert [verdict.status for verdict in row.verdicts] == [verdict.status for verdict in before[student]]
        changed = [old.seconds != new.seconds for old, new in zip(row.verdicts, again[student].verdicts, strict=True)]
        assert any(changed[:2])


def test_changed_work_is_graded_again(copy):
    """A new notebook in the folder runs, and only that one."""
    shutil.copy(
        copy.course / "submitted/right_with_scripts/toy/toy.ipynb", copy.course / "submitted/empty/toy/toy.ipynb"
    )

    ran = [row for row in ClassRun(copy) if not row.skipped]

    assert [(row.student, row.before, row.earned) for row in ran] == [("empty", 0, 100)]


def test_a_dry_run_writes_nothing(copy):
    """Scores are shown and every file stays as it is."""
    before = {path: path.stat().st_mtime_ns for path in copy.course.rglob("*") if path.is_file()}

    [row] = ClassRun(replace(copy, dry_run=True, regrade=True, students=("not_json",)))

    assert row.earned == 0
    assert {path: path.stat().st_mtime_ns for path in copy.course.rglob("*") if path.is_file()} == before


class Failing(AbstractRunner):
    """One slot whose worker fails so often, and then does nothing wrong."""

    def __init__(self, times: int, outcome: Outcome) -> None:
        self.times, self.outcome, self.given = times, outcome, []

    def start(self) -> None:
        pass

    def idle(self):
        return [] if self.given else ["0"]

    def submit(self, slot, submitted) -> None:
        self.given.append(submitted)

    def wait(self, timeout_s):
        submitted = self.given.pop()
        self.times -= 1
        if self.times >= 0:
            return [self.outcome]
        verdicts = tuple(Verdict(check=n, points=p, earned=p, status="passed", message="") for n, p in POINTS.items())
        return [Outcome(slot="0", graded=Graded(submitted=submitted, verdicts=verdicts, cells=()))]

    def close(self) -> None:
        pass


POINTS = {"doubling": 30, "counting": 20, "remembering": 50}
BROKEN = Outcome(slot="0", fault="OSError: no space left on device")
LOST = Outcome(slot="0", lost=True)


@pytest.mark.parametrize(("times", "outcome"), [(2, BROKEN), (1, LOST)])
def test_our_own_fault_is_tried_again(copy, small_class, times, outcome):
    """A fault of the grader, or a lost worker, is no score: the same run grades it again."""
    POINTS.update(small_class.kit.points)
    for name in set(POINTS) - set(small_class.kit.points):
        del POINTS[name]

    [row] = ClassRun(replace(copy, students=("empty",), regrade=True, runner=lambda _: Failing(times, outcome)))

    assert (row.earned, row.infrastructure) == (100, False)


@pytest.mark.parametrize(("times", "outcome", "reason"), [(3, BROKEN, "no space left on device"), (2, LOST, "died")])
def test_work_that_always_fails_is_set_aside(copy, times, outcome, reason):
    """It gets a verdict that says so, and nothing happens to it until somebody asks."""
    [row] = ClassRun(replace(copy, students=("empty",), regrade=True, runner=lambda _: Failing(times, outcome)))
    [again] = ClassRun(replace(copy, students=("empty",), runner=lambda _: Failing(0, outcome)))

    assert row.infrastructure
    assert reason in row.fault
    assert again.skipped


@pytest.mark.parametrize(("times", "graded"), [(5, True), (10, False)])
def test_a_killed_worker_does_not_count_against_its_job(copy, times, graded):
    """Work whose workers somebody else kills is tried on, though not for ever."""
    outcome = Outcome(slot="0", lost=True, killed=True)
    copy = replace(copy, students=("empty",), regrade=True)

    [row] = ClassRun(replace(copy, runner=lambda _: Failing(times, outcome)))

    assert row.infrastructure != graded
    assert ("its worker was killed" in row.fault) != graded


def test_a_worker_that_is_killed_is_told_from_one_that_dies(copy):
    """A signal from outside is no crash: the pool says so, and grades on with another worker."""
    work = replace(copy, students=("right_with_scripts",), regrade=True)
    outcomes = []

    class Watched(PoolRunner):
        def submit(self, slot, submitted):
            super().submit(slot, submitted)
            if len(outcomes) < 2:
                number = (signal.SIGKILL, signal.SIGSEGV)[len(outcomes)]
                os.kill(self._slots[slot].process.pid, number)

        def wait(self, timeout_s):
            found = super().wait(timeout_s)
            outcomes.extend((outcome.lost, outcome.killed) for outcome in found)
            return found

    [row] = ClassRun(replace(work, runner=lambda settings: Watched(settings, 1)))

    assert outcomes == [(True, True), (True, False), (False, False)]
    assert row.earned == row.points


def test_workers_share_a_warm_parent_and_outlive_it(copy):
    """Two workers fork from one; when it is killed, each starts its own and the class is graded as before."""
    parents, killed = [], []

    class Watched(PoolRunner):
        def wait(self, timeout_s):
            found = super().wait(timeout_s)
            if found and not killed:
                parents.extend(path.parent.name for path in Path("/proc").glob("*/cmdline") if bubblewrap_of(path))
                os.kill(self._parent.pid, signal.SIGKILL)
                killed.append(self._parent.pid)
            return found

    def bubblewrap_of(path):
        with suppress(OSError):
            status = (path.parent / "status").read_text()
            ours = f"PPid:\t{os.getpid()}\n" in status or any(f"PPid:\t{w}\n" in status for w in workers())
            return ours and b"inside.warm_parent" in path.read_bytes()

    def workers():
        [template] = multiprocessing.active_children()
        return Path(f"/proc/{template.pid}/task/{template.pid}/children").read_text().split()

    before = {row.student: row.earned for row in ClassRun(copy)}
    rows = list(ClassRun(replace(copy, regrade=True, runner=lambda settings: Watched(settings, 2))))

    assert parents == [str(killed[0])]
    assert {row.student: row.earned for row in rows} == before


def test_secret_messages_hold_no_values(small_class):
    """No digit of a secret case is in any message, row or check cell."""
    for row in small_class.rows.values():
        for verdict in row.verdicts:
            assert verdict.rows == ()
            assert not any(character.isdigit() for character in verdict.message.replace("line 194", ""))


def test_the_first_of_two_check_cells_counts(small_class, boxes):
    """A check fires where its first cell stands: what a later cell defines comes too late."""
    cells = [
        code("def double(x):\n    return 2 * x"),
        code('check("doubling")'),
        code("double = None"),
        code('check("doubling")'),
    ]
    source = Grader(small_class.kit.suite, b"k" * 32)

    graded = grade_submission(small_class.kit, submission(*cells), source, boxes, TimeLimits())

    assert graded.verdicts[0].status == "passed"
    assert [cell.check for cell in graded.cells[:4]] == ["", "doubling", "", ""]
    assert "a copy" in graded.cells[3].outputs[0]["text"]


RIGHT = {
    "double": "def double(x):\n    return 2 * x",
    "running": "import torch\ndef running(x):\n    return torch.cumsum(x, dim=0)",
    "mean": "def mean(x):\n    return x.mean(dim=0)",
}


def statuses(small_class, boxes, *sources: str) -> dict[str, str]:
    """What each check says of these cells."""
    source = Grader(small_class.kit.suite, b"k" * 32)
    graded = grade_submission(small_class.kit, submission(*map(code, sources)), source, boxes, TimeLimits())
    return {verdict.check: verdict.status for verdict in graded.verdicts}


def test_a_check_sees_names_as_they_were_at_its_place(small_class, boxes):
    """A function that is defined again, or a helper that comes later, changes no check before it."""
    later = "def helper(x):\n    return x.mean(dim=0)"
    found = statuses(
        small_class,
        boxes,
        RIGHT["double"],
        'check("doubling")',
        "def double(x):\n    return 5 * x",
        RIGHT["running"],
        'check("running_sum")',
        "def mean(x):\n    return helper(x)",
        'check("time_mean")',
        later,
    )

    assert found == {"doubling": "passed", "running_sum": "passed", "time_mean": "error"}


def test_what_a_check_leaves_behind_harms_no_other(small_class, boxes):
    """A right answer that spoils the process for the next one costs nothing: that is asked in a fresh copy."""
    spoils = "def double(x):\n    globals()['running'] = None\n    return 2 * x"
    ends = "import os\ndef mean(x):\n    return os._exit(0) if running is None else x.mean(dim=0)"

    assert statuses(small_class, boxes, RIGHT["running"], ends, spoils) == dict.fromkeys(
        ("doubling", "running_sum", "time_mean"), "passed"
    )


def test_cells_that_compute_in_threads_can_be_copied(small_class, boxes):
    """A copy of a process that has computed in several threads answers, and does not wait for threads it lacks."""
    threads = "import torch\ntorch.set_num_threads(4)\nw = torch.ones(400, 400)\nw = w @ w"
    product = "def double(x):\n    (w @ w).sum().item()\n    return 2 * x"

    found = statuses(small_class, boxes, threads, product, 'check("doubling")', "1", RIGHT["running"], RIGHT["mean"])

    assert found == dict.fromkeys(("doubling", "running_sum", "time_mean"), "passed")


def test_a_notebook_over_its_time_has_verdicts(small_class, boxes):
    """When the whole notebook's time is up, what was checked before counts and the rest is over its limit."""
    cells = [
        code("def double(x):\n    return 2 * x"),
        code('check("doubling")'),
        code("while True:\n    pass"),
        code("1"),
    ]
    limits = TimeLimits(notebook_s=3)
    source = Grader(small_class.kit.suite, b"k" * 32)

    graded = grade_submission(small_class.kit, submission(*cells), source, boxes, limits)

    assert [verdict.status for verdict in graded.verdicts] == ["passed", "over_limit", "over_limit"]
    assert "not run" in graded.cells[3].outputs[0]["text"]


def test_a_process_that_keeps_ending_is_given_up(small_class, boxes):
    """After its restarts are used up, each remaining check has a verdict that says so."""
    cells = [code("import os\nos._exit(1)")] * 3
    source = Grader(small_class.kit.suite, b"k" * 32)

    graded = grade_submission(small_class.kit, submission(*cells), source, boxes, TimeLimits(restarts=1))

    assert {verdict.status for verdict in graded.verdicts} == {"error"}
    assert {verdict.message for verdict in graded.verdicts} == {
        "Your process ended before this check and was not started again."
    }


def test_the_autograded_notebook_is_the_releases_own_frame(small_class):
    """Points, ids and marks come from the release, whatever the submission says; nothing of it acts."""
    import nbformat

    path = small_class.course / "autograded/right_with_scripts/toy/toy.ipynb"
    notebook = json.loads(path.read_text("utf-8"))

    nbformat.validate(nbformat.from_dict(notebook))
    marks = {cell["id"]: cell["metadata"]["nbgrader"] for cell in notebook["cells"] if cell["metadata"]}
    assert marks == {c["id"]: c["metadata"]["nbgrader"] for c in small_class.kit.notebook["cells"] if c["metadata"]}
    texts = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    assert not any("<script" in text or "onerror" in text or "javascript:" in text for text in texts)


def test_raw_cells_are_shown_as_text(small_class):
    """A page takes raw cells as its own HTML, so they become escaped text."""
    from seqlib.grading.autograded import autograded_notebook
    from seqlib.grading.graded import Executed

    raw = Executed(cell=Cell(kind="raw", source="<script>x</script>\n\n[a](b)"))
    graded = Graded(submitted=submission(), verdicts=(), cells=(raw,), seconds=0.0)

    cell = autograded_notebook(small_class.kit, graded)["cells"][0]

    assert cell["cell_type"] == "markdown"
    assert cell["source"] == "<pre>&lt;script&gt;x&lt;/script&gt;&#10;&#10;[a](b)</pre>"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "The notebook is not JSON: line 1 can't be read."),
        (b"\xff", "The notebook is not UTF-8: byte 0."),
        (b"{}", "The file is no notebook of format 4: it has no list of cells."),
        (b'{"cells": [5]}', "Cell 1 of the notebook is no cell."),
        (b'{"cells": [{"cell_type": "code", "source": 5}]}', "Cell 1 of the notebook has no text."),
        (b'{"cells": ' + b"[" * 100_000 + b"]}", "The notebook is not JSON: line ? can't be read."),
    ],
)
def test_an_unreadable_notebook_has_a_reason(tmp_path, data, reason):
    """The fault names what is wrong and where."""
    (tmp_path / "toy.ipynb").write_bytes(data)

    assert read_submission("ada", tmp_path, "toy").fault.startswith(reason[:30])


def test_links_and_pipes_are_not_read(tmp_path):
    """A submission can't make the grader read another file, or wait for ever."""
    (tmp_path / "secret").write_text('{"cells": []}')
    for name in ("link", "pipe"):
        (tmp_path / name).mkdir()
    (tmp_path / "link/toy.ipynb").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe/toy.ipynb")

    assert read_submission("a", tmp_path / "link", "toy").fault == "The notebook can't be read: it is a link."
    assert read_submission("b", tmp_path / "pipe", "toy").fault == "The notebook is no plain file."


def test_the_key_is_made_private_and_kept(tmp_path):
    """The first call makes a key that only its owner may read; later calls give the same."""
    key = course_key(tmp_path)

    assert course_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "course.key").stat().st_mode) == 0o600


def test_a_key_that_others_may_read_is_refused(tmp_path):
    """The error names the command that mends it."""
    (tmp_path / "k").write_text("x" * 40)
    (tmp_path / "k").chmod(0o644)

    with pytest.raises(GradingError, match="can be read by others") as caught:
        course_key(tmp_path, tmp_path / "k")
    assert caught.value.hint == f"take their rights away: chmod 600 {tmp_path / 'k'}"


def test_a_missing_key_file_is_one_line(tmp_path):
    """A key that was named is not made up."""
    with pytest.raises(GradingError, match="can't be used: No such file"):
        course_key(tmp_path, tmp_path / "k")


def test_bad_input_is_one_line(copy, tmp_path):
    """An unknown assignment, class folder or student is named with what to do, before anything runs."""
    with pytest.raises(ReleaseError, match="no assignment is called 'tyo'") as caught:
        ClassRun(replace(copy, assignment="tyo"))
    assert caught.value.hint == "did you mean: toy?"
    with pytest.raises(GradingError, match="there is no class folder"):
        ClassRun(replace(copy, course=tmp_path / "nowhere"))
    with pytest.raises(GradingError, match="eve did not hand in toy"):
        ClassRun(replace(copy, students=("eve",)))
    with pytest.raises(GradingError, match="nobody handed in toy"):
        find_submissions(tmp_path, "toy")


def test_the_command_needs_a_sandbox_or_trust(copy, monkeypatch, capsys):
    """Without bubblewrap and --trusted nothing runs; the reason and the hint are on stderr."""
    from seqlib.cli import main

    monkeypatch.setenv("PATH", str(copy.course))
    arguments = ["grade", "toy", "--course", str(copy.course), "--root", str(copy.root)]
    monkeypatch.setattr(sys, "argv", ["seqlib", *arguments])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert "add --trusted" in " ".join(capsys.readouterr().err.split())


def test_the_command_prints_a_table(copy, monkeypatch):
    """`seqlib grade` ends with each student's score and the head of the store."""
    from typer.testing import CliRunner

    from seqlib.cli import app

    arguments = ["grade", "toy", "--course", str(copy.course), "--root", str(copy.root)]
    arguments += ["--cell-seconds", "5"]  # other limits would be another job
    result = CliRunner(env={"COLUMNS": "160"}).invoke(app(), arguments)

    assert result.exit_code == 0, result.output
    assert "running_sum: forgets" in result.output
    assert "5 submissions, 0 graded, 5 unchanged." in result.output
    assert "Head of the store" in result.output


def test_lateness_is_of_the_work_that_was_graded(copy):
    """A newer submission that is not graded yet changes neither the arrival nor the penalty of the one that is."""
    table = "late = { per_day = 10 }\n[assignments.toy]\ndue = 2026-11-20T09:00:00Z\n"
    (copy.course / "course.toml").write_text(table, "utf-8")
    list(ClassRun(copy))
    url = gradebook_url(copy.course)
    before = read_arrivals("toy", url)
    folder = copy.course / "submitted/wrong_forgets/toy"
    (folder / "timestamp.txt").write_text("2026-11-25 10:00:00.000000 UTC")
    shutil.copy(copy.course / "submitted/empty/toy/toy.ipynb", folder)

    rows = iter(ClassRun(copy))
    next(rows)
    rows.close()

    assert read_arrivals("toy", url) == before
    assert before["wrong_forgets"].isoformat() == "2026-11-20T10:00:00+00:00"
