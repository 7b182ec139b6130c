"""Where does each node of a dependency graph go? Layers from the inputs to the result, few crossings, straight edges.

Layered drawing: longest-path layers, invisible nodes along edges that skip a layer, barycentre ordering, then
positions by least squares under a minimum gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from gradcheck.run.outcome import Graph, GraphNode

ROW = 34  # from one node of a layer to the next, in pixels
GAP = 34  # between two layers
NODE = 24  # height of a node
LINE = 15  # what a note adds to it
CHARACTER = 7.2  # width of a letter
EDGE = 8  # around the picture
SWEEPS = 6

Neighbours = Mapping[int, Sequence[int]]
Notes = Mapping[int, Sequence[str]]  # lines below the label of a node
NONE: Notes = {}


@dataclass(frozen=True, slots=True)
class Placed:
    """A drawing: the middle of every node (invisible ones too), and every edge as the nodes it runs through."""

    at: Mapping[int, tuple[float, float]]
    routes: tuple[tuple[int, ...], ...]
    widths: Mapping[int, float]
    width: float
    height: float


def draw(graph: Graph, notes: Notes = NONE, style: str = "") -> str:
    """The graph as one <svg> element, from left to right, with a style of its own; empty for a graph without nodes."""
    if not graph.nodes:
        return ""
    placed = place(graph, notes)
    edges = f'<path class="edge" d="{"".join(_edge(placed, route) for route in placed.routes)}"/>'
    heads = f'<path class="head" d="{"".join(_head(placed, route[-1]) for route in placed.routes)}"/>'
    nodes = "".join(_node(placed, node, notes.get(node.id, ())) for node in graph.nodes)
    size = f'width="{placed.width:.0f}" height="{placed.height:.0f}"'
    box = f'viewBox="0 0 {placed.width:.0f} {placed.height:.0f}"'
    head = f'<svg class="graph" {size} {box} role="img" aria-label="dependency graph">'
    return f"{head}{style}{edges}{heads}{nodes}</svg>"


def place(graph: Graph, notes: Notes = NONE) -> Placed:
    """Positions for every node and a route for every edge; rows are further apart where nodes have notes."""
    edges = _known_edges(graph)
    layer = layers([node.id for node in graph.nodes], edges)
    routes = _routes(edges, layer)
    before, after = _adjacency(routes)
    order = _order(layer, before, after)
    rows = _rows(order, before, after)
    widths = {node.id: _width([node.label, *notes.get(node.id, ())]) for node in graph.nodes}
    columns, width = _columns(order, widths)
    more = LINE * max(map(len, notes.values()), default=0)
    lowest, stretch, tall = min(rows.values()), 1 + more / ROW, NODE + more
    at = {n: (columns[layer[n]], EDGE + tall / 2 + (rows[n] - lowest) * stretch) for n in layer}
    height = (max(rows.values()) - lowest) * stretch + tall + 2 * EDGE
    return Placed(at, tuple(routes), widths, width, height)


def layers(ids: Sequence[int], edges: Sequence[tuple[int, int]]) -> dict[int, int]:
    """The longest path from a source to each node; constants and inputs move up to their first use.

    An edge that would close a circle is not counted: a dependency graph has none, and a broken one must still end.
    """
    parents: dict[int, list[int]] = {n: [] for n in ids}
    children: dict[int, list[int]] = {n: [] for n in ids}
    for a, b in edges:
        parents[b].append(a)
        children[a].append(b)
    layer: dict[int, int] = {}
    waiting = {n: len(parents[n]) for n in ids}
    ready = [n for n in ids if not parents[n]]
    while len(layer) < len(ids):
        node = ready.pop(0) if ready else next(n for n in ids if n not in layer)
        if node in layer:
            continue
        layer[node] = max((layer[p] + 1 for p in parents[node] if p in layer), default=0)
        for child in children[node]:
            waiting[child] -= 1
            if waiting[child] == 0:
                ready.append(child)
    for node in ids:
        if not parents[node] and children[node]:
            layer[node] = max(0, min(layer[c] for c in children[node]) - 1)
    return layer


def _known_edges(graph: Graph) -> list[tuple[int, int]]:
    ids = {node.id for node in graph.nodes}
    # x * x has two edges from x to mul: one line is enough.
    return [e for e in dict.fromkeys(graph.edges) if e[0] in ids and e[1] in ids and e[0] != e[1]]


def _routes(edges: Sequence[tuple[int, int]], layer: dict[int, int]) -> list[tuple[int, ...]]:
    """Each edge as a chain with one node a layer; the invisible ones are added to `layer`."""
    routes: list[tuple[int, ...]] = []
    fresh = max(layer) + 1
    for a, b in edges:
        between = range(layer[a] + 1, layer[b])
        chain = [a]
        for depth in between:
            layer[fresh] = depth
            chain.append(fresh)
            fresh += 1
        routes.append((*chain, b))
    return routes


def _adjacency(routes: Sequence[tuple[int, ...]]) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    before: dict[int, list[int]] = {}
    after: dict[int, list[int]] = {}
    for route in routes:
        for a, b in pairwise(route):
            after.setdefault(a, []).append(b)
            before.setdefault(b, []).append(a)
    return before, after


def _order(layer: Mapping[int, int], before: Neighbours, after: Neighbours) -> list[list[int]]:
    """The nodes of each layer from top to bottom, sweeping forth and back over the means of their neighbours."""
    order: list[list[int]] = [[] for _ in range(max(layer.values()) + 1)]
    for node, depth in layer.items():
        order[depth].append(node)
    best, fewest = [list(one) for one in order], crossings(order, after)
    for sweep in range(SWEEPS):
        neighbours = after if sweep % 2 else before
        for one in order if neighbours is before else reversed(order):
            _sort(one, neighbours, order)
        now = crossings(order, after)
        if now < fewest:
            best, fewest = [list(one) for one in order], now
    return best


def _sort(one: list[int], neighbours: Neighbours, order: Sequence[Sequence[int]]) -> None:
    """Order one layer by the mean rank of each node's neighbours; a node without any keeps its own."""
    rank = {n: i for layer in order for i, n in enumerate(layer)}
    one.sort(key=lambda n: _mean([rank[m] for m in neighbours.get(n, ())], rank[n]))


def crossings(order: Sequence[Sequence[int]], after: Neighbours) -> int:
    """How many pairs of edges between neighbouring layers cross."""
    rank = {n: i for one in order for i, n in enumerate(one)}
    total = 0
    for one in order:
        ends = [rank[m] for n in one for m in sorted(after.get(n, ()), key=rank.__getitem__)]
        total += sum(a > b for i, a in enumerate(ends) for b in ends[i + 1 :])
    return total


def _rows(order: Sequence[Sequence[int]], before: Neighbours, after: Neighbours) -> dict[int, float]:
    """The height of each node: near the mean of its neighbours, never nearer than ROW to the next one."""
    at = {n: ROW * (i - (len(one) - 1) / 2) for one in order for i, n in enumerate(one)}
    for sweep in range(SWEEPS):
        neighbours = after if sweep % 2 else before
        for one in order if neighbours is before else reversed(order):
            wished = [_mean([at[m] for m in neighbours.get(n, ())], at[n]) for n in one]
            at.update(zip(one, _spaced(wished), strict=True))
    return at


def _spaced(wished: Sequence[float]) -> list[float]:
    """The increasing positions nearest to those wished, ROW apart: pool neighbours that want to overlap."""
    pools: list[tuple[float, int]] = []  # mean of (wish - own offset), how many
    for i, wish in enumerate(wished):
        pools.append((wish - i * ROW, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, m), (b, n) = pools[-2], pools[-1]
            pools[-2:] = [((a * m + b * n) / (m + n), m + n)]
    means = [mean for mean, many in pools for _ in range(many)]
    return [mean + i * ROW for i, mean in enumerate(means)]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _width(lines: Sequence[str]) -> float:
    return max(NODE, CHARACTER * max(map(len, lines)) + 14)


def _columns(order: Sequence[Sequence[int]], widths: Mapping[int, float]) -> tuple[list[float], float]:
    columns, at = [], float(EDGE)
    for one in order:
        widest = max(widths.get(n, 0.0) for n in one)
        columns.append(at + widest / 2)
        at += widest + GAP
    return columns, at - GAP + EDGE


def _edge(placed: Placed, route: tuple[int, ...]) -> str:
    """A smooth line from the right side of one node through the invisible ones to the left side of another."""
    points = [placed.at[n] for n in route]
    x, y = points[0][0] + placed.widths[route[0]] / 2, points[0][1]
    end = points[-1][0] - placed.widths[route[-1]] / 2
    d = f"M{x:.0f} {y:.0f}"
    for to_x, to_y in [*points[1:-1], (end - 5, points[-1][1])]:
        bend = (x + to_x) / 2
        d += f"C{bend:.0f} {y:.0f} {bend:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}"
        x, y = to_x, to_y
    return d


def _head(placed: Placed, node: int) -> str:
    """An arrowhead that touches a node's left side."""
    x, y = placed.at[node]
    return f"M{x - placed.widths[node] / 2:.0f} {y:.0f}l-7-3.5v7z"


def _node(placed: Placed, node: GraphNode, notes: Sequence[str]) -> str:
    (x, y), width = placed.at[node.id], placed.widths[node.id]
    kind = node.kind if node.kind in ("input", "constant", "output") else "operation"
    corner, tall = NODE / 2 if kind == "input" else 5, NODE + LINE * len(notes)
    top = y - tall / 2
    below = "".join(
        f'<text class="note{k}" x="{x:.0f}" y="{top + NODE + LINE * k + 9:.0f}">{escape(note)}</text>'
        for k, note in enumerate(notes)
    )
    return (
        f'<g class="{kind}"><rect x="{x - width / 2:.0f}" y="{top:.0f}" width="{width:.0f}" height="{tall}" '
        f'rx="{corner:g}"/><text x="{x:.0f}" y="{top + NODE / 2 + 4:.0f}">{escape(node.label)}</text>{below}</g>'
    )
