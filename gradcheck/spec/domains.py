"""Where may an input lie? The domain's text read into a `Domain`.

A word (`positive`), an interval (`(0, 1]`, its ends formulas without names), a bounded integer (`integer [0, 5]`), a
predicate over all inputs (`norm(x) > 0`), or one of the former and a predicate after a comma.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass

from gradcheck.errors import EvaluationError, ExpressionError, did_you_mean
from gradcheck.expr import NUMPY, Program, parse_formula
from gradcheck.spec.model import Domain
from gradcheck.spec.words import STRUCTURES, WORDS

_INF = math.inf
_BOXES: dict[str, Domain] = {
    "real": Domain(),
    "positive": Domain(low=0.0),
    "negative": Domain(high=0.0),
    "nonnegative": Domain(low=0.0, low_open=False),
    "nonzero": Domain(),
    "unit": Domain(low=0.0, high=1.0, low_open=False, high_open=False),
    "integer": Domain(kind="integer"),
    "boolean": Domain(kind="boolean", low=0.0, high=1.0, low_open=False, high_open=False),
    "probability": Domain(kind="probability", low=0.0, high=1.0, low_open=False, high_open=False),
    "simplex": Domain(kind="simplex", low=0.0, high=1.0, low_open=False, high_open=False),
}
DISCRETE = ("integer", "boolean", "permutation")
_SQUARE = ("orthogonal", "symmetric", "spd", "triangular")
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of the text and where it begins."""

    text: str
    start: int


def parse_domain(text: str, name: str, names: Collection[str]) -> Domain:
    """The domain written as `text` for input `name`; a predicate may use `names`.

    Raises ExpressionError with the place in `text`.
    """
    head, rest = _head(text)
    word = _WORD.match(head.text)
    if head.text[:1] in ("(", "[") and _comma(head.text) >= 0:
        box = _interval(text, head)
    elif word and (word[0] in WORDS or word[0] == head.text):
        box = _worded(text, head, word[0])
    else:
        return _with_predicate(text, Domain(), _Piece(text.strip(), _indent(text)), names)
    if box.text == "nonzero":
        box = _replaced(box, parse_formula(f"{name} != 0", [name]))
    if rest is None:
        return Domain(box.kind, box.low, box.high, box.low_open, box.high_open, box.predicate, text.strip())
    return _with_predicate(text, box, rest, names, name if box.text == "nonzero" else "")


def wrong_shape(domain: Domain, shape: tuple[str | int, ...]) -> str:
    """The shape that a structured domain needs and `shape` is not; an empty string where it fits."""
    if domain.kind in _SQUARE and (len(shape) < 2 or shape[-1] != shape[-2]):
        return f"a square shape such as [n, n] for {domain.kind!r}"
    if domain.kind in STRUCTURES and not shape:
        return f"a shape of at least one dimension for {domain.kind!r}"
    return ""


def _with_predicate(text: str, box: Domain, piece: _Piece, names: Collection[str], nonzero: str = "") -> Domain:
    try:
        predicate = parse_formula(piece.text, names)
        if nonzero:
            predicate = parse_formula(f"({nonzero} != 0) and ({piece.text})", names)
    except ExpressionError as error:
        raise _at(text, piece.start, error) from None
    return Domain(box.kind, box.low, box.high, box.low_open, box.high_open, predicate, text.strip())


def _replaced(box: Domain, predicate: Program) -> Domain:
    return Domain(box.kind, box.low, box.high, box.low_open, box.high_open, predicate, box.text)


def _worded(text: str, head: _Piece, word: str) -> Domain:
    if word not in WORDS:
        suggestion = did_you_mean(word, WORDS)
        raise _fail(text, head.start, f"unknown domain {word!r}", "one of " + ", ".join(WORDS), suggestion)
    tail = head.text[len(word) :]
    if not tail.strip():
        box = _BOXES.get(word, Domain(kind=word))
        return Domain(box.kind, box.low, box.high, box.low_open, box.high_open, None, word)
    start = head.start + len(word) + _indent(tail)
    if word != "integer" or tail.strip()[0] not in "([":
        raise _fail(text, start, f"{tail.strip()[:40]!r} cannot follow {word!r}", "a comma and a predicate")
    return _integers(text, start, _interval(text, _Piece(tail.strip(), start)))


def _integers(text: str, start: int, box: Domain) -> Domain:
    low, high = _whole(box.low, 1, box.low_open), _whole(box.high, -1, box.high_open)
    if low > high:
        raise _fail(text, start, "no integer lies in this interval")
    return Domain("integer", low, high, math.isinf(low), math.isinf(high))


def _whole(end: float, inward: int, is_open: bool) -> float:
    """The integer nearest to an end of an interval within it."""
    if math.isinf(end):
        return end
    if end == math.floor(end):
        return end + inward if is_open else end
    return float(math.ceil(end) if inward > 0 else math.floor(end))


def _interval(text: str, piece: _Piece) -> Domain:
    """`[low, high)`: square brackets include the end, round ones do not; `piece` holds nothing else."""
    inner, close = piece.text[1:-1], piece.text[-1]
    comma = _comma(piece.text)
    if close not in ")]" or comma < 0:
        raise _fail(text, piece.start, "this is not an interval", '"(0, 1]" or "[-1, inf)"')
    low = _bound(text, _Piece(piece.text[1:comma], piece.start + 1))
    high = _bound(text, _Piece(inner[comma:], piece.start + comma + 1))
    low_open, high_open = piece.text[0] == "(", close == ")"
    if low > high or (low == high and (low_open or high_open)):
        raise _fail(text, piece.start, f"the interval from {low:g} to {high:g} is empty")
    if (math.isinf(low) and not low_open) or (math.isinf(high) and not high_open):
        raise _fail(text, piece.start, "an infinite end belongs to no interval", "a round bracket beside inf")
    return Domain(low=low, high=high, low_open=low_open, high_open=high_open)


def _bound(text: str, piece: _Piece) -> float:
    start = piece.start + _indent(piece.text)
    try:
        value = parse_formula(piece.text.strip(), ())(NUMPY, {})
        bound = float(value)
    except ExpressionError as error:
        raise _at(text, start, error) from None
    except (EvaluationError, TypeError, ValueError, OverflowError) as error:
        raise _fail(text, start, f"this end is not a number ({error})", "a number such as 1, -inf or 2*pi") from None
    if math.isnan(bound):
        raise _fail(text, start, "this end is not a number", "a number such as 1, -inf or 2*pi")
    return bound


def _head(text: str) -> tuple[_Piece, _Piece | None]:
    """What stands before the first comma outside all brackets, and the predicate behind it."""
    comma = _comma(text, level=0)
    first = text if comma < 0 else text[:comma]
    head = _Piece(first.strip(), _indent(first))
    if comma < 0:
        return head, None
    rest = text[comma + 1 :]
    return head, _Piece(rest.strip(), comma + 1 + _indent(rest))


def _comma(text: str, level: int = 1) -> int:
    """The index of the first comma inside `level` brackets, -1 where there is none before they close."""
    depth = 0
    for index, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == level:
            return index
        if depth <= 0 < level:
            return -1
    return -1


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _at(text: str, start: int, error: ExpressionError) -> ExpressionError:
    """The same complaint, with its place in the whole text."""
    column = start + error.column if error.line == 1 else error.column
    return ExpressionError(error.message, text, error.line, column, error.expected, error.suggestion)


def _fail(text: str, start: int, message: str, expected: str = "", suggestion: str = "") -> ExpressionError:
    return ExpressionError(message, text, 1, start + 1, expected, suggestion)
