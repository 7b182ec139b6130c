"""What does JAX say? Reverse and forward mode, vmapped over the points, compiled once for a function and a shape.

The only file that imports jax. Branches are followed as in `frameworks`; batches are filled up to powers of two so
that few shapes are compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
jax.config.update("jax_platforms", "cpu")  # type: ignore[no-untyped-call]

import jax.numpy as jnp  # noqa: E402  (x64 must be on before first use)
import jax.scipy.special  # noqa: E402
import numpy as np  # noqa: E402

from gradcheck.errors import Unsupported  # noqa: E402
from gradcheck.expr import VOCABULARY, Control, Program  # noqa: E402
from gradcheck.expr.rules import one_axis  # noqa: E402
from gradcheck.oracles.evidence import Array  # noqa: E402
from gradcheck.oracles.frameworks import Framework, gather  # noqa: E402
from gradcheck.oracles.inquiry import Inquiry  # noqa: E402
from gradcheck.spec.model import Step  # noqa: E402


def testify(inquiry: Inquiry) -> dict[str, Array]:
    """Value, vjp and jvp (and what second order is claimed) at every point, in float64 on the CPU."""
    return gather(inquiry, FRAMEWORK)


def _vmapped(f: Callable[..., Any], compiled: bool) -> Callable[..., Any]:
    return jax.jit(jax.vmap(f)) if compiled else jax.vmap(f)


def _vjp(f: Callable[..., Any], args: tuple[Any, ...], ct: tuple[Any, ...]) -> Any:
    values, pull, conditions = jax.vjp(f, *args, has_aux=True)
    return values, pull(ct), conditions


def _jvp(f: Callable[..., Any], args: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
    return jax.jvp(lambda *a: f(*a)[0], args, tangents)[1]


def _hvp(f: Callable[..., Any], args: tuple[Any, ...], ct: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
    return jax.jvp(lambda *a: _vjp(f, a, ct)[1], args, tangents)[1]


class JaxNamespace:
    """The vocabulary on JAX arrays, one point at a time (vmap adds the batch)."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        row = VOCABULARY.get(name)
        if row is None:
            raise AttributeError(name)
        special: Any = globals().get(f"_op_{name}")
        if special is None:
            special = jax
            for part in (row.jax.removeprefix("jax.") or f"numpy.{row.name}").split("."):
                if not hasattr(special, part):
                    raise Unsupported("JAX", row.name)
                special = getattr(special, part)
        self.__dict__[name] = special
        function: Callable[..., Any] = special
        return function


def _op_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    x = jnp.asarray(x)
    if axis is not None and not isinstance(axis, tuple):
        axis = (axis,)
    if axis is None or len(axis) == x.ndim:
        flat = jnp.linalg.norm(jnp.ravel(x), ord=float(ord))
        return jnp.reshape(flat, (1,) * x.ndim) if keepdims else flat
    if len(axis) == 1:
        return jnp.linalg.norm(x, axis=axis[0], keepdims=keepdims, ord=float(ord))
    return {1: _norm_one, 2: _norm_two}.get(ord, _norm_max)(x, axis, keepdims)


def _norm_one(x: Any, axis: Any, keepdims: bool) -> Any:
    return jnp.sum(jnp.abs(x), axis=axis, keepdims=keepdims)


def _norm_two(x: Any, axis: Any, keepdims: bool) -> Any:
    return jnp.sqrt(jnp.sum(x * x, axis=axis, keepdims=keepdims))


def _norm_max(x: Any, axis: Any, keepdims: bool) -> Any:
    return jnp.max(jnp.abs(x), axis=axis, keepdims=keepdims)


def _one(axis: Any) -> int:
    """The only axis a row works along."""
    return one_axis(axis)


def _op_where(condition: Any, a: Any, b: Any) -> Any:
    return jnp.where(jnp.asarray(condition, dtype=bool), a, b)


def _op_stop_gradient(x: Any) -> Any:
    return jax.lax.stop_gradient(jnp.asarray(x))


def _op_polygamma(n: Any, x: Any) -> Any:
    return jax.scipy.special.polygamma(int(n), x)


def _op_softmax(x: Any, axis: Any = None) -> Any:
    return jax.nn.softmax(jnp.asarray(x), axis=axis)


def _op_log_softmax(x: Any, axis: Any = None) -> Any:
    return jax.nn.log_softmax(jnp.asarray(x), axis=axis)


def _op_relu(x: Any) -> Any:
    return jax.nn.relu(x)


def _op_softplus(x: Any) -> Any:
    return jax.nn.softplus(x)


def _op_logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return jax.scipy.special.logsumexp(jnp.asarray(x), axis=axis, keepdims=keepdims)


def _op_cumulative_sum(x: Any, axis: Any = None) -> Any:
    return jnp.cumsum(jnp.asarray(x), axis=_one(axis))


def _op_cumulative_prod(x: Any, axis: Any = None) -> Any:
    return jnp.cumprod(jnp.asarray(x), axis=_one(axis))


def _op_argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return jnp.argmax(jnp.asarray(x), axis=None if axis is None else _one(axis), keepdims=keepdims)


def _op_argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return jnp.argmin(jnp.asarray(x), axis=None if axis is None else _one(axis), keepdims=keepdims)


def _op_dot(a: Any, b: Any) -> Any:
    return jnp.vecdot(jnp.asarray(a), jnp.asarray(b))


def _op_outer(a: Any, b: Any) -> Any:
    return jnp.expand_dims(jnp.asarray(a), -1) * jnp.expand_dims(jnp.asarray(b), -2)


def _op_trace(x: Any) -> Any:
    return jnp.trace(jnp.asarray(x), axis1=-2, axis2=-1)


def _op_diag(x: Any) -> Any:
    x = jnp.asarray(x)
    return jnp.expand_dims(x, -1) * jnp.eye(x.shape[-1])


def _op_diagonal(x: Any, offset: int = 0) -> Any:
    return jnp.diagonal(jnp.asarray(x), offset=offset, axis1=-2, axis2=-1)


def _op_permute_dims(x: Any, axes: Any = None) -> Any:
    return jnp.transpose(jnp.asarray(x), axes)


def _op_det(x: Any) -> Any:
    return jnp.linalg.det(x)


def _op_inv(x: Any) -> Any:
    return jnp.linalg.inv(x)


def _op_solve(a: Any, b: Any) -> Any:
    return jnp.linalg.solve(a, b)


def _op_getitem(x: Any, index: Any) -> Any:
    return jnp.asarray(x)[index]


def _op_scatter(x: Any, index: Any, shape: Any) -> Any:
    return jnp.zeros(shape).at[index].add(x)


def _op_take(x: Any, indices: Any, axis: Any = None) -> Any:
    return jnp.take(jnp.asarray(x), jnp.asarray(indices, dtype=int), axis=_one(axis))


def _op_repeat(x: Any, repeats: int, axis: Any = None) -> Any:
    return jnp.repeat(jnp.asarray(x), repeats, axis=_one(axis))


def _op_roll(x: Any, shift: Any, axis: Any = None) -> Any:
    x = jnp.asarray(x)
    axes = tuple(range(x.ndim)) if axis is None else axis
    return jnp.roll(x, shift, axes)


def _constant(name: str) -> Callable[..., Any]:
    def call(*args: Any, **params: Any) -> Any:
        return jnp.asarray(VOCABULARY[name].numpy(*args, **params))

    return call


_op_zeros, _op_ones, _op_full, _op_eye, _op_arange, _op_linspace = (
    _constant(name) for name in ("zeros", "ones", "full", "eye", "arange", "linspace")
)

FRAMEWORK = Framework(
    name="jax",
    namespace=JaxNamespace(),
    array=lambda values: jnp.asarray(values, dtype=jnp.float64),
    numpy=np.asarray,
    vmapped=_vmapped,
    vjp=_vjp,
    jvp=_jvp,
    hvp=_hvp,
    zeros_like=jnp.zeros_like,
    padded=True,
)


def call_vjp(
    f: Callable[..., Any], args: list[Array], moving: list[bool], cotangents: list[Array]
) -> tuple[list[Array], list[Array]]:
    """People's own function at one point: its values and the cotangents its vjp gives."""
    arrays = [jnp.asarray(a) for a in args]

    def moved(*some: Any) -> Any:
        rest = iter(some)
        return f(*[next(rest) if m else a for a, m in zip(arrays, moving, strict=True)])

    values, pull = jax.vjp(moved, *[a for a, m in zip(arrays, moving, strict=True) if m])
    many = values if isinstance(values, tuple | list) else (values,)
    shaped = [jnp.asarray(c, dtype=v.dtype) for c, v in zip(cotangents, many, strict=True)]
    pulled = pull(type(values)(shaped) if isinstance(values, tuple | list) else shaped[0])
    return [np.asarray(v) for v in many], [np.asarray(g) for g in pulled]


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
            return jnp.asarray(formula(FRAMEWORK.namespace, arrays, Control()), dtype=jnp.float64)

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
