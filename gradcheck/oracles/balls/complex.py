"""What encloses functions and the parts of complex numbers, and Fourier transforms, in balls?

A complex ball (Arb's `acb`) is a rectangle of two balls. An array holds complex balls alone or none. Rows that real
numbers have too hand those to the real enclosures. On a branch cut, whose sides NumPy tells by the sign of a zero that
balls have not, and across it, nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.errors import Unsupported
from gradcheck.expr.rows_complex import INVERSE
from gradcheck.expr.rules import is_complex, one_axis
from gradcheck.oracles.balls.conditions import ENCLOSURES as CONDITIONS
from gradcheck.oracles.balls.elementary import ENCLOSURES as ELEMENTARY
from gradcheck.oracles.balls.flint_library import Balls, Undecided, acb, arb, balls
from gradcheck.oracles.balls.numbers import all_balls
from gradcheck.oracles.balls.special import ENCLOSURES as SPECIAL

Enclosure = Callable[..., Any]
FORWARD = frozenset({"fft", "rfft"})
COMPLEX_TOO = frozenset(
    "add subtract multiply divide negative positive square reciprocal stop_gradient conj real imag abs sign angle "
    "equal not_equal where sum mean prod cumulative_sum cumulative_prod dot matmul outer trace diagonal diag tril triu "
    "matrix_transpose reshape broadcast_to expand_dims squeeze flip permute_dims getitem scatter take take_along_axis "
    "scatter_along_axis zero_pad sliding_windows overlap_add concat stack zeros_like ones_like empty_like "
    "fft ifft rfft irfft exp exp2 expm1 sin cos tan sinh cosh tanh log log2 log10 log1p sqrt expit sinc tanhshrink erf "
    "erfc digamma gamma rgamma det inv solve solve_triangular matrix_exp".split()
)  # rows whose enclosures, here or elsewhere, are right for complex balls


def _off_the_cut(function: Callable[[Any], Any], start: int = 0) -> Callable[[Any], Any]:
    """A function that is cut along the negative axis, from `start` on: nan on the cut and across it."""
    return lambda z: function(z) if z.real > start or not z.imag.contains(0) else acb(arb.nan(), arb.nan())


_ANALYTIC: dict[str, Callable[[Any], Any]] = {
    "exp": acb.exp, "expm1": acb.expm1, "sin": acb.sin, "cos": acb.cos, "tan": acb.tan, "sinh": acb.sinh,
    "cosh": acb.cosh, "tanh": acb.tanh, "erf": acb.erf, "erfc": acb.erfc, "digamma": acb.digamma, "gamma": acb.gamma,
    "rgamma": acb.rgamma,
    "exp2": lambda z: (z * arb.const_log2()).exp(),
    "log": _off_the_cut(acb.log),
    "log2": _off_the_cut(lambda z: z.log() / arb.const_log2()),
    "log10": _off_the_cut(lambda z: z.log() / arb.const_log10()),
    "log1p": _off_the_cut(acb.log1p, start=-1),
    "sqrt": _off_the_cut(acb.sqrt),
    "expit": lambda z: 1 / (1 + (-z).exp()),
    "sinc": acb.sinc_pi,
    "tanhshrink": lambda z: z - z.tanh(),
}  # fmt: skip


def _of_both(complex_: Callable[[Any], Any], real: Enclosure) -> Enclosure:
    """An elementwise function of complex balls, and the enclosure of real ones."""
    ufunc: Any = np.frompyfunc(complex_, 1, 1)
    return lambda x: ufunc(x) if is_complex(np.asarray(x)) else real(x)


def of_real_numbers(name: str, enclosure: Enclosure) -> Enclosure:
    """An enclosure that refuses complex balls, unless it is one of those that are right for them."""
    if name in COMPLEX_TOO:
        return enclosure

    def refusing(*arrays: Any, **params: Any) -> Any:
        if any(isinstance(x, np.ndarray) and is_complex(x) for x in arrays):
            raise Unsupported("ball arithmetic", f"{name} of complex numbers")
        return enclosure(*arrays, **params)

    return refusing


def _angle(x: Any) -> Balls:
    """The angle of real numbers: 0, or pi on the left."""
    x = all_balls(x)
    left, right = (np.asarray(np.frompyfunc(test, 1, 1)(x), dtype=bool) for test in (lambda b: b < 0, lambda b: b >= 0))
    if not (left | right).all():
        raise Undecided(~(left | right))
    angles: Any = np.frompyfunc(lambda b: arb.pi() if b < 0 else arb(0), 1, 1)
    return np.asarray(angles(x), dtype=object)


def _resized(x: Balls, points: int) -> Balls:
    """The last axis cut off, or filled up with zeros."""
    missing = points - x.shape[-1]
    if missing <= 0:
        return x[..., :points]
    return np.concatenate([x, balls(np.zeros((*x.shape[:-1], missing)))], axis=-1)


def _transformed(x: Balls, forward: bool, factor: Any) -> Balls:
    """Every vector along the last axis by Arb's transform, whose inverse divides by the number of points."""
    found = np.empty(x.shape, dtype=object)
    scale = factor if forward else factor * x.shape[-1]
    for place in np.ndindex(*x.shape[:-1]):
        found[place] = [c * scale for c in acb.dft(x[place].tolist(), inverse=not forward)]
    return found


def _factor(name: str, points: int, norm: str) -> Any:
    """What a transform of so many points is multiplied by."""
    held = norm if name in FORWARD else INVERSE[norm]
    return {"forward": arb(1) / points, "ortho": 1 / arb(points).sqrt(), "backward": arb(1)}[held]


def _whole_spectrum(x: Balls, points: int) -> Balls:
    """All frequencies from those up to the half: the others are their conjugates."""
    half = _resized(x, points // 2 + 1)
    conjugates = np.frompyfunc(lambda c: acb(c).conjugate(), 1, 1)(half)
    spectrum = np.concatenate([half, conjugates[..., 1 : (points + 1) // 2][..., ::-1]], axis=-1)
    for k in {0, points // 2} if points % 2 == 0 else {0}:  # frequencies that stand for themselves alone are real
        spectrum[..., k] = np.frompyfunc(lambda c: acb(acb(c).real), 1, 1)(spectrum[..., k])
    return spectrum


def _fourier(name: str) -> Enclosure:
    def transform(x: Any, n: int | None, axis: int, norm: str) -> Balls:
        x, axis = np.moveaxis(all_balls(x), one_axis(axis), -1), one_axis(axis)
        points = n if n is not None else 2 * (x.shape[-1] - 1) if name == "irfft" else x.shape[-1]
        x = _whole_spectrum(x, points) if name == "irfft" else _resized(x, points)
        y = _transformed(x, name in FORWARD, _factor(name, points, norm))
        if name == "irfft":
            y = np.asarray(np.frompyfunc(lambda c: c.real, 1, 1)(y), dtype=object)
        return np.moveaxis(y[..., : points // 2 + 1] if name == "rfft" else y, -1, axis)

    return transform


ENCLOSURES: dict[str, Enclosure] = {
    **{name: _fourier(name) for name in ("fft", "ifft", "rfft", "irfft")},
    **{name: _of_both(function, {**ELEMENTARY, **SPECIAL}[name]) for name, function in _ANALYTIC.items()},
    "conj": _of_both(lambda z: z.conjugate(), ELEMENTARY["conj"]),
    "real": _of_both(lambda z: z.real, ELEMENTARY["real"]),
    "imag": _of_both(lambda z: z.imag, ELEMENTARY["imag"]),
    "abs": _of_both(abs, CONDITIONS["abs"]),
    "sign": _of_both(lambda z: z.sgn(), CONDITIONS["sign"]),
    "angle": _of_both(lambda z: z.arg(), _angle),
}
