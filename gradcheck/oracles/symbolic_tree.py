"""What is a SymPy expression in our language? Its tree, or a word that the language has not."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import reduce
from typing import Any

from gradcheck.errors import UsageError
from gradcheck.expr import nodes as n

FUNCTIONS: Mapping[str, str] = {
    **{name: name for name in "exp log sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh".split()},
    **{name: name for name in "erf erfc gamma digamma polygamma sign".split()},
    "loggamma": "gammaln", "Abs": "abs",
}  # fmt: skip
CONSTANTS: Mapping[str, str] = {"Pi": "pi", "Exp1": "e"}
VALUES = {"pi": 3.141592653589793, "e": 2.718281828459045}
LARGEST = 2**53  # above it, a whole number is no float64


def tree(expression: Any) -> n.Node:
    """The formula. Raises UsageError that names what the language has not."""
    if expression.is_Rational:
        return _number(Fraction(int(expression.p), int(expression.q)))
    if expression.is_Symbol:
        return n.Name(str(expression))
    if expression.is_Add:
        return _sum(expression)
    if expression.is_Mul:
        return _product(expression)
    if expression.is_Pow:
        return _power(expression.base, expression.exp)
    name = type(expression).__name__
    if name in CONSTANTS:
        return n.Const(VALUES[CONSTANTS[name]], CONSTANTS[name])
    if name == "polygamma" and expression.args[0] == 0:
        return n.Call("digamma", (tree(expression.args[1]),))
    if name not in FUNCTIONS:
        raise UsageError(f"SymPy's derivative holds {name}, which is no function of the language")
    return n.Call(FUNCTIONS[name], tuple(tree(a) for a in expression.args))


def _number(value: Fraction) -> n.Node:
    if value < 0:
        return n.Call("negative", (_number(-value),))
    if max(value.numerator, value.denominator) > LARGEST:
        raise UsageError(f"SymPy's derivative holds the number {value}, which has too many digits for a formula")
    over = n.Const(value.numerator)
    return over if value.denominator == 1 else n.Call("divide", (over, n.Const(value.denominator)))


def _sum(expression: Any) -> n.Node:
    """Terms in SymPy's own order of printing, negative ones subtracted; one that is not negative first."""
    terms = [(t.could_extract_minus_sign(), t) for t in expression.as_ordered_terms()]
    first = next((k for k, (negative, _) in enumerate(terms) if not negative), 0)
    ordered = [terms[first], *terms[:first], *terms[first + 1 :]]
    total = tree(ordered[0][1])
    for negative, term in ordered[1:]:
        total = n.Call("subtract", (total, tree(-term))) if negative else n.Call("add", (total, tree(term)))
    return total


def _product(expression: Any) -> n.Node:
    """Numerator over denominator."""
    if expression.could_extract_minus_sign():
        return _negated(tree(-expression))
    above: list[n.Node] = []
    below: list[n.Node] = []
    for factor in expression.as_ordered_factors():
        if factor.is_Rational:
            above += [] if factor.p == 1 else [_number(Fraction(int(factor.p)))]
            below += [] if factor.q == 1 else [_number(Fraction(int(factor.q)))]
        elif factor.is_Pow and factor.exp.is_Rational and factor.exp < 0:
            below.append(_power(factor.base, -factor.exp))
        else:
            above.append(tree(factor))
    over = _multiplied(above) if above else n.Const(1)
    return n.Call("divide", (over, _multiplied(below))) if below else over


def _negated(node: n.Node) -> n.Node:
    """With the sign at its first factor, as people write it."""
    if isinstance(node, n.Call) and node.primitive in ("multiply", "divide"):
        return n.Call(node.primitive, (_negated(node.args[0]), node.args[1]))
    return n.Call("negative", (node,))


def _multiplied(factors: list[n.Node]) -> n.Node:
    return reduce(lambda a, b: n.Call("multiply", (a, b)), factors)


def _power(base: Any, exponent: Any) -> n.Node:
    if exponent.is_Rational and exponent < 0:
        return n.Call("divide", (n.Const(1), _power(base, -exponent)))
    if exponent.is_Rational and (exponent.p, exponent.q) == (1, 2):
        return n.Call("sqrt", (tree(base),))
    if exponent == 1:
        return tree(base)
    return n.Call("pow", (tree(base), tree(exponent)))
