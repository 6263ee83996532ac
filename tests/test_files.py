"""Files that are whole or absent."""

import errno
import os
import stat

import pytest

from seqlib import files
from seqlib.errors import ExportError, WriteError
from seqlib.files import write_whole


@pytest.fixture
def page(tmp_path):
    """A file that is there before."""
    path = tmp_path / "page.html"
    path.write_text("before", "utf-8")
    return path


def names(folder):
    """What lies in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def fails(error):
    """A function that fails, whatever it is given."""

    def fail(*args, **kwargs):
        raise error

    return fail


@pytest.mark.parametrize("content", ["a\nß\n", b"a\n\xc3\x9f\n"])
def test_text_and_bytes_are_written_as_they_are(tmp_path, content):
    """Text becomes UTF-8 with its own line ends on every system; folders are made, spaces and all."""
    path = tmp_path / "my course" / "a b" / "file one.txt"

    write_whole(path, content)

    assert path.read_bytes() == b"a\n\xc3\x9f\n"
    assert names(path.parent) == ["file one.txt"]


def test_path_may_be_a_string(tmp_path):
    """Whoever has a string need not wrap it."""
    write_whole(str(tmp_path / "page.html"), "text")

    assert (tmp_path / "page.html").read_text("utf-8") == "text"


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
@pytest.mark.parametrize("crash", [KeyboardInterrupt, MemoryError])
def test_crash_halfway_leaves_the_old_file(page, monkeypatch, step, crash):
    """Whatever stops the writing, and wherever, the old file is whole and nothing lies beside it."""
    monkeypatch.setattr(files.os, step, fails(crash()))

    with pytest.raises(crash):
        write_whole(page, "after")

    assert page.read_text("utf-8") == "before"
    assert names(page.parent) == ["page.html"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_full_disk_is_one_clear_error(page, monkeypatch, step):
    """A full disk is told with the file and what to do; the old file stays."""
    monkeypatch.setattr(files.os, step, fails(OSError(errno.ENOSPC, "No space left on device")))

    with pytest.raises(WriteError) as stopped:
        write_whole(page, "after")

    assert stopped.value.what == f"{page} can't be written: No space left on device."
    assert stopped.value.hint == "free some space, mend the rights, or choose another place."
    assert page.read_text("utf-8") == "before"
    assert names(page.parent) == ["page.html"]


def test_caller_names_the_error(page, monkeypatch):
    """An area of the library raises its own error."""
    monkeypatch.setattr(files.os, "replace", fails(OSError("broken")))

    with pytest.raises(ExportError, match=r"page\.html can't be written: broken\."):
        write_whole(page, "after", error=ExportError)


def test_file_in_the_place_of_a_folder_is_told(page):
    """A path through a file can't be made."""
    with pytest.raises(WriteError, match="can't be written"):
        write_whole(page / "below.html", "text")


@pytest.mark.skipif(
    os.name == "nt" or getattr(os, "geteuid", lambda: 0)() == 0,
    reason="needs rights that bind: a Unix user who is not root",
)
def test_read_only_folder_is_told(page):
    """A folder that can't be written to is told, and the file in it stays."""
    page.parent.chmod(0o555)
    try:
        with pytest.raises(WriteError, match="Permission denied"):
            write_whole(page, "after")
    finally:
        page.parent.chmod(0o755)

    assert page.read_text("utf-8") == "before"


def test_refused_folder_is_told(page, monkeypatch):
    """The same where the rights of the folder can't be taken away, as for root: the system's refusal is told."""
    monkeypatch.setattr(files.tempfile, "mkstemp", fails(PermissionError(errno.EACCES, "Permission denied")))

    with pytest.raises(WriteError, match="Permission denied"):
        write_whole(page, "after")

    assert page.read_text("utf-8") == "before"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_permissions_are_kept(page):
    """A file that is replaced keeps its permissions; a new one is for all to read."""
    page.chmod(0o640)

    write_whole(page, "after")
    write_whole(page.with_name("new.html"), "text")

    assert stat.S_IMODE(page.stat().st_mode) == 0o640
    assert stat.S_IMODE(page.with_name("new.html").stat().st_mode) == 0o644
