"""What IPython and matplotlib read: a list of fonts comes along, and nothing from folders that others may write to."""

import json
from pathlib import Path

import pytest

from seqlib.grading.limits import ProcessLimits, open_limits
from seqlib.grading.outputs import NotebookOutputs, OutputLimits
from seqlib.grading.sandbox.box import BoxLimits
from seqlib.grading.sandbox.environment import parent_environment
from seqlib.grading.sandbox.image import Image
from seqlib.grading.sandbox.warm import start_warm

ROOT = Path(__file__).parents[3]


@pytest.fixture
def lists(tmp_path, monkeypatch):
    """A folder where matplotlib keeps its lists; its own list lacks all fonts but two."""
    import matplotlib.font_manager as fonts

    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path))
    whole = tmp_path / "whole.json"
    fonts.json_dump(fonts.fontManager, whole)
    made = json.loads(whole.read_text())
    bundled = [font for font in made["ttflist"] if not Path(font["fname"]).is_absolute()][:2]
    homemade = bundled[0] | {"fname": "/home/instructor/secret.ttf", "name": "Secret"}
    made["ttflist"] = [*bundled, homemade]
    (tmp_path / f"fontlist-v{fonts.FontManager.__version__}.json").write_text(json.dumps(made))
    return tmp_path


def test_the_list_is_used_without_fonts_of_the_graders_home(lists, need):
    """The import finds the list; a font that lies in a home is not in it."""
    need("bwrap")
    with Image(ROOT, {}) as image, open_limits() as limits:
        boxes = start_warm(image, BoxLimits(), limits, ProcessLimits())
        try:
            box = boxes.open(NotebookOutputs(OutputLimits()))
            asked = "import matplotlib.font_manager as f; print(len(f.fontManager.ttflist))"
            outputs = box.run(asked, 60).outputs
            box.close()
        finally:
            boxes.close()
    assert outputs[0]["text"] == "2\n"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"ttflist": 3, "afmlist": []}', '{"ttflist": [{}], "afmlist": []}'])
def test_a_broken_list_is_left_out(lists, text):
    """Then matplotlib makes its own, as it does where there is none."""
    for path in lists.glob("fontlist-*"):
        path.write_text(text)
    with Image(ROOT, {}) as image:
        assert not (image.folder / "own" / "matplotlib").exists()


def test_without_a_sandbox_settings_come_from_a_folder_of_our_own():
    """`/tmp/ipython` may be somebody else's, with code that starts with every kernel."""
    with Image(ROOT, {}) as image:
        variables = parent_environment(image, inside=False)
        assert image.home.stat().st_mode & 0o777 == 0o700
        assert all(Path(variables[n]).is_relative_to(image.home) for n in ("HOME", "IPYTHONDIR", "MPLCONFIGDIR"))
