"""Which hand-written rules are wrong on purpose? Those that implementations.grad.yaml must see blamed.

PyTorch and JAX are imported inside the functions that need them.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def cube(x: Any) -> Any:
    return x**3


def cube_slope(x: Any, ct: Any) -> Any:
    """Wrong: the cotangent is left out."""
    return 3 * x**2


_given: dict[tuple[int, ...], Any] = {}  # the gradients given so far, by shape


def stale_cube_vjp(x: Any, ct: Any) -> Any:
    """Wrong: every gradient is added onto the ones before it, as where a buffer is never zeroed."""
    _given[x.shape] = _given.get(x.shape, 1.0) + ct * 3 * x**2
    return _given[x.shape]


def biased(x: Any, b: Any) -> Any:
    return x + b


def unreduced_biased_vjp(x: Any, b: Any, ct: Any) -> Any:
    """Wrong: the bias was broadcast, so its gradient is a sum over the rows."""
    return ct, ct


def product(x: Any, y: Any) -> Any:
    return x * y


def half_product_jvp(x: Any, y: Any, t_x: Any, t_y: Any) -> Any:
    """Wrong: y moves too."""
    return t_x * y


def coarse_logistic(x: Any) -> Any:
    """Wrong: the exponent is rounded to four decimals."""
    return 1 / (1 + np.exp(-np.round(x, 4)) + 1e-5)


def logistic_vjp(x: Any, ct: Any) -> Any:
    s = 1 / (1 + np.exp(-x))
    return ct * s / (1 + np.exp(x))


def torch_swish(x: Any) -> Any:
    """Wrong: backward gives sigmoid(x) and drops x · sigmoid'(x)."""
    import torch

    class Swish(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * torch.sigmoid(x)

        @staticmethod
        def backward(ctx: Any, ct: Any) -> Any:
            (x,) = ctx.saved_tensors
            return ct * torch.sigmoid(x)

    return Swish.apply(x)


def jax_softplus(x: Any) -> Any:
    """Wrong: the derivative is the logistic function of x, and the value is saved in place of x."""
    import jax

    @jax.custom_vjp
    def softplus(x: Any) -> Any:
        return jax.nn.softplus(x)

    def forward(x: Any) -> Any:
        value = jax.nn.softplus(x)
        return value, value

    def backward(saved: Any, ct: Any) -> Any:
        return (ct * jax.nn.sigmoid(saved),)

    softplus.defvjp(forward, backward)
    return softplus(x)
