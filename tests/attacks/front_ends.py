"""How front ends write a notebook: the same cells in the forms in which they are handed in."""

import json
import random
from collections.abc import Callable
from typing import Any

__all__ = ["FRONT_ENDS"]

Notebook = dict[str, Any]


def as_json(notebook: Notebook, **style: Any) -> bytes:
    """Write it as Jupyter would, unless another style is asked for."""
    return (json.dumps(notebook, **({"indent": 1, "ensure_ascii": False} | style)) + "\n").encode()


def _code(notebook: Notebook) -> list[Notebook]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def _jupyter(notebook: Notebook, draw: random.Random) -> bytes:
    """JupyterLab, after a run: counts, outputs, times."""
    for number, cell in enumerate(_code(notebook), start=1):
        cell["execution_count"] = number
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["old\n"]}]
        cell["metadata"]["execution"] = {
            "iopub.execute_input": "2026-11-20T10:00:00.000000Z",
            "shell.execute_reply": "x",
        }
    notebook["metadata"]["toc"] = {"base_numbering": 1, "sideBar": True}
    return as_json(_lines(notebook))


def _old_jupyter(minor: int) -> Callable[[Notebook, random.Random], bytes]:
    def write(notebook: Notebook, draw: random.Random) -> bytes:
        for cell in notebook["cells"]:
            cell.pop("id", None)
            cell["metadata"] |= {"collapsed": False, "scrolled": True} if cell["cell_type"] == "code" else {}
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        language = {"name": "python", "version": "3.6.9", "codemirror_mode": {"name": "ipython", "version": 3}}
        notebook |= {"nbformat_minor": minor, "metadata": {"kernelspec": kernel, "language_info": language}}
        return as_json(_lines(notebook))

    return write


def _colab(notebook: Notebook, draw: random.Random) -> bytes:
    """Colab: ids in the metadata, marks of its own, no marks of ours."""
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] = {"id": f"aB{number}", "colab": {"base_uri": "https://localhost:8080/"}, "outputId": "x"}
        cell.pop("id", None)
    colab = {"provenance": [], "gpuType": "T4", "toc_visible": True, "private_outputs": True}
    notebook["metadata"] = {
        "colab": colab,
        "accelerator": "GPU",
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
    }
    return as_json(notebook | {"nbformat_minor": 0}, indent=2)


def _vscode(notebook: Notebook, draw: random.Random) -> bytes:
    """VS Code: another name of the kernel, its own language marks."""
    kernel = {"display_name": ".venv (3.12.3)", "language": "python", "name": "python3"}
    notebook["metadata"] = {
        "kernelspec": kernel,
        "language_info": {"name": "python", "version": "3.12.3"},
        "orig_nbformat": 4,
    }
    for cell in notebook["cells"]:
        cell["metadata"] |= {"vscode": {"languageId": "python"}} if cell["cell_type"] == "code" else {}
        cell.pop("id", None)
    return as_json(_lines(notebook), indent=1)


def _kaggle(notebook: Notebook, draw: random.Random) -> bytes:
    """Kaggle: tags, its own ids, times, everything on one line."""
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] = {
            "_uuid": f"{number:040x}",
            "_cell_guid": f"{number:08x}-x",
            "trusted": True,
            "tags": ["keep"],
        }
        cell.pop("id", None)
    notebook["metadata"] = {"kaggle": {"accelerator": "none", "dataSources": []}, "kernelspec": {"name": "python3"}}
    return as_json(notebook | {"nbformat_minor": 4}, indent=None, separators=(",", ":"))


def _jupytext(notebook: Notebook, draw: random.Random) -> bytes:
    """Jupytext: its headers, lost ids, some marks."""
    text = {"extension": ".py", "format_name": "percent", "format_version": "1.3", "jupytext_version": "1.19.6"}
    notebook["metadata"]["jupytext"] = {"text_representation": text, "formats": "ipynb,py:percent"}
    for cell in notebook["cells"]:
        cell["metadata"]["lines_to_next_cell"] = 2
        cell.pop("id", None)
    return as_json(notebook | {"nbformat_minor": 5})


def _deepnote(notebook: Notebook, draw: random.Random) -> bytes:
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] = {"cell_id": f"{number:032x}", "deepnote_cell_type": cell["cell_type"], "source_hash": None}
        cell.pop("id", None)
    notebook["metadata"] = {"deepnote": {}, "deepnote_execution_queue": [], "deepnote_notebook_id": "x"}
    return as_json(notebook | {"nbformat_minor": 0})


def _papermill(notebook: Notebook, draw: random.Random) -> bytes:
    notebook["metadata"]["papermill"] = {"parameters": {}, "exception": None, "duration": 1.5}
    for cell in notebook["cells"]:
        cell["metadata"] |= {
            "papermill": {"status": "completed", "duration": 0.1},
            "tags": ["parameters", "hide-input"],
        }
    return as_json(notebook)


def _crlf(notebook: Notebook, draw: random.Random) -> bytes:
    """Saved on Windows by hand: line ends in the file and in the sources."""
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n")
    return as_json(notebook).replace(b"\n", b"\r\n")


def _bom(notebook: Notebook, draw: random.Random) -> bytes:
    return b"\xef\xbb\xbf" + as_json(notebook, ensure_ascii=True, indent="\t")


def _same_ids(notebook: Notebook, draw: random.Random) -> bytes:
    """Cells copied by a front end that copies ids and marks too."""
    for cell in notebook["cells"]:
        cell["id"] = "same"
    notebook["cells"].append(dict(notebook["cells"][0]))
    return as_json(notebook)


def _strange_kernel(notebook: Notebook, draw: random.Random) -> bytes:
    notebook["metadata"]["kernelspec"] = {
        "display_name": "deep (conda)",
        "language": "python",
        "name": "conda-env-deep-py",
    }
    notebook["metadata"]["language_info"] = {"name": "python", "version": "3.9.18", "file_extension": ".py"}
    return as_json(notebook)


def _no_metadata(notebook: Notebook, draw: random.Random) -> bytes:
    for cell in _code(notebook):
        cell["outputs"], cell["execution_count"] = [], draw.randrange(99)
    return as_json(notebook | {"metadata": {}})


def _widget_state(notebook: Notebook, draw: random.Random) -> bytes:
    state = {"version_major": 2, "version_minor": 0, "state": {f"{n:032x}": {"model_name": "x"} for n in range(200)}}
    notebook["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": state}
    picture = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"image/png": "iVBORw0KGgo=" * 20_000, "text/plain": "x"},
    }
    _code(notebook)[-1]["outputs"] = [picture]
    return as_json(notebook)


def _lines(notebook: Notebook) -> Notebook:
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    return notebook


FRONT_ENDS: dict[str, Callable[[Notebook, random.Random], bytes]] = {
    "plain": lambda notebook, draw: as_json(notebook),
    "jupyter": _jupyter,
    "jupyter 4.0": _old_jupyter(0),
    "jupyter 4.1": _old_jupyter(1),
    "jupyter 4.2": _old_jupyter(2),
    "jupyter 4.3": _old_jupyter(3),
    "jupyter 4.4": _old_jupyter(4),
    "colab": _colab,
    "vs code": _vscode,
    "kaggle": _kaggle,
    "jupytext": _jupytext,
    "deepnote": _deepnote,
    "papermill": _papermill,
    "windows": _crlf,
    "byte order mark": _bom,
    "same ids": _same_ids,
    "another kernel": _strange_kernel,
    "no metadata": _no_metadata,
    "widget state": _widget_state,
}
