"""What are the activations of neural networks made of?

Most are formulas in other rows. At kinks they take PyTorch's side: a bend between a flat and a sloped piece belongs to
the flat one (`hardtanh`, `hard_sigmoid`, `softshrink`), a leaky rectifier's zero to its left. A branch that is not
taken is evaluated at 0 where it could overflow, so that it brings no NaN into a derivative. The constants of selu:
Klambauer et al., "Self-normalizing neural networks" (2017).
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Primitive, Value
from gradcheck.expr.rules import along, axes_of, one_axis, shape_of

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def _silu(xp: Namespace, x: Value) -> Value:
    return xp.multiply(x, xp.expit(x))


def _leaky_relu(xp: Namespace, x: Value, negative_slope: float = 0.01) -> Value:
    return xp.where(xp.greater(x, 0.0), x, xp.multiply(negative_slope, x))


def _bent(xp: Namespace, x: Value, height: float, width: float, scale: float) -> Value:
    """scale * x where x is positive, else height * (exp(x/width) - 1)."""
    positive = xp.greater(x, 0.0)
    left = xp.where(positive, 0.0, x)
    below = xp.expm1(left if width == 1 else xp.multiply(1.0 / width, left))
    return xp.where(positive, x if scale == 1 else xp.multiply(scale, x), xp.multiply(height, below))


def _elu(xp: Namespace, x: Value, alpha: float = 1.0) -> Value:
    return _bent(xp, x, alpha, 1.0, 1.0)


def _selu(xp: Namespace, x: Value) -> Value:
    return _bent(xp, x, SELU_SCALE * SELU_ALPHA, 1.0, SELU_SCALE)


def _celu(xp: Namespace, x: Value, alpha: float = 1.0) -> Value:
    return _bent(xp, x, alpha, alpha, 1.0)


def _gelu(xp: Namespace, x: Value) -> Value:
    return xp.multiply(x, xp.ndtr(x))


def _gelu_tanh(xp: Namespace, x: Value) -> Value:
    """x (1 + tanh u)/2, written as x σ(2u), which keeps its digits far to the left."""
    cubic = xp.add(1.0, xp.multiply(0.044715, xp.square(x)))
    return xp.multiply(x, xp.expit(xp.multiply(sqrt(8.0 / pi), xp.multiply(x, cubic))))


def _mish(xp: Namespace, x: Value) -> Value:
    return xp.multiply(x, xp.tanh(xp.softplus(x)))


def _softsign(x: Any) -> Any:
    return x / (1.0 + np.abs(x))


def _softsign_slope(xp: Namespace, y: Value, x: Value) -> Value:
    return xp.square(xp.reciprocal(xp.add(1.0, xp.abs(x))))


def _tanhshrink(x: Any) -> Any:
    return x - np.tanh(x)


def _between(xp: Namespace, x: Value, low: float, high: float, inside: Value) -> Value:
    """`inside` where x lies strictly between; elsewhere the nearer end of x's interval, which does not move."""
    within = xp.logical_and(xp.greater(x, low), xp.less(x, high))
    return xp.where(within, inside, xp.clip(xp.stop_gradient(x), low, high))


def _hardtanh(xp: Namespace, x: Value, min_val: float = -1.0, max_val: float = 1.0) -> Value:
    return _between(xp, x, min_val, max_val, x)


def _relu6(xp: Namespace, x: Value) -> Value:
    return _between(xp, x, 0.0, 6.0, x)


def _hard_sigmoid(xp: Namespace, x: Value) -> Value:
    return xp.multiply(1.0 / 6.0, _relu6(xp, xp.add(x, 3.0)))


def _hard_swish(xp: Namespace, x: Value) -> Value:
    bend = xp.multiply(1.0 / 6.0, xp.multiply(x, xp.add(x, 3.0)))
    return xp.where(xp.less_equal(x, -3.0), 0.0, xp.where(xp.less(x, 3.0), bend, x))


def _softshrink(xp: Namespace, x: Value, lambd: float = 0.5) -> Value:
    left = xp.where(xp.less(x, -lambd), xp.add(x, lambd), 0.0)
    return xp.where(xp.greater(x, lambd), xp.subtract(x, lambd), left)


def _hardshrink(xp: Namespace, x: Value, lambd: float = 0.5) -> Value:
    return xp.where(xp.greater(xp.abs(x), lambd), x, 0.0)


def _glu(xp: Namespace, x: Value, axis: int = -1) -> Value:
    shape = shape_of(x)
    axis = one_axis(axes_of(shape, axis))
    half, odd = divmod(shape[axis], 2)
    if odd:
        raise ValueError(f"glu halves an axis: its size must be even, got {shape[axis]}")
    signal = xp.getitem(x, index=along(shape, axis, slice(None, half)))
    gate = xp.getitem(x, index=along(shape, axis, slice(half, None)))
    return xp.multiply(signal, xp.expit(gate))


def _activation(name: str, formula: Any, jax: str = "", torch: str = "", **defaults: float) -> Primitive:
    """A formula of one array and some numbers. `jax`: what `jax.nn` calls it; left out, JAX runs the formula."""
    return composition(
        name,
        1,
        formula,
        params=tuple(defaults),
        defaults=defaults,
        torch=f"torch.nn.functional.{torch or name}",
        jax=jax and f"jax.nn.{jax}",
        **_ABOUT.get(name, {}),
    )


_ABOUT: dict[str, dict[str, Any]] = {
    "silu": {"latex": r"\operatorname{{silu}}\left({0}\right)", "aliases": ("swish",), "analytic": True},
    "leaky_relu": {"kinks": "{0} == 0", "note": "slope negative_slope at 0"},
    "elu": {"kinks": "{0} == 0, unless alpha is 1", "note": "slope alpha at 0"},
    "selu": {"kinks": "{0} == 0", "note": "slope 1.0507… times 1.6733… at 0"},
    "gelu_tanh": {"note": "the approximation of gelu by a hyperbolic tangent"},
    "hardtanh": {"kinks": "{0} == min_val or {0} == max_val", "note": "slope 0 at both ends"},
    "relu6": {"kinks": "{0} == 0 or {0} == 6", "note": "slope 0 at both ends"},
    "hard_sigmoid": {"kinks": "{0} == -3 or {0} == 3", "note": "slope 0 at both ends"},
    "hard_swish": {"kinks": "{0} == -3 or {0} == 3", "note": "slope 0 at -3 and 1 at 3"},
    "softshrink": {"kinks": "abs({0}) == lambd", "note": "slope 0 on the closed interval"},
    "hardshrink": {"note": "0 on the closed interval, at whose ends it jumps"},
}

NEURAL: tuple[Primitive, ...] = (
    _activation("silu", _silu, "silu"),
    _activation("leaky_relu", _leaky_relu, "leaky_relu", negative_slope=0.01),
    _activation("elu", _elu, "elu", alpha=1.0),
    _activation("selu", _selu, "selu"),
    _activation("celu", _celu, "celu", alpha=1.0),
    _activation("gelu", _gelu, "gelu"),
    _activation("gelu_tanh", _gelu_tanh, "gelu", "gelu"),
    _activation("mish", _mish, "mish"),
    _activation("hardtanh", _hardtanh, min_val=-1.0, max_val=1.0),
    _activation("relu6", _relu6, "relu6"),
    _activation("hard_sigmoid", _hard_sigmoid, "hard_sigmoid", "hardsigmoid"),
    _activation("hard_swish", _hard_swish, "hard_silu", "hardswish"),
    _activation("softshrink", _softshrink, lambd=0.5),
    _activation("hardshrink", _hardshrink, lambd=0.5),
    Primitive(
        "softsign",
        1,
        _softsign,
        slopes=(_softsign_slope,),
        torch="torch.nn.functional.softsign",
        jax="jax.nn.soft_sign",
        latex=r"\frac{{{0}}}{{1 + \left|{0}\right|}}",
    ),
    Primitive(
        "tanhshrink",
        1,
        _tanhshrink,
        slopes=(lambda xp, y, x: xp.square(xp.tanh(x)),),
        torch="torch.nn.functional.tanhshrink",
        analytic=True,
    ),
    composition("glu", 1, _glu, params=("axis",), defaults={"axis": -1}, batching=Batching.AXIS, jax="jax.nn.glu"),
)
