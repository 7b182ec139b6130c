"""Are transforms and the parts of complex numbers enclosed, and their derivatives?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

from gradcheck.engine import hvp, jvp, vjp
from gradcheck.errors import Unsupported
from gradcheck.expr import NUMPY
from gradcheck.oracles.balls import BALLS
from gradcheck.oracles.certified import widened
from gradcheck.oracles.flint_library import acb, arb, balls, precision

BITS = 128
NARROW = 100
Holds = Callable[..., bool]
Lie = Callable[[Any], Any]
X = np.array([0.5, -1.25, 2.0, 0.75, 1.5])
SIZES: list[tuple[int | None, str]] = [(None, "backward"), (3, "ortho"), (7, "forward")]


def transform(x: Any, points: int, sign: int, factor: Any) -> Any:
    """The sum itself: Σ x[j] exp(∓2πi jk/n), x cut off or filled up with zeros."""
    x = [*x, *[mpmath.mpf(0)] * points][:points]
    turn = [mp.expjpi(mpmath.mpf(2 * sign * m) / points) for m in range(points)]
    return [factor * sum(x[j] * turn[j * k % points] for j in range(points)) for k in range(points)]


def factor_of(points: int, norm: str, inverse: bool) -> Any:
    share = {"backward": 1 if inverse else 0, "ortho": 0.5, "forward": 0 if inverse else 1}[norm]
    return mpmath.mpf(points) ** -mpmath.mpf(share)


def both(z: Any, value: Any, holds: Holds) -> bool:
    return holds(z.real, value.real) and holds(z.imag, value.imag)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft"])
@pytest.mark.parametrize(("n", "norm"), SIZES)
def test_transforms_hold_the_sums(name: str, n: int | None, norm: str, holds: Holds, too_narrow: Lie) -> None:
    inverse = name == "ifft"
    points = n or len(X)
    with mp.workdps(80):
        signal = list(map(mpmath.mpf, X))
        value = transform(signal, points, 1 if inverse else -1, factor_of(points, norm, inverse))
    with precision(BITS):
        y = getattr(BALLS, name)(balls(X), n=n, axis=-1, norm=norm)
        assert len(y) == (points // 2 + 1 if name == "rfft" else points)
        assert all(both(c, v, holds) for c, v in zip(y, value, strict=False))
        assert all(c.rel_accuracy_bits() >= NARROW for c in y)
        lies = [holds(too_narrow(c.real), v.real) for c, v in zip(y, value, strict=False) if not c.real.is_exact()]
        assert not all(lies)


@pytest.mark.parametrize(("n", "norm"), SIZES)
def test_the_real_signal_of_a_spectrum(n: int | None, norm: str, holds: Holds) -> None:
    """The imaginary parts of frequencies that stand for themselves are not looked at, as in NumPy."""
    spectrum = X[:4] + 1j * np.array([0.3, 1.0, -0.5, 2.0])
    points = n or 6
    with mp.workdps(80):
        half = [*map(mpmath.mpc, spectrum), *[mpmath.mpc(0)] * 4][: points // 2 + 1]
        whole = half + [z.conjugate() for z in half[1 : (points + 1) // 2][::-1]]
        whole = [mpmath.mpc(z.real) if 2 * k in (0, points) else z for k, z in enumerate(whole)]
        value = transform(whole, points, 1, factor_of(points, norm, True))
    with precision(BITS):
        y = BALLS.irfft(np.array([acb(z) for z in spectrum], dtype=object), n=n, axis=-1, norm=norm)
    assert all(holds(b, v.real) for b, v in zip(y, value, strict=True))
    assert np.max(np.abs([float(b.mid()) for b in y] - NUMPY.irfft(spectrum, n=n, norm=norm))) < 1e-14  # its rounding


def power(xp: Any, x: Any) -> Any:
    return xp.sum(xp.square(xp.abs(xp.fft(x, n=None, axis=-1, norm="backward"))), axis=-1, keepdims=False)


def phases(xp: Any, x: Any) -> Any:
    return xp.sum(xp.angle(xp.fft(x, n=None, axis=-1, norm="backward")), axis=-1, keepdims=False)


def back(xp: Any, x: Any) -> Any:
    spectrum = xp.rfft(x, n=None, axis=-1, norm="ortho")
    filtered = xp.multiply(spectrum, xp.conj(spectrum))
    return xp.sum(xp.irfft(filtered, n=5, axis=-1, norm="ortho"), axis=-1, keepdims=False)


@pytest.mark.parametrize("f", [power, phases, back])
def test_derivatives_through_complex_balls_hold_those_of_float64(f: Callable[..., Any]) -> None:
    """The same rules in float64, whose rounding is 1e-13 here: the balls are narrower than that, and hold them so."""
    one, t = np.ones(()), np.array([0.3, -1.0, 0.25, 2.0, -0.5])
    expected = [vjp(f, NUMPY, [X], one)[1][0], jvp(f, NUMPY, [X], [t])[1], hvp(f, NUMPY, [X], one, [t])[1][0]]
    with precision(BITS):
        x, ct, moved = widened(X, BITS), balls(one), balls(t)
        found = [vjp(f, BALLS, [x], ct)[1][0], jvp(f, BALLS, [x], [moved])[1], hvp(f, BALLS, [x], ct, [moved])[1][0]]
    for y, value in zip(found, expected, strict=True):
        y = balls(y)
        assert all(b.rad() < 1e-25 for b in y.flat)
        assert np.max(np.abs(y.astype(float) - value)) < 1e-13


def test_energy_is_kept_by_the_transform(holds: Holds) -> None:
    """Parseval: the gradient of Σ|fft(x)|² is 2n x, to the last digit."""
    with precision(BITS):
        (pulled,) = vjp(power, BALLS, [widened(X, BITS)], balls(np.ones(())))[1]
    assert all(holds(b, 10 * mpmath.mpf(v)) for b, v in zip(pulled, X, strict=True))


@pytest.mark.parametrize("name", ["exp", "norm", "max", "inv", "less"])
def test_other_rows_refuse_complex_balls(name: str) -> None:
    z = np.array([[acb(1, 2)]], dtype=object)
    params: dict[str, Any] = {"axis": (-1,), "keepdims": False} if name in ("norm", "max") else {}
    with pytest.raises(Unsupported, match="complex"):
        getattr(BALLS, name)(z, z, **params) if name == "less" else getattr(BALLS, name)(z, **params)


def test_angles_of_real_balls() -> None:
    y = BALLS.angle(np.array([arb(-2), arb(0.5)], dtype=object))
    assert y[1] == 0 and y[0].overlaps(arb.pi())
