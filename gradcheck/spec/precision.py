"""Which numbers does a dtype hold? Digits, range, and rounding to the nearest of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Precision:
    """A binary floating point format.

    digits: bits of the significand, the leading one counted; lowest: the exponent of the smallest normal number;
    underflow: the largest error that a result below the normal numbers may have (one subnormal step, or, where
    frameworks flush such results to zero, the smallest normal number); largest: the largest finite number.
    """

    name: str
    digits: int
    lowest: int
    underflow: float
    largest: float

    @property
    def unit(self) -> float:
        """The unit roundoff: half the distance from 1 to the next number."""
        return 2.0**-self.digits

    @property
    def decimals(self) -> int:
        """The decimal digits of a number, rounded: 16 of float64."""
        return round(self.digits * 0.30103)

    def rounded(self, x: Any) -> NDArray[np.float64]:
        """The nearest numbers of this format (ties to even, past the largest infinite), as float64."""
        x = np.asarray(x, dtype=float)
        spacing = self.spacing(x)
        with np.errstate(all="ignore"):
            nearest = np.where(np.isfinite(x), np.round(x / spacing) * spacing, x)
            return np.asarray(np.where(np.abs(nearest) > self.largest, np.copysign(np.inf, x), nearest), dtype=float)

    def spacing(self, x: Any) -> NDArray[np.float64]:
        """The distance to the next number of this format away from zero: one unit in the last place."""
        _, exponent = np.frexp(np.asarray(x, dtype=float))
        return np.asarray(np.ldexp(1.0, np.maximum(exponent - 1, self.lowest) - self.digits + 1))


FLOAT64 = Precision("float64", 53, -1022, 2.0**-1074, float(np.finfo(np.float64).max))
FLUSHED = replace(FLOAT64, name="float64 without subnormal numbers", underflow=2.0**-1022)
PRECISIONS: Mapping[str, Precision] = MappingProxyType(
    {
        "float64": FLOAT64,
        "float32": Precision("float32", 24, -126, 2.0**-126, float(np.finfo(np.float32).max)),
        "float16": Precision("float16", 11, -14, 2.0**-24, 65504.0),
        "bfloat16": Precision("bfloat16", 8, -126, 2.0**-126, (2.0 - 2.0**-7) * 2.0**127),
    }
)
