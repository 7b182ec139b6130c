"""What is there to draw? f and f' of a function of one number, and the graph of what depends on what."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck import engine
from gradcheck.cases import batch
from gradcheck.errors import GradcheckError
from gradcheck.expr import Control
from gradcheck.oracles import Evidence, Hearing, Inquiry
from gradcheck.run.outcome import Graph, GraphNode, Plot
from gradcheck.spec import Case, ClaimKind, Input, Spec
from gradcheck.spec.dims import keys_of

Array = NDArray[np.float64]
POINTS = 301
UNBOUNDED = 5.0  # how far a plot goes where the domain has no end
MAX_NODES = 120
DIGITS = 7


def plot_of(spec: Spec) -> Plot | None:
    """The curves of f, the claimed f' and the engine's f'; None where f is not of one number."""
    if len(spec.inputs) != 1 or len(spec.outputs) != 1:
        return None
    (i,) = spec.inputs
    if i.domain.kind not in ("real", "probability") or any(isinstance(d, int) and d != 1 for d in i.shape):
        return None
    if not i.differentiable or all(c.kind in (ClaimKind.JVP, ClaimKind.HESSIAN, ClaimKind.HVP) for c in spec.claims):
        return None
    x = _abscissae(i)
    sizes = dict.fromkeys(keys_of([i]), 1)
    kept = batch(spec, sizes, [{i.name: np.full((1,) * len(i.shape), v)} for v in x], None)
    return None if kept is None else _curves(kept, i, x)


def _curves(case: Case, i: Input, x: Array) -> Plot | None:
    """Values where the points of the batch lie among x, None elsewhere."""
    said = Hearing(Inquiry(case)).all(["engine"])
    claim, ours = said["claim"], said["engine"]
    name = f"vjp:{i.name}"
    if not isinstance(claim, Evidence) or not isinstance(ours, Evidence) or name not in claim.answers:
        return None
    if claim.answers["value"].center[0].size != 1:
        return None
    where = np.searchsorted(x, case.inputs[i.name].reshape(-1))
    columns = [claim.answers["value"].center, claim.answers[name].center, ours.answers[name].center]
    value, claimed, autodiff = (_column(c.reshape(-1), where, len(x)) for c in columns)
    return Plot(tuple(_short(v) for v in x), value, claimed, autodiff, i.name)


def _column(values: Array, where: NDArray[np.intp], size: int) -> tuple[float | None, ...]:
    whole: list[float | None] = [None] * size
    for position, v in zip(where, values, strict=True):
        whole[int(position)] = _short(v)
    return tuple(whole)


def _short(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None


def _abscissae(i: Input) -> Array:
    """Points across the domain; its ends are left out by a hair, where f may not be finite."""
    low, high = i.domain.low, i.domain.high
    if not np.isfinite(low):
        low = min(-UNBOUNDED, high - 2 * UNBOUNDED) if np.isfinite(high) else -UNBOUNDED
    if not np.isfinite(high):
        high = max(UNBOUNDED, low + 2 * UNBOUNDED) if low >= 0 else UNBOUNDED
    inset = (high - low) / (4 * POINTS)
    return np.linspace(low + inset, high - inset, POINTS)


def graph_of(case: Case) -> Graph | None:
    """The dependency graph from the inputs to the (first) output, at the first point of the case."""
    spec = case.spec
    leaves = {i.name: engine.tensor(np.array(case.inputs[i.name][0]), requires_grad=True) for i in spec.inputs}
    try:
        with np.errstate(all="ignore"):
            result: Any = spec.function(engine.EAGER, {**leaves, **case.sizes}, Control(guard=False))
    except (GradcheckError, ValueError, TypeError):
        return None
    result = next(iter(result.values())) if isinstance(result, dict) else result
    if not isinstance(result, engine.Tensor) or not result.requires_grad:
        return None
    found = engine.graph_of(result, leaves)
    if len(found.nodes) > MAX_NODES:
        return None
    nodes = tuple(GraphNode(node.id, node.label, node.kind) for node in found.nodes)
    return Graph(nodes, tuple((edge.source, edge.target) for edge in found.edges))
