"""In which two number systems is every function of the benchmark evaluated? In float64, and in mpmath for the truth."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import mpmath as mp
import numpy as np
from scipy import special

Number = Any  # float64 arrays, or one mpmath number

FLOAT64 = SimpleNamespace(
    **{name: getattr(np, name) for name in "abs exp expm1 log log1p sqrt cbrt sin cos tan tanh sinh cosh".split()},
    **{name: getattr(np, name) for name in "floor sign where maximum minimum logaddexp".split()},
    asin=np.arcsin, acos=np.arccos, atan=np.arctan, acosh=np.arccosh, asinh=np.arcsinh, atanh=np.arctanh,
    atan2=np.arctan2, pi=np.pi, gamma=special.gamma, lgamma=special.gammaln, digamma=special.digamma,
    erf=special.erf, erfc=special.erfc, expit=special.expit, ndtr=special.ndtr, expi=special.expi, exp1=special.exp1,
    si=lambda x: special.sici(x)[0], fresnel=lambda x: special.fresnel(x)[0], dawson=special.dawsn,
    lambert=lambda x: special.lambertw(x).real, lambert_below=lambda x: special.lambertw(x, -1).real,
    j=special.jv, y=special.yv, i=special.iv, k=special.kv, airy=lambda x: special.airy(x)[0], ellipk=special.ellipk,
    ellipe=special.ellipe, zeta=lambda x: special.zeta(x, 1.0), beta=special.beta, gammainc=special.gammainc,
    legendre=lambda n, x: special.eval_legendre(n, x), hyp2f1=special.hyp2f1, hyp1f1=special.hyp1f1,
    float32=lambda x: np.asarray(x).astype(np.float32).astype(np.float64),
    float16=lambda x: np.asarray(x).astype(np.float16).astype(np.float64),
    digits=lambda x, n: np.round(x, n),
    angle=lambda re, im: np.angle(re + 1j * im), log_imag=lambda re, im: np.log(re + 1j * im).imag,
    sqrt_imag=lambda re, im: np.sqrt(re + 1j * im).imag, power_real=lambda re, im, p: ((re + 1j * im) ** p).real,
)  # fmt: skip


def _complex(re: Number, im: Number) -> Any:
    return mp.mpc(re, im)


MPMATH = SimpleNamespace(
    **{name: getattr(mp, name) for name in "exp expm1 log log1p sqrt sin cos tan tanh sinh cosh asin acos".split()},
    **{name: getattr(mp, name) for name in "atan acosh asinh atanh atan2 floor sign gamma digamma erf erfc".split()},
    **{name: getattr(mp, name) for name in "ellipk ellipe zeta beta legendre hyp2f1 hyp1f1".split()},
    abs=abs, cbrt=lambda x: mp.sign(x) * mp.cbrt(abs(x)), where=lambda c, a, b: a if c else b, maximum=max,
    minimum=min, logaddexp=lambda a, b: mp.log(mp.exp(a) + mp.exp(b)), pi=np.pi,
    lgamma=lambda x: mp.log(abs(mp.gamma(x))), expit=lambda x: 1 / (1 + mp.exp(-x)), ndtr=mp.ncdf, expi=mp.ei,
    exp1=mp.e1, si=mp.si, fresnel=mp.fresnels, dawson=lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x),
    lambert=lambda x: mp.lambertw(x).real, lambert_below=lambda x: mp.lambertw(x, -1).real,
    j=mp.besselj, y=mp.bessely, i=mp.besseli, k=mp.besselk, airy=mp.airyai,
    gammainc=lambda a, x: mp.gammainc(a, 0, x, regularized=True),
    float32=lambda x: x, float16=lambda x: x, digits=lambda x, n: x,
    angle=lambda re, im: mp.arg(_complex(re, im)), log_imag=lambda re, im: mp.log(_complex(re, im)).imag,
    sqrt_imag=lambda re, im: mp.sqrt(_complex(re, im)).imag,
    power_real=lambda re, im, p: (_complex(re, im) ** p).real,
)  # fmt: skip
