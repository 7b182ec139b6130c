"""Is this text in the language, and what does it mean?

Python's own parser builds the syntax tree; the whitelist below turns it into `nodes`. What is not listed is refused
with its place, so nothing of the text is ever evaluated by Python.
"""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from gradcheck.errors import ExpressionError, did_you_mean
from gradcheck.expr import nodes as n
from gradcheck.expr.primitive import Batching, Primitive
from gradcheck.expr.vocabulary import ALIASES, VOCABULARY

CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf}
MAX_CHARACTERS = 20_000
MAX_NODES = 4_000
MAX_DEPTH = 60
MAX_EXPONENT = 1_000
MAX_INTEGER = 2**53

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "pow",
    ast.MatMult: "matmul", ast.Mod: "remainder", ast.FloorDiv: "floor_divide",
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "less", ast.LtE: "less_equal", ast.Gt: "greater", ast.GtE: "greater_equal",
    ast.Eq: "equal", ast.NotEq: "not_equal",
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], str] = {ast.USub: "negative", ast.UAdd: "positive", ast.Not: "logical_not"}
_WORDS = {
    "Lambda": "a lambda", "JoinedStr": "an f-string", "ListComp": "a comprehension", "SetComp": "a comprehension",
    "DictComp": "a comprehension", "GeneratorExp": "a generator", "NamedExpr": "an assignment inside an expression",
    "Await": "await", "Yield": "yield", "YieldFrom": "yield", "Starred": "a starred argument", "Set": "a set",
    "Import": "an import", "ImportFrom": "an import", "ClassDef": "a class", "Global": "global", "Nonlocal": "nonlocal",
    "With": "with", "Try": "try", "Raise": "raise", "Assert": "assert", "Delete": "del", "AsyncFunctionDef": "async",
    "Expr": "a statement without effect", "Match": "match", "AnnAssign": "an annotation",
}  # fmt: skip


def parse_expression(text: str, names: Collection[str]) -> n.Node:
    """The tree of one formula; `names` are the free names it may use.

    Raises ExpressionError, with line and column in `text`, for anything outside the language.
    """
    with _understandable(text):
        tree = ast.parse(text.strip(), mode="eval")
        _bounded(tree, text)
        return _Parser(text, names).expression(tree.body)


def parse_block(text: str, names: Collection[str]) -> tuple[n.Statement, ...]:
    """The tree of one code block; it must return a value on its last line's path."""
    with _understandable(text):
        tree = ast.parse(text)
        _bounded(tree, text)
        parser = _Parser(text, names)
        body = parser.block(tree.body)
        if not _returns(body):
            raise ExpressionError("the code can end without a return", text, len(text.splitlines()) or 1, 1, "return")
        return body


@contextmanager
def _understandable(text: str) -> Iterator[None]:
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(f"a text of {len(text)} characters is past the limit of {MAX_CHARACTERS}", text[:80])
    if not text.strip():
        raise ExpressionError("nothing is written here", text, expected="a formula")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except SyntaxError as error:
        message = f"this is not a formula of the language ({error.msg})"
        raise ExpressionError(message, text, error.lineno or 1, error.offset or 1) from None
    except (RecursionError, MemoryError):
        raise ExpressionError("nested too deeply", text, expected=f"at most {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise ExpressionError(f"this is not a formula of the language ({error})", text) from None


def _bounded(tree: ast.AST, text: str) -> None:
    """Refuse trees that are too large or too deep, before anything recurses into them."""
    pending = [(tree, 0)]
    count = 0
    while pending:
        node, depth = pending.pop()
        count += 1
        if depth > MAX_DEPTH:
            raise ExpressionError("nested too deeply", text, expected=f"at most {MAX_DEPTH} levels")
        if count > MAX_NODES:
            raise ExpressionError("too long", text, expected=f"at most {MAX_NODES} operations and names")
        pending += [(child, depth + 1) for child in ast.iter_child_nodes(node)]


def _returns(body: tuple[n.Statement, ...]) -> bool:
    """Whether every path through `body` ends in a return."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, n.If):
        return _returns(last.body) and _returns(last.orelse)
    return isinstance(last, n.Return)


class _Parser:
    """Turns Python's syntax tree into ours, keeping track of the names in scope."""

    def __init__(self, text: str, names: Collection[str]) -> None:
        self.text = text
        self.names = set(names)
        self.functions: dict[str, int] = {}  # local functions defined so far -> number of parameters
        self.loops = 0

    def fail(self, node: ast.AST, message: str, expected: str = "", suggestion: str = "") -> ExpressionError:
        line, column = _at(node)
        return ExpressionError(message, self.text, line, column, expected, suggestion)

    def refuse(self, node: ast.AST) -> ExpressionError:
        kind = type(node).__name__
        return self.fail(node, f"{_WORDS.get(kind, kind)} is not in the language")

    # expressions

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
            return n.Const(value, at=_at(node))
        if value is Ellipsis:
            return n.Dots()
        raise self.fail(node, f"{value!r} is not a number", "a number")

    def _Name(self, node: ast.Name) -> n.Node:
        if node.id in self.names:
            return n.Name(node.id, _at(node))
        if node.id in CONSTANTS:
            return n.Const(CONSTANTS[node.id], node.id, _at(node))
        if _primitive(node.id):
            raise self.fail(node, f"{node.id!r} is a function", f"{node.id}(…)")
        raise self.fail(node, f"unknown name {node.id!r}", self._known(), did_you_mean(node.id, self._candidates()))

    def _BinOp(self, node: ast.BinOp) -> n.Node:
        name = _BINARY.get(type(node.op))
        if name is None:
            raise self.fail(node, f"the operator {type(node.op).__name__} is not in the language")
        left, right = self.expression(node.left), self.expression(node.right)
        if name == "pow" and isinstance(right, n.Const) and not abs(right.value) <= MAX_EXPONENT:
            raise self.fail(node.right, f"an exponent of {right.value}", f"at most {MAX_EXPONENT}")
        if name == "pow" and _tower(right):
            raise self.fail(node.right, "a power tower of numbers", f"an exponent of at most {MAX_EXPONENT}")
        return n.Call(name, (left, right), at=_at(node))

    def _UnaryOp(self, node: ast.UnaryOp) -> n.Node:
        name = _UNARY.get(type(node.op))
        if name is None:
            raise self.fail(node, f"the operator {type(node.op).__name__} is not in the language")
        operand = self.expression(node.operand)
        if name == "negative" and isinstance(operand, n.Const) and not operand.name:
            return n.Const(-operand.value, at=_at(node))
        return n.Call(name, (operand,), at=_at(node))

    def _Compare(self, node: ast.Compare) -> n.Node:
        operands = [self.expression(e) for e in [node.left, *node.comparators]]
        links: list[n.Node] = []
        for op, left, right in zip(node.ops, operands, operands[1:], strict=False):
            name = _COMPARE.get(type(op))
            if name is None:
                raise self.fail(node, f"the comparison {type(op).__name__} is not in the language")
            links.append(n.Call(name, (left, right), at=_at(node)))
        return self._fold("logical_and", links, node)

    def _BoolOp(self, node: ast.BoolOp) -> n.Node:
        name = "logical_and" if isinstance(node.op, ast.And) else "logical_or"
        return self._fold(name, [self.expression(e) for e in node.values], node)

    def _fold(self, name: str, items: list[n.Node], node: ast.AST) -> n.Node:
        result = items[0]
        for item in items[1:]:
            result = n.Call(name, (result, item), at=_at(node))
        return result

    def _IfExp(self, node: ast.IfExp) -> n.Node:
        parts = [self.expression(e) for e in (node.test, node.body, node.orelse)]
        return n.Choice(parts[0], parts[1], parts[2], _at(node))

    def _Tuple(self, node: ast.Tuple) -> n.Node:
        return n.Sequence(tuple(self.expression(e) for e in node.elts), _at(node))

    def _List(self, node: ast.List) -> n.Node:
        return n.Sequence(tuple(self.expression(e) for e in node.elts), _at(node))

    def _Dict(self, node: ast.Dict) -> n.Node:
        keys = [k.value if isinstance(k, ast.Constant) else None for k in node.keys]
        if not keys or not all(isinstance(k, str) for k in keys):
            raise self.fail(node, "a dict names outputs", '{"y": …, "z": …}')
        return n.Outputs(tuple(map(str, keys)), tuple(self.expression(e) for e in node.values), _at(node))

    def _Attribute(self, node: ast.Attribute) -> n.Node:
        if node.attr == "T":
            return n.Call("permute_dims", (self.expression(node.value),), at=_at(node))
        if node.attr in ("shape", "ndim"):
            return n.Shape(self.expression(node.value), node.attr, _at(node))
        raise self.fail(node, f"the attribute .{node.attr} is not in the language", ".T, .shape or .ndim")

    def _Subscript(self, node: ast.Subscript) -> n.Node:
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return n.Index(self.expression(node.value), tuple(self._item(item) for item in items), _at(node))

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
        row = _primitive(name)
        if row is None:
            suggestion = did_you_mean(name, self._candidates())
            raise self.fail(node.func, f"unknown function {name!r}", "a function of the vocabulary", suggestion)
        return self._call_primitive(node, row)

    def _call_local(self, node: ast.Call, name: str) -> n.Node:
        if node.keywords or len(node.args) != self.functions[name]:
            raise self.fail(node, f"{name} was called wrongly", f"{self.functions[name]} arguments by position")
        return n.CallLocal(name, tuple(self.expression(a) for a in node.args), _at(node))

    def _call_primitive(self, node: ast.Call, row: Primitive) -> n.Node:
        given = [self.expression(a) for a in node.args]
        arrays = 1 if row.arity is None else row.arity
        signature = self._signature(row)
        if len(given) > arrays + len(row.params):
            raise self.fail(node, f"{row.name} takes fewer arguments", signature)
        params = dict(zip(row.params, given[arrays:], strict=False))
        for keyword in node.keywords:
            if keyword.arg not in row.params:
                raise self.fail(
                    keyword.value, f"{row.name} has no parameter {keyword.arg!r}", signature,
                    did_you_mean(keyword.arg or "", row.params),
                )  # fmt: skip
            params[keyword.arg] = self.expression(keyword.value)
        missing = [p for p in row.params if p not in params and p not in row.defaults]
        if len(given) < arrays or missing:
            raise self.fail(node, f"{row.name} needs more arguments", signature)
        if row.batching is Batching.JOIN and not isinstance(given[0], n.Sequence):
            raise self.fail(node, f"{row.name} takes a list of arrays", signature)
        return n.Call(row.name, tuple(given[:arrays]), tuple(sorted(params.items())), _at(node))

    def _signature(self, row: Primitive) -> str:
        arrays = ["[x, y, …]"] if row.arity is None else ["x", "y", "z", "w"][: row.arity]
        params = [f"{p}={row.defaults[p]}" if p in row.defaults else p for p in row.params]
        return f"{row.name}({', '.join(arrays + params)})"

    # statements

    def block(self, body: list[ast.stmt]) -> tuple[n.Statement, ...]:
        return tuple(self.statement(s) for s in body if not _is_docstring(s))

    def statement(self, node: ast.stmt) -> n.Statement:
        method = getattr(self, f"_do_{type(node).__name__}", None)
        if method is None:
            raise self.refuse(node)
        result: n.Statement = method(node)
        return result

    def _do_Assign(self, node: ast.Assign) -> n.Statement:
        if len(node.targets) != 1:
            raise self.fail(node, "one assignment at a time", "a = …")
        target = node.targets[0]
        value = self.expression(node.value)
        parts = target.elts if isinstance(target, ast.Tuple) else [target]
        names = tuple(self._bind(part) for part in parts)
        if len(names) > 1 and not (isinstance(value, n.Sequence) and len(value.items) == len(names)):
            raise self.fail(node, f"{len(names)} names need as many values", "a, b = …, …")
        return n.Assign(names, value, _at(node))

    def _do_AugAssign(self, node: ast.AugAssign) -> n.Statement:
        left = ast.copy_location(ast.Name(getattr(node.target, "id", "?"), ast.Load()), node.target)
        if not isinstance(node.target, ast.Name):
            raise self.fail(node.target, "only names are assigned to", "a += …")
        value = self.expression(ast.copy_location(ast.BinOp(left, node.op, node.value), node))
        return n.Assign((self._bind(node.target),), value, _at(node))

    def _bind(self, target: ast.expr) -> str:
        if not isinstance(target, ast.Name):
            raise self.fail(target, "only names are assigned to", "a = …")
        self._fresh(target, target.id)
        self.names.add(target.id)
        return target.id

    def _fresh(self, node: ast.AST, name: str) -> None:
        if name.startswith("__") or _primitive(name) or name in CONSTANTS or name in self.functions:
            raise self.fail(node, f"{name!r} is taken", "a name of your own")

    def _do_If(self, node: ast.If) -> n.Statement:
        condition = self.expression(node.test)
        return n.If(condition, self.block(node.body), self.block(node.orelse), _at(node))

    def _do_While(self, node: ast.While) -> n.Statement:
        self._no_else(node)
        condition = self.expression(node.test)
        return n.While(condition, self._loop_body(node.body), _at(node))

    def _do_For(self, node: ast.For) -> n.Statement:
        self._no_else(node)
        call = node.iter
        ranged = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "range"
        if not (ranged and isinstance(call, ast.Call) and 1 <= len(call.args) <= 3 and not call.keywords):
            raise self.fail(node.iter, "a for loop goes over a range", "for i in range(n):")
        bounds = tuple(self.expression(a) for a in call.args)
        return n.For(self._bind(node.target), bounds, self._loop_body(node.body), _at(node))

    def _loop_body(self, body: list[ast.stmt]) -> tuple[n.Statement, ...]:
        self.loops += 1
        result = self.block(body)
        self.loops -= 1
        return result

    def _no_else(self, node: ast.While | ast.For) -> None:
        if node.orelse:
            raise self.fail(node.orelse[0], "a loop's else is not in the language")

    def _do_FunctionDef(self, node: ast.FunctionDef) -> n.Statement:
        a = node.args
        if a.vararg or a.kwarg or a.kwonlyargs or a.posonlyargs or a.defaults or node.decorator_list or node.returns:
            raise self.fail(node, "a local function has plain parameters only", "def f(a, b):")
        self._fresh(node, node.name)
        inner = _Parser(self.text, self.names | {arg.arg for arg in a.args})
        inner.functions = dict(self.functions)
        for arg in a.args:
            self._fresh(arg, arg.arg)
        body = inner.block(node.body)
        if not _returns(body):
            raise self.fail(node, f"{node.name} can end without a return", "return")
        self.functions[node.name] = len(a.args)
        return n.Define(node.name, tuple(arg.arg for arg in a.args), body, _at(node))

    def _do_Return(self, node: ast.Return) -> n.Statement:
        if node.value is None:
            raise self.fail(node, "a return needs a value", "return …")
        return n.Return(self.expression(node.value), _at(node))

    def _do_Break(self, node: ast.Break) -> n.Statement:
        return self._jump(node, "break")

    def _do_Continue(self, node: ast.Continue) -> n.Statement:
        return self._jump(node, "continue")

    def _do_Pass(self, node: ast.Pass) -> n.Statement:
        return n.Jump("pass", _at(node))

    def _jump(self, node: ast.stmt, kind: str) -> n.Statement:
        if not self.loops:
            raise self.fail(node, f"{kind} outside a loop")
        return n.Jump(kind, _at(node))

    def _known(self) -> str:
        return "one of " + ", ".join(sorted(self.names)) if self.names else "a number"

    def _candidates(self) -> list[str]:
        return [*sorted(self.names), *self.functions, *CONSTANTS, *VOCABULARY, *ALIASES]


def _at(node: ast.AST) -> n.At:
    return getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _primitive(name: str) -> Primitive | None:
    return VOCABULARY.get(ALIASES.get(name, name))


def _tower(node: n.Node) -> bool:
    """Whether an exponent is itself a power of plain numbers, as in 9**9**9."""
    return (
        isinstance(node, n.Call)
        and node.primitive == "pow"
        and all(isinstance(a, n.Const) or _tower(a) for a in node.args)
    )
