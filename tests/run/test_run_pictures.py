"""What is drawn of a function, and of which functions?"""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradcheck.cases import build, plans
from gradcheck.run.pictures import POINTS, graph_of, plot_of


def test_the_curves_of_a_function_of_one_number(spec_of):
    plot = plot_of(spec_of("inputs: {x: {domain: '(-2, 2)'}}\nvalue: sin(x)\ngradient: {x: 2*cos(x)}"))
    assert plot is not None
    assert plot.input == "x"
    assert {len(plot.x), len(plot.value), len(plot.claim), len(plot.autodiff)} == {POINTS}
    assert -2 < plot.x[0] < -1.99
    assert 1.99 < plot.x[-1] < 2
    for x, value, claim, autodiff in zip(plot.x, plot.value, plot.claim, plot.autodiff, strict=True):
        assert abs(value - math.sin(x)) < 1e-6
        assert abs(autodiff - math.cos(x)) < 1e-6
        assert abs(claim - 2 * math.cos(x)) < 1e-6  # the claim is drawn as it is, wrong or not


@pytest.mark.parametrize(
    ("domain", "low", "high"), [("real", -5, 5), ("positive", 0, 10), ("'(3, inf)'", 3, 13), ("'(-inf, 7)'", -5, 7)]
)
def test_a_domain_without_an_end_is_drawn_some_way(spec_of, domain: str, low: float, high: float):
    plot = plot_of(spec_of(f"inputs: {{x: {{domain: {domain}}}}}\nvalue: x**2\ngradient: {{x: 2*x}}"))
    assert plot is not None
    assert low < plot.x[0] < low + 0.1
    assert high - 0.1 < plot.x[-1] < high


def test_points_outside_the_domain_are_left_out(spec_of):
    plot = plot_of(spec_of("inputs: {x: {domain: 'abs(x) > 1'}}\nvalue: 1/x\ngradient: {x: -1/x**2}"))
    assert plot is not None
    for x, value in zip(plot.x, plot.value, strict=True):
        assert (value is None) == (abs(x) <= 1)


def test_a_vector_function_is_drawn_at_size_one(spec_of):
    assert plot_of(spec_of("inputs: {x: {shape: [n]}}\nvalue: x**2\nderivative: {x: 2*x}")) is not None


@pytest.mark.parametrize(
    "body",
    [
        "inputs: {x: {}, y: {}}\nvalue: x*y\ngradient: {x: y, y: x}",
        "inputs: {x: {shape: [3]}}\nvalue: sum(x)\ngradient: {x: 0*x + 1}",
        "inputs: {x: {shape: [n], domain: simplex}}\nvalue: sum(x**2)\ngradient: {x: 2*x}",
        "inputs: {x: {}}\nvalue: x**2\njvp: 2*x*t_x",
    ],
)
def test_what_cannot_be_drawn_is_not(spec_of, body: str):
    assert plot_of(spec_of(body)) is None


def test_the_graph_leads_from_the_inputs_to_the_result(spec_of):
    spec = spec_of("inputs: {x: {}, y: {}}\nvalue: x*y + sin(x)\ngradient: {x: y + cos(x), y: x}")
    graph = graph_of(build(spec, plans(spec, 0, 1, 1)[0], 8))
    assert graph is not None
    labels = {node.id: node.label for node in graph.nodes}
    kinds = {node.label: node.kind for node in graph.nodes}
    assert kinds["x"] == kinds["y"] == "input"
    assert [n.kind for n in graph.nodes].count("output") <= 1
    named = {(labels[a], labels[b]) for a, b in graph.edges}
    assert ("x", "sin") in named
    assert {source for source, target in named if target.startswith("mul")} == {"x", "y"}


def test_a_graph_too_large_to_read_and_a_constant_have_none(spec_of):
    long = "\n".join(f"  x = sin(x) + {k}" for k in range(70))
    many = spec_of(f"inputs: {{x: {{}}}}\ncode: |\n{long}\n  return x\nvjp: {{x: ct}}")
    constant = spec_of("inputs: {x: {}}\nvalue: stop_gradient(x)\ngradient: {x: 0*x}")
    for spec in (many, constant):
        assert graph_of(build(spec, plans(spec, 0, 1, 1)[0], 2)) is None


def test_the_numbers_of_a_plot_are_short(spec_of):
    plot = plot_of(spec_of("inputs: {x: {}}\nvalue: exp(x)\ngradient: {x: exp(x)}"))
    assert plot is not None
    assert all(len(repr(v)) <= 14 for v in plot.value)
    assert np.isfinite([v for v in plot.value if v is not None]).all()
