"""May a number be called gamma, though gamma is a function? Yes, where people do so; a call tells which is meant."""

from __future__ import annotations

import pytest

from gradcheck.errors import ExpressionError
from gradcheck.expr import NUMPY, Control
from gradcheck.expr.grammar import NAMES_OF_NUMBERS_TOO, primitive_of
from gradcheck.expr.program import Program, parse_code, parse_formula
from gradcheck.spec.words import why_not_an_input


def number(program: Program, **env: float) -> float:
    return float(program(NUMPY, env, Control(guard=False)))


@pytest.mark.parametrize("name", sorted(NAMES_OF_NUMBERS_TOO))
def test_an_input_may_have_the_name_of_a_special_function(name: str) -> None:
    assert primitive_of(name) is not None
    assert why_not_an_input(name) == ""


def test_the_name_is_the_number_and_the_call_is_the_function() -> None:
    formula = parse_formula("gamma * gamma(x) + beta", ["x", "gamma", "beta"])
    assert number(formula, x=4.0, gamma=0.5, beta=1.0) == 4.0
    code = parse_code("k1 = 2*x\nk0 = k1 + 1\nreturn k0 * k1", ["x"])
    assert number(code, x=1.0) == 6.0


def test_other_functions_keep_their_names_and_no_function_is_redefined() -> None:
    assert why_not_an_input("sin") == why_not_an_input("gammainc") == "is a function of the vocabulary"
    with pytest.raises(ExpressionError, match="'sin' is taken"):
        parse_code("sin = x\nreturn sin", ["x"])
    with pytest.raises(ExpressionError, match="'gamma' is taken"):
        parse_code("def gamma(y):\n    return y\nreturn gamma(x)", ["x"])
    with pytest.raises(ExpressionError, match=r"'gamma' is a function; expected gamma\(…\)"):
        parse_formula("gamma + x", ["x"])


def test_an_unknown_name_is_not_taken_for_a_mistyped_special_function() -> None:
    with pytest.raises(ExpressionError) as refusal:
        parse_formula("x + y", ["x"])
    assert not refusal.value.suggestion


def test_parameters_of_an_elementwise_function_reach_plain_numbers() -> None:
    lower = number(parse_formula("x * lambertw(-0.1, k=-1)", ["x"]), x=1.0)
    assert lower == pytest.approx(-3.577152063957297, rel=1e-15)
    assert number(parse_formula("x * multigammaln(3, 1)", ["x"]), x=1.0) == pytest.approx(0.6931471805599453, rel=1e-15)
