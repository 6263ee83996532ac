"""Formulas as MathML: what the lectures use is turned, and what can't be is named."""

import pytest

from seqlib.export.formulas import Formulas

USED = [
    r"h_t = \tanh(W h_{t-1} + U x_t + b)",
    r"\frac{\partial L}{\partial W} = \sum_{t=1}^T \Bigl(\prod_{k=t+1}^{T} \mathrm{diag}(1-h_k^2) W\Bigr)^{\top}",
    r"\begin{aligned} a &= b \\ c &= d \end{aligned}",
    r"\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}",
    r"y = \begin{cases} 1 & x > 0 \\ 0 & \text{otherwise} \end{cases}",
    r"\lVert g \rVert \le \lambda_{\max}(W)^{\,T-t}, \quad x \in \mathbb{R}^{d}",
    r"\operatorname{softmax}(V h_t + c)",
    r"\underbrace{W h_{t-1}}_{\text{memory}}",
]
FAULTY = {
    r"\nonsense x": r"it has \nonsense, which is unknown",
    r"\frac{1}": "an argument is missing in a frac",
    r"\left( a": "it can't be read (ExtraLeftOrMissingRightError)",
}


@pytest.mark.parametrize("source", USED)
def test_formulas_of_lectures_are_turned(source):
    """Each construct that lectures use becomes MathML without a problem."""
    formulas = Formulas()

    assert formulas.render(source, display=True).startswith("<math")
    assert formulas.problems == []


@pytest.mark.parametrize("source", FAULTY)
def test_formula_that_cannot_be_turned_is_named(source):
    """It stands in the page as its source, and the problem names it."""
    formulas = Formulas()

    shown = formulas.render(source, display=False)

    assert shown == f'<code class="formula">{source}</code>'
    assert formulas.problems == [f"formula {source}: {FAULTY[source]}"]


def test_source_is_kept_for_who_copies_it():
    """The LaTeX is in the element, escaped."""
    assert 'alttext="a &lt; &quot;b&quot;"' in Formulas().render('a < "b"', display=False)


def test_upright_words_are_one_word():
    r"""\mathrm{diag} is read out as a word and not letter by letter."""
    assert ">diag</mi>" in Formulas().render(r"\mathrm{diag}(a)", display=False)
