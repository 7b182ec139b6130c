"""What is a function of the language? A parsed formula or code block that is called in any namespace."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from gradcheck.expr import nodes as n
from gradcheck.expr.control import Control
from gradcheck.expr.evaluate import Closure, State, compile_expression
from gradcheck.expr.execute import compile_block
from gradcheck.expr.parse import parse_block, parse_expression


class Program:
    """A function of the language: a formula or a code block, callable in any namespace."""

    __slots__ = ("_run", "allowed", "code", "names", "text", "tree")

    def __init__(self, text: str, allowed: Collection[str], code: bool) -> None:
        self.text = text
        self.allowed = frozenset(allowed)
        self.code = code
        self.tree: n.Node | tuple[n.Statement, ...] = (
            parse_block(text, self.allowed) if code else parse_expression(text, self.allowed)
        )
        self.names = frozenset(node.id for node in n.walk(self.tree) if isinstance(node, n.Name)) & self.allowed
        self._run: Closure | None = None

    def __call__(self, xp: Any, env: Mapping[str, Any], control: Control | None = None) -> Any:
        """The value in namespace `xp`, for the names' values in `env`; a dict where outputs are named.

        Raises EvaluationError where a loop does not end, a size grows past its limit, or shapes do not fit.
        """
        if self._run is None:
            self._run = compile_block(self.tree) if isinstance(self.tree, tuple) else compile_expression(self.tree)
        return self._run(State(xp, dict(env), control or Control()))

    def __reduce__(self) -> tuple[Any, ...]:
        return Program, (self.text, sorted(self.allowed), self.code)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and (self.text, self.code) == (other.text, other.code)

    def __hash__(self) -> int:
        return hash((self.text, self.code))

    def __repr__(self) -> str:
        return f"Program({self.text!r})"


def parse_formula(text: str, names: Collection[str]) -> Program:
    """A formula that may use `names`. Raises ExpressionError with its place in `text`."""
    return Program(text, names, code=False)


def parse_code(text: str, names: Collection[str]) -> Program:
    """A code block that may use `names`. Raises ExpressionError with its place in `text`."""
    return Program(text, names, code=True)
