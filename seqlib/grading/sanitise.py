"""What students make is shown to people: their HTML, Markdown, pictures and outputs made harmless.

An allow-list of tags and attributes is kept; nothing runs, nothing is fetched, and nothing has a name
that the page around it could mistake for its own.
"""

import base64
import binascii
import re
from html import escape
from typing import Any

__all__ = ["clean_html", "clean_outputs", "markdown_cell_source", "render_markdown", "svg_as_image"]

_TAGS = (
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure",
    "h1 h2 h3 h4 h5 h6 hr i img kbd li mark ol p pre s samp small span strong sub summary sup",
    "table tbody td tfoot th thead tr u ul var",
)
_WITH_CONTENT = ("script style template noscript textarea title iframe object embed svg math select button form",)
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "ol": {"start"},
}
_LINK = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x1f]+", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=]+")
_IMAGE = re.compile(r"""<img((?: [a-z]+="[^"]*")*)>""")
_NUMBER = re.compile(r"\d{1,5}%?")
_WORD = re.compile(r"[a-z]{1,12}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
# What makes a formula do more than look like one: a joiner after the backslash leaves it as text.
_ACTIVE_TEX = re.compile(
    r"\\(?=(?:href|url|require|def|let|newcommand|renewcommand|newenvironment|style|class|cssId|html\w*|data|unicode"
    r"|bbox|includegraphics|catcode|csname|input)(?![a-zA-Z]))"
)
_PICTURES = ("image/png", "image/jpeg")
_TEXT_CHARS = 300_000
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_VOID = ("br", "col", "hr", "img")
# The time to clean HTML grows with the square of its depth: sixty thousand open tags would take minutes.
_DEEPEST, _MOST_TAGS = 100, 20_000
# The same of Markdown with its length, and most of all with the formulas that begin and never end.
_MARKDOWN_CHARS, _MOST_BEGINNINGS = 100_000, 200


def clean_html(html: str) -> str:
    """Keep of a piece of HTML what only shows something.

    >>> clean_html('<p onclick="x()">a<script>y()</script> <a href="javascript:z()">b</a></p>')
    '<p>a <a>b</a></p>'
    """
    import nh3

    if _takes_too_long(html):
        html = f"<pre>{escape(html)}</pre>"
    cleaned = nh3.clean(
        html,
        tags=set(" ".join(_TAGS).split()),
        clean_content_tags=set(" ".join(_WITH_CONTENT).split()),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer",
    )
    return _ACTIVE_TEX.sub("\\\\\u2060", _IMAGE.sub(_image, cleaned))


def render_markdown(source: str, attachments: dict[str, Any] | None = None) -> str:
    """Render a student's Markdown to harmless HTML; formulas stay as the text between their dollars.

    >>> render_markdown("**a** <img src=x onerror=alert(1)>")
    '<p><strong>a</strong> </p>\\n'
    """
    from nbconvert.filters.markdown_mistune import InvalidNotebook, IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(
        escape=False, attachments=_attached_pictures(attachments), exclude_anchor_links=True, embed_images=False
    )
    try:
        source = source[:_MARKDOWN_CHARS]
        endless = source.count("\\begin") > _MOST_BEGINNINGS
        html = f"<pre>{escape(source)}</pre>" if endless else MarkdownWithMath(renderer=renderer).render(source)
    except InvalidNotebook:  # it names an attachment that is not there, or is no picture
        return render_markdown(source.replace("attachment:", "attachment "))
    except RecursionError:
        html = f"<pre>{escape(source[:_TEXT_CHARS])}</pre>"
    return clean_html(str(html))


def markdown_cell_source(source: str, attachments: dict[str, Any] | None = None) -> str:
    """A Markdown cell that any renderer shows as the harmless HTML: one line, so that none of it is Markdown again.

    >>> markdown_cell_source("a\\n\\n[b](javascript:c)")
    '<div><p>a</p>&#10;<p><a>b</a></p>&#10;</div>'
    """
    if not source.strip():
        return ""
    return "<div>" + render_markdown(source, attachments).replace("\r", "").replace("\n", "&#10;") + "</div>"


def _takes_too_long(html: str) -> bool:
    """Whether there are too many tags, or too many that are open at once: what closes another name closes nothing."""
    open_by_name: dict[str, int] = {}
    tags = depth = 0
    for found in _TAG.finditer(html):
        tags += 1
        closes, name = bool(found[1]), found[2].lower()
        before = open_by_name.get(name, 0)
        if (closes and not before) or name in _VOID:
            continue
        open_by_name[name] = before + (-1 if closes else 1)
        depth += -1 if closes else 1
        if depth > _DEEPEST or tags > _MOST_TAGS:
            return True
    return tags > _MOST_TAGS


def svg_as_image(svg: str) -> str:
    """A drawing as an image: in there no script runs and nothing is fetched."""
    code = base64.b64encode(svg.encode("utf-8", "replace")).decode()
    return f'<img alt="drawing" src="data:image/svg+xml;base64,{code}">'


def clean_outputs(outputs: Any) -> list[dict[str, Any]]:
    """Rebuild a cell's outputs from what is known to be harmless; the rest is dropped."""
    if not isinstance(outputs, list):
        return []
    cleaned = (_output(output) for output in outputs if isinstance(output, dict))
    return [output for output in cleaned if output is not None]


def _output(output: dict[str, Any]) -> dict[str, Any] | None:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {"output_type": "stream", "name": name, "text": _text(output.get("text"))}
    if kind == "error":
        trace = output.get("traceback")
        lines = [_text(line) for line in trace] if isinstance(trace, list) else []
        name, value = _text(output.get("ename"))[:200], _text(output.get("evalue"))[:2000]
        return {"output_type": "error", "ename": name, "evalue": value, "traceback": lines}
    if kind not in ("display_data", "execute_result") or not isinstance(output.get("data"), dict):
        return None
    data = _bundle(output["data"])
    if not data:
        return None
    made = {"output_type": kind, "data": data, "metadata": {}}
    return made | ({"execution_count": None} if kind == "execute_result" else {})


def _bundle(data: dict[str, Any]) -> dict[str, str]:
    """The forms of one output that may be shown; scripts, widgets, LaTeX and unknown forms fall away."""
    kept = {mime: code for mime in _PICTURES if (code := _base64(data.get(mime)))}
    if "image/svg+xml" in data:
        kept["text/html"] = svg_as_image(_text(data["image/svg+xml"]))
    elif "text/html" in data:
        kept["text/html"] = clean_html(_text(data["text/html"]))
    elif "text/markdown" in data:
        kept["text/html"] = render_markdown(_text(data["text/markdown"]))
    if "text/html" in kept and not kept["text/html"].strip():
        del kept["text/html"]
    if "text/plain" in data:
        kept["text/plain"] = _text(data["text/plain"])
    return kept


def _text(value: Any) -> str:
    """Text as notebooks hold it (one string, or a list of lines), without characters that JSON or HTML refuse."""
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    if not isinstance(value, str):
        return ""
    return value[:_TEXT_CHARS].encode("utf-8", "replace").decode().replace("\x00", "")


def _base64(value: Any) -> str:
    text = "".join(value) if isinstance(value, list) and all(isinstance(part, str) for part in value) else value
    code = "".join(text.split()) if isinstance(text, str) else ""
    if not _BASE64.fullmatch(code):
        return ""
    try:
        base64.b64decode(code, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return code


def _attached_pictures(attachments: Any) -> dict[str, dict[str, str]]:
    kept: dict[str, dict[str, str]] = {}
    for name, forms in (attachments if isinstance(attachments, dict) else {}).items():
        pictures = {mime: _base64(forms.get(mime)) for mime in _PICTURES} if isinstance(forms, dict) else {}
        if isinstance(name, str) and any(pictures.values()):
            kept[name] = {mime: code for mime, code in pictures.items() if code}
    return kept


def _image(found: re.Match[str]) -> str:
    """An image that lost its source goes; one without a text for those who can't see it gets one."""
    attributes = found[1]
    if ' src="' not in attributes:
        return ""
    return found[0] if ' alt="' in attributes else f'<img alt="picture"{attributes}>'


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "href":
        return value if _LINK.fullmatch(value.strip()) else None
    if name == "src":
        return value if _PICTURE.fullmatch(value) else None
    if name in ("alt", "title"):
        return value
    pattern = _WORD if name in ("align", "scope") else _NUMBER
    return value if pattern.fullmatch(value) else None
