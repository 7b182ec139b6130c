"""What is the same function, and what are its claims, in other units? f times a factor, its inputs over another.

The function g(u) = F f(X u) at u = x / X, with every claim of f turned into the claim of g that follows by the chain
rule. Nothing of the formulas' text is touched: the programs are wrapped, so that a verdict can only change by the
sizes of the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.cases.build import finish
from gradcheck.expr import Control, Program
from gradcheck.spec import Case, Spec
from gradcheck.spec.model import Claim, ClaimKind, Domain, Input, KinkConvention

POWERS = {  # claim -> (powers of F, powers of X)
    ClaimKind.GRADIENT: (1, 1),
    ClaimKind.DERIVATIVE: (1, 1),
    ClaimKind.JACOBIAN: (1, 1),
    ClaimKind.VJP: (1, 1),
    ClaimKind.JVP: (1, 0),  # its tangents are divided by X, and multiplied again inside
    ClaimKind.HVP: (1, 1),
    ClaimKind.HESSIAN: (1, 2),
}
QUANTITIES = {"value": (1, 0), "vjp": (1, 1), "jvp": (1, 0), "hvp": (1, 1), "hess": (1, 1)}  # as witnesses answer


class Wrapped(Program):
    """A program whose names are brought to the old units and whose result is brought to the new ones."""

    __slots__ = ("factor", "old_names")

    def __init__(self, program: Program, old_names: Callable[[Any, dict[str, Any], Any], Any], factor: float) -> None:
        super().__init__(program.text, program.allowed, program.code)
        self.old_names, self.factor = old_names, factor

    def __call__(self, xp: Any, env: Mapping[str, Any], control: Control | None = None) -> Any:
        result = super().__call__(xp, self.old_names(xp, dict(env), control), control)
        if self.factor == 1.0:
            return result
        if isinstance(result, Mapping):
            return {name: times(xp, value, self.factor) for name, value in result.items()}
        return times(xp, result, self.factor)


def times(xp: Any, value: Any, factor: float) -> Any:
    """A value of any namespace times a number, exactly that one; a truth value stays what it is."""
    if factor == 1.0 or isinstance(value, bool | np.bool_):
        return value
    return xp.multiply(value, np.float64(factor))  # which, unlike Python's own, is no rounding of some constant


def scaled_spec(spec: Spec, of_f: float, of_x: float) -> Spec:
    """The spec of F f(X u). Implementations and examples, which are fixed numbers, are left out (see `scaled_case`)."""
    moving = [i.name for i in spec.inputs if i.differentiable]

    def inputs(xp: Any, env: dict[str, Any], control: Any) -> dict[str, Any]:
        for name in moving:
            for known in (name, f"t_{name}"):
                if known in env:
                    env[known] = times(xp, env[known], of_x)
        return env

    def with_value(xp: Any, env: dict[str, Any], control: Any) -> dict[str, Any]:
        old = inputs(xp, env, control)
        names = {k: v for k, v in old.items() if k not in (*spec.outputs, "value")}
        if not any(o in old for o in spec.outputs):
            return old
        result = spec.function(xp, names, Control(guard=False))
        return {**names, **(result if isinstance(result, Mapping) else {spec.outputs[0]: result})}

    def claim(c: Claim) -> Claim:
        f, x = POWERS[c.kind]
        return replace(c, program=Wrapped(c.program, with_value, of_f**f * of_x**x))

    def kink(k: KinkConvention) -> KinkConvention:
        values = {name: Wrapped(p, with_value, of_f * of_x) for name, p in k.values.items()}
        return replace(k, condition=Wrapped(k.condition, with_value, 1.0), values=values)

    def domain(i: Input) -> Input:
        d = i.domain
        predicate = None if d.predicate is None else Wrapped(d.predicate, inputs, 1.0)
        by = of_x if i.differentiable else 1.0
        return replace(i, domain=_box(d, by, predicate))

    return replace(
        spec,
        inputs=tuple(domain(i) for i in spec.inputs),
        function=Wrapped(spec.function, inputs, of_f),
        claims=tuple(claim(c) for c in spec.claims),
        kinks=tuple(kink(k) for k in spec.kinks),
        examples=(),
        implementations=(),
    )


def _box(domain: Domain, by: float, predicate: Program | None) -> Domain:
    return replace(domain, low=domain.low / by, high=domain.high / by, predicate=predicate)


def scaled_case(case: Case, spec: Spec, of_x: float) -> Case:
    """The same points in the new units; cotangents are kept, tangents go with their inputs."""
    moving = {i.name for i in spec.inputs if i.differentiable}
    inputs = {name: x / (of_x if name in moving else 1.0) for name, x in case.inputs.items()}
    tangents = {name: t / of_x for name, t in case.tangents.items()}
    rng = np.random.default_rng(case.seed)
    ct = {name: np.array(c) for name, c in case.cotangents.items()}
    return finish(spec, inputs, case.sizes, case.origins, case.seed, rng, case.rejected, ct, tangents)


def factor_of(quantity: str, of_f: float, of_x: float) -> float:
    """By what an answer ("vjp:x", "value[y]") grows from the old units to the new ones."""
    f, x = QUANTITIES[quantity.partition(":")[0].partition("[")[0]]
    return of_f**f * of_x**x
