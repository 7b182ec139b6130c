"""Are numbers rounded to a dtype as the hardware, or its definition, rounds them?"""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.spec.precision import FLOAT64, PRECISIONS

RNG = np.random.default_rng(3)
MANY = RNG.normal(0, 1, 20_000) * 10.0 ** RNG.uniform(-12, 12, 20_000)
EDGES = np.array([0.0, -0.0, 1.0, 65504.0, 65519.9, 65520.0, 6e-8, 3e-8, 2.9e-8, 1e-45, 3.4028235e38, 3.5e38, np.inf])


@pytest.mark.parametrize("name", ["float32", "float16"])
def test_rounding_is_that_of_numpys_own_dtype(name: str) -> None:
    x = np.concatenate([MANY, EDGES, -EDGES])
    with np.errstate(over="ignore"):
        theirs = x.astype(name).astype(float)
    ours = PRECISIONS[name].rounded(x)
    assert np.array_equal(ours, theirs)
    assert np.array_equal(np.signbit(ours), np.signbit(theirs))


def test_a_bfloat16_is_the_upper_half_of_a_float32() -> None:
    ours = PRECISIONS["bfloat16"].rounded(MANY)
    assert np.all(ours.astype(np.float32).view(np.uint32) & 0xFFFF == 0)
    assert np.all(np.abs(ours - MANY) <= PRECISIONS["bfloat16"].unit * np.abs(MANY))
    assert PRECISIONS["bfloat16"].rounded(1 + 2.0**-8).item() == 1.0  # a tie, to even
    assert PRECISIONS["bfloat16"].rounded(1 + 3 * 2.0**-8).item() == 1 + 2.0**-6


def test_float64_is_rounded_to_itself() -> None:
    assert np.array_equal(FLOAT64.rounded(MANY), MANY)
    assert np.isnan(FLOAT64.rounded(np.nan))


@pytest.mark.parametrize("name", PRECISIONS)
def test_a_unit_in_the_last_place_leads_to_the_next_number(name: str) -> None:
    precision = PRECISIONS[name]
    x = precision.rounded(RNG.uniform(1e-3, 1e3, 100))
    assert np.array_equal(precision.rounded(x + precision.spacing(x)), x + precision.spacing(x))
    between = precision.rounded(x + 0.6 * precision.spacing(x))
    assert np.array_equal(between, x + precision.spacing(x))


@pytest.mark.parametrize("name", ["float32", "float16", "float64"])
def test_the_facts_are_numpys(name: str) -> None:
    facts = np.finfo(name)
    precision = PRECISIONS[name]
    assert precision.unit == float(facts.eps) / 2
    assert precision.largest == float(facts.max)
    assert 2.0**precision.lowest == float(facts.smallest_normal)
