"""What does the function itself say? Its numerical derivatives by small steps, with bars, inside the domain.

Knows no rule of differentiation at all, only the function's values in NumPy: the witness that shares no fault with any
autodiff engine. `stop_gradient` is held at its value at the base point; branches are taken as the displaced point
takes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import Unsupported
from gradcheck.expr import NUMPY, Control, by_branch
from gradcheck.expr.nodes import Call, walk
from gradcheck.oracles.evidence import Array, Measured
from gradcheck.oracles.inquiry import Inquiry, Rows, evaluate, key
from gradcheck.oracles.ladder.climb import Slopes, second, slopes
from gradcheck.oracles.ladder.steps import Function
from gradcheck.oracles.rounding.running import BOUNDED, error_of, exact
from gradcheck.spec.many import in_doubt, is_many
from gradcheck.spec.membership import inside, room
from gradcheck.spec.model import ClaimKind, Input

FORWARD = frozenset({ClaimKind.JVP})
EPS = 2.0**-52
NOISY = 8.0  # units of a value's own rounding above which it counts as noisier than its size
PESSIMISM = 4.0  # by how much the running error bound usually overstates
NEARBY = 16  # points around a kink at which its pieces are measured
NEAR = 1e-4  # how far around, in sizes of the element: within the first ladder's reach, beyond its finest steps
ROUNDED_STEP = 2.0**-40  # a step of 2**-12 of an input along a tangent is itself rounded to about this share


def testify(inquiry: Inquiry) -> dict[str, Measured]:
    """Claimed quantities: vjp element by element, jvp along the tangents, second order by mixed steps.

    The jvp is asked whatever is claimed: it sees kinks of outputs whose cotangent is 0, and gradients at a tie that
    are right in every coordinate and wrong together.
    """
    return settling(inquiry, {})


def settling(inquiry: Inquiry, doubts: Mapping[str, NDArray[np.bool_]]) -> dict[str, Measured]:
    """The same where others have been heard. doubts: input -> (B, *shape), the numbers of which they differ.

    Of very many numbers (`spec.many`) only those in doubt are moved alone, as far as they are few, and second order is
    not measured.
    """
    kinds = {c.kind for c in inquiry.spec.claims}
    field, many = _Field(inquiry), is_many(inquiry.spec, inquiry.case.sizes)
    answers: dict[str, Measured] = {}
    with np.errstate(all="ignore"):
        if kinds - FORWARD - {ClaimKind.HESSIAN, ClaimKind.HVP}:
            moving = [i for i in inquiry.spec.inputs if i.differentiable]
            asked = [i for i in moving if i.name in doubts and doubts[i.name].any()] if many else moving
            answers |= {f"vjp:{i.name}": _reverse(field, i, doubts[i.name] if many else None) for i in asked}
        if kinds - {ClaimKind.HESSIAN, ClaimKind.HVP}:
            answers |= _forward(field, _kinked(answers, inquiry.case.points))
        for quantity in () if many else sorted(inquiry.second):
            answers[quantity] = _second(field, quantity)
    if not answers:
        raise Unsupported("differences", "second order, where a point holds so many numbers")
    return answers


def lifted(noise: Array, size: Array) -> Array:
    """A constant whose rounding is as large as the noise, where the noise is more than rounding of `size` explains."""
    return np.where(noise > NOISY * EPS * size, noise / (PESSIMISM * EPS), 0.0)


def _kinked(answers: Mapping[str, Measured], points: int) -> NDArray[np.bool_]:
    """The points (B,) at which some coordinate has a kink."""
    found = np.zeros(points, dtype=bool)
    for measured in answers.values():
        if measured.kink is not None:
            found |= measured.kink.reshape(points, -1).any(axis=1)
    return found


class _Field:
    """The case's function at displaced points, as float64 values."""

    def __init__(self, inquiry: Inquiry) -> None:
        self.inquiry, self.case, self.spec = inquiry, inquiry.case, inquiry.spec
        self.bounded = any(
            i.domain.predicate is not None or np.isfinite([i.domain.low, i.domain.high]).any() for i in self.spec.inputs
        )
        self.held = self._hold() if _holds(self.spec.function) else None

    def _hold(self) -> dict[tuple[int, int], Any]:
        """What each stop_gradient gives at each base point: (which one, point) -> value."""
        found: dict[tuple[int, int], Any] = {}
        for branch in self.inquiry.branches:
            recorded = _Recorded()
            evaluate(self.spec, NUMPY, self.inquiry.rows_of(branch.rows), self.case.sizes, recorded)
            for k, value in enumerate(recorded.values):
                for position, row in enumerate(branch.rows):
                    found[k, int(row)] = value[position] if isinstance(value, np.ndarray) else value
        return found

    def contracted(self, rows: Rows, inputs: dict[str, Array]) -> Array:
        """<ct, f> at displaced points of base points `rows`: (M, 1)."""
        total = np.zeros(len(rows))
        for output, value in self.values(rows, inputs).items():
            product = self.case.cotangents[output][rows] * value
            product = np.where(self.case.cotangents[output][rows] == 0, 0.0, product)
            total += product.sum(axis=tuple(range(1, product.ndim)))
        return total[:, None]

    @cached_property
    def noise(self) -> dict[str, Array]:
        """How far rounding inside the function may have moved its values at the points: output -> (B, *out).

        A function may be much noisier than its own size tells: x(1 + erf(x)) is flat to the last bit for x near -6.
        """
        found = {o: np.zeros(ct.shape) for o, ct in self.case.cotangents.items()}
        for branch in self.inquiry.branches:
            inputs = {n: exact(v) for n, v in self.inquiry.rows_of(branch.rows).items()}
            values = evaluate(self.spec, BOUNDED, inputs, self.case.sizes, Control(guard=False))
            for o, v in values.items():
                found[o][branch.rows] = np.nan_to_num(error_of(v), nan=0.0, posinf=0.0)
        return found

    def lift(self) -> Array:
        """What to add to <ct, f> where its size does not tell how far it was rounded: (B,).

        That is where its terms cancel, or where f is noisier than its size (see `noise`).
        """
        values = self.values(np.arange(self.case.points), dict(self.case.inputs))
        terms = [(self.case.cotangents[o] * v).reshape(self.case.points, -1) for o, v in values.items()]
        noisy = [np.abs(ct * self.noise[o]).reshape(self.case.points, -1) for o, ct in self.case.cotangents.items()]
        joined = np.concatenate(terms, axis=1)
        size, total = np.abs(joined).sum(axis=1), np.abs(joined.sum(axis=1))
        cancelled = np.where(np.isfinite(size) & (total < size / 8), size, 0.0)
        return np.maximum(cancelled, lifted(np.concatenate(noisy, axis=1).sum(axis=1), total))

    def values(self, rows: Rows, inputs: dict[str, Array]) -> dict[str, Array]:
        """Outputs at displaced points; NaN outside the domain."""
        if not len(rows):
            return {o: np.zeros(ct[:0].shape) for o, ct in self.case.cotangents.items()}
        within = inside(self.spec, inputs, self.case.sizes) if self.bounded else np.ones(len(rows), dtype=bool)
        whole = {o: np.full((len(rows), *ct.shape[1:]), np.nan) for o, ct in self.case.cotangents.items()}
        if within.any():  # outside its domain a function may do anything, even not end
            for some, values in by_branch(lambda some: self._run(rows, inputs, some), np.flatnonzero(within)):
                for o, v in values.items():
                    whole[o][some] = v
        return whole

    def _run(self, rows: Rows, inputs: dict[str, Array], some: Rows) -> dict[str, Array]:
        control = Control(guard=False) if self.held is None else _Held(self.held, rows[some])
        result = evaluate(self.spec, NUMPY, {k: v[some] for k, v in inputs.items()}, self.case.sizes, control)
        return {o: np.asarray(v, dtype=float) for o, v in result.items()}


def _holds(program: Any) -> bool:
    return any(isinstance(node, Call) and node.primitive == "stop_gradient" for node in walk(program.tree))


class _Recorded(Control):
    """Remembers what every stop_gradient is given."""

    def __init__(self) -> None:
        super().__init__(guard=False)
        self.values: list[Any] = []

    def hold(self, xp: Any, value: Any) -> Any:
        self.values.append(getattr(value, "data", value) if getattr(value, "batched", False) else value)
        return value


class _Held(Control):
    """Gives every stop_gradient the value it had at the base point."""

    def __init__(self, held: dict[tuple[int, int], Any], rows: Rows) -> None:
        super().__init__(guard=False)
        self.held, self.rows, self.count = held, rows, 0

    def hold(self, xp: Any, value: Any) -> Any:
        known = [self.held.get((self.count, int(row))) for row in self.rows]
        self.count += 1
        if not getattr(value, "batched", False) or any(k is None for k in known):
            return value
        return type(value)(np.stack([np.asarray(k) for k in known]))


def _reverse(field: _Field, i: Input, doubted: NDArray[np.bool_] | None = None) -> Measured:
    """d<ct, f>/dx_k for every element k, or some in doubt: one function of one number for each point and element."""
    x = field.case.inputs[i.name]
    points, size = len(x), int(np.prod(x.shape[1:], dtype=int))
    flat = x.reshape(points, size)
    asked = np.arange(points * size)
    if doubted is not None:
        asked = _some(doubted.reshape(points, size), in_doubt(field.spec, field.case.sizes))
    base, element = np.divmod(asked, max(size, 1))

    def g(rows: NDArray[np.intp], t: Array) -> Array:
        moved = {name: array[base[rows]] for name, array in field.case.inputs.items()}
        target = moved[i.name].reshape(len(rows), size).copy()
        target[np.arange(len(rows)), element[rows]] += t
        moved[i.name] = target.reshape(len(rows), *x.shape[1:])
        return field.contracted(base[rows], moved) + lift[base[rows]][:, None]

    lift, numbers = field.lift(), flat.ravel()[asked]
    below, above = room(i.domain, numbers)
    found_there = slopes(
        g, numbers, _scale(flat)[asked], below, above, field.case.seed, wide=_wide(flat, i)[asked]
    )  # fmt: skip
    return _spread(_measured(found_there, numbers.shape), asked, x.shape)


def _some(doubted: NDArray[np.bool_], most: int) -> Rows:
    """The places (counted in a row) of some numbers in doubt: of every point some, as far as there are so many."""
    turn = np.cumsum(doubted, axis=1)[doubted]
    return np.sort(np.flatnonzero(doubted)[np.argsort(turn, kind="stable")[:most]])


def _spread(some: Measured, places: Rows, shape: tuple[int, ...]) -> Measured:
    """Numbers that were measured at some places; of all others nothing is known."""
    center, bar, kink = np.full(shape, np.nan), np.full(shape, np.inf), np.zeros(shape, dtype=bool)
    for whole, part in ((center, some.center), (bar, some.bar), (kink, some.kink)):
        whole.reshape(-1)[places] = part
    return Measured(center, bar, kink)


def _along_rounded(found: Slopes, shape: tuple[int, ...], bend: Array | float = 0.0) -> Measured:
    """The answer of steps along tangents, which unlike those along one element are not exact.

    bend: what the rounding of displaced points changes in the slope where the function is curved (see `_bend`).
    """
    return _measured(replace(found, bar=found.bar + ROUNDED_STEP * np.abs(found.center) + bend), shape)


def _bend(g: Function, scale: Array) -> Array:
    """How far rounding of x + t v shifts the slope at 0: some units of roundoff of the scale, times the curvature."""
    rows, step = np.arange(len(scale)), 2.0**-6 * scale
    middle = g(rows, np.zeros(len(scale)))
    curvature = np.abs(g(rows, step) + g(rows, -step) - 2 * middle) / (step**2)[:, None]
    shift = 8 * np.finfo(float).eps * scale[:, None] * curvature
    return np.where(np.isfinite(shift), shift, 0.0)


def _scale(flat: Array) -> Array:
    """The natural length at every element: its own size; at zero the size of its neighbours, or 1."""
    size = np.abs(flat)
    beside = np.max(size, axis=1, keepdims=True) if flat.shape[1] else np.ones((len(flat), 1))
    usual = np.median(size[size > 0]) if (size > 0).any() else 1.0
    beside = np.where(beside > 0, beside, usual)
    return np.asarray(np.where(size > 0, size, np.broadcast_to(beside, size.shape))).ravel()


def _wide(flat: Array, i: Input) -> Array:
    """A length at which the function certainly moves: the domain's width, or the typical size of the input."""
    width = i.domain.high - i.domain.low
    size = np.abs(flat)
    usual = np.median(size[size > 0]) if (size > 0).any() else 1.0
    return np.full(flat.size, width / 4 if np.isfinite(width) else usual)


def _measured(found: Slopes, shape: tuple[int, ...]) -> Measured:
    bar = np.where(np.isnan(found.bar) | np.isnan(found.center), np.inf, found.bar)
    return Measured(found.center.reshape(shape), bar.reshape(shape), found.kink.reshape(shape))


def _along(field: _Field, tangents: dict[str, Array], rows: Rows, t: Array) -> dict[str, Array]:
    """The inputs moved by t along the tangents."""
    moved = {name: array[rows] for name, array in field.case.inputs.items()}
    for name, tangent in tangents.items():
        step = t.reshape(-1, *(1,) * (tangent.ndim - 1))
        moved[name] = moved[name] + step * tangent[rows]
    return moved


def _forward(field: _Field, kinked: NDArray[np.bool_]) -> dict[str, Measured]:
    """The derivative of every output along the case's tangents; where the function has a kink, the hull of them.

    kinked: (B,) the points where some coordinate has a kink; those where the direction itself has one are added.
    """
    case, outputs = field.case, field.spec.outputs
    tangents = dict(case.tangents)
    answers: dict[str, Measured] = {}
    for o in outputs:
        shape = case.cotangents[o].shape
        size = int(np.prod(shape[1:], dtype=int))

        here_too = field.values(np.arange(case.points), dict(case.inputs))[o]
        lift = lifted(field.noise[o], np.abs(here_too)).reshape(case.points, size)

        def g(rows: NDArray[np.intp], t: Array, o: str = o, size: int = size, lift: Array = lift) -> Array:
            return field.values(rows, _along(field, tangents, rows, t))[o].reshape(len(rows), size) + lift[rows]

        free = np.full(case.points, np.inf)
        scale = _path_scale(field, tangents)
        here = _along_rounded(slopes(g, np.zeros(case.points), scale, free, free, case.seed), shape, _bend(g, scale))
        assert here.kink is not None
        rows = np.flatnonzero(kinked | here.kink.reshape(case.points, -1).any(axis=1))
        answers[key("jvp", o, outputs)] = _with_pieces(field, o, here, rows) if len(rows) else here
    return answers


def _with_pieces(field: _Field, output: str, here: Measured, rows: NDArray[np.intp]) -> Measured:
    """At kinks, the hull of the directional derivatives of the pieces that meet there.

    The pieces are found by standing at NEARBY points around each kink: coordinates alone would let pass a gradient that
    counts a tie twice (JUDGING of near-ties: the coordinates' hull is larger than the Clarke set).
    """
    case = field.case
    rng = np.random.default_rng(case.seed)
    base = np.repeat(rows, NEARBY)
    around = {name: array[base] for name, array in case.inputs.items()}
    for i in field.spec.inputs:
        if i.differentiable:
            x = case.inputs[i.name].reshape(case.points, -1)
            reach = NEAR * _scale(x).reshape(case.inputs[i.name].shape)
            around[i.name] = around[i.name] + rng.normal(0.0, 1.0, around[i.name].shape) * reach[base]
    shape = here.center.shape[1:]
    size = int(np.prod(shape, dtype=int))

    def g(some: NDArray[np.intp], t: Array) -> Array:
        moved = {name: array[some] for name, array in around.items()}
        for name, tangent in case.tangents.items():
            moved[name] = moved[name] + t.reshape(-1, *(1,) * (tangent.ndim - 1)) * tangent[base[some]]
        return field.values(base[some], moved)[output].reshape(len(some), size)

    scale = _path_scale(field, dict(case.tangents))[base]
    free = np.full(len(base), np.inf)
    measured = slopes(g, np.zeros(len(base)), scale, free, free, case.seed)
    found = _along_rounded(measured, (len(base), *shape), _bend(g, scale))
    usable = np.isfinite(found.center) & np.isfinite(found.bar) & ~np.asarray(found.kink)
    low = np.where(usable, found.center - found.bar, np.inf).reshape(len(rows), NEARBY, *shape).min(axis=1)
    high = np.where(usable, found.center + found.bar, -np.inf).reshape(len(rows), NEARBY, *shape).max(axis=1)
    return _joined(here, rows, low, high)


def _joined(here: Measured, rows: NDArray[np.intp], low: Array, high: Array) -> Measured:
    """The hull of what was measured at the points themselves and around them."""
    center, bar, kink = here.center.copy(), here.bar.copy(), np.array(here.kink)
    own = np.isfinite(center[rows]) & np.isfinite(bar[rows])
    low = np.minimum(low, np.where(own, center[rows] - bar[rows], np.inf))
    high = np.maximum(high, np.where(own, center[rows] + bar[rows], -np.inf))
    known = np.isfinite(low) & np.isfinite(high)
    center[rows] = np.where(known, (low + high) / 2, center[rows])
    bar[rows] = np.where(known, (high - low) / 2, bar[rows])
    kink[rows] = known
    return Measured(center, bar, kink)


def _path_scale(field: _Field, tangents: dict[str, Array]) -> Array:
    """How long a step along the tangents may be: until an input has moved by about its own size."""
    scale = np.full(field.case.points, np.inf)
    for name, tangent in tangents.items():
        size = np.abs(field.case.inputs[name]).reshape(field.case.points, -1).max(axis=1, initial=0.0)
        speed = np.abs(tangent).reshape(field.case.points, -1).max(axis=1, initial=0.0)
        scale = np.minimum(scale, np.where(speed > 0, np.where(size > 0, size, 1.0) / speed, np.inf))
    return np.where(np.isfinite(scale), scale, 1.0)


def _second(field: _Field, quantity: str) -> Measured:
    """d²<ct, f>/dx_k dt along the tangents, for every element k."""
    name = quantity.partition(":")[2]
    i = next(x for x in field.spec.inputs if x.name == name)
    x = field.case.inputs[name]
    points, size = len(x), int(np.prod(x.shape[1:], dtype=int))
    flat = x.reshape(points, size)
    base, element = np.divmod(np.arange(points * size), max(size, 1))
    tangents = field.inquiry.tangents_for(quantity)

    def g(rows: NDArray[np.intp], s: Array, t: Array) -> Array:
        moved = _along(field, tangents, base[rows], t)
        target = moved[name].reshape(len(rows), size).copy()
        target[np.arange(len(rows)), element[rows]] += s
        moved[name] = target.reshape(len(rows), *x.shape[1:])
        return field.contracted(base[rows], moved)

    below, above = room(i.domain, flat.ravel())
    free = np.full(points * size, np.inf)
    along = _path_scale(field, tangents)[base]
    found = second(
        g, flat.ravel(), np.zeros(points * size), _scale(flat), along, (below, above), (free, free), field.case.seed
    )
    return _along_rounded(found, x.shape)
