"""A page for the tests: steppers with a model that no kernel stands behind."""

import base64
import json
from collections.abc import Sequence

from seqlib.widgets import Stepper

KEYS = ("frames", "meta", "labels", "texts", "title", "questions", "guesses", "step")

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Steppers</title>
<style>@STYLE@
body { margin: 16px; background: var(--jp-layout-color0, #fff); color: #111; }
@media (prefers-color-scheme: dark) { body { background: #16181d; color: #eee; } }</style></head>
<body><main><h1>Steppers</h1>@PLACES@</main>
<script type="module">
class Model {
  constructor(state) { this.state = state; this.heard = {}; this.saved = 0; }
  get(key) { return this.state[key]; }
  set(key, value) {
    if (this.state[key] === value) return;
    this.state[key] = value;
    for (const hear of this.heard["change:" + key] ?? []) hear();
  }
  save_changes() { this.saved += 1; }
  on(name, hear) { (this.heard[name] ??= []).push(hear); }
  off(name, hear) { this.heard[name] = (this.heard[name] ?? []).filter((each) => each !== hear); }
}
window.models = [];
window.ends = [];
const all = @STATES@;
for (const [index, { code, state }] of all.entries()) {
  const bytes = Uint8Array.from(atob(state.frames), (letter) => letter.charCodeAt(0));
  const model = new Model({ ...state, frames: new DataView(bytes.buffer) });
  window.models.push(model);
  const module = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  window.ends.push(module.default.render({ model, el: document.getElementById("place" + index) }));
}
window.ready = true;
</script></body></html>"""


def state_of(stepper: Stepper) -> dict:
    """What the browser gets of a stepper, with its bytes as base64."""
    state = {key: getattr(stepper, key) for key in KEYS}
    return state | {"frames": base64.b64encode(stepper.frames).decode()}


def page_of(steppers: Sequence[Stepper], style: str = "") -> str:
    """One page with these steppers, one below the other."""
    states = [{"code": str(stepper._esm), "state": state_of(stepper)} for stepper in steppers]
    places = "".join(f'<div id="place{index}"></div>' for index in range(len(states)))
    text = PAGE.replace("@STATES@", json.dumps(states).replace("</", "<\\/"))
    return text.replace("@PLACES@", places).replace("@STYLE@", style + Stepper._css)
