"""Which cells only define: judged by their text, on the safe side."""

import ast

import pytest

from seqlib.grading.definitions import Definitions

HARMLESS = (
    "def f(x):\n    return 1",
    "# a comment\n\ndef f(x: Tensor, n: int = 3) -> dict[str, int]:  # why\n    # c\n    return print(x)",
    "def f(x):\n    return 1\n\n\ndef g(x, *, y='a'):\n\n    return 2\n",
    'class A(torch.nn.Module):\n    """One line."""\n\n    def __init__(self, n):\n        self.n = n\n\n'
    "    def g(self) -> None:\n        pass\n",
    "def f(x):\n    return 1\n\n\nclass A:\n    def g(self):\n        return 1",
    'def f(x):\n    """Text\n    over lines."""\n    return 1',
)
NOT_HARMLESS = (
    *("", "# nothing", "x = 1", "f(1)", "    f(1)", "\tdef f(x):\n\t\tpass", "import torch"),
    *("def f(x): return 1", "def f(x=g()):\n    pass", "def f(x: g()):\n    pass", "@g\ndef f(x):\n    pass"),
    *("async def f(x):\n    pass", "def f(\n    x,\n):\n    pass", "def f(x):\n    pass\nf(1)", "lambda: 1"),
    *(
        "def f(x): \\\n    g()",
        "def f(x):\n    pass\n%time g()",
        "def f(x):\n    pass\n!ls",
        "%%time\ndef f(x):\n    pass",
    ),
    *("def f(x):\n    pass\r\ng()", "def f(x):\n    pass\rg()", "def f(x):\n    pass\n\fg()", "def f(x):\n    pass\0"),
    *(
        "class A:\n    x = 1",
        "class A:\n    def f(self):\n        pass\n    g()",
        "class A(g()):\n    def f(s):\n        pass",
    ),
    *("class A(metaclass=B):\n    def f(s):\n        pass", 'class A:\n    """x"""; g()', "class A: g()"),
    'class A:\n    def f(self):\n        """\ndef h():\n    """\n    x = g()',
    "class A:\n    def f(self):\n        pass\n\n\ndef h(x):\n    pass",
    "def ſ(x):\n    pass",
    "def f(x):\n    pass\n" + "# long" * 4000,
)


@pytest.mark.parametrize("source", HARMLESS)
def test_definitions_are_harmless(source):
    """They run nothing, which the parser confirms."""
    assert Definitions().harmless(source)
    for node in ast.parse(source).body:
        assert isinstance(node, ast.FunctionDef | ast.ClassDef)
        assert not node.decorator_list


@pytest.mark.parametrize("source", NOT_HARMLESS)
def test_whatever_may_do_more_is_not(source):
    """Calls, assignments, magics, decorators, odd line ends, and what is too long to look at."""
    assert not Definitions().harmless(source)


@pytest.mark.parametrize(
    "before",
    ["double = 1", "def double(x):\n    pass", "def f(x):\n    return double(x)", "# double", "ｄｏｕｂｌｅ = 1"],
)
def test_a_name_that_was_mentioned_is_not_harmless(before):
    """Who binds a name anew, or binds one that was looked up before, may change what was there."""
    cells = Definitions()
    cells.harmless(before)

    assert not cells.harmless("def double(x):\n    return 2 * x")
    assert cells.harmless("def triple(x):\n    return 3 * x")


def test_nothing_is_harmless_after_a_cell_too_long_to_read():
    """It may have mentioned anything."""
    cells = Definitions()
    cells.harmless("#" * 30_000)

    assert not cells.harmless("def f(x):\n    return 1")
