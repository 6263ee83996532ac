"""What every stepper is in Python: frames, a text for each step, the step, and the questions on the way."""

from collections.abc import Iterable, Mapping
from typing import Any

import anywidget
import traitlets

from seqlib.errors import WidgetError
from seqlib.shapes import Tensor
from seqlib.widgets.frames import pack
from seqlib.widgets.modules import style

__all__ = ["Stepper"]


class Stepper(anywidget.AnyWidget):
    """A picture that goes through a recording step by step, in the browser alone once it is shown.

    A stepper is this class with an `_esm`; its drawing is the module of the same name beside it.
    Python may set `step` or observe it; `guesses` holds what was predicted, by step.

    Args:
        arrays: What is drawn, by the names that the drawing knows.
        texts: One sentence for each step, in the small formula language: `h_{t}`, `10^{3}`.
        title: What the stepper shows, in a few words.
        labels: Anything else that the drawing needs, as JSON.
        predict: Questions, by the step that they hide: a string, or `{"question": ..., "choices": [...]}`.

    Raises:
        WidgetError: There is no step, or a question is put where nothing is hidden.
    """

    frames = traitlets.Bytes().tag(sync=True)
    meta = traitlets.Dict().tag(sync=True)
    labels = traitlets.Dict().tag(sync=True)
    texts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    questions = traitlets.Dict().tag(sync=True)
    guesses = traitlets.Dict().tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    _css = style()

    def __init__(
        self,
        arrays: Mapping[str, Tensor],
        texts: Iterable[str],
        *,
        title: str,
        labels: Mapping[str, Any] | None = None,
        predict: Mapping[int, str | Mapping[str, Any]] | None = None,
        step: int = 0,
    ) -> None:
        meta, frames = pack(arrays)
        said = list(texts)
        if not said:
            raise WidgetError(f"{title!r} has no step to show.", "record at least one step before drawing it.")
        super().__init__(
            frames=frames,
            meta=meta,
            labels=dict(labels or {}),
            texts=said,
            title=title,
            questions=_questions(predict or {}, len(said)),
            step=step,
        )

    @traitlets.validate("step")
    def _inside(self, proposal: dict[str, Any]) -> int:
        return min(max(0, proposal["value"]), max(0, len(self.texts) - 1))

    def as_text(self) -> str:
        """Every step as a line of text: what a saved notebook, a diff and a screen reader have."""
        lines = [f"{number:3d}  {text}" for number, text in enumerate(self.texts, start=1)]
        return "\n".join([f"{self.title} ({len(lines)} steps)", *lines])

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            bundle[0]["text/plain"] = self.as_text()
        return bundle


def _questions(predict: Mapping[int, str | Mapping[str, Any]], count: int) -> dict[str, Any]:
    for step in predict:
        if not 0 < step < count:
            raise WidgetError(
                f"a prediction is asked at step {step}, and the steps that can be hidden are 1 to {count - 1}.",
                "ask before something happens: step 0 is what the reader sees first.",
            )
    return {
        str(step): {"question": asked} if isinstance(asked, str) else dict(asked) for step, asked in predict.items()
    }
