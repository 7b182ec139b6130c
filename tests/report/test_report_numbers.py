"""Is every number written with the digits that its bar allows?"""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.report import numbers


@pytest.mark.parametrize(
    ("center", "bar", "text"),
    [
        (0.8414709848, 3e-6, "0.841471 ± 3e-6"),
        (6.0, 0.0, "6"),
        (0.6, 1e-16, "0.6000000000000000 ± 1e-16"),
        (4.25e-18, 1e-20, "4.25e-18 ± 1e-20"),
        (1e20, 1e18, "1.00e20 ± 1e18"),
        (0.0, 1e-300, "0 ± 1e-300"),
        (0.5, 3, "0.5 ± 3"),
        (3.0, "Infinity", "3 ± ∞"),
        ("NaN", 1.0, "NaN"),
        ("-Infinity", 0.0, "-∞"),
        (2.0, None, "2 (no bar)"),
        (-0.0, 0.0, "-0"),
    ],
)
def test_with_bar(center, bar, text):
    assert numbers.with_bar(center, bar) == text


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(min_value=1e-300, max_value=1e300))
def test_what_is_written_lies_within_the_bar(center, bar):
    written = Decimal(numbers.with_bar(center, bar).split(" ± ")[0])
    # To the last digit of the bar, or of a float64 where the bar is finer than that.
    assert abs(written - Decimal(center)) <= max(Decimal(bar), abs(Decimal(center)) * Decimal("1e-16"))


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [
        (1.0, 1.0, "all"),
        (1.0, 1.000001, "6.0"),
        (6.0, 0.6, "none"),
        (1.0, -1.0, "none"),
        ("NaN", "NaN", "–"),
        ("Infinity", "Infinity", "all"),
        ("Infinity", "-Infinity", "none"),
        (1e300, -1e300, "none"),
        (1.7e308, -1.7e308, "none"),
    ],
)
def test_digits_of_agreement(a, b, text):
    assert numbers.digits_text(numbers.digits(a, b)) == text


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_digits_are_symmetric_and_scale_free(a, b):
    assert numbers.digits(a, b) == numbers.digits(b, a)
    if all(1e-100 < abs(v) < 1e100 for v in (a, b)) and a != b:
        assert math.isclose(numbers.digits(a, b), numbers.digits(a * 2.0**40, b * 2.0**40))


def test_long_lists_say_what_they_leave_out():
    assert numbers.listing(list(range(100))) == "[0, 1, 2, … 95 more …, 98, 99]"
    assert numbers.listing([[1.5, "NaN"], [True, "Infinity"]]) == "[[1.5, NaN], [true, ∞]]"
    assert numbers.assignments({"x": [3.0, 4.0], "y": 2}) == "x = [3, 4], y = 2"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0351, "35 ms"), (1.25, "1.2 s"), (59.99, "1 min 0 s"), (185.2, "3 min 5 s")]
)
def test_duration(seconds, text):
    assert numbers.duration(seconds) == text
