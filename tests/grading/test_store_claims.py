"""Claims: no job is lost, doubled or half-written, on SQLite and on a PostgreSQL of our own."""

import contextlib
import json
import os
import pwd
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError, StaleClaimError
from seqlib.grading import database
from seqlib.grading.jobs import Facts, Job
from seqlib.grading.owners import own_name
from seqlib.grading.states import State
from seqlib.grading.store import EMPTY_HEAD, Claim, Store

KEY = b"k" * 32
POINTS = {"step": 4, "loss": 6}
SERVER = "apt-get install postgresql, and pip install 'seqlib[postgres]'"


def job(student: str = "ada", submission: str = "5") -> Job:
    """Some work."""
    return Job(assignment="a1", student=student, submission=submission * 64, checks="c" * 64)


def verdicts(*, right: bool = True) -> list[Verdict]:
    """One verdict for each check."""
    status = "passed" if right else "failed"
    return [Verdict(check=c, points=p, earned=p * right, status=status, message="") for c, p in POINTS.items()]


END = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


class Server:
    """A PostgreSQL of its own: in a folder of its own, reached by a Unix socket only, run by an ordinary user."""

    def __init__(self, programs: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg"))
        self._programs = programs
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            name = next(entry for entry in pwd.getpwall() if entry.pw_name in ("postgres", "nobody"))
            os.chown(self.folder, name.pw_uid, name.pw_gid)
            self._user = {"user": name.pw_uid, "group": name.pw_gid, "extra_groups": []}
        self._run("initdb", "-A", "trust", "-U", "grader", "-E", "UTF8", "--locale=C", "-D", f"{self.folder}/data")
        self.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"postgresql://grader@/postgres?host={self.folder}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-c listen_addresses='' -k {self.folder}"
        self._run("pg_ctl", "start", "-w", "-D", f"{self.folder}/data", "-o", options, "-l", f"{self.folder}/log")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; `immediate` is as a crash is."""
        self._run("pg_ctl", "stop", "-w", "-m", mode, "-D", f"{self.folder}/data")

    def execute(self, *statements: str) -> None:
        """Change the database behind the store's back."""
        engine = create_engine(database.store_url(self.url), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    def close(self) -> None:
        """End it and leave nothing."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        folder = self.folder.parent
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=120, **self._user)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A PostgreSQL server; where it is not installed the test is skipped with the command that installs it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres")) or [
        Path(path) for path in [shutil.which("postgres")] if path
    ]
    try:
        import psycopg  # noqa: F401 -- only whether it is there
    except ImportError:
        found = []
    if not found:
        reason = f"PostgreSQL is not installed; install it with: {SERVER}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    made = Server(found[-1].parent)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.system)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty store may be."""
    if request.param == "sqlite":
        return str(tmp_path / "store.db")
    server = request.getfixturevalue("server")
    server.execute("DROP TABLE IF EXISTS verdicts", "DROP TABLE IF EXISTS jobs")
    return str(server.url)


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    """An empty store."""
    with Store(place, KEY) as made:
        yield made


def take(store: Store, owner: str = "w1", now: float = 0) -> Claim:
    """Claim one job."""
    [claim] = store.claim(owner, now=now)
    return claim


def test_the_same_work_is_graded_once(store):
    """Asked for twice, before and after grading, a job is one job with one record."""
    assert store.enqueue([job(), job()], POINTS) == 1
    assert store.enqueue([job()], POINTS) == 0
    store.finish(take(store), verdicts(), Facts(seconds=1.5, cpu_s=0.5))
    assert store.enqueue([job()], POINTS) == 0

    assert store.claim("w1") == []
    assert {state: count for state, count in store.progress("a1").items() if count} == {State.DONE: 1}
    record = store.latest("a1")["ada"]
    assert (record.earned, record.facts) == (10, Facts(seconds=1.5, cpu_s=0.5, device="cpu"))
    assert store.verify() == 2


def test_jobs_are_claimed_in_the_order_of_asking(store):
    """First come, first served; what failed before comes last; `only` chooses."""
    store.enqueue([job(name) for name in "abcd"], POINTS)
    first, second = store.claim("w1", 2)
    assert [first.job.student, second.job.student] == ["a", "b"]
    store.fault(first, "no sandbox")

    [chosen] = store.claim("w2", only=[job("d").digest])
    rest = store.claim("w2", 9)

    assert chosen.job == job("d")
    assert [claim.job.student for claim in rest] == ["c", "a"]
    assert store.claim("w3", only=[]) == []


def test_a_second_finish_is_refused_and_writes_nothing(store):
    """One claim gives one record."""
    store.enqueue([job()], POINTS)
    claim = take(store)
    head = store.finish(claim, verdicts())

    for late in (lambda: store.finish(claim, verdicts(right=False)), lambda: store.fault(claim, "late")):
        with pytest.raises(StaleClaimError, match="the claim of w1 on ada's a1 is not good any more"):
            late()

    assert (store.head(), store.verify()) == (head, 2)


def test_a_worker_that_was_given_up_writes_nothing(store):
    """When the lease is over another worker gets the job, and the first one's result comes too late."""
    store.enqueue([job()], POINTS)
    early = take(store, "w1", now=0)

    late = take(store, "w2", now=61)

    with pytest.raises(StaleClaimError):
        store.finish(early, verdicts(right=False))
    assert store.heartbeat([early, late], now=62) == [replace(late, progress=replace(late.progress, lease_end=122))]
    store.finish(late, verdicts())
    assert store.latest("a1")["ada"].earned == 10
    assert (late.progress.lost, late.progress.attempts) == (0, 2)


def test_a_result_after_the_lease_counts_as_long_as_nobody_took_the_job(store):
    """A late heart is no reason to throw a verdict away."""
    store.enqueue([job()], POINTS)
    claim = take(store, now=0)

    store.finish(claim, verdicts())

    assert store.expire(now=1000) == []
    assert store.latest("a1")["ada"].earned == 10


def test_a_heartbeat_keeps_a_job(store):
    """A prolonged lease is not over at its first end, and the claim stays good."""
    store.enqueue([job()], POINTS)
    claim = take(store, now=0)

    store.heartbeat([claim], now=50)

    assert store.claim("w2", now=100) == []
    store.finish(claim, verdicts())


def test_a_job_that_loses_its_worker_twice_is_set_aside(store):
    """The first time it waits again, the second time it has verdicts that say so, without points."""
    store.enqueue([job()], POINTS)
    once = store.fault(take(store, "w1"), "killed by signal 9", lost=True)
    twice = store.fault(take(store, "w2"), "", lost=True)

    assert (once.state, twice.state) == (State.QUEUED, State.SET_ASIDE)
    assert (once.reason, twice.reason) == ("killed by signal 9", "worker w2 vanished")
    record = store.latest("a1")["ada"]
    assert [(v.check, v.points, v.earned, v.status) for v in record.verdicts] == [
        ("step", 4, 0, "infrastructure"),
        ("loss", 6, 0, "infrastructure"),
    ]
    assert "ended our grading process twice" in record.verdicts[0].message
    assert store.claim("w3") == []
    assert store.verify() == 2


def test_an_owner_that_ends_gives_its_jobs_back_without_a_loss(store):
    """However often a run is broken off, up to ten times, the job waits for the next one at once."""
    store.enqueue([job(), job("bob")], POINTS)
    for k in range(9):
        held = store.claim(f"w{k}", 2, now=0)
        assert len(held) == 2
        assert {s.progress.state for s in store.release(f"w{k}", "interrupted", now=0)} == {State.QUEUED}
        assert store.release(f"w{k}", now=0) == []
    ada, bob = store.claim("w9", 2, now=0)

    store.finish(ada, verdicts())
    [last] = store.release("w9", now=0)

    assert (ada.progress.lost, ada.progress.attempts) == (0, 10)
    assert last.progress.state is State.SET_ASIDE
    assert "broken off ten times" in store.latest("a1")["bob"].verdicts[0].message
    with pytest.raises(StaleClaimError):
        store.finish(bob, verdicts())


def test_what_broke_off_before_comes_last(store):
    """Work that ends whole runs lets all other work go first."""
    store.enqueue([job("a"), job("b")], POINTS)
    take(store)
    store.release("w1")

    assert [take(store).job.student for _ in range(2)] == ["b", "a"]


def test_a_dead_owner_is_not_waited_for(store):
    """The lease of a process of this machine that has ended is over at once; others run on."""
    code = "from seqlib.grading.owners import own_name; print(own_name(), end='')"
    gone = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    elsewhere = "other-" + gone.partition("-")[2]
    store.enqueue([job(name) for name in "abcd"], POINTS)
    for owner in (gone, elsewhere, own_name(), gone):
        take(store, owner, now=0)

    taken = store.claim("next", 9, now=1)

    assert [claim.job.student for claim in taken] == ["a", "d"]
    assert {claim.progress.reason for claim in taken} == {"its run ended before it was done"}
    assert {claim.progress.lost for claim in taken} == {0}


def test_what_is_overtaken_is_withdrawn(store):
    """A job that waits beside newer work of its student never runs; asked for again it does."""
    store.enqueue([job(submission="1"), job("bob")], POINTS)
    store.enqueue([job(submission="2")], POINTS)
    assert store.state(job(submission="1")) is State.WITHDRAWN
    assert store.progress("a1")[State.QUEUED] == 2

    store.enqueue([job(submission="1")], POINTS)

    assert store.state(job(submission="2")) is State.WITHDRAWN
    assert {claim.job.submission for claim in store.claim("w1", 9)} == {"1" * 64, "5" * 64}


@pytest.mark.parametrize("how", ["release", "expire", "fault", "lost"])
def test_what_comes_back_too_late_is_withdrawn(store, how):
    """A claimed job that newer work has overtaken meanwhile does not wait again when it is given back."""
    store.enqueue([job(submission="1")], POINTS)
    claim = take(store)
    store.enqueue([job(submission="2")], POINTS)
    assert store.state(claim.job) is State.CLAIMED

    if how == "expire":
        store.expire(now=1000)
    elif how == "release":
        store.release("w1")
    else:
        store.fault(claim, "no sandbox", lost=how == "lost")

    assert store.state(claim.job) is State.WITHDRAWN
    assert [one.job.submission for one in store.claim("w2", 9)] == ["2" * 64]
    assert store.verify() == 0


def test_a_withdrawn_job_that_was_graded_elsewhere_is_done(store):
    """`append` records it all the same."""
    store.enqueue([job(submission="1")], POINTS)
    store.enqueue([job(submission="2")], POINTS)

    store.append(job(submission="1"), verdicts())

    assert store.state(job(submission="1")) is State.DONE
    assert store.verify() == 2


def test_faults_of_our_side_are_tried_three_times(store):
    """Two faults put it back, the third sets it aside, with verdicts that blame nobody."""
    store.enqueue([job()], POINTS)

    states = [store.fault(take(store, f"w{k}"), "no sandbox").state for k in range(3)]

    assert states == [State.QUEUED, State.QUEUED, State.SET_ASIDE]
    assert "not your fault" in store.latest("a1")["ada"].verdicts[0].message
    [standing] = store.jobs()
    assert (standing.progress.attempts, standing.progress.reason) == (3, "no sandbox")


def test_a_regrade_is_a_new_run(store):
    """The old verdicts stay, the new ones count, and what waits or is unknown can't be regraded."""
    store.enqueue([job()], POINTS)
    with pytest.raises(GradingError, match="a job that is queued can't take the event regrade"):
        store.regrade(job())
    with pytest.raises(GradingError, match="a job that is absent"):
        store.regrade(job("eve"))
    store.finish(take(store), verdicts(right=False))

    assert store.regrade(job()) == 2
    assert store.latest("a1")["ada"].earned == 0
    store.finish(take(store), verdicts())

    assert store.latest("a1")["ada"].earned == 10
    assert store.verify() == 4


def test_the_work_that_was_asked_for_last_counts(store):
    """Neither a slow older job nor going back to earlier work gives the wrong record, and nothing runs twice."""
    store.enqueue([job(submission="1")], POINTS)
    [old] = store.claim("w1", 2)
    store.enqueue([job(submission="2")], POINTS)
    [new] = store.claim("w1", 2)
    store.finish(new, verdicts())
    store.finish(old, verdicts(right=False))
    assert store.latest("a1")["ada"].work == job(submission="2")

    store.enqueue([job(submission="1")], POINTS)

    assert store.latest("a1")["ada"].work == job(submission="1")
    assert store.latest("a1")["ada"].earned == 0
    assert store.claim("w1") == []
    assert store.verify() == 6
    store.enqueue([job(submission="1")], POINTS)
    assert store.verify() == 6


@pytest.mark.parametrize("wrong", [[], verdicts()[:1], verdicts() * 2, verdicts()[::-1]])
def test_other_verdicts_than_one_for_each_check_are_refused(store, wrong):
    """Nothing is written, and the claim is still good."""
    store.enqueue([job()], POINTS)
    claim = take(store)

    with pytest.raises(GradingError, match="the verdicts on ada's a1 are"):
        store.finish(claim, wrong)

    assert store.head() == EMPTY_HEAD
    store.finish(claim, verdicts())


def test_what_was_graded_without_a_queue_ends_its_job(store):
    """`append` makes the job, takes the waiting one, makes a new run of a done one, and leaves a claimed one."""
    store.enqueue([job()], POINTS)
    store.append(job(), verdicts(right=False))
    store.append(job(), verdicts())
    store.append(job("bob"), verdicts())
    assert {name: record.earned for name, record in store.latest("a1").items()} == {"ada": 10, "bob": 10}
    assert store.state(job()) is State.DONE
    store.regrade(job())
    take(store)

    with pytest.raises(StaleClaimError):
        store.append(job(), verdicts())
    assert store.verify() == 6


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE jobs SET facts = '{}' WHERE student = 'ada'",
        "UPDATE jobs SET place = 99 WHERE student = 'ada'",
        "UPDATE jobs SET job = replace(job, 'cpu', 'cuda') WHERE student = 'ada'",
        "UPDATE jobs SET seal = '' WHERE student = 'ada'",
        "DELETE FROM jobs WHERE student = 'ada'",
        "UPDATE verdicts SET run = (SELECT max(run) FROM verdicts)",
    ],
)
def test_an_edited_job_is_noticed(tmp_path, statement):
    """What was graded, what it took, and which record counts: all under a seal."""
    with Store(tmp_path / "store.db", KEY) as store:
        for student in ("ada", "bob"):
            store.append(job(student), verdicts())
        store.verify()
        with sqlite3.connect(tmp_path / "store.db") as connection:
            connection.execute(statement)
        connection.close()

        with pytest.raises(GradingError, match=r"was changed|is gone"):
            store.verify()


OLD = """
CREATE TABLE verdicts (number INTEGER NOT NULL PRIMARY KEY, run VARCHAR(64) NOT NULL, assignment VARCHAR(128) NOT NULL,
 student VARCHAR(128) NOT NULL, submission VARCHAR(64) NOT NULL, checks VARCHAR(64) NOT NULL, verdict TEXT NOT NULL,
 made_at VARCHAR(40) NOT NULL, seal VARCHAR(64) NOT NULL)"""


def test_an_older_store_is_upgraded_in_place(tmp_path):
    """A store without jobs keeps its verdicts and its chain, and can be read before and written after."""
    path = tmp_path / "store.db"
    with Store(path, KEY) as store:
        head = store.append(job(), verdicts())
    fields = "number, assignment, student, submission, checks, verdict, made_at"
    with sqlite3.connect(path) as connection:
        rows = connection.execute(f"SELECT {fields} FROM verdicts").fetchall()
        connection.execute("DROP TABLE jobs")
        connection.execute("DROP TABLE verdicts")
        connection.execute(OLD)
    connection.close()
    head = write_old(path, rows)

    with Store(path, KEY, write=False) as store:
        assert (store.verify(), store.latest("a1")["ada"].earned, store.progress("a1")[State.DONE]) == (2, 10, 0)
    with Store(path, KEY) as store:
        assert (store.verify(head), store.latest("a1")["ada"].earned) == (2, 10)
        store.append(job(), verdicts(right=False))
        assert (store.verify(head), store.latest("a1")["ada"].earned) == (4, 0)


def write_old(path: Path, rows: list[Any]) -> str:
    """Write verdicts as the first version did, whose runs had names at random."""
    import hashlib
    import hmac

    key, seal = hmac.new(KEY, b"store", hashlib.sha256).digest(), EMPTY_HEAD
    with sqlite3.connect(path) as connection:
        for number, *rest in rows:
            row = [number, "0f" * 16, *rest]
            seal = hmac.new(key, json.dumps([seal, *row]).encode(), hashlib.sha256).hexdigest()
            connection.execute("INSERT INTO verdicts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [*row, seal])
    connection.close()
    return seal


def test_a_store_opened_to_read_is_not_written(tmp_path):
    """Whatever is asked of it, the file stays as it is."""
    with Store(tmp_path / "store.db", KEY) as store:
        store.enqueue([job()], POINTS)
    with Store(tmp_path / "store.db", KEY, write=False) as store:
        assert store.progress()[State.QUEUED] == 1
        with pytest.raises(GradingError, match="readonly"):
            store.claim("w1")


WORKER = """
import sys
from seqlib.checks.verdict import Verdict
from seqlib.grading.store import Store
with Store(sys.argv[1], b"k" * 32) as store:
    sys.stdin.readline()
    while claims := store.claim(sys.argv[2], 2):
        for claim in claims:
            store.finish(claim, [Verdict(check="step", points=4, earned=4, status="passed", message=sys.argv[2])])
            print(claim.job.student, flush=True)
"""


@pytest.mark.slow
def test_workers_at_once_share_the_jobs(place):
    """Three processes take jobs from one store: none twice, none left, one whole chain."""
    with Store(place, KEY) as store:
        store.enqueue([job(f"s{k}") for k in range(60)], {"step": 4})
        command = [sys.executable, "-c", WORKER, place]
        workers = [
            subprocess.Popen([*command, f"w{k}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for k in range(3)
        ]
        done = []
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        for worker in workers:
            done += worker.communicate(timeout=120)[0].split()
            assert worker.returncode == 0

        assert sorted(done) == sorted(f"s{k}" for k in range(60))
        assert store.verify() == 60
        assert store.progress("a1")[State.DONE] == 60


def test_threads_that_append_make_one_chain(place):
    """Writers that never heard of each other: every record is there and the seals are whole."""
    errors: list[Exception] = []

    def write(name: str) -> None:
        try:
            with Store(place, KEY) as store:
                for k in range(5):
                    store.append(job(f"{name}{k}"), verdicts())
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    with Store(place, KEY) as store:
        assert store.verify() == 40


def test_a_locked_file_is_waited_for_then_named(tmp_path, monkeypatch):
    """Another program that keeps the file: the store waits, then says so; afterwards it goes on."""
    monkeypatch.setattr(database, "_BUSY_S", 0.05)
    monkeypatch.setattr(database, "_PAUSES_S", (0.01, 0.01))
    path = tmp_path / "store.db"
    with Store(path, KEY) as store:
        rival = sqlite3.connect(path, isolation_level=None)
        rival.execute("BEGIN IMMEDIATE")

        with pytest.raises(GradingError, match="database is locked") as refused:
            store.enqueue([job()], POINTS)

        assert "give the command again" in refused.value.hint
        rival.close()
        assert store.enqueue([job()], POINTS) == 1


def test_a_full_disk_is_one_line_and_nothing_is_half_written(tmp_path):
    """A job whose verdicts do not fit stays claimed without any; with room again it is finished."""
    with Store(tmp_path / "store.db", KEY) as store:
        store.enqueue([job()], POINTS)
        claim = take(store)
        large = [replace(verdict, message="x" * 500_000) for verdict in verdicts()]
        engine = store._database._engine
        with engine.connect() as connection:
            pages = connection.execute(text("PRAGMA page_count")).scalar_one()
            connection.execute(text(f"PRAGMA max_page_count = {pages + 2}"))

        with pytest.raises(GradingError, match="full") as refused:
            store.finish(claim, large)

        assert "free some space" in refused.value.hint
        assert store.head() == EMPTY_HEAD
        with engine.connect() as connection:
            connection.execute(text("PRAGMA max_page_count = 100000"))
        store.finish(claim, large)
        assert store.verify() == 2


@pytest.mark.system
def test_a_lost_connection_is_made_again(server):
    """The server ends every connection between two calls: nobody notices."""
    server.execute("DROP TABLE IF EXISTS verdicts", "DROP TABLE IF EXISTS jobs")
    with Store(server.url, KEY) as store:
        store.enqueue([job()], POINTS)
        server.execute(END)
        claim = take(store)
        server.execute(END)
        store.finish(claim, verdicts())
        server.execute(END)

        assert store.verify() == 2


@pytest.mark.system
def test_a_connection_lost_while_it_commits_does_not_double(server, monkeypatch):
    """The commit arrived and its answer did not: the retry finds by its mark what was written."""
    server.execute("DROP TABLE IF EXISTS verdicts", "DROP TABLE IF EXISTS jobs")
    from sqlalchemy.exc import OperationalError

    lost: list[str] = []

    def at(name: str, moment: str) -> None:
        if moment == "after" and name not in lost:
            lost.append(name)
            server.execute(END)
            raise OperationalError("COMMIT", {}, Exception("server closed the connection"), connection_invalidated=True)

    with Store(server.url, KEY) as store:
        monkeypatch.setattr(database.states, "at", at)
        assert store.enqueue([job(), job("bob")], POINTS) in (0, 2)
        claim, other = store.claim("w1", 2)
        store.finish(claim, verdicts())
        assert store.fault(other, "no sandbox").state is State.QUEUED
        assert store.regrade(job()) == 2

        assert sorted(lost) == ["claim", "enqueue", "fault", "finish", "regrade"]
        assert store.verify() == 2
        assert {s.job.student: s.progress.attempts for s in store.jobs()} == {"ada": 0, "bob": 1}


@pytest.mark.system
@pytest.mark.slow
def test_a_server_that_is_gone_is_named_and_nothing_is_lost(server, monkeypatch):
    """While the server is down the call fails with what to do; once it is back the same claim is finished."""
    pauses = database._PAUSES_S
    server.execute("DROP TABLE IF EXISTS verdicts", "DROP TABLE IF EXISTS jobs")
    with Store(server.url, KEY) as store:
        store.enqueue([job()], POINTS)
        claim = take(store)
        monkeypatch.setattr(database, "_PAUSES_S", (0.1, 0.2))
        server.stop()
        try:
            with pytest.raises(GradingError, match=r"the store .* fails") as refused:
                store.finish(claim, verdicts())
        finally:
            server.start()

        assert refused.value.hint.startswith("see that the database runs, then give the command again")
        monkeypatch.setattr(database, "_PAUSES_S", pauses)
        store.finish(claim, verdicts())
        assert store.verify() == 2


@pytest.mark.system
@pytest.mark.slow
def test_a_server_that_comes_back_soon_is_waited_for(server):
    """A restart in the middle of a run costs a second and no job."""
    server.execute("DROP TABLE IF EXISTS verdicts", "DROP TABLE IF EXISTS jobs")
    with Store(server.url, KEY) as store:
        store.enqueue([job()], POINTS)
        server.stop()
        starting = threading.Timer(0.5, server.start)
        starting.start()

        claim = take(store)

        starting.join()
        store.finish(claim, verdicts())
        assert store.verify() == 2


def test_a_password_is_in_no_error(monkeypatch):
    """What can't be reached is named without the password."""
    pytest.importorskip("psycopg", reason=f"install it with: {SERVER}")
    monkeypatch.setattr(database, "_PAUSES_S", ())

    with pytest.raises(GradingError) as refused:
        Store("postgresql://grader:secret@/grades?host=/nowhere", KEY)

    assert "secret" not in str(refused.value)
    assert "grader:***@" in str(refused.value)


@pytest.mark.parametrize("place", ["://", "oracle9://x"])
def test_what_is_no_database_is_one_line(place):
    """A URL that nothing can open is an error of ours."""
    with pytest.raises(GradingError, match="is no database URL"):
        Store(place, KEY)
