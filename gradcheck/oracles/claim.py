"""What does the author claim? The spec's formulas, evaluated, brought to the form in which witnesses answer.

A gradient, derivative or Jacobian is a linear map; applied to the case's cotangent it is a vjp, applied to its
tangents a jvp. Where only one of the two follows, the other side is reached through the adjoint identity:
<vjp(ct), t> = <ct, jvp(t)>, the quantity "pairing".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.errors import EvaluationError
from gradcheck.expr import Batch, Batched, Control, Program, by_branch
from gradcheck.oracles.evidence import Array, Measured
from gradcheck.oracles.inquiry import Inquiry, Rows, claimed, evaluate, key, spread
from gradcheck.oracles.rounding import BOUNDED, Bounded, exact
from gradcheck.spec.model import Claim, ClaimKind

Answers = dict[str, Any]  # quantity -> Bounded array with a batch axis
ENOUGH = 8  # drawn points from which on a share says something
FIRST_ORDER = (ClaimKind.GRADIENT, ClaimKind.DERIVATIVE, ClaimKind.JACOBIAN, ClaimKind.VJP)


def testify(inquiry: Inquiry) -> dict[str, Measured]:
    """The claimed quantities at every point, with bars from the rounding of the formulas themselves."""
    points = np.arange(inquiry.case.points)
    with np.errstate(all="ignore"):
        parts = by_branch(lambda rows: _part(inquiry, rows), points)
    return {name: _joined(name, parts, len(points)) for name in parts[0][1]}


def _joined(name: str, parts: list[tuple[Rows, dict[str, tuple[Bounded, Any]]]], points: int) -> Measured:
    shape = (points, *parts[0][1][name][0].shape[1:])
    centre, bar, kink = np.full(shape, np.nan), np.full(shape, np.inf), np.zeros(shape, dtype=bool)
    for rows, answers in parts:
        value, declared = answers[name]
        centre[rows] = value.value
        bar[rows] = np.where(np.isnan(value.err), np.inf, value.err)
        kink[rows] = declared
    return Measured(centre, bar, kink)


def _part(inquiry: Inquiry, rows: Rows) -> dict[str, tuple[Bounded, Any]]:
    return _Claims(inquiry, rows).answers()


class _Claims:
    """The claims of one spec at some points."""

    def __init__(self, inquiry: Inquiry, rows: Rows) -> None:
        case, spec = inquiry.case, inquiry.spec
        self.inquiry, self.spec, self.rows = inquiry, spec, rows
        self.inputs = {name: exact(case.inputs[name][rows]) for name in inquiry.inputs}
        self.ct = {o: exact(case.cotangents[o][rows]) for o in spec.outputs}
        self.t = {n: exact(case.tangents[n][rows]) for n in inquiry.moving}
        self.values = evaluate(spec, BOUNDED, self.inputs, case.sizes, Control(guard=False))
        self.declared: dict[str, Any] = {}

    def answers(self) -> dict[str, tuple[Bounded, Any]]:
        outputs = self.spec.outputs
        found: Answers = {key("value", o, outputs): v for o, v in self.values.items()}
        for claim, quantity in claimed(self.spec):
            found[quantity] = self.one(claim)
        first = [c for c in self.spec.claims if c.kind in FIRST_ORDER]
        matrices = {c.of: c for c in reversed(first) if c.kind is not ClaimKind.VJP}
        jvp = any(c.kind is ClaimKind.JVP for c in self.spec.claims)
        if {c.of for c in first} >= set(self.inquiry.moving):
            found |= self.pairing_of_vjps(found)
            if set(matrices) >= set(self.inquiry.moving) and not jvp:
                found |= self.pushed(list(matrices.values()))
        elif jvp:
            found |= self.pairing_of_jvp(found)
        return {name: (v, self.declared.get(name, False)) for name, v in found.items()}

    def one(self, claim: Claim) -> Bounded:
        """What one claim states, applied to the cotangent or the tangents."""
        if claim.kind is ClaimKind.JVP:
            value = self.formula(claim.program)
            shape = self.values[claim.of or self.spec.outputs[0]].shape
            return Bounded(over(value.value, shape), over(value.err, shape))
        value = self.conventional(claim)
        ct = self.ct[self.spec.outputs[0]]
        if claim.kind is ClaimKind.DERIVATIVE:
            return reduced(multiply(ct, value), self.inputs[claim.of].shape)
        if claim.kind is ClaimKind.JACOBIAN:
            return contracted(ct, value, front=True)
        if claim.kind is ClaimKind.VJP:
            return value
        if claim.kind is ClaimKind.HESSIAN:
            value = contracted(self.t[claim.of], value, front=False)
        return multiply(ct, value)

    def formula(self, program: Program) -> Bounded:
        """A claim's formula at the points: an array with a batch axis."""
        result = program(Batch(BOUNDED), self.environment(), Control(guard=False))
        return as_bounded(spread(BOUNDED, result, len(self.rows)))

    def environment(self) -> dict[str, Any]:
        env: dict[str, Any] = {n: Batched(v) for n, v in self.inputs.items()}
        env |= dict(self.inquiry.case.sizes)
        env |= {o: Batched(v) for o, v in self.values.items()}
        env |= {f"t_{n}": Batched(t) for n, t in self.t.items()}
        single = len(self.spec.outputs) == 1
        return env | {"ct" if single else f"ct_{o}": Batched(c) for o, c in self.ct.items()}

    def conventional(self, claim: Claim) -> Bounded:
        """The claimed formula, replaced by the declared convention where one is declared."""
        value = self.shaped(claim, self.formula(claim.program))
        for kink in self.spec.kinks:
            if claim.of not in kink.values or claim.kind not in FIRST_ORDER:
                continue
            holds = spread(BOUNDED, kink.condition(Batch(BOUNDED), self.environment(), Control(guard=False)), 1)
            mask = over(np.asarray(holds, dtype=bool), value.shape)
            self.rare(mask, kink.condition.text)
            there = self.shaped(claim, self.formula(kink.values[claim.of]))
            value = Bounded(np.where(mask, there.value, value.value), np.where(mask, there.err, value.err))
            if mask.shape == self.inputs[claim.of].shape:
                self.declared[f"vjp:{claim.of}"] = self.declared.get(f"vjp:{claim.of}", False) | mask
        return value

    def rare(self, mask: Array, condition: str) -> None:
        """Refuse a condition of `at_kinks` that holds at most points: then the claim itself would never be judged."""
        drawn = np.array([self.inquiry.case.origins[row] == "drawn" for row in self.rows])
        if drawn.sum() >= ENOUGH and np.broadcast_to(mask, mask.shape)[drawn].mean() > 0.5:
            raise EvaluationError(f"at_kinks: {condition!r} holds at most points; a kink is where few points lie")

    def shaped(self, claim: Claim, value: Bounded) -> Bounded:
        """A claim that is written smaller (a plain number) spread over the shape it stands for."""
        x = self.inputs[claim.of].shape
        out = self.values[self.spec.outputs[0]].shape
        if claim.kind is ClaimKind.DERIVATIVE:
            shape = np.broadcast_shapes(out, value.shape) if len(value.shape) == len(out) else out
        else:
            shape = {ClaimKind.JACOBIAN: (*out, *x[1:]), ClaimKind.HESSIAN: (*x, *x[1:])}.get(claim.kind, x)
        return Bounded(over(value.value, shape), over(value.err, shape))

    def pairing_of_vjps(self, found: Answers) -> Answers:
        total = None
        for name in self.inquiry.moving:
            part = summed(multiply(found[f"vjp:{name}"], self.t[name]))
            total = part if total is None else BOUNDED.add(total, part)
        return {} if total is None else {"pairing": total}

    def pairing_of_jvp(self, found: Answers) -> Answers:
        outputs = self.spec.outputs
        total = None
        for o in outputs:
            part = summed(multiply(found[key("jvp", o, outputs)], self.ct[o]))
            total = part if total is None else BOUNDED.add(total, part)
        return {"pairing": total}

    def pushed(self, claims: list[Claim]) -> Answers:
        """The jvp that follows from claimed gradients, derivatives and Jacobians."""
        total = None
        for claim in claims:
            value, t = self.conventional(claim), self.t[claim.of]
            if claim.kind is ClaimKind.GRADIENT:
                part = summed(multiply(value, t))
            elif claim.kind is ClaimKind.DERIVATIVE:
                part = multiply(value, t)
            else:
                part = contracted(t, value, front=False)
            total = part if total is None else BOUNDED.add(total, part)
        return {"jvp": total}


def as_bounded(value: Any) -> Bounded:
    return value if isinstance(value, Bounded) else exact(value)


def over(array: Any, shape: tuple[int, ...]) -> Array:
    """An array spread over `shape`: missing axes come behind the batch axis."""
    array = np.asarray(array)
    if array.ndim < len(shape):
        array = array.reshape(array.shape[0], *(1,) * (len(shape) - array.ndim), *array.shape[1:])
    return np.broadcast_to(array, shape)


def multiply(ct: Bounded, value: Bounded) -> Bounded:
    """Point by point product; the operand of lower rank is spread from behind the batch axis."""
    rank = max(ct.ndim, value.ndim)
    result: Bounded = BOUNDED.multiply(raised(ct, rank), raised(value, rank))
    return result


def raised(value: Bounded, rank: int) -> Bounded:
    shape = (value.shape[0], *(1,) * (rank - value.ndim), *value.shape[1:])
    return Bounded(np.reshape(value.value, shape), np.reshape(value.err, shape))


def summed(value: Bounded) -> Bounded:
    """The sum over everything but the batch axis."""
    axes = tuple(range(1 - value.ndim, 0))
    result: Bounded = BOUNDED.sum(value, axis=axes, keepdims=False) if axes else value
    return result


def contracted(vector: Bounded, matrix: Bounded, front: bool) -> Bounded:
    """Sum over the axes that `vector` shares with the front or the back of `matrix`, point by point."""
    points, k = vector.shape[0], vector.ndim - 1
    size = int(np.prod(vector.shape[1:], dtype=int))
    rest = matrix.shape[1 + k :] if front else matrix.shape[1 : matrix.ndim - k]
    shape = (points, size, -1) if front else (points, -1, size)
    if not matrix.size:
        return exact(np.zeros((points, *rest)))
    m = Bounded(matrix.value.reshape(shape), matrix.err.reshape(shape))
    v_shape = (points, size, 1) if front else (points, 1, size)
    v = Bounded(vector.value.reshape(v_shape), vector.err.reshape(v_shape))
    product = BOUNDED.sum(BOUNDED.multiply(m, v), axis=(-2,) if front else (-1,), keepdims=False)
    return Bounded(product.value.reshape(points, *rest), product.err.reshape(points, *rest))


def reduced(value: Bounded, shape: tuple[int, ...]) -> Bounded:
    """Undo broadcasting: sum over the axes along which an input of `shape` was spread."""
    if value.ndim > len(shape):
        extra = tuple(range(1, 1 + value.ndim - len(shape)))
        value = BOUNDED.sum(value, axis=tuple(a - value.ndim for a in extra), keepdims=False)
    spread_axes = tuple(a - value.ndim for a, d in enumerate(shape) if d == 1 and value.shape[a] != 1)
    result: Bounded = BOUNDED.sum(value, axis=spread_axes, keepdims=True) if spread_axes else value
    return result
