"""Are inputs declared from Python what they say, and are they tried where rules break?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gradcheck.cases.given import (
    SPD,
    Boolean,
    Complex,
    Given,
    Integer,
    Orthogonal,
    Permutation,
    Real,
    Simplex,
    Sorted,
    Sphere,
    declared,
    dimensions,
    settled,
)
from gradcheck.cases.given_words import givens_of
from gradcheck.cases.planting import points, sampled
from gradcheck.errors import UsageError


def named(*givens: Given, sizes: dict[str, int] | None = None) -> list[Given]:
    found = declared(list(givens), ["x", "y", "z"][: len(givens)])
    assert isinstance(found, tuple)
    return [settled(g, sizes or {}) for g in found]


def test_dimensions_are_settled_and_indices_follow_them() -> None:
    table, rows = declared([Real("n", 2), Integer("k", high="n")], ["table", "rows"])
    assert dimensions([table, rows]) == ("n", "k")
    fixed = settled(rows, {"n": 4, "k": 3})
    assert fixed.shape == (3,)
    assert (fixed.domain.low, fixed.domain.high) == (0, 3)
    with pytest.raises(UsageError, match="'m' is no dimension"):
        settled(Integer("k", high="m"), {"k": 3})


def test_an_example_tells_shape_type_and_numbers() -> None:
    x, i, b = declared([np.array([0.5, 2.5]), np.array([3, 7]), np.array([True])], ["x", "i", "b"])
    assert (x.shape, x.usual, x.marks) == ((2,), (-0.5, 3.5), (0.5, 2.5))
    assert (i.dtype, i.domain.low, i.domain.high, i.differentiable) == ("int64", 3, 7, False)
    assert b.domain.kind == "boolean"
    (z,) = declared([np.array([1j])], ["z"])
    assert (z.paired, z.shape) == (True, (1, 2))  # a complex number is a pair of real ones


@pytest.mark.parametrize(
    "wrong", [lambda: Real(low=2, high=1), lambda: Real(low=0, usual=(-1, 1)), lambda: Integer(low=3, high=1),
              lambda: Real(-1)]
)  # fmt: skip
def test_what_holds_nothing_is_refused(wrong: object) -> None:
    with pytest.raises(UsageError):
        wrong()  # type: ignore[operator]


def test_the_numbers_at_which_rules_break_are_planted() -> None:
    tried = points(named(Real(3, low=-2, high=2), Real(3, low=-2, high=2)), 256, 0)
    xs = np.array([t.inputs[0] for t in tried if not t.outside])
    for mark in (0.0, 1.0, -1.0, 2.0, -2.0):
        assert (xs == mark).all(axis=1).any()  # everywhere …
        assert ((xs == mark).sum(axis=1) == 1).any()  # … and in one element
    assert any((t.inputs[0] == t.inputs[1]).all() for t in tried)  # ties across inputs
    assert any(len(set(t.inputs[0].tolist())) == 2 for t in tried if t.origin.startswith("ties"))
    assert ((xs == 0).sum(axis=1) == 2).any()
    assert (np.abs(xs) <= 2).all()
    assert any(t.outside and (np.abs(np.concatenate(t.inputs)) > 2).any() for t in tried)


def test_without_limits_nothing_is_outside_and_tails_are_tried() -> None:
    tried = points(named(Real(2, usual=(-2, 2))), 256, 0)
    assert not any(t.outside for t in tried)
    largest = max(np.abs(t.inputs[0]).max() for t in tried if not t.extreme)
    assert 400 <= largest < 2.0**53
    assert any(t.extreme and (t.inputs[0] == 1e-170).all() for t in tried)


def test_equal_numbers_that_are_planted_have_exact_sums() -> None:
    for t in points(named(Real(7, low=-2, high=2)), 128, 3):
        x = t.inputs[0]
        if t.origin.startswith("ties") and len(set(x.tolist())) == 1:
            assert x.sum() == 7 * x[0]
            assert (x - x.sum() / 7 == 0).all()


def test_structures_and_integers_stay_in_their_sets() -> None:
    for t in points(named(SPD(3), Simplex(4), Integer(5, low=2, high=4)), 32, 1):
        matrix, mass, whole = t.inputs
        assert (np.linalg.eigvalsh(matrix) > 0).all()
        assert (matrix == matrix.T).all()
        assert abs(mass.sum() - 1) < 8 * 2.0**-52
        assert set(whole.tolist()) <= {2, 3, 4}
        assert whole.dtype == np.int64
    assert points(named(Boolean(2)), 4, 0)[0].inputs[0].dtype == bool


def test_spheres_rotations_and_orders_are_drawn_as_such() -> None:
    declared_so = named(Sphere(2, 3), Orthogonal(3), Sorted(4), Permutation(5))
    found = points(declared_so, 64, 1)
    assert len(found) == 64
    for t in found:
        directions, rotation, rising, order = t.inputs
        assert np.abs((directions**2).sum(axis=-1) - 1).max() < 8 * 2.0**-52
        assert np.abs(rotation.T @ rotation - np.eye(3)).max() < 32 * 2.0**-52
        assert (np.diff(rising) >= 0).all()
        assert order.dtype == np.int64 and sorted(order.tolist()) == [0, 1, 2, 3, 4]
    assert len({t.inputs[3].tobytes() for t in found}) > 30
    assert [g.differentiable for g in declared_so] == [True, True, True, False]


def test_the_same_seed_gives_the_same_points_that_nobody_can_write_to() -> None:
    one, two, other = (points(named(Real(2)), 64, seed) for seed in (5, 5, 6))
    assert all((a.inputs[0] == b.inputs[0]).all() for a, b in zip(one, two, strict=True))
    assert not all((a.inputs[0] == b.inputs[0]).all() for a, b in zip(one, other, strict=True))
    with pytest.raises(ValueError, match="read-only"):
        one[0].inputs[0][0] = 1.0
    assert len(sampled(lambda rng: (rng.normal(size=2),), 5, 0)) == 5


def test_numbers_over_powers_of_ten_are_spread_by_their_logarithms() -> None:
    given = replace(Real(4, low=1e-8, high=1e8, log=True), name="x")
    drawn = [t.inputs[0] for t in points([given], 100, 0) if t.origin == "drawn"]
    assert 0.3 < np.mean(np.log10(np.concatenate(drawn)) < 0) < 0.7
    for wrong in ({"low": 0.0, "high": 1.0}, {"low": 1.0}, {"low": 1.0, "high": 9.0, "usual": (2.0, 3.0)}):
        with pytest.raises(UsageError, match="log = True needs"):
            Real(4, log=True, **wrong)


def test_a_condition_and_a_region_are_kept() -> None:
    assert SPD("n", condition=1e6).domain.condition == 1e6
    with pytest.raises(UsageError, match="at least 1, not 0.5"):
        SPD("n", condition=0.5)
    given = replace(Complex(3, region="re > 0 and re**2 + im**2 < 9"), name="z")
    inside = [t.inputs[0] for t in points([given], 60, 0) if not t.outside]
    assert len(inside) > 40 and all(
        (x[..., 0] > 0).all() and (np.hypot(x[..., 0], x[..., 1]) < 3).all() for x in inside
    )
    with pytest.raises(UsageError, match="region, column 1: .*'rael'"):
        Complex(3, region="rael > 0")
    with pytest.raises(UsageError, match="several conditions at once"):
        Complex(3, region="re > 0,")


def test_an_index_on_the_command_line_ends_with_its_dimension() -> None:
    found = givens_of(["x=n", "i=k"], ["i=index(n)"])
    assert found["i"].last == "n" and settled(found["i"], {"n": 4, "k": 2}).domain.high == 3
    with pytest.raises(UsageError, match="'x' is not a dimension"):
        givens_of(["x=n", "i=k"], ["i=index(x)"])
