"""Do two formulas mean the same by algebra alone? Where they have the same normal form, they do.

Sums and products become polynomials; signs and positive factors are taken out of functions that are even, odd or
homogeneous; comparisons are brought to one side. The form is sound, not complete: formulas of different forms may still
mean the same. Two formulas of one form are equal, in real numbers, wherever both are defined.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import isfinite
from types import MappingProxyType

from gradcheck.expr import nodes as n
from gradcheck.expr.mutations import Facts
from gradcheck.expr.polynomials import Polynomial, atom, number
from gradcheck.expr.primitive import Batching
from gradcheck.expr.text import to_text
from gradcheck.expr.vocabulary import VOCABULARY

EVEN, ODD, NEITHER = "even", "odd", "neither"
MOST_POWER = 8
Way = tuple[str, int | None]  # what a sign does, and the degree in a positive factor (None: it is no power of it)
LINEAR: Way = (ODD, 1)
_ONE: dict[str, Way] = {
    "abs": (EVEN, 1), "sign": (ODD, 0), "norm": (EVEN, 1), "cos": (EVEN, None),
    "cosh": (EVEN, None), "sinc": (EVEN, None), "sin": (ODD, None), "tan": (ODD, None), "sinh": (ODD, None),
    "tanh": (ODD, None), "asin": (ODD, None), "atan": (ODD, None), "asinh": (ODD, None), "atanh": (ODD, None),
    "erf": (ODD, None), "cbrt": (ODD, None), "round": (ODD, None), "trunc": (ODD, None), "j1": (ODD, None),
    "i1": (ODD, None), "j0": (EVEN, None), "i0": (EVEN, None), "relu": (NEITHER, 1), "max": (NEITHER, 1),
    "min": (NEITHER, 1), "sort": (NEITHER, 1), "cumulative_max": (NEITHER, 1), "cumulative_min": (NEITHER, 1),
    "argmax": (NEITHER, 0), "argmin": (NEITHER, 0), "var": (EVEN, 2), "std": (EVEN, 1), "inv": (ODD, -1),
    "eigvalsh": (NEITHER, 1), "eigh_vectors": (NEITHER, 0), "svdvals": (EVEN, 1), "svd_u": (NEITHER, 0),
    "svd_vh": (NEITHER, 0), "softsign": (ODD, None),
}  # fmt: skip
_LINEAR = (
    "sum mean cumulative_sum permute_dims matrix_transpose reshape broadcast_to expand_dims squeeze flip real imag "
    "conj fft ifft diag diagonal tril triu trace roll repeat tile getitem overlap_add"
).split()
WAYS: Mapping[str, tuple[Way, ...]] = MappingProxyType(
    {name: (way,) for name, way in _ONE.items()}
    | dict.fromkeys(_LINEAR, (LINEAR,))
    | dict.fromkeys("matmul outer kron cross dot vecdot".split(), (LINEAR, LINEAR))
    | {"solve": ((ODD, -1), LINEAR)}
)
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_HOLDS: dict[str, Callable[..., bool]] = {
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_STRICT = {"<=": "<", ">=": ">"}
_COMPARED = {
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!=",
}  # fmt: skip
_SORTED = frozenset("maximum minimum logical_and logical_or hypot logaddexp".split())
TRANSPOSES = ("permute_dims", "matrix_transpose")


def same(a: n.Node, b: n.Node, facts: Facts) -> bool:
    """Whether two formulas have one normal form; `facts` tells the shapes that their parts have."""
    form = _Form(facts)
    return form.of(a) == form.of(b)


def same_but_for(a: n.Node, b: n.Node, holding: Sequence[n.Node], facts: Facts) -> bool:
    """Whether two formulas have one normal form where the conditions `holding` hold.

    They tell which numbers are never zero: where `x - y` is not, `x < y` is `x <= y`.
    """
    form = _Form(facts)
    form.never_zero = frozenset(form.of(node).primitive.key for node in _never_zero(holding))
    return bool(form.never_zero) and form.of(a) == form.of(b)


def _never_zero(conditions: Sequence[n.Node]) -> Iterator[n.Node]:
    """What is not zero where all conditions hold."""
    for condition in conditions:
        if isinstance(condition, n.Call) and condition.primitive == "logical_and":
            yield from _never_zero(condition.args)
        elif isinstance(condition, n.Call) and condition.primitive in ("not_equal", "less", "greater"):
            left, right = condition.args
            apart = condition.primitive == "greater" and isinstance(left, n.Call) and left.primitive == "abs"
            plain = isinstance(right, n.Const) and (right.value == 0 or (right.value > 0 and apart))
            yield from _factors(left) if plain else [n.Call("subtract", (left, right))]


def _factors(node: n.Node) -> Iterator[n.Node]:
    """What a product that is not zero is made of, freed of absolute values."""
    if isinstance(node, n.Call) and node.primitive in ("multiply", "abs"):
        for arg in node.args:
            yield from _factors(arg)
    else:
        yield node


class _Form:
    """The normal forms of the parts of formulas."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.never_zero: frozenset[str] = frozenset()  # forms of numbers that are not
        self.assumed: dict[str, bool] = {}  # conditions that are known where a part matters: it stands in their branch

    def of(self, node: n.Node) -> Polynomial:
        """The normal form of a node that is a number or an array of numbers."""
        if isinstance(node, n.Const):
            if isinstance(node.value, bool) or not isfinite(node.value):
                return atom(f"({to_text(node)})")
            return atom(node.name) if node.name else number(Fraction(node.value))
        if isinstance(node, n.Name):
            return atom(node.id)
        if isinstance(node, n.Call):
            return self.call(node)
        if isinstance(node, n.Choice):
            return self.choice(node.condition, node.then, node.otherwise)
        if isinstance(node, n.Index):
            value = self.apart(node.value)
            inner = atom(f"({value.primitive.key}:{self.shape(node.value)}){_items(node)}")
            return inner.scaled(value.content) if value.terms else inner
        return atom(f"{to_text(node)}")

    def call(self, node: n.Call) -> Polynomial:
        name = node.primitive
        arithmetic = _ARITHMETIC.get(name)
        if arithmetic is not None:
            return arithmetic(*map(self.of, node.args))
        if name == "pow":
            return self.pow(node)
        if name in ("zeros_like", "zeros"):
            return number(0)
        if name in ("ones_like", "ones"):
            return number(1)
        if name == "where":
            return self.choice(*node.args)
        if name in _COMPARED:
            return self.compared(node)
        if name in TRANSPOSES and not node.params and self.symmetric(node.args[0]):
            return self.apart(node.args[0])
        return self.applied(node)

    def pow(self, node: n.Call) -> Polynomial:
        base, exponent = node.args
        whole = isinstance(exponent, n.Const) and not exponent.name and abs(exponent.value) <= MOST_POWER
        if whole and isinstance(exponent, n.Const) and float(exponent.value).is_integer():
            return self.of(base).power(int(exponent.value))
        return atom(f"pow({self.of(base).key}, {self.of(exponent).key})")

    def choice(self, condition: n.Node, then: n.Node, otherwise: n.Node) -> Polynomial:
        key = self.of(condition).key
        known = {"0": False, "1": True, **self.assumed}
        if key in known:
            return self.of(then if known[key] else otherwise)
        a, b = self.under(condition, True, then), self.under(condition, False, otherwise)
        return a if a == b else atom(f"where({key}, {a.key}, {b.key})")

    def under(self, condition: n.Node, holds: bool, node: n.Node) -> Polynomial:
        """A node's form where it is known whether a condition holds."""
        before = self.assumed
        self.assumed = before | {self.of(part).key: truth for part, truth in _follows(condition, holds)}
        try:
            return self.of(node)
        finally:
            self.assumed = before

    def apart(self, node: n.Node) -> Polynomial:
        """The form of what is moved, added up or multiplied: what is known of one element says nothing of another."""
        before, self.assumed = self.assumed, {}
        try:
            return self.of(node)
        finally:
            self.assumed = before

    def compared(self, node: n.Call) -> Polynomial:
        left, right = map(self.of, node.args)
        difference, sign = left.minus(right), _COMPARED[node.primitive]
        if all(not monomial for monomial, _ in difference.terms):  # plain numbers
            return number(int(_HOLDS[sign](sum(c for _, c in difference.terms), 0)))
        if difference.content < 0:
            sign = _MIRRORED[sign]
        if difference.primitive.key in self.never_zero:
            sign = _STRICT.get(sign, sign)
        return atom(f"({difference.primitive.key} {sign} 0)")

    def applied(self, node: n.Call) -> Polynomial:
        """A function of others, with what can be taken out of its arguments in front."""
        factor, keys = Fraction(1), []
        ways, row = WAYS.get(node.primitive, ()), VOCABULARY[node.primitive]
        of = self.of if row.batching is Batching.ELEMENTWISE and row.compose is None else self.apart
        for k, arg in enumerate(node.args):
            if isinstance(arg, n.Sequence):
                keys.append(f"[{', '.join(f'{of(i).key}:{self.shape(i)}' for i in arg.items)}]")
                continue
            form = of(arg)
            out, inner = _taken_out(form, ways[k] if k < len(ways) else (NEITHER, None))
            factor *= out
            keys.append(f"{inner.key}:{self.shape(arg)}")
        if node.primitive in _SORTED:
            keys.sort()
        params = [f"{key}={to_text(value)}" for key, value in node.params]
        return atom(f"{node.primitive}({', '.join([*keys, *params])})").scaled(factor)

    def shape(self, node: n.Node) -> tuple[int, ...] | None:
        return self.facts(node).shape

    def symmetric(self, node: n.Node) -> bool:
        """Whether a matrix is its own transpose by the way it is made."""
        shape = self.shape(node)
        if shape is None or len(shape) != 2 or shape[0] != shape[1]:
            return False
        if isinstance(node, n.Call) and node.primitive == "eye":
            return {key for key, _ in node.params} <= {"n_rows"}
        if isinstance(node, n.Call) and node.primitive == "diag":
            return len(self.shape(node.args[0]) or ()) == 1 and not node.params
        if isinstance(node, n.Call) and node.primitive == "outer":
            return self.of(node.args[0]) == self.of(node.args[1])
        if isinstance(node, n.Call) and (node.primitive in _ARITHMETIC or node.primitive in _COMPARED):
            return all(self.shape(arg) == () or self.symmetric(arg) for arg in node.args)
        return isinstance(node, n.Call) and node.primitive in ("zeros_like", "ones_like", "zeros", "ones")


def _follows(condition: n.Node, holds: bool) -> Iterator[tuple[n.Node, bool]]:
    """What else holds, or does not, where a condition does or does not."""
    yield condition, holds
    if isinstance(condition, n.Call) and condition.primitive == "logical_not":
        yield from _follows(condition.args[0], not holds)
    elif isinstance(condition, n.Call) and condition.primitive == ("logical_and" if holds else "logical_or"):
        for part in condition.args:
            yield from _follows(part, holds)


def _taken_out(form: Polynomial, way: Way) -> tuple[Fraction, Polynomial]:
    """What comes in front of a function when its argument is freed of sign and size, and what stays inside."""
    sign, degree = way
    content = form.content
    out, kept = Fraction(1), content
    if content < 0 and sign != NEITHER:
        out, kept = Fraction(-1 if sign == ODD else 1), -content
    if degree is not None and kept > 0 and form.terms:
        out, kept = out * kept**degree, Fraction(1)
    return out, form.scaled(kept / content)


def _items(node: n.Index) -> str:
    return to_text(n.Index(n.Name("_"), node.items))[1:]


_ARITHMETIC: Mapping[str, Callable[..., Polynomial]] = MappingProxyType(
    {
        "add": lambda a, b: a + b,
        "subtract": lambda a, b: a.minus(b),
        "multiply": lambda a, b: a * b,
        "divide": lambda a, b: a * b.reciprocal(),
        "negative": lambda a: a.scaled(Fraction(-1)),
        "positive": lambda a: a,
        "square": lambda a: a.power(2),
        "reciprocal": lambda a: a.reciprocal(),
    }
)
