"""Is the claim the derivative as a formula, at every point at once? SymPy says yes, or nothing.

Only formulas of elementwise functions that SymPy knows by name are asked about, with their numbers as exact fractions:
SymPy's floats are never asked, and that it finds no simplification says nothing. A disproof is the enclosure's alone.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from gradcheck.errors import EvaluationError, Unsupported, UsageError
from gradcheck.expr import Control, Program
from gradcheck.expr import nodes as n
from gradcheck.oracles.inquiry import Inquiry
from gradcheck.oracles.symbolic_tree import tree
from gradcheck.spec.model import Claim, ClaimKind

OPERATIONS = 80  # that a formula may have: its size is the limit, not time, so that every run says the same
MOST = 400  # of a formula that SymPy only derives
ROUGH: Mapping[str, str] = MappingProxyType({"abs": "Abs", "sign": "sign"})  # no proof rests on them: they have kinks
SAME = frozenset(
    "sqrt exp log sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc gamma digamma loggamma".split()
)  # rows that SymPy calls so


class Symbols:
    """The vocabulary on SymPy's expressions; a row that has no exact counterpart raises Unsupported."""

    def __init__(self, more: Mapping[str, str] = MappingProxyType({})) -> None:
        import sympy

        self._sympy = sympy
        one, two, ten = sympy.Integer(1), sympy.Integer(2), sympy.Integer(10)
        self._rows: dict[str, Callable[..., Any]] = {
            "add": lambda a, b: a + b,
            "subtract": lambda a, b: a - b,
            "multiply": lambda a, b: a * b,
            "divide": lambda a, b: sympy.sympify(a) / b,
            "pow": lambda a, b: sympy.sympify(a) ** b,
            "negative": lambda a: -a,
            "positive": lambda a: a,
            "square": lambda a: a**2,
            "reciprocal": lambda a: one / a,
            "exp2": lambda a: two**a,
            "expm1": lambda a: sympy.exp(a) - 1,
            "log1p": lambda a: sympy.log(1 + a),
            "log2": lambda a: sympy.log(a) / sympy.log(two),
            "log10": lambda a: sympy.log(a) / sympy.log(ten),
            "expit": lambda a: 1 / (1 + sympy.exp(-a)),
            "softplus": lambda a: sympy.log(1 + sympy.exp(a)),
            "gammaln": sympy.loggamma,
            **{name: getattr(sympy, name) for name in SAME},
            **{name: getattr(sympy, theirs) for name, theirs in more.items()},
        }

    def constant(self, value: Any, name: str = "") -> Any:
        """A number of a formula: the decimal it is written as, or the constant of that name."""
        if name in ("pi", "e"):
            return {"pi": self._sympy.pi, "e": self._sympy.E}[name]
        return self._sympy.Rational(repr(value))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name not in self._rows:
            raise Unsupported("SymPy", name)
        return self._rows[name]


def derivatives(function: Program, inputs: Sequence[str], by: Sequence[str]) -> dict[str, n.Node]:
    """The derivative of a formula of numbers by each of some inputs, as SymPy has it and nobody has checked.

    SymPy reads our own tree, never a text. Raises UsageError where it is missing, or has no answer in the language.
    """
    if importlib.util.find_spec("sympy") is None:
        raise UsageError("SymPy is not installed; install gradcheck[exact]")
    import sympy

    names = {name: sympy.Symbol(name, real=True) for name in inputs}
    try:
        value = function(Symbols(ROUGH), names, Control(guard=False))
    except EvaluationError as error:
        raise UsageError(f"SymPy cannot derive this: {error}") from None
    except Exception as error:  # a parameter or a branch that SymPy's expressions do not take
        raise UsageError(f"SymPy cannot read this formula ({type(error).__name__}: {error})") from None
    if sympy.count_ops(value) > MOST:
        raise UsageError(f"the formula has more than {MOST} operations: SymPy is not asked")
    return {name: tree(sympy.diff(value, names[name])) for name in by}


def settled(inquiry: Inquiry) -> list[str]:
    """The inputs whose claimed elementwise derivative is one symbolically."""
    if importlib.util.find_spec("sympy") is None:
        return []
    names, function = inquiry.inputs, inquiry.spec.function
    return [c.of for c in inquiry.spec.claims if _elementwise(inquiry, c) and _holds(function, c.program, names, c.of)]


def _elementwise(inquiry: Inquiry, claim: Claim) -> bool:
    scalar = claim.of in inquiry.inputs and inquiry.case.inputs[claim.of].ndim == 1
    return claim.kind is ClaimKind.DERIVATIVE or (claim.kind is ClaimKind.GRADIENT and scalar)


@lru_cache(maxsize=256)
def _holds(function: Program, claim: Program, inputs: tuple[str, ...], name: str) -> bool:
    """Whether the derivative of a formula by one input, less the claim, comes to exactly 0."""
    import sympy

    if function.code or claim.code:
        return False
    try:
        names = {i: sympy.Symbol(i, real=True) for i in inputs}
        value = _expression(function, names)
        difference = sympy.diff(value, names[name]) - _expression(claim, {**names, "value": value})
    except Exception:  # a missing row, a name or a parameter it does not have: SymPy says nothing
        return False
    large = max(sympy.count_ops(value), sympy.count_ops(difference)) > OPERATIONS
    return not large and any(form == 0 for form in _forms(difference))


def _forms(difference: Any) -> Iterator[Any]:
    """A difference that is 0 is 0 in one of these: its terms, its numerator, its numerator in exponentials."""
    import sympy

    yield sympy.expand(difference)
    yield sympy.expand(sympy.numer(sympy.together(difference)))
    waves = difference.rewrite(sympy.exp)
    yield sympy.expand(sympy.powsimp(sympy.expand(sympy.numer(sympy.together(waves)))))


def _expression(program: Program, names: Mapping[str, Any]) -> Any:
    return program(Symbols(), names, Control(guard=False))
