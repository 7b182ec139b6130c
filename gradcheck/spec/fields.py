"""What may stand in one field of a spec? The small types the schema is built from, each refusing in its own words."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, NoReturn

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from gradcheck.errors import did_you_mean
from gradcheck.spec.words import ID, REFERENCE

_FORMULA_HINT = "a formula, in quotes where it holds a comma, a bracket, '#' or ': '"


def refuse(message: str, expected: str = "", suggestion: str = "", at: tuple[Any, ...] = ()) -> NoReturn:
    """Raise a complaint that the loader turns into a SpecError; `at` leads on from the field's own path."""
    context = {"message": message, "expected": expected, "suggestion": suggestion, "at": at}
    raise PydanticCustomError("gradcheck", "{message}", context)


def describe(value: Any) -> str:
    """What kind of thing YAML gave, in words."""
    if value is None:
        return "nothing"
    words = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list"}
    return words.get(type(value), "a mapping")


def formula(value: Any) -> str:
    """The text of a formula; a number is its own formula."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        if math.isnan(value):
            refuse("nan is not a formula", _FORMULA_HINT)
        return repr(value)
    refuse(f"{describe(value)} is not a formula", _FORMULA_HINT)


def text(value: Any) -> str:
    """A text; numbers and truth values must be quoted to be one."""
    if isinstance(value, str):
        return value
    refuse(f"{describe(value)} is not a text", "a text, in quotes where it looks like a number")


def numbers(value: Any) -> Any:
    """A number, or nested lists of them without ragged edges, as nested tuples of floats."""
    result = _numbers(value, ())
    _check_even(result, ())
    return result


def _numbers(value: Any, at: tuple[int, ...]) -> Any:
    if isinstance(value, list):
        return tuple(_numbers(item, (*at, index)) for index, item in enumerate(value))
    if not isinstance(value, int | float) or isinstance(value, bool):
        refuse(f"{describe(value)} is not a number", "a number or a nested list of numbers", at=at)
    if math.isnan(value):
        refuse("nan equals nothing and cannot be checked", "a number", at=at)
    return float(value)


def _check_even(value: Any, at: tuple[int, ...]) -> None:
    if not isinstance(value, tuple):
        return
    for index, item in enumerate(value):
        _check_even(item, (*at, index))
        if shape_of(item) != shape_of(value[0]):
            refuse("the rows of this list differ in length", f"shape {list(shape_of(value[0]))} as in the first row",
                   at=(*at, index))  # fmt: skip


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of nested tuples, read along the first items."""
    shape: list[int] = []
    while isinstance(value, tuple):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(shape)


def one_of(value: Any, words: tuple[str, ...], what: str) -> str:
    """One of `words`, else a complaint with a suggestion."""
    if isinstance(value, str) and value in words:
        return value
    if not isinstance(value, str):
        refuse(f"{describe(value)} is not {what}", "one of " + ", ".join(words))
    close = did_you_mean(value[:60], words) or did_you_mean(value[:60].upper(), words)
    refuse(f"{value[:60]!r} is not {what}", "one of " + ", ".join(words), close)


def boolean(value: Any) -> bool:
    """true or false and nothing like them."""
    if isinstance(value, bool):
        return value
    refuse(f"{describe(value)} is not a truth value", "true or false")


def whole(value: Any, low: int, high: int) -> int:
    """A whole number from `low` to `high`; 2.0 and true are none."""
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    refuse(f"{repr(value) if number else describe(value)} is not such a number", f"a whole number from {low} to {high}")


def positive(value: Any, what: str) -> float:
    """A finite number above zero."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf:
        return float(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    refuse(f"{repr(value) if number else describe(value)} is not {what}", "a number above 0")


def reference(value: Any) -> str:
    """A reference to people's own code."""
    if isinstance(value, str) and re.fullmatch(REFERENCE, value):
        return value
    refuse("this names no function", "module:name or package.module:Class.method")


def tag(value: Any) -> str:
    """A word by which entries are selected."""
    if isinstance(value, str) and re.fullmatch(ID, value):
        return value
    refuse(f"{str(value)[:60]!r} is not a tag", "a word of letters, digits, '_', '-' and '.'")


def shape(value: Any) -> tuple[str | int, ...]:
    """A list of dimension names and sizes."""
    if not isinstance(value, list):
        refuse(f"{describe(value)} is not a shape", "a list such as [n, 3]; [] is a scalar")
    if len(value) > 6:
        refuse(f"a shape of {len(value)} dimensions", "at most 6")
    sizes = tuple(_dimension(item, index) for index, item in enumerate(value))
    if math.prod(size for size in sizes if isinstance(size, int)) > 100_000:
        refuse("the fixed sizes hold more than 100000 elements", "smaller sizes, or names")
    return sizes


def _dimension(item: Any, index: int) -> str | int:
    if isinstance(item, str) or (isinstance(item, int) and not isinstance(item, bool) and item >= 1):
        return item
    refuse(f"{item!r} is not a dimension", "a name, a size of at least 1, or 'n or 1'", at=(index,))


NUMBERS_MARK = "x-numbers"  # stands for a reference to the schema of nested numbers
_NESTED = {"anyOf": [{"type": "number"}, {"type": "array", "items": {"$ref": "#/definitions/Numbers"}}]}
NUMBERS_SCHEMA: dict[str, Any] = {"title": "Numbers", "description": "A number, or nested lists of numbers.", **_NESTED}

Formula = Annotated[str, BeforeValidator(formula), WithJsonSchema({"type": ["string", "number"]})]
Text = Annotated[str, BeforeValidator(text)]
Flag = Annotated[bool, BeforeValidator(boolean)]
Numbers = Annotated[Any, PlainValidator(numbers), WithJsonSchema({NUMBERS_MARK: True})]
Tag = Annotated[str, BeforeValidator(tag), WithJsonSchema({"type": "string", "pattern": f"^{ID}$"})]
Reference = Annotated[str, BeforeValidator(reference), WithJsonSchema({"type": "string", "pattern": f"^{REFERENCE}$"})]
_SIZE = {"anyOf": [{"type": "string", "examples": ["n", "n or 1"]}, {"type": "integer", "minimum": 1}]}
Shape = Annotated[tuple[str | int, ...], PlainValidator(shape), WithJsonSchema({"type": "array", "items": _SIZE})]
