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
from gradcheck.oracles.balls.flint_library import acb, arb, balls, precision
from gradcheck.oracles.balls.vocabulary import BALLS
from gradcheck.oracles.certified import widened

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


@pytest.mark.parametrize("name", ["asin", "norm", "max", "eigvalsh", "less"])
def test_other_rows_refuse_complex_balls(name: str) -> None:
    z = np.array([[acb(1, 2)]], dtype=object)
    params: dict[str, Any] = {"axis": (-1,), "keepdims": False} if name in ("norm", "max") else {}
    with pytest.raises(Unsupported, match="complex"):
        getattr(BALLS, name)(z, z, **params) if name == "less" else getattr(BALLS, name)(z, **params)


def test_angles_of_real_balls() -> None:
    y = BALLS.angle(np.array([arb(-2), arb(0.5)], dtype=object))
    assert y[1] == 0 and y[0].overlaps(arb.pi())


OF_REAL_SLOPE = {"rgamma", "sinc", "digamma"}  # rows whose slopes are written for real numbers
Z = [0.3 + 1.1j, -0.7 - 2.5j, 1.5 - 0.25j]
ANALYTIC: dict[str, Callable[[Any], Any]] = {
    "exp": mp.exp, "expm1": mp.expm1, "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "sinh": mp.sinh, "cosh": mp.cosh,
    "tanh": mp.tanh, "erf": mp.erf, "erfc": mp.erfc, "digamma": mp.digamma, "gamma": mp.gamma, "rgamma": mp.rgamma,
    "exp2": lambda z: mp.mpf(2) ** z, "log": mp.log, "log2": lambda z: mp.log(z) / mp.log(2), "log10": mp.log10,
    "log1p": lambda z: mp.log(1 + z), "sqrt": mp.sqrt, "expit": lambda z: 1 / (1 + mp.exp(-z)), "sinc": mp.sincpi,
    "tanhshrink": lambda z: z - mp.tanh(z),
}  # fmt: skip


@pytest.mark.parametrize("name", ANALYTIC)
def test_analytic_functions_and_their_slopes(name: str, holds: Holds, too_narrow: Lie) -> None:
    lies = []
    for z in Z:
        with mp.workdps(80):
            value = ANALYTIC[name](mpmath.mpc(z))
            slope = mp.diff(ANALYTIC[name], mpmath.mpc(z)) if name not in OF_REAL_SLOPE else None
        with precision(BITS):
            point, along = np.array([acb(z)], dtype=object), np.array([acb(1)], dtype=object)
            y = getattr(BALLS, name)(point)[0]
            lies.append(holds(too_narrow(y.real), value.real) and holds(too_narrow(y.imag), value.imag))
            assert both(y, value, holds) and y.rel_accuracy_bits() >= NARROW, z
            if slope is not None:
                moved = jvp(lambda xp, x: getattr(xp, name)(x), BALLS, [point], [along])[1][0]
                assert holds(moved.real, slope.real, 1e-30) and holds(moved.imag, slope.imag, 1e-30), z
                assert moved.rel_accuracy_bits() >= NARROW, z
    assert not all(lies)


@pytest.mark.parametrize(("name", "edge"), [("log", -2.0), ("sqrt", -2.0), ("log1p", -3.0)])
def test_nothing_is_said_on_a_cut(name: str, edge: float) -> None:
    for z in (acb(edge), acb(edge, arb(0, 1e-9))):
        assert not getattr(BALLS, name)(np.array([z], dtype=object))[0].is_finite()
    assert getattr(BALLS, name)(np.array([acb(edge, 1)], dtype=object))[0].is_finite()


def test_systems_of_complex_matrices(holds: Holds) -> None:
    rng = np.random.default_rng(4)
    a, b = rng.standard_normal((3, 3)) + 1j * rng.standard_normal((3, 3)), rng.standard_normal((3, 2))
    with mp.workdps(80):
        left, right = mp.matrix(a.tolist()), mp.matrix(b.tolist())
        lower = mp.matrix(np.tril(a).tolist())
        expected = {
            "inv": mp.inverse(left), "solve": mp.inverse(left) * right, "solve_triangular": mp.inverse(lower) * right,
            "matrix_exp": mp.expm(left, method="taylor"),
        }  # fmt: skip
        det = mp.det(left)
    with precision(BITS):
        x, y = np.frompyfunc(acb, 1, 1)(a), balls(b)
        assert both(BALLS.det(x)[()], det, holds)
        for name, value in expected.items():
            found = getattr(BALLS, name)(*((x, y) if "solve" in name else (x,)))
            truth = np.array(value.tolist(), dtype=object)
            assert found.shape == truth.shape
            assert all(both(z, v, holds) for z, v in zip(found.flat, truth.flat, strict=True))
            assert all(z.rel_accuracy_bits() >= NARROW for z in found.flat)
