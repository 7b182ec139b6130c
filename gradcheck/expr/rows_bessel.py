"""What are the slopes of the Bessel functions?

Formulas: DLMF 10.6.1, 10.6.3 (J and Y), 10.29.1, 10.29.3 (I and K): the slope of order v is half the difference or
sum of the orders v - 1 and v + 1. That form divides by nothing, so it holds at 0 at every order of differentiation.
The functions scaled by e**∓x have slopes that are small differences of large numbers in their tails; there Hankel's
expansions (10.40.1, 10.40.2) are differentiated instead. The derivative by the order of the function is `Unknown`.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

from gradcheck.expr.composition import composition
from gradcheck.expr.lazy_special import special
from gradcheck.expr.primitive import Namespace, Primitive, Slope, Value
from gradcheck.expr.unknown import Unknown

TAIL = 26.0  # from |x| = 26 + v² on Hankel's expansion is exact to rounding, and so are its first derivatives
TERMS = 40


def _next(xp: Namespace, v: Value, step: float) -> Value:
    """The order above or below; a plain number stays one."""
    return float(v) + step if isinstance(v, int | float) else xp.add(v, step)


def half_of_neighbours(name: str, sign: float) -> Slope:
    """(C(v - 1) + sign C(v + 1)) / 2 for the row called `name`."""

    def slope(xp: Namespace, y: Value, v: Value, x: Value) -> Value:
        function = getattr(xp, name)
        below, above = function(_next(xp, v, -1.0), x), function(_next(xp, v, 1.0), x)
        return xp.multiply(0.5, (xp.add if sign > 0 else xp.subtract)(below, above))

    return slope


def _kv_slope(xp: Namespace, y: Value, v: Value, x: Value) -> Value:
    return xp.multiply(-0.5, xp.add(xp.kv(_next(xp, v, -1.0), x), xp.kv(_next(xp, v, 1.0), x)))


def hankel_slope(xp: Namespace, v: Value, a: Value, sign: float) -> Value:
    """The slope of a**(-1/2) Σ sign**k a_k(v) / a**k, where a_k(v) is that of DLMF 10.17.1, by Horner's scheme."""
    per = xp.reciprocal(a)
    mu = 4.0 * v * v if isinstance(v, int | float) else xp.multiply(4.0, xp.square(v))
    total: Value = -(TERMS + 0.5)
    for k in range(TERMS, 0, -1):
        odd, scale = (2 * k - 1.0) ** 2, sign / (8.0 * k)
        ratio = (mu - odd) * scale if isinstance(mu, float) else xp.multiply(xp.subtract(mu, odd), scale)
        total = xp.add(0.5 - k, xp.multiply(xp.multiply(ratio, per), total))
    return xp.multiply(xp.multiply(per, xp.sqrt(per)), total)


def _far(xp: Namespace, v: Value, a: Value) -> Value:
    """Where the expansion holds."""
    return xp.greater(a, TAIL + v * v if isinstance(v, int | float) else xp.add(TAIL, xp.square(v)))


def _ive_slope(xp: Namespace, y: Value, v: Value, x: Value) -> Value:
    """(ive(v - 1) + ive(v + 1)) / 2 - sign(x) ive(v); for x < 0 by parity, which whole orders have."""
    size = xp.abs(x)
    far = _far(xp, v, size)
    near = xp.where(far, 0.5, x)
    middle = xp.multiply(xp.sign(near), xp.ive(v, near))
    sides = xp.add(xp.ive(_next(xp, v, -1.0), near), xp.ive(_next(xp, v, 1.0), near))
    tail = xp.multiply(1.0 / sqrt(2.0 * pi), hankel_slope(xp, v, xp.where(far, size, TAIL), -1.0))
    parity = xp.subtract(1.0, xp.multiply(2.0, xp.remainder(_next(xp, v, 1.0), 2.0)))
    mirrored = xp.where(xp.less(x, 0.0), xp.multiply(parity, tail), tail)
    return xp.where(far, mirrored, xp.subtract(xp.multiply(0.5, sides), middle))


def _kve_slope(xp: Namespace, y: Value, v: Value, x: Value) -> Value:
    """kve(v) - (kve(v - 1) + kve(v + 1)) / 2."""
    far = _far(xp, v, x)
    near = xp.where(far, 1.0, x)
    sides = xp.add(xp.kve(_next(xp, v, -1.0), near), xp.kve(_next(xp, v, 1.0), near))
    tail = xp.multiply(sqrt(0.5 * pi), hankel_slope(xp, v, xp.where(far, x, TAIL), 1.0))
    return xp.where(far, tail, xp.subtract(xp.kve(v, near), xp.multiply(0.5, sides)))


def _y1_slope(xp: Namespace, y: Value, x: Value) -> Value:
    return xp.subtract(xp.y0(x), xp.divide(y, x))


def _k1_slope(xp: Namespace, y: Value, x: Value) -> Value:
    return xp.negative(xp.add(xp.k0(x), xp.divide(y, x)))


def _of_order(name: str, slope: Slope, latex: str, domain: str, source: str) -> Primitive:
    numpy: Any = getattr(special, name)
    note = f"DLMF {source}"
    slopes = (Unknown(name, "its order v"), slope)
    return Primitive(name, 2, numpy, slopes=slopes, latex=latex + r"_{{{0}}}\left({1}\right)", domain=domain, note=note)


def _of_one(name: str, slope: Slope, latex: str, source: str, **more: Any) -> Primitive:
    numpy: Any = getattr(special, name)
    note = f"DLMF {source}"
    return Primitive(name, 1, numpy, slopes=(slope,), latex=latex + r"\left({0}\right)", note=note, **more)


BESSEL: tuple[Primitive, ...] = (
    _of_order("jv", half_of_neighbours("jv", -1.0), "J", "{1} > 0, or an integer {0}", "10.6.1"),
    _of_order("yv", half_of_neighbours("yv", -1.0), "Y", "{1} > 0", "10.6.1"),
    _of_order("iv", half_of_neighbours("iv", 1.0), "I", "{1} > 0, or an integer {0}", "10.29.1"),
    _of_order("kv", _kv_slope, "K", "{1} > 0", "10.29.1"),
    _of_order("ive", _ive_slope, r"\tilde{{I}}", "{1} > 0, or an integer {0}", "10.29.1, 10.40.1"),
    _of_order("kve", _kve_slope, r"\tilde{{K}}", "{1} > 0", "10.29.1, 10.40.2"),
    _of_one("j0", lambda xp, y, x: xp.negative(xp.j1(x)), "J_0", "10.6.3", torch="torch.special.bessel_j0",
            aliases=("bessel_j0",)),
    _of_one("j1", lambda xp, y, x: xp.multiply(0.5, xp.subtract(xp.j0(x), xp.jv(2.0, x))), "J_1", "10.6.1",
            torch="torch.special.bessel_j1", aliases=("bessel_j1",)),
    _of_one("y0", lambda xp, y, x: xp.negative(xp.y1(x)), "Y_0", "10.6.3", torch="torch.special.bessel_y0",
            domain="positive", aliases=("bessel_y0",)),
    _of_one("y1", _y1_slope, "Y_1", "10.6.2", torch="torch.special.bessel_y1", domain="positive",
            aliases=("bessel_y1",)),
    _of_one("i0", lambda xp, y, x: xp.i1(x), "I_0", "10.29.3", torch="torch.special.i0", jax="jax.scipy.special.i0",
            aliases=("modified_bessel_i0",)),
    _of_one("i1", lambda xp, y, x: xp.multiply(0.5, xp.add(xp.i0(x), xp.iv(2.0, x))), "I_1", "10.29.1",
            torch="torch.special.i1", jax="jax.scipy.special.i1", aliases=("modified_bessel_i1",)),
    _of_one("k0", lambda xp, y, x: xp.negative(xp.k1(x)), "K_0", "10.29.3", domain="positive",
            torch="torch.special.modified_bessel_k0", aliases=("modified_bessel_k0",)),
    _of_one("k1", _k1_slope, "K_1", "10.29.2", domain="positive", torch="torch.special.modified_bessel_k1",
            aliases=("modified_bessel_k1",)),
    _of_one("i0e", lambda xp, y, x: _ive_slope(xp, y, 0.0, x), r"e^{{-\left|{0}\right|}} I_0", "10.29.3, 10.40.1",
            torch="torch.special.i0e", jax="jax.scipy.special.i0e", kinks="{0} == 0"),
    _of_one("i1e", lambda xp, y, x: _ive_slope(xp, y, 1.0, x), r"e^{{-\left|{0}\right|}} I_1", "10.29.1, 10.40.1",
            torch="torch.special.i1e", jax="jax.scipy.special.i1e"),
    _of_one("k0e", lambda xp, y, x: _kve_slope(xp, y, 0.0, x), r"e^{{{0}}} K_0", "10.29.3, 10.40.2", domain="positive",
            torch="torch.special.scaled_modified_bessel_k0", aliases=("scaled_modified_bessel_k0",)),
    _of_one("k1e", lambda xp, y, x: _kve_slope(xp, y, 1.0, x), r"e^{{{0}}} K_1", "10.29.1, 10.40.2", domain="positive",
            torch="torch.special.scaled_modified_bessel_k1", aliases=("scaled_modified_bessel_k1",)),
    composition("spherical_j0", 1, lambda xp, x: xp.sinc(xp.divide(x, pi)), latex=r"j_0\left({0}\right)",
                aliases=("spherical_bessel_j0",), note="DLMF 10.49.3; PyTorch's own lets no derivative through"),
)  # fmt: skip
