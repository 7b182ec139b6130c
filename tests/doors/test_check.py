"""Is a rule that somebody wrote by hand judged as it deserves? Pairs of a right and a wrong one, cell by cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pasting import pasted, shows
from rules_by_hand import PAIRS, of, sine_rule, tied_max_rule

from gradcheck import SPD, Integer, Orthogonal, Permutation, Real, Simplex, Sorted, Sphere, Triangular, check
from gradcheck.errors import UsageError
from gradcheck.judge.cells import CELLS, Kind

POINTS = 48


def spot(index: tuple[int, ...]) -> Any:
    return index[0] if len(index) == 1 else index


@pytest.mark.parametrize("name", PAIRS)
def test_the_right_rule_passes(name: str) -> None:
    pair = PAIRS[name]
    result = check(pair.fn, pair.inputs, vjp=pair.right, points=pair.points, **pair.options)
    assert result.passed, str(result)
    assert all(f.kind not in (Kind.WRONG, Kind.CRASHED) for f in result.findings)
    assert any(f.cell == "reverse" and f.kind is Kind.RIGHT and f.compared > pair.points for f in result.findings)


@pytest.mark.parametrize("name", PAIRS)
def test_the_wrong_rule_is_caught_in_its_cell_with_the_right_number(name: str) -> None:
    pair = PAIRS[name]
    result = check(pair.fn, pair.inputs, vjp=pair.wrong, points=pair.points, **(pair.options | pair.wrong_options))
    assert not result.passed
    told = result.checked.standing.decisive
    assert told is not None
    assert told.cell == pair.cell, str(result)
    if pair.cell != "repeat":  # told what it gave before, a rule that forgets need not do so again
        shows(result, pasted(result, **{"fn": pair.fn, "vjp": pair.wrong} | pair.options | pair.wrong_options))
    if told.seen is None:
        assert pair.true is None
        return
    seen = told.seen
    assert seen.input == pair.input or pair.cell in ("mutation", "second")
    if pair.true is not None:
        inputs = {n: np.asarray(v) for n, v in seen.inputs.items()}
        truth = pair.true(inputs, np.asarray(seen.cotangent) if not pair.several else seen.cotangent, spot(seen.index))
        assert abs(seen.right - truth) <= seen.bar + 64 * 2.0**-53 * abs(truth)  # its bar, and rounding of the truth
        assert not abs(seen.got - truth) <= seen.bar  # also where it is NaN


def test_a_result_says_what_it_is() -> None:
    good = check(np.sin, [Real(2)], vjp=sine_rule, points=POINTS)
    assert good
    assert good.verdict == "AGREES"
    assert good.power is not None
    assert 0 < good.power["median"] <= good.power["worst"] < 1e-4
    assert "not asked or not decided" in str(good)  # no jvp, no second order: nothing unchecked looks like a pass
    assert "forward, adjoint (no jvp is given)" in str(good)
    assert "<table" in good._repr_html_()
    bad = check(np.sin, [Real(2)], vjp=lambda i, ct: (2 * sine_rule(i, ct)[0],), points=POINTS)
    assert not bad
    with pytest.raises(AssertionError, match="DISAGREES in reverse"):
        assert bad, str(bad)


def test_nothing_measured_is_no_pass() -> None:
    """A staircase has no slope that anybody could read, and a function without a value has nothing."""
    rough = check(lambda x: np.floor(1e9 * x), [Real(2, low=-1, high=1)], vjp=lambda i, ct: (0 * ct,), points=POINTS)
    assert not rough.passed or all(f.kind is Kind.RIGHT for f in rough.findings if f.cell == "reverse")
    empty = check(lambda x: x * np.nan, [Real(2)], vjp=lambda i, ct: (ct,), points=POINTS)
    assert not empty.passed
    assert empty.verdict == "UNWITNESSED"
    assert "no finite value" in str(empty)


def test_cells_are_switched_by_name() -> None:
    pair = PAIRS["ones where nothing was asked"]
    assert check(pair.fn, pair.inputs, vjp=pair.wrong, points=POINTS, skip=["zero"]).passed
    only = check(pair.fn, pair.inputs, vjp=pair.wrong, points=POINTS, cells=["zero"])
    assert [f.cell for f in only.findings] == ["zero"]
    assert not only.passed
    with pytest.raises(UsageError, match=r"no cell 'zeros'.*did you mean 'zero'"):
        check(pair.fn, pair.inputs, vjp=pair.wrong, cells=["zeros"])


def test_every_cell_catches_something() -> None:
    """A cell without a planted lie would be a cell that nobody ever saw fail."""
    elsewhere = {"value", "adjoint", "precision", "float32", "broadcast", "stated"}
    elsewhere |= {"subsets", "undefined", "accumulate", "detached", "primal", "vmap", "compiled", "mixed"}  # of tapes
    assert {pair.cell for pair in PAIRS.values()} | elsewhere == set(CELLS)


def test_a_function_that_changes_its_mind() -> None:
    rng = np.random.default_rng(1)
    result = check(lambda x: np.sin(x) + rng.normal() * 1e-3, [Real(2)], vjp=sine_rule, points=POINTS)
    assert any(f.cell == "value" and f.kind is Kind.WRONG for f in result.findings)


def test_a_function_that_writes_to_its_input() -> None:
    def shifted(x: Any) -> Any:
        x += 1
        return np.sin(x)

    result = check(shifted, [Real(2)], vjp=lambda i, ct: (ct * np.cos(i[0] + 1),), points=POINTS)
    told = result.checked.standing.decisive
    assert told is not None
    assert (told.cell, told.kind) == ("mutation", Kind.WRONG)
    assert "the function writes to x" in told.sentence


def test_forward_and_reverse_that_contradict_each_other() -> None:
    """Both within the bars of the differences, a part in 1e-8 apart: only the identity between them sees it."""
    off = 1 + 2.0**-25
    wrong = check(np.sin, [Real(2)], vjp=sine_rule, jvp=lambda i, t: off * np.cos(i[0]) * t[0], points=POINTS,
                  skip=["forward"])  # fmt: skip
    assert [f.cell for f in wrong.findings if f.kind is Kind.WRONG] == ["adjoint"]
    right = check(np.sin, [Real(2)], vjp=sine_rule, jvp=lambda i, t: np.cos(i[0]) * t[0], points=POINTS)
    assert {f.cell for f in right.findings if f.kind is Kind.RIGHT} >= {"forward", "adjoint"}


def test_a_gradient_that_is_not_summed_where_the_function_repeats() -> None:
    """The caller declared equal shapes, so that it is told as outside of what was promised."""

    def plain(inputs: Any, ct: Any) -> Any:
        return ct * inputs[1], ct * inputs[0]

    def reduced(how: Any) -> Any:
        def rule(inputs: Any, ct: Any) -> Any:
            found = plain(inputs, ct)
            return tuple(how(g).reshape(1) if x.size == 1 else g for x, g in zip(inputs, found, strict=True))

        return rule

    def judged(rule: Any, strict: bool = False) -> Any:
        return check(np.multiply, [Real(3), Real(3)], vjp=rule, points=POINTS, strict=strict)

    told = judged(reduced(np.mean))
    assert told.passed
    assert [(f.cell, f.kind) for f in told.remarks] == [("broadcast", Kind.OUTSIDE)]
    assert "the sum over the repetitions" in str(told)
    assert not judged(reduced(np.mean), strict=True).passed
    assert judged(reduced(np.sum), strict=True).passed
    loud = judged(plain, strict=True)  # nobody can miss a shape that does not fit: no remark
    assert loud.passed
    assert next(f for f in loud.findings if f.cell == "broadcast").sentence.endswith("has shape (3,)")


def test_digits_that_are_lost_are_told_apart_from_wrong() -> None:
    def lossy(inputs: Any, ct: Any) -> Any:
        return (ct * (1 - np.tanh(inputs[0]) ** 2),)

    def careful(inputs: Any, ct: Any) -> Any:
        return (ct / np.cosh(inputs[0]) ** 2,)

    lost = check(np.tanh, [Real(2)], vjp=lossy, points=POINTS)
    assert lost.passed
    assert lost.verdict == "INACCURATE"
    told = next(f for f in lost.findings if f.cell == "precision" and f.kind is Kind.INACCURATE)
    assert told.seen is not None
    x = np.asarray(told.seen.inputs["x0"])[told.seen.index]
    assert abs(told.seen.right / told.seen.cotangent[told.seen.index[0]] * np.cosh(x) ** 2 - 1) < 1e-12
    assert not check(np.tanh, [Real(2)], vjp=lossy, points=POINTS, strict=True).passed
    assert check(np.tanh, [Real(2)], vjp=careful, points=POINTS, strict=True).verdict == "AGREES"


def test_a_gradient_that_overflows_in_float32_only() -> None:
    def squared(inputs: Any, ct: Any) -> Any:
        big = (1e30 * inputs[0]) * 1e20
        return (ct * np.cos(inputs[0]) * big / big,)

    result = check(lambda x: np.sin(x), [Real(2, low=1, high=2)], vjp=squared, points=POINTS)
    assert [f.kind for f in result.findings if f.cell == "float32" and f.kind is not Kind.RIGHT] == [Kind.INACCURATE]


def test_nan_at_a_kink_is_told_and_does_not_fail() -> None:
    pair = PAIRS["length with a guard"]
    result = check(pair.fn, pair.inputs, vjp=pair.right, points=POINTS)
    assert result.passed
    assert Kind.NOT_SMOOTH in [f.kind for f in result.remarks]
    assert not check(pair.fn, pair.inputs, vjp=pair.right, points=POINTS, strict=True).passed


def test_what_is_wrong_outside_the_limits_is_a_remark() -> None:
    def wrong_beyond(inputs: Any, ct: Any) -> Any:
        return (ct * np.where(inputs[0] > 2.5, 0.0, np.cos(inputs[0])),)

    inside = check(np.sin, [Real(2, low=-2, high=2)], vjp=wrong_beyond, points=128)
    assert inside.passed
    assert {f.kind for f in inside.remarks} == {Kind.OUTSIDE}
    assert not check(np.sin, [Real(2, usual=(-2, 2))], vjp=wrong_beyond, points=128).passed


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_any_share_of_a_tie_is_right(share: float) -> None:
    def first_gets(inputs: Any, ct: Any) -> Any:
        (x,) = inputs
        top = np.flatnonzero(x == x.max())
        g = np.zeros_like(x)
        g[top[0]] += share * ct
        g[top[-1]] += (1 - share) * ct
        return (g,)

    assert check(np.max, [Real(3)], vjp=first_gets, points=POINTS).passed
    assert not check(np.max, [Real(3)], vjp=of(tied_max_rule, all_of_them=True), points=POINTS).passed


def test_matrices_with_a_structure_are_moved_inside_it() -> None:
    def log_det(a: Any) -> Any:
        return 2 * np.sum(np.log(np.diagonal(np.linalg.cholesky(a))))  # raises off the set, reads one triangle only

    right = check(log_det, [SPD(3)], vjp=lambda i, ct: (ct * np.linalg.inv(i[0]),), points=POINTS)
    assert right.passed, str(right)
    wrong = check(log_det, [SPD(3)], vjp=lambda i, ct: (ct * np.tril(np.linalg.inv(i[0])),), points=POINTS)
    assert not wrong.passed
    lower = check(lambda a: np.sum(np.tril(a) ** 2), [Triangular(3)], vjp=lambda i, ct: (2 * ct * i[0],), points=POINTS)
    assert lower.passed, str(lower)
    mass = check(lambda p: np.sum(p * np.log(p)), [Simplex(3)], vjp=lambda i, ct: (ct * (np.log(i[0]) + 1),),
                 points=POINTS)  # fmt: skip
    assert mass.passed, str(mass)


def test_rules_that_are_right_on_a_set_only() -> None:
    """On a sphere a length is 1, a rotation's inverse is its transpose, of sorted numbers the last is the largest."""
    long_way = lambda x: x / np.sqrt(np.sum(x * x))  # noqa: E731
    on_sphere = lambda i, ct: (ct - i[0] * np.sum(i[0] * ct),)  # noqa: E731
    assert check(long_way, [Sphere(3)], vjp=on_sphere, points=POINTS).passed
    assert not check(long_way, [Real(3)], vjp=on_sphere, points=POINTS).passed
    by_transpose = lambda i, ct: (-i[0] @ ct @ i[0],)  # noqa: E731
    assert check(np.linalg.inv, [Orthogonal(2)], vjp=by_transpose, points=POINTS).passed
    assert not check(np.linalg.inv, [Orthogonal(2)], vjp=lambda i, ct: (-i[0] @ ct.T @ i[0],), points=POINTS).passed
    last_gets = lambda i, ct: (ct * np.eye(4)[3],)  # noqa: E731
    assert check(np.max, [Sorted(4)], vjp=last_gets, points=POINTS).passed
    assert not check(np.max, [Real(4)], vjp=last_gets, points=POINTS).passed

    def put_back(inputs: Any, ct: Any) -> Any:
        return ct[np.argsort(inputs[1])], None

    inputs = [Real(4), Permutation(4)]
    assert check(lambda x, i: x[i], inputs, vjp=put_back, points=POINTS).passed
    assert not check(lambda x, i: x[i], inputs, vjp=lambda i, ct: (ct[i[1]], None), points=POINTS).passed


def test_inputs_by_name_example_and_sampler() -> None:
    def scaled(x: Any, k: Any) -> Any:
        return x * k

    def rule(inputs: Any, ct: Any) -> Any:
        return ct * inputs[1], None

    by_name = check(scaled, {"k": Integer(3), "x": Real(3)}, vjp=rule, points=POINTS)
    by_example = check(scaled, [np.array([0.5, 2.0, -1.0]), np.array([1, 2, 3])], vjp=rule, points=POINTS)
    by_sampler = check(scaled, lambda rng: (rng.normal(size=3), rng.integers(5, size=3)), vjp=rule, points=POINTS)
    for result in (by_name, by_example, by_sampler):
        assert result.passed, str(result)
        assert result.verdict == "AGREES"
    wrong = check(scaled, lambda rng: (rng.normal(size=3), rng.integers(5, size=3)), vjp=lambda i, ct: (ct, None),
                  points=POINTS)  # fmt: skip
    assert not wrong.passed


def test_a_gradient_instead_of_a_vjp() -> None:
    right = check(lambda x: np.sum(x**2), {"x": Real("n")}, gradient=lambda inputs: 2 * inputs[0], points=POINTS)
    assert right.passed, str(right)
    assert not check(lambda x: np.sum(x**2), {"x": Real("n")}, gradient=lambda inputs: inputs[0], points=POINTS)


def test_a_gradient_as_formulas() -> None:
    def energy(x: Any, k: Any) -> Any:
        return np.sum(k * x**2)

    inputs = {"x": Real("n"), "k": Real("n", differentiable=False)}
    assert check(energy, inputs, gradient="2*k*x", points=POINTS).passed
    wrong = check(energy, inputs, gradient={"x": "2*x"}, points=POINTS)
    assert not wrong.passed
    assert "DISAGREES in reverse" in str(wrong)
    with pytest.raises(UsageError, match="a formula each for x"):
        check(energy, inputs, gradient={"k": "x**2"})


def test_steps_are_flat_and_what_only_rounds_is_not() -> None:
    """No bit of a sign changes around a point; neither does one of tanh(40), where rounding hides a slope."""

    def opaque(x: Any) -> Any:
        return np.sign(x.astype(float))  # float64 only, so that no other witness has the say

    inside = check(opaque, [Real(2)], vjp=lambda i, ct: (ct * (np.abs(i[0]) <= 1),), points=POINTS)
    told = inside.checked.standing.decisive
    assert told is not None and told.seen is not None
    assert told.cell == "reverse"
    assert told.seen.right == 0
    assert "the same to the last bit" in told.seen.whose
    assert check(opaque, [Real(2)], vjp=lambda i, ct: (0 * ct,), points=POINTS)
    saturated = check(lambda x: np.tanh(x.astype(float)), [Real(2)], points=96,
                      vjp=lambda i, ct: (ct / np.cosh(np.clip(i[0], -300, 300)) ** 2,))  # fmt: skip
    assert saturated.passed, str(saturated)

    def rest(x: Any, y: Any) -> Any:
        return x.astype(float) - y.astype(float) * np.trunc(x / y)  # for x = 1e170 it is 0, whatever y

    cancelled = check(rest, [Real(1, usual=(-8, 8)), Real(1, usual=(1, 3))], points=96,
                      vjp=lambda i, ct: (ct, -ct * np.trunc(i[0] / i[1])))  # fmt: skip
    assert cancelled.passed, str(cancelled)


@pytest.mark.parametrize("off", [0.0, 1e-6])
def test_a_cotangent_that_cancels_leaves_rounding_and_no_more(off: float) -> None:
    """Where all numbers are equal the function is 0 and the gradient of equal cotangents too, up to rounding."""

    def centred(x: Any) -> Any:
        return x - np.mean(x)

    def rule(inputs: Any, ct: Any) -> Any:
        return (ct - np.sum(ct / 3) + off * (np.abs(ct).max() > 2.5),)  # a small constant once a cotangent is large

    result = check(
        centred, lambda rng: [np.full(3, rng.normal())], vjp=rule, points=POINTS, cells=["reverse", "linear"]
    )
    assert result.passed is (off == 0.0), str(result)


def test_the_same_seed_gives_the_same_words() -> None:
    pair = PAIRS["hinge, the sign of the second input"]
    one, two = (str(check(pair.fn, pair.inputs, vjp=pair.wrong, points=POINTS, seed=5)) for _ in range(2))
    assert one == two


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vjp": None}, "give a vjp or gradient"),
        ({"backend": "tensorflow"}, "no door"),
        ({"order": 3}, "order is 1 or 2"),
        ({"points": 0}, "asks for nothing"),
        ({"inputs": [Integer(3)]}, "nothing to judge"),
        ({"inputs": {"y": Real(3)}}, "no argument 'y'"),
        ({"inputs": []}, "is expected"),
        ({"gradient": lambda inputs: inputs}, "two claims"),
    ],
)
def test_what_cannot_be_judged_is_refused(options: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"inputs": [Real(3)], "vjp": sine_rule} | options
    with pytest.raises(UsageError, match=message):
        check(lambda x: np.sin(x), **given)


def test_a_call_that_takes_too_long_is_told() -> None:
    import time

    def slow(inputs: Any, ct: Any) -> Any:
        time.sleep(0.06)
        return sine_rule(inputs, ct)

    result = check(np.sin, [Real(2)], vjp=slow, points=8, time_limit=0.05)
    assert not result.passed
    assert result.verdict == "CRASHED"
    assert "the limit is 0.05 s" in str(result)


def test_an_empty_input_has_nothing_to_be_wrong_about() -> None:
    def beside(x: Any, y: Any) -> Any:
        return np.append(np.sin(x), 2 * y)

    def rule(inputs: Any, ct: Any) -> Any:
        return ct[:-1] * np.cos(inputs[0]), 2 * ct[-1]

    assert check(beside, [Real(0), Real()], vjp=rule, points=16).passed
    alone = check(np.sin, [Real(0)], vjp=sine_rule, points=16)
    assert alone.verdict == "UNWITNESSED"
