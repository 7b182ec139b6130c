"""Do drawn numbers lie where the domain says, and reach its tails?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradcheck.cases.domains import STRUCTURED, draw
from gradcheck.spec import Domain
from gradcheck.spec.domains import parse_domain
from gradcheck.spec.membership import within_box

POINTS = 500


def drawn(text: str, shape: tuple[int, ...] = (3,), scale: float = 1.0, seed: int = 0) -> np.ndarray:
    domain = parse_domain(text, "x", ["x"])
    return draw(domain, np.random.default_rng(seed), POINTS, shape, scale)


@pytest.mark.parametrize(
    "text",
    ["real", "positive", "negative", "nonnegative", "(0, 1)", "[-1, 1]", "(2, inf)", "(-inf, -3]", "unit",
     "(-2*pi, 2*pi)", "integer", "integer [0, 5]", "integer (0, 5)", "boolean", "probability", "[0, 1e-300)"],
)  # fmt: skip
@pytest.mark.parametrize("scale", [1.0, 1e-3, 100.0])
def test_boxes_hold_what_is_drawn(text: str, scale: float) -> None:
    x = drawn(text, (2, 3), scale)
    assert x.shape == (POINTS, 2, 3) and x.dtype == float
    assert within_box(parse_domain(text, "x", ["x"]), x).all()


@pytest.mark.parametrize(
    ("text", "values"),
    [("integer [0, 5]", range(6)), ("integer (0, 5)", range(1, 5)), ("boolean", range(2)), ("integer", range(-5, 6))],
)
def test_every_whole_number_comes_up(text: str, values: range) -> None:
    assert set(np.unique(drawn(text))) == set(map(float, values))


def test_the_scale_is_the_size_of_unbounded_numbers() -> None:
    for text in ("real", "positive", "negative"):
        small, large = np.median(np.abs(drawn(text, scale=1e-3))), np.median(np.abs(drawn(text, scale=1e3)))
        assert 1e-4 < small < 1e-2
        assert 1e2 < large < 1e4


def test_intervals_are_searched_near_both_ends() -> None:
    x = drawn("(2, 4)")
    assert (x < 2.002).any() and (x > 3.998).any()
    assert abs(np.mean(x) - 3) < 0.1


def test_numbers_have_both_signs() -> None:
    assert 0.4 < np.mean(drawn("real") > 0) < 0.6


def unit(x: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.eye(x.shape[-1]), x.shape)


def transposed(x: np.ndarray) -> np.ndarray:
    return np.swapaxes(x, -1, -2)


STRUCTURES: dict[str, tuple[tuple[int, ...], Callable[[np.ndarray], bool]]] = {
    "simplex": ((4,), lambda x: bool((x > 0).all()) and np.allclose(x.sum(-1), 1, rtol=1e-14)),
    "sphere": ((4,), lambda x: np.allclose((x**2).sum(-1), 1, rtol=1e-14)),
    "orthogonal": ((3, 3), lambda x: np.allclose(transposed(x) @ x, unit(x), atol=1e-13)),
    "symmetric": ((3, 3), lambda x: np.array_equal(x, transposed(x))),
    "spd": ((3, 3), lambda x: np.array_equal(x, transposed(x)) and bool((np.linalg.eigvalsh(x) > 0).all())),
    "triangular": ((3, 3), lambda x: np.array_equal(x, np.tril(x)) and bool((np.diagonal(x, 0, -1, -2) > 0).all())),
    "sorted": ((5,), lambda x: bool((np.diff(x) >= 0).all())),
    "permutation": (
        (5,),
        lambda x: bool((np.sort(x) == np.arange(x.shape[-1])).all()),
    ),
}


@pytest.mark.parametrize("kind", STRUCTURES)
def test_structures(kind: str) -> None:
    shape, holds = STRUCTURES[kind]
    x = drawn(kind, shape)
    assert x.shape == (POINTS, *shape)
    assert holds(x)
    assert not holds(np.random.default_rng(1).normal(size=x.shape))
    assert len(np.unique(x.reshape(POINTS, -1), axis=0)) > 100


def test_a_chosen_condition_is_reached_and_not_passed() -> None:
    values = np.linalg.eigvalsh(drawn("spd(1e4)", (3, 3)))
    condition = values[:, -1] / values[:, 0]
    assert (condition < 1e4 * (1 + 1e-6)).all() and (condition[::2] > 1e4 * (1 - 1e-6)).all()
    assert np.median(condition[1::2]) < 1e3
    assert np.array_equal(drawn("spd(1e4)", (2, 2)), transposed(drawn("spd(1e4)", (2, 2))))
    assert (drawn("spd(1e4)", (1, 1)) > 0).all() and not np.ptp(np.linalg.cond(drawn("spd(1)", (2, 2)))) > 1e-9


def test_logarithms_are_spread_evenly() -> None:
    x = drawn("log_uniform(1e-8, 1e8)")
    assert within_box(parse_domain("log_uniform(1e-8, 1e8)", "x", ["x"]), x).all()
    decades = np.histogram(np.log10(x), bins=4, range=(-8, 8))[0] / x.size
    assert (np.abs(decades - 0.25) < 0.05).all()


def test_indices_repeat_and_reach_the_last() -> None:
    domain = parse_domain("index(n)", "i", ["i", "n"])
    i = draw(domain.at({"n": 3}), np.random.default_rng(0), POINTS, (4,), 1.0)
    assert set(np.unique(i)) == {0.0, 1.0, 2.0}
    assert (draw(domain.at({"n": 1}), np.random.default_rng(0), POINTS, (4,), 1.0) == 0).all()


@pytest.mark.parametrize("kind", STRUCTURES)
def test_structures_of_size_one(kind: str) -> None:
    shape, holds = STRUCTURES[kind]
    assert holds(drawn(kind, (1,) * len(shape)))


def test_every_structure_is_tested() -> None:
    assert set(STRUCTURES) == STRUCTURED


def test_the_same_generator_draws_the_same() -> None:
    assert np.array_equal(drawn("real", seed=3), drawn("real", seed=3))
    assert not np.array_equal(drawn("real", seed=3), drawn("real", seed=4))


def test_a_domain_without_an_interior_point_between_floats_is_not_left() -> None:
    x = draw(Domain(low=1.0, high=1.0 + 2**-51), np.random.default_rng(0), 50, (2,), 1.0)
    assert within_box(Domain(low=1.0, high=1.0 + 2**-51), x).all()
