"""What do the parts of a claim come to: an array of which shape, a truth value? Where does a condition hold?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.expr import NUMPY, Batch, Batched, Control, Program, by_branch
from gradcheck.expr import nodes as n
from gradcheck.expr.evaluate import State, compile_expression
from gradcheck.expr.mutations import Fact
from gradcheck.oracles.inquiry import Inquiry, Rows, evaluate
from gradcheck.spec.case import Case

Mask = NDArray[np.bool_]


def node_facts(case: Case) -> Callable[[n.Node], Fact]:
    """Asks any part of a claim's formula at the first point of a case; a formula binds no names: its parts stand alone.

    A part that cannot be evaluated there has no shape.
    """
    env = environment(case, np.arange(1))
    known: dict[int, tuple[n.Node, Fact]] = {}  # the node is kept, so that its id stays its own

    def fact(node: n.Node) -> Fact:
        if id(node) not in known:
            known[id(node)] = node, _fact(node, env)
        return known[id(node)][1]

    return fact


def holds(condition: Program, case: Case) -> Mask:
    """The points (B,) at which a condition holds for any of its numbers; none where it cannot be evaluated."""
    found = np.zeros(case.points, dtype=bool)

    def run(rows: Rows) -> None:
        value = condition(Batch(NUMPY), environment(case, rows), Control(guard=False))
        whole = value.data if isinstance(value, Batched) else np.broadcast_to(value, (len(rows), *np.shape(value)))
        found[rows] = np.asarray(whole, dtype=bool).reshape(len(rows), -1).any(axis=1)

    try:
        with np.errstate(all="ignore"):
            by_branch(run, np.arange(case.points))
    except Exception:  # shapes that do not fit one another
        return np.zeros(case.points, dtype=bool)
    return found


def environment(case: Case, rows: Rows) -> dict[str, Any]:
    """What the names of a claim mean at some points of a case, in NumPy. The function takes one branch at them."""
    inputs = Inquiry(case).rows_of(rows)
    with np.errstate(all="ignore"):
        values = evaluate(case.spec, NUMPY, inputs, case.sizes, Control(guard=False))
    arrays = {**inputs, **values, **{f"t_{k}": t[rows] for k, t in case.tangents.items()}}
    single = len(case.cotangents) == 1
    arrays |= {"ct" if single else f"ct_{o}": c[rows] for o, c in case.cotangents.items()}
    return {**{name: Batched(array) for name, array in arrays.items()}, **case.sizes}


def _fact(node: n.Node, env: dict[str, Any]) -> Fact:
    try:
        with np.errstate(all="ignore"):
            value = compile_expression(node)(State(Batch(NUMPY), dict(env), Control(guard=False)))
    except Exception:  # NumPy and Python refuse shapes, types and indices in many ways
        return Fact(None)
    data = np.asarray(value.data) if isinstance(value, Batched) else value
    if not isinstance(data, np.ndarray | np.generic | bool | int | float):
        return Fact(None)
    shape = np.shape(data)[isinstance(value, Batched) :]
    return Fact(shape, np.asarray(data).dtype == bool)
