"""Which outputs does a code block return? One value, or the same named ones on every path."""

from __future__ import annotations

from gradcheck.expr import Program
from gradcheck.expr import nodes as n

_ONE = ("value",)


def outputs_of(program: Program) -> tuple[tuple[str, ...], str, int]:
    """The names of a code block's outputs; else what is wrong with its returns, and in which of its lines."""
    assert isinstance(program.tree, tuple)
    found = [(_names(statement.value), statement.at[0]) for statement in _returns(program.tree)]
    first, first_line = found[0]
    for names, line in found[1:]:
        if names != first:
            return _ONE, f"this return gives {_words(names)}, the first one {_words(first)}", line
    if any(isinstance(s.value, n.Outputs) and "value" in s.value.names for s in _returns(program.tree)):
        return _ONE, "the output name 'value' is reserved", first_line
    if len(set(first)) < len(first):
        return _ONE, "an output is named twice", first_line
    return first, "", first_line


def _names(value: n.Node) -> tuple[str, ...]:
    return value.names if isinstance(value, n.Outputs) else _ONE


def _words(names: tuple[str, ...]) -> str:
    return "one value" if names == _ONE else "the outputs " + ", ".join(names)


def _returns(body: tuple[n.Statement, ...]) -> list[n.Return]:
    """The returns of a block in the order written, local functions' own left out."""
    found: list[n.Return] = []
    for statement in body:
        if isinstance(statement, n.Return):
            found.append(statement)
        elif isinstance(statement, n.If):
            found += _returns(statement.body) + _returns(statement.orelse)
        elif isinstance(statement, n.While | n.For):
            found += _returns(statement.body)
    return found
