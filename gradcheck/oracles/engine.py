"""What does our own engine say? Reverse mode, forward mode, and second order, with running error bounds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradcheck import engine
from gradcheck.expr import Control, Replay
from gradcheck.oracles.evidence import Array, Measured
from gradcheck.oracles.inquiry import Inquiry, Numbers, Rows, evaluate, key
from gradcheck.oracles.rounding.running import error_of, numbers_at, value_of
from gradcheck.oracles.unstable import CLOUDED_NUMBERS

LIBRARY = ""  # needs nothing that may be missing
INDEPENDENT = True


def testify(inquiry: Inquiry) -> dict[str, Measured]:
    """Value, vjp and jvp (and what second order is claimed) at every point."""
    return bounded(inquiry, "float64")


def bounded(inquiry: Inquiry, dtype: str) -> dict[str, Measured]:
    """What the engine's rules give, and how far they may be off in a dtype.

    The engine's rules run on numbers that carry their rounding error, so the centre is the engine's float64 answer
    and the bar bounds its rounding, or that of the same rules in another dtype.
    """
    return _collected(inquiry, numbers_at(dtype))


def losses(inquiry: Inquiry) -> dict[str, Array]:
    """How far other ways of writing the same derivatives may be off by rounding, in the same quantities and shapes."""
    return {name: measured.bar for name, measured in _collected(inquiry, CLOUDED_NUMBERS).items()}


def _collected(inquiry: Inquiry, numbers: Numbers) -> dict[str, Measured]:
    collected: dict[str, tuple[Array, Array]] = {}
    with np.errstate(all="ignore"):
        for branch in inquiry.branches:
            answers = derivatives(inquiry, branch.rows, numbers, partial(Replay, branch.path))
            for name, value in answers.items():
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


def derivatives(inquiry: Inquiry, rows: Rows, numbers: Numbers, control: Callable[[], Control]) -> dict[str, Any]:
    """Quantity -> array of `numbers.base` at some points, which take the branches that `control` says."""
    case, outputs, base = inquiry.case, inquiry.spec.outputs, numbers.base
    wrt = tuple(name in inquiry.moving for name in inquiry.inputs)
    lifts = [numbers.moving if moves else numbers.still for moves in wrt]
    args = tuple(lift(case.inputs[name][rows]) for name, lift in zip(inquiry.inputs, lifts, strict=True))
    cotangents = tuple(numbers.fixed(case.cotangents[o][rows]) for o in outputs)
    f = _function(inquiry, control)

    def directions(tangents: dict[str, Array]) -> tuple[Any, ...]:
        return tuple(numbers.fixed(tangents[n][rows]) if n in tangents else None for n in inquiry.inputs)

    values, pulled = engine.vjp(f, base, args, cotangents, wrt=wrt)
    _, pushed = engine.jvp(f, base, args, directions(dict(case.tangents)))
    answers = {key("value", o, outputs): v for o, v in zip(outputs, values, strict=True)}
    answers |= {key("jvp", o, outputs): t for o, t in zip(outputs, pushed, strict=True)}
    answers |= {f"vjp:{n}": g for n, g in zip(inquiry.inputs, pulled, strict=True) if n in inquiry.moving}
    for quantity in inquiry.second:
        name = quantity.partition(":")[2]
        tangents = directions(inquiry.tangents_for(quantity))
        _, along = engine.hvp(f, base, args, cotangents, tangents, wrt=wrt)
        answers[quantity] = along[inquiry.inputs.index(name)]
    zeros = {
        name: numbers.fixed(np.zeros(_shape(inquiry, name, len(rows)))) for name, v in answers.items() if v is None
    }
    return answers | zeros


def _function(inquiry: Inquiry, control: Callable[[], Control]) -> Callable[..., tuple[Any, ...]]:
    """The case's function as `f(xp, *inputs) -> outputs`, over arrays with a batch axis."""

    def f(xp: Any, *args: Any) -> tuple[Any, ...]:
        inputs = dict(zip(inquiry.inputs, args, strict=True))
        result = evaluate(inquiry.spec, xp, inputs, inquiry.case.sizes, control())
        return tuple(result[o] for o in inquiry.spec.outputs)

    return f


def _shape(inquiry: Inquiry, quantity: str, points: int) -> tuple[int, ...]:
    """The shape of a quantity that the function does not depend on: all zeros."""
    name = quantity.partition(":")[2]
    if name:
        return points, *inquiry.case.inputs[name].shape[1:]
    output = quantity.partition("[")[2].rstrip("]") or inquiry.spec.outputs[0]
    return points, *inquiry.case.cotangents[output].shape[1:]
