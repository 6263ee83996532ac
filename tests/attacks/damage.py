# ruff: noqa: E501 - what is handed in is text, and its longest lines stay as they would be written
"""Damaging: the notebook, its folder, its pack. Whatever it is, it gets a verdict or a reason, and the batch goes on."""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.attacks.attack import RIGHT, Attack, cell, grade_id
from tests.attacks.scene import Scene

Notebook = dict[str, Any]


def _damage(name: str, tries: str, **more: Any) -> Attack:
    return Attack(name=f"damage-{name}", category="damage", tries=tries, **more)


def _plain(notebook: Notebook) -> bytes:
    return json.dumps(notebook, indent=1).encode()


def _raw(data: bytes) -> Callable[[Notebook], bytes]:
    return lambda notebook: data


def _each_check(change: Callable[[Notebook], list[Notebook]]) -> Callable[[Notebook], None]:
    """Change every cell that tests something: ours call `check`, others assert."""

    def rewrite(notebook: Notebook) -> None:
        notebook["cells"] = [new for made in notebook["cells"] for new in (change(made) if is_test(made) else [made])]

    return rewrite


def is_test(made: Notebook) -> bool:
    """Whether a cell gives points."""
    mark = made.get("metadata", {}).get("nbgrader", {})
    return made["cell_type"] == "code" and bool(mark.get("grade")) and not mark.get("solution")


def _tagged(made: Notebook) -> list[Notebook]:
    made["metadata"] |= {"tags": ["skip-execution", "raises-exception", "remove_cell"], "deletable": True}
    return [made]


def _priced(made: Notebook) -> list[Notebook]:
    made["metadata"]["nbgrader"] |= {"points": 1000, "locked": False, "solution": True, "task": True}
    return [made]


def _doubled(made: Notebook) -> list[Notebook]:
    copies = [made | {"id": f"{made['id'][:40]}-{n}", "source": "100"} for n in range(2)]
    return [copies[0], made, copies[1]]


def _split(made: Notebook) -> list[Notebook]:
    source = made["source"]
    half = len(source) // 2
    return [made | {"source": source[:half]}, cell(source[half:])]


def _claimed(made: Notebook) -> list[Notebook]:
    text = f"{grade_id(made)}: Passed (100 of 100 points)."
    data = {"text/plain": text, "text/html": f"<b>{text}</b>"}
    made["source"] = "100"
    made["outputs"] = [{"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1}]
    return [made]


def _own_graded_cells(notebook: Notebook) -> None:
    for number in range(3):
        mark = {"grade": True, "grade_id": f"bonus{number}", "locked": True, "points": 1000, "schema_version": 3}
        mark |= {"solution": False, "task": False, "cell_type": "code", "checksum": "0" * 32}
        notebook["cells"].append(cell("1000", metadata={"nbgrader": mark}))


def _kernel(notebook: Notebook) -> None:
    notebook["metadata"] = {
        "kernelspec": {"name": "../../../../@OUTSIDE@", "argv": ["/bin/sh", "-c", "touch @OUTSIDE@/@MARK@"], "language": "bash"},
        "language_info": {"name": "<script>window.owned = 1</script>"},
        "seqlib": {"score": 100}, "widgets": {"a": "b"}, "nbgrader": {"points": 100},
    }  # fmt: skip


def _strange_cells(notebook: Notebook) -> None:
    strange = [
        None,
        7,
        [],
        {"cell_type": "code"},
        {"cell_type": 3, "source": 5},
        {"cell_type": "code", "source": {"a": 1}},
    ]
    notebook["cells"] += strange


def _strange_marks(notebook: Notebook) -> None:
    values = [[], {}, 7, None, "x" * 10**6, "../../..", "scaling\0", "<b>scaling</b>", ["scaling"]]
    notebook["cells"] += [cell("1", metadata={"nbgrader": {"grade_id": value, "grade": True}}) for value in values]
    notebook["cells"] += [cell("1", metadata=value) for value in ([], "a", 7, None)]
    notebook["cells"] += [cell("1", outputs=value) for value in ({}, "a", 7, [7], [{"output_type": []}])]


def _attachments(notebook: Notebook) -> None:
    forms = {
        "image/svg+xml": "PHN2Zy8+",
        "text/html": "<script>window.owned = 1</script>",
        "image/png": "A" * (4 << 20),
    }
    names = ("a.png", "../../@MARK@", "a\0b", "<img src=x>", "")
    files: dict[str, Any] = dict.fromkeys(names, forms) | {"b": [], "c": 7}
    notebook["cells"].append(
        cell("![](attachment:a.png) ![](attachment:../../@MARK@) ![](attachment:none)", "markdown", attachments=files)
    )
    notebook["cells"].append(cell("1", attachments="x"))


def _symlink(target: str) -> Callable[[Path, bytes, Scene], None]:
    return lambda path, data, scene: path.symlink_to(scene.tell(target))


def _fifo(path: Path, data: bytes, scene: Scene) -> None:
    os.mkfifo(path)


def _folder(path: Path, data: bytes, scene: Scene) -> None:
    path.mkdir()
    (path / "target.ipynb").write_bytes(data)


def _sparse(path: Path, data: bytes, scene: Scene) -> None:
    path.write_bytes(data)
    os.truncate(path, 1 << 31)


def _crowd(path: Path, data: bytes, scene: Scene) -> None:
    for name in ("a.ipynb", "b.ipynb", ".hidden.ipynb", "target.ipynb.ipynb", "TARGET.ipynb", "x\n.ipynb"):
        path.with_name(name).write_bytes(data)
    path.with_name("timestamp.txt").unlink(missing_ok=True)
    path.with_name("timestamp.txt").symlink_to(scene.key)


CELLS = [
    _damage("skip-tags", "Tags the tests as cells to be skipped.", rewrite=_each_check(_tagged)),
    _damage("points-in-metadata", "Writes other points into the tests' metadata.", rewrite=_each_check(_priced)),
    _damage("own-graded-cells", "Adds graded cells of its own, worth a thousand points each.", rewrite=_own_graded_cells),
    _damage("doubled-tests", "Puts copies that give points before and after each test.", rewrite=_each_check(_doubled)),
    _damage("split-tests", "Splits each test into two cells.", rewrite=_each_check(_split)),
    _damage("deleted-tests", "Deletes the tests.", rewrite=_each_check(lambda made: [])),
    _damage("deleted-tests-right", "Deletes the tests of right answers.", answers=RIGHT, earns=100, rewrite=_each_check(lambda made: [])),
    _damage("claimed-outputs", "Replaces the tests by outputs that say that they passed.", rewrite=_each_check(_claimed)),
    _damage("tests-as-markdown", "Makes the tests cells of text.",
            rewrite=_each_check(lambda made: [{k: v for k, v in made.items() if k not in ("outputs", "execution_count")} | {"cell_type": "markdown"}])),
    _damage("kernel-of-its-own", "Names a kernel of its own, with a command line.", rewrite=_kernel),
    _damage("strange-cells", "Has cells that are no cells.", rewrite=_strange_cells),
    _damage("strange-marks", "Has marks, metadata and outputs of all wrong types.", rewrite=_strange_marks, earns=0),
    _damage("attachments", "Attaches scripts, paths and megabytes to its texts.", rewrite=_attachments),
    _damage("many-cells", "Has fifty thousand cells.", rewrite=lambda notebook: notebook["cells"].extend([cell("1")] * 50_000)),
    _damage("surrogates", "Has characters that no encoding has.", answers=RIGHT, earns=None,
            rewrite=lambda notebook: notebook["cells"].extend([cell("x = '\ud800'\nprint(x)"), cell("# \udfff", "markdown")])),
    _damage("controls", "Has null bytes, terminal codes and direction marks in its text.", answers=RIGHT, earns=None,
            rewrite=lambda notebook: notebook["cells"].extend([cell("a\0b"), cell("\0\x1b[2J\u202e\ufeff<b>", "markdown"), cell("print('\\0\\x1b]0;x\\x07')")])),
]  # fmt: skip

BYTES = [
    _damage("not-json", "Is cut off in the middle.", encode=lambda notebook: _plain(notebook)[:-60]),
    _damage("null-bytes", "Is full of null bytes.", encode=lambda notebook: _plain(notebook).replace(b" ", b"\0")),
    _damage("not-utf-8", "Is no UTF-8.", encode=lambda notebook: _plain(notebook).replace(b"Something", b"\xff\xfe\x80")),
    _damage("utf-16", "Is UTF-16.", encode=lambda notebook: _plain(notebook).decode().encode("utf-16")),
    _damage("empty", "Is empty.", encode=_raw(b"")),
    _damage("deep", "Is nested a hundred thousand deep.", encode=_raw(b'{"cells":' + b"[" * 100_000 + b"]" * 100_000 + b"}")),
    _damage("huge-number", "Has a number of five hundred thousand digits.",
            encode=lambda notebook: _plain(notebook)[:-2] + b', "nbformat_minor": ' + b"9" * 500_000 + b"}"),
    _damage("nan", "Has NaN and infinities where numbers belong.",
            encode=lambda notebook: _plain(notebook).replace(b'"execution_count": null', b'"execution_count": NaN').replace(b'"points": ', b'"points": Infinity, "x": ')),
    _damage("double-keys", "Has every key twice, first harmless.",
            encode=lambda notebook: b'{"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {},' + _plain(notebook)[1:]),
    _damage("old-format", "Says that it is of format 3.", encode=lambda notebook: _plain(notebook | {"nbformat": 3, "worksheets": [{"cells": notebook["cells"]}]}), earns=0),
    _damage("huge-output", "Holds fifty megabytes of output.",
            rewrite=lambda notebook: notebook["cells"].append(cell("1", outputs=[{"output_type": "stream", "name": "stdout", "text": "spam " * 10_000_000}]))),
    _damage("many-keys", "Has a million keys.", encode=lambda notebook: _plain(notebook | {"metadata": dict.fromkeys(map(str, range(10**6)), 0)})),
]  # fmt: skip

FILES = [
    _damage("symlink-to-key", "Is a link to the course key.", place=_symlink("@KEY@")),
    _damage("symlink-to-sibling", "Is a link to another student's notebook.", place=_symlink("@SIBLING@")),
    _damage("symlink-to-itself", "Is a link to itself.", place=_symlink("target.ipynb")),
    _damage("symlink-to-device", "Is a link to a device that never ends.", place=_symlink("/dev/zero")),
    _damage("fifo", "Is a pipe that nobody writes into.", place=_fifo),
    _damage("folder", "Is a folder.", place=_folder),
    _damage("sparse", "Says that it is two gigabytes long.", place=_sparse, ours_only=True),
    _damage("crowd", "Comes with notebooks of many names, and a time that is a link to the key.", place=_crowd, ours_only=True),
]  # fmt: skip


def _zip(
    student: str, entries: dict[str, bytes], manifest: dict[str, Any] | None = None, attributes: int = 0o100644 << 16
) -> bytes:
    """A pack as `seqlib submit` would write it, but for what is asked; its digests are right."""
    buffer = io.BytesIO()
    files = {name: hashlib.sha256(data).hexdigest() for name, data in entries.items()}
    told = {"format": 1, "student": student, "assignment": "target", "release": "x", "files": files} | (manifest or {})
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in {"manifest.json": json.dumps(told).encode(), **entries}.items():
            item = zipfile.ZipInfo(name)
            item.external_attr = attributes
            item.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(item, data)
    return buffer.getvalue()


_EMPTY = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


def _lying_size(student: str, scene: Scene) -> bytes:
    """A pack whose entry says that it is small and is not."""
    data = bytearray(_zip(student, {"target.ipynb": bytes(64 << 20)}))
    real = (64 << 20).to_bytes(4, "little")
    return bytes(data.replace(real, (100).to_bytes(4, "little")))


PACKS = [
    _damage("zip-bomb", "Hands in a pack that unpacks to hundreds of megabytes.", pack=lambda student, scene: _zip(student, {"target.ipynb": bytes(1 << 28)}), ours_only=True),
    _damage("zip-lies", "Hands in a pack that lies about its sizes.", pack=_lying_size, ours_only=True),
    _damage("zip-traversal", "Hands in a pack with names that lead outside.", pack=lambda student, scene: _zip(student, {f"../../../outside/{scene.mark}": b"{}"}), ours_only=True),
    _damage("zip-absolute", "Hands in a pack for a student and an assignment whose names are paths.",
            pack=lambda student, scene: _zip(student, {"target.ipynb": b"{}"}, {"student": f"../../../outside/{scene.mark}"}), ours_only=True),
    _damage("zip-symlink", "Hands in a pack with a link in it.", pack=lambda student, scene: _zip(student, {"target.ipynb": b"/etc/passwd"}, attributes=0o120777 << 16), ours_only=True),
    _damage("zip-manifest", "Hands in a pack with a manifest that is no manifest.", pack=lambda student, scene: _zip(student, {"target.ipynb": b"{}"}, {"student": ["x"], "files": 7}), ours_only=True),
    _damage("zip-of-another", "Hands in a pack in the name of another student.",
            pack=lambda student, scene: _zip(student, {"target.ipynb": _EMPTY}, {"student": "zz-control"}), ours_only=True),
    _damage("no-zip", "Hands in a pack that is none.", pack=lambda student, scene: b"PK\x03\x04" + bytes(10**6), ours_only=True),
]  # fmt: skip

DAMAGE = [*CELLS, *BYTES, *FILES, *PACKS]
