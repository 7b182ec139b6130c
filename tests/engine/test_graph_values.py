"""Does the graph hold the values and adjoints of a computation, and is everything as before when it was looked at?

The worked example is tables 2 and 3 of Baydin, Pearlmutter, Radul and Siskind, "Automatic differentiation in machine
learning: a survey", JMLR 18 (2018): f(x1, x2) = ln(x1) + x1 x2 - sin(x2) at (2, 5), printed there to three decimals.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck import engine
from gradcheck.engine import Graph, Reverse, Tensor, adjoints, contributions, dot_source, graph_of, tensor
from gradcheck.errors import TapeError
from gradcheck.expr import NUMPY
from gradcheck.oracles.rounding.running import BOUNDED, Bounded, exact

# node: its value and its adjoint, as printed
TABLE = {
    "x1": (2.0, 5.5), "x2": (5.0, 1.716), "v1": (0.693, 1.0), "v2": (10.0, 1.0), "v3": (-0.959, -1.0),
    "v4": (10.693, 1.0), "v5": (11.652, 1.0),
}  # fmt: skip


def example(xp: Any, x1: Any, x2: Any) -> dict[str, Any]:
    v1, v2, v3 = xp.log(x1), xp.multiply(x1, x2), xp.sin(x2)
    v4 = xp.add(v1, v2)
    return {"x1": x1, "x2": x2, "v1": v1, "v2": v2, "v3": v3, "v4": v4, "v5": xp.subtract(v4, v3)}


def recorded() -> dict[str, Tensor]:
    return example(engine.EAGER, tensor(2.0, requires_grad=True), tensor(5.0, requires_grad=True))


def drawn(names: dict[str, Tensor]) -> Graph:
    return graph_of(names["v5"], names, values=True, adjoints=True)


def misprints(graph: Graph) -> list[str]:
    """The nodes whose value or adjoint is not what the paper prints."""
    assert len(graph.nodes) == len(TABLE)
    wrong = []
    for node in graph.nodes:
        value, adjoint = TABLE[node.name or node.label]
        assert node.value is not None and node.adjoint is not None
        if round(float(node.value), 3) != value or round(float(node.adjoint), 3) != adjoint:
            wrong.append(node.name or node.label)
    return wrong


def test_the_textbooks_table() -> None:
    assert misprints(drawn(recorded())) == []


def test_a_rule_that_is_off_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    names = recorded()
    assert names["v3"].rule
    monkeypatch.setattr(names["v3"].rule, "pull", lambda rules, ct, y, raw, node: (rules.multiply(ct, y),))
    assert misprints(drawn(names)) == ["x2"]


def test_nothing_is_changed_by_looking() -> None:
    names = recorded()
    heard: list[str] = []
    names["x2"].register_hook(lambda g: heard.append("x2"))
    names["v2"].retain_grad()
    hooks = [getattr(t, "hooks", None) for t in names.values()]
    for _ in range(2):
        assert misprints(drawn(names)) == []
    assert [getattr(t, "hooks", None) for t in names.values()] == hooks
    assert heard == []
    assert (names["x1"].grad, names["x2"].grad, names["v2"].grad) == (None, None, None)
    names["v5"].backward()
    assert heard == ["x2"]
    assert names["x1"].grad.item() == 5.5 and names["v2"].grad.item() == 1.0
    with pytest.raises(TapeError, match="freed by a backward pass"):
        adjoints(names["v5"])


def test_hooks_are_off_again_where_there_were_none() -> None:
    xp = Reverse(NUMPY)
    names = example(xp, xp.leaf(np.array(2.0)), xp.leaf(np.array(5.0)))
    adjoints(names["v5"])
    assert xp.hooked is False
    assert not any(hasattr(t, "hooks") and t.hooks for t in names.values())


@pytest.mark.parametrize("base", ["reverse", "bounded"])
def test_graphs_recorded_over_another_base(base: str) -> None:
    below: Any = Reverse(NUMPY) if base == "reverse" else BOUNDED
    lift = below.leaf if base == "reverse" else exact
    xp = Reverse(below)
    names = example(xp, xp.leaf(lift(np.array(2.0))), xp.leaf(lift(np.array(5.0))))
    assert misprints(drawn(names)) == []
    found = adjoints(names["v5"])[names["x2"]]
    assert isinstance(found, Tensor if base == "reverse" else Bounded)
    if isinstance(found, Bounded):
        assert 0 < found.err < 1e-14  # the error bound came along


def test_adjoints_on_the_way_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    numbers, more = np.array([[0.3, -1.2, 2.0]]), np.array([[0.5], [1.5]])

    def steps(xp: Any, x: Any, y: Any) -> list[Any]:
        product = x * y  # broadcast, and used twice
        wave = xp.sin(product)
        return [x, y, product, wave, wave * product + x]

    ct = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]])
    ours = steps(engine, tensor(numbers, True), tensor(more, True))
    found = adjoints(ours[-1], ct)
    theirs = steps(torch, torch.tensor(numbers, requires_grad=True), torch.tensor(more, requires_grad=True))
    for t in theirs:
        t.retain_grad()
    theirs[-1].backward(torch.tensor(ct))
    for mine, its in zip(ours, theirs, strict=True):
        assert found[mine].shape == mine.shape
        np.testing.assert_allclose(found[mine], its.grad.numpy(), rtol=1e-14)


def test_complex_adjoints_on_the_way_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    z = np.array([1.0 + 2.0j, -0.5 + 0.25j])

    def steps(xp: Any, x: Any) -> list[Any]:
        wave = xp.exp(x)
        return [x, wave, wave * x, xp.abs(wave * x)]

    ours, theirs = steps(engine, tensor(z, True)), steps(torch, torch.tensor(z, requires_grad=True))
    for t in theirs[:-1]:
        t.retain_grad()
    theirs[-1].backward(torch.ones(2, dtype=torch.float64))
    found = adjoints(ours[-1], np.ones(2))
    for mine, its in zip(ours[:2], theirs[:2], strict=True):
        np.testing.assert_allclose(found[mine], its.grad.numpy(), rtol=1e-13)


def sums_up(results: Any, ct: Any) -> bool:
    """Whether every adjoint is what starts there and what the operations above contribute."""
    found = adjoints(results, ct)
    totals: dict[Tensor, Any] = {}
    for root, part in zip(results, ct, strict=True):
        totals[root] = totals.get(root, 0.0) + np.asarray(part)
    for node, adjoint in found.items():
        parts = contributions(node, adjoint)
        assert len(parts) == len(node.parents)
        for parent, part in zip(node.parents, parts, strict=True):
            if part is not None:
                assert part.shape == parent.shape
                totals[parent] = totals.get(parent, 0.0) + part
    return found.keys() == totals.keys() and all(np.array_equal(found[t], totals[t]) for t in found)


def several() -> list[Tensor]:
    x, y = tensor([0.5, 2.0], True), tensor(3.0, True)
    first = engine.sum(x * x * y)
    return [first, first * y + x[1]]


def test_contributions_add_up_to_adjoints(monkeypatch: pytest.MonkeyPatch) -> None:
    results = several()
    assert sums_up(results, [np.array(2.0), np.array(-1.0)])
    monkeypatch.setattr("gradcheck.engine.cotangents.fitted", lambda rules, ct, shape: np.zeros(shape))
    assert not sums_up(results, [np.array(2.0), np.array(-1.0)])


def test_several_results_are_pulled_back_together() -> None:
    graph = graph_of(several(), values=True, adjoints=True)
    assert [n.kind for n in graph.nodes].count("output") == 2
    # by hand: f = y (x0² + x1²), g = f y + x1; f = 12.75, d(f + g)/df = 1 + y = 4, so x̄ = 4 · 2 x y (+ 1 in x1)
    x, y = (n for n in graph.nodes if n.kind == "input")
    assert x.adjoint is not None and x.adjoint.tolist() == [12.0, 49.0]
    assert y.adjoint is not None and y.adjoint.item() == 4 * 4.25 + 12.75


@pytest.mark.parametrize(
    ("ct", "message"), [(None, "implicitly created only for scalar"), ([1.0], "Mismatch in shape")]
)
def test_a_cotangent_is_as_backward_wants_it(ct: Any, message: str) -> None:
    x = tensor([1.0, 2.0], True)
    with pytest.raises(TapeError, match=message):
        adjoints(x * x, ct)


def test_what_requires_no_gradient_is_refused() -> None:
    with pytest.raises(TapeError, match="does not require grad"):
        adjoints(tensor(1.0) * 2)


def test_what_no_cotangent_comes_to_is_missing() -> None:
    x = tensor(2.0, True)
    condition = x + 1.0
    y = engine.where(condition, tensor(1.5, True), 0.0)
    assert condition not in adjoints(y) and x not in adjoints(y)
    nodes = graph_of(y, values=True, adjoints=True).nodes
    assert [n.adjoint is None for n in nodes if n.label == "add"] == [True]


def test_numbers_are_copies_that_nobody_can_write_to() -> None:
    x = tensor([1.0, 2.0], True)
    graph = graph_of((x * x).sum(axis=0), {"x": x}, values=True, adjoints=True)
    node = graph.nodes[0]
    assert node.value is not None and node.adjoint is not None
    for array in (node.value, node.adjoint):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7.0
    x.data[0] = 9.0
    assert node.value.tolist() == [1.0, 2.0]
    assert graph.nodes[-1].params == {"axis": -1, "keepdims": False}
    assert graph_of((x * x).sum(axis=0), {"x": x}) == graph  # apart from the numbers


def test_dot_shows_what_the_nodes_hold() -> None:
    x, c = tensor([1.0, 2.0, 3.0, 4.0, 5.0], True), tensor(2.5)
    y = x * c
    bare = dot_source(graph_of(y.sum(), {"x": x, "c": c, "y": y}))
    assert '[label="x", shape=box]' in bare and '[label="c", shape=plaintext]' in bare
    full = dot_source(graph_of(y.sum(), {"x": x, "c": c, "y": y}, values=True, adjoints=True))
    assert r'[label="x\n[1, 2, 3, 4, …]\nadjoint [2.5, 2.5, 2.5, 2.5, …]", shape=box]' in full
    assert r'[label="c\n2.5", shape=plaintext]' in full
    assert r'[label="y = mul\n[2.5, 5, 7.5, 10, …]\nadjoint [1, 1, 1, 1, …]", shape=ellipse]' in full


def test_a_long_chain_needs_no_recursion() -> None:
    x = tensor(1.0, True)
    y = x
    for _ in range(20_000):
        y = y * 1.0
    assert adjoints(y)[x] == 1.0
