"""Is one wrong number of many found by few directions, and do the bars of slopes along them hold the truth?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.judge.large import directions, off, places_off
from gradcheck.oracles.blackbox.asked import Asked, Handwritten
from gradcheck.oracles.blackbox.large_line import Line, Way, blocks_of, signs
from gradcheck.oracles.blackbox.large_read import calibrated, of_number_closely, read
from gradcheck.oracles.isolation.watch import Watch
from gradcheck.run.check.large_search import Search

N = 30_000


def line_of(fn: Callable[..., Any], x: Any) -> tuple[Line, list[int]]:
    """The function at a point, with ones as its cotangent, and a list that grows with its calls."""
    calls: list[int] = []

    def counted(x: Any) -> Any:
        calls.append(1)
        return fn(x)

    subject = Handwritten(counted, None, None, (0,), 1)
    base = subject.value([x])
    asked = Asked(subject, Watch(("value",), 60.0))
    return Line(asked, [x], 0, [np.ones(o.shape, np.int8) for o in base], 1.0, base), calls


def drawn(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).uniform(-3, 3, shape or (N,))


TRUTHS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "sine": (lambda x: np.sin(x).sum(), np.cos),
    "far from zero": (lambda x: np.sin(x).sum() + 1e6, np.cos),
    "steep": (lambda x: np.exp(3 * x).sum(), lambda x: 3 * np.exp(3 * x)),
    "cancelling": (lambda x: ((np.sin(x) + 1e5) - 1e5).sum(), np.cos),
    "kinks": (lambda x: np.clip(x, -0.7, 0.3).sum(), lambda x: ((x > -0.7) & (x < 0.3)).astype(float)),
    "in fewer digits": (lambda x: float(np.sin(x.astype(np.float32)).sum()), np.cos),
}


@pytest.mark.parametrize("name", TRUTHS)
def test_bars_hold_the_slope_along_directions(name: str) -> None:
    fn, slope = TRUTHS[name]
    misses = 0
    for seed in range(4):
        x, rng = drawn(seed), np.random.default_rng([7, seed])
        line, _ = line_of(fn, x)
        first = Way(signs(rng, N), 0, N)
        line, step, slopes = calibrated(line, first)
        reading = slopes.of()
        misses += int(off(first.by_blocks(slope(x), 1), reading.value, reading.bar).sum())
        for _ in range(4):
            way = Way(signs(rng, N), 0, N)
            reading = read(line, way, step).of()
            misses += int(off(way.by_blocks(slope(x), 1), reading.value, reading.bar).sum())
    assert misses <= 1  # of twenty


def test_a_bar_that_forgets_the_noise_is_a_lie() -> None:
    fn, slope = TRUTHS["cancelling"]
    x, rng = drawn(0), np.random.default_rng(0)
    line, _ = line_of(fn, x)
    line, step, _ = calibrated(line, Way(signs(rng, N), 0, N))
    line.noise = 0.0
    ways = [Way(signs(rng, N), 0, N) for _ in range(20)]
    found = [(way.by_blocks(slope(x), 1), read(line, way, step / 64).of()) for way in ways]
    assert sum(bool(off(claim, r.value, r.bar).any()) for claim, r in found) > 5


def test_numbers_at_kinks_and_next_to_them_have_hulls() -> None:
    x = np.concatenate([[0.0, 1e-9, -1e-9, 1e-5, -3e-4, 0.7], drawn(1)])
    line, _ = line_of(lambda x: np.maximum(x, 0), x)
    line.blocks = x.size
    way = Way(np.ones(x.size, np.int8), 0, x.size)
    found = of_number_closely(line, way, 2.0**-11, np.arange(6))
    for right in (x[:6] > 0).astype(float), (x[:6] >= 0).astype(float):
        assert not off(right, found.value, found.bar).any()
    assert off(np.full(6, 1.5), found.value, found.bar).all()
    assert off(np.full(6, -0.5), found.value, found.bar).all()


@pytest.mark.parametrize("fn", [np.sign, np.cbrt, lambda x: np.sqrt(np.maximum(x, 0))], ids=["jump", "root", "end"])
def test_where_slopes_are_infinite_nothing_is_known(fn: Callable[..., Any]) -> None:
    x = np.concatenate([[0.0, 1e-8], drawn(1)])
    line, _ = line_of(fn, x)
    line.blocks = x.size
    found = of_number_closely(line, Way(np.ones(x.size, np.int8), 0, x.size), 2.0**-11, np.arange(2, N))
    assert np.isfinite(found.bar).mean() > 0.99
    found = of_number_closely(line, Way(np.ones(x.size, np.int8), 0, x.size), 2.0**-11, [0, 1])
    assert np.isinf(found.bar).all()


@pytest.mark.parametrize("place", [0, 1, 777, N - 1])
def test_one_wrong_number_takes_few_calls(place: int) -> None:
    x, rng = drawn(2), np.random.default_rng(2)
    line, calls = line_of(lambda x: np.sin(x).sum(), x)
    way = Way(signs(rng, N), 0, N)
    line, step, slopes = calibrated(line, way)
    reading = slopes.of()
    gradient = np.cos(x)
    gradient[place] += 0.01
    missed = float(way.times(gradient) - reading.value[0])
    calls.clear()
    found = Search(line, way, 0, step, lambda w: w.times(gradient), missed, float(reading.bar[0])).found()
    assert found is not None and found.place == place
    assert len(calls) <= 8
    assert abs(found.right - np.cos(x[place])) <= found.bar


@pytest.mark.parametrize("count", [2, 5, N])
def test_many_wrong_numbers_lead_to_one_of_them(count: int) -> None:
    x, rng = drawn(3), np.random.default_rng(3)
    line, _ = line_of(lambda x: np.sin(x).sum(), x)
    way = Way(signs(rng, N), 0, N)
    line, step, slopes = calibrated(line, way)
    reading = slopes.of()
    wrong = rng.permutation(N)[:count]
    gradient = np.cos(x)
    gradient[wrong] += 0.01 * rng.uniform(0.5, 2, count)
    missed = float(way.times(gradient) - reading.value[0])
    found = Search(line, way, 0, step, lambda w: w.times(gradient), missed, float(reading.bar[0])).found()
    assert found is not None and found.place in wrong


def test_blocks_are_seen_in_the_values() -> None:
    rng = np.random.default_rng(5)
    x = drawn(4, 40, 50)
    mixed = rng.normal(size=(50, 50))
    for fn, blocks in (
        (np.sin, 2000), (lambda x: x @ mixed, 40), (lambda x: x.sum(-1), 40), (np.sum, 1), (np.transpose, 1),
        (lambda x: x - x.mean(), 1), (lambda x: np.sort(x, axis=-1), 40), (lambda x: x[::-1] * 2, 1),
    ):  # fmt: skip
        assert blocks_of(line_of(fn, x)[0], rng) == blocks


def test_signs_are_fair_and_directions_as_many_as_the_confidence_needs() -> None:
    drawn_signs = signs(np.random.default_rng(0), 100_001)
    assert set(drawn_signs.tolist()) == {-1, 1} and abs(drawn_signs.mean()) < 0.02
    assert (directions(0.5), directions(0.75)) == (10, 25)
    claimed, bar = np.array([1.0, np.nan, 2.0]), np.array([0.1, 0.1, np.inf])
    assert places_off(claimed, np.ones(3), bar).tolist() == [1]
