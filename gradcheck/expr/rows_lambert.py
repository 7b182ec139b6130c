"""What is the slope of Lambert's W, also beside its branch point?

W(x) e**W(x) = x (DLMF 4.13.1), with the slope e**-W / (1 + W) (4.13.4). Towards the branch point -1/e, where W = -1 and
the slope is infinite, 1 + W would cancel; there W = -1 + u(p) by its power series in p = ±sqrt(2 (1 + e x)) (Corless
et al., On the Lambert W function, 1996, §4), whose coefficients follow from p (u - 1) = u u' (p²/2 - 1).
"""

from __future__ import annotations

from fractions import Fraction
from math import e
from typing import Any

import numpy as np

from gradcheck.expr.lazy_special import special
from gradcheck.expr.primitive import Namespace, Primitive, Value

BRANCH, REST = 0.36787944117144233, -1.2428753672788363e-17  # 1/e is their sum, to 33 digits
NEAR = 0.0115  # x + 1/e up to which the series is used: |p| < 1/4
TERMS = 24  # (1/4 / sqrt(2))**24 is less than a unit of roundoff


def branch_series(terms: int) -> tuple[float, ...]:
    """The coefficients of p, p², p³, … in u: 1, -1/3, 11/72, …"""
    a, v = [Fraction(0)], [Fraction(0)]
    for m in range(1, terms + 1):
        v.append((v[m - 2] / 2 if m > 1 else Fraction(0)) - a[m - 1] + (m == 1))
        known = sum((a[i] * a[m + 1 - i] for i in range(2, m)), Fraction(0))
        a.append(Fraction(1) if m == 1 else (2 * v[m] / (m + 1) - known) / 2)
    return tuple(float(c) for c in a[1:])


SERIES = branch_series(TERMS)


def _lambertw(x: Any, k: int = 0) -> Any:
    """The real branch k = 0 (x >= -1/e, W >= -1) or k = -1 (-1/e <= x < 0, W <= -1); NaN where it is not real."""
    if k not in (0, -1):
        raise ValueError(f"lambertw: the real branches are k = 0 and k = -1, got {k}")
    single = getattr(x, "dtype", None) == np.float32
    x = np.asarray(x, dtype=float)
    with np.errstate(all="ignore"):
        above = (x + BRANCH) + REST
        there = (above >= 0) & ((x < 0) | (k == 0))
        p = (1.0 if k == 0 else -1.0) * np.sqrt(2.0 * e * np.where(there, above, 0.0))
        near = -1.0 + p * np.polynomial.polynomial.polyval(p, SERIES, tensor=False)
        far = special.lambertw(np.where(there & (above >= NEAR), x, -0.1), int(k)).real
    value = np.where(there, np.where(above < NEAR, near, far), np.where((k == -1) & (x == 0), -np.inf, np.nan))
    return value.astype(np.float32)[()] if single else value[()]


def _lambertw_slope(xp: Namespace, y: Value, x: Value) -> Value:
    """e**-W / (1 + W); which branch y is on shows in its size."""
    above = xp.add(xp.add(x, BRANCH), REST)
    near = xp.less(above, NEAR)
    root = xp.sqrt(xp.multiply(2.0 * e, xp.where(near, above, 1.0)))
    p = xp.where(xp.less(y, -1.0), xp.negative(root), root)
    series: Value = SERIES[-1]
    for coefficient in reversed(SERIES[:-1]):
        series = xp.add(coefficient, xp.multiply(p, series))
    u = xp.where(near, xp.multiply(p, series), xp.add(1.0, y))
    return xp.divide(xp.exp(xp.subtract(1.0, u)), u)


LAMBERT: tuple[Primitive, ...] = (
    Primitive(
        "lambertw",
        1,
        _lambertw,
        ("k",),
        {"k": 0},
        slopes=(_lambertw_slope,),
        latex=r"W\left({0}\right)",
        domain="{0} > -1/e; k=-1: (-1/e, 0)",
        note="DLMF 4.13.4",
    ),
)
