"""Where do a function and its claims change their minds? Points just beside the jumps of their conditions.

A claim whose threshold is off by one part in a million is wrong in so thin a slice of the domain that no drawn point
falls into it. Between two points at which a condition, a sign or a rounding comes out differently lies a jump: it is
found by bisection, and a point is put on either side, near enough to see a threshold that is a little off, and far
enough for a difference to be taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases.build import finish, outputs
from gradcheck.cases.plans import digest
from gradcheck.expr import NUMPY, Batch, Batched, Control
from gradcheck.expr import nodes as n
from gradcheck.expr.evaluate import State, compile_expression
from gradcheck.expr.mutations import STEPS
from gradcheck.expr.nodes import walk
from gradcheck.expr.text import to_text
from gradcheck.spec.case import Case
from gradcheck.spec.membership import inside
from gradcheck.spec.model import Spec

Array = NDArray[np.float64]
Points = dict[str, Array]
NEAR = 2.0**-22  # how far beside a jump, relative to the numbers there: two of them are less than 1e-6
HALVINGS = 60  # of a segment: then its ends are neighbours in float64
PAIRS = 6  # of points, for each condition
MOST = 64  # points of a case
TINY = 2.0**-20  # beside the other numbers of an input: a difference along all of them steps over the jump


def near_jumps(case: Case) -> Case | None:
    """A case of points beside the jumps between the drawn points of `case`; None where nothing jumps."""
    spec, found = case.spec, []
    for condition in _conditions(spec):
        try:
            found += _beside(case, condition)
        except Exception:  # a condition on a cotangent or a local name, or a branch that only some points take
            continue
    kept = _kept(spec, found[:MOST], case.sizes)
    if kept is None:
        return None
    count = len(next(iter(kept.values())))
    rng = np.random.default_rng(digest(spec.id, case.seed))
    return finish(spec, kept, case.sizes, ("jump",) * count, case.seed, rng)


def _conditions(spec: Spec) -> Iterator[n.Node]:
    """Every part of the function and of its claims that jumps, each once."""
    seen = set()
    for program in (spec.function, *(claim.program for claim in spec.claims)):
        for node in walk(program.tree):
            if isinstance(node, n.Call) and node.primitive in STEPS and (text := to_text(node)) not in seen:
                seen.add(text)
                yield node


class _Decision:
    """What one condition comes to at a batch of points."""

    def __init__(self, case: Case, condition: n.Node) -> None:
        self.case = case
        self.run = compile_expression(condition)
        names = {node.id for node in walk(condition) if isinstance(node, n.Name)}
        self.of_value = not names.isdisjoint(case.spec.outputs)

    def __call__(self, points: Mapping[str, Array]) -> Array:
        """(B, elements) of the condition's value."""
        spec, sizes = self.case.spec, self.case.sizes
        values = outputs(spec, points, sizes) if self.of_value else {}
        env: dict[str, Any] = {name: Batched(array) for name, array in {**points, **values}.items()}
        with np.errstate(all="ignore"):
            value = self.run(State(Batch(NUMPY), {**env, **sizes}, Control(guard=False)))
        data = value.data if isinstance(value, Batched) else np.zeros(len(next(iter(points.values()))))
        return np.asarray(data, dtype=float).reshape(len(data), -1)


def _beside(case: Case, condition: n.Node) -> list[Points]:
    """Points on both sides of jumps of one condition, one by one."""
    decide = _Decision(case, condition)
    drawn = [k for k, origin in enumerate(case.origins) if origin in ("drawn", "sweep")]
    moving = {i.name for i in case.spec.inputs if i.domain.kind not in ("integer", "boolean", "permutation")}
    start = {name: array[drawn[:-1]] for name, array in case.inputs.items()}
    end = {name: array[drawn[1:]] if name in moving else start[name] for name, array in case.inputs.items()}
    apart = np.flatnonzero((decide(start) != decide(end)).any(axis=1))[:PAIRS]
    low, high = ({name: array[apart] for name, array in side.items()} for side in (start, end))
    way = {name: high[name] - low[name] for name in low}
    jump = _bisected(decide, low, high) if apart.size else high
    return [point for k in range(len(apart)) for point in _both_sides(jump, way, k)]


def _bisected(decide: _Decision, low: Points, high: Points) -> Points:
    """The first points past a jump on the way from `low` to `high`."""
    before = decide(low)
    for _ in range(HALVINGS):
        middle = {name: low[name] + (high[name] - low[name]) / 2 for name in low}
        past = (decide(middle) != before).any(axis=1)
        low = {name: np.where(_each(past, low[name]), low[name], middle[name]) for name in low}
        high = {name: np.where(_each(past, high[name]), middle[name], high[name]) for name in high}
    return high


def _each(mask: NDArray[np.bool_], array: Array) -> NDArray[np.bool_]:
    return mask.reshape(-1, *(1,) * (array.ndim - 1))


def _both_sides(jump: Points, way: Points, k: int) -> Iterator[Points]:
    """The k-th jump, a little further along the way and a little back."""
    with np.errstate(all="ignore"):
        rates = [np.abs(way[name][k] / jump[name][k]).reshape(-1) for name in jump]
    moving = [rate[rate > 0] for rate in rates]
    rate = float(np.median(np.concatenate(moving))) if any(part.size for part in moving) else 0.0
    if not 0 < rate < 1 / NEAR:  # a jump at zero: nothing is near it in proportion
        return
    for step in (NEAR / rate, -NEAR / rate):
        point = {name: jump[name][k] + step * way[name][k] for name in jump}
        if all(map(_in_proportion, point.values())):
            yield point


def _in_proportion(x: Array) -> bool:
    """Whether no number is tiny beside the others, as one is that jumps at zero."""
    sizes = np.abs(x[x != 0])
    return not sizes.size or bool(sizes.min() >= TINY * sizes.max())


def _kept(spec: Spec, found: list[Points], sizes: Mapping[str, int]) -> Points | None:
    """The points that lie in the domain and at which the function is finite."""
    if not found:
        return None
    stacked = {i.name: np.stack([point[i.name] for point in found]) for i in spec.inputs}
    good = inside(spec, stacked, sizes)
    for value in outputs(spec, stacked, sizes).values():
        good &= np.isfinite(value).reshape(len(good), -1).all(axis=1)
    return {name: array[good] for name, array in stacked.items()} if good.any() else None
