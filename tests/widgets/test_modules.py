"""The ES modules: written into one, and tested under node."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from seqlib.errors import WidgetError
from seqlib.widgets import inline
from seqlib.widgets.modules import HERE

JS = Path(__file__).with_name("js")
NAMES = sorted(file.stem for file in HERE.glob("*.js"))


@pytest.mark.parametrize("name", NAMES)
def test_the_module_is_self_contained(name):
    """The inlined module imports nothing, exports its widget, and holds each shared file once."""
    text = inline(name)

    assert not re.search(r"^import\b", text, re.MULTILINE)
    assert text.count("export default") == 1
    assert text.count('modules["static/core.js"] = ') == 1


@pytest.mark.parametrize("name", NAMES)
def test_nothing_comes_from_the_network(name):
    """No module names an address, apart from the one that is the name of SVG."""
    addresses = set(re.findall(r"\w+://[^\s\"'`)]*", inline(name)))

    assert addresses <= {"http://www.w3.org/2000/svg"}


def test_an_unknown_module_is_named():
    """The error says what was asked for and what there is."""
    with pytest.raises(WidgetError) as caught:
        inline("perceptron")

    assert caught.value.what == "no stepper module is called 'perceptron'."
    assert caught.value.hint == f"choose one of: {', '.join(NAMES)}."


def test_every_module_of_a_stepper_lies_beside_its_python_file():
    """`recurrent.js` is drawn by `recurrent.py`, and so on for all."""
    assert all((HERE / f"{name}.py").is_file() for name in NAMES)


@pytest.mark.node
def test_under_node(need, harness, small, parting, long, trellis, tmp_path):
    """The core's pure functions and the steppers' pictures hold under `node --test`, and none is skipped."""
    states = {"recurrent": small, "parting": parting, "long": long, "trellis": trellis}
    file = tmp_path / "steppers.json"
    file.write_text(json.dumps({name: harness["state_of"](stepper) for name, stepper in states.items()}))
    command = [need("node"), "--test", *map(str, sorted(JS.glob("*.test.mjs")))]

    ran = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "SEQLIB_STEPPERS": str(file)})

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"^# skipped 0$|^ℹ skipped 0$", ran.stdout, re.MULTILINE), ran.stdout
