"""Honest work on each side: a right control gets everything, a wrong one nothing, and neither is called a cheat."""

from tests.attacks.attack import RIGHT, Attack

CONTROLS = [
    Attack(name="control-right", category="control", tries="Right answers.", answers=RIGHT, earns=100),
    Attack(name="control-wrong", category="control", tries="Answers of the right shape with wrong values."),
    Attack(
        name="control-half",
        category="control",
        tries="Three right answers.",
        answers={name: RIGHT[name] for name in ("scale", "distinct", "spell")},
        earns=45,
    ),
]
