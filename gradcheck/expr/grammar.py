"""Which expressions are in the language? A whitelist over Python's syntax tree; what is not listed is refused."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Collection

from gradcheck.errors import ExpressionError, did_you_mean
from gradcheck.expr import nodes as n
from gradcheck.expr.primitive import Batching, Primitive
from gradcheck.expr.vocabulary import ALIASES, VOCABULARY

# Functions whose names people give to numbers too: `gamma` may be an input, `gamma(x)` is a call of the function.
NAMES_OF_NUMBERS_TOO = frozenset("beta gamma zeta i0 i1 j0 j1 k0 k1 y0 y1 jv yv iv kv".split())
CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf}
MAX_EXPONENT = 1_000
MAX_INTEGER = 2**53
WORD = r"[A-Za-z0-9_.,> -]{1,100}"

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "pow",
    ast.MatMult: "matmul", ast.Mod: "remainder", ast.FloorDiv: "floor_divide",
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "less", ast.LtE: "less_equal", ast.Gt: "greater", ast.GtE: "greater_equal",
    ast.Eq: "equal", ast.NotEq: "not_equal",
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], str] = {ast.USub: "negative", ast.UAdd: "positive", ast.Not: "logical_not"}
_BITWISE: dict[type[ast.AST], tuple[str, str]] = {  # Python's sign -> what the language has in its place
    ast.BitAnd: ("&", "'and' between conditions, or bitwise_and(a, b)"),
    ast.BitOr: ("|", "'or' between conditions, or bitwise_or(a, b)"),
    ast.BitXor: ("^", "logical_xor(a, b) of conditions, ** for a power"),
    ast.Invert: ("~", "'not' before a condition, or bitwise_invert(a)"),
    ast.LShift: ("<<", "bitwise_left_shift(a, b)"), ast.RShift: (">>", "bitwise_right_shift(a, b)"),
}  # fmt: skip
_WORDS = {
    "Lambda": "a lambda", "JoinedStr": "an f-string", "ListComp": "a comprehension", "SetComp": "a comprehension",
    "DictComp": "a comprehension", "GeneratorExp": "a generator", "NamedExpr": "an assignment inside an expression",
    "Await": "await", "Yield": "yield", "YieldFrom": "yield", "Starred": "a starred argument", "Set": "a set",
    "Import": "an import", "ImportFrom": "an import", "ClassDef": "a class", "Global": "global", "Nonlocal": "nonlocal",
    "With": "with", "Try": "try", "Raise": "raise", "Assert": "assert", "Delete": "del", "AsyncFunctionDef": "async",
    "Expr": "a statement without effect", "Match": "match", "AnnAssign": "an annotation",
}  # fmt: skip


class ExpressionParser:
    """Turns Python's syntax tree into ours, keeping track of the names in scope."""

    def __init__(self, text: str, names: Collection[str]) -> None:
        self.text = text
        self.names = set(names)
        self.functions: dict[str, int] = {}  # local functions defined so far -> number of parameters
        self.loops = 0

    def fail(self, node: ast.AST, message: str, expected: str = "", suggestion: str = "") -> ExpressionError:
        line, column = place_of(node)
        return ExpressionError(message, self.text, line, column, expected, suggestion)

    def refuse(self, node: ast.AST) -> ExpressionError:
        kind = type(node).__name__
        return self.fail(node, f"{_WORDS.get(kind, kind)} is not in the language")

    def expression(self, node: ast.expr) -> n.Node:
        method = getattr(self, f"_{type(node).__name__}", None)
        if method is None:
            raise self.refuse(node)
        result: n.Node = method(node)
        return result

    def _Constant(self, node: ast.Constant) -> n.Node:
        value = node.value
        if isinstance(value, bool | int | float):
            if not isinstance(value, bool) and isinstance(value, int) and abs(value) > MAX_INTEGER:
                raise self.fail(node, "an integer too large to be exact", "at most 2**53")
            if isinstance(value, float) and math.isinf(value):
                raise self.fail(node, "a number past the range of float64", "write inf")
            return n.Const(value, at=place_of(node))
        if value is Ellipsis:
            return n.Dots()
        raise self.fail(node, f"{value!r} is not a number", "a number")

    def _Name(self, node: ast.Name) -> n.Node:
        if node.id in self.names:
            return n.Name(node.id, place_of(node))
        if node.id in CONSTANTS:
            return n.Const(CONSTANTS[node.id], node.id, place_of(node))
        if primitive_of(node.id):
            raise self.fail(node, f"{node.id!r} is a function", f"{node.id}(…)")
        meant = [word for word in self._candidates() if word in self.names or word not in NAMES_OF_NUMBERS_TOO]
        raise self.fail(node, f"unknown name {node.id!r}", self._known(), did_you_mean(node.id, meant))

    def _BinOp(self, node: ast.BinOp) -> n.Node:
        name = _BINARY.get(type(node.op))
        if name is None:
            raise self._other_operator(node, node.op)
        left, right = self.expression(node.left), self.expression(node.right)
        if name == "pow" and isinstance(right, n.Const) and not abs(right.value) <= MAX_EXPONENT:
            raise self.fail(node.right, f"an exponent of {right.value}", f"at most {MAX_EXPONENT}")
        if name == "pow" and _tower(right):
            raise self.fail(node.right, "a power tower of numbers", f"an exponent of at most {MAX_EXPONENT}")
        return n.Call(name, (left, right), at=place_of(node))

    def _other_operator(self, node: ast.AST, op: ast.AST) -> ExpressionError:
        sign, instead = _BITWISE[type(op)]
        return self.fail(node, f"the operator {sign} is not in the language", instead)

    def _UnaryOp(self, node: ast.UnaryOp) -> n.Node:
        name = _UNARY.get(type(node.op))
        if name is None:
            raise self._other_operator(node, node.op)
        operand = self.expression(node.operand)
        if name == "negative" and isinstance(operand, n.Const) and not operand.name:
            return n.Const(-operand.value, at=place_of(node))
        return n.Call(name, (operand,), at=place_of(node))

    def _Compare(self, node: ast.Compare) -> n.Node:
        operands = [self.expression(e) for e in [node.left, *node.comparators]]
        links: list[n.Node] = []
        for op, left, right in zip(node.ops, operands, operands[1:], strict=False):
            name = _COMPARE.get(type(op))
            if name is None:
                raise self.fail(node, f"the comparison {type(op).__name__} is not in the language")
            links.append(n.Call(name, (left, right), at=place_of(node)))
        return self._fold("logical_and", links, node)

    def _BoolOp(self, node: ast.BoolOp) -> n.Node:
        name = "logical_and" if isinstance(node.op, ast.And) else "logical_or"
        return self._fold(name, [self.expression(e) for e in node.values], node)

    def _fold(self, name: str, items: list[n.Node], node: ast.AST) -> n.Node:
        result = items[0]
        for item in items[1:]:
            result = n.Call(name, (result, item), at=place_of(node))
        return result

    def _IfExp(self, node: ast.IfExp) -> n.Node:
        parts = [self.expression(e) for e in (node.test, node.body, node.orelse)]
        return n.Choice(parts[0], parts[1], parts[2], place_of(node))

    def _Tuple(self, node: ast.Tuple) -> n.Node:
        return n.Sequence(tuple(self.expression(e) for e in node.elts), place_of(node))

    def _List(self, node: ast.List) -> n.Node:
        return n.Sequence(tuple(self.expression(e) for e in node.elts), place_of(node))

    def _Dict(self, node: ast.Dict) -> n.Node:
        keys = [k.value if isinstance(k, ast.Constant) else None for k in node.keys]
        if not keys or not all(isinstance(k, str) for k in keys):
            raise self.fail(node, "a dict names outputs", '{"y": …, "z": …}')
        return n.Outputs(tuple(map(str, keys)), tuple(self.expression(e) for e in node.values), place_of(node))

    def _Attribute(self, node: ast.Attribute) -> n.Node:
        if node.attr == "T":
            return n.Call("permute_dims", (self.expression(node.value),), at=place_of(node))
        if node.attr in ("shape", "ndim"):
            return n.Shape(self.expression(node.value), node.attr, place_of(node))
        raise self.fail(node, f"the attribute .{node.attr} is not in the language", ".T, .shape or .ndim")

    def _Subscript(self, node: ast.Subscript) -> n.Node:
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return n.Index(self.expression(node.value), tuple(self._item(item) for item in items), place_of(node))

    def _item(self, node: ast.expr) -> n.Node | n.Slice | None:
        if isinstance(node, ast.Slice):
            start, stop, step = (
                None if part is None else self.expression(part) for part in (node.lower, node.upper, node.step)
            )
            return n.Slice(start, stop, step)
        if isinstance(node, ast.Constant) and node.value is None:
            return None
        return self.expression(node)

    def _Call(self, node: ast.Call) -> n.Node:
        if not isinstance(node.func, ast.Name):
            raise self.fail(node, "only functions of the vocabulary are called, by name", "sin(x)")
        name = node.func.id
        if name in self.functions:
            return self._call_local(node, name)
        row = primitive_of(name)
        if row is None:
            suggestion = did_you_mean(name, self._candidates())
            raise self.fail(node.func, f"unknown function {name!r}", "a function of the vocabulary", suggestion)
        return self._call_primitive(node, row)

    def _call_local(self, node: ast.Call, name: str) -> n.Node:
        if node.keywords or len(node.args) != self.functions[name]:
            raise self.fail(node, f"{name} was called wrongly", f"{self.functions[name]} arguments by position")
        return n.CallLocal(name, tuple(self.expression(a) for a in node.args), place_of(node))

    def _call_primitive(self, node: ast.Call, row: Primitive) -> n.Node:
        arrays = 1 if row.arity is None else row.arity
        signature = self._signature(row)
        positional = self._gathered(node, row)
        if len(positional) > arrays + len(row.params):
            raise self.fail(node, f"{row.name} takes fewer arguments", signature)
        given = [self.expression(a) for a in positional[:arrays]]
        params = {p: self._parameter(row, p, a) for p, a in zip(row.params, positional[arrays:], strict=False)}
        for keyword in node.keywords:
            if keyword.arg not in row.params:
                raise self.fail(
                    keyword.value, f"{row.name} has no parameter {keyword.arg!r}", signature,
                    did_you_mean(keyword.arg or "", row.params),
                )  # fmt: skip
            params[keyword.arg] = self._parameter(row, keyword.arg, keyword.value)
        missing = [p for p in row.params if p not in params and p not in row.defaults]
        if len(given) < arrays or missing:
            raise self.fail(node, f"{row.name} needs more arguments", signature)
        if row.batching is Batching.JOIN and not isinstance(given[0], n.Sequence):
            raise self.fail(node, f"{row.name} takes a list of arrays", signature)
        return n.Call(row.name, tuple(given), tuple(sorted(params.items())), place_of(node))

    def _gathered(self, node: ast.Call, row: Primitive) -> list[ast.expr]:
        """The arguments by position; where arrays may come one by one (`einsum("i,i", x, y)`), as one list."""
        given = list(node.args)
        if row.arity is not None or row.compose is None or not given or isinstance(given[0], ast.List | ast.Tuple):
            return given
        leading = given[:1] if _text(given[0]) else []
        arrays = ast.List(given[len(leading) :], ast.Load())
        return [ast.copy_location(arrays, node), *leading]

    def _parameter(self, row: Primitive, name: str, node: ast.expr) -> n.Node:
        """A parameter; a text only where the row's default is one, and only letters and a few signs."""
        text = _text(node)
        if not text or not isinstance(row.defaults.get(name), str):
            return self.expression(node)
        if not re.fullmatch(WORD, text):
            raise self.fail(node, f"{text[:40]!r} is no word for {name}", "letters, digits, commas, dots and ->")
        return n.Text(text, place_of(node))

    def _signature(self, row: Primitive) -> str:
        arrays = ["[x, y, …]"] if row.arity is None else ["x", "y", "z", "w"][: row.arity]
        params = [f"{p}={row.defaults[p]}" if p in row.defaults else p for p in row.params]
        return f"{row.name}({', '.join(arrays + params)})"

    def _known(self) -> str:
        return "one of " + ", ".join(sorted(self.names)) if self.names else "a number"

    def _candidates(self) -> list[str]:
        return [*sorted(self.names), *self.functions, *CONSTANTS, *VOCABULARY, *ALIASES]


def place_of(node: ast.AST) -> n.At:
    return getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def primitive_of(name: str) -> Primitive | None:
    return VOCABULARY.get(ALIASES.get(name, name))


def taken(name: str) -> bool:
    """Whether a name is a function's and cannot be a number's as well."""
    return primitive_of(name) is not None and name not in NAMES_OF_NUMBERS_TOO


def _tower(node: n.Node) -> bool:
    """Whether an exponent is itself a power of plain numbers, as in 9**9**9."""
    return (
        isinstance(node, n.Call)
        and node.primitive == "pow"
        and all(isinstance(a, n.Const) or _tower(a) for a in node.args)
    )
