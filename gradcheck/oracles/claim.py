"""What does the author claim? The spec's formulas, evaluated, brought to the form in which witnesses answer.

A gradient, derivative or Jacobian is a linear map; applied to the case's cotangent it is a vjp, applied to its
tangents a jvp. Where only one of the two follows, the other side is reached through the adjoint identity:
<vjp(ct), t> = <ct, jvp(t)>, the quantity "pairing".
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from gradcheck.errors import EvaluationError
from gradcheck.expr import Batch, Batched, Control, Program, by_branch
from gradcheck.oracles.evidence import Array, Measured
from gradcheck.oracles.inquiry import Inquiry, Numbers, Rows, claimed, evaluate, key, spread
from gradcheck.oracles.rounding.running import BOUNDED_NUMBERS, Bounded
from gradcheck.spec.model import Claim, ClaimKind

Answers = dict[str, Any]  # quantity -> array of the namespace with a batch axis
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


def _part(inquiry: Inquiry, rows: Rows) -> dict[str, tuple[Any, Any]]:
    return Claims(inquiry, rows, BOUNDED_NUMBERS).answers()


class Claims:
    """The claims of one spec at some points, in whatever numbers."""

    def __init__(self, inquiry: Inquiry, rows: Rows, numbers: Numbers) -> None:
        case, spec = inquiry.case, inquiry.spec
        self.inquiry, self.spec, self.rows = inquiry, spec, rows
        self.base, self.fixed = numbers.base, numbers.fixed
        lifts = {n: numbers.moving if n in inquiry.moving else numbers.still for n in inquiry.inputs}
        self.inputs = {name: lifts[name](case.inputs[name][rows]) for name in inquiry.inputs}
        self.ct = {o: self.fixed(case.cotangents[o][rows]) for o in spec.outputs}
        self.t = {n: self.fixed(case.tangents[n][rows]) for n in inquiry.moving}
        self.values = evaluate(spec, self.base, self.inputs, case.sizes, Control(guard=False))
        self.declared: dict[str, Any] = {}
        self.kinked: Any = np.zeros(len(rows), dtype=bool)  # the points at which a declared convention stands

    def stated(self) -> Answers:
        """What the claims themselves state, without what follows from them."""
        return {quantity: self.one(claim) for claim, quantity in claimed(self.spec)}

    def answers(self) -> dict[str, tuple[Any, Any]]:
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

    def one(self, claim: Claim) -> Any:
        """What one claim states, applied to the cotangent or the tangents."""
        if claim.kind is ClaimKind.JVP:
            return self.over(self.formula(claim.program), self.values[claim.of or self.spec.outputs[0]].shape)
        value = self.conventional(claim)
        ct = self.ct[self.spec.outputs[0]]
        if claim.kind is ClaimKind.DERIVATIVE:
            return self.reduced(self.multiply(ct, value), self.inputs[claim.of].shape)
        if claim.kind is ClaimKind.JACOBIAN:
            return self.contracted(ct, value, front=True)
        if claim.kind is ClaimKind.VJP:
            return value
        if claim.kind is ClaimKind.HESSIAN:
            value = self.contracted(self.t[claim.of], value, front=False)
        return self.multiply(ct, value)

    def formula(self, program: Program) -> Any:
        """A claim's formula at the points: an array with a batch axis."""
        result = program(Batch(self.base), self.environment(), Control(guard=False))
        return self.fixed(spread(self.base, result, len(self.rows)))

    def environment(self) -> dict[str, Any]:
        env: dict[str, Any] = {n: Batched(v) for n, v in self.inputs.items()}
        env |= dict(self.inquiry.case.sizes)
        env |= {o: Batched(v) for o, v in self.values.items()}
        env |= {f"t_{n}": Batched(t) for n, t in self.t.items()}
        single = len(self.spec.outputs) == 1
        return env | {"ct" if single else f"ct_{o}": Batched(c) for o, c in self.ct.items()}

    def conventional(self, claim: Claim) -> Any:
        """The claimed formula, replaced by the declared convention where one is declared."""
        value = self.shaped(claim, self.formula(claim.program))
        for kink in self.spec.kinks:
            if claim.of not in kink.values or claim.kind not in FIRST_ORDER:
                continue
            holds = spread(self.base, kink.condition(Batch(self.base), self.environment(), Control(guard=False)), 1)
            mask = np.broadcast_to(_ranked(np.asarray(holds, dtype=bool), len(value.shape)), value.shape)
            self.rare(mask, kink.condition.text)
            self.kinked |= mask.reshape(len(self.rows), -1).any(axis=1)
            there = self.shaped(claim, self.formula(kink.values[claim.of]))
            value = self.base.where(mask, there, value)
            if mask.shape == self.inputs[claim.of].shape:
                self.declared[f"vjp:{claim.of}"] = self.declared.get(f"vjp:{claim.of}", False) | mask
        return value

    def rare(self, mask: Array, condition: str) -> None:
        """Refuse a condition of `at_kinks` that holds at most points: then the claim itself would never be judged."""
        drawn = np.array([self.inquiry.case.origins[row] in ("drawn", "sweep") for row in self.rows])
        if drawn.sum() >= ENOUGH and np.broadcast_to(mask, mask.shape)[drawn].mean() > 0.5:
            raise EvaluationError(f"at_kinks: {condition!r} holds at most points; a kink is where few points lie")

    def shaped(self, claim: Claim, value: Bounded) -> Any:
        """A claim that is written smaller (a plain number) spread over the shape it stands for."""
        x = self.inputs[claim.of].shape
        out = self.values[self.spec.outputs[0]].shape
        if claim.kind is ClaimKind.DERIVATIVE:
            shape = np.broadcast_shapes(out, value.shape) if len(value.shape) == len(out) else out
        else:
            shape = {ClaimKind.JACOBIAN: (*out, *x[1:]), ClaimKind.HESSIAN: (*x, *x[1:])}.get(claim.kind, x)
        return self.over(value, shape)

    def pairing_of_vjps(self, found: Answers) -> Answers:
        parts = [self.summed(self.multiply(found[f"vjp:{n}"], self.t[n])) for n in self.inquiry.moving]
        return self.total("pairing", parts)

    def pairing_of_jvp(self, found: Answers) -> Answers:
        outputs = self.spec.outputs
        parts = [self.summed(self.multiply(found[key("jvp", o, outputs)], self.ct[o])) for o in outputs]
        return self.total("pairing", parts)

    def pushed(self, claims: list[Claim]) -> Answers:
        """The jvp that follows from claimed gradients, derivatives and Jacobians."""
        return self.total("jvp", [self.pushed_by(claim) for claim in claims])

    def pushed_by(self, claim: Claim) -> Any:
        """What one claim adds to the jvp."""
        value, t = self.conventional(claim), self.t[claim.of]
        if claim.kind is ClaimKind.GRADIENT:
            return self.summed(self.multiply(value, t))
        return self.multiply(value, t) if claim.kind is ClaimKind.DERIVATIVE else self.contracted(t, value, front=False)

    def total(self, name: str, parts: list[Any]) -> Answers:
        return {name: reduce(self.base.add, parts)} if parts else {}

    def over(self, value: Any, shape: tuple[int, ...]) -> Any:
        """An array spread over `shape`: missing axes come behind the batch axis."""
        wide = self.raised(value, len(shape))
        return wide if wide.shape == shape else self.base.broadcast_to(wide, shape=shape)

    def multiply(self, ct: Any, value: Any) -> Any:
        """Point by point product; the operand of lower rank is spread from behind the batch axis."""
        rank = max(len(ct.shape), len(value.shape))
        return self.base.multiply(self.raised(ct, rank), self.raised(value, rank))

    def raised(self, value: Any, rank: int) -> Any:
        shape = value.shape
        if len(shape) >= rank:
            return value
        return self.base.reshape(value, shape=(shape[0], *(1,) * (rank - len(shape)), *shape[1:]))

    def summed(self, value: Any) -> Any:
        """The sum over everything but the batch axis."""
        axes = tuple(range(1 - len(value.shape), 0))
        return self.base.sum(value, axis=axes, keepdims=False) if axes else value

    def contracted(self, vector: Any, matrix: Any, front: bool) -> Any:
        """Sum over the axes that `vector` shares with the front or the back of `matrix`, point by point."""
        points, k = vector.shape[0], len(vector.shape) - 1
        size = int(np.prod(vector.shape[1:], dtype=int))
        rest = matrix.shape[1 + k :] if front else matrix.shape[1 : len(matrix.shape) - k]
        if 0 in matrix.shape:
            return self.fixed(np.zeros((points, *rest)))
        m = self.base.reshape(matrix, shape=(points, size, -1) if front else (points, -1, size))
        v = self.base.reshape(vector, shape=(points, size, 1) if front else (points, 1, size))
        product = self.base.sum(self.base.multiply(m, v), axis=(-2,) if front else (-1,), keepdims=False)
        return self.base.reshape(product, shape=(points, *rest))

    def reduced(self, value: Any, shape: tuple[int, ...]) -> Any:
        """Undo broadcasting: sum over the axes along which an input of `shape` was spread."""
        if len(value.shape) > len(shape):
            extra = tuple(range(1, 1 + len(value.shape) - len(shape)))
            value = self.base.sum(value, axis=tuple(a - len(value.shape) for a in extra), keepdims=False)
        spread_axes = tuple(a - len(value.shape) for a, d in enumerate(shape) if d == 1 and value.shape[a] != 1)
        return self.base.sum(value, axis=spread_axes, keepdims=True) if spread_axes else value


def _ranked(mask: Array, rank: int) -> Array:
    """A mask with missing axes behind the batch axis."""
    return mask.reshape(mask.shape[0], *(1,) * (rank - mask.ndim), *mask.shape[1:])
