"""A lecture's text as a notebook, and the notebook with its outputs and the state of its steppers."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import jupytext
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from seqlib.errors import ExportError
from seqlib.threads import limit_threads

__all__ = ["read_lecture", "run_lecture"]

CELL_TIMEOUT_S = 600
_COLOUR_CODE = re.compile(r"\x1b\[[0-9;]*m")


def read_lecture(path: Path) -> NotebookNode:
    """Read a lecture: a jupytext script, or a notebook.

    Raises:
        ExportError: There is no such file, or it is no notebook.
    """
    if not path.is_file():
        raise ExportError(f"there is no file {path}.", "name a lecture by its number or its file.")
    try:
        return jupytext.read(path)
    except Exception as error:  # jupytext and nbformat raise many kinds for a broken file
        raise ExportError(f"{path} is no notebook: {error}.", "open it in JupyterLab and save it again.") from error


def run_lecture(notebook: NotebookNode, path: Path, on_cell: Callable[[int, int], None]) -> None:
    """Run every cell in a fresh kernel and keep the outputs and the state of the steppers in `notebook`.

    Args:
        notebook: What `read_lecture` returned; it is filled in place.
        path: The lecture's file: the kernel starts in its folder.
        on_cell: Told after each code cell: how many are done, and how many there are.

    Raises:
        ExportError: A cell fails or takes longer than ten minutes.
    """
    total = sum(cell.cell_type == "code" for cell in notebook.cells)
    done = 0

    def after(cell: NotebookNode, cell_index: int, **_: object) -> None:
        nonlocal done
        if cell.cell_type == "code":
            done += 1
            on_cell(done, total)

    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent.resolve())}},
        store_widget_state=True,
        extra_arguments=["--HistoryManager.enabled=False", "--log-level=40"],
        on_cell_complete=after,
    )
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")  # the kernel of this Python, not of another one
    try:
        with limit_threads():
            client.execute()
    except CellExecutionError as error:
        said = _COLOUR_CODE.sub("", error.evalue).strip().partition("\n")[0]
        raise _failed(notebook, path, f"{error.ename}: {said}") from error
    except (CellTimeoutError, DeadKernelError) as error:
        raise _failed(notebook, path, f"it ran for over {CELL_TIMEOUT_S} s or its kernel died") from error


def _failed(notebook: NotebookNode, path: Path, why: str) -> ExportError:
    running = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.get("execution_count")]
    last = running[-1].source.strip().splitlines()[0] if running and running[-1].source.strip() else "the first cell"
    return ExportError(
        f"{path.name} stops in the cell that starts with `{last}`: {why.rstrip('.')}.",
        "open the lecture with seqlib lab, run all cells, and mend that one.",
    )
