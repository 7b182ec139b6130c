"""What is the smallest and simplest point that still fails?

Candidates are tried a batch at a time: first smaller sizes (blocks of the failing point), then, element by element,
simpler numbers, the simplest first. Every candidate is inside the domain and fails in the judge's own eyes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases.build import finish, outputs, shape_of
from gradcheck.cases.narrow import narrowed
from gradcheck.cases.plans import digest, dimensions
from gradcheck.spec.case import Case
from gradcheck.spec.dims import misfit
from gradcheck.spec.membership import inside
from gradcheck.spec.model import Spec

Array = NDArray[np.float64]
Point = dict[str, Array]  # one point, no batch axis
Fails = Callable[[Case], NDArray[np.bool_]]
SIMPLE = (0.0, 1.0, 2.0, -1.0, 3.0, 0.5, -2.0, 4.0, 5.0, 10.0, -0.5)
MAX_SIZES = 24
MAX_BLOCKS = 27
PASSES = 2


def shrink(case: Case, row: int, fails: Fails) -> Case:
    """A case of one point, as small and simple as was found; the point itself where nothing simpler fails.

    fails(case) -> (B,) whether each point fails in the same way as the original.
    """
    point = {name: np.array(array[row]) for name, array in case.inputs.items()}
    ct = {name: np.array(array[row]) for name, array in case.cotangents.items()}
    best = batch(case.spec, case.sizes, [point], [ct], case.dtype)
    if best is None or not fails(best).any():
        kept = {k: v[row : row + 1].copy() for k, v in case.inputs.items()}
        return replace(
            case, inputs=kept, origins=(case.origins[row],), layouts=(),
            cotangents={k: v[row : row + 1].copy() for k, v in case.cotangents.items()},
            tangents={k: v[row : row + 1].copy() for k, v in case.tangents.items()},
        )  # fmt: skip
    best = _smaller(best, fails)
    for _ in range(PASSES):
        simpler = _simpler(best, fails)
        if simpler is best:
            break
        best = simpler
    return best


def batch(
    spec: Spec, sizes: Mapping[str, int], points: list[Point], cts: list[Point] | None, dtype: str = "float64"
) -> Case | None:
    """The points that lie in the domain (and in the dtype) as one case; cotangents of ones where none are given."""
    stacked = {i.name: np.stack([p[i.name] for p in points]) for i in spec.inputs}
    try:
        ok = inside(spec, stacked, sizes)
        stacked = {k: v[ok] for k, v in stacked.items()}
        if not ok.any():
            return None
        if cts is None:
            cotangents = {o: np.ones_like(v) for o, v in outputs(spec, stacked, sizes).items()}
        else:
            cotangents = {o: np.stack([c[o] for c in cts])[ok] for o in spec.outputs}
        rng = np.random.default_rng(digest(spec.id, 1))
        case = finish(spec, stacked, sizes, ("given",) * int(ok.sum()), 1, rng, cotangents=cotangents)
        return case if dtype == "float64" else narrowed(case, dtype)
    except (ValueError, IndexError):
        return None  # a smaller size that the function does not take


def _first(case: Case | None, fails: Fails) -> Case | None:
    """The first failing point of a case, as a case of its own."""
    if case is None:
        return None
    rows = np.flatnonzero(fails(case))
    return _only(case, int(rows[0])) if len(rows) else None


def _only(case: Case, row: int) -> Case:
    def one(arrays: Mapping[str, Array]) -> dict[str, Array]:
        return {k: v[row : row + 1].copy() for k, v in arrays.items()}

    return replace(
        case, inputs=one(case.inputs), cotangents=one(case.cotangents), tangents=one(case.tangents),
        origins=(case.origins[row],), layouts=(),
    )  # fmt: skip


def _smaller(best: Case, fails: Fails) -> Case:
    names = dimensions(best.spec)
    choices = sorted(product(*[range(1, best.sizes[d] + 1) for d in names]), key=lambda c: (int(np.prod(c)), c))
    for choice in choices[:MAX_SIZES]:
        sizes = dict(zip(names, choice, strict=True))
        if sizes == dict(best.sizes):
            break
        if misfit(sizes):
            continue
        found = _first(batch(best.spec, sizes, list(_blocks(best, sizes)), None, best.dtype), fails)
        if found is not None:
            return found
    return best


def _blocks(best: Case, sizes: Mapping[str, int]) -> Iterator[Point]:
    """Blocks of the point in the new sizes: all there are, or, of many, those from the starts, ends and middles."""
    names = list(sizes)
    cuts = [list(range(best.sizes[d] - n + 1)) for d, n in sizes.items()]
    if np.prod([len(c) for c in cuts]) > MAX_BLOCKS:
        cuts = [sorted({c[0], c[-1], c[(len(c) - 1) // 2]}) for c in cuts]
    for starts in list(product(*cuts))[:MAX_BLOCKS]:
        offset = dict(zip(names, starts, strict=True))
        point: Point = {}
        for i in best.spec.inputs:
            shape = shape_of(i, sizes)
            index = tuple(
                slice(offset[d], offset[d] + n) if isinstance(d, str) else slice(None)
                for d, n in zip(i.shape, shape, strict=True)
            )
            point[i.name] = np.array(best.inputs[i.name][0][index])
        yield point


def _simpler(best: Case, fails: Fails) -> Case:
    """Simpler numbers: the whole point at once, then each element by itself."""
    start = best
    for whole in (_replaced(best, v) for v in (1.0, 2.0)):
        found = _first(batch(best.spec, best.sizes, [whole], [_point(best.cotangents)], best.dtype), fails)
        if found is not None:
            best = found
            break
    for kind in ("inputs", "cotangents"):
        for name in getattr(best, kind):
            for element in range(int(np.prod(getattr(best, kind)[name].shape[1:], dtype=int))):
                best = _simplest(best, kind, name, element, fails)
    return start if _same(start, best) else best


def _same(a: Case, b: Case) -> bool:
    pairs = [(x[k], y[k]) for x, y in ((a.inputs, b.inputs), (a.cotangents, b.cotangents)) for k in x]
    return all(np.array_equal(x, y) for x, y in pairs)


def _point(arrays: Mapping[str, Array]) -> Point:
    return {k: np.array(v[0]) for k, v in arrays.items()}


def _replaced(best: Case, value: float) -> Point:
    return {k: np.full_like(v[0], value) for k, v in best.inputs.items()}


def _simplest(best: Case, kind: str, name: str, element: int, fails: Fails) -> Case:
    """The point with one element replaced by the simplest number with which it still fails."""
    old = float(getattr(best, kind)[name][0].reshape(-1)[element])
    numbers = [v for v in _candidates(old) if _cost(v) < _cost(old)]
    if kind == "cotangents":  # a cotangent of zeros asks nothing
        numbers = [v for v in numbers if v != 0 or _others(best.cotangents, name, element)]
    if not numbers:
        return best
    points, cts = [], []
    for v in numbers:
        parts: dict[str, Any] = {"inputs": _point(best.inputs), "cotangents": _point(best.cotangents)}
        parts[kind][name].reshape(-1)[element] = v
        points.append(parts["inputs"])
        cts.append(parts["cotangents"])
    return _first(batch(best.spec, best.sizes, points, cts, best.dtype), fails) or best


def _others(cotangents: Mapping[str, Array], name: str, element: int) -> bool:
    """Whether a cotangent has any number but this one that is not zero."""
    return any(np.any(np.delete(v[0], element if k == name else [])) for k, v in cotangents.items())


def _candidates(old: float) -> list[float]:
    """Simpler numbers than `old`, the simplest first."""
    rounded = [float(f"{old:.{digits}g}") for digits in (1, 2, 3, 4)] if np.isfinite(old) else []
    whole = [float(np.trunc(old)), float(np.ceil(old)), float(np.floor(old))] if abs(old) < 1e15 else []
    return sorted(dict.fromkeys([*SIMPLE, *whole, *rounded]), key=_cost)


def _cost(value: float) -> tuple[int, float, bool]:
    """How hard a number is to read: its digits, then its size, then its sign."""
    text = f"{abs(value):.17g}".replace("e+", "e").rstrip("0") if value else ""
    digits = len(repr(abs(value)).removesuffix(".0")) if value else 0
    return max(digits, len(text) > 12), abs(value), value < 0
