"""Does a sweep leave no large gap, and does it reach into the tails and to the ends?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradcheck.cases.sweep import sequence, swept
from gradcheck.spec import Spec
from gradcheck.spec.membership import within_box

SpecOf = Callable[..., Spec]


@pytest.mark.parametrize("coordinates", [1, 2, 5])
def test_the_sequence_fills_each_coordinate_more_evenly_than_chance(coordinates: int) -> None:
    count = 256
    drawn = np.random.default_rng(0).uniform(size=(count, coordinates))
    for found, most in ((sequence(count, coordinates, np.zeros(coordinates)), 4.0), (drawn, np.inf)):
        gaps = np.diff(np.sort(found, axis=0), axis=0).max(axis=0)
        assert (gaps * count < most).all()
    assert (np.diff(np.sort(drawn, axis=0), axis=0).max(axis=0) * count > 4).any(), "chance leaves larger ones"


def test_two_coordinates_fill_a_square() -> None:
    cells = np.floor(sequence(256, 2, np.zeros(2)) * 8) @ [8, 1]
    assert len(np.unique(cells)) == 64


@pytest.mark.parametrize(
    ("domain", "low", "high"), [("real", -50, 50), ("positive", 1e-4, 50), ("(-1, 3)", -0.999, 2.999)]
)
def test_it_reaches_the_tails_and_the_ends(spec_of: SpecOf, domain: str, low: float, high: float) -> None:
    spec = spec_of(f"inputs: {{x: {{domain: '{domain}'}}}}\nvalue: x\nderivative: {{x: 1 + 0*x}}")
    x = swept(spec.inputs, np.random.default_rng(3), 64, {"x": ()})["x"]
    assert x.min() < low and x.max() > high
    assert within_box(spec.inputs[0].domain, x).all()


def test_what_is_not_real_is_drawn(spec_of: SpecOf) -> None:
    spec = spec_of(
        "inputs: {x: {shape: [3], domain: simplex}, k: {domain: 'integer [0, 2]'}}\n"
        "value: sum(x)*k\nvjp: {x: ct*k*ones(3)}"
    )
    found = swept(spec.inputs, np.random.default_rng(3), 8, {"x": (3,), "k": ()})
    assert np.abs(found["x"].sum(axis=1) - 1).max() < 1e-12
    assert set(found["k"]) <= {0.0, 1.0, 2.0}
