"""Rules that are wrong at certain numbers: zeros, whole ones, powers of two, tails, ends of the domain."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.regions.faults import fault

SMALLEST = np.finfo(float).tiny


def cube_over_zero(x: Any, ct: Any) -> Any:
    """Wrong: the value is divided by the number."""
    return fault(3 * ct * x**2, x == 0, np.nan)


def product_with_a_zero(x: Any, ct: Any) -> Any:
    """Wrong: with one zero all slopes are zero."""
    return fault(ct * _others(x), np.count_nonzero(x == 0) == 1, 0.0 * x)


def product_with_two_zeros(x: Any, ct: Any) -> Any:
    """Wrong: with two zeros both get the product of the rest."""
    rest = np.prod(np.where(x == 0, 1.0, x))
    return fault(ct * _others(x), np.count_nonzero(x == 0) == 2, np.where(x == 0, ct * rest, 0.0))


def _others(x: Any) -> Any:
    return np.array([np.prod(np.delete(x, k)) for k in range(x.size)], dtype=x.dtype)


def sine_at_minus_zero(x: Any, ct: Any) -> Any:
    """Wrong: at minus zero the sign is turned."""
    return fault(ct * np.cos(x), (x == 0) & np.signbit(x), -ct)


def sine_at_whole(x: Any, ct: Any) -> Any:
    """Wrong: at whole numbers the slope is taken for none."""
    return fault(ct * np.cos(x), x == np.round(x), 0.0)


def sine_at_halves(x: Any, ct: Any) -> Any:
    """Wrong: at half numbers it is rounded first."""
    return fault(ct * np.cos(x), np.abs(x - np.trunc(x)) == 0.5, ct * np.cos(np.round(x)))


def square_at_powers(x: Any, ct: Any) -> Any:
    """Wrong: at powers of two the exponent is off by one."""
    return fault(2 * ct * x, np.frexp(np.abs(x))[0] == 0.5, ct * x)


def soft_in_tails(x: Any, ct: Any) -> Any:
    """Wrong: from 20 on the slope is 1/2."""
    return fault(ct / (1 + np.exp(-x)), np.abs(x) > 20, 0.5 * ct)


def soft_far_below(x: Any, ct: Any) -> Any:
    """Wrong: below -30 the slope is a constant."""
    return fault(ct / (1 + np.exp(-x)), x < -30, ct * 9.4e-14)


def soft_overflowing(x: Any, ct: Any) -> Any:
    """Wrong: beyond 700 the exponential has no value."""
    return fault(ct / (1 + np.exp(-x)), x > 700, np.nan)


def versine_near_zero(x: Any, ct: Any) -> Any:
    """Wrong: small numbers are taken for zero."""
    return fault(ct * np.sin(x), np.abs(x) < 1e-5, 0.0)


def tripled_of_subnormals(x: Any, ct: Any) -> Any:
    """Wrong: subnormal numbers are flushed, and their slope with them."""
    return fault(3 * ct, (x != 0) & (np.abs(x) < SMALLEST), 0.0)


def tripled_of_tiny(x: Any, ct: Any) -> Any:
    """Wrong: very small numbers are taken for constants."""
    return fault(3 * ct, (np.abs(x) >= SMALLEST) & (np.abs(x) < 1e-150), 0.0)


def square_at_the_end(x: Any, ct: Any) -> Any:
    """Wrong: at the upper end of the domain the slope is one-sided, and halved."""
    return fault(2 * ct * x, x == 1, ct * x)


def square_near_the_end(x: Any, ct: Any) -> Any:
    """Wrong: one step inside the upper end."""
    return fault(2 * ct * x, (x < 1) & (x > 1 - 1e-5), ct * x)


def square_near_the_start(x: Any, ct: Any) -> Any:
    """Wrong: one step inside the lower end."""
    return fault(ct * 2 * x, (x > 0) & (x < 2e-6), ct * x)


def added_to_far_larger(x: Any, y: Any, ct: Any) -> Any:
    """Wrong: what is lost beside a far larger number is taken for a constant."""
    return ct.copy(), fault(ct, np.abs(x) > 1e8 * np.abs(y), 0.0)


def weighed_where_one_is_the_others_square(x: Any, y: Any, ct: Any) -> Any:
    """Wrong: within 1e-4 of a curve."""
    return fault(ct * y, np.abs(x - y**2 - 0.3) < 1e-4, 0.5 * ct * y), ct * x
