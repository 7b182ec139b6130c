"""How is a graph with its numbers drawn in a file of its own? Values in blue, adjoints in red, light or dark."""

from __future__ import annotations

from gradcheck import engine
from gradcheck.engine.graph import told
from gradcheck.errors import UsageError
from gradcheck.report.layout import draw
from gradcheck.run.outcome import Graph, GraphNode

MOST = 300  # nodes; a larger graph is no picture any more
STYLE = """<style>
svg { --ink: #1c2126; --soft: #5b6570; --sunk: #f3f4f4; --wash: #dff0fa; --value: #0b5cad; --adjoint: #b3201f; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e4e8eb; --soft: #9aa5af; --sunk: #22272c; --wash: #14323f; --value: #7db8f5; --adjoint: #ff9b93; }
}
rect { fill: var(--sunk); stroke: var(--soft); } .input rect { fill: var(--wash); } .constant rect { fill: none; }
.output rect { stroke: var(--ink); stroke-width: 2; } .edge { fill: none; stroke: var(--soft); }
.head { fill: var(--soft); }
text { font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; text-anchor: middle; fill: var(--ink); }
text.note0 { fill: var(--value); } text.note1 { fill: var(--adjoint); }
</style>"""


def drawing(graph: engine.Graph, name: str) -> str:
    """An SVG file of the graph of `name`. Raises UsageError where it is too large for one."""
    if len(graph.nodes) > MOST:
        raise UsageError(f"the graph of {name} has {len(graph.nodes)} nodes; drawn are at most {MOST}")
    lines = {node.id: told(node) for node in graph.nodes}
    nodes = tuple(GraphNode(node.id, lines[node.id][0], node.kind) for node in graph.nodes)
    plain = Graph(nodes, tuple((edge.source, edge.target) for edge in graph.edges))
    svg = draw(plain, {k: rest for k, (_, *rest) in lines.items() if rest}, STYLE)
    return svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + "\n"
