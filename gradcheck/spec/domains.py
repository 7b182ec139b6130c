"""Where may an input lie? The domain's text read into a `Domain`.

A word (`positive`), a word with what it is of (`spd(1e6)`, `log_uniform(1e-8, 1e8)`, `index(n)`), an interval
(`(0, 1]`, its ends formulas without names), a bounded integer (`integer [0, 5]`), a predicate over all inputs
(`norm(x) > 0`), or one of the former and a predicate after a comma.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from gradcheck.errors import EvaluationError, ExpressionError, did_you_mean
from gradcheck.expr import NUMPY, Program, parse_formula
from gradcheck.expr.grammar import taken
from gradcheck.expr.nodes import Sequence
from gradcheck.spec.model import Domain
from gradcheck.spec.words import DOMAINS_OF, STRUCTURES, WORDS

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
    elif word and _is_a_word(head.text, word[0]):
        box = _worded(text, head, word[0], names)
    else:
        return _with_predicate(text, Domain(), _Piece(text.strip(), _indent(text)), names)
    if box.text == "nonzero":
        box = replace(box, predicate=parse_formula(f"{name} != 0", [name]))
    if rest is None:
        return replace(box, text=text.strip())
    return _with_predicate(text, box, rest, names, name if box.text == "nonzero" else "")


def parse_condition(text: str, names: Collection[str]) -> Program:
    """The one condition written as `text`. Raises ExpressionError with its place, also for several in a list."""
    program = parse_formula(text, names)
    if isinstance(program.tree, Sequence):
        place = max(_comma(text, level=0), 0)
        raise _fail(text, place, "several conditions at once", "one, with 'and' between its parts")
    return program


def wrong_shape(domain: Domain, shape: tuple[str | int, ...]) -> str:
    """The shape that a structured domain needs and `shape` is not; an empty string where it fits."""
    if domain.kind in _SQUARE and (len(shape) < 2 or shape[-1] != shape[-2]):
        return f"a square shape such as [n, n] for {domain.kind!r}"
    if domain.kind in STRUCTURES and not shape:
        return f"a shape of at least one dimension for {domain.kind!r}"
    return ""


def _with_predicate(text: str, box: Domain, piece: _Piece, names: Collection[str], nonzero: str = "") -> Domain:
    try:
        predicate = parse_condition(piece.text, names)
        if nonzero:
            predicate = parse_formula(f"({nonzero} != 0) and ({piece.text})", names)
    except ExpressionError as error:
        raise _at(text, piece.start, error) from None
    return replace(box, predicate=predicate, text=text.strip())


def _is_a_word(head: str, word: str) -> bool:
    """Whether a domain's word begins here, and no formula that calls a function of the same name (`real(z) > 0`)."""
    called = head[len(word) : len(word) + 1] == "("
    if word in WORDS or word == head:
        return not (called and word not in DOMAINS_OF and taken(word))
    return called and not taken(word) and bool(did_you_mean(word, tuple(DOMAINS_OF)))


def _worded(text: str, head: _Piece, word: str, names: Collection[str]) -> Domain:
    if word not in WORDS:
        suggestion = did_you_mean(word, WORDS)
        raise _fail(text, head.start, f"unknown domain {word!r}", "one of " + ", ".join(WORDS), suggestion)
    tail = head.text[len(word) :]
    start = head.start + len(word) + _indent(tail)
    if word in DOMAINS_OF and (tail.strip()[:1] == "(" or word != "spd"):
        return _of(text, _Piece(tail.strip(), start), word, names)
    if not tail.strip():
        return replace(_BOXES.get(word, Domain(kind=word)), text=word)
    if word != "integer" or tail.strip()[0] not in "([":
        raise _fail(text, start, f"{tail.strip()[:40]!r} cannot follow {word!r}", "a comma and a predicate")
    return _integers(text, start, _interval(text, _Piece(tail.strip(), start)))


def _of(text: str, piece: _Piece, word: str, names: Collection[str]) -> Domain:
    """`index(n)`, `log_uniform(1e-8, 1e8)`, `spd(1e6)`: `piece` is what stands behind the word."""
    example = DOMAINS_OF[word]
    if piece.text[:1] != "(" or piece.text[-1:] != ")" or _comma(piece.text + ",", level=0) != len(piece.text):
        raise _fail(text, piece.start, f"{word!r} says of what in brackets", repr(example))
    if word == "index":
        return _index(text, _Piece(piece.text[1:-1].strip(), piece.start + 1), names)
    if word == "log_uniform":
        box = _interval(text, _Piece(f"[{piece.text[1:-1]}]", piece.start)) if _comma(piece.text) >= 0 else Domain()
        if not 0 < box.low < box.high:
            raise _fail(text, piece.start, "two numbers above 0 are needed, the smaller first", repr(example))
        return replace(box, log=True)
    condition = _bound(text, _Piece(piece.text[1:-1], piece.start + 1))
    if not 1 <= condition < _INF:
        raise _fail(text, piece.start + 1, f"a condition number is at least 1, not {condition:g}", repr(example))
    return Domain(kind="spd", condition=condition)


def _index(text: str, piece: _Piece, names: Collection[str]) -> Domain:
    if piece.text.isdecimal() and int(piece.text):
        return Domain("integer", 0.0, float(int(piece.text) - 1), False, False)
    if piece.text not in names:
        suggestion = did_you_mean(piece.text, tuple(names))
        wanted = f"{DOMAINS_OF['index']!r} or 'index(5)'"
        raise _fail(text, piece.start, f"{piece.text[:40]!r} is not a dimension", wanted, suggestion)
    return Domain("integer", low=0.0, low_open=False, below=piece.text)


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
