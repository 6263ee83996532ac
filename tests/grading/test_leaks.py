"""The leak test finds an answer wherever it is put."""

import base64
import gzip
import io
import json
import tarfile
import zipfile
import zlib

import pytest
import torch
from safetensors.torch import save

from seqlib.errors import ReleaseError
from seqlib.grading.leaks import find_leaks, normalise, refuse_leaks, secret_lines
from seqlib.grading.source import find_source

SECRET = "total = (weights * values).sum(dim=-1)"
SECRETS = {normalise(SECRET): "a0.py line 7"}


def notebook(**entry: object) -> bytes:
    cell = {"cell_type": "code", "source": ["x = 1\n"], "metadata": {}, "outputs": []} | entry
    return json.dumps({"cells": [cell], "nbformat": 4}).encode()


def zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deep/answers.txt", data)
    return buffer.getvalue()


def tarred(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        item = tarfile.TarInfo("answers.txt")
        item.size = len(data)
        archive.addfile(item, io.BytesIO(data))
    return buffer.getvalue()


PLAIN = SECRET.encode()
PLACES = {
    "a line of text": b"first\n  " + PLAIN + b"\n",
    "other white space and quotes": b"total=( weights*values ) . sum( dim = -1 )",
    "broken over lines": b"total = (weights\n   * values).sum(\n   dim=-1)",
    "a cell's source": notebook(source=["a\n", SECRET + "\n"]),
    "an output": notebook(outputs=[{"output_type": "stream", "name": "stdout", "text": [SECRET]}]),
    "metadata": notebook(metadata={"hidden": {"deep": [SECRET]}}),
    "a metadata key": notebook(metadata={SECRET: 1}),
    "an attachment": notebook(attachments={"a.png": {"image/png": base64.b64encode(b"\x89PNG" + PLAIN).decode()}}),
    "base64": b"x = '" + base64.b64encode(PLAIN) + b"'",
    "base64 over lines": base64.encodebytes(b"padding of any kind " * 9 + PLAIN),
    "hexadecimal": PLAIN.hex().encode(),
    "gzip": gzip.compress(PLAIN),
    "zlib": zlib.compress(PLAIN),
    "zip": zipped(PLAIN),
    "tar": tarred(PLAIN),
    "zip in gzip in base64": base64.b64encode(gzip.compress(zipped(PLAIN))),
    "a tensor of bytes": save({"x": torch.tensor(list(PLAIN), dtype=torch.uint8)}),
    "a tensor of int64": save({"x": torch.tensor(list(PLAIN))}),
    "a tensor of float32": save({"x": torch.tensor(list(PLAIN), dtype=torch.float32)}),
    "a tensor's name": save({SECRET: torch.zeros(2)}),
    "a safetensors header": save({"x": torch.zeros(2)}, {"note": SECRET}),
    "UTF-16": b"\xff\xfe" + SECRET.encode("utf-16-le"),
    "binary around it": bytes(range(256)) + PLAIN + bytes(range(256)),
    "bytes of a Python string": b"x = " + repr(zlib.compress(PLAIN)).encode(),
}


@pytest.mark.parametrize("data", PLACES.values(), ids=PLACES.keys())
def test_a_planted_answer_is_found(data):
    """Whatever layer the line lies in, it is found."""
    assert list(find_leaks([("file.py", data)], SECRETS))


def test_a_clean_file_is_clean():
    """A line that only resembles the answer is none."""
    clean = notebook(source=["total = (weights * values).sum(dim=0)\n"])

    assert list(find_leaks([("a.ipynb", clean), ("c.safetensors", save({"x": torch.randn(9)}))], SECRETS)) == []


def test_the_refusal_names_file_and_line():
    """The error says which file, which line of it, and where the answer comes from."""
    with pytest.raises(ReleaseError) as refused:
        refuse_leaks([("a.py", b"x = 1\ny = 2\n" + PLAIN)], SECRETS)

    assert refused.value.what == (
        "a.py line 3 shows an answer: 'total=(weights*values).sum(dim=-1)' from a0.py line 7."
    )


def test_secrets_are_what_the_skeleton_does_not_show(toy_root):
    """Solutions, references, mistakes and variants are secret; signatures, texts, stubs and input makers are not."""
    secrets = secret_lines(find_source("a0_toy", toy_root))

    for line in (
        "return (1 - alpha) * h + alpha * squashed_input",
        "return torch.lerp(h, x.tanh(), weight=alpha)",
        "return torch.cumsum(x, dim=0 * x.dim())",
        "return h + alpha * (torch.tanh(x) - h)",
        "reference_leak(x, h, alpha)",
    ):
        assert normalise(line) in secrets
    for line in (
        '"""Mix the old state and the new one."""',
        "new = ...  # squash x first",
        "return case.randn(*SIZES), case.randn(*SIZES), 0.25",
        "x, h, alpha = case.leak_inputs()",
    ):
        assert normalise(line) not in secrets


def test_a_canary_is_secret_wherever_it_is_planted(toy_root):
    """A canary in any file of the assignment is searched for, the shown parts included."""
    checks = toy_root / "solutions/a0_toy/checks.py"
    checks.write_text(
        checks.read_text("utf-8").replace("SIZES = (2, 3)", "SIZES = (2, 3)  # canary-00aa11bb22"), "utf-8"
    )

    secrets = secret_lines(find_source("a0_toy", toy_root))

    assert {"canary-00aa11bb22", "canary-4f3a9b1c77"} <= secrets.keys()
