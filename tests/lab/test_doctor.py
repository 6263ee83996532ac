"""The doctor: it finds what is there, names the command for what is not, and fails only for what is required."""

import sys
from types import SimpleNamespace

import pytest
from rich.console import Console
from typer.testing import CliRunner

from seqlib.lab import commands, doctor
from seqlib.lab.commands import app
from seqlib.lab.doctor import Finding, examine, find_browser, report


def test_each_missing_part_has_a_command(monkeypatch):
    """On Linux every part that can be missing names what installs it."""
    monkeypatch.setattr(doctor.platform, "system", lambda: "Linux")

    assert all(finding.install for finding in examine() if finding.part != "Python 3.11+")


@pytest.mark.parametrize("system", ["Darwin", "Windows", "Plan 9"])
def test_other_systems_are_no_error(monkeypatch, system):
    """On a system without a known installer the doctor still reports."""
    monkeypatch.setattr(doctor.platform, "system", lambda: system)

    assert len(examine()) >= 8


def test_report_shows_the_command_only_for_what_is_missing():
    """A line for what is there has no command; a line for what is not has it in full."""
    findings = [
        Finding(part="node", needed_for="tests", found="v20", install="install node"),
        Finding(part="browser", needed_for="tests", found="", install="install chromium"),
    ]
    console = Console(record=True, width=200)

    console.print(report(findings))

    text = console.export_text()
    assert "install chromium" in text
    assert "missing" in text
    assert "install node" not in text


def test_browser_is_named_by_a_variable(monkeypatch, tmp_path):
    """The variable CHROMIUM names the browser; a path that leads nowhere is passed over."""
    browser = tmp_path / "my browser"
    browser.touch()
    monkeypatch.setenv("CHROMIUM", str(browser))
    assert find_browser() == str(browser)

    browser.unlink()

    assert find_browser() != str(browser)


@pytest.mark.parametrize(("required", "status"), [(True, 1), (False, 0)])
def test_exit_status_says_whether_something_required_is_missing(monkeypatch, required, status):
    """Only what nothing works without makes the command fail."""
    monkeypatch.setattr(
        doctor, "examine", lambda: [Finding(part="x", needed_for="y", found="", install="z", required=required)]
    )

    assert CliRunner().invoke(app, ["doctor"]).exit_code == status


def test_others_may_add_what_they_look_for(monkeypatch):
    """What a module finds that the command line has named stands in the same table."""
    more = [Finding(part="moon", needed_for="tides", found="")]
    monkeypatch.setattr(doctor, "examine", list)
    monkeypatch.setattr(commands, "EXAMINERS", {"moons"})
    monkeypatch.setitem(sys.modules, "moons", SimpleNamespace(findings=lambda: more))

    assert "tides" in CliRunner().invoke(app, ["doctor"]).output
