"""What is the cotangent of every value on the way, not of the leaves alone?

For teaching and for looking at a computation: one backward pass over the graph, after which all is as it was. No `grad`
is added to, nobody's hook is called, and the graph can be walked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradcheck.engine.backward import FREED, pullback
from gradcheck.engine.pull import fitted
from gradcheck.engine.tape import Tensor
from gradcheck.engine.wirtinger import conjugated, settled
from gradcheck.errors import TapeError
from gradcheck.expr.primitive import Value
from gradcheck.expr.rules import shape_of

Results = Tensor | Sequence[Tensor]


def tape_of(results: Results) -> list[Tensor]:
    """Every tensor that `results` were computed from, themselves among them, in the order they were made.

    Raises TapeError where a backward pass has freed the graph.
    """
    roots = [results] if isinstance(results, Tensor) else list(results)
    found, stack = {root.number: root for root in roots}, roots
    while stack:
        value = stack.pop()
        if value.parents is None:
            raise TapeError("the graph was freed by a backward pass; look at it before, or give retain_graph=True")
        for parent in value.parents:
            if parent is not None and parent.number not in found:
                found[parent.number] = parent
                stack.append(parent)
    return [found[number] for number in sorted(found)]


def adjoints(results: Results, ct: Any = None) -> dict[Tensor, Value]:
    """The cotangent of every tensor that one comes to, latest first, each of its tensor's shape.

    results: one tensor, or several of one tape that are pulled back together.
    ct: the cotangent of the result (of several: one each); may be left out where a result has one element.
    Values are of the namespace below the tape, conjugated as `grad` is (see `gradcheck.engine.backward`). A tensor that
    is missing moves no result. Raises TapeError as `backward` does.
    """
    several = not isinstance(results, Tensor)
    roots: list[Tensor] = list(results) if several else [results]  # type: ignore[list-item]
    for root in roots:
        if not root.tracked:
            raise TapeError("element 0 of tensors does not require grad and does not have a grad_fn")
    given = [None] * len(roots) if ct is None else list(ct) if several else [ct]
    seeds = [_seed(root, part) for root, part in zip(roots, given, strict=True)]
    nodes, heard = tape_of(roots), dict[Tensor, Value]()
    with _listening(nodes, heard), np.errstate(all="ignore"):
        pullback(roots[0].xp, list(zip(roots, seeds, strict=True)), retain=True)
    return heard


def contributions(node: Tensor, ct: Value) -> tuple[Value | None, ...]:
    """What the operation behind `node` adds to the adjoint of each of its arguments, where `ct` is its own adjoint.

    Each in the shape of its argument, None for one that no cotangent comes to; nothing for a leaf.
    """
    rules, rule = node.xp.base, node.rule
    if rule is None:
        return ()
    if node.parents is None:
        raise TapeError(FREED)
    with np.errstate(all="ignore"):
        parts = rule.pull_complex(rules, conjugated(rules, ct), node.data, node.raw, node)
        pairs = zip(node.parents, parts, strict=True)
        return tuple(None if p is None or part is None else _own(rules, p, part) for p, part in pairs)


def _own(rules: Any, parent: Tensor, part: Value) -> Value:
    """One contribution as people see it, in the shape of what it belongs to."""
    part = part if shape_of(part) == parent.shape else fitted(rules, part, parent.shape)
    return settled(rules, part, parent.data)


def _seed(root: Tensor, ct: Any) -> Any:
    """The cotangent to start from, as a value of the namespace below."""
    seed = root.seed(ct)
    return seed.data if isinstance(seed, Tensor) and seed.xp is root.xp else seed


@contextmanager
def _listening(nodes: list[Tensor], heard: dict[Tensor, Value]) -> Iterator[None]:
    """Every node's hooks give way to one that notes its cotangent, and come back."""
    xp = nodes[0].xp
    hooked, before = xp.hooked, [getattr(node, "hooks", None) for node in nodes]

    def note(node: Tensor) -> Any:
        return lambda seen: heard.update({node: seen.data})

    xp.hooked = True
    for node in nodes:
        node.hooks = {None: note(node)}
    try:
        yield
    finally:
        xp.hooked = hooked
        for node, hooks in zip(nodes, before, strict=True):
            if hooks is None:
                del node.hooks
            else:
                node.hooks = hooks
