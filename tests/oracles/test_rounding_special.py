"""Do the bounds of the special functions hold what SciPy loses, and what PyTorch keeps silent about?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from gradcheck.errors import Unsupported
from gradcheck.expr import NUMPY, VOCABULARY
from gradcheck.oracles.rounding.running import BOUNDED, LIBRARY_ULP, UNIT, Bounded, error_of, exact
from gradcheck.oracles.rounding.special import OWN_ERROR

POINTS = 40
LOSSES: dict[str, tuple[Callable[..., Any], list[tuple[float, float]]]] = {
    # function -> mpmath's, and the ranges its arguments are drawn from, where SciPy loses more than four units
    "gammaln": (lambda x: mp.re(mp.loggamma(x)), [(0.9, 2.1)]),
    "digamma": (mp.digamma, [(-4.9, -4.1)]),
    "beta": (mp.beta, [(40, 100), (40, 100)]),
    "betaln": (lambda a, b: mp.log(mp.beta(a, b)), [(100, 400), (0.1, 0.4)]),
    "gammainc": (lambda a, x: mp.gammainc(a, 0, x, regularized=True), [(80, 100), (20, 40)]),
    "betainc": (lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True), [(20, 40), (1, 4), (0.1, 0.3)]),
    "ndtr": (mp.ncdf, [(-35, -20)]),
    "erfc": (mp.erfc, [(15, 25)]),
    "j0": (lambda x: mp.besselj(0, x), [(500, 1000)]),
    "y1": (lambda x: mp.bessely(1, x), [(500, 1000)]),
    "jv": (lambda v, x: mp.besselj(v, x), [(5, 5), (0.001, 0.1)]),
    "ive": (lambda v, x: mp.exp(-x) * mp.besseli(v, x), [(2, 2), (0.01, 0.1)]),
    "expi": (mp.ei, [(35, 50)]),
    "kl_terms": (lambda x, y: x * mp.log(x / y) - x + y, [(0.99, 1.01), (0.99, 1.01)]),
}


def losses(name: str) -> tuple[Any, Any, Any]:
    """What SciPy's value is off by at some points, the bound, and what four units of roundoff would be."""
    truth, ranges = LOSSES[name]
    rng = np.random.default_rng(7)
    points = [rng.uniform(low, high, POINTS) for low, high in ranges]
    with mp.workdps(50):
        right = [truth(*map(mp.mpf, point)) for point in zip(*points, strict=True)]
        value = getattr(NUMPY, name)(*points)
        off = np.array([float(abs(mp.mpf(v) - r)) for v, r in zip(value, right, strict=True)])
    bounded = getattr(BOUNDED, name)(*map(exact, points))
    return off, error_of(bounded), LIBRARY_ULP * UNIT * np.abs(value)


@pytest.mark.parametrize("name", LOSSES)
def test_the_bound_holds_where_four_units_of_roundoff_would_not(name: str) -> None:
    off, bound, four_units = losses(name)
    assert np.all(off <= bound)
    assert np.any(off > four_units), "the row would not need a bound of its own here"


def test_every_bound_of_its_own_belongs_to_a_row_with_slopes() -> None:
    assert all(VOCABULARY[name].slopes is not None for name in OWN_ERROR)


def test_an_error_of_an_argument_whose_slope_is_unknown_is_carried_by_differences() -> None:
    a, x = np.array([2.5, 30.0]), np.array([1.5, 28.0])
    with mp.workdps(30):
        want = [
            abs(float(mp.diff(lambda s, z=z: mp.gammainc(s, 0, z, regularized=True), y)))
            for y, z in zip(a, x, strict=True)
        ]
    carried = error_of(BOUNDED.gammainc(Bounded(a, np.full(2, 1e-6)), exact(x))) / 1e-6
    assert carried == pytest.approx(want, rel=1e-5)
    order = Bounded(np.array([2.0]), np.array([1e-16]))
    assert error_of(BOUNDED.expn(order, exact(np.ones(1)))) == error_of(BOUNDED.expn(2.0, exact(np.ones(1))))


@pytest.mark.parametrize("name", ["j0", "j1", "y0", "y1", "k0", "k1", "k0e", "k1e"])
def test_pytorch_is_not_asked_for_derivatives_that_it_gives_as_zero(name: str) -> None:
    torch = pytest.importorskip("torch")
    from gradcheck.oracles.torch import FRAMEWORK

    function = torch
    for part in VOCABULARY[name].torch.split(".")[1:]:
        function = getattr(function, part)
    x = torch.tensor(1.5, dtype=torch.float64)
    _, pull = torch.func.vjp(function, x)
    assert pull(torch.ones_like(x))[0] == 0.0, "PyTorch has learnt to differentiate it: name it in the row"
    with pytest.raises(Unsupported, match=f"PyTorch has no {name} that lets a derivative through"):
        getattr(FRAMEWORK.namespace, name)
