"""Which gradients may be said at kinks and ties, and is all else found out? With PyTorch's and JAX's conventions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.judge import Verdict, conventions
from gradcheck.judge.sets import inside
from gradcheck.oracles import Hearing, Inquiry
from gradcheck.oracles.evidence import Pieces

ALL = ("certified", "engine", "differences", "torch", "jax")
SHARED = "1.0*(x == value)/sum(1.0*(x == value))"  # a tie shares
FIRST = "1.0*(arange(3) == argmax(x)) + 0*x"
MAXIMUM = "inputs: {x: {shape: [3]}}\nvalue: max(x)"
MIDDLE = "inputs: {x: {shape: [3]}}\nvalue: median(x)"
SPREAD = "inputs: {x: {shape: [3]}}\nvalue: sum(x) - max(x) - min(x)"
RANKS = "inputs: {x: {shape: [4]}}\nvalue: sum(stack([1, 2, 4, 8])*sort(x))"
NORM = "inputs: {x: {shape: [2]}}\nvalue: norm(x)"
REAL = "inputs: {x: {}}\nvalue: "
RIGHT = {  # name -> (function, point, a claim that may be made there, what torch and jax say)
    "abs": (REAL + "abs(x)", 0.0, "sign(x)", 0.0, 1.0),
    "abs from the left": (REAL + "abs(x)", 0.0, "where(x > 0, 1, -1)", 0.0, 1.0),
    "relu": (REAL + "relu(x)", 0.0, "where(x > 0, 1, 0)", 0.0, 0.0),
    "relu between": (REAL + "relu(x)", 0.0, "where(x > 0, 1, where(x == 0, 0.3, 0))", 0.0, 0.0),
    "product with a step": (REAL + "x*where(x > 0, 1, 0)", 0.0, "where(x > 0, 1, 0)", 0.0, 0.0),
    "a tie of two": (MAXIMUM, [1.0, 1.0, 0.0], SHARED, [0.5, 0.5, 0.0], [0.5, 0.5, 0.0]),
    "a tie of three": (MAXIMUM, [1.0, 1.0, 1.0], SHARED, [1 / 3] * 3, [1 / 3] * 3),
    "a tie of three, the first": (MAXIMUM, [2.0, 2.0, 2.0], FIRST, [1 / 3] * 3, [1 / 3] * 3),
    "a middle tie": (MIDDLE, [1.0, 1.0, 2.0], SHARED, [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]),
    "all middle": (MIDDLE, [1.0, 1.0, 1.0], SHARED, [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]),
    "a middle as a difference": (SPREAD, [1.0, 1.0, 1.0], FIRST, [1 / 3] * 3, [1 / 3] * 3),
    "equal ranks": (RANKS, [3.0] * 4, "stack([1, 2, 4, 8])[argsort(argsort(x))] + 0*x", [1, 2, 4, 8], [1, 2, 4, 8]),
    "norm at 0": (NORM, [0.0, 0.0], "0*x", [0.0, 0.0], [np.nan] * 2),
    "norm at 0, a unit vector": (NORM, [0.0, 0.0], "0*x + stack([0.6, 0.8])", [0.0, 0.0], [np.nan] * 2),
}
WRONG = {  # name -> (function, point, a claim that no convention allows)
    "abs": (REAL + "abs(x)", 0.0, "where(x == 0, 1.01, sign(x))"),
    "a tie of two counted twice": (MAXIMUM, [1.0, 1.0, 0.0], "1.0*(x == value)"),
    "a tie of three counted thrice": (MAXIMUM, [1.0, 1.0, 1.0], "1.0*(x == value)"),
    "a tie of three that loses a part": (MAXIMUM, [1.0, 1.0, 1.0], "0.2*(x == value)"),
    "a middle that is none": (SPREAD, [1.0, 1.0, 1.0], "0*x"),
    "all the last rank": (RANKS, [3.0] * 4, "8 + 0*x"),
    "longer than a unit vector": (NORM, [0.0, 0.0], "0.9 + 0*x"),
}


def put(body, point, claim, spec_of, case_at, judged):
    case = case_at(spec_of(f'{body}\ngradient: {{x: "{claim}"}}'), ct=[1.0], x=[point])
    return case, judged(case, ALL)


@pytest.mark.parametrize("name", RIGHT)
def test_a_convention_inside_the_set_is_no_error_whoever_has_it(name, spec_of, case_at, judged):
    body, point, claim, torch, jax = RIGHT[name]
    case, found = put(body, point, claim, spec_of, case_at, judged)
    for (witness, mode), finding in found.items():
        assert finding.verdict not in (Verdict.DISAGREES, Verdict.INACCURATE), (witness, mode, finding.reason)
    for witness, answer in (("torch", torch), ("jax", jax)):
        finding = found[witness, "reverse"]
        assert finding.verdict is (Verdict.UNDECIDED if np.isnan(answer).any() else Verdict.AGREES), finding.reason
        said = Hearing(Inquiry(case)).one(witness).answers["vjp:x"].center[0]
        assert np.array_equal(np.round(said, 12), np.round(answer, 12), equal_nan=True)


@pytest.mark.parametrize("name", WRONG)
def test_what_is_outside_the_set_is_wrong_and_blamed(name, spec_of, case_at, judged):
    _, found = put(*WRONG[name], spec_of, case_at, judged)
    for witness in ("engine", "torch"):
        finding = found[witness, "reverse"]
        assert (finding.verdict, finding.blame) == (Verdict.DISAGREES, "claim"), finding.reason
    assert "outside the hull of the gradients" in found["engine", "reverse"].reason


def test_frameworks_that_share_a_fault_at_a_kink_are_found_out(spec_of, case_at, judged):
    """relu(x) - relu(-x) is x: its slope is 1 at 0 too, where both frameworks add 0 and 0."""
    _, found = put(REAL + "relu(x) - relu(-x)", 0.0, "1 + 0*x", spec_of, case_at, judged)
    for witness in ("torch", "jax"):
        finding = found[witness, "reverse"]
        assert (finding.verdict, finding.blame) == (Verdict.DISAGREES, f"{witness} reverse"), finding.reason


def test_where_gradients_have_no_limit_a_declared_convention_is_honoured(spec_of, case_at, judged):
    root = "inputs: {x: {domain: nonnegative}}\nvalue: sqrt(x)\n"
    plain = root + 'gradient: {x: "where(x > 0, 0.5/sqrt(where(x > 0, x, 1)), 0)"}'
    declared = judged(case_at(spec_of(plain + '\nat_kinks: {"x == 0": {x: 0}}'), ct=[1.0], x=[0.0]), ALL)
    silent = judged(case_at(spec_of(plain), ct=[1.0], x=[0.0]), ALL)
    infinite = judged(case_at(spec_of(root + "gradient: {x: 0.5/sqrt(x)}"), ct=[1.0], x=[0.0]), ALL)
    for witness in ("engine", "torch", "jax"):
        assert declared[witness, "reverse"].verdict is Verdict.UNDECIDED
        assert (silent[witness, "reverse"].verdict, silent[witness, "reverse"].blame) == (Verdict.DISAGREES, "claim")
        assert infinite[witness, "reverse"].verdict is Verdict.UNDECIDED
    assert infinite["differences", "reverse"].verdict is Verdict.UNDECIDED


def test_the_angle_of_no_direction(spec_of, case_at, judged):
    """JAX answers NaN at the origin, PyTorch 0: told apart, and neither is accused."""
    zero = "where(x**2 + y**2 > 0, {}/where(x**2 + y**2 > 0, x**2 + y**2, 1), 0)"
    claims = f"{{y: '{zero.format('x')}', x: '{zero.format('-y')}'}}"
    body = f"inputs: {{y: {{}}, x: {{}}}}\nvalue: atan2(y, x)\ngradient: {claims}"
    found = judged(case_at(spec_of(body), ct=[1.0], x=[0.0], y=[0.0]), ALL)
    assert found["torch", "reverse"].verdict is Verdict.AGREES
    assert found["jax", "reverse"].verdict is Verdict.UNDECIDED


def test_the_conventions_are_told(spec_of, case_at):
    case = case_at(spec_of(REAL + "abs(x)\ngradient: {x: sign(x)}"), ct=[1.0, 1.0], x=[2.0, 0.0])
    said = Hearing(Inquiry(case)).all(("engine", "differences", "torch", "jax"))
    told = conventions(case, said)
    assert told == "2 pieces meet at x = 0 (ct = 1): claim answers 0, engine answers 0, torch answers 0, jax answers 1"
    smooth = case_at(spec_of(REAL + "sin(x)\ngradient: {x: cos(x)}"), ct=[1.0], x=[0.0])
    assert conventions(smooth, Hearing(Inquiry(smooth)).all(("engine", "differences"))) == ""


CORNERS = Pieces(0, ("x",), np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), np.full(2, 1e-12))


@pytest.mark.parametrize(
    ("gradient", "within"),
    [
        ((1, 0), True),
        ((0.5, 0.5), True),
        ((0.2, 0.3), True),
        ((0.51, 0.5), False),
        ((-1e-6, 0.5), False),
        ((1, 1), False),
    ],
)
def test_a_triangle_holds_its_points_only(gradient, within):
    assert inside(CORNERS, np.array(gradient, dtype=float), np.zeros(2)) is within
    tiny = Pieces(0, ("x",), 1e-40 * CORNERS.gradients, 1e-40 * CORNERS.slack)
    assert inside(tiny, 1e-40 * np.array(gradient), np.zeros(2)) is within


MIDDLE = "inputs: {x: {shape: [5]}, k: {domain: 'index(5)'}}\nvalue: sort(x)[k]\n%s"
TIED = {"x": [[2.0] * 5, [1.0, 3.0, 3.0, 3.0, 5.0], [1.0, 2.0, 3.0, 4.0, 5.0]], "k": [2, 2, 2]}


@pytest.mark.parametrize(
    "claim", ["jvp: take(t_x, argsort(x))[k]", "gradient: {x: 'where(arange(5) == argsort(x)[k], 1, 0)'}"]
)
def test_moving_one_of_three_that_tie_for_the_middle_moves_nothing_and_accuses_nobody(
    claim: str, spec_of: Any, case_at: Any, judged: Any
) -> None:
    t = {"x": [[0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0, 1.0]]}
    found = judged(case_at(spec_of(MIDDLE % claim), t=t, **TIED))
    assert Verdict.DISAGREES not in {f.verdict for f in found.values()}


def test_what_no_piece_makes_of_the_tangents_is_still_wrong(spec_of: Any, case_at: Any, judged: Any) -> None:
    t = {"x": [[0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0, 1.0]]}
    spec = spec_of(MIDDLE % "jvp: '(2 if max(x) == min(x) else 1)*take(t_x, argsort(x))[k]'")
    found = judged(case_at(spec, t=t, **TIED), ("differences",))["differences", "forward"]
    assert (found.verdict, found.wrong) == (Verdict.DISAGREES, 1)
