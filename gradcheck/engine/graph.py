"""What does the graph of a computation look like?

The operations that led from the inputs to a tensor, as frozen data in topological order: for drawing, for teaching, for
naming operations in a finding; with the value and the adjoint of every node where these are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.engine.cotangents import Results, adjoints, tape_of
from gradcheck.engine.tape import Tensor
from gradcheck.expr.primitive import Value
from gradcheck.expr.rules import numbers

Array = NDArray[Any]
SHAPES = {"input": "box", "constant": "plaintext", "operation": "ellipse", "output": "doublecircle"}
DIGITS = 4
FEW = 4  # numbers of an array that a drawing shows


@dataclass(frozen=True, slots=True)
class Node:
    """One value: an input, a constant, or the result of an operation (the last one is the output).

    value and adjoint are read-only arrays, or None where they were not asked for; an adjoint is None, too, where no
    cotangent comes to the node. params are the operation's parameters. Two nodes are equal apart from their numbers.
    """

    id: int
    label: str
    kind: str  # "input", "constant", "operation" or "output"
    shape: tuple[int, ...]
    name: str = ""  # of an operation, where it was given one
    params: Mapping[str, Any] = field(default_factory=dict)
    value: Array | None = field(default=None, compare=False)
    adjoint: Array | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Edge:
    """The value `source` is argument number `position` of the operation `target`."""

    source: int
    target: int
    position: int


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes, each after those it was computed from, and the edges between them."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def operations(self) -> tuple[str, ...]:
        """The names of all operations, in order."""
        return tuple(node.label for node in self.nodes if node.kind in ("operation", "output"))


def graph_of(
    result: Results, names: Mapping[str, Tensor] | None = None, *, values: bool = False,
    adjoints: bool = False, ct: Any = None,
) -> Graph:  # fmt: skip
    """The graph that `result` (one tensor, or several of one tape) was computed by.

    names: labels for inputs, and for what is constant; names for operations.
    values: whether nodes hold their values. adjoints: whether they hold their cotangents, for the cotangent `ct` of the
    result (of several results: one each), which may be left out where a result has one element.

    A graph whose values were freed by a backward pass is refused (TapeError). Nothing is freed here, no `grad` changed.
    """
    return _Drawing(result, names or {}, values, _pulled(result, ct) if adjoints else {}).graph()


def _pulled(result: Results, ct: Any) -> Mapping[Tensor, Value]:
    return adjoints(result, ct)


class _Drawing:
    """The nodes and edges found so far."""

    def __init__(
        self, result: Results, names: Mapping[str, Tensor], values: bool, pulled: Mapping[Tensor, Value]
    ) -> None:
        self.tape = tape_of(result)
        self.results = {id(root) for root in ([result] if isinstance(result, Tensor) else result)}
        self.names = {id(tensor): name for name, tensor in names.items()}
        self.held = {id(tensor.data): name for name, tensor in names.items()}  # of tensors that no derivative is by
        self.values = values
        self.pulled = pulled
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []

    def graph(self) -> Graph:
        ids: dict[int, int] = {}
        for tensor in self.tape:
            pairs = zip(tensor.raw, tensor.parents, strict=True)
            sources = [self.constant(raw) if parent is None else ids[parent.number] for raw, parent in pairs]
            ids[tensor.number] = len(self.nodes)
            self.edges += [Edge(source, len(self.nodes), position) for position, source in enumerate(sources)]
            self.tensor(tensor)
        return Graph(tuple(self.nodes), tuple(self.edges))

    def tensor(self, tensor: Tensor) -> None:
        """Add the node of an input or of an operation."""
        name = self.names.get(id(tensor), "")
        kind = "input" if tensor.rule is None else "output" if id(tensor) in self.results else "operation"
        label, name = (tensor.rule.label, name) if tensor.rule else (name or "input", "")
        adjoint = self.pulled.get(tensor)
        self.add(
            label, kind, tensor.shape, name, dict(tensor.params or {}), tensor.data if self.values else None, adjoint
        )

    def constant(self, raw: Value) -> int:
        """Add a node for a value that no derivative is wanted by."""
        data = numbers(raw)
        label = f"{data.item():g}" if data.ndim == 0 and data.dtype.kind in "biuf" else f"constant {data.shape}"
        return self.add(self.held.get(id(raw), label), "constant", data.shape, value=data if self.values else None)

    def add(
        self, label: str, kind: str, shape: tuple[int, ...], name: str = "", params: Mapping[str, Any] | None = None,
        value: Value | None = None, adjoint: Value | None = None,
    ) -> int:  # fmt: skip
        """Add a node with copies of its numbers; its id."""
        self.nodes.append(
            Node(len(self.nodes), label, kind, shape, name, params or {}, _frozen(value), _frozen(adjoint))
        )
        return len(self.nodes) - 1


def _frozen(value: Value | None) -> Array | None:
    """A copy that nobody can write to."""
    if value is None:
        return None
    copy = np.array(numbers(value))
    copy.flags.writeable = False
    return copy


def dot(drawn: Graph) -> str:
    """The graph in the DOT language of Graphviz; below a node's label stand its value and adjoint, if it holds them."""
    lines = ["digraph {", "  rankdir=LR;"]
    for node in drawn.nodes:
        label = "\\n".join(part.replace("\\", "\\\\").replace('"', '\\"') for part in told(node))
        lines.append(f'  n{node.id} [label="{label}", shape={SHAPES[node.kind]}];')
    lines += [f"  n{edge.source} -> n{edge.target};" for edge in drawn.edges]
    return "\n".join([*lines, "}"]) + "\n"


def told(node: Node) -> list[str]:
    """What is written in a node: label, value and adjoint; a number that is its own label stands there once."""
    lines = [f"{node.name} = {node.label}" if node.name else node.label]
    if node.value is not None and not (node.kind == "constant" and node.label == _short(node.value)):
        lines.append(_short(node.value))
    return lines if node.adjoint is None else [*lines, f"adjoint {_short(node.adjoint)}"]


def _short(array: Array) -> str:
    """A number, or the first few of an array."""
    flat = [f"{item:.{DIGITS}g}" for item in array.reshape(-1)[:FEW].tolist()]
    if array.ndim == 0:
        return flat[0]
    return f"[{', '.join(flat)}{', …' if array.size > FEW else ''}]"
