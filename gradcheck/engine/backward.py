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

from collections.abc import Iterable
from heapq import heappop, heappush

from gradcheck.engine.pull import Node, fitted, summed
from gradcheck.engine.wirtinger import settled
from gradcheck.engine.writes import refuse_written
from gradcheck.errors import TapeError
from gradcheck.expr.primitive import Namespace, Value

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
    hooked, writes = xp.hooked, xp.writes
    waiting: dict[int, tuple[Node, Value]] = {}  # by the node's number
    order: list[int] = []  # those numbers, negative: a heap whose top is the latest node
    ours: set[int] = set()  # the numbers of nodes whose cotangent is a sum made here, which may be added to in place
    leaves: list[tuple[Node, Value]] = []
    arrivals: Iterable[tuple[Node | None, Value | None]] = [
        (root, rules.conj(ct) if ct.dtype.kind == "c" else ct) for root, ct in roots
    ]
    while True:
        for node, ct in arrivals:
            if node is None or ct is None:
                continue
            if ct.shape != node.data.shape and not (ct.shape == () and node.rule and node.rule.elementwise):
                ct = fitted(rules, ct, node.data.shape)
            number = node.number
            if number in waiting:
                ct = summed(rules, waiting[number][1], ct, number in ours and not create)
                ours.add(number)
            else:
                heappush(order, -number)
            waiting[number] = node, ct
        if not order:
            return leaves
        node, ct = waiting.pop(-heappop(order))
        if hooked:
            ct = node.hear(rules, ct)
        rule, parents, y, raw = node.rule, node.parents, node.data, node.raw
        if rule is None:
            leaves.append((node, settled(rules, ct, y)))
            arrivals = ()
            continue
        if parents is None:
            raise TapeError(FREED)
        if writes and rule.saves:
            refuse_written(writes, node)
        pull = rule.pull_complex if rule.crosses or y.dtype.kind == "c" else rule.pull
        if create:
            y, raw = node, [r if p is None else p for r, p in zip(raw, parents, strict=True)]
        arrivals = zip(parents, pull(rules, ct, y, raw, node))  # noqa: B905 (being strict would cost a tenth of the pass)
        if rule.saves and not retain:
            node.raw = node.parents = None
