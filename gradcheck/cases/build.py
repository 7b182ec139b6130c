"""How does a plan become a batch of points? Landmarks first, then numbers drawn inside the domain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gradcheck.cases.domains import STRUCTURED, draw
from gradcheck.cases.landmarks import landmarks
from gradcheck.cases.mending import mended
from gradcheck.cases.plans import SCALES, Plan, digest, size_map
from gradcheck.cases.tally import Tally
from gradcheck.expr import NUMPY, Batch, Batched, Control, by_branch
from gradcheck.spec.case import Case
from gradcheck.spec.dims import sizes_from
from gradcheck.spec.membership import refusals
from gradcheck.spec.model import Example, Input, Spec

Array = NDArray[np.float64]
Points = dict[str, Array]
Rows = NDArray[np.intp]
TIES = 4  # planted points with equal elements
ROUNDS = 12  # how often drawing is tried again where a predicate or an overflow rejects points


def build(spec: Spec, plan: Plan, points: int, tally: Tally | None = None) -> Case | None:
    """A case of `points` points; None where no point of the domain was found. tally: counts what is drawn."""
    tally = Tally() if tally is None else tally
    rng = np.random.default_rng(digest(spec.id, plan.seed))
    sizes = size_map(plan)
    planted = _kept(spec, _planted(spec, plan, rng, points), sizes)
    count = min(_count(planted), points // 2)
    batches, have, tried = [{k: v[:count] for k, v in planted.items()}], count, count
    for attempt in range(ROUNDS):
        scale = _scales(plan, rng, points) * 0.5 ** max(attempt - ROUNDS // 2, 0)
        drawn = {i.name: draw(i.domain.at(sizes), rng, points, shape_of(i, sizes), scale) for i in spec.inputs}
        drawn = _special(spec, plan, drawn, have) if attempt == 0 else drawn
        tally.drawn += points
        good = _kept(spec, drawn, sizes, tally)
        batches.append(good)
        have += _count(good)
        tried += points
        if have >= points:
            break
    if not have:
        return None
    joined = {k: np.concatenate([b[k] for b in batches])[:points] for k in drawn}
    origins = ("landmark",) * count + ("drawn",) * (min(have, points) - count)
    return finish(spec, joined, sizes, origins, plan.seed, rng, rejected=tried - have)


def _scales(plan: Plan, rng: Generator, points: int) -> Array:
    """The size of unbounded numbers at each point: the ordinary one, the plan's, or any of them."""
    return np.asarray(
        rng.choice([1.0, plan.scale, *SCALES], size=points, p=[0.4, 0.3, *[0.3 / len(SCALES)] * len(SCALES)])
    )


def shape_of(i: Input, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The shape of an input under a size assignment."""
    return tuple(sizes[d] if isinstance(d, str) else d for d in i.shape)


def finish(
    spec: Spec, inputs: Points, sizes: Mapping[str, int], origins: tuple[str, ...], seed: int, rng: Generator,
    rejected: int = 0, cotangents: Mapping[str, Array] | None = None, given: Mapping[str, Array] | None = None,
) -> Case:  # fmt: skip
    """The case with its cotangents (given, or drawn for the shapes of the outputs) and tangents."""
    values = outputs(spec, inputs, sizes)
    points = len(origins)
    ct = dict(cotangents or {o: _directions(rng, points, v.shape[1:]) for o, v in values.items()})
    tangents = {i.name: _directions(rng, points, inputs[i.name].shape[1:]) for i in spec.inputs if i.differentiable}
    tangents |= given or {}
    for array in [*inputs.values(), *ct.values(), *tangents.values()]:
        array.setflags(write=False)
    return Case(spec, sizes, inputs, ct, tangents, origins, seed, rejected)


def outputs(
    spec: Spec, inputs: Mapping[str, Array], sizes: Mapping[str, int],
    control: Callable[[Rows], Control] = lambda rows: Control(guard=False),
) -> Points:  # fmt: skip
    """The function at every point in NumPy: output -> (B, *out); NaN where a point fails to evaluate."""
    points = _count(inputs)

    def run(rows: Any) -> dict[str, Array]:
        env: dict[str, Any] = {k: Batched(v[rows]) for k, v in inputs.items()}
        result = spec.function(Batch(NUMPY), {**env, **sizes}, control(rows))
        pairs = result if isinstance(result, dict) else {spec.outputs[0]: result}
        return {o: _spread(pairs[o], len(rows)) for o in spec.outputs}

    with np.errstate(all="ignore"):
        parts = by_branch(run, np.arange(points))
    whole = {o: np.full((points, *v.shape[1:]), np.nan) for o, v in parts[0][1].items()}
    for rows, values in parts:
        for o, v in values.items():
            whole[o][rows] = v
    return whole


def _spread(value: Any, points: int) -> Array:
    if isinstance(value, Batched):
        return np.asarray(value.data, dtype=float)
    return np.broadcast_to(np.asarray(value, dtype=float), (points, *np.shape(value)))


def _count(points: Mapping[str, Array]) -> int:
    return len(next(iter(points.values())))


def _kept(spec: Spec, points: Points, sizes: Mapping[str, int], tally: Tally | None = None) -> Points:
    """The points inside the domain at which the function does not overflow; the others are counted."""
    points = mended(spec, points, sizes)
    refused = Counter[str]() if tally is None else tally.refused
    ok = np.ones(_count(points), dtype=bool)
    for reason, bad in refusals(spec, points, sizes):
        refused[reason] += int((ok & bad).sum())
        ok &= ~bad
    points = {k: v[ok] for k, v in points.items()}
    if not _count(points):
        return points
    keep = ~_overflows(spec, points, sizes)
    refused["the function overflows"] += int((~keep).sum())
    return {k: v[keep] for k, v in points.items()}


def _overflows(spec: Spec, points: Points, sizes: Mapping[str, int]) -> NDArray[np.bool_]:
    """Where the function is infinite in a whole neighbourhood: past the range of float64, not at a pole."""
    here = _infinite(outputs(spec, points, sizes))
    if not here.any():
        return here
    moved = {i.name: _moved(points[i.name]) if i.differentiable else points[i.name] for i in spec.inputs}
    return here & _infinite(outputs(spec, moved, sizes))


def _moved(x: Array) -> Array:
    return np.asarray(x * (1 - 2.0**-7) + np.where(x == 0, 2.0**-7, 0.0))


def _infinite(values: Points) -> NDArray[np.bool_]:
    masks = [np.isinf(v).reshape(len(v), -1).any(axis=1) for v in values.values()]
    return np.asarray(np.logical_or.reduce(masks))


def _planted(spec: Spec, plan: Plan, rng: Generator, points: int) -> Points:
    """Points that hold landmarks: every element the same one, one element among drawn ones, and ties."""
    sizes = size_map(plan)
    marks = {i.name: landmarks(spec, i.domain.at(sizes)) for i in spec.inputs}
    rows = min(points, TIES + 2 * max(map(len, marks.values()), default=0))
    found: Points = {}
    for i in spec.inputs:
        x = draw(i.domain.at(sizes), rng, rows, shape_of(i, sizes), np.ones(rows))
        numbers = marks[i.name]
        if numbers and i.domain.kind not in STRUCTURED and i.domain.kind != "boolean":
            flat = x.reshape(rows, -1)
            for row in range(rows):
                _plant(flat[row], numbers, row, rng)
        found[i.name] = x
    return found


def _plant(point: Array, numbers: tuple[float, ...], row: int, rng: Generator) -> None:
    """Put the row's landmark into a point: ties first, then each landmark everywhere and in one element."""
    if not point.size:
        return
    if row < TIES:
        point[: point.size if row % 2 else 0] = point[0]  # ties everywhere …
        point[-1] = point[0]  # … or one tie
        return
    row -= TIES
    mark = numbers[(row if point.size == 1 else row // 2) % len(numbers)]
    if row % 2 == 0 or point.size == 1:
        point[:] = mark
    else:
        point[rng.integers(point.size)] = mark


def _special(spec: Spec, plan: Plan, drawn: Points, have: int) -> Points:
    """The special numbers that Hypothesis chose, one in each of the first drawn points."""
    for row, (which, element, mark) in enumerate(plan.specials):
        i = spec.inputs[which % len(spec.inputs)]
        numbers = landmarks(spec, i.domain.at(size_map(plan)))
        flat = drawn[i.name].reshape(len(drawn[i.name]), -1)
        if row < len(flat) and flat.shape[1] and numbers and i.domain.kind not in STRUCTURED | {"boolean"}:
            flat[row, element % flat.shape[1]] = numbers[mark % len(numbers)]
    return drawn


def _directions(rng: Generator, points: int, shape: tuple[int, ...]) -> Array:
    """Cotangents or tangents: ones, one-hot ones, and random ones of two decimals, in turn."""
    array = np.round(rng.normal(0.0, 1.0, (points, *shape)), 2) + 0.0
    flat = array.reshape(points, -1)
    if not flat.size:
        return array
    flat[::4] = 1.0
    hot = np.arange(1, points, 4)
    flat[hot] = 0.0
    flat[hot, rng.integers(flat.shape[1], size=len(hot))] = 1.0
    return array


def example_case(spec: Spec, example: Example, sizes: Mapping[str, int]) -> Case:
    """A case of one point: a worked example, with its cotangent (ones where it gives none)."""
    rng = np.random.default_rng(digest(spec.id, 0))
    inputs = {name: np.asarray(value, dtype=float)[None].copy() for name, value in example.inputs.items()}
    ct = {o: np.ones_like(v) for o, v in outputs(spec, inputs, sizes).items()}
    if example.cotangent is not None:
        given = example.cotangent if isinstance(example.cotangent, Mapping) else {spec.outputs[0]: example.cotangent}
        ct |= {o: np.broadcast_to(np.asarray(v, dtype=float), ct[o].shape).copy() for o, v in given.items()}
    along = {n: np.asarray(t, dtype=float)[None].copy() for n, t in (example.tangents or {}).items()}
    return finish(spec, inputs, sizes, ("example",), 0, rng, cotangents=ct, given=along)


def example_sizes(spec: Spec, example: Example) -> dict[str, int]:
    """The dimension sizes that an example's arrays have."""
    return sizes_from(spec.inputs, {name: np.shape(value) for name, value in example.inputs.items()})
