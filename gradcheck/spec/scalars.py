"""What does a plain word of YAML 1.2 mean? The core schema: null, true and false, integers, floats, else text.

PyYAML resolves by YAML 1.1, where `1e-6` is text, `1:20` is 80, `017` is 15 and `on` is true; none of that here.
"""

from __future__ import annotations

import math
import re

NUMBER_LENGTH = 100  # characters a number may have
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_DECIMAL = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_INFINITY = re.compile(r"([-+]?)\.(inf|Inf|INF)\Z")
_NAN = frozenset((".nan", ".NaN", ".NAN"))
_NUMBER_STARTS = frozenset("+-.0123456789")

Scalar = str | int | float | bool | None


class NotANumber(ValueError):
    """A word that looks like a number but cannot be one, with the reason."""


def resolve(text: str) -> Scalar:
    """The value of a plain (unquoted, untagged) scalar; raises NotANumber where a number cannot be held."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    return _number(text)


def _number(text: str) -> Scalar:
    for pattern, base in ((_DECIMAL, 10), (_OCTAL, 8), (_HEX, 16)):
        if pattern.match(text):
            return int(_short(text), base)
    if _FLOAT.match(text):
        return _float(_short(text))
    infinity = _INFINITY.match(text)
    if infinity:
        return -math.inf if infinity[1] == "-" else math.inf
    return math.nan if text in _NAN else text


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise NotANumber("a number too large for float64")
    if number == 0 and re.search("[1-9]", re.split("[eE]", text)[0]):
        raise NotANumber("a number too small for float64")
    return number


def _short(text: str) -> str:
    if len(text) > NUMBER_LENGTH:
        raise NotANumber(f"a number of {len(text)} characters, at most {NUMBER_LENGTH} are read")
    return text
