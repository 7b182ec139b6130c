"""What exactly is asked of every witness? The case's function, its branches, and which quantities count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck import engine
from gradcheck.expr import NUMPY, Batch, Batched, Control, Recording, Replay, by_branch
from gradcheck.expr.control import Path
from gradcheck.spec.case import Case
from gradcheck.spec.model import Claim, ClaimKind, Spec

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
SECOND_ORDER = frozenset({ClaimKind.HESSIAN, ClaimKind.HVP})


@dataclass(frozen=True, slots=True)
class Numbers:
    """What numbers formulas and rules run on: a namespace, and how it holds an array of float64.

    moving: the inputs that derivatives are taken by; still: all other inputs; fixed: cotangents, tangents, constants
    (an array of the namespace it leaves as it is).
    """

    base: Any
    moving: Callable[[Any], Any]
    still: Callable[[Any], Any]
    fixed: Callable[[Any], Any]


@dataclass(frozen=True)
class Branch:
    """The points (rows of the batch) that take the same branches, and the branches they take.

    Parameters that inputs give (the shift in `roll(x, i)`) are such branches, too: one for each number.
    """

    rows: Rows
    path: Path


@dataclass(frozen=True)
class Inquiry:
    """A case and what is worked out from it once for all witnesses."""

    case: Case

    @property
    def spec(self) -> Spec:
        return self.case.spec

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """All inputs, in the order written."""
        return tuple(i.name for i in self.spec.inputs)

    @cached_property
    def moving(self) -> tuple[str, ...]:
        """The inputs that derivatives are taken by."""
        return tuple(i.name for i in self.spec.inputs if i.differentiable)

    @cached_property
    def second(self) -> frozenset[str]:
        """The second-order quantities claimed: "hvp:x" and "hess:x"."""
        names = {ClaimKind.HVP: "hvp", ClaimKind.HESSIAN: "hess"}
        return frozenset(f"{names[c.kind]}:{c.of}" for c in self.spec.claims if c.kind in SECOND_ORDER)

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        """The batch split so that all points of a part take the same branches (one part where nothing branches)."""
        found = by_branch(self._path, np.arange(self.case.points))
        return tuple(Branch(rows, path) for rows, path in found)

    def _path(self, rows: Rows) -> Path:
        recording = Recording()
        with np.errstate(all="ignore"):
            evaluate(self.spec, NUMPY, self.rows_of(rows), self.case.sizes, recording)
            if recording.fixed:
                self._unmoved(rows, tuple(recording.path))
        return tuple(recording.path)

    def _unmoved(self, rows: Rows, path: Path) -> None:
        """Raise EvaluationError where a parameter that stays put moves with an input: frameworks would not notice."""
        given = self.rows_of(rows)
        ones = [np.ones_like(given[name]) if name in self.moving else None for name in self.inputs]

        def f(xp: Any, *args: Any) -> tuple[Any, ...]:
            inputs = dict(zip(self.inputs, args, strict=True))
            return tuple(evaluate(self.spec, xp, inputs, self.case.sizes, Replay(path)).values())

        engine.jvp(f, NUMPY, tuple(given[name] for name in self.inputs), tuple(ones))

    def rows_of(self, rows: Rows) -> dict[str, Array]:
        """The inputs at some points."""
        return {name: array[rows] for name, array in self.case.inputs.items()}

    def tangents_for(self, quantity: str) -> dict[str, Array]:
        """The directions a second-order quantity is taken along: all inputs' for "hvp", its own input's for "hess"."""
        kind, _, name = quantity.partition(":")
        tangents = self.case.tangents
        return {k: t if kind == "hvp" or k == name else np.zeros_like(t) for k, t in tangents.items()}


def key(quantity: str, output: str, outputs: Sequence[str]) -> str:
    """The name of a quantity of one output: plain where there is one output only."""
    return quantity if len(outputs) == 1 else f"{quantity}[{output}]"


def named(result: Any, outputs: Sequence[str]) -> dict[str, Any]:
    """A program's result as output -> value."""
    return dict(result) if isinstance(result, Mapping) else {outputs[0]: result}


def evaluate(
    spec: Spec, base: Any, inputs: Mapping[str, Any], sizes: Mapping[str, int], control: Control
) -> dict[str, Any]:
    """The function at a batch: output -> array of `base`, shape (B, *out). `inputs` are arrays of `base`."""
    xp = Batch(base)
    points = next(iter(inputs.values())).shape[0]
    env: dict[str, Any] = {name: Batched(value) for name, value in inputs.items()}
    result = spec.function(xp, {**env, **sizes}, control)
    return {name: spread(base, value, points) for name, value in named(result, spec.outputs).items()}


def spread(base: Any, value: Any, points: int) -> Any:
    """A program's value as an array with a batch axis, also where it does not depend on the points."""
    if isinstance(value, Batched):
        return value.data
    constant = value if hasattr(value, "shape") else np.asarray(value, dtype=float)
    return base.broadcast_to(constant, shape=(points, *constant.shape))


QUANTITY = {ClaimKind.JVP: "jvp", ClaimKind.HVP: "hvp:{}", ClaimKind.HESSIAN: "hess:{}"}


def claimed(spec: Spec) -> list[tuple[Claim, str]]:
    """Every claim with the quantity it states ("vjp:x", "jvp[y]", "hvp:x").

    Where two claims state the same quantity (a derivative and a Jacobian, say), the later is told apart by its kind:
    "vjp:x|jacobian". Witnesses answer "vjp:x"; both claims are held against it.
    """
    found: dict[str, Claim] = {}
    for claim in spec.claims:
        name = QUANTITY.get(claim.kind, "vjp:{}").format(claim.of)
        if claim.kind is ClaimKind.JVP and claim.of:
            name = key("jvp", claim.of, spec.outputs)
        found[name if name not in found else f"{name}|{claim.kind.value}"] = claim
    return [(claim, name) for name, claim in found.items()]


def point_shape(case: Case, name: str) -> tuple[int, ...]:
    """The shape of one input at one point."""
    return case.inputs[name].shape[1:]
