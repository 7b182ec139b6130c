"""What does the function itself say? Its numerical derivatives by small steps, with bars, inside the domain.

Knows no rule of differentiation at all, only the function's values in NumPy: the witness that shares no fault with any
autodiff engine. `stop_gradient` is held at its value at the base point; branches are taken as the displaced point
takes them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.expr import NUMPY, Control, by_branch
from gradcheck.expr.nodes import Call
from gradcheck.expr.program import walk
from gradcheck.oracles.evidence import Array, Measured
from gradcheck.oracles.inquiry import Inquiry, Rows, evaluate, key
from gradcheck.oracles.ladder import Slopes, second, slopes
from gradcheck.spec.membership import inside, room
from gradcheck.spec.model import ClaimKind, Input

FORWARD = frozenset({ClaimKind.JVP})
ROUNDED_STEP = 2.0**-40  # a step of 2**-12 of an input along a tangent is itself rounded to about this share


def testify(inquiry: Inquiry) -> dict[str, Measured]:
    """The quantities that are claimed: vjp element by element, jvp along the tangents, second order by mixed steps."""
    kinds = {c.kind for c in inquiry.spec.claims}
    field = _Field(inquiry)
    answers: dict[str, Measured] = {}
    with np.errstate(all="ignore"):
        if kinds - FORWARD - {ClaimKind.HESSIAN, ClaimKind.HVP}:
            answers |= {f"vjp:{i.name}": _reverse(field, i) for i in inquiry.spec.inputs if i.differentiable}
        if kinds & FORWARD:
            answers |= _forward(field)
        for quantity in sorted(inquiry.second):
            answers[quantity] = _second(field, quantity)
    return answers


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

    def lift(self) -> Array:
        """What to add to <ct, f> where its terms cancel, so that its size tells how far they were rounded: (B,)."""
        values = self.values(np.arange(self.case.points), dict(self.case.inputs))
        terms = [(self.case.cotangents[o] * v).reshape(self.case.points, -1) for o, v in values.items()]
        joined = np.concatenate(terms, axis=1)
        size = np.abs(joined).sum(axis=1)
        return np.where(np.isfinite(size) & (np.abs(joined.sum(axis=1)) < size / 8), size, 0.0)

    def values(self, rows: Rows, inputs: dict[str, Array]) -> dict[str, Array]:
        """Outputs at displaced points; NaN outside the domain."""
        if not len(rows):
            return {o: np.zeros(ct[:0].shape) for o, ct in self.case.cotangents.items()}
        parts = by_branch(lambda some: self._run(rows, inputs, some), np.arange(len(rows)))
        whole = {o: np.full((len(rows), *v.shape[1:]), np.nan) for o, v in parts[0][1].items()}
        for some, values in parts:
            for o, v in values.items():
                whole[o][some] = v
        if self.bounded:
            outside = ~inside(self.spec, inputs, self.case.sizes)
            for v in whole.values():
                v[outside] = np.nan
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


def _reverse(field: _Field, i: Input) -> Measured:
    """d<ct, f>/dx_k for every element k: one function of one number for each point and element."""
    x = field.case.inputs[i.name]
    points, size = len(x), int(np.prod(x.shape[1:], dtype=int))
    flat = x.reshape(points, size)
    base, element = np.divmod(np.arange(points * size), max(size, 1))

    def g(rows: NDArray[np.intp], t: Array) -> Array:
        moved = {name: array[base[rows]] for name, array in field.case.inputs.items()}
        target = moved[i.name].reshape(len(rows), size).copy()
        target[np.arange(len(rows)), element[rows]] += t
        moved[i.name] = target.reshape(len(rows), *x.shape[1:])
        return field.contracted(base[rows], moved) + lift[base[rows]][:, None]

    lift = field.lift()
    below, above = room(i.domain, flat.ravel())
    found = slopes(g, flat.ravel(), _scale(flat), below, above, field.case.seed, wide=_wide(flat, i))
    return _measured(found, x.shape)


def _along_rounded(found: Slopes, shape: tuple[int, ...]) -> Measured:
    """The answer of steps along tangents, which unlike those along one element are not exact."""
    return _measured(replace(found, bar=found.bar + ROUNDED_STEP * np.abs(found.center)), shape)


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


def _forward(field: _Field) -> dict[str, Measured]:
    """The derivative of every output along the case's tangents."""
    case, outputs = field.case, field.spec.outputs
    tangents = dict(case.tangents)
    answers: dict[str, Measured] = {}
    for o in outputs:
        shape = case.cotangents[o].shape
        size = int(np.prod(shape[1:], dtype=int))

        def g(rows: NDArray[np.intp], t: Array, o: str = o, size: int = size) -> Array:
            return field.values(rows, _along(field, tangents, rows, t))[o].reshape(len(rows), size)

        free = np.full(case.points, np.inf)
        found = slopes(g, np.zeros(case.points), _path_scale(field, tangents), free, free, case.seed)
        answers[key("jvp", o, outputs)] = _along_rounded(found, shape)
    return answers


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
