"""Is the graph of a computation complete, in order, and drawable?"""

from __future__ import annotations

import pytest

from gradcheck import engine
from gradcheck.engine import dot_source, graph_of, tensor
from gradcheck.errors import TapeError


def test_nodes_are_named_after_their_operation_002b() -> None:
    x = tensor([1.1131, -0.1259, 1.2902], requires_grad=True)
    drawn = graph_of((2 * (x + 2) ** 2).mean(), {"x": x})
    assert drawn.operations == ("add", "pow", "mul", "mean")
    assert [n.label for n in drawn.nodes if n.kind == "input"] == ["x"]
    assert sorted(n.label for n in drawn.nodes if n.kind == "constant") == ["2", "2", "2"]
    assert [n.kind for n in drawn.nodes][-1] == "output"
    assert drawn.nodes[-1].shape == ()


def test_the_graph_of_the_exercise_004e() -> None:
    x = tensor(2.0, requires_grad=True)
    drawn = graph_of(engine.log(x**2) * engine.sin(x) + 1 / x, {"x": x})
    assert sorted(drawn.operations) == ["add", "div", "log", "mul", "pow", "sin"]
    assert all(edge.source < edge.target for edge in drawn.edges)
    (input_node,) = [n for n in drawn.nodes if n.kind == "input"]
    assert len([e for e in drawn.edges if e.source == input_node.id]) == 3
    (division,) = [n for n in drawn.nodes if n.label == "div"]
    by_position = {e.position: drawn.nodes[e.source].label for e in drawn.edges if e.target == division.id}
    assert by_position == {0: "1", 1: "x"}


def test_dot_source() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    source = dot_source(graph_of((x * x).sum(), {'a "name"': x}))
    assert source.startswith("digraph {\n")
    assert '[label="a \\"name\\"", shape=box];' in source
    assert source.count("->") == 3
    assert source.endswith("}\n")


def test_a_freed_graph_is_refused() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(TapeError, match="freed by a backward pass"):
        graph_of(y)
