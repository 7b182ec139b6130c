"""How does a cotangent travel from a result back to the leaves?

The tape is the results themselves: each remembers its rule, the data that went in (`raw`) and which of those inputs are
tensors that want a cotangent (`parents`). Results are numbered as they are made, so descending numbers are a
topological order, and no recursion is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gradcheck.errors import TapeError
from gradcheck.expr.primitive import Namespace, Primitive, Value
from gradcheck.expr.rules import Shape, shape_of

Node = Any  # a Tensor, as the tape: number, data, rule, raw, parents, params

FREED = (
    "Trying to backward through the graph a second time: its saved values were freed by the first backward pass; "
    "give retain_graph=True to that one"
)


class Rule:
    """How one primitive is undone: its row as the backward pass wants it."""

    __slots__ = ("label", "saves", "slopes", "vjp")

    def __init__(self, row: Primitive) -> None:
        self.label = row.label
        self.slopes = row.slopes
        self.vjp = row.vjp
        constant = row.slopes is not None and all(not callable(slope) for slope in row.slopes)
        self.saves = not (row.linear or constant)  # whether its inputs' values are needed to undo it


def reachable(roots: Iterable[Node]) -> dict[int, Node]:
    """The roots and everything they were computed from that wants a cotangent, by number."""
    found = {root.number: root for root in roots}
    stack = list(found.values())
    while stack:
        parents = stack.pop().parents
        if parents is None:
            raise TapeError(FREED)
        for parent in parents:
            if parent is not None and parent.number not in found:
                found[parent.number] = parent
                stack.append(parent)
    return found


def pullback(
    xp: Namespace, roots: list[tuple[Node, Value]], retain: bool = False, create: bool = False
) -> list[tuple[Node, Value]]:
    """Every leaf that the roots depend on, with the cotangent that the roots' cotangents add up to there.

    The rules run in the namespace below the tape, or, with `create`, on the tape itself, so that what they compute can
    be differentiated again.
    """
    rules = xp if create else xp.base
    found = reachable(root for root, _ in roots)
    waiting: dict[int, Value] = {}
    for root, ct in roots:
        known = waiting.get(root.number)
        waiting[root.number] = ct if known is None else rules.add(known, ct)
    for number in sorted(found, reverse=True):
        node = found[number]
        rule, parents = node.rule, node.parents
        if rule is None or number not in waiting:
            continue
        ct, y, raw = waiting.pop(number), node.data, node.raw
        if create:
            y, raw = node, [r if p is None else p for r, p in zip(raw, parents, strict=True)]
        if rule.slopes is None:
            parts = rule.vjp(rules, ct, y, raw, node.params)
        else:
            parts = _elementwise(rules, ct, y, raw, rule.slopes, parents)
        for parent, part in zip(parents, parts, strict=True):
            if parent is None or part is None:
                continue
            if part.shape != parent.data.shape:
                part = unbroadcast(rules, part, parent.data.shape)
            known = waiting.get(parent.number)
            waiting[parent.number] = part if known is None else rules.add(known, part)
        if rule.saves and not retain:
            node.raw = node.parents = None
    return [(node, waiting.get(number)) for number, node in found.items() if node.rule is None]


def _elementwise(
    rules: Namespace, ct: Value, y: Value, raw: Any, slopes: Iterable[Any], parents: Iterable[Node | None]
) -> list[Value | None]:
    """Cotangent times slope for each input that wants one, still of the shape of the result."""
    parts: list[Value | None] = []
    for slope, parent in zip(slopes, parents, strict=True):
        if parent is None or slope is None:
            parts.append(None)
        elif type(slope) is not float:
            parts.append(rules.multiply(ct, slope(rules, y, *raw)))
        elif slope == 1.0:
            parts.append(ct)
        elif slope == 0.0:
            parts.append(rules.zeros(shape=ct.shape))
        else:
            parts.append(rules.multiply(ct, slope))
    return parts


def unbroadcast(xp: Namespace, ct: Value, shape: Shape) -> Value:
    """The cotangent of something of `shape` that was broadcast to the shape of `ct`: summed over its copies."""
    wide = shape_of(ct)
    new = len(wide) - len(shape)
    axes = tuple(i - len(wide) for i, n in enumerate(wide) if i < new or (shape[i - new] == 1 and n != 1))
    if axes:
        ct = xp.sum(ct, axis=axes, keepdims=False)
    return ct if shape_of(ct) == shape else xp.reshape(ct, shape=shape)
