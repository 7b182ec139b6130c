"""What has JAX of a tape's behaviour? Pure functions of their leaves; every other notion is a stated silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.expr import Control, Program
from gradcheck.oracles.evidence import Array
from gradcheck.oracles.with_jax.library import jax, jnp
from gradcheck.oracles.with_jax.names import JaxNamespace
from gradcheck.spec.model import Step

NAMESPACE = JaxNamespace()

LACKS = {
    "no_grad": "a tape that is switched off: no_grad",
    "requires_grad": "arrays that do or do not require a gradient: requires_grad",
    "zero_grad": "a tape that accumulates: zero_grad",
    "sgd": "arrays that change: sgd",
    "repeat": "a tape that accumulates: repeat",
}


@dataclass(eq=False)
class Traced:
    """An array with the way to compute it again from those before it."""

    data: Any
    compute: Callable[[Mapping[Traced, Any]], Any] | None  # None for a leaf
    moving: bool = False
    grad: Any = None


class JaxTape:
    """What JAX has of a tape: values computed in order, and one pass back through all of them."""

    def __init__(self) -> None:
        self.values: list[Traced] = []

    def lacks(self, steps: tuple[Step, ...]) -> str:
        passes = [step for step in steps if step.action == "backward"]
        lacking = [what for step in steps if (what := _lack(step))]
        if len(passes) > 1:
            lacking.append("a tape that accumulates: a second backward")
        return f"JAX has no notion of {lacking[0]}" if lacking else ""

    def leaf(self, numbers: Array, requires_grad: bool) -> Traced:
        return self._made(Traced(jnp.asarray(numbers, dtype=jnp.float64), None, requires_grad))

    def let(self, formula: Program, env: Mapping[str, Traced], recording: bool) -> Traced:
        assert recording
        used = {name: env[name] for name in formula.names}

        def compute(known: Mapping[Traced, Any]) -> Any:
            arrays = {name: known[value] for name, value in used.items()}
            return jnp.asarray(formula(NAMESPACE, arrays, Control()), dtype=jnp.float64)

        return self._computed(compute)

    def detach(self, value: Traced) -> Traced:
        return self._computed(lambda known: jax.lax.stop_gradient(known[value]))

    def backward(self, value: Traced, gradient: Array | None, retain: bool | None, create: bool) -> None:
        leaves = [leaf for leaf in self.values if leaf.moving]

        def function(*arrays: Any) -> Any:
            known: dict[Traced, Any] = dict(zip(leaves, arrays, strict=True))
            for made in self.values:
                if made not in known:
                    known[made] = made.data if made.compute is None else made.compute(known)
            return known[value]

        data, numbers = [leaf.data for leaf in leaves], range(len(leaves))
        if gradient is None:
            grads = jax.grad(function, argnums=tuple(numbers))(*data)
        else:
            grads = jax.vjp(function, *data)[1](jnp.asarray(gradient))
        for leaf, grad in zip(leaves, grads, strict=True):
            leaf.grad = grad

    def numbers(self, value: Traced) -> Array:
        return np.asarray(value.data)

    def grad(self, value: Traced) -> Array | None:
        return None if value.grad is None else np.asarray(value.grad)

    def _computed(self, compute: Callable[[Mapping[Traced, Any]], Any]) -> Traced:
        return self._made(Traced(compute({value: value.data for value in self.values}), compute))

    def _made(self, value: Traced) -> Traced:
        self.values.append(value)
        return value


def _lack(step: Step) -> str:
    """What a step needs that JAX does not have."""
    if step.raises or step.warns:
        return "a tape's errors and warnings"
    if step.action == "backward" and (step.arguments["retain_graph"] is not None or step.arguments["create_graph"]):
        return "a graph that is kept or freed: retain_graph, create_graph"
    if step.action == "expect":
        state = step.arguments
        if any(told is None for told in state.get("grad", {}).values()):
            return "a gradient that is none"
        return next((f"a graph to look at: {key}" for key in ("node", "nodes", "is_leaf") if key in state), "") or (
            LACKS["requires_grad"] if "requires_grad" in state else ""
        )
    return LACKS.get(step.action, "")
