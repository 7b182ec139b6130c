"""What does an operation, or the rule that undoes it, read like where its numbers are known?

At a point the formulas carry their numbers, so that rules that look at shapes can be written too: the rule of `sum` is
`broadcast_to(ct, shape=[3])` there. Texts are those of the language, with the adjoint's bar and `·` added.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck.engine import Tensor, contributions
from gradcheck.engine.arguments import bind
from gradcheck.errors import GradcheckError
from gradcheck.expr import NUMPY, Primitive
from gradcheck.expr.primitive import Value
from gradcheck.expr.rules import numbers, shape_of
from gradcheck.report.written import (
    AND,
    ATOM,
    OR,
    PRODUCT,
    SIGN,
    SUM,
    NotWritten,
    Writer,
    Written,
    right_side,
    text_in,
)

TIMES = " · "
FEW = 6  # numbers of a constant array that are written out
READABLE = 400  # characters of a formula that somebody may read; the slopes of some special functions are longer
BAR = "\u0304"  # over the letter before it


def barred(name: str) -> str:
    """The adjoint of what is called `name`, with a bar over its first letter: v̄1."""
    return name[0] + BAR + name[1:]


class PointWriter(Writer):
    """The vocabulary on formulas that know their numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.reshaped: dict[str, Written] = {}  # what was reshaped, by the text that came of it

    def write(self, row: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Written:
        """One function: its text in the shortest form that the language has, and its numbers."""
        arrays, params = bind(row, args, params)
        taken = (arrays,) if row.arity is None else arrays
        told = self.special(row.name, arrays, params)
        if told is None:
            told = super().write(row, taken, self.wanted(row, arrays, params))
        told.known = np.asarray(getattr(NUMPY, row.name)(*known(taken), **known(params)))
        return told

    def special(self, name: str, args: tuple[Any, ...], params: dict[str, Any]) -> Written | None:
        """What the language has a sign for, and what does nothing here."""
        if name in ("conj", "real") and isinstance(args[0], Written) and not np.iscomplexobj(args[0].data):
            return Written(self, args[0].text, args[0].binding)
        if name == "reshape" and isinstance(args[0], Written):
            return self.told_reshape(args[0], params["shape"])
        if name == "matmul":
            text = f"{text_in(args[0], PRODUCT)} @ {right_side(args[1], SIGN)}"
            return Written(self, text, PRODUCT)
        if name == "getitem":
            return Written(self, f"{text_in(args[0], ATOM)}[{_index(params['index'])}]")
        turned = name == "permute_dims" and _backwards(params["axes"])
        if turned or (name == "matrix_transpose" and len(shape_of(args[0])) == 2):
            return Written(self, f"{text_in(args[0], ATOM)}.T")
        if name == "logical_not":
            return Written(self, f"not {text_in(args[0], SUM)}", AND)
        return None

    def told_reshape(self, x: Written, shape: int | tuple[int, ...]) -> Written:
        """Of several in a row only the last is told."""
        x = self.reshaped.get(x.text, x)
        if x.shape == shape:
            return Written(self, x.text, x.binding)
        told = Written(self, f"reshape({x.text}, shape={text_in(shape, OR)})")
        self.reshaped[told.text] = x
        return told

    def wanted(self, row: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> dict[str, Any]:
        """The parameters that are not what they are anyway; a single axis without its brackets."""
        told = {}
        for key, value in params.items():
            default = row.defaults.get(key, NotWritten)
            everything = key == "axis" and default is None and args and value == _all(shape_of(args[0]))
            if everything or (type(value) is type(default) and value == default):
                continue
            value = value[0] if key == "axis" and isinstance(value, tuple) and len(value) == 1 else value
            told[key] = Written(self, f"[{_index(value)}]", known=()) if key == "index" else value
        return told


def _all(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(range(-len(shape), 0))


def _backwards(axes: tuple[int, ...]) -> bool:
    """Whether a permutation turns the order of the axes round."""
    return all((a + i + 1) % len(axes) == 0 for i, a in enumerate(axes))


def known(value: Any) -> Any:
    """The numbers of formulas, wherever they stand."""
    if isinstance(value, Written):
        return value.data
    if isinstance(value, tuple | list):
        return type(value)(map(known, value))
    return {key: known(part) for key, part in value.items()} if isinstance(value, dict) else value


def _index(index: Any) -> str:
    items = index if isinstance(index, tuple) else (index,)
    return ", ".join(map(_item, items))


def _item(item: Any) -> str:
    if isinstance(item, slice):
        start, stop, step = ("" if part is None else str(part) for part in (item.start, item.stop, item.step))
        return f"{start}:{stop}" + (f":{step}" if step else "")
    if item is Ellipsis:
        return "..."
    return text_in(listed(numbers(item)) if hasattr(item, "shape") else item, OR)


def listed(array: Any) -> Any:
    """A constant array as a formula: its numbers, where they are few, else its shape."""
    if array.ndim == 0:
        return array.item()
    text = text_in(array.tolist(), OR) if array.ndim == 1 and array.size <= FEW else f"constant {array.shape}"
    return Written(PointWriter(), text, known=array)


def rules(node: Tensor, name: str, args: tuple[Any, ...], ct: Value) -> Iterator[tuple[Tensor, Value, str, str]]:
    """What the operation behind `node` adds to the adjoint of each argument: whose, how much, where, by which formula.

    name: what the node is called; args: its arguments as formulas and numbers; ct: its adjoint. Where: `[0]`, the part
    that `x[0]` picked, or "" for the whole. The formula is empty where the rule cannot be
    written, or is longer than anybody would read.
    """
    place = _picked(node)
    texts = [barred(name)] if place else _texts(node, name, args, ct)
    for position, part in enumerate(contributions(node, ct)):
        parent = node.parents[position]
        if parent is not None and part is not None:
            text = texts[position] if texts else ""
            yield parent, part, place, text if len(text) <= READABLE else ""


def _picked(node: Tensor) -> str:
    """The index of an operation that picks a part: what comes back goes to that part and is zero elsewhere."""
    try:
        return f"[{_index(node.params['index'])}]" if node.rule.row.name == "getitem" else ""  # type: ignore[union-attr]
    except NotWritten:
        return ""


def _texts(node: Tensor, name: str, args: tuple[Any, ...], ct: Value) -> list[str]:
    """The formulas; nothing where one asks for what no text tells, or where numbers are complex."""
    xp, row = PointWriter(), node.rule.row  # type: ignore[union-attr]  # who comes here is no leaf
    if any(np.iscomplexobj(x) for x in (node.data, ct, *map(known, args))):
        return []
    y, above = Written(xp, name, known=node.data), Written(xp, barred(name), known=np.asarray(ct))
    try:
        if row.slopes is not None:
            pairs = _zip(row.slopes, node.parents)  # only slopes that are wanted are asked: others may be refused
            return ["" if p is None else _fitted(_slope(xp, slope, above, y, args), p) for slope, p in pairs]
        parts = node.rule.pull(xp, above, y, args, node)  # type: ignore[union-attr]  # as above
        return [_fitted(part, parent) for part, parent in _zip(parts, node.parents)]
    except (NotWritten, GradcheckError, TypeError, ValueError, AttributeError, IndexError):
        return []  # a rule may do with numbers what cannot be done with formulas


def _zip(parts: Any, parents: Any) -> Iterator[tuple[Any, Any]]:
    return zip(parts, parents, strict=True)


def _slope(xp: PointWriter, slope: Any, above: Written, y: Written, args: tuple[Any, ...]) -> Written | None:
    """The cotangent times one slope."""
    value = slope(xp, y, *args) if callable(slope) else slope
    if value is None:
        return None
    if not isinstance(value, Written) and value in (0, 1, -1):
        text = {0: "0", 1: above.text, -1: "-" + above.text}[int(value)]
        return Written(xp, text, PRODUCT, above.data * value)
    text = above.text + TIMES + right_side(value, PRODUCT)
    return Written(xp, text, PRODUCT, above.data * known(value))


def _fitted(part: Any, parent: Tensor | None) -> str:
    """The text of a contribution, summed where its argument was spread out."""
    if part is None or parent is None:
        return ""
    if not isinstance(part, Written):
        raise NotWritten
    shape, wide = parent.shape, np.shape(part.data)
    if shape == wide:
        return part.text
    if wide == ():
        return f"broadcast_to({part.text}, shape={text_in(shape, OR)})"
    if shape == ():
        return f"sum({part.text})"
    new = len(wide) - len(shape)
    axes = [i - len(wide) for i, n in enumerate(wide) if i < new or (shape[i - new] == 1 and n != 1)]
    keep = ", keepdims=True" if not new else ""
    text = f"sum({part.text}, axis={axes[0] if len(axes) == 1 else axes}{keep})"
    return text if keep or len(axes) == new else f"reshape({text}, shape={text_in(shape, OR)})"
