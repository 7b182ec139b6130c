"""How does a plan become a batch of points? Landmarks first, then numbers drawn inside the domain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gradcheck.cases.directions import directions, with_odd_ones
from gradcheck.cases.domains import STRUCTURED, draw
from gradcheck.cases.extremes import in_range
from gradcheck.cases.landmarks import NO_MARKS, Marks, landmarks
from gradcheck.cases.layouts import layouts_of
from gradcheck.cases.mending import mended
from gradcheck.cases.plans import SCALES, Plan, digest, size_map
from gradcheck.cases.recipes import planted
from gradcheck.cases.sweep import swept
from gradcheck.cases.tally import Tally
from gradcheck.expr import NUMPY, Batch, Batched, Control, by_branch
from gradcheck.spec.case import Case
from gradcheck.spec.dims import sizes_from
from gradcheck.spec.many import is_many
from gradcheck.spec.membership import refusals
from gradcheck.spec.model import Example, Input, Spec

Array = NDArray[np.float64]
Points = dict[str, Array]
Rows = NDArray[np.intp]
PHASES = ("examples", "landmarks", "sweep", "explore", "layouts")
LANDMARKS = 0.55  # share of the points that may be planted
LANDMARKS_OF_MANY = 0.25  # the same where a point holds very many numbers, few of which are settled where all tie
SWEPT = 8  # of the points, one part of so many is swept
ROUNDS = 12  # how often drawing is tried again where a predicate or an overflow rejects points


def build(
    spec: Spec, plan: Plan, points: int, tally: Tally | None = None, marks: Marks = NO_MARKS,
    phases: Collection[str] = PHASES,
) -> Case | None:  # fmt: skip
    """A case of `points` points; None where no point of the domain was found.

    tally: counts what is drawn. marks: numbers that the code under test holds. phases: where points may come from.
    """
    tally = Tally() if tally is None else tally
    rng = np.random.default_rng(digest(spec.id, plan.seed))
    sizes = size_map(plan)
    shapes = {i.name: shape_of(i, sizes) for i in spec.inputs}
    inputs = [replace(i, domain=i.domain.at(sizes)) for i in spec.inputs]
    wanted = points if "explore" in phases else 0
    parts: list[tuple[str, Points]] = []
    if "landmarks" in phases:
        found = kept(spec, planted(spec, inputs, shapes, rng, points, marks), sizes)
        share = LANDMARKS_OF_MANY if is_many(spec, sizes) else LANDMARKS
        rows = np.flatnonzero(in_range(spec, found, sizes))[: round(share * points)]
        parts.append(("landmark", {name: array[rows] for name, array in found.items()}))
    if "sweep" in phases:
        parts.append(("sweep", kept(spec, swept(inputs, rng, points // SWEPT, shapes), sizes)))
    have = tried = sum(_count(part) for _, part in parts)
    for attempt in range(ROUNDS if have < wanted else 0):
        scale = _scales(plan, rng, points) * 0.5 ** max(attempt - ROUNDS // 2, 0)
        drawn = {i.name: draw(i.domain, rng, points, shapes[i.name], scale) for i in inputs}
        drawn = _special(spec, plan, drawn, have) if attempt == 0 else drawn
        tally.drawn += points
        parts.append(("drawn", kept(spec, drawn, sizes, tally)))
        have += _count(parts[-1][1])
        tried += points
        if have >= wanted:
            break
    if not have:
        return None
    joined = {i.name: np.concatenate([p[i.name] for _, p in parts])[:points] for i in spec.inputs}
    origins = tuple(origin for origin, part in parts for _ in range(_count(part)))[:points]
    case = finish(spec, joined, sizes, origins, plan.seed, rng, rejected=tried - have)
    return _laid_out(case) if "layouts" in phases and spec.implementations else case


def _laid_out(case: Case) -> Case:
    """The case with views of its numbers for the code under test."""

    def values(inputs: Mapping[str, Array]) -> Points:
        return outputs(case.spec, inputs, case.sizes)

    return replace(case, layouts=layouts_of(case.spec, case.inputs, case.cotangents, case.origins, values))


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
    ordinary = [row for row, origin in enumerate(origins) if origin in ("drawn", "sweep")]
    ct = dict(cotangents or {})
    for which, (o, v) in enumerate({} if cotangents else values.items()):
        ct[o] = with_odd_ones(directions(rng, points, v.shape[1:]), ordinary, which, len(values))
    tangents = {i.name: directions(rng, points, inputs[i.name].shape[1:]) for i in spec.inputs if i.differentiable}
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


def kept(spec: Spec, points: Points, sizes: Mapping[str, int], tally: Tally | None = None) -> Points:
    """The points inside the domain at which the function does not overflow; the others are counted."""
    if not _count(points):
        return points
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


def _special(spec: Spec, plan: Plan, drawn: Points, have: int) -> Points:
    """The special numbers that Hypothesis chose, one in each of the first drawn points."""
    for row, (which, element, mark) in enumerate(plan.specials):
        i = spec.inputs[which % len(spec.inputs)]
        numbers = landmarks(spec, i.domain.at(size_map(plan)))
        flat = drawn[i.name].reshape(len(drawn[i.name]), -1)
        if row < len(flat) and flat.shape[1] and numbers and i.domain.kind not in STRUCTURED | {"boolean"}:
            flat[row, element % flat.shape[1]] = numbers[mark % len(numbers)]
    return drawn


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
