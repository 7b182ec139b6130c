"""What does our own engine say? Reverse mode, forward mode, and second order, with running error bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck import engine
from gradcheck.expr import Control, Replay
from gradcheck.oracles.evidence import Array, Measured
from gradcheck.oracles.inquiry import Branch, Inquiry, evaluate, key
from gradcheck.oracles.rounding import BOUNDED, error_of, exact, value_of

LIBRARY = ""  # needs nothing that may be missing
INDEPENDENT = True


def testify(inquiry: Inquiry) -> dict[str, Measured]:
    """Value, vjp and jvp (and what second order is claimed) at every point.

    The engine's rules run on numbers that carry their rounding error, so the centre is the engine's float64 answer
    and the bar bounds its rounding.
    """
    collected: dict[str, tuple[Array, Array]] = {}
    with np.errstate(all="ignore"):
        for branch in inquiry.branches:
            for name, value in _part(inquiry, branch).items():
                centre, bar = _numbers(value, len(branch.rows))
                if name not in collected:
                    shape = (inquiry.case.points, *centre.shape[1:])
                    collected[name] = np.full(shape, np.nan), np.full(shape, np.inf)
                collected[name][0][branch.rows] = centre
                collected[name][1][branch.rows] = bar
    return {name: Measured(centre, bar) for name, (centre, bar) in collected.items()}


def _numbers(value: Any, points: int) -> tuple[Array, Array]:
    centre = np.asarray(value_of(value), dtype=float)
    bar = np.broadcast_to(np.asarray(error_of(value), dtype=float), centre.shape)
    return centre, np.where(np.isnan(bar), np.inf, bar)


def _part(inquiry: Inquiry, branch: Branch) -> dict[str, Any]:
    """The answers for points that take the same branches."""
    case, rows = inquiry.case, branch.rows
    outputs = inquiry.spec.outputs
    args = tuple(exact(case.inputs[name][rows]) for name in inquiry.inputs)
    wrt = tuple(name in inquiry.moving for name in inquiry.inputs)
    cotangents = tuple(exact(case.cotangents[o][rows]) for o in outputs)
    f = _function(inquiry, lambda: Replay(branch.path))

    def directions(tangents: dict[str, Array]) -> tuple[Any, ...]:
        return tuple(exact(tangents[n][rows]) if n in tangents else None for n in inquiry.inputs)

    values, pulled = engine.vjp(f, BOUNDED, args, cotangents, wrt=wrt)
    _, pushed = engine.jvp(f, BOUNDED, args, directions(dict(case.tangents)))
    answers = {key("value", o, outputs): v for o, v in zip(outputs, values, strict=True)}
    answers |= {key("jvp", o, outputs): t for o, t in zip(outputs, pushed, strict=True)}
    answers |= {f"vjp:{n}": g for n, g in zip(inquiry.inputs, pulled, strict=True) if n in inquiry.moving}
    for quantity in inquiry.second:
        name = quantity.partition(":")[2]
        tangents = directions(inquiry.tangents_for(quantity))
        _, along = engine.hvp(f, BOUNDED, args, cotangents, tangents, wrt=wrt)
        answers[quantity] = along[inquiry.inputs.index(name)]
    return {name: _filled(inquiry, name, value, len(rows)) for name, value in answers.items()}


def _function(inquiry: Inquiry, control: Callable[[], Control]) -> Callable[..., tuple[Any, ...]]:
    """The case's function as `f(xp, *inputs) -> outputs`, over arrays with a batch axis."""

    def f(xp: Any, *args: Any) -> tuple[Any, ...]:
        inputs = dict(zip(inquiry.inputs, args, strict=True))
        result = evaluate(inquiry.spec, xp, inputs, inquiry.case.sizes, control())
        return tuple(result[o] for o in inquiry.spec.outputs)

    return f


def _filled(inquiry: Inquiry, quantity: str, value: Any, points: int) -> Any:
    """Zeros where the function does not depend on something."""
    if value is not None:
        return value
    name = quantity.partition(":")[2]
    if name:
        return exact(np.zeros((points, *inquiry.case.inputs[name].shape[1:])))
    output = quantity.partition("[")[2].rstrip("]") or inquiry.spec.outputs[0]
    return exact(np.zeros((points, *inquiry.case.cotangents[output].shape[1:])))
