"""Which tolerances are there in the project? These, each with its reason; nobody chooses another.

Bars are in the unit of the number they belong to, so every verdict is free of scale.
"""

from __future__ import annotations

SAFETY: dict[str, float] = {
    # witness -> by how much its stated bar is widened
    "claim": 4.0,  # the bound is of first order and allows 4 units of roundoff to a library function
    "example": 1.0,  # half a unit in the last printed place is an exact bound; the claim brings its own bar
    "certified": 1.0,  # proven
    "engine": 4.0,  # as the claim
    "differences": 4.0,  # the bar holds truncation, noise and a floor; about one in a million missed, by 3.4 at most
    "torch": 16.0,  # the bound is of our rules; another algorithm may round differently, at each step
    "jax": 16.0,  # as torch; XLA also fuses and reorders sums
}
OTHER_SAFETY = 16.0  # people's implementations: as the frameworks they are written in

SELF_BARRED = frozenset({"certified", "engine", "example"})  # all their rounding is in their bars: f's excuses nothing
UNDERFLOW = 8 * 2.0**-1022  # frameworks may flush subnormal numbers to zero
DECISIVE = 1e-2  # a bar wider than this share of the number decides nothing about it …
NEGLIGIBLE = 1e-6  # … unless it is this small a share of the typical number of the same quantity
INACCURATE_UNITS = 64.0  # units of roundoff of f that an error may be worth over the input's own size
LOSS_UNITS = 16.0  # bounds of one rounding of an argument or result that another way of writing a slope may lose
NEAR_MISS = 32.0  # estimated bars of the differences by which a number may miss and still decide nothing (1 in 500,000)
VALUE_UNITS = 2.0**20  # units of roundoff that a framework's own value may have lost before the function is another one
UNIT = 2.0**-53
ENOUGH = 0.9  # the share of a quantity's numbers that one independent witness must agree with


def safety(witness: str) -> float:
    """The factor by which a witness's bar is widened."""
    return SAFETY.get(witness, OTHER_SAFETY)
