"""Which numbers does a domain hold? Drawing them, at a scale, for a whole batch at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gradcheck.spec.model import Domain

Array = NDArray[np.float64]
Shape = tuple[int, ...]


def draw(domain: Domain, rng: Generator, points: int, shape: Shape, scale: Array | float) -> Array:
    """`points` arrays of `shape` inside the domain (predicates aside).

    scale: the size of an unbounded number, one for all points or (points,).
    """
    structure = _STRUCTURES.get(domain.kind)
    if domain.condition:
        return _conditioned(rng, points, shape, domain.condition)
    if structure is not None:
        return structure(rng, points, shape)
    if domain.kind == "integer":
        return _integers(domain, rng, (points, *shape))
    if domain.kind == "boolean":
        return rng.integers(0, 2, (points, *shape)).astype(float)
    each = np.broadcast_to(scale, (points,)).reshape(points, *(1,) * len(shape))
    return _real(domain, rng, (points, *shape), each)


def _real(domain: Domain, rng: Generator, shape: Shape, scale: Array) -> Array:
    low, high = domain.low, domain.high
    if domain.log:
        spread = np.exp(rng.uniform(np.log(low), np.log(high), shape))
        return np.asarray(np.clip(spread, low, high))
    if np.isfinite(low) and np.isfinite(high):
        # away from the ends by a hair, and now and then close to one: both halves of an interval have tails
        u = rng.uniform(0.0, 1.0, shape)
        near = rng.uniform(0.0, 1.0, shape) < 0.1
        u = np.where(near, np.where(u < 0.5, 1e-3 * u, 1 - 1e-3 * (1 - u)), u)
        return np.clip(low + (high - low) * u, np.nextafter(low, high), np.nextafter(high, low))
    if np.isfinite(low) or np.isfinite(high):
        away = scale * np.exp(rng.normal(0.0, 1.0, shape))
        return np.maximum(low + away, np.nextafter(low, np.inf)) if np.isfinite(low) else high - away
    return scale * rng.normal(0.0, 1.5, shape)


def _integers(domain: Domain, rng: Generator, shape: Shape) -> Array:
    low = domain.low if np.isfinite(domain.low) else (domain.high - 10 if np.isfinite(domain.high) else -5)
    high = domain.high if np.isfinite(domain.high) else low + 10
    first = int(np.floor(low) + 1 if domain.low_open and np.isfinite(domain.low) else np.ceil(low))
    last = int(np.ceil(high) - 1 if domain.high_open and np.isfinite(domain.high) else np.floor(high))
    return rng.integers(first, last + 1, shape).astype(float)


def _simplex(rng: Generator, points: int, shape: Shape) -> Array:
    x = rng.exponential(1.0, (points, *shape)) + 1e-3
    return np.asarray(x / x.sum(axis=-1, keepdims=True))


def _sphere(rng: Generator, points: int, shape: Shape) -> Array:
    x = rng.normal(0.0, 1.0, (points, *shape))
    return np.asarray(x / np.linalg.norm(x, axis=-1, keepdims=True))


def _orthogonal(rng: Generator, points: int, shape: Shape) -> Array:
    q, _ = np.linalg.qr(rng.normal(0.0, 1.0, (points, *shape)))
    return np.asarray(q)


def _symmetric(rng: Generator, points: int, shape: Shape) -> Array:
    x = rng.normal(0.0, 1.0, (points, *shape))
    return np.asarray((x + np.swapaxes(x, -1, -2)) / 2)


def _spd(rng: Generator, points: int, shape: Shape) -> Array:
    q = _orthogonal(rng, points, shape)
    values = np.exp(rng.normal(0.0, 0.7, (points, *shape[:-1])))
    x = (q * values[..., None, :]) @ np.swapaxes(q, -1, -2)
    return np.asarray((x + np.swapaxes(x, -1, -2)) / 2)


def _conditioned(rng: Generator, points: int, shape: Shape, condition: float) -> Array:
    """Eigenvalues spread by their logarithms; at every other point the ratio of the outermost is the condition."""
    reach = 0.5 * np.log(condition)
    logs = np.sort(rng.uniform(-reach, reach, (points, *shape[:-1])), axis=-1)
    if shape[-1] > 1:
        logs[::2, ..., 0], logs[::2, ..., -1] = -reach, reach
    values = np.exp(logs + rng.normal(0.0, 0.7, (points, *(1,) * (len(shape) - 1))))
    q = _orthogonal(rng, points, shape)
    x = (q * values[..., None, :]) @ np.swapaxes(q, -1, -2)
    return np.asarray((x + np.swapaxes(x, -1, -2)) / 2)


def _triangular(rng: Generator, points: int, shape: Shape) -> Array:
    x = np.tril(rng.normal(0.0, 1.0, (points, *shape)))
    k = np.arange(shape[-1])
    x[..., k, k] = np.exp(rng.normal(0.0, 0.5, (points, *shape[:-1])))
    return np.asarray(x)


def _sorted(rng: Generator, points: int, shape: Shape) -> Array:
    return np.sort(rng.normal(0.0, 2.0, (points, *shape)), axis=-1)


def _permutation(rng: Generator, points: int, shape: Shape) -> Array:
    return np.argsort(rng.uniform(size=(points, *shape)), axis=-1).astype(float)


def _probability(rng: Generator, points: int, shape: Shape) -> Array:
    return rng.uniform(0.0, 1.0, (points, *shape))


_STRUCTURES: dict[str, Callable[[Generator, int, Shape], Array]] = {
    "simplex": _simplex,
    "sphere": _sphere,
    "orthogonal": _orthogonal,
    "symmetric": _symmetric,
    "spd": _spd,
    "triangular": _triangular,
    "sorted": _sorted,
    "permutation": _permutation,
    "probability": _probability,
}
STRUCTURED = frozenset(_STRUCTURES) - {"probability"}
