"""What would be tried by somebody who plans nothing? Uniform or normal numbers in random small shapes.

It is no way to find bugs: it stands beside the planned points, to show what they are worth.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gradcheck.cases.build import finish, kept, shape_of
from gradcheck.cases.domains import STRUCTURED, draw
from gradcheck.cases.plans import MAX_DIM, digest, dimensions
from gradcheck.spec.case import Case
from gradcheck.spec.dims import settled
from gradcheck.spec.many import points_of
from gradcheck.spec.model import Domain, Spec

Array = NDArray[np.float64]
ROUNDS = 12  # how often drawing is tried again where a predicate rejects points


def uniform_cases(spec: Spec, seed: int, shapes: int, points: int) -> list[Case]:
    """As many cases of as many points as the plans give: uniform between finite ends, else normal; nothing planted."""
    rng = np.random.default_rng(digest(f"uniform:{spec.id}", seed))
    found = []
    for _ in range(shapes if dimensions(spec) else 1):
        sizes = settled({d: int(rng.integers(1, MAX_DIM + 1)) for d in dimensions(spec)})
        batches, wanted = [], points_of(spec, sizes, points)
        for _ in range(ROUNDS):
            drawn = {i.name: _drawn(i.domain.at(sizes), rng, wanted, shape_of(i, sizes)) for i in spec.inputs}
            batches.append(kept(spec, drawn, sizes))
            if sum(len(next(iter(b.values()))) for b in batches) >= wanted:
                break
        inputs = {name: np.concatenate([b[name] for b in batches])[:wanted] for name in batches[0]}
        count = len(next(iter(inputs.values())))
        if count:
            case = finish(spec, inputs, sizes, ("uniform",) * count, seed, rng)
            normal = {o: rng.normal(0.0, 1.0, ct.shape) for o, ct in case.cotangents.items()}
            found.append(finish(spec, inputs, sizes, ("uniform",) * count, seed, rng, cotangents=normal))
    return found


def _drawn(domain: Domain, rng: Generator, points: int, shape: tuple[int, ...]) -> Array:
    if domain.kind in STRUCTURED or domain.kind in ("integer", "boolean"):
        return draw(domain, rng, points, shape, 1.0)
    low, high = domain.low, domain.high
    if np.isfinite(low) and np.isfinite(high):
        return np.asarray(rng.uniform(low, high, (points, *shape)))
    if np.isfinite(low) or np.isfinite(high):
        away = np.abs(rng.normal(0.0, 1.5, (points, *shape)))
        return np.asarray(low + away if np.isfinite(low) else high - away)
    return np.asarray(rng.normal(0.0, 1.5, (points, *shape)))
