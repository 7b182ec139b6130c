"""What do the parts of a claim come to: an array of which shape, a truth value? Where does a condition hold?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.expr import NUMPY, Batch, Batched, Control, Program, by_branch
from gradcheck.expr import nodes as n
from gradcheck.expr.evaluate import State, compile_expression
from gradcheck.expr.mutations import Fact
from gradcheck.oracles.inquiry import Inquiry, Rows, evaluate
from gradcheck.spec.case import Case


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


def holds_somewhere(condition: Program, case: Case) -> bool:
    """Whether a condition on a claim's names holds for any number at any point; no where it cannot be evaluated."""

    def run(rows: Rows) -> bool:
        value = condition(Batch(NUMPY), environment(case, rows), Control(guard=False))
        return bool(np.any(value.data if isinstance(value, Batched) else value))

    try:
        with np.errstate(all="ignore"):
            return any(found for _, found in by_branch(run, np.arange(case.points)))
    except Exception:  # shapes that do not fit one another, or no formula for it
        return False


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
