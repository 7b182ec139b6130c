"""Are domains read as they are meant?"""

from __future__ import annotations

import math

import pytest

from gradcheck.errors import ExpressionError
from gradcheck.spec.domains import parse_domain, wrong_shape

INF = math.inf
NAMES = ["x", "y", "n"]


@pytest.mark.parametrize(
    ("text", "kind", "low", "high", "low_open", "high_open"),
    [
        ("real", "real", -INF, INF, True, True),
        ("positive", "real", 0, INF, True, True),
        ("negative", "real", -INF, 0, True, True),
        ("nonnegative", "real", 0, INF, False, True),
        ("nonzero", "real", -INF, INF, True, True),
        ("unit", "real", 0, 1, False, False),
        ("integer", "integer", -INF, INF, True, True),
        ("boolean", "boolean", 0, 1, False, False),
        ("probability", "probability", 0, 1, False, False),
        ("simplex", "simplex", 0, 1, False, False),
        ("spd", "spd", -INF, INF, True, True),
        (" sorted ", "sorted", -INF, INF, True, True),
        ("(0, 1)", "real", 0, 1, True, True),
        ("[-1, inf)", "real", -1, INF, False, True),
        ("(-2*pi, max(1, 2)]", "real", -2 * math.pi, 2, True, False),
        ("[3, 3]", "real", 3, 3, False, False),
        ("integer [0, 5]", "integer", 0, 5, False, False),
        ("integer (0, 5)", "integer", 1, 4, False, False),
        ("integer [0.5, 5.5]", "integer", 1, 5, False, False),
        ("integer (-inf, 3]", "integer", -INF, 3, True, False),
        ("index(n)", "integer", 0, INF, False, True),
        ("log_uniform(1e-8, 10**8)", "real", 1e-8, 1e8, False, False),
        ("spd(1e6)", "spd", -INF, INF, True, True),
    ],
)
def test_boxes(text: str, kind: str, low: float, high: float, low_open: bool, high_open: bool) -> None:
    domain = parse_domain(text.replace("max(", "maximum("), "x", NAMES)
    assert (domain.kind, domain.low, domain.high) == (kind, low, high)
    assert (domain.low_open, domain.high_open) == (low_open, high_open)
    assert (domain.predicate is None) is (text != "nonzero")


@pytest.mark.parametrize(
    ("text", "predicate", "high"),
    [
        ("norm(x) > 0", "norm(x) > 0", INF),
        ("x != 0", "x != 0", INF),
        ("(x > 0) and (y < 1)", "(x > 0) and (y < 1)", INF),
        ("where(x > 0, x, -x) > 1", "where(x > 0, x, -x) > 1", INF),
        ("(-2, 2), norm(x) < 1", "norm(x) < 1", 2),
        ("unit, x < y", "x < y", 1),
        ("integer [0, 5], x < n", "x < n", 5),
        ("nonzero", "x != 0", INF),
        ("nonzero, x < 1", "(x != 0) and (x < 1)", INF),
        ("real(x) > 1", "real(x) > 1", INF),
        ("log_uniform(1, 2), x < y", "x < y", 2),
    ],
)
def test_predicates(text: str, predicate: str, high: float) -> None:
    domain = parse_domain(text, "x", NAMES)
    assert domain.predicate is not None
    assert domain.predicate.text == predicate
    assert domain.high == high
    assert domain.text == text


@pytest.mark.parametrize(
    ("text", "column", "complaint"),
    [
        ("postive", 1, "did you mean 'positive'?"),
        ("  reel", 3, "did you mean 'real'?"),
        ("(1, 1)", 1, "the interval from 1 to 1 is empty"),
        ("[1, 0]", 1, "the interval from 1 to 0 is empty"),
        ("[0, inf]", 1, "an infinite end belongs to no interval; expected a round bracket beside inf"),
        ("[-inf, 0]", 1, "an infinite end belongs to no interval; expected a round bracket beside inf"),
        ("(0, 1", 1, "this is not an interval"),
        ("(0, 1)) > 2", 1, "this is not an interval"),
        ("(0, 1, 2)", 5, "this end is not a number"),
        ("(0, y)", 5, "unknown name 'y'"),
        ("(inf - inf, 1)", 2, "this end is not a number"),
        ("(zeros(3), 1)", 2, "this end is not a number"),
        ("integer (0, 1)", 9, "no integer lies in this interval"),
        ("integer 3", 9, "'3' cannot follow 'integer'; expected a comma and a predicate"),
        ("positive (0, 1)", 10, "'(0, 1)' cannot follow 'positive'"),
        ("positive,", 10, "nothing is written here"),
        ("positive, nrm(x) > 0", 11, "did you mean 'norm'?"),
        ("norm(z) > 0", 6, "unknown name 'z'"),
        ("", 1, "nothing is written here"),
        ("x > y,", 6, "several conditions at once; expected one, with 'and' between its parts"),
        ("unit, x > y, y > 0", 12, "several conditions at once"),
        ("[x > y]", 1, "several conditions at once"),
        ("index(m)", 7, "'m' is not a dimension"),
        ("index", 6, "'index' says of what in brackets; expected 'index(n)'"),
        ("index(n) > 3", 6, "'index' says of what in brackets"),
        ("log_uniform(2, 1)", 12, "the interval from 2 to 1 is empty"),
        ("log_uniform(0, 1)", 12, "two numbers above 0 are needed, the smaller first"),
        ("log_uniform(3)", 12, "two numbers above 0 are needed"),
        ("log_unifrm(1, 2)", 1, "did you mean 'log_uniform'?"),
        ("spd(0.5)", 5, "a condition number is at least 1, not 0.5"),
        ("spd(x)", 5, "unknown name 'x'"),
    ],
)
def test_complaints(text: str, column: int, complaint: str) -> None:
    with pytest.raises(ExpressionError) as refusal:
        parse_domain(text, "x", NAMES)
    assert complaint in str(refusal.value)
    assert (refusal.value.line, refusal.value.column) == (1, column)


@pytest.mark.parametrize(
    ("word", "shape", "fits"),
    [
        ("spd", ("n", "n"), True), ("spd", ("b", "n", "n"), True), ("spd", ("n", "m"), False), ("spd", ("n",), False),
        ("orthogonal", (3, 3), True), ("triangular", (3, 2), False), ("symmetric", (), False),
        ("simplex", ("n",), True), ("simplex", (), False), ("sphere", ("n", 3), True), ("sorted", (), False),
        ("real", (), True), ("probability", (), True),
    ],
)  # fmt: skip
def test_shapes(word: str, shape: tuple[str | int, ...], fits: bool) -> None:
    assert (wrong_shape(parse_domain(word, "x", NAMES), shape) == "") is fits


def test_an_index_ends_with_its_dimension() -> None:
    domain = parse_domain("index(n)", "i", NAMES)
    assert (domain.at({"n": 4}).low, domain.at({"n": 4}).high, domain.at({"n": 4}).high_open) == (0, 3, False)
    assert domain.at({"m": 4}) == domain and parse_domain("unit", "i", NAMES).at({"n": 4}).high == 1


def test_what_a_word_is_of_is_kept() -> None:
    assert parse_domain("spd(1e6)", "x", NAMES).condition == 1e6 and parse_domain("spd", "x", NAMES).condition == 0
    assert parse_domain("log_uniform(1, 2)", "x", NAMES).log
