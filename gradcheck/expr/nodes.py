"""What is a formula or a small program made of? A tree of frozen nodes, and nothing that can do harm.

`at` is the (line, column) of the node in its text, both 1-based.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

At = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Const:
    """A literal number or truth value, or the named constant it was written as (`pi`)."""

    value: float | int | bool
    name: str = ""
    at: At = (1, 1)


@dataclass(frozen=True, slots=True)
class Text:
    """A word or a pattern that a function takes as a parameter: `mode="reflect"`, `"ij,jk->ik"`."""

    value: str
    at: At = (1, 1)


@dataclass(frozen=True, slots=True)
class Name:
    """A free name: an input, a dimension, `value`, `ct`, or a local of a code block."""

    id: str
    at: At = (1, 1)


@dataclass(frozen=True, slots=True)
class Call:
    """A primitive applied to arrays, with its other parameters."""

    primitive: str
    args: tuple[Node, ...]
    params: tuple[tuple[str, Node], ...] = ()
    at: At = (1, 1)


@dataclass(frozen=True, slots=True)
class CallLocal:
    """A local function of the code block applied to values."""

    function: str
    args: tuple[Node, ...]
    at: At = (1, 1)


@dataclass(frozen=True, slots=True)
class Choice:
    """`then if condition else otherwise`: only the chosen side is evaluated."""

    condition: Node
    then: Node
    otherwise: Node
    at: At = (1, 1)


@dataclass(frozen=True, slots=True)
class Index:
    """`value[items]`: integers, slices, None and the ellipsis."""

    value: Node
    items: tuple[Node | Slice | None, ...]
    at: At = (1, 1)


@dataclass(frozen=True, slots=True)
class Slice:
    """`start:stop:step`."""

    start: Node | None
    stop: Node | None
    step: Node | None


@dataclass(frozen=True, slots=True)
class Dots:
    """`...` in an index."""


@dataclass(frozen=True, slots=True)
class Shape:
    """`value.shape`, `value.ndim`: known before any number is."""

    value: Node
    attribute: str
    at: At = (1, 1)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list or tuple: of arrays (for concat) or of integers (for a shape)."""

    items: tuple[Node, ...]
    at: At = (1, 1)


@dataclass(frozen=True, slots=True)
class Outputs:
    """`{"y": …, "z": …}`: several named results."""

    names: tuple[str, ...]
    items: tuple[Node, ...]
    at: At = (1, 1)


@dataclass(frozen=True, slots=True)
class Assign:
    """`a = …` or `a, b = …, …`."""

    targets: tuple[str, ...]
    value: Node
    at: At = (1, 1)


@dataclass(frozen=True, slots=True)
class If:
    """`if …: … else: …`."""

    condition: Node
    body: tuple[Statement, ...]
    orelse: tuple[Statement, ...]
    at: At = (1, 1)


@dataclass(frozen=True, slots=True)
class While:
    """`while …: …`."""

    condition: Node
    body: tuple[Statement, ...]
    at: At = (1, 1)


@dataclass(frozen=True, slots=True)
class For:
    """`for i in range(…): …`."""

    target: str
    bounds: tuple[Node, ...]
    body: tuple[Statement, ...]
    at: At = (1, 1)


@dataclass(frozen=True, slots=True)
class Define:
    """A local function."""

    name: str
    parameters: tuple[str, ...]
    body: tuple[Statement, ...]
    at: At = (1, 1)


@dataclass(frozen=True, slots=True)
class Return:
    """`return …`."""

    value: Node
    at: At = (1, 1)


@dataclass(frozen=True, slots=True)
class Jump:
    """`break`, `continue` or `pass`."""

    kind: str
    at: At = (1, 1)


Node = Const | Text | Name | Call | CallLocal | Choice | Index | Shape | Sequence | Outputs | Dots
Statement = Assign | If | While | For | Define | Return | Jump


def walk(tree: Any) -> list[Any]:
    """Every node below `tree`, itself included, in the order written."""
    found: list[Any] = []
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, tuple):
            pending += reversed(node)
        elif hasattr(node, "__dataclass_fields__"):
            found.append(node)
            pending += [getattr(node, f) for f in reversed(list(node.__dataclass_fields__)) if f != "at"]
    return found
