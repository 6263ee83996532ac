# ruff: noqa: E501  a cell is easier to read as one line
"""A sandboxed Jupyter kernel: nbclient runs a notebook in it, and it can be interrupted, restarted and ended."""

import asyncio
import json
import os
import tomllib
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import EntryPoint
from pathlib import Path

import nbformat
import pytest
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.provisioning import KernelProvisionerFactory
from nbclient import NotebookClient

from seqlib.grading.sandbox import kernelspec, provisioner

from .conftest import ROOT

NAME, GROUP = "seqlib-sandbox", "jupyter_client.kernel_provisioners"
PLACE = f"{provisioner.SandboxProvisioner.__module__}:SandboxProvisioner"


@pytest.fixture
def sandboxed(tmp_path, monkeypatch, need):
    """The kernelspec, installed for this test only; returns where."""
    need("bwrap")
    factory = KernelProvisionerFactory.instance()
    monkeypatch.setitem(factory.provisioners, NAME, EntryPoint(NAME, PLACE, GROUP))
    folder = kernelspec.install(str(tmp_path))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    return folder


def test_the_entry_point_is_declared():
    """Whoever installs the project can name the provisioner in a kernelspec."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert project["entry-points"][GROUP] == {NAME: PLACE}


def test_the_kernelspec_is_installed_where_jupyter_looks(tmp_path):
    """The documented command writes a kernelspec that names the provisioner."""
    folder = Path(kernelspec.install(str(tmp_path)))

    spec = KernelSpec.from_resource_dir(str(folder))

    assert folder == tmp_path / "share" / "jupyter" / "kernels" / kernelspec.NAME
    assert spec.display_name == "Python 3 (sandboxed)"
    assert spec.metadata["kernel_provisioner"]["provisioner_name"] == NAME


@pytest.mark.slow
def test_nbclient_runs_a_notebook_in_it(sandboxed):
    """Cells run and plots are kept; there is no network, no file of the grader's, no variable of the host's."""
    secret = [str(ROOT / "solutions"), str(ROOT / "seqlib"), "/etc/shadow"]
    sources = [
        "import os, socket, sys\nprint(os.getcwd(), 'SECRET' in os.environ)",
        f"print([p for p in {secret!r} if os.path.exists(p)])",
        "try: socket.socket()\nexcept OSError as error: print(error.strerror)",
        "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])",
        "import seqlib.nn, importlib.util\nprint(importlib.util.find_spec('seqlib.grading'))",
        "from ctypes import CDLL\nask = CDLL(None).prctl\nprint(ask(39, 0, 0, 0, 0), ask(21, 0, 0, 0, 0), os.getuid() == 0)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])

    NotebookClient(notebook, kernel_name=kernelspec.NAME, timeout=120).execute(env=os.environ | {"SECRET": "1"})

    texts = ["".join(output.get("text", "") for output in cell.outputs) for cell in notebook.cells]
    assert texts[0] == "/home/student False\n"
    assert texts[1] == "[]\n"
    assert texts[2] == "Operation not supported\n"
    assert "image/png" in notebook.cells[3].outputs[0]["data"]
    assert texts[4] == "None\n"
    assert texts[5] == "1 2 False\n"


@pytest.mark.slow
def test_it_is_interrupted_restarted_and_ended(sandboxed):
    """An interrupt ends a cell and keeps names; a restart forgets them; at the end nothing is left."""
    told = apart(live())

    assert told["interrupted"] == "KeyboardInterrupt"
    assert told["kept"] == "1\n"
    assert told["restarted"] == "False\n"
    assert not told["alive"]
    assert not Path(told["folder"]).exists()


@pytest.mark.slow
def test_a_killed_kernel_leaves_nothing(sandboxed):
    """After a kill no process of the sandbox runs, also not one that the notebook started."""
    mark = f"left-{os.getpid()}"

    assert apart(killed(mark)) == []


def apart(work):
    """Run in a thread of its own: a browser that other tests have open keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def live() -> dict:
    """A kernel's whole life."""
    manager = AsyncKernelManager(kernel_name=kernelspec.NAME, kernel_spec_manager=KernelSpecManager())
    await manager.start_kernel()
    client = await connected(manager)
    await said(client, "x = 1")
    endless = asyncio.create_task(said(client, "print('on', flush=True)\nwhile True: pass"))
    await asyncio.sleep(2)
    await manager.interrupt_kernel()
    told = {"interrupted": (await endless)[1], "kept": (await said(client, "print(x)"))[0]}
    client.stop_channels()
    await manager.restart_kernel(now=True)
    client = await connected(manager)
    told["restarted"] = (await said(client, "print('x' in globals())"))[0]
    client.stop_channels()
    told["folder"] = str(Path(manager.connection_file).parents[1])
    await manager.shutdown_kernel()
    told["alive"] = await manager.is_alive()
    return told


async def killed(mark: str) -> list[str]:
    """What is left of a kernel that was killed."""
    manager = AsyncKernelManager(kernel_name=kernelspec.NAME, kernel_spec_manager=KernelSpecManager())
    await manager.start_kernel()
    client = await connected(manager)
    await said(client, f"import subprocess\nsubprocess.Popen(['sleep', '600'], env={{'MARK': '{mark}'}})")
    client.stop_channels()
    assert marked(mark)
    await manager.shutdown_kernel(now=True)
    for _ in range(100):
        if not marked(mark):
            break
        await asyncio.sleep(0.1)
    return marked(mark)


async def connected(manager):
    """A client of a kernel that is ready."""
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=120)
    return client


async def said(client, source: str) -> tuple[str, str]:
    """What a cell printed, and the name of its error."""
    texts: list[str] = []
    reply = await client.execute_interactive(
        source, allow_stdin=False, timeout=120, output_hook=lambda m: texts.append(m["content"].get("text", ""))
    )
    return "".join(texts), reply["content"].get("ename", "")


def marked(mark: str) -> list[str]:
    """Processes with this in their environment."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            if mark.encode() in Path(f"/proc/{entry}/environ").read_bytes():
                found.append(entry)
        except OSError:
            continue
    return found


def test_the_spec_is_json():
    """What is installed can be read by any Jupyter."""
    assert json.loads(json.dumps(kernelspec.SPEC)) == kernelspec.SPEC
