"""How is a framework asked? Each branch is followed, its points are vmapped, its conditions compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from gradcheck.expr import Control, Replay
from gradcheck.expr.control import Path
from gradcheck.oracles.evidence import Array
from gradcheck.oracles.inquiry import Branch, Inquiry, Rows, key, named

Function = Callable[..., Any]


@dataclass(frozen=True)
class Framework:
    """What is needed of a differentiation framework. Functions are of one point; `vmapped` adds the batch.

    both(f, args, ct, tangents) -> (values, cotangents, tangents of the values, conditions), in the two modes;
    hvp(f, args, ct, tangents) -> derivative of the vjp; f(*args) -> (values, conditions).
    """

    name: str
    namespace: Any
    array: Callable[[Array], Any]
    numpy: Callable[[Any], Array]
    vmapped: Callable[[Function, bool], Function]  # (f, compile it?) -> f over a batch
    both: Function
    hvp: Function
    zeros_like: Function
    dtype: str  # what it computes in
    cast: Callable[[Any], Any]  # a value of the function, in that dtype
    padded: bool  # whether batches are filled up to a few fixed sizes (a compilation each)


TURNED = "turned"  # the points at which a framework took another branch than float64 does
FEWEST = 128  # rows of a padded batch: as many as the quick profile asks for, so that fewer cost no compilation more
FEW_BRANCHES = 3  # up to so many branches are compiled each; more are cheaper operation by operation


def gather(inquiry: Inquiry, framework: Framework) -> dict[str, Array]:
    """Every quantity at every point, (B, …); below float64 also where it took other branches (`TURNED`)."""
    collected: dict[str, Array] = {}
    turned = np.zeros(inquiry.case.points, dtype=bool)
    for branch in inquiry.branches:
        answers, agree = _ask(inquiry, framework, branch)
        for name, value in answers.items():
            if name not in collected:
                collected[name] = np.full((inquiry.case.points, *value.shape[1:]), np.nan)
            collected[name][branch.rows] = value
        if framework.dtype != "float64":  # rounding turned a condition: what it then answers is right for there
            turned[branch.rows[~agree]] = True
            continue
        for row in branch.rows[~agree]:
            alone = _alone(inquiry, framework, int(row))
            for name, value in alone.items():
                collected[name][row] = value[0]
    return {**collected, TURNED: turned.astype(float)} if turned.any() else collected


def _ask(inquiry: Inquiry, framework: Framework, branch: Branch) -> tuple[dict[str, Array], Any]:
    """The answers along one branch, and for which points the framework itself would take that branch."""
    rows = branch.rows
    few = len(inquiry.branches) <= FEW_BRANCHES
    padded = _padded(rows, len(rows) if few else inquiry.case.points) if framework.padded else rows
    sizes = tuple(inquiry.case.sizes.items())
    function = _prepared(framework, _Same(inquiry), sizes, branch.path, few)
    answered = dict(function(*_arguments(inquiry, framework, padded)))
    agree = np.ones(len(rows), dtype=bool)
    for condition, taken in zip(answered.pop("conditions"), branch.path, strict=True):
        found = np.broadcast_to(framework.numpy(condition), padded.shape)[: len(rows)]
        agree &= (found.astype(bool) if isinstance(taken, bool) else found) == taken
    return {name: _whole(framework.numpy(v), len(rows)) for name, v in answered.items()}, agree


class _Same:
    """A spec compared by identity, so that what was prepared for it is found again at its next case."""

    def __init__(self, inquiry: Inquiry) -> None:
        self.inquiry = inquiry

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.inquiry.spec is self.inquiry.spec

    def __hash__(self) -> int:
        return id(self.inquiry.spec)


@lru_cache(maxsize=64)
def _prepared(framework: Framework, same: _Same, sizes: tuple[tuple[str, int], ...], path: Path, few: bool) -> Function:
    """The batched question along one branch; kept, because a compilation is dear."""
    return framework.vmapped(_questions(same.inquiry, framework, lambda: Replay(path)), few)


def _whole(value: Array, points: int) -> Array:
    return np.asarray(value, dtype=float)[:points]


def _alone(inquiry: Inquiry, framework: Framework, row: int) -> dict[str, Array]:
    """One point whose branches the framework takes otherwise, evaluated as ordinary code."""
    questions = _questions(inquiry, framework, lambda: Control(guard=False))
    point = tuple(tuple(framework.array(a[row]) for a in group) for group in _groups(inquiry))
    answered = questions(*point)
    answered.pop("conditions")
    return {name: np.asarray(framework.numpy(v), dtype=float)[None] for name, v in answered.items()}


def _padded(rows: Rows, points: int) -> Rows:
    """The rows, filled up with the first one to the next power of two at or above `points`, and to `FEWEST`."""
    size = max(FEWEST, 1 << (points - 1).bit_length())
    return np.concatenate([rows, np.full(size - len(rows), rows[0])])


def _groups(inquiry: Inquiry) -> tuple[tuple[Array, ...], ...]:
    case = inquiry.case
    return (
        tuple(case.inputs[n] for n in inquiry.inputs),
        tuple(case.cotangents[o] for o in inquiry.spec.outputs),
        tuple(case.tangents[n] for n in inquiry.moving),
    )


def _arguments(inquiry: Inquiry, framework: Framework, rows: Rows) -> tuple[Any, ...]:
    """(inputs, cotangents, tangents), each a tuple of batched arrays."""
    return tuple(tuple(framework.array(a[rows]) for a in group) for group in _groups(inquiry))


def _questions(inquiry: Inquiry, framework: Framework, control: Callable[[], Any]) -> Function:
    """All that is asked of one point, as one function (so that it compiles once)."""
    spec, sizes = inquiry.spec, inquiry.case.sizes
    outputs, names = spec.outputs, inquiry.inputs
    moving = [names.index(n) for n in inquiry.moving]

    def evaluate(args: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        under = control()
        env = {**dict(zip(names, args, strict=True)), **sizes}
        result = named(spec.function(framework.namespace, env, under), outputs)
        values = tuple(_constant(framework, result[o], args) for o in outputs)
        return values, tuple(getattr(under, "conditions", ()))

    def ask(args: tuple[Any, ...], ct: tuple[Any, ...], tangents: tuple[Any, ...]) -> dict[str, Any]:
        def f(*moved: Any) -> Any:
            full = list(args)
            for position, value in zip(moving, moved, strict=True):
                full[position] = value
            return evaluate(tuple(full))

        base = tuple(args[k] for k in moving)
        values, pulled, pushed, conditions = framework.both(f, base, ct, tangents)
        answers = {key("value", o, outputs): v for o, v in zip(outputs, values, strict=True)}
        answers |= {key("jvp", o, outputs): t for o, t in zip(outputs, pushed, strict=True)}
        answers |= {f"vjp:{n}": g for n, g in zip(inquiry.moving, pulled, strict=True)}
        for quantity in sorted(inquiry.second):
            kind, _, name = quantity.partition(":")
            along = tuple(
                t if kind == "hvp" or n == name else framework.zeros_like(t)
                for n, t in zip(inquiry.moving, tangents, strict=True)
            )
            answers[quantity] = framework.hvp(f, base, ct, along)[inquiry.moving.index(name)]
        return answers | {"conditions": conditions}

    return ask


def _constant(framework: Framework, value: Any, args: tuple[Any, ...]) -> Any:
    """A result as an array of the framework; one that depends on no input is tied to them by zero."""
    if hasattr(value, "dtype") and hasattr(value, "reshape") and not isinstance(value, np.ndarray | np.generic):
        return framework.cast(value)
    return framework.array(np.asarray(value, dtype=float))
