"""What are the slopes of the exponential integrals?

Formulas: DLMF 6.2.1 (E1), 6.2.5 (Ei), 8.19.13 and 8.19.5 (En and E0). The derivative of En by n is `Unknown`.
"""

from __future__ import annotations

from gradcheck.expr.lazy_special import special
from gradcheck.expr.primitive import Namespace, Primitive, Value
from gradcheck.expr.unknown import Unknown


def _decay(xp: Namespace, x: Value) -> Value:
    """-e**-x / x, which is -E0(x)."""
    return xp.negative(xp.divide(xp.exp(xp.negative(x)), x))


def _expn_slope(xp: Namespace, y: Value, n: Value, x: Value) -> Value:
    """-E(n - 1), where SciPy begins at E0: that one and its slope are elementary."""
    above, none = xp.greater(n, 1.5), xp.less(n, 0.5)
    integral = xp.negative(xp.expn(xp.where(above, xp.subtract(n, 1.0), 1.0), xp.where(above, x, 1.0)))
    low = xp.where(above, 1.0, x)
    elementary = xp.multiply(_decay(xp, low), xp.where(none, xp.add(1.0, xp.reciprocal(low)), 1.0))
    return xp.where(above, integral, elementary)


INTEGRALS: tuple[Primitive, ...] = (
    Primitive(
        "exp1",
        1,
        special.exp1,
        slopes=(lambda xp, y, x: _decay(xp, x),),
        jax="jax.scipy.special.exp1",
        latex=r"E_{{1}}\left({0}\right)",
        domain="positive",
        aliases=("expint",),
        note="DLMF 6.2.1",
    ),
    Primitive(
        "expi",
        1,
        special.expi,
        slopes=(lambda xp, y, x: xp.divide(xp.exp(x), x),),
        jax="jax.scipy.special.expi",
        latex=r"\operatorname{{Ei}}\left({0}\right)",
        domain="nonzero",
        note="DLMF 6.2.5",
    ),
    Primitive(
        "expn",
        2,
        special.expn,
        slopes=(Unknown("expn", "its order n", whole=True), _expn_slope),
        jax="jax.scipy.special.expn",
        latex=r"E_{{{0}}}\left({1}\right)",
        domain="{1} > 0, an integer {0} >= 0",
        note="DLMF 8.19.13, 8.19.5",
    ),
)
