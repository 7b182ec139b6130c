"""Which numbers are simpler than these? Single ones, the simplest first, and plain arrays of a domain's structure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gradcheck.spec.model import Domain
from gradcheck.spec.precision import PRECISIONS

Array = NDArray[np.float64]
SIMPLE = (1.0, 2.0, 0.0, -1.0, 3.0, 0.5, -2.0, 4.0, 5.0, 10.0, -0.5)  # 0 hides much: it is special itself
FILLS = (1.0, 2.0, 0.5, -1.0, 0.0, 10.0, -10.0, 100.0, -100.0)  # of a whole point
DIGITS = (1, 2, 3, 4, 5, 6, 8, 10, 13)
NEARLY = 16 * 2.0**-53  # what a sum or a product of numbers of size 1 may be off by rounding: they have a few terms


def candidates(old: float, dtype: str = "float64") -> list[float]:
    """Numbers that are simpler than `old`, a number of the dtype, the simplest first."""
    own = shortest(old, dtype)
    found = [*SIMPLE, *(_decimal(own) if np.isfinite(own) else [])]
    return [v for v in sorted(dict.fromkeys(found), key=cost) if np.isfinite(v) and cost(v) < cost(own)]


def shortest(value: float, dtype: str) -> float:
    """The number with the fewest digits that is `value` once it is rounded to a dtype: 0.1 in float32."""
    if dtype == "float64" or not np.isfinite(value):
        return float(value)
    rounded = PRECISIONS[dtype].rounded
    found = (float(f"{value:.{digits}e}") for digits in range(17))
    return next((v for v in found if rounded(v) == value), float(value))


def _decimal(old: float) -> list[float]:
    """Tens, hundreds … below it; the number with fewer digits: the nearest such, the one below and the one above."""
    decade = int(f"{old:e}".partition("e")[2]) - 1
    found = [float(f"{np.copysign(k, old):.0f}e{decade}") for k in range(1, 10)]
    for digits in DIGITS:
        near = f"{old:.{digits - 1}e}"
        unit = float(f"1e{int(near.partition('e')[2]) - digits + 1}")
        found += [float(f"{float(near) + k * unit:.{digits - 1}e}") for k in (0, -1, 1)]
    return found


def cost(value: float) -> tuple[int, int, int, float, bool]:
    """How hard a number is to read: its place among the simplest ones; else its digits, length, size and sign."""
    zero = value == 0 and np.signbit(value)
    if value in SIMPLE and not zero:
        return SIMPLE.index(value), 0, 0, 0.0, False
    text = repr(abs(float(value))).removesuffix(".0")
    digits = len(text.partition("e")[0].replace(".", "").strip("0")) or 1
    return len(SIMPLE), digits, len(text), abs(value), bool(np.signbit(value))


def plain(domain: Domain, shape: tuple[int, ...], value: float) -> Array:
    """An array of one number everywhere; where the domain has a structure, one as plain as that allows."""
    if not shape:
        return np.full(shape, value)
    made = _PLAIN.get(domain.kind)
    return np.full(shape, value) if made is None else np.broadcast_to(made(shape, value), shape).copy()


def _simplex(shape: tuple[int, ...], value: float) -> Array:
    powers = 0.5 ** np.arange(1.0, shape[-1] + 1)
    powers[-1] = powers[-2] if len(powers) > 1 else 1.0
    return powers


def _sphere(shape: tuple[int, ...], value: float) -> Array:
    return np.array([0.6, 0.8, *[0.0] * (shape[-1] - 2)] if shape[-1] > 1 else [1.0])


def _scaled_eye(shape: tuple[int, ...], value: float) -> Array:
    return value * np.eye(shape[-1])


_PLAIN: dict[str, Callable[[tuple[int, ...], float], Array]] = {
    "simplex": _simplex,
    "sphere": _sphere,
    "orthogonal": lambda shape, value: np.eye(shape[-1]),
    "symmetric": _scaled_eye,
    "spd": _scaled_eye,
    "triangular": _scaled_eye,
    "sorted": lambda shape, value: value * np.arange(1.0, shape[-1] + 1),
    "permutation": lambda shape, value: np.arange(0.0, shape[-1]),
}


def keeps(domain: Domain, x: Array) -> NDArray[np.bool_]:
    """Which arrays of a batch (B, *shape) have the structure of a domain, which its box and predicate do not tell."""
    test = _TESTS.get(domain.kind)
    if test is None or x.ndim == 1 or not x.size:
        return np.ones(len(x), dtype=bool)
    with np.errstate(all="ignore"):
        good = np.asarray(test(x).reshape(len(x), -1).all(axis=1))
        if domain.condition and good.any():
            good[good] &= (np.linalg.cond(x[good]) <= domain.condition).reshape(int(good.sum()), -1).all(axis=1)
        return good


def _is_simplex(x: Array) -> Array:
    return np.asarray((x >= 0).all(axis=-1) & (np.abs(x.sum(axis=-1) - 1) <= NEARLY))


def _is_orthogonal(x: Array) -> Array:
    return np.asarray(np.abs(x @ np.swapaxes(x, -1, -2) - np.eye(x.shape[-2])) <= NEARLY)


def _is_symmetric(x: Array) -> Array:
    return np.asarray(x == np.swapaxes(x, -1, -2))


def _is_spd(x: Array) -> Array:
    symmetric = np.asarray(_is_symmetric(x).all(axis=(-1, -2)))
    good = np.asarray(symmetric & np.isfinite(x).all(axis=(-1, -2)))
    safe = np.where(good[..., None, None], x, -np.eye(x.shape[-1]))
    return np.asarray(np.linalg.eigvalsh(safe)[..., 0] > 0)


def _is_triangular(x: Array) -> Array:
    diagonal = np.diagonal(x, axis1=-2, axis2=-1)
    return np.asarray((x == np.tril(x)).all(axis=(-1, -2)) & (diagonal > 0).all(axis=-1))


_TESTS: dict[str, Callable[[Array], Array]] = {
    "simplex": _is_simplex,
    "sphere": lambda x: np.asarray(np.abs(np.linalg.norm(x, axis=-1) - 1) <= NEARLY),
    "orthogonal": _is_orthogonal,
    "symmetric": _is_symmetric,
    "spd": _is_spd,
    "triangular": _is_triangular,
    "sorted": lambda x: np.asarray(np.diff(x, axis=-1) >= 0),
    "permutation": lambda x: np.asarray(np.sort(x, axis=-1) == np.arange(x.shape[-1])),
    "probability": lambda x: np.asarray((x >= 0) & (x <= 1)),
}
