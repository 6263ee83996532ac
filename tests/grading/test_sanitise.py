"""What students make shows and never acts."""

import base64
import time
from html.parser import HTMLParser

import pytest

from seqlib.grading.sanitise import clean_html, clean_outputs, markdown_cell_source, render_markdown

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 20).decode()

ATTACKS = [
    "<script>window.owned = 1</script>",
    "<img src=x onerror='window.owned = 1'>",
    "<svg onload='window.owned = 1'><script>window.owned = 1</script></svg>",
    "<iframe srcdoc='<script>parent.owned = 1</script>'></iframe>",
    "<a href='javascript:window.owned = 1'>x</a>",
    "<a href='&#106;ava&#9;script:window.owned = 1'>x</a>",
    "[x](javascript:window.owned=1)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "<math><mtext><table><mglyph><style><img src=x onerror='window.owned = 1'>",
    "<form action='/formgrader/api/grade/1'><input name=manual_score value=100></form>",
    "<meta http-equiv=refresh content='0;url=javascript:window.owned=1'>",
    "<base href='https://example.org/'>",
    "<link rel=stylesheet href='https://example.org/x.css'>",
    "<div style='position:fixed;inset:0;background:url(https://example.org/x)'>x</div>",
    "<div id='a1' class='score mark-graded'>x</div>",
    "<object data='x'></object><embed src='x'>",
    "<img src='https://example.org/beacon.png'>",
    "<img src='/formgrader/submissions/1/next'>",
    "<details open ontoggle='window.owned = 1'>x</details>",
    "<template><script>window.owned = 1</script></template>",
    "```mermaid\n</pre><script>window.owned = 1</script>\n```",
    "$\\href{javascript:window.owned=1}{x}$",
    "<p>a</p>\n\n<script>window.owned = 1</script>\n\n[b](javascript:window.owned=1)",
    "`` ` `` \n\n$$<img src=x onerror='window.owned = 1'>$$",
    "<noscript><p title=\"</noscript><img src=x onerror='window.owned = 1'>\">",
    "<!--><img src=x onerror='window.owned = 1'>-->",
]
ACTING_TAGS = {"script", "style", "iframe", "svg", "math", "form", "input", "meta", "base", "link", "object", "embed"}


class Acting(HTMLParser):
    """Collects every tag and attribute that does more than show."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        """Note what acts, names itself, or fetches."""
        self.found += [tag] if tag in ACTING_TAGS else []
        for name, value in attrs:
            fetches = name in ("src", "href") and not (value or "").startswith(("https://example.org", "data:image/"))
            beacon = name == "src" and (value or "").startswith("http")
            if name.startswith("on") or name in ("style", "id", "class", "srcdoc", "action") or fetches or beacon:
                self.found.append(f"{tag} {name}={value}")


def harmless(html: str) -> bool:
    """Whether no tag or attribute that acts is left, and no formula that links."""
    parser = Acting()
    parser.feed(html)
    return not parser.found and "\\href" not in html


@pytest.mark.parametrize("attack", ATTACKS)
def test_markdown_is_harmless_whatever_renders_it_next(attack):
    """Nothing that acts is left, and rendering the cell again as Markdown brings nothing back."""
    from nbconvert.filters import markdown2html

    source = markdown_cell_source(attack)

    assert harmless(source)
    assert "\n" not in source
    assert harmless(str(markdown2html(source)))


@pytest.mark.parametrize("attack", ATTACKS)
def test_html_is_harmless_and_stable(attack):
    """Cleaning what is clean changes nothing."""
    once = clean_html(attack)

    assert harmless(once)
    assert clean_html(once) == once


@pytest.mark.parametrize(
    "bomb",
    [
        "<div>" * 60_000,
        "<div></b>" * 30_000,
        "".join(f"<b title='{n}'>" for n in range(5_000)) + "<p>" * 30_000,
        "<br>" * 60_000,
    ],
)
def test_what_would_take_minutes_is_shown_as_text(bomb):
    """HTML that is too deep, or of too many tags, is shown as it is written, at once."""
    started = time.monotonic()

    html = clean_html(bomb)

    assert html.startswith("<pre>&lt;")
    assert time.monotonic() - started < 5


def test_formulas_without_an_end_are_text():
    """Markdown of formulas that begin and never end is shown as it is written, at once."""
    started = time.monotonic()

    assert render_markdown("\\begin{a}" * 20_000).startswith("<pre>")
    assert time.monotonic() - started < 20


def test_what_only_shows_is_kept():
    """Tables, emphasis, links to the web and formulas pass."""
    html = render_markdown("| a | b |\n|---|---|\n| **1** | $x_1 < 2$ |\n\n[w](https://example.org) `\\href`")

    for part in ("<table>", "<strong>1</strong>", "$x_1 &lt; 2$", 'href="https://example.org"', "<code>"):
        assert part in html


def test_attachments_become_pictures_or_nothing():
    """A PNG is shown in the page; an SVG, or a file that is not there, is not."""
    picture = render_markdown("![p](attachment:p.png)", {"p.png": {"image/png": PIXEL}})
    drawing = render_markdown("![p](attachment:p.svg)", {"p.svg": {"image/svg+xml": "<svg onload='x'/>"}})

    assert f"data:image/png;base64,{PIXEL}" in picture
    assert "src=" not in drawing


def test_outputs_are_rebuilt_from_known_forms():
    """JavaScript, widgets and LaTeX fall away, SVG is an image, HTML is clean, metadata is gone."""
    outputs = [
        {"output_type": "display_data", "data": {"application/javascript": "window.owned = 1"}, "metadata": {}},
        {"output_type": "display_data", "data": {"image/svg+xml": ["<svg onload='x()'/>"]}, "metadata": {"a": 1}},
        {"output_type": "execute_result", "data": {"text/html": ATTACKS[0], "text/plain": "5"}, "metadata": {}},
        {"output_type": "display_data", "data": {"image/png": 'x" onerror="owned()'}, "metadata": {}},
        {"output_type": "stream", "name": "stdout", "text": ["a", "b"]},
        {"output_type": "made up"},
        "no dict",
    ]

    cleaned = clean_outputs(outputs)

    assert [o["output_type"] for o in cleaned] == ["display_data", "execute_result", "stream"]
    assert cleaned[0]["data"]["text/html"].startswith('<img alt="drawing" src="data:image/svg+xml;base64,')
    assert cleaned[1]["data"] == {"text/plain": "5"}
    assert cleaned[2]["text"] == "ab"
    assert all(o.get("metadata", {}) == {} for o in cleaned)
