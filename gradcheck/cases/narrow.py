"""Which points of a case can a narrower dtype hold? Its numbers are rounded to the nearest there, and so they stay.

So the truth is asked for at exactly the numbers that a framework sees, and no error of an input has to be allowed for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gradcheck.spec.case import Case
from gradcheck.spec.membership import inside, within_box
from gradcheck.spec.precision import PRECISIONS, Precision

Array = NDArray[np.float64]
STEPS = 32  # units in the last place that a neighbour is away at most
DEFINITE = 0.1  # what rounding moves an eigenvalue by, over the least one and a row: of five rows half of it is left
EXACT_SUMS = frozenset({"simplex", "sphere", "orthogonal"})  # no rounded point meets these


def narrowed(case: Case, dtype: str) -> Case | None:
    """The case at a dtype: inputs, cotangents and tangents rounded, points past the range or the domain left out.

    None where no point is left, or where the domain is one that rounded numbers do not meet.
    """
    if any(i.domain.kind in EXACT_SUMS for i in case.spec.inputs):
        return None
    precision = PRECISIONS[dtype]
    if any(i.domain.condition * precision.unit > DEFINITE for i in case.spec.inputs):
        return None
    inputs, cotangents, tangents = (_rounded(g, precision) for g in (case.inputs, case.cotangents, case.tangents))
    keep = inside(case.spec, inputs, case.sizes)
    for array in inputs.values():
        keep &= _moderate(array, precision).reshape(len(array), -1).all(axis=1)
    if not keep.any():
        return None
    origins = tuple(o for o, k in zip(case.origins, keep, strict=True) if k)
    return replace(
        case, inputs=_kept(inputs, keep), cotangents=_kept(cotangents, keep), tangents=_kept(tangents, keep),
        origins=origins, rejected=case.rejected + int((~keep).sum()), dtype=dtype,
    )  # fmt: skip


def neighbours(case: Case, count: int) -> list[Case]:
    """The case with every moving number moved by up to STEPS units in its last place, `count` times; inside the domain.

    A point that leaves the domain stays where it is.
    """
    precision, rng = PRECISIONS[case.dtype], np.random.default_rng(case.seed)
    found = []
    for _ in range(count):
        inputs = dict(case.inputs)
        for i in case.spec.inputs:
            if i.differentiable:
                x = case.inputs[i.name]
                step = rng.integers(1, STEPS + 1, x.shape) * rng.choice([-1, 1], x.shape) * precision.spacing(x)
                moved = precision.rounded(x + step)
                inputs[i.name] = np.where(within_box(i.domain, moved), moved, precision.rounded(x - step))
        ok = inside(case.spec, inputs, case.sizes)
        kept = {n: np.where(ok.reshape(-1, *(1,) * (x.ndim - 1)), x, case.inputs[n]) for n, x in inputs.items()}
        found.append(replace(case, inputs=_kept(kept, np.ones(case.points, dtype=bool))))
    return found


def _rounded(arrays: Mapping[str, Array], precision: Precision) -> dict[str, Array]:
    return {name: precision.rounded(array) for name, array in arrays.items()}


def _moderate(x: Array, precision: Precision) -> NDArray[np.bool_]:
    """Zero, or of a size whose third and fourth powers are well inside the range.

    A quotient's rule squares its denominator, and that may hold a square: what overflows there is no news.
    """
    size = np.abs(x)
    low, high = 2.0 ** (precision.lowest / 3), precision.largest**0.25 / 2
    return np.asarray((size == 0) | ((size >= low) & (size <= high)))


def _kept(arrays: Mapping[str, Array], keep: NDArray[np.bool_]) -> dict[str, Array]:
    found = {name: array[keep] for name, array in arrays.items()}
    for array in found.values():
        array.setflags(write=False)
    return found
