"""What lies in assignments/ is what `seqlib release` makes of solutions/ today."""

import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file
from torch.testing import assert_close

from seqlib.grading.release import release

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.parent.name for path in ROOT.glob("solutions/*/assignment.toml"))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_committed_release_is_todays(name, tmp_path):
    """Built again, the notebook and the public checks are the same bytes, and the recorded values the same numbers."""
    shutil.copytree(ROOT / "solutions" / name, tmp_path / "solutions" / name)
    (tmp_path / "seqlib").symlink_to(ROOT / "seqlib")

    release(name, tmp_path)

    committed, built = ROOT / "assignments" / name, tmp_path / "assignments" / name
    assert {path.name for path in committed.iterdir()} == {path.name for path in built.iterdir()}
    for file in (f"{name}.ipynb", "checks_public.py"):
        assert (committed / file).read_bytes() == (built / file).read_bytes(), f"run: seqlib release {name}"
    # Another processor may add in another order, so the recorded values are held as numbers.
    assert_close(
        load_file(built / "cases.safetensors"),
        load_file(committed / "cases.safetensors"),
        rtol=1e-9,
        atol=1e-12,
        equal_nan=True,
    )
