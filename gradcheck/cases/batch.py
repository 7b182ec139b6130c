"""How do given points become a case? Those that lie in the domain, with the directions that are given, or ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases.build import finish, outputs
from gradcheck.cases.narrow import narrowed
from gradcheck.cases.plans import digest
from gradcheck.spec.case import Case
from gradcheck.spec.membership import inside
from gradcheck.spec.model import Spec

Array = NDArray[np.float64]
Arrays = Mapping[str, Array]  # of one point, no batch axis


def batch(
    spec: Spec, sizes: Mapping[str, int], points: Sequence[Arrays], cts: Sequence[Arrays] | None,
    dtype: str = "float64", along: Sequence[Arrays] | None = None, origins: Sequence[str] | None = None,
) -> Case | None:  # fmt: skip
    """The points that lie in the domain (and in the dtype) as one case; None where none does.

    cts: cotangents, ones where none are given; along: tangents, drawn where none are given. None too where the
    function does not take these sizes.
    """
    stacked = {i.name: np.stack([p[i.name] for p in points]) for i in spec.inputs}
    try:
        ok = inside(spec, stacked, sizes)
        if not ok.any():
            return None
        stacked = {k: v[ok] for k, v in stacked.items()}
        if cts is None:
            cotangents = {o: np.ones_like(v) for o, v in outputs(spec, stacked, sizes).items()}
        else:
            cotangents = {o: np.stack([c[o] for c in cts])[ok] for o in spec.outputs}
        tangents = None if along is None else {n: np.stack([t[n] for t in along])[ok] for n in along[0]}
        named = tuple(name for name, kept in zip(origins or ("given",) * len(ok), ok, strict=True) if kept)
        rng = np.random.default_rng(digest(spec.id, 1))
        case = finish(spec, stacked, sizes, named, 1, rng, cotangents=cotangents, given=tangents)
        return case if dtype == "float64" else narrowed(case, dtype)
    except (ValueError, IndexError):
        return None  # a size that the function does not take
