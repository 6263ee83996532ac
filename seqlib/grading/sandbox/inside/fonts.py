"""matplotlib's list of fonts, brought along: without it the import looks at every font of the system, for a second."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

__all__ = ["FONT_LISTS", "bring_font_lists"]

FONT_LISTS = "matplotlib"


def bring_font_lists() -> None:
    """Put the lists where matplotlib looks for them; to be called before it is imported."""
    lists, wanted = Path(__file__).parents[1] / FONT_LISTS, os.environ.get("MPLCONFIGDIR")
    if wanted and lists.is_dir():
        with suppress(OSError):  # there is a folder already, with what somebody else has put there
            shutil.copytree(lists, wanted)
