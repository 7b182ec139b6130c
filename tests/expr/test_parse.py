"""Is exactly the language accepted, and is everything else refused with its place?"""

from __future__ import annotations

import pytest

from gradcheck.errors import ExpressionError
from gradcheck.expr import nodes as n
from gradcheck.expr.parse import MAX_CHARACTERS, parse_block, parse_expression

NAMES = ("x", "y", "n")


def bare(tree: object) -> object:
    """A tree without the places, as nested tuples."""
    if isinstance(tree, tuple):
        return tuple(bare(item) for item in tree)
    if hasattr(tree, "__dataclass_fields__"):
        fields = [bare(getattr(tree, f)) for f in tree.__dataclass_fields__ if f != "at"]
        return (type(tree).__name__, *fields)
    return tree


def same(one: str, other: str) -> bool:
    return bare(parse_expression(one, NAMES)) == bare(parse_expression(other, NAMES))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("x + y*2", "add(x, multiply(y, 2))"),
        ("-x**2", "negative(pow(x, 2))"),
        ("2**-x", "pow(2, negative(x))"),
        ("x @ y % 2", "remainder(matmul(x, y), 2)"),
        ("x // 2 / y", "divide(floor_divide(x, 2), y)"),
        ("0 < x <= y", "less(0, x) and less_equal(x, y)"),
        ("not x == y or x != y", "logical_or(logical_not(equal(x, y)), not_equal(x, y))"),
        ("x.T", "permute_dims(x)"),
        ("sum(x, 0)", "sum(x, axis=0)"),
        ("sum(x, keepdims=True, axis=0)", "sum(x, 0, True)"),
        ("cumsum(x, 0)", "cumulative_sum(x, axis=0)"),
        ('einsum("i,i->", x, y)', 'einsum([x, y], subscripts="i,i->")'),
        ('meshgrid(x, y, indexing="ij")', 'meshgrid([x, y], "ij")'),
        ("hstack(x, y)", "hstack([x, y])"),
        ("sigmoid(arctan(x))", "expit(atan(x))"),
        ("  x + 1  ", "x + 1"),
        ("(x +\n 1)", "x + 1"),
    ],
)
def test_two_ways_to_write_the_same(text: str, other: str) -> None:
    assert same(text, other)


@pytest.mark.parametrize(
    ("text", "other"),
    [("x - y - n", "x - (y - n)"), ("x / y", "y / x"), ("x < y", "x <= y"), ("-x**2", "(-x)**2"), ("x[0]", "x[:0]")],
)
def test_what_is_not_the_same(text: str, other: str) -> None:
    assert not same(text, other)


def test_numbers_and_constants() -> None:
    assert parse_expression("-1.5", ()) == n.Const(-1.5, at=(1, 1))
    assert parse_expression("pi", ()) == n.Const(3.141592653589793, "pi", (1, 1))
    assert bare(parse_expression("-pi", ())) == ("Call", "negative", (("Const", 3.141592653589793, "pi"),), ())
    assert parse_expression("True", ()) == n.Const(True, at=(1, 1))
    assert bare(parse_expression("e", ["e"])) == ("Name", "e")  # a name of one's own goes first


def test_places_are_one_based_and_of_the_node() -> None:
    tree = parse_expression("x + sin(y)", NAMES)
    assert isinstance(tree, n.Call)
    assert (tree.at, tree.args[1].at) == ((1, 1), (1, 5))


def test_indexing() -> None:
    tree = parse_expression("x[0, ..., None, 1:n:-1]", NAMES)
    assert isinstance(tree, n.Index)
    zero, dots, new, cut = tree.items
    assert (bare(zero), bare(dots), new) == (("Const", 0, ""), ("Dots",), None)
    assert bare(cut) == ("Slice", ("Const", 1, ""), ("Name", "n"), ("Const", -1, ""))


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("", "nothing is written here", 1),
        ("   ", "nothing is written here", 1),
        ("x + * y", "this is not a formula of the language", 5),
        ("x = 1", "this is not a formula of the language", 3),
        ("x; y", "this is not a formula of the language", 2),
        ("z + 1", "unknown name 'z'; expected one of n, x, y", 1),
        ("1 + snih(x)", "unknown function 'snih'; expected a function of the vocabulary; did you mean 'sinh'?", 5),
        ("sin + 1", "'sin' is a function; expected sin(…)", 1),
        ("x.real", "the attribute .real is not in the language; expected .T, .shape or .ndim", 1),
        ("x.__class__", "the attribute .__class__ is not in the language", 1),
        ("x.sum()", "only functions of the vocabulary are called, by name", 1),
        ("sin(x)(y)", "only functions of the vocabulary are called, by name", 1),
        ("__import__('os')", "unknown function '__import__'", 1),
        ("eval('x')", "unknown function 'eval'", 1),
        ("lambda: x", "a lambda is not in the language", 1),
        ("f'{x}'", "an f-string is not in the language", 1),
        ("[x for x in y]", "a comprehension is not in the language", 1),
        ("sum(x for x in y)", "a generator is not in the language", 4),
        ("(z := x)", "an assignment inside an expression is not in the language", 2),
        ("{x, y}", "a set is not in the language", 1),
        ("sin(*x)", "a starred argument is not in the language", 5),
        ("sin(**x)", "sin has no parameter None", 7),
        ("x & y", "the operator & is not in the language", 1),
        ("~x", "the operator ~ is not in the language", 1),
        ("x << 2", "the operator << is not in the language", 1),
        ("x is y", "the comparison Is is not in the language", 1),
        ("x in y", "the comparison In is not in the language", 1),
        ("'text'", "'text' is not a number", 1),
        ("b'text'", "b'text' is not a number", 1),
        ("sum(x, axis='all')", "'all' is not a number", 13),
        ("pad(x, 1, 'a;b')", "'a;b' is no word for mode; expected letters, digits, commas, dots and ->", 11),
        ("einsum('__class__()', x)", "'__class__()' is no word for subscripts", 8),
        ("concat(x, y)", "concat takes a list of arrays", 1),
        ("None", "None is not a number", 1),
        ("2j", "2j is not a number", 1),
        ("{}", "a dict names outputs", 1),
        ("{1: x}", "a dict names outputs", 1),
        ("{**x}", "a dict names outputs", 1),
        ("9007199254740993", "an integer too large to be exact; expected at most 2**53", 1),
        ("1e400", "a number past the range of float64; expected write inf", 1),
        ("x**1001", "an exponent of 1001; expected at most 1000", 4),
        ("x**inf", "an exponent of inf", 4),
        ("9**9**9", "a power tower of numbers", 4),
        ("sin()", "sin needs more arguments; expected sin(x)", 1),
        ("sin(x, y)", "sin takes fewer arguments; expected sin(x)", 1),
        ("sum(x, axs=0)", "sum has no parameter 'axs'", 12),
        ("reshape(x)", "reshape needs more arguments", 1),
        ("concat(x)", "concat takes a list of arrays; expected concat([x, y, …]", 1),
        ("9" * 5000, "this is not a formula of the language", 1),
        ("x" * (MAX_CHARACTERS + 1), "a text of 20001 characters is past the limit of 20000", 1),
        ("(" * 80 + "x" + ")" * 80 + "+", "", 1),
        ("-" * 200 + "x", "nested too deeply; expected at most 60 levels", 1),
        ("[" * 3000, "", 1),
        ("+".join("x" * 4001), "", 1),
        ("[" + ",".join("x" * 4001) + "]", "too long; expected at most 4000 operations and names", 1),
    ],
)
def test_refused(text: str, message: str, column: int) -> None:
    with pytest.raises(ExpressionError) as refusal:
        parse_expression(text, NAMES)
    assert message in str(refusal.value)
    if message:
        assert (refusal.value.line, refusal.value.column) == (1, column)


def test_the_nearest_name_is_suggested() -> None:
    with pytest.raises(ExpressionError, match="did you mean 'logsumexp'"):
        parse_expression("logsumexpp(x)", NAMES)
    with pytest.raises(ExpressionError, match="did you mean 'velocity'"):
        parse_expression("velocty", ["velocity"])
    with pytest.raises(ExpressionError, match="did you mean 'axis'"):
        parse_expression("sum(x, axs=0)", NAMES)


def test_a_long_formula_within_the_limits_is_taken() -> None:
    assert isinstance(parse_expression("[" + ",".join("x" * 1900) + "]", NAMES), n.Sequence)
    assert isinstance(parse_expression("-" * 55 + "x", NAMES), n.Call)


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a = x", "the code can end without a return; expected return", 1),
        ("if x > 0:\n    return x", "the code can end without a return", 2),
        ("while x > 0:\n    return x", "the code can end without a return", 2),
        ("return", "a return needs a value", 1),
        ("a = b = x\nreturn a", "one assignment at a time", 1),
        ("x[0] = 1\nreturn x", "only names are assigned to", 1),
        ("x[0] += 1\nreturn x", "only names are assigned to", 1),
        ("sin = x\nreturn x", "'sin' is taken; expected a name of your own", 1),
        ("pi = 3\nreturn x", "'pi' is taken", 1),
        ("__a = 3\nreturn x", "'__a' is taken", 1),
        ("a, b = x\nreturn a", "2 names need as many values; expected a, b = …, …", 1),
        ("a, b = x, x, x\nreturn a", "2 names need as many values", 1),
        ("a = x\nreturn b", "unknown name 'b'", 2),
        ("break\nreturn x", "break outside a loop", 1),
        ("for i in x:\n    pass\nreturn x", "a for loop goes over a range", 1),
        ("for i in range(3):\n    pass\nelse:\n    pass\nreturn x", "a loop's else is not in the language", 4),
        ("while x > 0:\n    x = -x\nelse:\n    pass\nreturn x", "a loop's else is not in the language", 4),
        ("import os\nreturn x", "an import is not in the language", 1),
        ("class A:\n    pass\nreturn x", "a class is not in the language", 1),
        ("with x:\n    pass\nreturn x", "with is not in the language", 1),
        ("try:\n    pass\nexcept E:\n    pass\nreturn x", "try is not in the language", 1),
        ("raise x\nreturn x", "raise is not in the language", 1),
        ("assert x\nreturn x", "assert is not in the language", 1),
        ("global x\nreturn x", "global is not in the language", 1),
        ("del x\nreturn x", "del is not in the language", 1),
        ("a: float = x\nreturn a", "an annotation is not in the language", 1),
        ("sin(x)\nreturn x", "a statement without effect is not in the language", 1),
        ("return lambda: x", "a lambda is not in the language", 1),
        ("def g(a=1):\n    return a\nreturn g(x)", "a local function has plain parameters only", 1),
        ("def g(*a):\n    return a\nreturn g(x)", "a local function has plain parameters only", 1),
        ("def g(a):\n    b = a\nreturn g(x)", "g can end without a return", 1),
        ("def g(a):\n    return g(a)\nreturn g(x)", "unknown function 'g'", 2),
        ("def g(a):\n    return a\nreturn g(x, x)", "g was called wrongly; expected 1 arguments by position", 3),
        ("def g(a):\n    return a\nreturn g(a=x)", "g was called wrongly", 3),
        ("def g(a):\n    return a\ng = x\nreturn g", "'g' is taken", 3),
        ("async def g(a):\n    return a\nreturn x", "async is not in the language", 1),
        ("  return x", "this is not a formula of the language", 1),
    ],
)
def test_refused_code(text: str, message: str, line: int) -> None:
    with pytest.raises(ExpressionError) as refusal:
        parse_block(text, NAMES)
    assert message in str(refusal.value)
    assert refusal.value.line == line


def test_every_path_may_return() -> None:
    body = parse_block('"""Words."""\nif x > 0:\n    return x\nelif y > 0:\n    return y\nelse:\n    return 0', NAMES)
    assert [type(statement).__name__ for statement in body] == ["If"]


def test_augmented_assignment_is_an_assignment() -> None:
    assert bare(parse_block("a = x\na *= y + 1\nreturn a", NAMES)) == bare(
        parse_block("a = x\na = a * (y + 1)\nreturn a", NAMES)
    )
