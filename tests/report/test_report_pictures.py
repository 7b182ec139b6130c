"""Do plots, graphs and formulas show what they are given?"""

from __future__ import annotations

import math
import re
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.report import layout, svg
from gradcheck.report.mathml import mathml
from gradcheck.run.outcome import Graph, GraphNode

GRID = [(i - 100) * 0.05 for i in range(201)]


def plotted(y, x=GRID):
    return svg.line_plot("f", "x", x, (svg.Line("f", "value", y),))


def path_of(picture):
    return fromstring(picture).find("svg/path").get("d")


def test_a_pole_neither_flattens_the_picture_nor_is_drawn_across():
    low, high = svg.robust_range([1 / x for x in GRID if x])
    assert -5 < low < -1
    assert 1 < high < 5
    assert path_of(plotted([1 / x if abs(x) > 1e-9 else None for x in GRID])).count("M") == 2
    assert path_of(plotted([1 / (x - 0.025) for x in GRID])).count("M") == 2  # no gap in the data, but a jump


@pytest.mark.parametrize("function", [math.sin, math.exp, lambda x: x * x, lambda x: 1e-20 * x, lambda x: 1e300 * x])
def test_an_ordinary_function_is_shown_whole(function):
    values = [function(x) for x in GRID]
    low, high = svg.robust_range(values)
    assert low <= min(values)
    assert max(values) <= high
    assert path_of(plotted(values)).count("M") == 1


def test_gaps_break_the_line():
    assert path_of(plotted([None if 50 <= i < 60 else x for i, x in enumerate(GRID)])).count("M") == 2


def test_nothing_finite_is_no_picture():
    assert plotted([None] * len(GRID)) == ""
    assert plotted([math.nan] * len(GRID)) == ""
    assert svg.line_plot("f", "x", [1.0], (svg.Line("f", "value", [1.0]),)) == ""


def test_a_straight_line_needs_two_points_and_a_curve_keeps_its_shape():
    assert path_of(plotted([2 * x for x in GRID])).count("l") == 1
    assert 15 < path_of(plotted([math.sin(3 * x) for x in GRID])).count("l") < 150


@given(st.floats(-1e200, 1e200), st.floats(1e-9, 1e9))
def test_ticks_are_few_and_within(low, width):
    high = low + width * max(1.0, abs(low))
    found = svg.ticks(low, high)
    assert 2 <= len(found) <= 9
    slack = (high - low) * 1e-6
    assert all(low - slack <= tick <= high + slack for tick in found)


def test_ticks_are_round():
    assert svg.ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert svg.ticks(-0.31, 0.32, 6) == [-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]


def test_curves_that_differ_are_drawn_apart():
    lines = (svg.Line("claim", "claim", GRID), svg.Line("autodiff", "auto", [1.2 * x for x in GRID]))
    claim, auto = fromstring(svg.line_plot("f′", "x", GRID, lines)).findall("svg/path")
    assert claim.get("d") != auto.get("d")


def graph_of(count, edges, label="mul"):
    return Graph(tuple(GraphNode(i, label, "input" if i == 0 else "operation") for i in range(count)), tuple(edges))


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 14))
    edges = [(draw(st.integers(0, b - 1)), b) for b in range(1, count) for _ in range(draw(st.integers(0, 3)))]
    return graph_of(count, edges)


@given(graphs())
def test_edges_run_forward_and_nodes_do_not_overlap(graph):
    placed = layout.place(graph)
    for a, b in graph.edges:
        assert placed.at[a][0] < placed.at[b][0]
    boxes = [(placed.at[n.id], placed.widths[n.id]) for n in graph.nodes]
    for i, ((x, y), width) in enumerate(boxes):
        assert width / 2 <= x <= placed.width - width / 2
        assert layout.NODE / 2 <= y <= placed.height - layout.NODE / 2
        for (u, v), other in boxes[i + 1 :]:
            assert abs(x - u) >= (width + other) / 2 or abs(y - v) >= layout.NODE


def test_layers_are_longest_paths_and_constants_stay_near_their_use():
    assert layout.layers([0, 1, 2, 3, 4], [(0, 1), (1, 2), (0, 2), (2, 3), (4, 3)]) == {0: 0, 1: 1, 2: 2, 3: 3, 4: 2}


def test_crossings_are_counted_and_avoided():
    after = {0: [3], 1: [2]}
    assert layout.crossings([[0, 1], [2, 3]], after) == 1
    assert layout.crossings([[0, 1], [3, 2]], after) == 0
    placed = layout.place(Graph(tuple(GraphNode(i, "n", "operation") for i in range(4)), ((0, 3), (1, 2))))
    assert (placed.at[0][1] < placed.at[1][1]) == (placed.at[3][1] < placed.at[2][1])


def test_a_circle_or_an_unknown_node_does_not_hang():
    assert layout.draw(graph_of(3, [(0, 1), (1, 2), (2, 1), (1, 1), (7, 1)])).startswith("<svg")
    assert layout.draw(Graph((), ())) == ""


def test_labels_are_escaped():
    assert "<script" not in layout.draw(graph_of(1, [], "<script>"))
    assert "<script" not in svg.line_plot("f", "<script>", GRID, (svg.Line("<script>", "value", GRID),))


def test_formulas_become_mathml():
    assert mathml(r"\frac{1}{x^{2}}", "1/x**2") == (
        "<math><mfrac><mn>1</mn><msup><mi>x</mi><mn>2</mn></msup></mfrac></math>"
    )


@pytest.mark.parametrize("latex", [r"2 \sin x", r"\operatorname{erf} x", r"\mathtt{ct} x"])
def test_words_are_one_element_and_stand_apart(latex):
    assert re.search(r"<mi>(sin|erf|ct)</mi>.*<mspace width=\".17em\"></mspace>", mathml(latex, ""))


@pytest.mark.parametrize("latex", ["", r"\frac{1", r"x^", r"\begin{cases}", r"\text{<b>x</b>}", r"\text{a & b}", "{"])
def test_what_is_not_understood_is_shown_as_text(latex):
    assert mathml(latex, "1 < 2") == "<code>1 &lt; 2</code>"


@pytest.mark.parametrize(
    "latex", [r"\href{javascript:alert(1)}{x}", r"\style{background:url(//x)}{x}", r"\class{c}{x}", "<img src=x>"]
)
def test_hostile_latex_is_harmless(latex):
    written = mathml(latex, "x")
    assert not re.search(r"<(?!/?(math|mrow|mi|mn|mo|mtext|code)\b)", written)
    assert not re.search(r"<[^>]*\b(href|style|class|src)=", written)
