"""Do two parties say the same? Bars decide, element by element; NaN, infinities and shapes are never waved through."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.judge.budgets import INACCURATE_UNITS, UNIT, safety
from gradcheck.judge.compare import Comparison, Party, compare, explained_by_rounding, party, typical
from gradcheck.oracles import Measured

NAN, INF = np.nan, np.inf


def said(name: str, center: Any, bar: Any = 0.0, kink: Any = False) -> Party:
    center = np.array(center, dtype=float)
    return Party(name, center, np.broadcast_to(np.array(bar, dtype=float), center.shape), np.full(center.shape, kink))


def compared(claim: Party, witness: Party, roundoff: float = 0.0) -> Comparison:
    result = compare(claim, witness, np.full(claim.center.shape, roundoff))
    states = [result.agrees, result.wrong, result.inaccurate, result.undecided]
    assert (np.sum(states, axis=0) == 1).all()
    return result


def state(a: float, b: float, bar_a: float = 1e-12, bar_b: float = 1e-12, **more: Any) -> str:
    result = compared(said("claim", [a, 1.0], bar_a), said("w", [b, 1.0], bar_b, more.pop("kink", False)), **more)
    return next(name for name in ("agrees", "wrong", "inaccurate", "undecided") if getattr(result, name)[0])


@pytest.mark.parametrize(
    ("a", "b", "want"),
    [
        (1.0, 1.0, "agrees"),
        (1.0, 1.0 + 1.9e-12, "agrees"),
        (1.0, 1.0 + 2.1e-12, "wrong"),
        (1.0, -1.0, "wrong"),
        (0.0, 1e-6, "wrong"),
        (1.0, NAN, "wrong"),
        (NAN, 1.0, "wrong"),
        (NAN, NAN, "wrong"),
        (INF, INF, "undecided"),
        (-INF, -INF, "undecided"),
        (INF, -INF, "wrong"),
        (INF, 1e308, "wrong"),
        (1.0, INF, "wrong"),
        (INF, NAN, "wrong"),
    ],
)
def test_elements(a: float, b: float, want: str) -> None:
    assert state(a, b) == want


def test_nan_is_undecided_only_where_the_witness_says_that_it_could_not_measure() -> None:
    assert state(1.0, NAN, bar_b=INF) == "undecided"
    assert state(1.0, NAN, bar_b=1e300) == "wrong"


def test_bars_too_wide_decide_nothing() -> None:
    assert state(1.0, 1.0, bar_b=0.5) == "undecided"
    assert state(1.0, 1.0, bar_b=1e-3) == "agrees"
    assert state(1.0, 1.0, bar_b=INF) == "undecided"
    assert state(1.0, 5.0, bar_b=0.5) == "wrong"
    assert state(1.0, 1.0, bar_b=0.5, kink=True) == "agrees"  # a hull of one-sided limits, not an uncertainty


def test_a_wide_bar_at_a_negligible_number_is_no_doubt() -> None:
    assert state(0.0, 1e-9, bar_b=1e-8) == "agrees"
    assert state(0.0, 1e-9, bar_b=1e-3) == "undecided"


def test_rounding_of_the_function_explains_an_inaccuracy() -> None:
    assert state(1.0, 1.0 + 1e-9, roundoff=1e-8) == "inaccurate"
    assert state(1.0, 1.0 + 1e-7, roundoff=1e-8) == "wrong"


@pytest.mark.parametrize("scale", [1e-300, 1e-20, 1.0, 1e20, 1e290])
@pytest.mark.parametrize(("b", "want"), [(1.0, "agrees"), (1 + 1e-6, "wrong"), (0.0, "wrong"), (-1.0, "wrong")])
def test_no_scale(scale: float, b: float, want: str) -> None:
    result = compared(said("claim", [scale], 1e-10 * scale), said("w", [b * scale], 1e-10 * scale))
    assert getattr(result, want).all()


def test_no_element_hides_behind_another() -> None:
    a = np.full(10_000, 1e6)
    a[77] = 1e-6
    b = a.copy()
    b[77] *= 1 + 1e-6
    result = compared(said("claim", a, 1e-12 * a), said("w", b, 1e-12 * b))
    assert np.flatnonzero(result.wrong).tolist() == [77]


@pytest.mark.parametrize("shape", [(3, 1), (1,), (3, 4), (4,), (3, 2, 1), ()])
def test_shapes_never_broadcast(shape: tuple[int, ...]) -> None:
    claim = said("claim", np.ones((3, 2)))
    result = compare(claim, said("w", np.ones(shape)), np.zeros((3, 2)))
    assert result.wrong.all() and result.wrong.shape == (3, 2)


def test_bars_are_widened_to_the_budget_of_who_speaks() -> None:
    measured = Measured(np.ones((1, 2)), np.full((1, 2), 1e-10), np.array([[True, False]]))
    for witness in ("claim", "torch", "implementation:numpy", "differences"):
        widened = party("anybody", witness, measured).bar / 1e-10
        hull = 1.0 if witness == "differences" else safety(witness)  # what a kink may be is no uncertainty
        assert np.allclose(widened, [[hull, safety(witness)]], rtol=1e-12, atol=0)
    assert safety("torch") > safety("claim") > 1


def test_typical_numbers_are_finite_and_not_zero() -> None:
    assert typical(np.array([0.0, 1.0, 3.0, INF, NAN, 2.0])) == 2.0
    assert typical(np.array([0.0, NAN])) == 0.0


def test_what_rounding_explains_is_in_units_of_the_function_over_the_input() -> None:
    allowed = explained_by_rounding(np.array([10.0, 10.0]), np.array([[2.0, 0.0], [-5.0, np.inf]]))
    unit = INACCURATE_UNITS * UNIT * 10
    assert allowed.tolist() == [[unit / 2, 0.0], [unit / 5, 0.0]]
