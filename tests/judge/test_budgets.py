"""Are these the only tolerances of the project, and has every witness one?"""

from __future__ import annotations

import re
from pathlib import Path

import gradcheck
from gradcheck.judge.budgets import OTHER_SAFETY, SAFETY, safety
from gradcheck.oracles.hearing import WITNESSES

PACKAGE = Path(gradcheck.__file__).parent
TOLERANCE = re.compile(r"\b(rtol|atol|allclose|isclose|approx)\b")


def test_every_witness_has_a_budget_of_at_least_its_bar() -> None:
    assert set(SAFETY) == {"claim", "example", *WITNESSES}
    assert min(SAFETY.values()) >= 1
    assert max(SAFETY.values()) <= OTHER_SAFETY
    assert safety("implementation:torch") == safety("planted:zeros") == OTHER_SAFETY


def test_there_are_no_other_tolerances() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.parent.name not in ("judge", "array_api")  # where rtol is the standard's cut-off of a rank
        and path.name != "names_linalg.py"  # as there
        and path not in (PACKAGE / "torch.py", PACKAGE / "jax.py")  # the peers' signatures
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if TOLERANCE.search(line)
    ]
    assert found == []


def test_a_tolerance_would_be_found() -> None:
    assert TOLERANCE.search("np.allclose(a, b)") and TOLERANCE.search("f(rtol=1e-3)")


def test_every_budget_states_its_reason() -> None:
    lines = (PACKAGE / "judge" / "budgets.py").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if re.match(r'    "\w+": [0-9.]+,', line) or re.match(
            r"(DECISIVE|NEGLIGIBLE|INACCURATE_UNITS|UNDERFLOW|OTHER)", line
        ):
            assert "# " in line, line
