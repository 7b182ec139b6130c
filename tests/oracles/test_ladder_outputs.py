"""Where a function has several outputs, are those that are settled early told as truly as the ones that climb on?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradcheck.oracles.ladder import climb as ladder
from gradcheck.oracles.ladder import steps
from gradcheck.oracles.ladder.climb import Slopes, slopes

COUNT = 300
X = np.random.default_rng(5).uniform(0.5, 3, COUNT)
Row = np.ndarray


def outputs(*values: Callable[[Row], Row], wide: Row | None = None, x: Row = X) -> Slopes:
    """Slopes of all outputs at x."""
    free = np.full(x.shape, np.inf)
    return slopes(lambda rows, t: np.stack([v(x[rows] + t) for v in values], axis=1), x, np.abs(x), free, free, 0, wide)


def inside(found: Slopes, column: int, true: Row) -> bool:
    return bool((np.abs(found.center[:, column] - true) <= 4 * found.bar[:, column]).all())


def test_an_output_that_does_not_move_has_slope_zero_and_costs_next_to_nothing() -> None:
    alone = outputs(np.sin)
    beside = outputs(np.sin, lambda x: np.full_like(x, 1.2345))
    assert beside.evaluations == alone.evaluations
    beside = outputs(np.sin, lambda x: np.full_like(x, 1.2345), np.zeros_like)
    assert beside.evaluations == alone.evaluations + 2 * COUNT  # a zero is looked at far out
    assert inside(beside, 0, np.cos(X)) and inside(beside, 1, 0 * X) and inside(beside, 2, 0 * X)
    assert (beside.bar[:, 1] < 1e-12).all() and (beside.bar[:, 1] > 1e-15).all()  # rounding of 1.2345 hides that much
    assert np.array_equal(beside.center[:, 0], alone.center[:, 0])


def test_a_slope_that_rounding_hides_is_within_the_bar() -> None:
    found = outputs(np.sin, lambda x: 1 + 1e-17 * x, lambda x: 1e20 + np.cos(x))
    assert inside(found, 1, np.full(COUNT, 1e-17)) and inside(found, 2, -np.sin(X))


def test_an_output_whose_terms_cancel_is_not_taken_for_still() -> None:
    """Rounding of terms of size 50 hides a slope of 1e-22, however small the number that is left of them: or 0."""
    lost = lambda x: 50 - np.log(np.exp(50.0) + np.exp(x))  # noqa: E731  (exactly 0)
    left = lambda x: (50 + 1e-14) - np.log(np.exp(50.0) + np.exp(x))  # noqa: E731  (one unit of 50's last place)
    true = -np.exp(X - 50)
    assert (lost(X) == 0).all() and (np.abs(left(X)) < 2e-14).all() and (left(X) != 0).all()
    found = outputs(np.sin, lost, left)
    assert inside(found, 1, true) and inside(found, 2, true)


def test_a_zero_beside_an_output_that_leaves_the_numbers_is_measured() -> None:
    x = np.ones(COUNT)
    found = outputs(np.sin, np.zeros_like, lambda x: np.where(x > 1.004, np.inf, x), x=x)
    assert inside(found, 1, 0 * x) and np.isfinite(found.bar[:, 1]).all()


def test_an_output_computed_in_float32_is_not_taken_for_still() -> None:
    narrow = lambda x: (np.float32(1e-6) * x.astype(np.float32) + np.float32(1)).astype(float)  # noqa: E731
    found = outputs(np.sin, narrow)
    assert inside(found, 1, np.full(COUNT, 1e-6))


def test_an_output_that_moves_further_out_only_is_asked_there() -> None:
    """Short of the domain's length nothing changes: a step so short says little, and longer ones are taken."""
    x = 1e-9 * X
    found = outputs(lambda x: np.sin(1e9 * x), lambda x: 1 + 1e-8 * x, wide=np.ones(COUNT), x=x)
    assert inside(found, 1, np.full(COUNT, 1e-8))
    assert found.evaluations > 11 * COUNT  # which is what settles the first output


def test_one_side_alone_that_does_not_move_settles_nothing() -> None:
    """At an end of the domain a ramp that begins there is flat on the one side that can be seen."""
    far, none = np.full(COUNT, np.inf), np.zeros(COUNT)

    def both(rows: Row, t: Row) -> Row:
        return np.stack([np.sin(X[rows] + t), np.maximum(t, 0.0)], axis=1)

    honest = slopes(both, X, np.abs(X), far, far, 0)
    assert honest.kink[:, 1].all()
    one_sided = slopes(both, X, np.abs(X), far, none, 0)
    assert (one_sided.center[:, 1] == 0).all()
    assert one_sided.evaluations > COUNT * 11  # not settled by the first rungs


def test_settled_outputs_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One output of many that climbs on is read alone, and what is read of it is what reading all says."""
    kinked = lambda x: np.abs(x - 1.5)  # noqa: E731  (smooth at nearly all points)
    at = np.where(np.arange(COUNT) < 5, 1.5, X)
    values = [np.sin, np.cos, np.exp, kinked]
    few = outputs(*values, x=at)
    assert few.kink[:5, 3].all() and not few.kink[:, :3].any()
    monkeypatch.setattr(ladder, "FULL", 0.0)  # all are read together
    many = outputs(*values, x=at)
    assert np.array_equal(few.kink, many.kink)
    assert (np.abs(few.center - many.center) <= few.bar + many.bar).all()


@pytest.mark.parametrize("size", [1.0, 1e-173, 1e167, 1e-290, 1e300])
@pytest.mark.parametrize("near", [False, True])
@pytest.mark.parametrize("few", [False, True])
def test_reading_one_idle_output_for_all_and_in_blocks_changes_not_one_bit(
    monkeypatch: pytest.MonkeyPatch, size: float, near: bool, few: bool
) -> None:
    x = np.random.default_rng(3).uniform(0.5, 3, COUNT) * size
    edge = np.where(np.arange(COUNT) % 3 == 0, 2.0**-30 * x, np.inf)  # some functions end close by on one side, or both
    asked = [
        np.sin, np.zeros_like, lambda t: np.full_like(t, 1.2345), lambda t: np.full_like(t, -1e300),
        lambda t: np.full_like(t, 5e-324), lambda t: np.where(t > 2.4 * size, 1.0, 0.5), lambda t: t * 0.1 + size,
        lambda t: np.where(t > 3.2 * size, np.nan, 1.1), lambda t: np.float32(np.cos(t / size)).astype(float), np.abs,
    ]  # fmt: skip
    if few:  # a slope that rounding limits, so that it is the idle one that asks for finer rungs, if any does
        asked = [lambda t: size + 1e-13 * t, lambda t: np.full_like(t, 1.2345 * size)]

    def found() -> Slopes:
        below = np.where(np.arange(COUNT) % 2 == 0, edge, np.inf) if near else np.full(COUNT, np.inf)

        def g(rows: np.ndarray, t: Row) -> Row:
            with np.errstate(all="ignore"):
                return np.stack([v(x[rows] + t) for v in asked], axis=1)

        return slopes(g, x, np.abs(x), below, edge if near else np.full(COUNT, np.inf), 0, np.abs(x) * 100)

    with np.errstate(all="ignore"):
        quick = found()
        monkeypatch.setattr(ladder, "_flat", lambda ladder: np.zeros(ladder.samples.middle.shape, dtype=bool))
        monkeypatch.setattr(steps, "_BLOCK", 2**40)
        whole = found()
    assert quick.evaluations == whole.evaluations
    for mine, theirs in ((quick.center, whole.center), (quick.bar, whole.bar), (quick.kink, whole.kink)):
        assert np.array_equal(mine, theirs)


def test_an_idle_output_asks_for_finer_rungs_as_if_it_were_read_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    real = ladder._read_all

    def both(samples: ladder._Ladder, still: np.ndarray) -> ladder.Reading:
        quick, whole = real(samples, still), ladder._read(samples, still)
        idle = still & ladder._idle(samples)
        assert np.array_equal(quick.finer[still], whole.finer[still])
        assert np.array_equal(quick.good[still], whole.good[still])
        told.append((int(idle.sum()), int(quick.finer[idle].sum())))
        return quick

    monkeypatch.setattr(ladder, "_read_all", both)
    for size in (1e-307, 1e-290, 1e-160, 1.0, 1e160, 1e300, 1e306):
        still = [lambda x, k=k: np.full_like(x, k) for k in (0.0, 1.0, 1e-300, 1e300)]
        with np.errstate(all="ignore"):
            outputs(lambda x, s=size: np.sin(40 * x / s), *still, x=X * size)
            outputs(np.abs, *still, x=np.where(np.arange(COUNT) % 2 == 0, 0.0, X * size))
    assert sum(idle for idle, _ in told) > COUNT
    assert sum(finer for _, finer in told) > 0
