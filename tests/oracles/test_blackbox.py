"""Are the derivatives of a black box what its values say, at kinks and at hundreds of bits too?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.oracles.blackbox.asked import Asked, BadAnswer, Handwritten
from gradcheck.oracles.blackbox.lines import Direction
from gradcheck.oracles.blackbox.precise import NotRunning, precise
from gradcheck.oracles.blackbox.precise_numbers import Precise, lifted
from gradcheck.oracles.blackbox.slopes import along, flat_around, jacobian, pieces, second_opinion
from gradcheck.oracles.isolation.watch import Lost, Watch
from gradcheck.spec.model import Domain


def asked(fn: Any, count: int = 1) -> Asked:
    return Asked(Handwritten(fn, None, None, tuple(range(count)), count), Watch(("value", "precision"), 60.0))


def elements(n: int) -> list[Direction]:
    return [Direction(0, np.eye(n)[k], (k,)) for k in range(n)]


def test_a_jacobian_holds_the_truth_in_its_bars() -> None:
    x = np.array([0.3, -1.7, 2.0])
    found = jacobian(asked(lambda x: np.sin(x) * x[0]), [(x,)], elements(3), [Domain()], 0)
    truth = np.diag(np.cos(x) * x[0])
    truth[0] += np.sin(x)
    assert (np.abs(found.center[0] - truth) <= found.bar[0] + 2.0**-50).all()
    assert found.bar.max() < 1e-9
    assert not found.kink.any()


def test_directions_in_sizes_of_the_elements_stay_inside_limits() -> None:
    seen: list[float] = []

    def watched(x: Any) -> Any:
        seen.extend(x.tolist())
        return np.sum(x * x)

    x = np.array([1.0, 0.5])
    way = Direction(0, np.array([-1.0, 0.75]), None, relative=True)
    found = jacobian(asked(watched), [(x,)], [way], [Domain(low=0.0, high=1.0, low_open=False, high_open=False)], 0)
    assert abs(found.center[0, 0, 0] - 2 * (x * x * [-1.0, 0.75]).sum()) <= found.bar[0, 0, 0] + 2.0**-50
    assert min(seen) >= 0
    assert max(seen) <= 1


def test_a_kink_is_seen_along_coordinates_and_directions() -> None:
    x = np.array([1.0, 1.0])
    coordinates = jacobian(asked(np.max), [(x,)], elements(2), [Domain()], 0)
    assert coordinates.kink.all()
    assert (np.abs(coordinates.center - 0.5) + 0.5 <= coordinates.bar + 1e-9).all()  # the hull is [0, 1]
    together = along(asked(np.max), (x,), [np.ones(2)], 0)
    assert abs(together.center[0, 0, 0] - 1) <= together.bar[0, 0, 0] < 1e-9  # and along both it is 1, not 2


def test_pieces_are_told_from_curvature() -> None:
    rng = np.random.default_rng(0)
    ct = np.ones(1)
    kink = pieces(asked(lambda x: np.sum(x) - np.max(x) - np.min(x)), (np.ones(3),), [np.eye(3)[0]], ct, 24, rng)
    assert kink.jumps  # no coordinate shows this one: both one-sided slopes are 0
    assert kink.low - kink.noise <= 0
    assert kink.high + kink.noise >= 1
    smooth = pieces(asked(lambda x: np.sum(x**4)), (np.ones(3),), [np.eye(3)[0]], ct, 24, rng)
    assert not smooth.jumps
    jump = pieces(asked(lambda x: np.sum(np.floor(x) + 2 * x)), (np.ones(3),), [np.eye(3)[0]], ct, 24, rng)
    assert not jump.jumps
    assert abs(jump.high - 2) < 1e-4  # what crosses a jump is no slope


def test_a_piece_that_no_point_lay_on_is_looked_for_again() -> None:
    """Of five equal numbers one in five points around has the second smallest where the first number is."""
    by_chance = []
    for seed in range(250):
        rng = np.random.default_rng(seed)
        found = pieces(asked(lambda x: np.sort(x)[1]), (np.zeros(5),), [np.eye(5)[0]], np.ones(1), 12, rng)
        by_chance.append((found.jumps, found.unsure))
        assert found.jumps or found.unsure or found.high == found.low  # all points of both radii on other pieces
    assert (False, True) in by_chance
    curved = (asked(lambda x: np.sum(x**4)), (np.ones(3),), [np.eye(3)[0]], np.ones(1), 24)
    assert not any(pieces(*curved, np.random.default_rng(seed)).unsure for seed in range(50))


def test_flat_on_the_only_side_there_is_proves_nothing() -> None:
    """Of two numbers that tie at the end of a box, the largest moves with neither of them downwards."""
    x, way, both = np.array([-1.0, 2.0, 2.0]), elements(3)[1], np.ones(1, dtype=bool)
    ended = [Domain(low=-2.0, high=2.0, low_open=False, high_open=False)]
    assert not flat_around(asked(np.max), (x,), way, ended, both)
    assert not flat_around(asked(np.max), (x,), way, [Domain()], both)
    assert flat_around(asked(np.max), (x,), elements(3)[0], ended, both)


def test_a_second_opinion_is_cautious_and_right() -> None:
    """At this point the ladder reads 0 with a bar of 1e-12, for 8.47e-10."""

    def log_softmax(z: Any) -> Any:
        m = z.max()
        return z - (m + np.log(np.exp(z - m).sum()))

    z = np.array([-27.5, -25.6, -20.9, 0.0])
    e = np.exp(z)
    opinion = second_opinion(asked(log_softmax), (z,), elements(4)[3], np.array([0.0, 0.0, 0.0, 1.0]))
    assert abs(opinion.center - (1 - e / e.sum())[3]) <= 8 * opinion.bar
    assert opinion.bar < 1e-11


def test_code_runs_unchanged_at_hundreds_of_bits() -> None:
    x = np.array([-40.0, 0.5])
    found = precise(asked(lambda x: np.expm1(x) + 0 * np.hypot(x, 1) ** 2), (x,), elements(2))
    assert not isinstance(found, NotRunning)
    diagonal = np.diagonal(found.center[0])
    assert (np.abs(diagonal / np.exp(x) - 1) < 4 * 2.0**-52).all()  # of which float64 sees nothing at -40
    kink = precise(asked(np.abs), (np.zeros(1),), elements(1))
    assert not isinstance(kink, NotRunning)
    assert kink.kink.all()


@pytest.mark.parametrize("fn", [lambda x: np.linalg.inv(x[:, None] + x), lambda x: np.array(x, dtype=float)])
def test_code_that_cannot_run_so_says_why(fn: Any) -> None:
    found = precise(asked(fn), (np.array([1.0, 2.0]),), elements(2))
    assert isinstance(found, NotRunning)
    assert "precise numbers" in found.why


def test_precise_numbers_are_numbers() -> None:
    a, b = lifted(np.array([2.0, -0.75]))
    assert float(a + b) == float(1.25 + 0 * a) == 1.25
    assert float(1 - b) == 1.75
    assert float(3 / a) == 1.5
    assert float(a**2 % 3) == 1
    assert float(2**a) == 4
    assert (a > b) and not (a < b) and (a >= 2) and (b <= -0.75) and a == 2 and a != b
    assert a != "two"
    assert np.isnan(float((b * 0) / 0)) and float(a / 0) == np.inf
    assert np.isnan(float(np.log(np.array([b], dtype=object))[0]))  # as NumPy has it
    assert float(np.floor(np.array([b]))[0]) == -1 and float(np.trunc(np.array([b]))[0]) == 0
    third = Precise((a / 3).v)
    assert abs(float(third * 3 - 2)) < 1e-110  # hundreds of bits, not 53
    with pytest.raises(TypeError):
        a + "one"


def test_answers_that_are_none_are_refused() -> None:
    def refused(found: Any, moving: tuple[int, ...] = (0, 1)) -> str:
        subject = Handwritten(lambda x, y: x * y, lambda i, ct: found, None, moving, 2)
        with pytest.raises(BadAnswer) as caught:
            subject.vjp((np.ones(2), np.ones(2)), (np.ones(2),))
        return str(caught.value)

    assert "gives 3 gradients for 2 inputs" in refused((1.0, 1.0, 1.0))
    assert "None for input 1" in refused((np.ones(2), None))
    assert "str, not numbers" in refused(("a", np.ones(2)))


def test_a_slow_call_is_not_waited_for_twice() -> None:
    import time

    subject = Asked(Handwritten(lambda x: time.sleep(0.02) or x, None, None, (0,), 1), Watch(("value",), 0.01))
    with pytest.raises(Lost, match=r"the limit is 0\.01 s"):
        subject.value((np.ones(1),))
    assert subject.watch.calls == 1
