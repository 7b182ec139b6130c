"""Do error bounds hold where numbers are sorted, picked, added up by index, or run up to a maximum?

Each number is known with more digits than float64 (in mpmath, or as the exact sum of two floats); it is rounded, given
the bound of its rounding, and put through a row. The true result must lie within the bound that comes out.
"""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np
import pytest

from gradcheck.expr.vocabulary import NUMPY
from gradcheck.oracles.rounding.running import BOUNDED, Bounded, error_of, exact, value_of

RNG = np.random.default_rng(4)
TRUTH = mp.mpf(10) ** -50  # the truth's own error


def uncertain(shape: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """Numbers, many of them close together; how far off they are stated to be; and what they might truly be."""
    values = np.round(RNG.normal(0, 1, shape), 1) + RNG.normal(0, 1e-3, shape)
    bounds = np.where(RNG.uniform(0, 1, shape) < 0.3, 0.0, RNG.uniform(0, 0.05, shape))
    return values, bounds, values + bounds * RNG.uniform(-1, 1, shape)


@pytest.mark.parametrize("name", ["sort", "cumulative_max", "cumulative_min"])
@pytest.mark.parametrize("axis", [-1, -2])
def test_the_order_may_change_within_the_bounds(name: str, axis: int) -> None:
    for _ in range(200):
        values, bounds, truth = uncertain((6, 5))
        said = getattr(BOUNDED, name)(Bounded(values, bounds), axis=axis)
        true = getattr(NUMPY, name)(truth, axis=axis)
        assert np.all(np.abs(said.value - true) <= said.err)
        assert np.all(said.err <= bounds.max())


def test_moving_bounds_along_with_the_order_alone_would_not_do() -> None:
    broken = 0
    for _ in range(200):
        values, bounds, truth = uncertain((30,))
        moved = bounds[np.argsort(values)]
        broken += bool(np.any(np.abs(np.sort(values) - np.sort(truth)) > moved))
    assert broken > 20


def test_numbers_far_apart_keep_their_own_bounds() -> None:
    said = BOUNDED.sort(Bounded(np.array([5.0, 1.0, 1.01, 9.0]), np.array([0.1, 0.2, 0.0, 0.3])), axis=-1)
    assert said.err.tolist() == [0.2, 0.2, 0.1, 0.3]
    falling = BOUNDED.sort(Bounded(np.array([5.0, 1.0]), np.array([0.1, 0.2])), axis=-1, descending=True)
    assert falling.err.tolist() == [0.1, 0.2]
    assert np.all(BOUNDED.sort(exact([3.0, 1.0, 3.0]), axis=-1).err == 0)


def test_picking_moves_bounds_and_adds_none() -> None:
    x = Bounded(np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3]))
    assert BOUNDED.take(x, [2, 0, 2], axis=-1).err.tolist() == [0.3, 0.1, 0.3]
    assert BOUNDED.take_along_axis(x, np.array([1, 1]), axis=-1).err.tolist() == [0.2, 0.2]


def test_numbers_added_at_one_place_round_as_often_as_they_are_added() -> None:
    places = np.array([0, 0, 0, 1, 3])
    for _ in range(100):
        x = RNG.normal(0, 1, 5)
        said = BOUNDED.scatter_along_axis(exact(x), places, size=4, axis=-1)
        for k in range(4):
            with mp.workdps(50):
                true = mp.fsum([mp.mpf(float(v)) for v in x[places == k]])
                assert abs(mp.mpf(float(said.value[k])) - true) <= mp.mpf(float(said.err[k]))
    assert said.err[0] > 0
    assert said.err[1:].tolist() == [0, 0, 0]


def test_a_running_log_sum_exp_is_bounded() -> None:
    worst = 0.0
    for _ in range(50):
        x = RNG.normal(0, 20, 8)
        said = BOUNDED.cumulative_logsumexp(exact(x), axis=-1)
        with mp.workdps(60):
            for k in range(8):
                true = mp.log(mp.fsum([mp.exp(mp.mpf(float(v))) for v in x[: k + 1]]))
                error = abs(mp.mpf(float(said.value[k])) - true)
                assert error <= mp.mpf(float(said.err[k])) + TRUTH, (k, x)
                worst = max(worst, float(said.err[k]) / max(float(abs(true)), 1.0))
    assert worst < 1e-13


def test_the_next_float_is_as_uncertain_as_its_number() -> None:
    assert np.all(error_of(BOUNDED.nextafter(exact([1.0, 2.0]), 3.0)) == 0)
    assert error_of(BOUNDED.nextafter(Bounded(np.array([1.0]), np.array([0.5])), 3.0))[0] > 0.5
    assert value_of(BOUNDED.nextafter(exact([1.0]), 3.0))[0] == 1 + 2.0**-52
