"""The page that a student gets: what is wrong by name, what to do next, nothing secret, nothing that runs."""

import copy
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import torch

from seqlib.checks.proxy import LocalTransport, Student
from seqlib.checks.runner import run_check
from seqlib.checks.sources import Grader
from seqlib.errors import GradingError
from seqlib.grading.feedback import write_feedback
from seqlib.grading.grade import ClassRun
from seqlib.grading.kit import course_key
from seqlib.grading.pages import cell_html, with_formulas
from seqlib.grading.scores import read_totals
from seqlib.grading.store import Store


@pytest.fixture(scope="module")
def pages(small_class):
    """Every student's page, by student."""
    written = write_feedback(small_class.kit, small_class.course, course_key(small_class.course))
    return {path.parent.parent.name: path for path in written}


def text_of(path) -> str:
    """What a page says, without its tags."""
    html = re.sub(r"<style>.*?</style>", "", path.read_text("utf-8"), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_a_page_names_the_mistake_and_the_next_step(pages):
    """Points, the mistake's sentence, and the call that helps stand on the page."""
    text = text_of(pages["wrong_forgets"])

    assert "50 of 110 points" in text
    assert "Each step forgets the sum before it: carry the total from step to step." in text
    assert "Change that one thing in running and run check(&#34;running_sum&#34;) again." in text
    assert "2 of 3 checks passed." in text


def test_every_outcome_says_what_to_do(pages):
    """Missing, too slow and unreadable work each has its reason and its next step."""
    assert "Write double , in the cell made for it" in text_of(pages["empty"])
    assert "Look for a loop that never ends" in text_of(pages["looping_function"])
    assert "This submission was not run." in text_of(pages["not_json"])


def test_a_page_is_whole_and_runs_nothing(pages):
    """No tag that acts, no address outside the page, and a policy that forbids both."""

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            assert tag not in ("script", "iframe", "object", "embed", "form", "link", "base", "svg")
            for name, value in attrs:
                assert not name.startswith("on")
                assert name not in ("src", "href") or (value or "").startswith(("#", "data:image/"))

    for path in pages.values():
        html = path.read_text("utf-8")
        Tags().feed(html)
        assert "default-src 'none'" in html


def test_no_secret_is_in_a_page(pages, small_class):
    """Neither the course key nor a seed's digest is anywhere in a page or a graded notebook."""
    secrets = [course_key(small_class.course).decode()]
    secrets += [
        verdict.seed_digest for row in small_class.rows.values() for verdict in row.verdicts if verdict.seed_digest
    ]
    files = [*pages.values(), *small_class.course.glob("autograded/*/toy/toy.ipynb")]

    for path in files:
        text = path.read_text("utf-8")
        assert not any(secret in text for secret in secrets)


def test_formulas_are_set_and_code_is_left_alone():
    """A dollar in code is a dollar; a formula that can't be set stays as it is written."""
    html = with_formulas("<p>$h_{t-1}$ <code>$x$</code></p><pre>$y$</pre>")

    assert html.count("<math") == 1
    assert "<code>$x$</code>" in html
    assert "<pre>$y$</pre>" in html


def test_a_long_output_is_folded():
    """More than forty lines are behind a summary that says how many."""
    outputs = [{"output_type": "stream", "name": "stdout", "text": "x\n" * 100}]
    html = cell_html({"cell_type": "code", "source": "", "outputs": outputs}, trusted=False)

    assert "<summary>100 lines of output</summary>" in html


def test_a_student_who_is_not_graded_is_one_line(small_class):
    """The error names the command to run."""
    with pytest.raises(GradingError, match="toy of eve is not graded") as caught:
        write_feedback(small_class.kit, small_class.course, course_key(small_class.course), ("eve",))
    assert caught.value.hint.startswith("run: seqlib grade toy")


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_pages_in_a_browser(pages, late_pages, chromium, scheme, width):
    """No script of a student's runs, nothing is asked for, nothing overflows, and axe finds no violation."""
    from axe_playwright_python.sync_playwright import Axe

    context = chromium.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True, offline=True
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    shown = [pages["right_with_scripts"], late_pages["wrong_forgets"], late_pages["empty"], pages["not_json"]]
    for path in shown:
        page.goto(path.as_uri())
        page.wait_for_timeout(200)

        assert page.evaluate("window.owned") is None
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        violations = Axe().run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"]) for v in violations] == []
    assert all(url.startswith(("file:", "data:image/")) for url in asked)
    context.close()


def test_the_graded_notebook_says_what_ran(small_class):
    """A check's cell shows the host's verdict and not what the submission brought."""
    path = small_class.course / "autograded/wrong_forgets/toy/toy.ipynb"
    cells = {cell["id"]: cell for cell in json.loads(path.read_text("utf-8"))["cells"]}

    [output] = cells["running_sum"]["outputs"]
    assert output["data"]["text/plain"].startswith("running_sum: Not yet (0 of 50 points).")


TABLE = """
late = { per_day = 10, at_most = 50, closed_after_days = 7 }
[assignments.toy]
due = 2026-11-18T23:59:00+01:00
[extensions.toy]
empty = 2026-11-22T23:59:00+01:00
"""


@pytest.fixture(scope="module")
def late_class(small_class, tmp_path_factory):
    """A copy of the graded class that has due times, projected again."""
    course = tmp_path_factory.mktemp("late") / "class"
    shutil.copytree(small_class.course, course)
    (course / "course.toml").write_text(TABLE, "utf-8")
    assert all(row.skipped for row in ClassRun(replace(small_class.settings, course=course)))
    return course


@pytest.fixture(scope="module")
def late_pages(small_class, late_class):
    """Every student's page there, by student."""
    written = write_feedback(small_class.kit, late_class, course_key(late_class))
    return {path.parent.parent.name: path for path in written}


def test_a_late_page_says_what_it_cost(late_pages):
    """Points before, penalty and after, when it arrived and when it was due stand at the top of the page."""
    text = text_of(late_pages["wrong_forgets"])

    assert "40 of 110 points Your work earned 50 points, and 10 are taken off because it was late." in text
    assert "Arrived Fri 20 Nov 2026, 11:00 (UTC+01:00), due Wed 18 Nov 2026, 23:59 (UTC+01:00): 2 started days" in text
    assert "extension to Sun 22 Nov 2026, 23:59 (UTC+01:00)" in text_of(late_pages["empty"])


def test_scores_and_pages_agree(small_class, late_class, late_pages):
    """What the exported table says counts is what each page says."""
    with Store(late_class / "store.db", course_key(late_class)) as store:
        found = read_totals("toy", late_class, store.latest("toy"))

    assert len(found) == len(late_pages)
    for total in found:
        assert f"{total.score:g} of {total.points:g} points" in text_of(late_pages[total.student])


def test_a_page_holds_nobody_elses(late_pages, late_class, small_class):
    """No page names another student or an extension of theirs, and none holds the key, a seed or a record's seal."""
    key = course_key(late_class)
    with Store(late_class / "store.db", key) as store:
        runs = {student: record.run for student, record in store.latest("toy").items()}
        head = store.head()
    seeds = {v.seed_digest for row in small_class.rows.values() for v in row.verdicts if v.seed_digest}

    for student, path in late_pages.items():
        html = path.read_text("utf-8")
        assert student in html
        assert not [other for other in late_pages if other != student and re.search(rf"\b{other}\b", text_of(path))]
        assert ("22 Nov" in html) == (student == "empty")
        assert not [secret for secret in (key.decode(), head, *runs.values(), *seeds) if secret in html]


def test_no_hidden_case_is_in_a_page(late_pages, late_class, small_class):
    """No number that a secret case draws or that its right answer holds is printed on a page or in a graded notebook.

    The cases are drawn again with the class's own key, each check being given its right answer.
    """
    secret = SecretNumbers(small_class.kit, course_key(late_class))
    files = [*late_pages.values(), *late_class.glob("autograded/*/toy/toy.ipynb")]

    assert len(secret.texts) > 50
    for path in files:
        text = path.read_text("utf-8")
        assert not [number for number in secret.texts if number in text]


class SecretNumbers(LocalTransport):
    """Stands where the student's code does and writes down every number of the secret cases."""

    def __init__(self, kit, key: bytes) -> None:
        super().__init__(dict(kit.suite.reference))
        self.texts: set[str] = set()
        for check in kit.suite.checks.values():
            run_check(check, Student(self), Grader(kit.suite, key))

    def request(self, message):
        reply = super().request(message)
        for value in (message, reply):
            self._note(value)
        return reply

    def _note(self, value) -> None:
        if isinstance(value, torch.Tensor):
            value = value.tolist()
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list | tuple):
            for one in value:
                self._note(one)
        elif isinstance(value, float) and value != round(value, 2):
            # Six digits identify a number drawn at random, however it is rounded further.
            self.texts.add(f"{abs(value):.8f}"[:7])


SPY = """\
import os, sys, builtins
builtins.seen = []
def tell(x):
    numbers = [f"{v:.8f}" for v in x.flatten().tolist()]
    builtins.seen += numbers
    print("told", numbers)
    print("told", numbers, file=sys.stderr)
    os.write(1, str(numbers).encode())
    with open("seen.txt", "a") as file:
        file.write(str(numbers))
    return numbers
def double(x):
    tell(x)
    return 2 * x
def running(x):
    raise ValueError(*tell(x))
def mean(x):
    return {str(tell(x)): x}
"""
ASK = "print(builtins.seen, open('seen.txt').read() if os.path.exists('seen.txt') else '', Out, In[-1])"


@pytest.mark.slow
def test_a_submission_cannot_tell_its_student_the_cases(small_class, tmp_path):
    """Code that prints, keeps, raises and returns what the checks ask it brings nothing of it to page or notebook."""
    notebook = copy.deepcopy(small_class.kit.notebook)
    mine = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": s} for s in (SPY, ASK)
    ]
    notebook["cells"] = [mine[0], *(cell for cell in notebook["cells"] if not is_answer(cell)), mine[1]]
    course = tmp_path / "class"
    (course / "submitted/spy/toy").mkdir(parents=True)
    (course / "submitted/spy/toy/toy.ipynb").write_text(json.dumps(notebook), "utf-8")
    shutil.copy(small_class.course / "course.key", course)

    [row] = ClassRun(replace(small_class.settings, course=course))
    [page] = write_feedback(small_class.kit, course, course_key(course))

    secret = SecretNumbers(small_class.kit, course_key(course))
    assert [verdict.status for verdict in row.verdicts] == ["passed", "error", "failed"]
    for path in (page, course / "autograded/spy/toy/toy.ipynb"):
        text = path.read_text("utf-8")
        assert not [number for number in secret.texts if number in text]


def is_answer(cell) -> bool:
    return cell["cell_type"] == "code" and bool(cell["metadata"].get("nbgrader", {}).get("solution"))
