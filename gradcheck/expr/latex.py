"""How does a formula look in mathematics? LaTeX, from the tree.

Precedence decides where parentheses stand; a primitive's own template (`Primitive.latex`) wins over the general
function-call form. Code blocks are programs, not formulas: they are shown as their text.
"""

from __future__ import annotations

from collections.abc import Callable

from gradcheck.expr import nodes as n
from gradcheck.expr.program import Program
from gradcheck.expr.vocabulary import VOCABULARY

# precedence: how tightly a construct binds; a child that binds less than its place asks for gets parentheses
_OR, _AND, _NOT, _COMPARE, _SUM, _SERIES, _PRODUCT, _SIGN, _POWER, _ATOM = range(10)

_INFIX: dict[str, tuple[int, str]] = {
    "add": (_SUM, "{0} + {1}"),
    "subtract": (_SUM, "{0} - {1}"),
    "multiply": (_PRODUCT, r"{0} \, {1}"),
    "matmul": (_PRODUCT, r"{0} \, {1}"),
    "remainder": (_PRODUCT, r"{0} \bmod {1}"),
    "less": (_COMPARE, "{0} < {1}"),
    "less_equal": (_COMPARE, r"{0} \le {1}"),
    "greater": (_COMPARE, "{0} > {1}"),
    "greater_equal": (_COMPARE, r"{0} \ge {1}"),
    "equal": (_COMPARE, "{0} = {1}"),
    "not_equal": (_COMPARE, r"{0} \ne {1}"),
    "logical_and": (_AND, r"{0} \land {1}"),
    "logical_or": (_OR, r"{0} \lor {1}"),
}
# rows whose template stands open on a side: how tightly the whole binds, and what each of its arguments must
_OPEN: dict[str, tuple[int, int]] = {
    "positive": (_SIGN, _SIGN),
    "reciprocal": (_POWER, _ATOM),
    "inv": (_POWER, _ATOM),
    "solve": (_PRODUCT, _ATOM),
    "dot": (_PRODUCT, _POWER),
    "vecdot": (_PRODUCT, _POWER),
    "outer": (_PRODUCT, _POWER),
    "xlogy": (_PRODUCT, _ATOM),
    "xlog1py": (_PRODUCT, _ATOM),
    "log1p": (_ATOM, _SUM),
    "hypot": (_ATOM, _ATOM),
    "floor_divide": (_ATOM, _POWER),
    "sum": (_SERIES, _PRODUCT),
    "prod": (_SERIES, _PRODUCT),
    "logsumexp": (_SERIES, _OR),
    "expm1": (_SUM, _OR),
    "pinv": (_POWER, _ATOM),
    "cross": (_PRODUCT, _POWER),
    "kron": (_PRODUCT, _POWER),
}
_GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega".split()
)


def to_latex(program: Program) -> str:
    """The formula in LaTeX, or an empty string for a code block."""
    if isinstance(program.tree, tuple):
        return ""
    return _print(program.tree, _OR)


def _print(node: n.Node | None, place: int) -> str:
    if node is None:
        return ""
    text, binding = _PRINT[type(node)](node)
    return rf"\left({text}\right)" if binding < place else text


def _const(node: n.Const) -> tuple[str, int]:
    if node.name:
        return {"pi": r"\pi", "inf": r"\infty"}.get(node.name, node.name), _ATOM
    if isinstance(node.value, bool):
        return rf"\text{{{node.value}}}", _ATOM
    text = str(node.value)
    mantissa, _, exponent = text.partition("e")
    if exponent:
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}", _PRODUCT
    return text, _SIGN if text.startswith("-") else _ATOM


def symbol(name: str) -> str:
    """A name as mathematics writes it: `x_1`, Greek letters, longer names upright."""
    if name == "ct":
        return r"\bar{v}"
    if name.startswith("t_"):
        return rf"\dot{{{symbol(name[2:])}}}"
    if name == "value":
        return "f"
    head, _, tail = name.partition("_")
    word = rf"\{head}" if head in _GREEK else head if len(head) == 1 else rf"\mathrm{{{head}}}"
    return word + (rf"_{{\mathrm{{{tail.replace('_', ' ')}}}}}" if tail else "")


def _name(node: n.Name) -> tuple[str, int]:
    return symbol(node.id), _ATOM


def _call(node: n.Call) -> tuple[str, int]:
    name, args = node.primitive, node.args
    if name in _INFIX:
        binding, template = _INFIX[name]
        left = _print(args[0], binding)
        right = _print(args[1], binding + (name in ("subtract", "remainder") or binding == _COMPARE))
        if right.startswith("-"):
            right = rf"\left({right}\right)"
        elif name == "multiply" and _needs_dot(args[1]):
            template = r"{0} \cdot {1}"
        return template.format(left, right), binding
    special = _SPECIAL.get(name)
    if special is not None:
        return special(node)
    template = VOCABULARY[name].latex
    if template and len(args) == (VOCABULARY[name].arity or 0) and not node.params:
        binding, place = _OPEN.get(name, (_POWER if "^" in template or r"\frac" in template else _ATOM, _OR))
        return template.format(*[_print(a, place) for a in args]), binding
    shown = [_print(a, _OR) for a in args]
    shown += [rf"\mathrm{{{key}}}={_print(value, _OR)}" for key, value in node.params]
    operator = name.replace("_", r"\_")
    return rf"\operatorname{{{operator}}}\left({', '.join(shown)}\right)", _ATOM


def _needs_dot(node: n.Node) -> bool:
    return isinstance(node, n.Const) or (isinstance(node, n.Call) and _needs_dot_in(node))


def _needs_dot_in(node: n.Call) -> bool:
    return node.primitive in ("pow", "multiply") and _needs_dot(node.args[0])


def _divide(node: n.Call) -> tuple[str, int]:
    return rf"\frac{{{_print(node.args[0], _OR)}}}{{{_print(node.args[1], _OR)}}}", _POWER


def _pow(node: n.Call) -> tuple[str, int]:
    base, exponent = node.args
    if isinstance(exponent, n.Const) and exponent.value == 0.5:
        return _sqrt(node)
    return rf"{{{_print(base, _ATOM)}}}^{{{_print(exponent, _OR)}}}", _POWER


def _sqrt(node: n.Call) -> tuple[str, int]:
    return rf"\sqrt{{{_print(node.args[0], _OR)}}}", _ATOM


def _negative(node: n.Call) -> tuple[str, int]:
    return "-" + _print(node.args[0], _SIGN), _SIGN


def _not(node: n.Call) -> tuple[str, int]:
    return r"\lnot " + _print(node.args[0], _SUM), _NOT


def _square(node: n.Call) -> tuple[str, int]:
    return rf"{{{_print(node.args[0], _ATOM)}}}^{{2}}", _POWER


def _transpose(node: n.Call) -> tuple[str, int]:
    return rf"{{{_print(node.args[0], _ATOM)}}}^{{\top}}", _POWER


def _where(node: n.Call) -> tuple[str, int]:
    condition, then, otherwise = (_print(a, _OR) for a in node.args)
    return _cases(then, condition, otherwise), _ATOM


def _cases(then: str, condition: str, otherwise: str) -> str:
    return rf"\begin{{cases}} {then} & \text{{if }} {condition} \\ {otherwise} & \text{{else}} \end{{cases}}"


_SPECIAL: dict[str, Callable[[n.Call], tuple[str, int]]] = {
    "divide": _divide, "pow": _pow, "sqrt": _sqrt, "negative": _negative, "logical_not": _not, "square": _square,
    "permute_dims": _transpose, "matrix_transpose": _transpose, "where": _where,
}  # fmt: skip


def _call_local(node: n.CallLocal) -> tuple[str, int]:
    return rf"{symbol(node.function)}\left({', '.join(_print(a, _OR) for a in node.args)}\right)", _ATOM


def _choice(node: n.Choice) -> tuple[str, int]:
    parts = [_print(p, _OR) for p in (node.then, node.condition, node.otherwise)]
    return _cases(*parts), _ATOM


def _index(node: n.Index) -> tuple[str, int]:
    return rf"{{{_print(node.value, _ATOM)}}}_{{[{', '.join(map(_item, node.items))}]}}", _ATOM


def _item(item: n.Node | n.Slice | None) -> str:
    if item is None:
        return r"\mathrm{new}"
    if isinstance(item, n.Slice):
        step = ":" + _print(item.step, _OR) if item.step is not None else ""
        return f"{_print(item.start, _OR)}:{_print(item.stop, _OR)}{step}"
    return _print(item, _OR)


def _shape(node: n.Shape) -> tuple[str, int]:
    return rf"\mathrm{{{node.attribute}}}\left({_print(node.value, _OR)}\right)", _ATOM


def _sequence(node: n.Sequence) -> tuple[str, int]:
    return rf"\left[{', '.join(_print(item, _OR) for item in node.items)}\right]", _ATOM


def _outputs(node: n.Outputs) -> tuple[str, int]:
    pairs = [f"{symbol(k)} = {_print(v, _OR)}" for k, v in zip(node.names, node.items, strict=True)]
    return r",\; ".join(pairs), _OR


_PRINT: dict[type, Callable[..., tuple[str, int]]] = {
    n.Const: _const, n.Name: _name, n.Call: _call, n.CallLocal: _call_local, n.Choice: _choice, n.Index: _index,
    n.Shape: _shape, n.Sequence: _sequence, n.Outputs: _outputs, n.Dots: lambda node: (r"\ldots", _ATOM),
    n.Text: lambda node: (rf"\text{{{node.value.replace('_', ' ')}}}", _ATOM),
}  # fmt: skip
