"""Is one wrong number among thousands found, and named? And are right functions of so many let pass?"""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from pasting import pasted, shows
from rules_of_many import FUNCTIONS, KINKED, PLACE, VECTOR, N, spoilt, total, total_vjp, vjp_of

from gradcheck import SPD, Integer, Real, check
from gradcheck.judge.cells import CellFinding, Kind
from gradcheck.report.checked import Result


def quickly(fn: Any, inputs: Any, **more: Any) -> Result:
    """In this process: nothing here crashes."""
    return check(fn, inputs, isolate=False, **{"backend": "numpy", **more})


def decisive(result: Result) -> CellFinding:
    found = result.checked.standing.decisive
    assert found is not None, str(result)
    return found


def found_at(result: Result) -> tuple[int, ...]:
    seen = decisive(result).seen
    assert seen is not None
    return seen.index


@pytest.mark.parametrize("factor", [1.01, 2.0, 0.0, 1.0001], ids=["a hundredth", "twice", "none", "a ten-thousandth"])
def test_one_wrong_number_in_the_gradient_of_a_sum(factor: float) -> None:
    result = quickly(total, [VECTOR], vjp=total_vjp(factor))
    assert decisive(result).cell == "reverse"
    assert found_at(result) == (PLACE,)
    seen = decisive(result).seen
    assert seen is not None
    truth = np.cos(seen.beside["point"].make()[0][PLACE])
    assert abs(seen.right - truth) <= seen.bar < 1e-3 * abs(truth)
    assert seen.got == pytest.approx(factor * truth, rel=1e-12)


@pytest.mark.parametrize("place", [0, N - 1])
def test_the_first_and_the_last(place: int) -> None:
    assert found_at(quickly(total, [VECTOR], vjp=total_vjp(1.01, place))) == (place,)


def test_several_wrong_numbers() -> None:
    def two(inputs: Any, ct: Any) -> Any:
        return (spoilt(spoilt(ct * np.cos(inputs[0]), 1.01), 1.02, 17),)

    assert found_at(quickly(total, [VECTOR], vjp=two)) in [(17,), (PLACE,)]


@pytest.mark.parametrize("factor", [1.0, 1.01], ids=["right", "wrong"])
def test_a_function_that_answers_from_one_buffer(factor: float) -> None:
    buffer = np.zeros(N)
    result = quickly(
        lambda x: np.sin(x, out=buffer), [VECTOR], vjp=lambda i, ct: (spoilt(ct * np.cos(i[0]), factor),),
        cells=["reverse"],
    )  # fmt: skip
    assert result.passed if factor == 1 else found_at(result) == (PLACE,)


def test_all_numbers_wrong() -> None:
    result = quickly(total, [VECTOR], vjp=lambda i, ct: (1.01 * ct * np.cos(i[0]),))
    assert decisive(result).cell == "reverse" and len(found_at(result)) == 1


@pytest.mark.parametrize("name", [*FUNCTIONS, *KINKED])
def test_right_ones_pass(name: str) -> None:
    fn, _, inputs, _ = (FUNCTIONS | KINKED)[name]
    result = quickly(fn, inputs, vjp=vjp_of(name))
    assert result.passed and result.power is not None, str(result)
    assert {f.kind for f in result.findings} <= {Kind.RIGHT, Kind.SILENT}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_one_wrong_number_of_each(name: str) -> None:
    fn, _, inputs, _ = FUNCTIONS[name]
    result = quickly(fn, inputs, vjp=vjp_of(name, 1.01))
    assert decisive(result).cell == "reverse", str(result)
    assert found_at(result) == tuple(np.unravel_index(PLACE, inputs[0].shape))


def test_where_kinks_are_everywhere_a_zero_is_found() -> None:
    for name in ("kinks at zero", "kinks anywhere"):
        fn, _, inputs, _ = KINKED[name]

        def only_one(i: Any, ct: Any, name: str = name) -> Any:
            gradient = KINKED[name][1](*i, ct)
            gradient[np.flatnonzero(gradient)[-1]] = 0.0
            return (gradient,)

        result = quickly(fn, inputs, vjp=only_one)
        assert decisive(result).cell == "reverse" and decisive(result).seen.got == 0.0  # type: ignore[union-attr]


def test_the_jvp_of_a_sum_and_of_a_map() -> None:
    def pushed(inputs: Any, tangents: Any) -> Any:
        return spoilt(np.cos(inputs[0]), 1.01) * tangents[0]

    vjp = total_vjp(1.0)
    one = quickly(total, [VECTOR], vjp=vjp, jvp=lambda i, t: np.sum(pushed(i, t)))
    assert decisive(one).cell == "forward" and found_at(one) == (PLACE,)
    said = [f for f in one.findings if f.kind is Kind.WRONG]
    assert [f.cell for f in said] == ["forward", "adjoint"]
    many = quickly(np.sin, [VECTOR], vjp=vjp, jvp=pushed)
    assert decisive(many).cell == "forward" and f"output[{PLACE}]" in decisive(many).sentence
    right = quickly(np.sin, [VECTOR], vjp=vjp, jvp=lambda i, t: np.cos(i[0]) * t[0])
    assert {f.cell for f in right.findings if f.kind is Kind.RIGHT} >= {"forward", "adjoint"} and right.passed


def writes(inputs: Any, ct: Any) -> Any:
    (x,) = inputs
    gradient = ct * np.cos(x)
    x[3] += 1e-9
    return (gradient,)


def reads_memory(inputs: Any, ct: Any) -> Any:
    (x,) = inputs
    base = x if x.flags.c_contiguous else x.base
    return (ct * np.cos(np.asarray(base).reshape(-1)[: x.size]),)


calls: list[int] = []


def counts(inputs: Any, ct: Any) -> Any:
    calls.append(1)
    return (ct * np.cos(inputs[0]) * (1 + 1e-5 * (len(calls) % 2)),)


STRUCTURE = {
    "mutation": writes,
    "layout": reads_memory,
    "repeat": counts,
    "zero": lambda i, ct: (np.where(np.all(ct == 0), 1e-3, ct * np.cos(i[0])),),
    "linear": lambda i, ct: (np.where(np.all(ct == 1), ct, np.abs(ct)) * np.cos(i[0]),),
    "shape": lambda i, ct: (ct * np.cos(i[0])[None],),
}


@pytest.mark.parametrize("cell", STRUCTURE)
def test_what_else_is_asked(cell: str) -> None:
    calls.clear()
    fn = np.sin if cell in ("linear", "zero") else total
    result = quickly(fn, [VECTOR], vjp=STRUCTURE[cell], cells=[cell, "reverse"])
    assert cell in [f.cell for f in result.findings if f.kind is Kind.WRONG], str(result)


def test_what_is_not_asked_is_a_silence() -> None:
    result = quickly(total, [VECTOR], vjp=total_vjp(1.0))
    silent = {f.cell for f in result.findings if f.kind is Kind.SILENT}
    assert silent >= {"kinks", "precision", "float32", "second", "vmap", "compiled", "primal"}
    assert all("4,096" in f.sentence for f in result.findings if f.cell in ("kinks", "precision"))


def test_where_rounding_hides_a_zero_nothing_is_witnessed() -> None:
    result = quickly(lambda x: np.sum(np.sin(x)) + 1e15, [VECTOR], vjp=total_vjp(1.0))
    assert not result.passed and "hides" in str(result)


def root_vjp(inputs: Any, ct: Any) -> Any:
    (x,) = inputs
    return (np.where(x == 0, 0.0, ct / (3 * np.cbrt(np.where(x == 0, 1.0, x)) ** 2)),)


def test_jumps_and_infinite_slopes_at_landmarks_blame_nobody() -> None:
    assert quickly(np.sign, [VECTOR], vjp=lambda i, ct: (0 * i[0],)).passed
    assert quickly(np.cbrt, [VECTOR], vjp=root_vjp).passed


def test_an_infinite_gradient_at_the_ends_hides_no_other_landmark() -> None:
    def arcsine(wrong: float) -> Any:
        return lambda i, ct: (np.where(i[0] == 0.5, wrong, 1.0) * ct / np.sqrt(1 - i[0] ** 2),)

    inside = [Real(N, low=-1, high=1)]
    right, wrong = (quickly(np.arcsin, inside, vjp=arcsine(factor)) for factor in (1.0, 2.0))
    assert right.passed and "inf, not nan" not in str(right)
    assert decisive(wrong).cell == "reverse" and decisive(wrong).seen.right == pytest.approx(2 / 3**0.5)  # type: ignore[union-attr]


def test_numbers_over_the_powers_of_ten_are_not_taken_for_evenly_drawn_ones() -> None:
    spread = [Real(N, low=1e-8, high=1e8, log=True)]
    wrong = quickly(np.log, spread, vjp=lambda i, ct: (np.where(i[0] < 1, 2, 1) * ct / i[0],))
    assert not wrong.passed and "powers of ten" in str(wrong)


def test_why_nothing_was_judged_is_told() -> None:
    def refuses(x: Any) -> Any:
        raise ValueError("never")

    assert "ValueError: never" in str(quickly(refuses, [VECTOR], vjp=total_vjp(1.0)).checked.standing.sentence)
    short = quickly(np.sin, [VECTOR], vjp=lambda i, ct: (ct[:-1],))
    assert decisive(short).cell == "shape" and "rounding" not in str(short)
    off = quickly(lambda x: np.sum(x**2), [VECTOR], vjp=lambda i, ct: (2 * i[0] * ct * (1 + 5e-9),))
    assert not off.passed and "misses the slope" in off.checked.standing.sentence


def test_where_only_unasked_cells_are_named_nothing_passes() -> None:
    result = quickly(total, [VECTOR], vjp=total_vjp(1.0), cells=["kinks", "float32"])
    assert not result.passed and "nothing was decided" in str(result)
    assert str(result).count("4,096 numbers move") == 3  # in the verdict for each, and once below


def test_a_gradient_that_is_not_finite() -> None:
    result = quickly(np.sin, [VECTOR], vjp=total_vjp(float("nan")))
    assert decisive(result).cell == "nonfinite" and found_at(result) == (PLACE,)


def test_sets_and_claims_are_not_judged_at_such_sizes() -> None:
    matrices = quickly(lambda a: np.sum(a), [SPD(80)], vjp=lambda i, ct: (ct * np.ones_like(i[0]),))
    assert not matrices.passed and "SPD".lower() in str(matrices)
    stated = quickly(total, [VECTOR], vjp=total_vjp(1.0), meant="0*x")
    assert not stated.passed and "stated" in str(stated)


def test_a_sampler_and_constants_beside() -> None:
    right = quickly(total, lambda rng: [rng.normal(size=N)], vjp=total_vjp(1.0))
    assert right.passed
    wrong = quickly(total, lambda rng: [rng.normal(size=N)], vjp=total_vjp(1.01))
    assert found_at(wrong) == (PLACE,) and "to see it" not in str(wrong)
    picked = quickly(
        lambda x, i: np.sum(np.sin(x[i])), [VECTOR, Integer(N, high=N - 1)],
        vjp=lambda a, ct: (spoilt(ct * np.cos(a[0]) * np.bincount(a[1], minlength=N), 1.01, int(a[1][0])), None),
    )  # fmt: skip
    assert decisive(picked).cell == "reverse"


def test_the_lines_to_paste_draw_the_point_again() -> None:
    for name in ("a sum", "rows", "a narrow map", "a product"):
        fn, _, inputs, _ = FUNCTIONS[name]
        vjp = vjp_of(name, 1.01)
        result = quickly(fn, inputs, vjp=vjp)
        shows(result, pasted(result, fn=fn, vjp=vjp))
    jvp = lambda i, t: np.sum(spoilt(np.cos(i[0]), 1.01) * t[0])  # noqa: E731  # it has no name to be imported by
    result = quickly(total, [VECTOR], vjp=total_vjp(1.0), jvp=jvp)
    shows(result, pasted(result, jvp=jvp))


def test_memory_is_a_small_multiple_of_the_input() -> None:
    n = 400_000
    tracemalloc.start()
    try:
        fn, _, _, _ = FUNCTIONS["a map"]
        result = quickly(fn, [Real(n)], vjp=vjp_of("a map"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.passed
    assert peak <= 12 * 8 * n + 24e6  # and what is computed in short parts


def test_the_same_seed_finds_the_same() -> None:
    one, other = (quickly(total, [VECTOR], vjp=total_vjp(1.01), seed=3) for _ in range(2))
    assert str(one) == str(other)


def test_few_numbers_that_give_very_many() -> None:
    def spread(x: Any) -> Any:
        return np.outer(np.sin(x), np.arange(50_000.0) % 7)

    def vjp(inputs: Any, ct: Any, factor: float = 1.0) -> Any:
        return (spoilt(np.cos(inputs[0]) * (ct @ (np.arange(50_000.0) % 7)), factor, 60),)

    assert quickly(spread, [Real(100)], vjp=vjp).passed
    wrong = quickly(spread, [Real(100)], vjp=lambda i, ct: vjp(i, ct, 1.01))
    assert found_at(wrong) == (60,)
