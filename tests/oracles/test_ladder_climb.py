"""Do few rungs still tell the truth? Noise, luck, aliasing, flatness: each honest answer beside its lie.

The functions are simple enough for float64 to know their slopes to far better than any bar here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradcheck.oracles.ladder import climb as ladder
from gradcheck.oracles.ladder import read as ladder_read
from gradcheck.oracles.ladder import steps as ladder_steps
from gradcheck.oracles.ladder import weigh as ladder_weigh
from gradcheck.oracles.ladder.climb import Slopes, slopes

INF = np.inf
COUNT = 4000
SIXTEEN = 16 * COUNT  # what jacobi's documentation and our count of it give for a smooth function


def at(value: Callable[[np.ndarray], np.ndarray], x: np.ndarray, seed: int = 0) -> Slopes:
    free = np.full(x.shape, INF)
    return slopes(lambda rows, t: value(x[rows] + t)[:, None], x, np.abs(x), free, free, seed)


def missed(found: Slopes, true: np.ndarray, widened: float = 1.0) -> int:
    off = np.abs(found.center[:, 0] - true)
    return int((np.isfinite(found.bar[:, 0]) & (off > widened * found.bar[:, 0])).sum())


def hashed(x: np.ndarray) -> np.ndarray:
    """Noise in [-1, 1] that is a function of x, as rounding is: the bits of x, well mixed."""
    bits = np.ascontiguousarray(x).view(np.uint64)
    bits = (bits ^ (bits >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray((bits ^ (bits >> np.uint64(32))) >> np.uint64(11)).astype(float) / 2.0**52 - 1.0


def noisy(size: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.sin(5 * x) + size * hashed(x)


X = np.random.default_rng(3).uniform(0.5, 3, COUNT)
NOISES = [1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-8, 1e-5]


def misses(widened: float) -> int:
    return sum(missed(at(noisy(size), X), 5 * np.cos(5 * X), widened) for size in NOISES)


def test_noise_that_rounding_does_not_explain_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert misses(4.0) == 0
    assert misses(1.0) <= 8  # of 28,000
    monkeypatch.setattr(ladder_read, "ENOUGH_RUNGS", 0)  # the lie: a few samples of noise are all of it
    monkeypatch.setattr(ladder_read, "NOISE_WEIGHT", 0.0)
    assert misses(4.0) > 20


def test_noise_widens_the_bar() -> None:
    widths = [np.median(at(noisy(size), X[:500]).bar) for size in (0.0, *NOISES)]
    assert (np.diff(widths) > 0).all()
    assert widths[-1] > 1e-4 and widths[0] < 1e-8


def test_a_limit_at_coarse_steps_has_to_be_even(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a crest the symmetric differences are small at every step: they stand still at a wrong place."""
    crests = np.pi / 10 * np.repeat([3.0, 5.0, 7.0, 9.0], 500)
    x = crests + np.random.default_rng(0).normal(0, 2e-4, crests.size)
    true = 5 * np.cos(5 * x)

    def lies() -> int:
        return sum(missed(at(noisy(size), x, seed), true, 4.0) for size in (1e-6, 1e-5) for seed in range(3))

    few = lies()
    assert few <= 4  # of 12,000, all at crests: two coarse jumps may be small by accident
    monkeypatch.setattr(ladder_read, "_evened", lambda found: found)
    assert lies() > 5 * few


def test_steps_do_not_alias_with_a_period(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.arange(1, 33) / 32 + 1.0

    def tone(x: np.ndarray) -> np.ndarray:
        return x + np.sin(2 * np.pi * 65536 * x) / 65536

    true = 1 + 2 * np.pi * np.cos(2 * np.pi * 65536 * x)
    honest = at(tone, x)
    assert missed(honest, true) == 0 and (honest.bar < 1e-3).all()
    monkeypatch.setattr(ladder_steps, "mantissas", lambda rng, rungs, count: np.ones((rungs, count)))
    assert missed(at(tone, x), true, 1e3) == len(x)


def test_a_torn_function_is_no_noisy_one(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.array([1000.0, 2000.0, 3000.0])
    assert (at(np.floor, x).bar == INF).all()
    monkeypatch.setattr(ladder_steps, "jumps", lambda samples, top: np.zeros(samples.middle.shape, dtype=bool))
    assert (at(np.floor, x).bar < INF).any()


def test_a_function_torn_at_the_point_has_no_slope_of_what_lies_further_out() -> None:
    """t -> copysign(x - t, t) is one line with slope -1 from afar, and has slope 1 on the side that the point is on."""
    x = np.array([0.25, 0.5, 1.5])
    far = np.full(3, INF)

    def g(rows: np.ndarray, t: np.ndarray) -> np.ndarray:
        return np.copysign(x[rows] - 0.75 * t, 1e-310 + 0.5 * t)[:, None]

    found = slopes(g, np.zeros(3), np.ones(3), far, far, 0)
    assert (np.abs(found.center[:, 0] + 0.75) <= found.bar[:, 0]).all()


def test_no_bar_is_ever_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    flat = [lambda x: 0 * x, lambda x: 0 * x + 7, lambda x: np.maximum(x - 10, 0), lambda x: x, np.abs]
    assert all((at(f, X[:50]).bar > 0).all() for f in flat)
    monkeypatch.setattr(ladder_weigh, "SMALLEST", 0.0)
    assert not all((at(f, X[:50]).bar > 0).all() for f in flat)


def test_float32_inside_is_told_by_its_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    x = X[:300]

    def single(x: np.ndarray) -> np.ndarray:
        return np.exp(x).astype(np.float32).astype(float)

    found = at(single, x)
    assert missed(found, np.exp(x)) == 0
    assert found.evaluations <= 24 * len(x)  # the noise is explained: it is not asked for what is far below
    monkeypatch.setattr(ladder_steps, "quantum", lambda samples, top: np.zeros(samples.above.shape))
    assert at(single, x).evaluations > found.evaluations


def test_one_side_is_enough_at_an_edge() -> None:
    x = np.ones(20)
    found = slopes(lambda rows, t: np.sqrt(x[rows] + t)[:, None], x, x, np.zeros(20), np.full(20, INF), 0)
    assert (np.abs(found.center - 0.5) <= found.bar).all() and (found.bar < 1e-8).all()
    assert found.evaluations <= 16 * len(x)


@pytest.mark.parametrize("value", [np.exp, np.sin, np.sqrt, lambda x: 1 / x, lambda x: x**3 - 2 * x, np.arctan])
def test_smooth_functions_take_eleven_evaluations(value: Callable[[np.ndarray], np.ndarray]) -> None:
    found = at(value, X)
    assert 11 * COUNT <= found.evaluations < SIXTEEN
    assert found.evaluations / COUNT < 12


def test_only_what_is_not_settled_climbs() -> None:
    """One hard function among many easy ones costs them nothing."""
    x = np.array([1.0, 2.0, 1.0 + 1e-7])
    asked = np.zeros(3)

    def g(rows: np.ndarray, t: np.ndarray) -> np.ndarray:
        np.add.at(asked, rows, 1)
        moved = x[rows] + t
        return np.where(rows == 2, np.abs(moved - 1), np.exp(moved))[:, None]

    found = slopes(g, x, x, np.full(3, INF), np.full(3, INF), 0)
    assert asked[0] == asked[1] == 2 * ladder.FINER[0] + 1
    assert asked[2] > 2 * asked[0]
    assert found.evaluations == asked.sum()
    assert abs(found.center[2, 0] - 1) <= found.bar[2, 0] < 1e-3 and not found.kink.any()


def test_numbers_rounded_inside_are_seen_from_afar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the rounding of its argument such a function is a staircase, whose treads have another slope."""
    x = X[:500]

    def stairs(x: np.ndarray) -> np.ndarray:
        return np.sin(3 * x.astype(np.float32).astype(float)) + np.cos(x)

    true = 3 * np.cos(3 * x) - np.sin(x)
    assert missed(at(stairs, x), true, 4.0) <= 2
    monkeypatch.setattr(ladder_read, "_joined", lambda read, first: read)
    assert missed(at(stairs, x), true, 4.0) > 100
