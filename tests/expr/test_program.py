"""Does a formula or a code block mean what it says?"""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest

from gradcheck.errors import EvaluationError, FuelExhausted, SizeExceeded
from gradcheck.expr import NUMPY, Control, parse_code, parse_formula
from gradcheck.expr.nodes import walk

X = np.array([3.0, -4.0])
M = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def formula(text: str, **env: Any) -> Any:
    return parse_formula(text, list(env))(NUMPY, env)


def code(text: str, **env: Any) -> Any:
    return parse_code(text, list(env))(NUMPY, env)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("sqrt(sum(x**2))", 5.0),
        ("-x**2", [-9.0, -16.0]),
        ("x - 1 - 2", [0.0, -7.0]),
        ("2**(3*3)/x", [512 / 3, -128.0]),
        ("x % 3", [0.0, 2.0]),
        ("x // 3", [1.0, -2.0]),
        ("0 < x <= 3", [True, False]),
        ("where(x > 0 and x < 5, x, 0)", [3.0, 0.0]),
        ("where(not x > 0, x, 0)", [0.0, -4.0]),
        ("m @ m.T", [[14.0, 32.0], [32.0, 77.0]]),
        ("m[1, 0]", 4.0),
        ("m[:, -1]", [3.0, 6.0]),
        ("m[0, ::-1]", [3.0, 2.0, 1.0]),
        ("m[..., 1]", [2.0, 5.0]),
        ("x[None]", [[3.0, -4.0]]),
        ("m.shape[1] * x", [9.0, -12.0]),
        ("m.ndim * x", [6.0, -8.0]),
        ("reshape(m, (3, m.shape[0]))[2]", [5.0, 6.0]),
        ("reshape(m, (-1,))[5]", 6.0),
        ("sum(m, axis=0)", [5.0, 7.0, 9.0]),
        ("sum(m, axis=(0, 1))", 21.0),
        ("sum(m)", 21.0),
        ("mean(m, axis=1, keepdims=True)", [[2.0], [5.0]]),
        ("concat([x, m[0]])", [3.0, -4.0, 1.0, 2.0, 3.0]),
        ("stack([x, x], axis=1)", [[3.0, 3.0], [-4.0, -4.0]]),
        ("x if 1 < 2 else 1/0", [3.0, -4.0]),
        ("x[0] if x[0] > x[1] else x[1]", 3.0),
        ("n*x", [6.0, -8.0]),
        ("pi*x", [3 * math.pi, -4 * math.pi]),
        ("stop_gradient(x)", [3.0, -4.0]),
    ],
)
def test_formulas(text: str, want: Any) -> None:
    got = formula(text, x=X, m=M, n=2)
    assert np.asarray(got).tolist() == np.asarray(want).tolist()


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("7/2", 3.5), ("7//2", 3), ("-7 % 3", 2), ("2**10", 1024), ("2**-1", 0.5), ("1/0", math.inf),
        ("sqrt(-1)", math.nan),
        ("0 - 3", -3), ("1 < 2 and 2 < 1", False), ("1 < 2 or 2 < 1", True), ("not 0", True), ("sqrt(2)", math.sqrt(2)),
        ("2 if 1 == 1 else 3", 2), ("(-8)**(1/3)", math.nan),
    ],
)  # fmt: skip
def test_numbers_alone_need_no_array(text: str, want: float) -> None:
    got = formula(text)
    assert got == want or (math.isnan(want) and math.isnan(got))
    assert type(got) is type(want)


def test_code() -> None:
    loop = """
b = a * 2
while norm(b) < 1000:
    b = b * 2
return b if sum(b) > 0 else 100 * b
"""
    assert code(loop, a=np.array([1.0, 0.0])).tolist() == [1024.0, 0.0]
    assert code(loop, a=np.array([-1.0, 0.0])).tolist() == [-102400.0, 0.0]


def test_loops_and_jumps() -> None:
    text = """
total = 0
for i in range(1, 10, 2):
    if i == 3:
        continue
    if i > 7:
        break
    total += i * x
k = 0
while True:
    k += 1
    if k == n:
        break
    pass
return total + k
"""
    assert code(text, x=np.float64(2.0), n=4) == 2 * (1 + 5 + 7) + 4


def test_a_return_inside_a_loop_ends_it() -> None:
    assert code("for i in range(5):\n    if i == 2:\n        return i*x\nreturn x", x=np.float64(3.0)) == 6.0
    assert code("while True:\n    return x\nreturn -x", x=np.float64(3.0)) == 3.0


def test_local_functions_see_outer_names_and_change_none() -> None:
    text = """
s = 10 * x
def g(a, b):
    s = a - b
    return s * x
def h(a):
    return g(a, 1) + s
return h(5) + s
"""
    assert code(text, x=np.float64(2.0)) == (5 - 1) * 2 + 20 + 20


def test_several_names_at_once() -> None:
    assert code("a, b = x[0], x[1]\na, b = b, a\nreturn a - b", x=X) == -7.0


def test_named_outputs() -> None:
    assert formula('{"y": x + 1, "z": -x}', x=1.0) == {"y": 2.0, "z": -1.0}


def test_a_name_without_a_value_is_said_so() -> None:
    with pytest.raises(EvaluationError, match=r"'a' is used before it has a value \(line 3\)"):
        code("if x < 0:\n    a = x\nreturn a", x=1.0)


def test_a_range_needs_integers() -> None:
    with pytest.raises(EvaluationError, match=r"range takes integers .* \(line 2\)"):
        code("s = x\nfor i in range(x):\n    s = s + 1\nreturn s", x=3.0)


def test_loops_and_calls_spend_fuel() -> None:
    endless = parse_code("while True:\n    x = x + 1\nreturn x", ["x"])
    with pytest.raises(FuelExhausted, match=r"did not end within 50 steps \(line 1"):
        endless(NUMPY, {"x": 0.0}, Control(fuel=50))
    doubling = "def f0(a):\n    return a\n"
    for k in range(1, 20):
        doubling += f"def f{k}(a):\n    return f{k - 1}(a) + f{k - 1}(a)\n"
    with pytest.raises(FuelExhausted):
        code(doubling + "return f19(x)", x=1.0)


@pytest.mark.parametrize(
    "text",
    [
        "zeros((10000, 10000))",
        "broadcast_to(x, (10000000, 2))",
        "outer(ones((3000,)), ones((3000,)))",
        "ones((3000, 1)) + ones((1, 3000))",
        "repeat(x, 100000000, axis=0)",
        "repeat(ones((3000,)), 3000)",
        "tile(ones((3000,)), (3000, 1))",
        "pad(x, ((0, 100000000),))",
        "einsum('i,j->ij', ones((3000,)), ones((3000,)))",
        "arange(0, 1e9, 1)",
        "9007199254740992 + 1",
        "10**300",
        "2**(500 + 501)",
    ],
)
def test_what_would_grow_too_large_is_refused_before_it_does(text: str) -> None:
    with pytest.raises(SizeExceeded, match="is past the limit of"):
        formula(text, x=X)


def test_an_index_may_be_computed_but_is_no_mask() -> None:
    assert formula("x[argsort(x)][0]", x=np.array([3.0, 1.0, 2.0])) == 1.0
    assert formula("x[y]", x=np.array([3.0, 1.0, 2.0]), y=np.array([2.0, -1.0])).tolist() == [2.0, 2.0]
    with pytest.raises(EvaluationError, match=r"a mask is not one \(line 1\)"):
        formula("x[x > 0]", x=np.array([3.0, 1.0]))
    with pytest.raises(IndexError, match="an index is a whole number"):
        formula("x[x]", x=np.array([0.5, 1.0]))


def test_programs_are_values() -> None:
    program = parse_formula("x + y", ["x", "y", "z"])
    assert program.names == {"x", "y"}
    again = pickle.loads(pickle.dumps(program))
    assert again == program and hash(again) == hash(program) and again.names == program.names
    assert again(NUMPY, {"x": 1.0, "y": 2.0}) == 3.0
    assert program != parse_formula("x+y", ["x", "y"])
    assert repr(program) == "Program('x + y')"


def test_evaluating_changes_no_names_given() -> None:
    env = {"x": 1.0}
    assert parse_code("x = x + 1\nreturn x", ["x"])(NUMPY, env) == 2.0
    assert env == {"x": 1.0}


def test_walk_gives_every_node_in_the_order_written() -> None:
    names = [type(node).__name__ for node in walk(parse_formula("x + sin(y)*2", ["x", "y"]).tree)]
    assert names == ["Call", "Name", "Call", "Call", "Name", "Const"]
