"""Which tolerances are there in the project? These, each with its reason; nobody chooses another.

Bars are in the unit of the number they belong to, so every verdict is free of scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SAFETY: dict[str, float] = {
    # witness -> by how much its stated bar is widened
    "claim": 4.0,  # the bound is of first order and allows 4 units of roundoff to a library function
    "example": 1.0,  # half a unit in the last printed place is an exact bound; the claim brings its own bar
    "certified": 1.0,  # proven
    "engine": 4.0,  # as the claim
    "differences": 4.0,  # the bar holds truncation, noise and a floor; about one in a million missed, by 3.4 at most
    "torch": 16.0,  # the bound is of our rules; another algorithm may round differently, at each step
    "jax": 16.0,  # as torch; XLA also fuses and reorders sums
    "complex_step": 16.0,  # as torch: a row's imaginary part is rounded otherwise than our rule
}
OTHER_SAFETY = 16.0  # people's implementations: as the frameworks they are written in

SELF_BARRED = frozenset({"certified", "engine", "example"})  # all their rounding is in their bars: f's excuses nothing
UNDERFLOW = 8 * 2.0**-1022  # frameworks may flush subnormal numbers to zero
DECISIVE = 1e-2  # a bar wider than this share of the number decides nothing about it …
NEGLIGIBLE = 1e-6  # … unless it is this small a share of the typical number of the same quantity
INACCURATE_UNITS = 64.0  # units of roundoff of f that an error may be worth over the input's own size
LOSS_UNITS = 16.0  # bounds of one rounding of an argument or result that another way of writing a slope may lose
HULL_ROUNDING = 1e-9  # of the gradients' size: how exactly the least squares find the nearest point of their hull
NEAR_MISS = 32.0  # estimated bars of the differences by which a number may miss and still decide nothing (1 in 500,000)
VALUE_UNITS = 2.0**20  # units of roundoff that a framework's own value may have lost before the function is another one
UNIT = 2.0**-53
BELOW_FLOAT64 = 16 * UNIT  # relative error of a formula that is disproved, and of which no float64 number would tell
NARROW_SAFETY: dict[str, float] = {
    # dtype -> by how much the bound of our rules is widened for frameworks and implementations that compute in it:
    # twice the most that PyTorch and JAX were off by over the catalogue, in units of that bound (decisions/0015)
    "float32": 10.0,  # 4.8: a logarithm of a number near 1
    "float16": 6.0,  # 2.9: as there
    "bfloat16": 5.0,  # 2.5: the logistic function of a difference
}


@dataclass(frozen=True, slots=True)
class Budget:
    """What holds at a dtype. underflow: an absolute error that any number may have; the others as their constants."""

    unit: float
    underflow: float
    decisive: float
    negligible: float
    inaccurate_units: float
    value_units: float
    loss_units: float


BUDGETS: Mapping[str, Budget] = MappingProxyType(
    {
        "float64": Budget(UNIT, UNDERFLOW, DECISIVE, NEGLIGIBLE, INACCURATE_UNITS, VALUE_UNITS, LOSS_UNITS),
        # below float64 a unit is so large that the shares grow with it: a bound past a tenth of the number, unwidened,
        # is past what a bound of first order holds for, and an error of a thousandth is a fault, not rounding
        "float32": Budget(2.0**-24, 8 * 2.0**-126, 1e-1, 1e-4, 64.0, 2.0**10, 16.0),
        "float16": Budget(2.0**-11, 2.0**-14, 4e-1, 5e-2, 8.0, 8.0, 4.0),
        "bfloat16": Budget(2.0**-8, 8 * 2.0**-126, 5e-1, 1e-1, 4.0, 4.0, 2.0),
    }
)
TREMOR = 4.0  # times the range of a witness's errors nearby: what rounding may be worth at the point itself
ENOUGH = 0.9  # the share of a quantity's numbers that one independent witness must agree with
CONDITION = 8.0  # spreads of a rule's own answer over a few units of roundoff of its inputs that excuse lost digits
DIGITS_LEFT = 2.0**-26  # a gradient with fewer than half of its digits is inaccurate, with more it is rounded
RESTLESS = (
    2.0**-17
)  # share of the largest number by which calls may differ: 128 units of float32, a long sum's rounding
RESTLESS_RANGES = 4.0  # ranges of eight repeated answers: some ten standard deviations, over ten thousand comparisons
SAME_ANSWER = 2.0**-30  # two ways of asking one thing may differ by this share of the answer's largest number


def safety(witness: str) -> float:
    """The factor by which a witness's bar is widened; "torch float32" has that of its dtype."""
    dtype = dtype_of(witness)
    if dtype != "float64":
        return NARROW_SAFETY[dtype]
    return SAFETY.get(witness, OTHER_SAFETY)


def dtype_of(witness: str) -> str:
    """What a witness computes in: a word of its name ("torch float32"), float64 where there is none."""
    return next((word for word in witness.split() if word in NARROW_SAFETY), "float64")
