"""How slides are judged, the same in both views: nothing is cut off, nothing scrolls, type can be read."""

from pathlib import Path

__all__ = ["LEGIBLE_PX", "SCREENS", "judge"]

SCREENS = [(1280, 720), (1920, 1080)]
# For a screen that is 720 high; larger screens ask for more in proportion. Indices are smaller than what they stand at.
LEGIBLE_PX = {"prose": 16, "code": 15, "stepper": 14, "drawing": 10}
_LOOK = (Path(__file__).parent / "look.js").read_text("utf-8")
_SETTLED_MS, _ROUNDS = 120, 40


def judge(page, selector: str) -> list[str]:
    """Say what is wrong with the slide that is shown, once it has come to rest."""
    before = None
    for _ in range(_ROUNDS):
        seen = page.evaluate(_LOOK, selector)
        if seen == before and not seen["faults"]:
            break
        before = seen
        page.wait_for_timeout(_SETTLED_MS)
    scale = page.viewport_size["height"] / 720
    small = [
        f"{kind} of {size} px, {LEGIBLE_PX[kind] * scale:.0f} px can be read"
        for kind, size in seen["sizes"].items()
        if kind in LEGIBLE_PX and size < LEGIBLE_PX[kind] * scale
    ]
    return seen["faults"] + small if seen["sizes"] else ["nothing is shown"]
