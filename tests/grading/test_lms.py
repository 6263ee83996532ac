"""Exports for Canvas and Moodle: what is read back is what was written, whatever people are called."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from seqlib.checks.verdict import Verdict
from seqlib.course.lateness import Policy, lateness
from seqlib.errors import GradingError
from seqlib.grading.gradebook import Mark
from seqlib.grading.lms import CANVAS, MOODLE, Export, canvas_csv, moodle_csv
from seqlib.grading.result_commands import app
from seqlib.grading.roster import Roster, match, read_roster
from seqlib.grading.scores import Total, csv_text, safe_cell, scores_csv

DUE = datetime(2026, 12, 1, tzinfo=UTC)
LATE = lateness(DUE + timedelta(hours=1), DUE, None, Policy(per_day=10))
HOSTILE = [
    'O\'Neil, "Bob"',
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "new\nline",
    "cr\rlf\r\n",
    "Ünï 令",
    "＝cmd",
    ";",
    "a'b",
]
CANVAS_FILE = '''\
\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Essay (11),a1 (4711),Current Score
,,,,,Manual Posting,,(read only)
    Points Possible,,,,,10,100,(read only)
"Lovelace, Ada",1,S1,ada,"Mon, 10:00 and ""late""",9,,80
"Turing, Alan",2,S2,alan@x.edu,B,,,
"Student, Test",3,,t-student,B,,,
'''
MOODLE_FILE = """\
First name;Surname;ID number;Email address;Groups
Ada;Lovelace;S1;Ada@x.edu;
Émilie;"du Châtelet";S2;emilie@x.edu;"a;b"
Alan;Turing;S3;alan@x.edu;
"""


def graded(name: str, *, late=None, comment: str = "") -> Total:
    """A student with 30 of 100 points, one check passed and one not."""
    verdicts = (
        Verdict(check="sum", points=30, earned=30, status="passed", message=""),
        Verdict(check="mean", points=70, earned=0, status="failed", message="No.", mistake="wrong_axis"),
    )
    cells = {verdict.check: (verdict.earned, verdict.points) for verdict in verdicts}
    marks = (Mark(cell="mean", points=70, score=0, manual=False, comment=comment),)
    return Total(student=name, cells=cells, late=late, verdicts=verdicts, marks=marks)


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def read_back(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def test_canvas_gets_its_own_rows_back(tmp_path):
    """Header, points row and each student in Canvas' order; its own column is found, others are left out."""
    roster = read_roster(written(tmp_path / "canvas.csv", CANVAS_FILE), CANVAS)

    made = canvas_csv([graded("ada", late=LATE)], roster, "a1")

    assert read_back(made.text) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "a1 (4711)"],
        ["    Points Possible", "", "", "", "", "100"],
        ["Lovelace, Ada", "1", "S1", "ada", 'Mon, 10:00 and "late"', "27"],
        ["Turing, Alan", "2", "S2", "alan@x.edu", "B", ""],
        ["Student, Test", "3", "", "t-student", "B", ""],
    ]
    assert (made.scores, made.problems) == (1, ())


def test_moodle_gets_grade_and_feedback(tmp_path):
    """Semicolons and older column names are read; the feedback says what is open, late and remarked."""
    roster = read_roster(written(tmp_path / "moodle.csv", MOODLE_FILE), MOODLE)

    made = moodle_csv([graded("emilie", late=LATE, comment='See "mean", line 2')], roster, "a1")

    assert read_back(made.text) == [
        ["First name", "Last name", "ID number", "Email address", "a1", "a1 (feedback)"],
        ["Ada", "Lovelace", "S1", "Ada@x.edu", "", ""],
        [
            "Émilie",
            "du Châtelet",
            "S2",
            "emilie@x.edu",
            "27",
            "27 of 100 points. Arrived Tue 1 Dec 2026, 01:00 (UTC), due Tue 1 Dec 2026, 00:00 (UTC): "
            "1 started day late: 10% taken off (30 - 3). "
            'Not passed: mean (wrong axis). On mean: See "mean", line 2',
        ],
        ["Alan", "Turing", "S3", "alan@x.edu", "", ""],
    ]


def test_who_is_not_in_the_roster_is_said(tmp_path):
    """A graded student whom the roster does not hold is named, and nobody gets that score."""
    roster = read_roster(written(tmp_path / "canvas.csv", CANVAS_FILE), CANVAS)

    made = canvas_csv([graded("ada"), graded("eve")], roster, "a1")

    assert made.problems == ("eve is not in the roster",)
    assert sum(row[-1] == "30" for row in read_back(made.text)) == 1


@pytest.mark.parametrize(
    ("students", "problems"),
    [
        (["ada", "ADA"], ("ada and ADA fit the same row of the roster",)),
        (["alan"], ()),
        (["S2"], ()),
        (["2"], ()),
        (["twin"], ("twin fits 2 rows of the roster",)),
    ],
)
def test_a_doubtful_name_gets_no_score(tmp_path, students, problems):
    """A name is taken whole, then whatever its case, then before the @; what fits two rows fits none."""
    twins = 'A,8,S8,twin@a.edu,B\nB,9,S9,twin@b.edu,B\n"",,,,\n'
    roster = read_roster(written(tmp_path / "canvas.csv", CANVAS_FILE + twins), CANVAS)

    made = canvas_csv([graded(name) for name in students], roster, "a1")

    assert made.problems == problems
    assert made.scores == len(students) * (not problems)


def hostile_roster(header: tuple[str, ...], where: Mapping[str, int]) -> Roster:
    rows = [
        tuple(name if column in where else f"id{number}" for column in header) for number, name in enumerate(HOSTILE)
    ]
    return Roster(path=Path("r.csv"), header=header, rows=tuple(rows))


@pytest.mark.parametrize("make", [canvas_csv, moodle_csv])
def test_hostile_names_come_back_as_text(make):
    """Commas, quotes, line ends and other alphabets survive; nothing begins like a formula."""
    header = ("Student", "ID", "Section", "First name", "Last name", "Email address")
    roster = hostile_roster(header, dict.fromkeys(("Student", "Section", "First name", "Last name"), 0))

    made: Export = make([graded(f"id{number}") for number in range(len(HOSTILE))], roster, "=a1")
    rows = read_back(made.text)

    body = rows[-len(HOSTILE) :]
    assert [row[0] for row in body] == [safe_cell(name) for name in HOSTILE]
    assert {len(row) for row in rows} == {len(rows[0])}
    assert rows[0][-1].startswith("'=")
    assert not any(cell.lstrip().startswith(tuple("=+-@＝")) for row in rows for cell in row)
    assert made.problems == ()


def test_a_quoted_number_is_said():
    """A guard changes an identity, so the row is named."""
    roster = Roster(path=Path("r.csv"), header=("Student", "ID"), rows=(("Ada", "-7"),))

    assert canvas_csv([graded("-7")], roster, "a1").problems == (
        "'-7' begins like a formula and was quoted: this row may not be recognised",
    )


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), min_size=1, max_size=5))
def test_any_text_is_read_back(rows):
    """Whatever the cells hold, a reader gives back the guarded text, cell for cell."""
    rows = [[cell.replace("\x00", "") for cell in row] for row in rows]

    assert read_back(csv_text(rows)) == [[safe_cell(cell) for cell in row] for row in rows]


def test_the_plain_table_shows_what_lateness_took():
    """Score, points before and penalty, days, arrival and due time stand in columns of their own."""
    [row] = csv.DictReader(io.StringIO(scores_csv([graded("ada", late=LATE)])))

    shown = ("score", "points", "before_penalty", "penalty", "days_late", "arrived", "due", "sum", "mean")
    assert [row[name] for name in shown] == [
        *("27", "100", "30", "3", "1"),
        *("2026-12-01 01:00:00+00:00", "2026-12-01 00:00:00+00:00", "30", "0"),
    ]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"name,points\nada,3\n", "has none of the columns SIS Login ID, SIS User ID, ID"),
        (b"", "has none of the columns"),
        (b"Student,ID\n\xe9,1\n", "is not UTF-8: byte 11."),
        (b'Student,ID\n"Ada,1\n', "breaks off in line 2: unexpected end of data."),
        (b"Student,ID\nLovelace, Ada,1\n", "has 3 cells in row 1 under 2 columns."),
    ],
)
def test_a_broken_roster_is_one_line(tmp_path, data, what):
    """What can't be read is named with its place."""
    (tmp_path / "r.csv").write_bytes(data)

    with pytest.raises(GradingError) as refused:
        canvas_csv([graded("ada")], read_roster(tmp_path / "r.csv", CANVAS), "a1")

    assert what in refused.value.what
    assert "\n" not in refused.value.what


def test_two_columns_of_one_name_are_refused(tmp_path):
    """Which column of Canvas is meant must be said."""
    text = "Student,ID,a1 (1),a1 (2)\nAda,1,,\n"
    roster = read_roster(written(tmp_path / "r.csv", text), CANVAS)

    with pytest.raises(GradingError, match=r"has 2 columns for a1: a1 \(1\), a1 \(2\)") as refused:
        canvas_csv([graded("1")], roster, "a1")

    assert refused.value.hint == "say which one: --column 'NAME (NUMBER)'."
    assert read_back(canvas_csv([graded("1")], roster, "a1 (2)").text)[0][-1] == "a1 (2)"


def test_a_missing_roster_file_is_one_line(tmp_path):
    """The error names the option."""
    with pytest.raises(GradingError, match="No such file") as refused:
        read_roster(tmp_path / "r.csv", CANVAS)
    assert refused.value.hint == "name it: --roster FILE."


def test_matching_prefers_the_whole_name():
    """An exact login wins over another row's number in other case."""
    roster = Roster(path=Path("r"), header=("SIS Login ID", "ID"), rows=(("ada", "1"), ("ADA", "2")))

    assert match(["ADA"], roster, CANVAS).students == {1: "ADA"}


def test_the_command_writes_what_canvas_imports(small_class, tmp_path):
    """`seqlib scores --format canvas` writes the table and names each student whom the roster does not hold."""
    roster = written(tmp_path / "r.csv", "Student,ID,SIS Login ID\nF,1,wrong_forgets\nNobody,2,nobody\n")
    arguments = ["scores", "toy", "--course", str(small_class.course), "--csv", str(tmp_path / "out.csv")]

    ran = CliRunner().invoke(app, [*arguments, "--format", "canvas", "--roster", str(roster)])
    plain = CliRunner().invoke(app, arguments)

    assert (ran.exit_code, plain.exit_code) == (1, 0)
    assert "1 students written to" in ran.stdout
    assert "Warning: empty is not in the roster." in ran.stderr
    assert "Warning" not in plain.output


@pytest.mark.parametrize(
    ("options", "what"),
    [(["--format", "moodle"], "moodle knows students by its own numbers."), (["--roster", "x"], "takes no roster.")],
)
def test_the_command_needs_the_roster_where_it_is_used(small_class, tmp_path, options, what):
    """A format without its roster, or a roster without its format, is one line."""
    arguments = ["scores", "toy", "--course", str(small_class.course), "--csv", str(tmp_path / "out.csv")]

    ran = CliRunner().invoke(app, [*arguments, *options])

    assert isinstance(ran.exception, GradingError)
    assert what in ran.exception.what
    assert not (tmp_path / "out.csv").exists()
