"""Which functions are put together of pieces, and what holds where each piece is taken?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType

from gradcheck.expr import nodes as n
from gradcheck.expr.text import to_text

Sides = tuple[n.Node, ...]
Pieces = Callable[[n.Call], Sides]
OPPOSITE: Mapping[str, str] = MappingProxyType(
    {
        "less": "greater_equal", "greater_equal": "less", "greater": "less_equal", "less_equal": "greater",
        "equal": "not_equal", "not_equal": "equal",
    }
)  # fmt: skip


def pieces(node: n.Call) -> Sides:
    """The statements of which one holds for each element, where `node` is a function of pieces."""
    return PIECES[node.primitive](node)


def denied(condition: n.Node) -> n.Node:
    """The condition that holds where this one does not."""
    if isinstance(condition, n.Call) and condition.primitive in OPPOSITE:
        return n.Call(OPPOSITE[condition.primitive], condition.args)
    if isinstance(condition, n.Call) and condition.primitive == "logical_not":
        return condition.args[0]
    return n.Call("logical_not", (condition,))


def _truth(node: n.Call) -> Sides:
    condition = node.args[0] if node.primitive == "where" else node
    return condition, denied(condition)


def _given(node: n.Call, name: str, default: float) -> n.Node:
    return dict(node.params).get(name, n.Const(default))


def _cut(x: n.Node, *at: n.Node) -> Sides:
    """Below the first number, between each two, above the last; an infinite end cuts nothing."""
    ends = [end for end in at if to_text(end) not in ("inf", "-inf", "None")]
    if not ends:
        return ()
    between = [
        n.Call("logical_and", (n.Call("less", (low, x)), n.Call("less", (x, high)))) for low, high in pairwise(ends)
    ]
    return n.Call("less", (x, ends[0])), *between, n.Call("greater", (x, ends[-1]))


def _at(*at: float) -> Pieces:
    return lambda node: _cut(node.args[0], *map(n.Const, at))


def _two(node: n.Call) -> Sides:
    return n.Call("greater", node.args), n.Call("less", node.args)


def _shrunk(node: n.Call) -> Sides:
    width = _given(node, "lambd", 0.5)
    return _cut(node.args[0], n.Call("negative", (width,)), width)


def _hardtanh(node: n.Call) -> Sides:
    return _cut(node.args[0], _given(node, "min_val", -1.0), _given(node, "max_val", 1.0))


def _near(name: str) -> Pieces:
    return lambda node: _cut(n.Call("abs", (n.Call("subtract", node.args),)), _given(node, name, 1.0))


# functions that are put together of pieces
PIECES: Mapping[str, Pieces] = MappingProxyType(
    {
        **dict.fromkeys((*OPPOSITE, "where"), _truth),
        **dict.fromkeys(("abs", "sign", "relu", "leaky_relu", "elu", "selu", "celu"), _at(0)),
        **dict.fromkeys(("maximum", "minimum", "l1_loss"), _two),
        **dict.fromkeys(("softshrink", "hardshrink"), _shrunk),
        **dict.fromkeys(("hard_sigmoid", "hard_swish"), _at(-3, 3)),
        "clip": lambda node: _cut(*node.args),
        "relu6": _at(0, 6),
        "hardtanh": _hardtanh,
        "huber_loss": _near("delta"),
        "smooth_l1_loss": _near("beta"),
    }
)
