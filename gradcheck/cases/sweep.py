"""Which points leave no large gap? A low-discrepancy sequence over all elements, spaced by sizes into the tails.

The sequence is R_d of M. Roberts (The unreasonable effectiveness of quasirandom sequences, 2018): multiples of the
powers of 1/φ_d modulo 1, where φ_d is the positive root of x^(d+1) = x + 1. It needs no table and no library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gradcheck.cases.domains import draw
from gradcheck.spec.model import Domain, Input

Array = NDArray[np.float64]
SIZES = (-6.0, 3.0)  # decimal exponents of numbers that no end limits
TURNS = 32  # of x = (1 + x)^(1/(d+1)), which converges by a factor of d+1 at least in each


def sequence(points: int, coordinates: int, start: Array) -> Array:
    """(points, coordinates) numbers in [0, 1); start: (coordinates,) where the sequence begins."""
    root = 2.0
    for _ in range(TURNS):
        root = (1 + root) ** (1 / (coordinates + 1))
    steps = root ** -np.arange(1, coordinates + 1)
    return np.asarray((start + np.outer(np.arange(1, points + 1), steps)) % 1.0)


def swept(
    inputs: Sequence[Input], rng: Generator, points: int, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, Array]:
    """name -> (points, *shape): real inputs swept together, every second point by sizes; all others drawn."""
    found = {i.name: draw(i.domain, rng, points, shapes[i.name], 1.0) for i in inputs}
    real = [i for i in inputs if i.domain.kind in ("real", "probability")]
    counts = [int(np.prod(shapes[i.name])) for i in real]
    if not sum(counts):
        return found
    columns = np.split(sequence(points, sum(counts), rng.uniform(size=sum(counts))), np.cumsum(counts)[:-1], axis=1)
    for i, u in zip(real, columns, strict=True):
        numbers = np.where((np.arange(points) % 2 == 0)[:, None], _even(i.domain, u), _by_size(i.domain, u))
        found[i.name] = numbers.reshape(points, *shapes[i.name])
    return found


def _even(domain: Domain, u: Array) -> Array:
    """Evenly between finite ends; where one is missing, ordinary numbers."""
    low, high = _ends(domain)
    return _within(domain, low + u * (high - low))


def _ends(domain: Domain) -> tuple[float, float]:
    low, high = domain.low, domain.high
    if np.isfinite(low) and np.isfinite(high):
        return low, high
    if np.isfinite(low) or np.isfinite(high):
        return (low, low + 5.0) if np.isfinite(low) else (high - 5.0, high)
    return -5.0, 5.0


def _by_size(domain: Domain, u: Array) -> Array:
    """Numbers of all sizes and both signs; where there are ends, at all distances from them."""
    low, high = domain.low, domain.high
    sign, part = np.where(u < 0.5, -1.0, 1.0), np.abs(2 * u - 1)
    away = 10.0 ** (SIZES[0] + part * (SIZES[1] - SIZES[0]))
    if np.isfinite(low) and np.isfinite(high):
        inside = (high - low) * 10.0 ** (SIZES[0] + part * (np.log10(0.5) - SIZES[0]))
        return _within(domain, np.where(sign < 0, low + inside, high - inside))
    if np.isfinite(low) or np.isfinite(high):
        far = 10.0 ** (SIZES[0] + u * (SIZES[1] - SIZES[0]))
        return _within(domain, low + far if np.isfinite(low) else high - far)
    return np.asarray(sign * away)


def _within(domain: Domain, x: Array) -> Array:
    """Away from ends that do not belong to the domain."""
    return np.clip(x, np.nextafter(domain.low, np.inf), np.nextafter(domain.high, -np.inf))
