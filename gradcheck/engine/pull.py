"""What does one operation make of the cotangent of its result?

A cotangent for each input that wants one, in the shape of the result or of the input. `rules` is the namespace to
compute in, `y` the result, `raw` the arguments, `node` the tensor that remembers the operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from gradcheck.engine.wirtinger import pulled, real_part
from gradcheck.errors import Unsupported
from gradcheck.expr.primitive import Namespace, Primitive, Value
from gradcheck.expr.rules import Shape, is_complex, shape_of

Node = Any  # a Tensor, as the tape: number, data, rule, raw, parents, params
Parts = Iterable[Value | None]
Pull = Callable[..., Any]


class Rule:
    """How one primitive is undone.

    pull        pull(rules, ct, y, raw, node), where all numbers are real
    elementwise whether that only multiplies, so that one number will do for a cotangent
    whole       whether its cotangents always have the shape of the inputs
    saves       whether the values of inputs are needed for it
    crosses     whether complex numbers may come in where real ones come out
    """

    __slots__ = ("crosses", "elementwise", "label", "pull", "row", "saves", "whole")

    def __init__(self, row: Primitive) -> None:
        self.row = row
        self.label = row.label
        self.elementwise = row.slopes is not None
        self.pull = _by_rule(row.vjp) if row.slopes is None else _by_slopes(row.slopes)
        self.whole = row.slopes is not None and len(row.slopes) == 1 and callable(row.slopes[0])
        constant = row.slopes is not None and all(not callable(slope) for slope in row.slopes)
        self.saves = not (row.linear or constant)
        self.crosses = not row.analytic

    def pull_complex(self, rules: Namespace, ct: Value, y: Value, raw: Any, node: Node) -> Parts:
        """The same where some of the numbers may be complex."""
        row, parents = self.row, node.parents
        involved = [p is not None and is_complex(p.data) for p in parents]
        if not (is_complex(y) or any(involved) or row.linear):
            real: Parts = self.pull(rules, ct, y, raw, node)
            return real
        if row.wirtinger is not None and any(involved):
            pairs = zip(row.wirtinger, parents, strict=True)
            parts: Parts = [None if parent is None else pulled(rules, pair, ct, y, raw) for pair, parent in pairs]
        elif row.takes_complex:
            parts = self.pull(rules, ct, y, raw, node)
        else:
            raise Unsupported("differentiation of complex numbers", row.name)
        return [
            part if part is None or stays_complex else real_part(rules, part)
            for part, stays_complex in zip(parts, involved, strict=True)
        ]


def _by_slopes(slopes: Sequence[Any]) -> Pull:
    """An elementwise function: the cotangent of the result times each slope that is wanted."""
    if len(slopes) == 1 and callable(slopes[0]):
        slope = slopes[0]
        return lambda rules, ct, y, raw, node: (rules.multiply(ct, slope(rules, y, raw[0])),)
    if len(slopes) == 1:
        only = _times(slopes[0])
        return lambda rules, ct, y, raw, node: (only(rules, ct, y, *raw),)
    if len(slopes) != 2:
        times = [_times(slope) for slope in slopes]
        return lambda rules, ct, y, raw, node: [
            None if p is None else part(rules, ct, y, *raw) for part, p in zip(times, node.parents, strict=True)
        ]
    first, second = _times_of_two(slopes[0]), _times_of_two(slopes[1])

    def pull(rules: Namespace, ct: Value, y: Value, raw: Any, node: Node) -> Parts:
        (a, b), (p, q) = raw, node.parents
        to_p = None if p is None else first(rules, ct, y, a, b)
        return to_p, None if q is None else second(rules, ct, y, a, b)

    return pull


def _times(slope: Any) -> Pull:
    """times(rules, ct, y, *args): the cotangent times one slope; None where no derivative passes."""
    if callable(slope):
        return lambda rules, ct, y, *args: rules.multiply(ct, slope(rules, y, *args))
    if slope == 1.0:
        return lambda rules, ct, y, *args: ct
    if slope == 0.0:
        return lambda rules, ct, y, *args: rules.zeros(shape=ct.shape)
    return lambda rules, ct, y, *args: None if slope is None else rules.multiply(ct, slope)


def _times_of_two(slope: Any) -> Pull:
    """The same with its two arguments spelled out, which is what most operations have, and faster."""
    return (lambda rules, ct, y, a, b: rules.multiply(ct, slope(rules, y, a, b))) if callable(slope) else _times(slope)


def _by_rule(vjp: Any) -> Pull:
    """The rule a row brings; where it brings one for each argument, only the wanted ones are asked."""
    if vjp is None or callable(vjp):
        return lambda rules, ct, y, raw, node: vjp(rules, ct, y, raw, node.params)
    return lambda rules, ct, y, raw, node: [
        None if p is None else part(rules, ct, y, raw, node.params) for part, p in zip(vjp, node.parents, strict=True)
    ]


def summed(xp: Namespace, total: Value, ct: Value, in_place: bool) -> Value:
    """The sum of two cotangents of one node; added to `total` where that is an array of our own making."""
    arrays = in_place and type(total) is np.ndarray and type(ct) is np.ndarray
    if arrays and total.shape == ct.shape and total.dtype == ct.dtype:
        total += ct
        return total
    return xp.add(total, ct)


def fitted(xp: Namespace, ct: Value, shape: Shape) -> Value:
    """The cotangent in the shape of what it belongs to: spread out, or summed over broadcast copies."""
    return xp.broadcast_to(ct, shape=shape) if ct.shape == () else unbroadcast(xp, ct, shape)


def unbroadcast(xp: Namespace, ct: Value, shape: Shape) -> Value:
    """The cotangent of something of `shape` that was broadcast to the shape of `ct`: summed over its copies."""
    wide = shape_of(ct)
    new = len(wide) - len(shape)
    axes = tuple(i - len(wide) for i, n in enumerate(wide) if i < new or (shape[i - new] == 1 and n != 1))
    if axes:
        ct = xp.sum(ct, axis=axes, keepdims=False)
    return ct if shape_of(ct) == shape else xp.reshape(ct, shape=shape)
