"""Where does a function choose between pieces, and which pieces are there?

A condition of a code block (`if`, `while`, `… if … else …`, a `for` that may have no turn), a comparison, and every
function that is put together of pieces (`abs`, `clip`, `maximum`, `relu` …). Each piece is told by the statement that
holds where it is taken: `x > 800`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gradcheck.expr import nodes as n
from gradcheck.expr.nodes import walk
from gradcheck.expr.pieces import OPPOSITE, PIECES, denied, pieces
from gradcheck.expr.program import Program
from gradcheck.expr.text import to_text


@dataclass(frozen=True, slots=True)
class Choice:
    """One place at which pieces are chosen. line: in a code block, 0 in a formula; sides: a statement for each piece.

    node: what a watched evaluation is told of. tests: the statements of a function of pieces once more, its arguments
    called "0", "1" … and its parameters by their names.
    """

    node: n.Node | n.Statement
    line: int
    sides: tuple[str, ...]
    tests: tuple[n.Node, ...] = ()


def choices_of(program: Program) -> tuple[Choice, ...]:
    """The choices of a program that hang on its inputs or dimensions, in the order written."""
    every = walk(program.tree)
    moving = _moving(every, set(program.allowed))
    told = {id(node.condition) for node in every if isinstance(node, n.If | n.While | n.Choice)}
    told |= {id(node) for node in every if _is(node, "where") and _is(node.args[0], *OPPOSITE)}
    found = []
    for node in every:
        if id(node) not in told and _hangs_on(node, moving):
            line = node.at[0] if program.code else 0
            if isinstance(node, n.Call) and node.primitive in PIECES:
                parts = pieces(node)
                found.append(Choice(node, line, tuple(map(to_text, parts)), tuple(_abstract(p, node) for p in parts)))
            elif not isinstance(node, n.Call):
                found.append(Choice(node, line, _statements(node)))
    return tuple(choice for choice in found if choice.sides)


def _abstract(part: n.Node, node: n.Call) -> n.Node:
    """A statement about a function's arguments and parameters as one about names that stand for them."""
    names = {id(arg): str(k) for k, arg in enumerate(node.args)} | {id(value): key for key, value in node.params}
    if id(part) in names:
        return n.Name(names[id(part)])
    return replace(part, args=tuple(_abstract(a, node) for a in part.args)) if isinstance(part, n.Call) else part


def _statements(node: n.Node | n.Statement) -> tuple[str, ...]:
    if isinstance(node, n.If | n.Choice):
        return to_text(node.condition), to_text(denied(node.condition))
    if isinstance(node, n.While):
        return to_text(node.condition), f"{to_text(denied(node.condition))} at once, so that the loop has no turn"
    if isinstance(node, n.For):
        bounds = f"range({', '.join(map(to_text, node.bounds))})"
        return f"{bounds} has a turn", f"{bounds} has no turn"
    return ()


def _hangs_on(node: object, moving: set[str]) -> bool:
    if isinstance(node, n.If | n.While | n.Choice):
        return _reads(node.condition, moving)
    if isinstance(node, n.For):
        return any(_reads(bound, moving) for bound in node.bounds)
    deciding = getattr(node, "args", ())[: 1 if _is(node, "where") else None]
    return isinstance(node, n.Call) and any(_reads(arg, moving) for arg in deciding)


def _moving(every: list[n.Node | n.Statement], moving: set[str]) -> set[str]:
    """The names whose values hang on the inputs or dimensions; what a local function is given may always do."""
    moving |= {name for node in every if isinstance(node, n.Define) for name in node.parameters}
    while True:
        before = len(moving)
        for node in every:
            if isinstance(node, n.Assign) and _reads(node.value, moving):
                moving |= set(node.targets)
            elif isinstance(node, n.For) and any(_reads(b, moving) for b in node.bounds):
                moving.add(node.target)
        if len(moving) == before:
            return moving


def _reads(node: object, moving: set[str]) -> bool:
    return any(isinstance(p, n.CallLocal) or (isinstance(p, n.Name) and p.id in moving) for p in walk(node))


def _is(node: object, *names: str) -> bool:
    return isinstance(node, n.Call) and node.primitive in names
