"""Are the ladder's bars honest, narrow and cheap? Truth comes from mpmath, never from our own code."""

from __future__ import annotations

import importlib.util
import zlib
from functools import cache
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest

from gradcheck.oracles.ladder import read as ladder_read
from gradcheck.oracles.ladder.climb import Slopes, second, slopes

_spec = importlib.util.spec_from_file_location(
    "ladder_functions", Path(__file__).with_name("ladder_table_of_functions.py")
)
assert _spec is not None and _spec.loader is not None
table = importlib.util.module_from_spec(_spec)
__import__("sys").modules["ladder_functions"] = table
_spec.loader.exec_module(table)

COUNT = 50
INF = np.inf


def at(value, x, seed=0, *, low=-INF, high=INF, wide=None, scale=None) -> Slopes:
    x = np.asarray(x, dtype=float)
    return slopes(
        lambda rows, t: value(x[rows] + t)[:, None],
        x,
        np.where(x == 0, 1.0, np.abs(x)) if scale is None else np.full(x.shape, scale),
        x - low,
        high - x,
        seed,
        None if wide is None else np.full(x.shape, wide),
    )


@cache
def points(row):
    rng = np.random.default_rng(zlib.crc32(row.name.encode()))
    return row.points(rng, COUNT)


@cache
def truth(row):
    with mp.workdps(60):
        return [row.truth(mp.mpf(float(x))) for x in points(row)]


def inside(row, found: Slopes) -> np.ndarray:
    """Whether |center - truth| <= bar, in exact arithmetic; an infinite bar is a stated silence and holds anything."""
    with mp.workdps(60):
        return np.array(
            [
                not np.isfinite(bar) or abs(mp.mpf(float(c)) - t) <= mp.mpf(float(bar))
                for c, bar, t in zip(found.center[:, 0], found.bar[:, 0], truth(row), strict=True)
            ]
        )


def measure(row, seed=0) -> Slopes:
    return at(row.value, points(row), seed, low=row.low, high=row.high, wide=row.wide)


def coverage(seed=0) -> tuple[float, dict[str, int]]:
    misses = {}
    for row in table.ROWS:
        missed = int((~inside(row, measure(row, seed))).sum())
        if missed:
            misses[row.name] = missed
    return 1.0 - sum(misses.values()) / (COUNT * len(table.ROWS)), misses


def test_table_is_large_and_named_once():
    names = [row.name for row in table.ROWS]
    assert len(names) >= 60
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_truth_lies_inside_the_bar(seed):
    share, misses = coverage(seed)
    assert share >= 0.995, misses
    assert max(misses.values(), default=0) <= 2, misses


def test_planted_lie_without_the_noise_term_is_caught(monkeypatch):
    monkeypatch.setattr(ladder_read, "NOISE_WEIGHT", 0.0)
    share, misses = coverage()
    assert share < 0.995, misses


def relative_bars(row) -> np.ndarray:
    size = np.array([float(abs(t)) for t in truth(row)])
    assert (size > 0).all()
    return measure(row).bar[:, 0] / size


def test_bars_are_narrow_on_smooth_functions():
    smooth = {row.name: relative_bars(row) for row in table.ROWS if row.smooth}
    assert np.median(np.concatenate(list(smooth.values()))) <= 1e-11
    wide = {name: float(np.median(bars)) for name, bars in smooth.items() if np.median(bars) > 1e-9}
    assert not wide


def test_silence_is_rare():
    silent = {row.name: int(np.isinf(measure(row).bar).sum()) for row in table.ROWS}
    assert not {name: count for name, count in silent.items() if count and name_is_smooth(name)}
    assert sum(silent.values()) <= 0.01 * COUNT * len(table.ROWS), silent


def name_is_smooth(name: str) -> bool:
    return next(row.smooth for row in table.ROWS if row.name == name)


def test_evaluations_are_counted_and_few():
    calls = []

    def counted(rows, t):
        calls.append(len(t))
        return np.sin(x[rows] + t)[:, None]

    x = np.linspace(0.1, 3, 500)
    found = slopes(counted, x, x, np.full(500, INF), np.full(500, INF), 0)
    assert found.evaluations == sum(calls)
    smooth = [measure(row).evaluations / COUNT for row in table.ROWS if row.smooth]
    assert np.mean(smooth) < 25
    assert max(measure(row).evaluations / COUNT for row in table.ROWS) <= 100


KINKS = [
    ("abs", np.abs, 0.0, -1, 1),
    ("relu", lambda x: np.maximum(x, 0), 0.0, 0, 1),
    ("leaky", lambda x: np.where(x > 0, x, 0.01 * x), 0.0, 0.01, 1),
    ("clip_top", lambda x: np.clip(x, -1, 1), 1.0, 0, 1),
    ("max", lambda x: np.maximum(x, x * x), 1.0, 1, 2),
    ("abs_shifted", lambda x: np.abs(x - 2) + np.sin(x), 2.0, np.cos(2.0) - 1, np.cos(2.0) + 1),
    ("abs_sin", lambda x: np.abs(np.sin(x)), 0.0, -1, 1),
    ("exp_abs", lambda x: np.exp(-np.abs(x)), 0.0, -1, 1),
    ("tiny_kink", lambda x: 1e-20 * np.abs(x - 1) + 1e-20 * x, 1.0, 0, 2e-20),
    ("norm_in_one", lambda x: np.sqrt(x * x), 0.0, -1, 1),
    ("curved", lambda x: np.where(x < 1, x * x * x, np.exp(x - 1)), 1.0, 1, 3),
    ("steep", lambda x: 1e6 * np.maximum(x - 3, 0), 3.0, 0, 1e6),
    ("float32_relu", table.rounded(lambda x: np.maximum(np.sin(x), 0)), 0.0, 0, 1),
]


@pytest.mark.parametrize(("name", "value", "x", "left", "right"), KINKS, ids=[k[0] for k in KINKS])
def test_kink_is_the_hull_of_its_sides(name, value, x, left, right):
    for seed in range(5):
        found = at(value, [x], seed)
        size = max(abs(left), abs(right))
        slack = 1e-4 * size if name.startswith("float32") else 1e-8 * size
        assert found.kink[0, 0]
        low, high = found.center[0, 0] - found.bar[0, 0], found.center[0, 0] + found.bar[0, 0]
        assert min(left, right) - slack <= low <= min(left, right) + 1e-15 * size
        assert max(left, right) - 1e-15 * size <= high <= max(left, right) + slack


@pytest.mark.parametrize("name", [row.name for row in table.ROWS if row.smooth])
def test_smooth_functions_have_no_kinks(name):
    row = next(row for row in table.ROWS if row.name == name)
    assert not measure(row).kink.any()


@pytest.mark.parametrize("distance", [1e-3, 1e-5, 1e-7, 1e-9])
@pytest.mark.parametrize("side", [-1, 1])
def test_kink_nearby_is_not_a_kink_here(distance, side):
    x = 1 + side * distance * np.linspace(1, 2, 9)
    found = at(lambda x: np.abs(x - 1) + 2 * x, x)
    assert not found.kink.any()
    assert (np.abs(found.center[:, 0] - (2 + side)) <= found.bar[:, 0]).all()


@pytest.mark.parametrize("distance", [1e-2, 1e-4, 1e-6, 1e-8])
def test_constant_piece_that_ends_nearby_is_not_a_kink(distance):
    x = 1 - distance * np.linspace(1, 2, 9)
    found = at(lambda x: np.abs(x - 1) + x, x)
    assert not found.kink.any()
    assert (np.abs(found.center[:, 0]) <= found.bar[:, 0]).all()


TORN = [
    ("floor", np.floor, 1.0),
    ("floor_at_0", np.floor, 0.0),
    ("floor_far", np.floor, 1000.0),
    ("sign", np.sign, 0.0),
    ("heaviside", lambda x: (x > 0) * 1.0, 0.0),
    ("jump_on_a_slope", lambda x: x + (x >= 1), 1.0),
    ("hole", lambda x: np.where(x == 1, 5, x), 1.0),
    ("root", lambda x: np.sqrt(np.abs(x)), 0.0),
    ("cube_root", np.cbrt, 0.0),
    ("wiggle", lambda x: np.where(x == 0, 0, x * np.sin(1 / np.where(x == 0, 1, x))), 0.0),
    ("nowhere", lambda x: x * np.nan, 1.0),
    ("infinite", lambda x: 1 / np.abs(x), 0.0),
]


@pytest.mark.parametrize(("name", "value", "x"), TORN, ids=[t[0] for t in TORN])
def test_what_has_no_slope_is_unmeasurable(name, value, x):
    for seed in range(5):
        found = at(value, [x], seed)
        assert found.bar[0, 0] == INF
        assert not found.kink[0, 0]


@pytest.mark.parametrize("size", [1e-20, 1e-6, 1e6, 1e20])
def test_scale_free(size):
    power = 2.0 ** round(np.log2(size))
    x = np.linspace(-3, 3, 41)

    def value(x):
        return np.sin(3 * x) + np.abs(x - 0.15) + 0.1 * np.exp(x)

    plain = at(value, x, 7)
    taller = at(lambda x: power * value(x), x, 7)
    longer = at(lambda x: value(x / power), x * power, 7, scale=None if 0 not in x else power)
    plain_one_scale = at(value, x, 7, scale=None if 0 not in x else 1.0)
    for found, base, factor in ((taller, plain, power), (longer, plain_one_scale, 1 / power)):
        assert (found.center == factor * base.center).all()
        assert (found.kink == base.kink).all()
        assert found.evaluations == base.evaluations
        np.testing.assert_allclose(found.bar, factor * base.bar, rtol=1e-12)


def test_offsets_are_exact_and_inside_the_room():
    x = np.random.default_rng(3).uniform(0.5, 1.0, 200)
    below, above = np.minimum(x - 0.5, 0.01), np.linspace(0, 0.3, 200)

    def g(rows, t):
        assert ((x[rows] + t) - x[rows] == t).all()
        assert (t >= -below[rows]).all()
        assert (t <= above[rows]).all()
        return np.exp(x[rows] + t)[:, None]

    found = slopes(g, x, x, below, above, 0)
    assert (np.abs(found.center[:, 0] - np.exp(x)) <= found.bar[:, 0]).all()
    assert np.median(found.bar) < 1e-8


def test_one_sided_at_the_edge():
    x = np.zeros(1)
    found = slopes(lambda rows, t: np.exp(t)[:, None], x, np.ones(1), np.zeros(1), np.full(1, INF), 0)
    assert abs(found.center[0, 0] - 1) <= found.bar[0, 0] < 1e-8
    assert not found.kink[0, 0]


def test_constant_to_the_last_bit_is_zero_with_a_rounding_bar():
    found = at(lambda x: 0 * x + 7, [1.0, 100.0])
    assert (found.center == 0).all()
    assert (found.bar > 0).all()
    assert (found.bar < 1e-14).all()
    nothing = at(lambda x: 0 * x, [1.0])
    assert nothing.center == 0
    assert nothing.bar < 1e-300


@pytest.mark.parametrize("seed", range(4))
def test_a_slope_whose_changes_are_lost_further_down_is_no_constant(seed):
    """log(1 + e^x) far down, computed by 1 + …: five quanta at the second rung, none at the fourth."""
    x = np.array([-28.0, -29.0, -30.0, -31.0])
    found = at(lambda t: np.log(1.0 + np.exp(t)), x, seed, wide=30.0)
    true = 1 / (1 + np.exp(-x))  # rounded in the last digits, which no bar here resolves
    assert (np.abs(found.center[:, 0] - true) <= found.bar[:, 0]).all()
    dead = at(lambda t: np.sign(t) * np.maximum(np.abs(t) - 0.3 * 2.0**-9, 0.0), np.zeros(1), seed)
    assert abs(dead.center[0, 0]) <= dead.bar[0, 0] < 1e-9  # a constant piece all the same


def test_outputs_are_judged_one_by_one():
    x = np.linspace(-2, 2, 40)

    def g(rows, t):
        return np.stack([np.exp(x[rows] + t), np.abs(x[rows] + t - x[7]), 0 * t], axis=1)

    found = slopes(g, x, np.abs(x), np.full(40, INF), np.full(40, INF), 0)
    assert found.center.shape == (40, 3)
    assert (np.abs(found.center[:, 0] - np.exp(x)) <= found.bar[:, 0]).all()
    assert found.kink[7].tolist() == [False, True, False]
    assert (found.center[:, 2] == 0).all()


def test_same_seed_same_answer_and_no_rows():
    x = np.linspace(0.1, 1, 10)
    one, two, other = at(np.exp, x, 1), at(np.exp, x, 1), at(np.exp, x, 2)
    assert (one.center == two.center).all()
    assert (one.bar == two.bar).all()
    assert (one.bar != other.bar).any()
    assert at(np.exp, []).center.shape == (0, 1)


def mixed(g, x, y, low=-INF) -> Slopes:
    scales = [np.where(v == 0, 1.0, np.abs(v)) for v in (x, y)]
    rooms = [(v - low, np.full(v.shape, INF)) for v in (x, y)]
    return second(g, x, y, *scales, *rooms, 0)


SECONDS = [
    ("product", lambda x, y: x * y, lambda x, y: mp.mpf(1)),
    ("power", lambda x, y: x**y, lambda x, y: x ** (y - 1) * (1 + y * mp.log(x))),
    ("wave", lambda x, y: np.sin(5 * x * y), lambda x, y: 5 * mp.cos(5 * x * y) - 25 * x * y * mp.sin(5 * x * y)),
    ("angle", np.arctan2, lambda x, y: (x * x - y * y) / (x * x + y * y) ** 2),
    ("separate", lambda x, y: np.exp(x) + np.exp(y), lambda x, y: mp.mpf(0)),
    ("tiny", lambda x, y: 1e-20 * np.exp(x * y), lambda x, y: mp.mpf(1e-20) * (1 + x * y) * mp.exp(x * y)),
]


@pytest.mark.parametrize(("name", "value", "formula"), SECONDS, ids=[s[0] for s in SECONDS])
def test_second_derivatives_lie_inside_their_bars(name, value, formula):
    rng = np.random.default_rng(5)
    x, y = rng.uniform(0.2, 3, (2, 100))
    found = mixed(lambda rows, s, t: value(x[rows] + s, y[rows] + t)[:, None], x, y, 0.0)
    with mp.workdps(40):
        true = [formula(mp.mpf(float(a)), mp.mpf(float(b))) for a, b in zip(x, y, strict=True)]
        held = [abs(c - t) <= b for c, b, t in zip(found.center[:, 0], found.bar[:, 0], true, strict=True)]
    assert all(held)
    size = np.array([float(abs(t)) for t in true])
    if name != "separate":
        assert np.median(found.bar[:, 0] / size) < 1e-7
        assert found.evaluations / 100 < 100


def test_second_derivative_of_one_coordinate_and_its_kinks():
    zero = np.zeros(1)

    def on_one(f):
        return lambda rows, s, t: f(s + t)[:, None]

    cosine = mixed(on_one(np.cos), zero, zero)
    assert abs(cosine.center[0, 0] + 1) <= cosine.bar[0, 0] < 1e-8
    bent = mixed(on_one(lambda u: np.maximum(u, 0) ** 2), zero, zero)
    assert bent.kink[0, 0]
    assert abs(bent.center[0, 0] - 1) < 1e-8 and abs(bent.bar[0, 0] - 1) < 1e-8
    assert mixed(on_one(np.abs), zero, zero).bar[0, 0] == INF
