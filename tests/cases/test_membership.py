"""Is a point inside its domain, and how far may it move?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.spec import Domain, Spec
from gradcheck.spec.membership import inside, room, within_box

SpecOf = Callable[..., Spec]


def spec_with(spec_of: SpecOf, **domains: str) -> Spec:
    first = next(iter(domains))
    inputs = ", ".join(f"{name}: {{shape: [2], domain: '{text}'}}" for name, text in domains.items())
    return spec_of(f"inputs: {{{inputs}}}\nvalue: sum({first})\ngradient: {{{first}: 1 + 0*{first}}}")


def holds(spec: Spec, **points: Any) -> list[bool]:
    return inside(spec, {k: np.array(v, dtype=float) for k, v in points.items()}, {}).tolist()


@pytest.mark.parametrize(
    ("domain", "numbers", "want"),
    [
        (Domain(), [0.0, 1e308, np.inf, -np.inf, np.nan], [True, True, False, False, False]),
        (Domain(low=0.0), [0.0, 5e-324, np.inf, np.nan], [False, True, False, False]),
        (Domain(low=0.0, low_open=False), [0.0, -0.0, -5e-324], [True, True, False]),
        (Domain(low=-1.0, high=1.0, high_open=False), [-1.0, 1.0, 1.0 + 2**-52], [False, True, False]),
        (Domain("integer", 0.0, 3.0, False, False), [0.0, 3.0, 4.0, 1e-6, 2.5], [True, True, False, False, False]),
        (Domain("integer"), [-7.0, 0.5, np.inf], [True, False, False]),
    ],
)
def test_boxes(domain: Domain, numbers: list[float], want: list[bool]) -> None:
    assert within_box(domain, np.array(numbers)).tolist() == want


def test_every_element_must_lie_inside(spec_of: SpecOf) -> None:
    spec = spec_with(spec_of, x="(0, 1)")
    assert holds(spec, x=[[0.5, 0.5], [0.5, 1.0], [-1.0, 0.5]]) == [True, False, False]


def test_every_input_must_lie_inside(spec_of: SpecOf) -> None:
    spec = spec_with(spec_of, x="(0, 1)", y="negative")
    assert holds(spec, x=[[0.5, 0.5], [0.5, 0.5]], y=[[-1, -1], [-1, 1]]) == [True, False]


def test_predicates_of_a_point_and_of_elements(spec_of: SpecOf) -> None:
    assert holds(spec_with(spec_of, x="norm(x) > 1"), x=[[0.8, 0.8], [0.1, 0.1]]) == [True, False]
    assert holds(spec_with(spec_of, x="x != 0"), x=[[1, 2], [0, 1]]) == [True, False]
    assert holds(spec_with(spec_of, x="x > y", y="real"), x=[[1, 2], [1, 2]], y=[[0, 0], [0, 3]]) == [True, False]


def test_a_predicate_behind_an_interval_adds_to_it(spec_of: SpecOf) -> None:
    spec = spec_with(spec_of, x="(-2, 2), norm(x) < 1")
    assert holds(spec, x=[[0.5, 0.5], [1.5, 0.0], [0.0, -3.0]]) == [True, False, False]


def test_a_predicate_that_branches_is_asked_point_by_point(spec_of: SpecOf) -> None:
    spec = spec_with(spec_of, x="x[1] > 0 if x[0] > 0 else x[1] < 0")
    assert holds(spec, x=[[1, 1], [1, -1], [-1, -1], [-1, 1]]) == [True, False, True, False]


def test_nan_is_in_no_domain(spec_of: SpecOf) -> None:
    assert holds(spec_with(spec_of, x="real"), x=[[np.nan, 1.0]]) == [False]
    assert holds(spec_with(spec_of, x="norm(x) > 0"), x=[[np.nan, 1.0]]) == [False]


def test_structures_are_met_by_construction_and_not_tested(spec_of: SpecOf) -> None:
    spec = spec_of("inputs: {x: {shape: [2, 2], domain: spd}}\nvalue: sum(x)\ngradient: {x: 1 + 0*x}")
    assert holds(spec, x=[[[1.0, 0.5], [-0.5, 1.0]]]) == [True]


def test_room_is_never_negative_and_infinite_without_an_end() -> None:
    below, above = room(Domain(low=-1.0, high=2.0), np.array([0.0, -1.0, 2.0, -3.0]))
    assert (below.tolist(), above.tolist()) == ([1.0, 0.0, 3.0, 0.0], [2.0, 3.0, 0.0, 5.0])
    below, above = room(Domain(), np.array([7.0]))
    assert np.isinf([below, above]).all()
