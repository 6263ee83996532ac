"""Collecting: the clock is ours, a pack is a stranger's file, and nothing in it is taken on trust."""

import io
import json
import os
import stat
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from seqlib.course.pack import pack_bytes
from seqlib.errors import DeadlineError, GradingError
from seqlib.grading import collect as collecting
from seqlib.grading.collect import collect

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NOTEBOOK = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


@pytest.fixture
def exchange(tmp_path: Path) -> Path:
    """An exchange folder with one good pack."""
    folder = tmp_path / "exchange"
    folder.mkdir()
    (folder / "ada+a0_toy.zip").write_bytes(pack_bytes("ada", "a0_toy", "r1", NOTEBOOK))
    return folder


def crafted(*entries: tuple[str, bytes], mode: int = stat.S_IFREG | 0o644) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            item = zipfile.ZipInfo(name)
            item.external_attr, item.compress_type = mode << 16, zipfile.ZIP_DEFLATED
            archive.writestr(item, data)
    return buffer.getvalue()


def about(data: bytes) -> tuple[str, bytes]:
    return "manifest.json", data


def manifest(**entry: object) -> bytes:
    usual = {"format": 1, "student": "eve", "assignment": "a0_toy", "release": "", "files": {}}
    return json.dumps(usual | entry).encode()


ABOUT = about(manifest())


def test_a_pack_arrives_where_nbgrader_looks(exchange, tmp_path):
    """The notebook and the stamp of our clock lie in submitted/STUDENT/ASSIGNMENT; the receipt goes to both sides."""
    course = tmp_path / "class"

    taken = collect("a0_toy", exchange, course, now=lambda: NOON).taken

    folder = course / "submitted/ada/a0_toy"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "a0_toy.ipynb": NOTEBOOK,
        "timestamp.txt": b"2026-11-21 12:00:00.000000 UTC",
    }
    receipts = [next((side / "receipts").iterdir()).read_bytes() for side in (course, exchange)]
    assert receipts[0] == receipts[1]
    assert json.loads(receipts[0])["receipt"] == taken[0].receipt


def test_nbgrader_reads_the_stamp(exchange, tmp_path):
    """nbgrader's own reader takes the stamp as UTC."""
    from nbgrader.utils import parse_utc

    collect("a0_toy", exchange, tmp_path / "class", now=lambda: NOON)

    stamp = (tmp_path / "class/submitted/ada/a0_toy/timestamp.txt").read_text("utf-8")
    assert parse_utc(stamp) == NOON.replace(tzinfo=None)


def test_a_pack_seen_before_keeps_its_first_stamp(exchange, tmp_path):
    """Collecting again, later, changes nothing."""
    course = tmp_path / "class"
    collect("a0_toy", exchange, course, now=lambda: NOON)

    again = collect("a0_toy", exchange, course, now=lambda: NOON + timedelta(hours=1))

    assert (again.taken, again.unchanged) == ((), 1)
    assert "12:00" in (course / "submitted/ada/a0_toy/timestamp.txt").read_text("utf-8")


def test_a_new_pack_replaces_the_old_and_both_are_kept(exchange, tmp_path):
    """The last to arrive counts; every pack that ever arrived stays in received/."""
    course = tmp_path / "class"
    collect("a0_toy", exchange, course, now=lambda: NOON)
    changed = NOTEBOOK.replace(b'"nbformat_minor": 5', b'"nbformat_minor": 4')
    (exchange / "ada+a0_toy.zip").write_bytes(pack_bytes("ada", "a0_toy", "r1", changed))

    collect("a0_toy", exchange, course, now=lambda: NOON + timedelta(hours=1))

    assert (course / "submitted/ada/a0_toy/a0_toy.ipynb").read_bytes() == changed
    assert "13:00" in (course / "submitted/ada/a0_toy/timestamp.txt").read_text("utf-8")
    assert len(list((course / "received/ada").iterdir())) == 2
    assert len((course / "received/a0_toy.jsonl").read_text("utf-8").splitlines()) == 2


def test_other_assignments_are_left_alone(exchange, tmp_path):
    """A pack of another assignment is neither taken nor refused."""
    (exchange / "bob+a9.zip").write_bytes(pack_bytes("bob", "a9", "", NOTEBOOK))

    done = collect("a0_toy", exchange, tmp_path / "class", now=lambda: NOON)

    assert [receipt.student for receipt in done.taken] == ["ada"]
    assert done.refused == ()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"not a zip", "is no readable pack"),
        (crafted(("manifest.json", manifest())), "holds 1 entries"),
        (crafted(ABOUT, ("../../evil.ipynb", b"x")), "which is no plain file"),
        (crafted(ABOUT, ("/etc/cron.d/evil", b"x")), "which is no plain file"),
        (crafted(ABOUT, ("C:evil.ipynb", b"x")), "which is no plain file"),
        (crafted(ABOUT, ("a\\b.ipynb", b"x")), "which is no plain file"),
        (
            crafted(ABOUT, ("a0_toy.ipynb", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777),
            "no plain file",
        ),
        (
            crafted(ABOUT, ("a0_toy.ipynb", b"\0" * (30 << 20))),
            "unpacks to more than 20480 KiB",
        ),
        (crafted(about(b"\0" * (1 << 20)), ("a0_toy.ipynb", b"")), "unpacks to more than 64 KiB"),
        (crafted(about(b"[" * 60_000), ("a0_toy.ipynb", b"")), "a manifest that can't be read"),
        (crafted(about(manifest(format=2)), ("a0_toy.ipynb", b"")), "a manifest that can't be read"),
        (crafted(about(manifest(student="../eve")), ("a0_toy.ipynb", b"")), "can't be a student's name"),
        (
            crafted(about(manifest(assignment="../x")), ("a0_toy.ipynb", b"")),
            "a manifest that can't be read",
        ),
        (crafted(ABOUT, ("a0_toy.ipynb", b"{}")), "does not hold what its manifest says"),
        (pack_bytes("eve", "a0_toy", "", b"no notebook"), "is not JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hostile_pack_is_refused_and_the_others_are_taken(exchange, tmp_path, data, what):
    """Each attack is named, writes nothing anywhere, and keeps nobody else from being collected."""
    (exchange / "a.zip").write_bytes(data)

    done = collect("a0_toy", exchange, tmp_path / "class", now=lambda: NOON)

    assert [name for name, _ in done.refused] == ["a.zip"]
    assert what in done.refused[0][1]
    assert [receipt.student for receipt in done.taken] == ["ada"]
    assert sorted(path.name for path in (tmp_path / "class/submitted").iterdir()) == ["ada"]
    assert not list(tmp_path.rglob("*evil*"))


def test_a_link_in_the_exchange_folder_is_not_followed(exchange, tmp_path):
    """A symbolic link named like a pack is refused unopened."""
    (exchange / "eve.zip").symlink_to(exchange / "ada+a0_toy.zip")

    done = collect("a0_toy", exchange, tmp_path / "class", now=lambda: NOON)

    assert done.refused == (("eve.zip", "eve.zip is no plain file."),)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a file to another account")
def test_nobody_hands_in_for_a_classmate(exchange, tmp_path, monkeypatch):
    """A file that a classmate's account wrote is refused; where all have accounts, so is every stranger's."""
    names = {61001: "eve", 61002: "ada", 61003: "www-data"}
    monkeypatch.setattr(collecting.pwd, "getpwuid", lambda uid: SimpleNamespace(pw_name=names[uid]))
    os.chown(exchange / "ada+a0_toy.zip", 61002, -1)
    (exchange / "eve.zip").write_bytes(pack_bytes("eve", "a0_toy", "r1", NOTEBOOK))
    os.chown(exchange / "eve.zip", 61001, -1)
    collect("a0_toy", exchange, tmp_path / "class", own_accounts=True)
    for name, uid in (("forged.zip", 61001), ("uploaded.zip", 61003)):
        (exchange / name).write_bytes(pack_bytes("ada", "a0_toy", "r1", NOTEBOOK))
        os.chown(exchange / name, uid, -1)

    usual = collect("a0_toy", exchange, tmp_path / "class", now=lambda: NOON)
    (exchange / "uploaded.zip").touch()
    strict = collect("a0_toy", exchange, tmp_path / "another class", own_accounts=True)

    assert usual.refused == (("forged.zip", "It hands in for ada and belongs to the account eve."),)
    assert [receipt.file for receipt in usual.taken] == ["uploaded.zip"]
    assert {name for name, _ in strict.refused} == {"forged.zip", "uploaded.zip"}


def test_a_missing_folder_is_one_line(tmp_path):
    """An exchange folder that is not there is named."""
    with pytest.raises(GradingError, match="there is no folder"):
        collect("a0_toy", tmp_path / "nowhere", tmp_path / "class")


TABLE = """
late = { per_day = 10, closed_after_days = 2 }
[assignments.a0_toy]
due = 2026-11-21T12:00:00Z
"""


def hand_in(exchange: Path, course: Path, text: str, when: datetime) -> list[str]:
    """Drop another notebook of ada's and collect it; returns what is said."""
    notebook = NOTEBOOK.replace(b"{}", json.dumps({"note": text}).encode())
    (exchange / "ada+a0_toy.zip").write_bytes(pack_bytes("ada", "a0_toy", "r1", notebook))
    return collect("a0_toy", exchange, course, now=lambda: when).lines()


def counts(course: Path) -> str:
    """Which notebook lies where the grader looks."""
    return json.loads((course / "submitted/ada/a0_toy/a0_toy.ipynb").read_text("utf-8"))["metadata"].get(
        "note", "first"
    )


@pytest.fixture
def strict(tmp_path: Path) -> Path:
    """A class folder that takes nothing after two days."""
    (tmp_path / "class").mkdir()
    (tmp_path / "class/course.toml").write_text(TABLE, "utf-8")
    return tmp_path / "class"


def test_collecting_says_how_late(exchange, strict):
    """Each line has the arrival, the receipt, and what lateness costs."""
    said = hand_in(exchange, strict, "late", NOON + timedelta(hours=30))

    assert said[0].startswith("ada: arrived 2026-11-22 18:00:00")
    assert said[0].endswith("; 2 started days late: 20% taken off")


def test_what_comes_too_late_replaces_nothing(exchange, strict):
    """Work in time stays when another pack comes after closing; that pack is kept, with its receipt."""
    hand_in(exchange, strict, "in time", NOON)

    said = hand_in(exchange, strict, "too late", NOON + timedelta(days=3))

    assert counts(strict) == "in time"
    assert "too late, counts zero; work that came before it counts" in said[0]
    assert len(list((strict / "received/ada").iterdir())) == 2


def test_an_extension_given_later_brings_it_in(exchange, strict):
    """After the table has changed the next sweep puts there what counts now, with its own stamp."""
    hand_in(exchange, strict, "in time", NOON)
    hand_in(exchange, strict, "too late", NOON + timedelta(days=3))
    table = strict / "course.toml"
    table.write_text(TABLE + "[extensions.a0_toy]\nada = 2026-11-28T12:00:00Z\n", "utf-8")

    collect("a0_toy", exchange, strict, now=lambda: NOON + timedelta(days=4))

    assert counts(strict) == "too late"
    assert (strict / "submitted/ada/a0_toy/timestamp.txt").read_text("utf-8").startswith("2026-11-24 12:00")


def test_only_too_late_work_is_there_and_counts_zero(exchange, strict):
    """Where nothing came in time, the last pack lies there for the grader to say so."""
    hand_in(exchange, strict, "too late", NOON + timedelta(days=3))
    hand_in(exchange, strict, "later", NOON + timedelta(days=4))

    assert counts(strict) == "later"


def test_a_folder_mended_by_hand_stays(exchange, strict):
    """What an instructor changed in submitted/ is not undone by a sweep without a new pack."""
    hand_in(exchange, strict, "in time", NOON)
    folder = strict / "submitted/ada/a0_toy"
    (folder / "timestamp.txt").write_text("2026-11-20 00:00:00 UTC", "utf-8")
    (folder / "a0_toy.ipynb").write_bytes(NOTEBOOK)

    collect("a0_toy", exchange, strict, now=lambda: NOON)

    assert counts(strict) == "first"


def test_a_broken_table_takes_nothing(exchange, strict):
    """The table is read before the first pack is stamped."""
    (strict / "course.toml").write_text("late = 3", "utf-8")

    with pytest.raises(DeadlineError, match="late is no table"):
        collect("a0_toy", exchange, strict, now=lambda: NOON)

    assert [path.name for path in strict.iterdir()] == ["course.toml"]


def test_a_misspelt_extension_is_pointed_out(exchange, strict):
    """An extension that nobody gets, beside a student of nearly that name, is asked about."""
    (strict / "course.toml").write_text(TABLE + "[extensions.a0_toy]\nadaa = 2026-11-28T12:00:00Z\n", "utf-8")

    said = hand_in(exchange, strict, "x", NOON)

    assert "course.toml extends the due time of adaa, who handed in nothing: is it ada?" in said
