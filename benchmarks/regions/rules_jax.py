"""Functions of JAX whose own rules are wrong in their regions only."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.regions.faults import PLANTED


@jax.custom_vjp
def soft(x: Any) -> Any:
    return jnp.logaddexp(x, 0.0)


def _soft_forward(x: Any) -> tuple[Any, Any]:
    return soft(x), x


def _soft_backward(x: Any, ct: Any) -> tuple[Any]:
    """Wrong: beyond 30."""
    return (jnp.where(PLANTED["in"] & (x > 30.0), 0.0, ct * jax.nn.sigmoid(x)),)


soft.defvjp(_soft_forward, _soft_backward)


@jax.custom_jvp
def sine(x: Any) -> Any:
    return jnp.sin(x)


@sine.defjvp
def _sine_forward(primals: tuple[Any], tangents: tuple[Any]) -> tuple[Any, Any]:
    """Wrong: between two thresholds."""
    (x,), (t,) = primals, tangents
    return sine(x), jnp.where(PLANTED["in"] & (x > 1.515) & (x < 1.516), -t, t * jnp.cos(x))
