"""What is the derivative of a row, in the words of the language of formulas?

A row's slopes are functions of a namespace. A `Writer` is a namespace whose values are formulas: each function of the
vocabulary writes itself down, so that a slope called in it comes out as text, which the parser reads back. A rule that
looks at shapes or numbers cannot be written so (`NotWritten`), and is told by its source; so is a slope that is a long
series, whose formula is past the limits within which the parser reads.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from math import pi
from textwrap import dedent
from typing import Any

from gradcheck.engine.operators import Operators
from gradcheck.errors import ExpressionError, Unsupported
from gradcheck.expr import ALIASES, VOCABULARY, Primitive, parse_formula

UNWRITTEN = "a function of shapes or numbers"
UNREADABLE = "a formula too long to be written here"
REFUSED = "refused"
NAMES = "xyzuvw"  # of a row's arguments; its result is `value`, as in claims
_OR, _AND, _COMPARE, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(8)  # how tightly a text holds together
_INFIX = {
    "add": (" + ", _SUM), "subtract": (" - ", _SUM), "multiply": ("*", _PRODUCT), "divide": ("/", _PRODUCT),
    "equal": (" == ", _COMPARE), "not_equal": (" != ", _COMPARE), "less": (" < ", _COMPARE),
    "less_equal": (" <= ", _COMPARE), "greater": (" > ", _COMPARE), "greater_equal": (" >= ", _COMPARE),
    "logical_and": (" and ", _AND), "logical_or": (" or ", _OR),
}  # fmt: skip


class NotWritten(Exception):
    """A rule wants to know what a formula does not tell: a shape, a number, whether something is so."""


class Written(Operators):
    """A formula: its text, how tightly it holds together, and its numbers where they are known."""

    __slots__ = ("binding", "known", "text", "xp")

    def __init__(self, xp: Writer, text: str, binding: int = _ATOM, known: Any = None) -> None:
        self.xp = xp
        self.text = text
        self.binding = binding
        self.known = known

    @property
    def data(self) -> Any:
        if self.known is None:
            raise NotWritten
        return self.known

    def __bool__(self) -> bool:
        return bool(self.data)


class Writer:
    """The vocabulary on formulas; `used` collects the names of the rows that were called."""

    def __init__(self) -> None:
        self.used: dict[str, None] = {}

    def __getattr__(self, name: str) -> Callable[..., Written]:
        row = VOCABULARY.get(ALIASES.get(name, name))
        if row is None:
            raise AttributeError(name)

        def function(*args: Any, **params: Any) -> Written:
            self.used[row.name] = None
            return self.write(row, args, params)

        return function

    def write(self, row: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Written:
        """One function of formulas and numbers."""
        return _written(self, row.name, args, params)


def _written(xp: Writer, name: str, args: tuple[Any, ...], params: dict[str, Any]) -> Written:
    if name == "multiply" and isinstance(args[1], Written) and type(args[0]) is float and abs(args[0]) == 1.0:
        return args[1] if args[0] > 0 else _written(xp, "negative", args[1:], {})
    if name in _INFIX:
        sign, binding = _INFIX[name]
        tighter = binding + (name in ("subtract", "divide") or binding == _COMPARE)
        right = _right(args[1], tighter) if binding >= _SUM else _text(args[1], tighter)
        return Written(xp, _text(args[0], binding) + sign + right, binding)
    if name == "negative":
        return Written(xp, "-" + _right(args[0], _PRODUCT), _PRODUCT)
    if name in ("pow", "square"):
        exponent = _text(args[1], _SIGN) if name == "pow" else "2"
        return Written(xp, f"{_text(args[0], _ATOM)}**{exponent}", _POWER)
    if name == "reciprocal":
        return Written(xp, f"1/{_right(args[0], _SIGN)}", _PRODUCT)
    words = [_text(arg, _OR) for arg in args] + [f"{key}={_text(value, _OR)}" for key, value in params.items()]
    return Written(xp, f"{name}({', '.join(words)})")


def _right(value: Any, place: int) -> str:
    """The text of a right side: no two signs come together."""
    text = _text(value, place)
    return f"({text})" if text.startswith("-") else text


def _text(value: Any, place: int) -> str:
    """A formula or a number, in parentheses where it holds together less tightly than its place demands."""
    if isinstance(value, Written):
        return f"({value.text})" if value.binding < place else value.text
    if isinstance(value, tuple | list):
        return f"[{', '.join(_text(v, _OR) for v in value)}]"
    if isinstance(value, bool | str) or value is None:
        return str(value)
    if not isinstance(value, int | float):
        raise NotWritten
    if value == pi:
        return "pi"
    text = repr(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
    return f"({text})" if value < 0 and place > _SIGN else text


def arguments(row: Primitive) -> list[str]:
    """The names by which a row's arrays are told."""
    return list(NAMES[: row.arity]) if row.arity is not None else ["[x, y]"]


def slopes(row: Primitive) -> tuple[str, ...]:
    """The slope by each argument as a formula; an empty text where no derivative passes."""
    told = []
    for slope in row.slopes or ():
        xp = Writer()
        try:
            value = slope(xp, *[Written(xp, a) for a in ("value", *arguments(row))]) if callable(slope) else slope
            told.append("" if value is None else _readable(_text(value, _OR), row))
        except NotWritten:
            told.append(UNWRITTEN)
        except Unsupported:
            told.append(REFUSED)
    return tuple(told)


def _readable(text: str, row: Primitive) -> str:
    """A formula, if the language reads it back; a series written out is too deep for it."""
    try:
        parse_formula(text, ("value", *arguments(row)))
    except ExpressionError:
        return UNREADABLE
    return text


def meaning(row: Primitive) -> tuple[str, tuple[str, ...]]:
    """What a composition means, and the rows it uses; nothing where it has no one formula."""
    if row.compose is None:
        return "", ()
    xp = Writer()
    arrays = [Written(xp, name) for name in NAMES[: 2 if row.arity is None else row.arity]]
    try:
        value = (
            row.compose(xp, arrays, **row.defaults) if row.arity is None else row.compose(xp, *arrays, **row.defaults)
        )
        return _text(value, _OR), tuple(xp.used)
    except (NotWritten, TypeError):  # a TypeError: it has parameters without defaults
        return "", ()


def source(rule: Any) -> str:
    """The code of a rule that is a function with a name; nothing for others."""
    if getattr(rule, "__name__", "<lambda>") == "<lambda>":
        return ""
    try:
        return dedent(inspect.getsource(rule)).rstrip()
    except (OSError, TypeError):
        return ""


# For modules that write more than a row: how tightly a place holds its text together, and the text in it.
OR, AND, SUM, PRODUCT, SIGN, ATOM = _OR, _AND, _SUM, _PRODUCT, _SIGN, _ATOM
text_in, right_side = _text, _right
