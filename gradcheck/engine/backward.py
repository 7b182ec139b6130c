"""How does a cotangent travel from a result back to the leaves?

The tape is the results themselves: each remembers its rule, the data that went in (`raw`) and which of those inputs are
tensors that want a cotangent (`parents`). Results are numbered as they are made, so whoever has the highest number
among those that wait has heard from everyone it will hear from, and no recursion is needed.

A cotangent that is one number stands for the same number everywhere; it is spread out where a rule needs it whole.

The rules of the vocabulary are transposes: the cotangent of a in y = c a is c times y's, for complex c too, and
cotangent and tangent pair as Re(sum(ct * dy)). The gradients people see are PyTorch's, df/dRe + i df/dIm, which is the
conjugate of that; `pullback` conjugates what comes in and what goes out.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from gradcheck.engine.pull import Node, Parts, fitted, summed
from gradcheck.engine.wirtinger import conjugated, settled
from gradcheck.engine.writes import refuse_written
from gradcheck.errors import TapeError
from gradcheck.expr.primitive import Namespace, Value
from gradcheck.expr.rules import is_complex

FREED = (
    "Trying to backward through the graph a second time: its saved values were freed by the first backward pass; "
    "give retain_graph=True to that one"
)


def pullback(
    xp: Namespace, roots: list[tuple[Node, Value]], retain: bool = False, create: bool = False
) -> list[tuple[Node, Value]]:
    """Every leaf that a cotangent reaches, with the sum of those that the roots' cotangents come to there.

    The rules run in the namespace below the tape, or, with `create`, on the tape itself, so that what they compute can
    be differentiated again.
    """
    rules = xp if create else xp.base
    careful = create or xp.hooked or bool(xp.writes) or xp.complex  # most passes need not be, and are quicker
    nodes: dict[int, Node] = {}  # those that wait, by their numbers
    waiting: dict[int, Value] = {}  # the cotangents that have come to them
    order: list[int] = []  # their numbers, negative: a heap whose top is the latest node
    ours: set[int] = set()  # the numbers of those whose cotangent is a sum made here, which may be added to in place
    leaves: list[tuple[Node, Value]] = []
    for root, ct in roots:
        number, ct = root.number, conjugated(rules, ct)
        waiting[number] = ct if number not in nodes else rules.add(waiting[number], ct)
        nodes[number] = root
    order = [-number for number in nodes]
    heapify(order)
    while order:
        number = -heappop(order)
        node, ct = nodes.pop(number), waiting.pop(number)
        rule, parents, y, raw = node.rule, node.parents, node.data, node.raw
        if careful and xp.hooked:
            ct = node.hear(rules, ct)
        if rule is None:
            leaves.append((node, settled(rules, ct, y)))
            continue
        if parents is None:
            raise TapeError(FREED)
        watched = careful or rule.crosses
        parts = _with_care(xp, rules, ct, node, create) if watched else rule.pull(rules, ct, y, raw, node)
        whole = rule.whole
        for parent, ct in zip(parents, parts):  # noqa: B905 (being strict would cost a tenth of the pass)
            if parent is None or ct is None:
                continue
            number = parent.number
            if not whole and ct.shape != parent.data.shape and not _stands_for_all(ct, parent):
                ct = fitted(rules, ct, parent.data.shape)
            if number not in nodes:
                nodes[number], waiting[number] = parent, ct
                heappush(order, -number)
            else:
                waiting[number] = summed(rules, waiting[number], ct, number in ours and not create)
                ours.add(number)
        if rule.saves and not retain:
            node.raw = node.parents = None
    return leaves


def _stands_for_all(ct: Value, node: Node) -> bool:
    """Whether a cotangent is one number, and may stay that."""
    return bool(ct.shape == () and node.rule and node.rule.elementwise)


def _with_care(xp: Namespace, rules: Namespace, ct: Value, node: Node, create: bool) -> Parts:
    """What one operation makes of its cotangent, where arrays were written to or numbers may be complex.

    With `create` the rule works on the tape's own tensors.
    """
    rule, y, raw = node.rule, node.data, node.raw
    if xp.writes and rule.saves:
        refuse_written(xp.writes, node)
    pull = rule.pull_complex if rule.crosses or is_complex(y) else rule.pull
    if create:
        y, raw = node, [r if p is None else p for r, p in zip(raw, node.parents, strict=True)]
    parts: Parts = pull(rules, ct, y, raw, node)
    return parts
