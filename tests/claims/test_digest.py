"""The digest: what changes it, and what must not."""

from dataclasses import dataclass, replace

import pytest

from seqlib.claims import Claim
from seqlib.claims.digest import digest, sources
from seqlib.errors import ClaimError

FILES = {
    "__init__.py": "",
    "errors.py": "class Wrong(Exception): ...",
    "claim.py": "import torch\nfrom seqlib.nn.cell import step\nfrom seqlib.nn import heads\n",
    "nn/__init__.py": "from seqlib.nn.unused import nothing",
    "nn/cell.py": "from seqlib import errors\nfrom . import sizes\n",
    "nn/heads.py": "def head():\n    import seqlib.nn.late\n",
    "nn/late.py": "",
    "nn/sizes.py": "from ..top import number\nfrom .cell import step",
    "nn/unused.py": "",
    "top.py": "number = 1",
    "table.csv": "1,2",
}
FROZEN = "43a265a9bb5688899db0afd517295b568f555fd786a4314b7ae645a342493602"


@dataclass(frozen=True)
class Numbers:
    """Settings of the claim below."""

    steps: int = 3


def experiment(seed, settings):
    return {}


@pytest.fixture
def package(tmp_path):
    """A small package of the same name, written to disk and never imported."""
    for name, text in FILES.items():
        path = tmp_path / "seqlib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return tmp_path / "seqlib"


@pytest.fixture
def claim(monkeypatch):
    """A claim whose experiment stands in `seqlib.claim` of that package."""
    monkeypatch.setattr(experiment, "__module__", "seqlib.claim")
    return Claim(
        name="name",
        source="",
        statement="",
        criterion="",
        experiment=experiment,
        holds=bool,
        settings=Numbers(),
        seconds=1.0,
        data=("table.csv",),
    )


def test_imports_are_followed_to_the_module_that_is_named(package):
    """Absolute, relative and late imports are followed; a package that is only passed through is not."""
    assert list(sources("seqlib.claim", package)) == [
        "seqlib.claim",
        "seqlib.nn.cell",
        "seqlib.nn.heads",
        "seqlib.nn.late",
        "seqlib.nn.sizes",
        "seqlib.top",
    ]


def test_a_name_imported_from_a_package_brings_the_package(package):
    """Where the name is no module, the package's own file says where it comes from, and is followed."""
    (package / "claim.py").write_text("from seqlib.nn import nothing")

    assert list(sources("seqlib.claim", package)) == ["seqlib.claim", "seqlib.nn", "seqlib.nn.unused"]


@pytest.mark.parametrize("name", ["claim.py", "nn/sizes.py", "nn/late.py", "top.py", "table.csv"])
def test_a_change_in_what_is_used_changes_the_digest(package, claim, name):
    """Code that the experiment reaches, at any distance, and its data are in the digest."""
    before = digest(claim, package)
    (package / name).write_text(FILES[name] + "\n# changed")

    assert digest(claim, package) != before


@pytest.mark.parametrize("name", ["errors.py", "nn/__init__.py", "nn/unused.py"])
def test_a_change_in_what_is_not_used_leaves_the_digest(package, claim, name):
    """Neighbours, and modules with no arithmetic in them, run nothing again."""
    before = digest(claim, package)
    (package / name).write_text(FILES[name] + "\n# changed")

    assert digest(claim, package) == before


def test_other_settings_change_the_digest(package, claim):
    """The settings' values are in the digest; the seeds are not, since each has a result of its own."""
    before = digest(claim, package)

    assert digest(replace(claim, settings=Numbers(steps=4)), package) != before
    assert digest(replace(claim, seeds=(7, 8, 9)), package) == before


def test_the_digest_is_the_same_on_every_machine(package, claim):
    """Line ends do not count, and the value is frozen: it comes from text alone, never from compiled code."""
    frozen = digest(claim, package)
    for name, text in FILES.items():
        if name.endswith(".py"):
            (package / name).write_bytes(text.replace("\n", "\r\n").encode())

    assert digest(claim, package) == frozen == FROZEN


def test_an_import_that_leads_nowhere_is_an_error(package):
    """A module of ours without a file is named, with who imports it."""
    (package / "claim.py").write_text("import seqlib.absent")

    with pytest.raises(ClaimError, match=r"seqlib\.absent, which seqlib\.claim imports, has no source file"):
        sources("seqlib.claim", package)
