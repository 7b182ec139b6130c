"""Is this text in the language, and what does it mean?

Python's own parser builds the syntax tree; `grammar` and the statements below turn it into `nodes`. What is not listed
there is refused with its place, so nothing of the text is ever evaluated by Python.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from gradcheck.errors import ExpressionError
from gradcheck.expr import nodes as n
from gradcheck.expr.grammar import CONSTANTS, ExpressionParser, place_of, primitive_of, taken

MAX_CHARACTERS = 20_000
MAX_NODES = 4_000
MAX_DEPTH = 60


def parse_expression(text: str, names: Collection[str]) -> n.Node:
    """The tree of one formula; `names` are the free names it may use.

    Raises ExpressionError, with line and column in `text`, for anything outside the language.
    """
    with _understandable(text):
        tree = ast.parse(text.strip(), mode="eval")
        _bounded(tree, text)
        return ExpressionParser(text, names).expression(tree.body)


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


class _Parser(ExpressionParser):
    """Statements, and the names that they bring into scope."""

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
        return n.Assign(names, value, place_of(node))

    def _do_AugAssign(self, node: ast.AugAssign) -> n.Statement:
        left = ast.copy_location(ast.Name(getattr(node.target, "id", "?"), ast.Load()), node.target)
        if not isinstance(node.target, ast.Name):
            raise self.fail(node.target, "only names are assigned to", "a += …")
        value = self.expression(ast.copy_location(ast.BinOp(left, node.op, node.value), node))
        return n.Assign((self._bind(node.target),), value, place_of(node))

    def _bind(self, target: ast.expr) -> str:
        if not isinstance(target, ast.Name):
            raise self.fail(target, "only names are assigned to", "a = …")
        self._fresh(target, target.id)
        self.names.add(target.id)
        return target.id

    def _fresh(self, node: ast.AST, name: str) -> None:
        if name.startswith("__") or taken(name) or name in CONSTANTS or name in self.functions:
            raise self.fail(node, f"{name!r} is taken", "a name of your own")

    def _do_If(self, node: ast.If) -> n.Statement:
        condition = self.expression(node.test)
        return n.If(condition, self.block(node.body), self.block(node.orelse), place_of(node))

    def _do_While(self, node: ast.While) -> n.Statement:
        self._no_else(node)
        condition = self.expression(node.test)
        return n.While(condition, self._loop_body(node.body), place_of(node))

    def _do_For(self, node: ast.For) -> n.Statement:
        self._no_else(node)
        call = node.iter
        ranged = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "range"
        if not (ranged and isinstance(call, ast.Call) and 1 <= len(call.args) <= 3 and not call.keywords):
            raise self.fail(node.iter, "a for loop goes over a range", "for i in range(n):")
        bounds = tuple(self.expression(a) for a in call.args)
        return n.For(self._bind(node.target), bounds, self._loop_body(node.body), place_of(node))

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
        if primitive_of(node.name):
            raise self.fail(node, f"{node.name!r} is taken", "a name of your own")
        self._fresh(node, node.name)
        inner = _Parser(self.text, self.names | {arg.arg for arg in a.args})
        inner.functions = dict(self.functions)
        for arg in a.args:
            self._fresh(arg, arg.arg)
        body = inner.block(node.body)
        if not _returns(body):
            raise self.fail(node, f"{node.name} can end without a return", "return")
        self.functions[node.name] = len(a.args)
        return n.Define(node.name, tuple(arg.arg for arg in a.args), body, place_of(node))

    def _do_Return(self, node: ast.Return) -> n.Statement:
        if node.value is None:
            raise self.fail(node, "a return needs a value", "return …")
        return n.Return(self.expression(node.value), place_of(node))

    def _do_Break(self, node: ast.Break) -> n.Statement:
        return self._jump(node, "break")

    def _do_Continue(self, node: ast.Continue) -> n.Statement:
        return self._jump(node, "continue")

    def _do_Pass(self, node: ast.Pass) -> n.Statement:
        return n.Jump("pass", place_of(node))

    def _jump(self, node: ast.stmt, kind: str) -> n.Statement:
        if not self.loops:
            raise self.fail(node, f"{kind} outside a loop")
        return n.Jump(kind, place_of(node))


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
