"""What a run holds comes back whatever ends it, and every end says in one line why and what to do."""

import errno
import importlib.util
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError, StoreError
from seqlib.files import write_whole
from seqlib.grading import autograded, database
from seqlib.grading.grade import ClassRun
from seqlib.grading.gradebook import gradebook_url, read_marks
from seqlib.grading.graded import Graded
from seqlib.grading.kit import course_key, load_kit
from seqlib.grading.owners import own_name
from seqlib.grading.runners.base import AbstractRunner, Outcome
from seqlib.grading.settings import Settings
from seqlib.grading.states import State
from seqlib.grading.store import Store

STUDENTS = ("ada", "bob", "cyd", "dan")


class Paper(AbstractRunner):
    """Two slots that give full points, until something happens at the n-th outcome."""

    def __init__(self, kit: Any, at: int = 0, happens: Any = None) -> None:
        self.points, self.at, self.happens, self.given = kit.points, at, happens, {}

    def start(self) -> None:
        pass

    def idle(self):
        return [slot for slot in "01" if slot not in self.given]

    def submit(self, slot, submitted) -> None:
        self.given[slot] = submitted

    def wait(self, timeout_s):
        self.at -= 1
        if self.at == 0:
            self.happens()
        if not self.given:
            return []
        slot, submitted = self.given.popitem()
        made = tuple(Verdict(check=n, points=p, earned=p, status="passed", message="") for n, p in self.points.items())
        return [Outcome(slot=slot, graded=Graded(submitted=submitted, verdicts=made, cells=()))]

    def close(self) -> None:
        pass


@pytest.fixture
def kit(released: Path) -> Any:
    """The released assignment `toy`."""
    return load_kit("toy", released)


@pytest.fixture(scope="module")
def empty_book(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An empty gradebook, which takes nbgrader seconds to make."""
    folder = tmp_path_factory.mktemp("book")
    read_marks("toy", gradebook_url(folder))
    return (folder / "gradebook.db").read_bytes()


@pytest.fixture
def settings(released: Path, tmp_path: Path, kit: Any, empty_book: bytes) -> Settings:
    """A class of four that handed in what they were given, graded by a runner of paper."""
    for student in STUDENTS:
        folder = tmp_path / "class" / "submitted" / student / "toy"
        folder.mkdir(parents=True)
        shutil.copy(released / "assignments" / "toy" / "toy.ipynb", folder)
    course = tmp_path / "class"
    (course / "gradebook.db").write_bytes(empty_book)
    return Settings(assignment="toy", root=released, course=course, isolation="none", runner=lambda _: Paper(kit))


def happening(settings: Settings, kit: Any, at: int, happens: Any) -> ClassRun:
    """A run in which something happens at the n-th outcome."""
    return ClassRun(replace(settings, runner=lambda _: Paper(kit, at, happens)))


def opened(settings: Settings) -> Store:
    """The class's store."""
    return Store(settings.store or settings.course / "store.db", course_key(settings.course))


def raising(error: BaseException) -> Any:
    """What raises."""

    def happens() -> None:
        raise error

    return happens


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GradingError("a worker can't start.", "x"), SystemExit(1)])
def test_whatever_ends_a_run_gives_back_what_it_holds(settings, kit, error):
    """Nobody waits for a lease: all that was not graded is queued, without a loss, and the next run grades it."""
    with pytest.raises(type(error)):
        list(happening(settings, kit, 2, raising(error)))

    with opened(settings) as store:
        counts = {state: count for state, count in store.progress("toy").items() if count}
        assert counts == {State.QUEUED: 3, State.DONE: 1}
        assert {standing.progress.lost for standing in store.jobs()} == {0}
    rows = list(ClassRun(settings))
    assert sorted((row.student, row.earned) for row in rows) == [(student, 100) for student in STUDENTS]
    assert sum(row.skipped for row in rows) == 1
    with opened(settings) as store:
        assert store.verify() == 4 * len(kit.points)


def test_closing_the_rows_gives_back_what_is_held(settings, kit):
    """A loop over the rows that is left early leaves nothing claimed."""
    rows = iter(ClassRun(settings))
    next(rows)
    rows.close()

    with opened(settings) as store:
        assert store.owners() == {}


def test_a_run_that_was_killed_is_taken_over_at_once(settings):
    """Its process is known to be gone, so its lease is not waited for."""
    code = "from seqlib.grading.owners import own_name; print(own_name(), end='')"
    gone = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    list(ClassRun(settings))
    with opened(settings) as store:
        for standing in store.jobs():
            store.regrade(standing.job)
        assert len(store.claim(gone, 9)) == 4

    rows = list(ClassRun(settings))

    assert [row.skipped for row in rows] == [False] * 4
    with opened(settings) as store:
        assert {s.progress.attempts for s in store.jobs()} == {2}


def test_what_another_living_run_holds_is_said_and_waited_for(settings, kit):
    """The run tells who grades the rest, and shows what came out there."""
    list(ClassRun(settings))
    with opened(settings) as store:
        for standing in store.jobs():
            store.regrade(standing.job)
        claims = store.claim(own_name(), 9)
    told = []

    def tell(text: str) -> None:
        told.append(text)
        with opened(settings) as store:
            while claims:
                claim = claims.pop()
                made = [
                    Verdict(check=n, points=p, earned=0, status="failed", message="") for n, p in kit.points.items()
                ]
                store.finish(claim, made)

    run = ClassRun(settings)
    run.tell = tell
    rows = list(run)

    assert len(told) == 1
    assert told[0].startswith("4 are graded by another run (process ")
    assert [(row.earned, row.before) for row in rows] == [(0, 100)] * 4


def test_what_is_set_aside_runs_only_when_asked(settings, kit):
    """Neither another run nor a missing notebook grades it again; --regrade and a retry do."""
    lost = Outcome(slot="0", lost=True)

    class Losing(Paper):
        def wait(self, timeout_s):
            return [replace(lost, slot=self.given.popitem()[0])]

    one = replace(settings, students=("ada",))
    [row] = ClassRun(replace(one, runner=lambda _: Losing(kit)))
    assert row.infrastructure
    (settings.course / "autograded/ada/toy/toy.ipynb").unlink()

    [again] = ClassRun(one)

    assert again.infrastructure
    assert "its worker died" in again.fault
    assert (settings.course / "autograded/ada/toy/toy.ipynb").is_file()
    [regraded] = ClassRun(replace(one, regrade=True))
    assert regraded.earned == 100


def test_work_that_is_handed_in_during_a_run_takes_its_place(settings, kit):
    """The older work is withdrawn, the newer one graded in the same run, and no job waits for ever."""

    def hand_in() -> None:
        for student in STUDENTS:
            path = settings.course / "submitted" / student / "toy" / "toy.ipynb"
            path.write_bytes(path.read_bytes() + b"\n")

    rows = list(happening(settings, kit, 1, hand_in))

    assert sorted(row.student for row in rows) == sorted(STUDENTS)
    with opened(settings) as store:
        counts = {state: count for state, count in store.progress("toy").items() if count}
        assert counts == {State.DONE: 4, State.WITHDRAWN: 2}
    assert sum(row.skipped for row in ClassRun(settings)) == 2  # two were graded as they were before


def test_a_full_disk_ends_the_run_in_one_line(settings, kit, monkeypatch):
    """The graded notebook can't be written: nothing of it is recorded, what was graded stays, and the rest goes on."""

    def fill() -> None:
        def full(place: Path, data: Any, **more: Any) -> None:
            if place.suffix == ".ipynb":
                shown = OSError(errno.ENOSPC, "No space left on device")
                raise GradingError(f"{place} can't be written: {shown.strerror}.", "free some space.") from shown
            write_whole(place, data, **more)

        monkeypatch.setattr(autograded, "write_whole", full)

    with pytest.raises(GradingError, match=r"can't be written: No space left on device\."):
        list(happening(settings, kit, 2, fill))

    monkeypatch.setattr(autograded, "write_whole", write_whole)
    with opened(settings) as store:
        assert store.progress("toy")[State.QUEUED] == 3
    assert sum(not row.skipped for row in ClassRun(settings)) == 3


def test_another_key_is_one_line(settings, tmp_path):
    """A store that was sealed with another key is refused before anything runs."""
    list(ClassRun(settings))
    (tmp_path / "key").write_text("x" * 64)
    (tmp_path / "key").chmod(0o600)

    with pytest.raises(GradingError, match=r"record 1 of .* was changed") as refused:
        list(ClassRun(replace(settings, key=tmp_path / "key")))

    assert "see that the key is the course's own" in refused.value.hint


@pytest.mark.system
def test_a_database_that_is_lost_ends_the_run_and_nothing_is_lost(settings, kit, server, monkeypatch):
    """The server ends in the middle of a run: one line says so at once, and the next run goes on where it stopped."""
    server.execute("DROP TABLE IF EXISTS verdicts", "DROP TABLE IF EXISTS jobs")
    monkeypatch.setattr(database, "_PAUSES_S", (0.1, 0.2))
    settings = replace(settings, store=server.url)
    with pytest.raises(StoreError, match=r"the store .* fails: ") as refused:
        list(happening(settings, kit, 2, server.stop))
    server.start()

    assert refused.value.hint.startswith("see that the database runs, then give the command again")
    with opened(settings) as store:
        held = store.owners()
        store.release(next(iter(held)), "this process lives on, so the test says that the run ended")
    rows = list(ClassRun(settings))
    assert sum(row.skipped for row in rows) == 1
    with opened(settings) as store:
        assert store.verify() == 4 * len(kit.points)
        assert {standing.progress.run for standing in store.jobs()} == {1}


@pytest.fixture
def server(request):
    """A PostgreSQL of its own."""
    path = Path(__file__).with_name("test_store_claims.py")
    spec = importlib.util.spec_from_file_location("store_claims", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip(f"PostgreSQL is not installed; install it with: {module.SERVER}")
    made = module.Server(found[-1].parent)
    yield made
    made.close()
