"""What does the graph of a computation look like?

The operations that led from the inputs to a tensor, as frozen data in topological order: for drawing, for teaching, for
naming operations in a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.engine.operators import plain
from gradcheck.engine.tape import Tensor
from gradcheck.errors import TapeError

SHAPES = {"input": "box", "constant": "plaintext", "operation": "ellipse", "output": "doublecircle"}


@dataclass(frozen=True, slots=True)
class Node:
    """One value: an input, a constant, or the result of an operation (the last one is the output)."""

    id: int
    label: str
    kind: str  # "input", "constant", "operation" or "output"
    shape: tuple[int, ...]


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


def graph_of(result: Tensor, names: Mapping[str, Tensor] | None = None) -> Graph:
    """The graph that `result` was computed by; `names` gives inputs their labels.

    A graph whose values were freed by a backward pass is refused.
    """
    labels = {id(value): name for name, value in (names or {}).items()}
    nodes: list[Node] = []
    edges: list[Edge] = []
    ids: dict[int, int] = {}
    for value in _in_order(result):
        pairs = zip(value.raw, value.parents, strict=True)
        inputs = [_constant(nodes, raw) if parent is None else ids[parent.number] for raw, parent in pairs]
        ids[value.number] = len(nodes)
        kind = "input" if value.rule is None else "output" if value is result else "operation"
        label = value.rule.label if value.rule else labels.get(id(value), "input")
        edges += [Edge(source, len(nodes), position) for position, source in enumerate(inputs)]
        nodes.append(Node(len(nodes), label, kind, value.shape))
    return Graph(tuple(nodes), tuple(edges))


def _in_order(result: Tensor) -> list[Tensor]:
    found, stack = {result.number: result}, [result]
    while stack:
        value = stack.pop()
        if value.parents is None:
            raise TapeError("the graph was freed by a backward pass; draw it before, or give retain_graph=True")
        for parent in value.parents:
            if parent is not None and parent.number not in found:
                found[parent.number] = parent
                stack.append(parent)
    return [found[number] for number in sorted(found)]


def _constant(nodes: list[Node], raw: object) -> int:
    """Add a node for a value that no derivative is wanted by."""
    data = np.asarray(plain(raw))
    label = f"{data.item():g}" if data.ndim == 0 and data.dtype.kind in "biuf" else f"constant {data.shape}"
    nodes.append(Node(len(nodes), label, "constant", data.shape))
    return len(nodes) - 1


def dot(drawn: Graph) -> str:
    """The graph in the DOT language of Graphviz."""
    lines = ["digraph {", "  rankdir=LR;"]
    for node in drawn.nodes:
        label = node.label.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'  n{node.id} [label="{label}", shape={SHAPES[node.kind]}];')
    lines += [f"  n{edge.source} -> n{edge.target};" for edge in drawn.edges]
    return "\n".join([*lines, "}"]) + "\n"
