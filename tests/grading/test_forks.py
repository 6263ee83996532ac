"""Forks of one process: what they are given, how they end, and what is left when their template is gone."""

import os
import signal
import time
from pathlib import Path

import pytest

from seqlib.errors import GradingError
from seqlib.grading.runners.forks import Template


def say(text: str, handle: int) -> None:
    """What a fork does here: write, and wait until nobody is at the other end."""
    os.write(handle, f"{text} {os.getpid()} {os.getppid()}".encode())
    if text == "fail":
        raise SystemExit
    time.sleep(60 if text == "stay" else 0)


@pytest.fixture
def template():
    """One that imports next to nothing."""
    made = Template("json")
    yield made
    made.close()


def started(template, text):
    """A fork and what it says."""
    reader, writer = os.pipe()
    try:
        fork = template.fork(say, [text], [writer])
        os.close(writer)
        return fork, os.read(reader, 100).decode().split()
    finally:
        os.close(reader)


def test_forks_get_arguments_and_files_and_tell_how_they_ended(template, capfd):
    """One ends by itself, one raises, one is killed by somebody, one is ended here; each can be asked twice."""
    quiet, said = started(template, "quiet")
    assert said[:2] == ["quiet", str(quiet.pid)]
    failed, _ = started(template, "fail")
    killed, told = started(template, "stay")
    assert told[2] == said[2] == str(template._process.pid)
    os.kill(killed.pid, signal.SIGTERM)
    stayed, _ = started(template, "stay")

    assert [quiet.end(5), failed.end(5), killed.end(5), stayed.end()] == [0, 1, -signal.SIGTERM, -signal.SIGKILL]
    assert [quiet.end(), stayed.end()] == [0, -signal.SIGKILL]


def test_without_its_template_a_fork_can_still_be_ended(template):
    """Nobody knows how it ended then, and no new one can be started."""
    fork, _ = started(template, "stay")
    template._process.kill()
    template._process.join()

    assert not template.alive
    assert fork.end() is None
    for _ in range(200):
        if not Path(f"/proc/{fork.pid}").exists() or "Z" in Path(f"/proc/{fork.pid}/stat").read_text().split(")")[1]:
            break
        time.sleep(0.05)
    else:
        pytest.fail("it is still there")
    with pytest.raises(GradingError, match="no worker process can be started"):
        template.fork(say, ["quiet"], [1])


def test_a_module_that_cannot_be_imported_is_told(capfd):
    """The traceback is shown by the process itself."""
    made = Template("seqlib.no_such_module")
    with pytest.raises(GradingError, match="no worker process can be started"):
        made.fork(say, ["quiet"], [1])
    made.close()
    assert "no_such_module" in capfd.readouterr().err
