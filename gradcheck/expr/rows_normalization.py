"""What are the rules of the layers that bring numbers to mean 0 and size 1?

Two rows carry the fused rules that people write by hand; the layers are these rows along different axes, times weights,
plus biases. With y = (x - mean)/s and s² = var + eps the Jacobian is (1 - 1/n - y yᵀ/n)/s, which is symmetric, so that
one line is the rule of both modes. Ba, Kiros, Hinton, "Layer normalization" (2016); Zhang, Sennrich, "Root mean square
layer normalization" (2019); Ioffe, Szegedy, "Batch normalization" (2015); Wu, He, "Group normalization" (2018).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Params, Primitive, Value
from gradcheck.expr.rules import Axis, Shape, axes_of, shape_of

EPS = 1e-5  # PyTorch's default; its rms_norm alone takes the spacing of floats instead
Rule = tuple[Value | None, ...]


def _standardize(x: Any, axis: Axis = -1, eps: float = EPS) -> Any:
    centred = x - np.mean(x, axis=axis, keepdims=True)
    return centred / np.sqrt(np.mean(np.square(centred), axis=axis, keepdims=True) + eps)


def _rms_normalize(x: Any, axis: Axis = -1, eps: float = EPS) -> Any:
    return x / np.sqrt(np.mean(np.square(x), axis=axis, keepdims=True) + eps)


def _mean(xp: Namespace, x: Value, params: Params) -> Value:
    return xp.mean(x, axis=axes_of(shape_of(x), params["axis"]), keepdims=True)


def _standardize_turn(xp: Namespace, y: Value, x: Value, moved: Value, params: Params) -> Value:
    """The Jacobian times `moved`."""
    axes = axes_of(shape_of(x), params["axis"])
    spread = xp.sqrt(xp.add(xp.var(x, axis=axes, correction=0, keepdims=True), params["eps"]))
    along = xp.multiply(y, _mean(xp, xp.multiply(y, moved), params))
    return xp.divide(xp.subtract(xp.subtract(moved, _mean(xp, moved, params)), along), spread)


def _rms_turn(xp: Namespace, y: Value, x: Value, moved: Value, params: Params) -> Value:
    """The Jacobian (1 - y yᵀ/n)/r times `moved`."""
    size = xp.sqrt(xp.add(_mean(xp, xp.square(x), params), params["eps"]))
    return xp.divide(xp.subtract(moved, xp.multiply(y, _mean(xp, xp.multiply(y, moved), params))), size)


def _symmetric(name: str, numpy: Any, turn: Any, **more: Any) -> Primitive:
    """A row whose Jacobian is symmetric: one rule for both modes."""

    def vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
        return (turn(xp, y, args[0], ct, params),)

    def jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
        return turn(xp, y, args[0], tangents[0], params)

    return Primitive(name, 1, numpy, ("axis", "eps"), {"axis": -1, "eps": EPS}, Batching.AXIS, vjp=vjp, jvp=jvp, **more)


def _scaled(xp: Namespace, y: Value, weight: Value | None, bias: Value | None, shape: Shape | None = None) -> Value:
    """weight * y + bias, either brought to `shape` first where one is given."""
    if weight is not None:
        y = xp.multiply(y, weight if shape is None else xp.reshape(weight, shape=shape))
    return y if bias is None else xp.add(y, bias if shape is None else xp.reshape(bias, shape=shape))


def _layer_norm(
    xp: Namespace,
    x: Value,
    weight: Value | None = None,
    bias: Value | None = None,
    axis: Axis = -1,
    eps: float = EPS,
) -> Value:
    return _scaled(xp, xp.standardize(x, axis=axis, eps=eps), weight, bias)


def _rms_norm(xp: Namespace, x: Value, weight: Value | None = None, axis: Axis = -1, eps: float = EPS) -> Value:
    return _scaled(xp, xp.rms_normalize(x, axis=axis, eps=eps), weight, None)


def _behind_channels(x: Value, name: str) -> tuple[Shape, Shape]:
    """The shape of x, whose axes are examples, channels and the rest, and that of one number a channel."""
    shape = shape_of(x)
    if len(shape) < 2:
        raise ValueError(f"{name} takes arrays of examples and channels, got the shape {shape}")
    return shape, (shape[1], *(1,) * (len(shape) - 2))


def _batch_norm(
    xp: Namespace, x: Value, weight: Value | None = None, bias: Value | None = None, eps: float = EPS
) -> Value:
    shape, channels = _behind_channels(x, "batch_norm")
    axes = tuple(a - len(shape) for a in range(len(shape)) if a != 1)
    return _scaled(xp, xp.standardize(x, axis=axes, eps=eps), weight, bias, channels)


def _group_norm(
    xp: Namespace, x: Value, groups: int, weight: Value | None = None, bias: Value | None = None, eps: float = EPS
) -> Value:
    shape, channels = _behind_channels(x, "group_norm")
    if groups < 1 or shape[1] % groups:
        raise ValueError(f"group_norm: {shape[1]} channels make no {groups} groups of one size")
    grouped = xp.reshape(x, shape=(shape[0], groups, shape[1] // groups, *shape[2:]))
    even = xp.standardize(grouped, axis=tuple(range(1 - len(shape), 0)), eps=eps)
    return _scaled(xp, xp.reshape(even, shape=shape), weight, bias, channels)


def _instance_norm(
    xp: Namespace, x: Value, weight: Value | None = None, bias: Value | None = None, eps: float = EPS
) -> Value:
    shape, channels = _behind_channels(x, "instance_norm")
    if len(shape) < 3:
        raise ValueError(f"instance_norm needs an axis behind the channels, got the shape {shape}")
    return _scaled(xp, xp.standardize(x, axis=tuple(range(2 - len(shape), 0)), eps=eps), weight, bias, channels)


def _layer(name: str, formula: Any, params: str, batching: Batching = Batching.TRAILING, **more: Any) -> Primitive:
    names = tuple(params.split())
    usual = {"weight": None, "bias": None, "axis": -1, "eps": EPS}
    defaults = {p: usual[p] for p in names if p in usual}
    return composition(name, 1, formula, params=names, defaults=defaults, batching=batching, **more)


NORMALIZATION: tuple[Primitive, ...] = (
    _symmetric("standardize", _standardize, _standardize_turn, note="(x - mean(x)) / sqrt(var(x) + eps)"),
    _symmetric("rms_normalize", _rms_normalize, _rms_turn, note="x / sqrt(mean(x**2) + eps)"),
    _layer("layer_norm", _layer_norm, "weight bias axis eps", Batching.AXIS),
    _layer("rms_norm", _rms_norm, "weight axis eps", Batching.AXIS),
    _layer("batch_norm", _batch_norm, "weight bias eps", note="with the statistics of the batch, as in training"),
    _layer("group_norm", _group_norm, "groups weight bias eps"),
    _layer("instance_norm", _instance_norm, "weight bias eps"),
)
