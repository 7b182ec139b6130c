"""What does JAX say? Reverse and forward mode, vmapped over the points, compiled once for a function and a shape.

Branches are followed as in `frameworks`; batches are filled up to powers of two so that few shapes are compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np

from gradcheck.errors import Unsupported
from gradcheck.oracles.evidence import Array
from gradcheck.oracles.frameworks import Framework, gather
from gradcheck.oracles.inquiry import Inquiry
from gradcheck.oracles.layouts import Placed
from gradcheck.oracles.with_jax.library import jax, jnp
from gradcheck.oracles.with_jax.names import JaxNamespace


def testify(inquiry: Inquiry) -> dict[str, Array]:
    """Value, vjp and jvp (and what second order is claimed) at every point, in the case's dtype on the CPU."""
    return gather(inquiry, framework_at(inquiry.case.dtype))


def _vmapped(f: Callable[..., Any], compiled: bool) -> Callable[..., Any]:
    return jax.jit(jax.vmap(f), compiler_options=_options()) if compiled else jax.vmap(f)


@cache
def _options() -> dict[str, Any]:
    """What this JAX's compiler is told: its older emitter of loops, which compiles in a third of the time."""
    older = {"xla_cpu_use_fusion_emitters": False}
    try:
        jax.jit(jnp.negative, compiler_options=older)(0.0)
    except jax.errors.JaxRuntimeError:  # another version, which knows no such option
        return {}
    return older


def _vjp(f: Callable[..., Any], args: tuple[Any, ...], ct: tuple[Any, ...]) -> Any:
    values, pull, conditions = jax.vjp(f, *args, has_aux=True)
    return values, pull(ct), conditions


def _hvp(f: Callable[..., Any], args: tuple[Any, ...], ct: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
    return jax.jvp(lambda *a: _vjp(f, a, ct)[1], args, tangents)[1]


def _both(f: Callable[..., Any], args: Any, ct: Any, tangents: Any) -> Any:
    """Forward mode, and its transpose, which is what reverse mode is in JAX: half the compiling of asking for each."""
    values, push, conditions = jax.linearize(f, *args, has_aux=True)
    return values, jax.linear_transpose(push, *args)(ct), push(*tangents), conditions


def call_vjp(
    f: Callable[..., Any], args: list[Placed], moving: list[bool], cotangents: list[Placed], dtype: str = "float64"
) -> tuple[list[Array], list[Array], list[str]]:
    """People's own function at one point: its values, and the cotangents its vjp gives with their dtypes."""
    arrays = [jnp.asarray(a.numbers, dtype=a.dtype or dtype) for a in args]  # its arrays have no layout

    def moved(*some: Any) -> Any:
        rest = iter(some)
        return f(*[next(rest) if m else a for a, m in zip(arrays, moving, strict=True)])

    values, pull = jax.vjp(moved, *[a for a, m in zip(arrays, moving, strict=True) if m])
    many = values if isinstance(values, tuple | list) else (values,)
    shaped = [jnp.asarray(c.numbers, dtype=v.dtype) for c, v in zip(cotangents, many, strict=True)]
    pulled = pull(type(values)(shaped) if isinstance(values, tuple | list) else shaped[0])
    return [_numpy(v) for v in many], [_numpy(g) for g in pulled], [str(g.dtype) for g in pulled]


def _numpy(value: Any) -> Array:
    narrow = value.dtype in (jnp.bfloat16, jnp.float16, jnp.float32)
    return np.asarray(value.astype(jnp.float64) if narrow else value)


def _cast(dtype: str, value: Any) -> Any:
    """A value in the dtype; of a complex one there is none below float64."""
    if jnp.iscomplexobj(value):
        raise Unsupported("JAX", f"complex numbers in {dtype}")
    return value.astype(dtype)


@cache
def framework_at(dtype: str) -> Framework:
    """JAX in one dtype (float64 stays switched on; it computes in the dtype of what it is given)."""
    return FRAMEWORK if dtype == "float64" else replace(
        FRAMEWORK, namespace=JaxNamespace(dtype), array=lambda values: jnp.asarray(values, dtype=dtype), dtype=dtype,
        cast=partial(_cast, dtype),
    )  # fmt: skip


FRAMEWORK = Framework(
    name="jax",
    namespace=JaxNamespace(),
    array=lambda values: jnp.asarray(values, dtype=jnp.float64),
    numpy=_numpy,
    vmapped=_vmapped,
    both=_both,
    hvp=_hvp,
    zeros_like=jnp.zeros_like,
    dtype="float64",
    cast=lambda value: value,
    padded=True,
)
