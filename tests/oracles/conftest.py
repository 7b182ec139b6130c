"""How is a ball held against a number that mpmath, another library, knows to 60 digits and more?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import pytest
from mpmath import mp

from gradcheck.oracles.balls.flint_library import arb

KNOWN = (
    mpmath.mpf(10) ** -60
)  # what mpmath returns at 90 digits is taken to be off by no more than this share of itself
Holds = Callable[..., bool]
Lie = Callable[[Any], Any]


def exactly(x: Any) -> Any:
    """A midpoint or a radius as mpmath's number, without rounding."""
    mantissa, exponent = x.man_exp()
    return mp.ldexp(mpmath.mpf(int(mantissa)), int(exponent))


@pytest.fixture(scope="session")
def holds() -> Holds:
    """Whether a ball holds a number that is known but for a share of itself; a ball that is not finite holds all."""

    def check(y: Any, value: Any, known: float = KNOWN) -> bool:
        if not y.is_finite():
            return True
        with mp.workdps(200):
            return bool(abs(exactly(y.mid()) - value) <= exactly(y.rad()) + mpmath.mpf(known) * abs(value))

    return check


@pytest.fixture(scope="session")
def too_narrow() -> Lie:
    """The planted lie: a radius cut 10**6-fold."""
    return lambda y: arb(y.mid(), y.rad() * 1e-6)


@pytest.fixture(scope="session")
def off() -> Lie:
    """The planted lie: a value off by 1e-20 of itself."""
    return lambda y: y * (1 + arb(1e-20))
