"""How is an expression evaluated in any namespace? Compiled once to closures `state -> value`.

Python numbers stay Python numbers until they meet an array, so that `n/2` costs nothing and `sqrt(2)` needs no
namespace.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradcheck.errors import EvaluationError, SizeExceeded
from gradcheck.expr import nodes as n
from gradcheck.expr.control import Control, check_size
from gradcheck.expr.grammar import MAX_EXPONENT, MAX_INTEGER
from gradcheck.expr.pieces import PIECES
from gradcheck.expr.primitive import Batching, Primitive
from gradcheck.expr.vocabulary import NUMPY, VOCABULARY

Closure = Callable[["State"], Any]
_NUMBERS = (bool, int, float)
_PLAIN = (*_NUMBERS, str, type(None), slice, type(Ellipsis))


class State:
    """One evaluation under way: the namespace, the names' values, and the control."""

    __slots__ = ("control", "env", "functions", "guard", "watch", "xp")

    def __init__(self, xp: Any, env: dict[str, Any], control: Control) -> None:
        self.xp = xp
        self.env = env
        self.control = control
        self.guard = control.guard
        self.watch = control.watch
        self.functions: dict[str, tuple[tuple[str, ...], Closure]] = {}


def compile_expression(node: n.Node | None) -> Closure:
    if node is None:
        return lambda s: None
    return _COMPILE[type(node)](node)


def _const(node: n.Const) -> Closure:
    value, name = node.value, node.name
    if isinstance(value, bool):
        return lambda s: value

    def run(s: State) -> Any:
        lift = getattr(s.xp, "constant", None)  # number types that carry error bars enclose what they can't hold
        return value if lift is None else lift(value, name)

    return run


def _name(node: n.Name) -> Closure:
    key = node.id

    def run(s: State) -> Any:
        try:
            return s.env[key]
        except KeyError:
            raise EvaluationError(f"{key!r} is used before it has a value (line {node.at[0]})") from None

    return run


def _call(node: n.Call) -> Closure:
    row = VOCABULARY[node.primitive]
    name = row.name
    if name == "stop_gradient":
        operand = compile_expression(node.args[0])
        return lambda s: s.control.hold(s.xp, operand(s))
    args = [_arrays(a) if row.batching is Batching.JOIN else compile_expression(a) for a in node.args]
    params = [(key, _param(row, key, value)) for key, value in node.params]
    elementwise = row.batching is Batching.ELEMENTWISE and not node.params
    ufunc = getattr(NUMPY, name)
    python = _PYTHON.get(name)
    chooses = name in PIECES

    def run(s: State) -> Any:
        values = [a(s) for a in args]
        extra = {key: _parameter(value(s)) for key, value in params}
        if chooses and s.watch is not None:
            s.watch(node, values, extra)
        if elementwise and all(type(v) in _NUMBERS for v in (*values, *extra.values())):
            if hasattr(s.xp, "constant") and not _exact(name, values):
                return _parameter(getattr(s.xp, name)(*values), balls=False)
            return python(*values) if python else _number(partial(ufunc, **extra), values)
        if s.guard:
            _guard(name, values, extra, elementwise)
        try:
            return getattr(s.xp, name)(*values, **extra)
        except MemoryError:
            raise SizeExceeded(f"the result of {name}", math.inf, 4e6) from None

    return run


ARRAYS = frozenset(
    "alpha bias constant_values dx fill_value index indices mask max_val min_val negative_slope "
    "prepend append scale sorter start step stop weight x".split()
)  # parameters of compositions that take part in the arithmetic; `index` is carried through a batch by its own row


def _param(row: Primitive, key: str, node: n.Node) -> Closure:
    """A parameter; one that is worked out from inputs is fixed, for it stays put while its row is differentiated."""
    takes_part = key in ARRAYS and (row.compose is not None or key == "index")
    return compile_expression(node) if takes_part else compile_fixed(node, f"{key} of {row.name}")


def compile_fixed(node: n.Node | None, what: str) -> Closure:
    """An expression whose value no derivative passes through: a plain number (or numbers) for all points at once.

    what: "shift of roll". Evaluating it raises as `Control.fix` does.
    """
    value = compile_expression(node)
    if not any(isinstance(part, n.Name) for part in n.walk(node)):
        return value

    def fixed(s: State, found: Any) -> Any:
        if type(found) in _PLAIN:
            return found
        if isinstance(found, tuple | list):
            return type(found)(fixed(s, part) for part in found)
        return s.control.fix(what, found)

    return lambda s: fixed(s, value(s))


def _parameter(value: Any, balls: bool = True) -> Any:
    """One number as a plain one, which parameters are, also where the numbers of formulas carry error bars."""
    if type(value) is not np.ndarray or value.ndim or (value.dtype == object and not balls):
        return value
    return float(value.item()) if value.dtype == object else value.item()


def _exact(name: str, values: list[Any]) -> bool:
    """Whether Python's result rounds nothing: whole numbers, and rows that keep them whole, or truth values."""
    if name in _TRUTHS:
        return True
    return name in _WHOLE and all(isinstance(v, int) for v in values) and not (name == "pow" and values[1] < 0)


def _number(ufunc: Callable[..., Any], values: list[Any]) -> Any:
    with np.errstate(all="ignore"):
        return np.asarray(ufunc(*map(np.float64, values))).item()


def _python_power(base: Any, exponent: Any) -> Any:
    if abs(exponent) > MAX_EXPONENT:
        raise SizeExceeded("an exponent", float(exponent), MAX_EXPONENT)
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
        return _bounded(base**exponent)
    return _number(np.power, [base, exponent])


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise SizeExceeded("an integer", float(min(value, 2**1000)), MAX_INTEGER)
    return value


def _python_divide(a: Any, b: Any) -> Any:
    return _number(np.divide, [a, b])


_PYTHON: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: _bounded(a + b),
    "subtract": lambda a, b: _bounded(a - b),
    "multiply": lambda a, b: _bounded(a * b),
    "negative": lambda a: -a,
    "positive": lambda a: +a,
    "divide": _python_divide,
    "pow": _python_power,
    "floor_divide": lambda a, b: a // b if b else _number(np.floor_divide, [a, b]),
    "remainder": lambda a, b: a % b if b else _number(np.remainder, [a, b]),
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "equal": lambda a, b: a == b,
    "not_equal": lambda a, b: a != b,
    "logical_and": lambda a, b: bool(a and b),
    "logical_or": lambda a, b: bool(a or b),
    "logical_not": lambda a: not a,
}

_TRUTHS = frozenset("less less_equal greater greater_equal equal not_equal logical_and logical_or logical_not".split())
_WHOLE = frozenset(_PYTHON) - {"divide"}


def _guard(name: str, values: list[Any], params: dict[str, Any], elementwise: bool) -> None:
    """Refuse what would be too large: the arguments' sizes multiplied, and the sizes asked for by number."""
    arrays = [v for value in values for v in (value if isinstance(value, list) else [value])]
    found = [np.shape(a) for a in arrays if not isinstance(a, tuple)]
    sizes = [math.prod(shape) for shape in found]
    shapes = {shape for shape, size in zip(found, sizes, strict=True) if size > 1}
    check_size(name, sizes, same_shape=elementwise and len(shapes) <= 1)
    asked = [int(min(float(abs(p)), 1e15)) for v in params.values() for p in _leaves(v) if _is_size(p)]
    if name == "repeat":  # a count for all, or a count for each
        asked = [max(asked, default=0)]
    check_size(name, [*asked, max(sizes, default=0)] if name in _GROW else asked, same_shape=False)


_GROW = frozenset({"repeat", "tile", "pad"})  # rows whose result may be an array times the numbers asked for


def _leaves(value: Any) -> list[Any]:
    """The numbers of a parameter, which may be a tuple, or a tuple of tuples."""
    return [leaf for part in value for leaf in _leaves(part)] if isinstance(value, tuple) else [value]


def _is_size(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and abs(value) > 1


def _arrays(node: n.Node) -> Closure:
    assert isinstance(node, n.Sequence)
    items = [compile_expression(item) for item in node.items]
    return lambda s: [item(s) for item in items]


def _call_local(node: n.CallLocal) -> Closure:
    args = [compile_expression(a) for a in node.args]

    def run(s: State) -> Any:
        s.control.step(node.at[0])
        parameters, body = s.functions[node.function]
        inner = State(s.xp, {**s.env, **dict(zip(parameters, [a(s) for a in args], strict=True))}, s.control)
        inner.functions = s.functions
        return body(inner)

    return run


def _choice(node: n.Choice) -> Closure:
    condition, then, otherwise = map(compile_expression, (node.condition, node.then, node.otherwise))
    return lambda s: then(s) if decide(s, condition(s), node) else otherwise(s)


def decide(s: State, condition: Any, node: object = None) -> bool:
    """Which way to go; `node`, where it is given, is what is watched there."""
    taken = bool(condition) if type(condition) in _NUMBERS else s.control.decide(condition)
    if s.watch is not None and node is not None:
        s.watch(node, [taken], {})
    return taken


def _index(node: n.Index) -> Closure:
    value = compile_expression(node.value)
    items = [_item(item) for item in node.items]

    def run(s: State) -> Any:
        base = value(s)
        index = tuple(item(s) for item in items)
        if not all(_known(item) or _counted(item) for item in index):
            raise EvaluationError(
                f"an index is made of whole numbers; a mask is not one (line {node.at[0]}): see take and where"
            )
        if isinstance(base, tuple | list):
            return base[index[0]]
        return s.xp.getitem(base, index=index)

    return run


def _known(item: Any) -> bool:
    """Whether an index item is an integer, a slice, None, the ellipsis, or a list of integers."""
    if isinstance(item, tuple):
        return all(type(part) is int for part in item)
    return item is None or item is Ellipsis or isinstance(item, slice) or type(item) is int


def _counted(item: Any) -> bool:
    """Whether an index item is an array that may hold whole numbers: no mask, whose result's size would hang on it."""
    data = getattr(item, "data", item) if getattr(item, "batched", False) else item
    return hasattr(data, "shape") and "bool" not in str(data.dtype)


def _item(item: n.Node | n.Slice | None) -> Closure:
    if isinstance(item, n.Slice):
        parts = [compile_fixed(p, "an end or the step of a slice") for p in (item.start, item.stop, item.step)]
        return lambda s: slice(*[p(s) for p in parts])
    return compile_expression(item)


def _shape(node: n.Shape) -> Closure:
    value, attribute = compile_expression(node.value), node.attribute

    def run(s: State) -> Any:
        base = value(s)
        shape = np.shape(base) if type(base) in _NUMBERS else base.shape
        return tuple(int(d) for d in shape) if attribute == "shape" else len(shape)

    return run


def _sequence(node: n.Sequence) -> Closure:
    items = [compile_expression(item) for item in node.items]
    return lambda s: tuple(item(s) for item in items)


def _outputs(node: n.Outputs) -> Closure:
    items = [(name, compile_expression(item)) for name, item in zip(node.names, node.items, strict=True)]
    return lambda s: {name: item(s) for name, item in items}


_COMPILE: dict[type, Callable[[Any], Closure]] = {
    n.Const: _const, n.Name: _name, n.Call: _call, n.CallLocal: _call_local, n.Choice: _choice,
    n.Index: _index, n.Shape: _shape, n.Sequence: _sequence, n.Outputs: _outputs,
    n.Dots: lambda node: lambda s: Ellipsis, n.Text: lambda node: lambda s: node.value,
}  # fmt: skip
