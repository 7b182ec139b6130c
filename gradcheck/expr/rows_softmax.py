"""What are the rules of log-sum-exp and its gradient, the softmax?"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.expr.primitive import Batching, Namespace, Params, Primitive, Value
from gradcheck.expr.rules import Axis, keep, shape_of

Rule = tuple[Value | None, ...]


def _largest(x: Any, axis: Axis) -> Any:
    """What may be taken off so that no power overflows: the largest number, of complex ones the largest real part."""
    reals = x.real if isinstance(x, np.ndarray) else np.real(x)
    return np.maximum.reduce(reals, axis=axis, keepdims=True)  # what np.max comes to, without its overhead


def _summed(x: Any, axis: Axis) -> Any:
    return np.add.reduce(x, axis=axis, keepdims=True)


def _softmax(x: Any, axis: Axis = None) -> Any:
    powers = np.exp(x - _largest(x, axis))
    return powers / _summed(powers, axis)


def _log_softmax(x: Any, axis: Axis = None) -> Any:
    shifted = x - _largest(x, axis)
    return shifted - np.log(_summed(np.exp(shifted), axis))


def _logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    largest = _largest(x, axis)
    shift = np.where(np.isfinite(largest), largest, 0.0)
    total = shift + np.log(_summed(np.exp(x - shift), axis))
    return total if keepdims else np.squeeze(total, axis=axis)


def _total(xp: Namespace, x: Value, params: Params) -> Value:
    return xp.sum(x, axis=params["axis"], keepdims=True)


def _softmax_turn(xp: Namespace, y: Value, moved: Value, params: Params) -> Value:
    """The Jacobian of the softmax, which is symmetric, times `moved`."""
    return xp.multiply(y, xp.subtract(moved, _total(xp, xp.multiply(y, moved), params)))


def _softmax_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    return (_softmax_turn(xp, y, ct, params),)


def _softmax_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    return _softmax_turn(xp, y, tangents[0], params)


def _log_softmax_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    return (xp.subtract(ct, xp.multiply(xp.softmax(args[0], axis=params["axis"]), _total(xp, ct, params))),)


def _log_softmax_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    weighted = xp.multiply(xp.softmax(args[0], axis=params["axis"]), tangents[0])
    return xp.subtract(tangents[0], _total(xp, weighted, params))


def _logsumexp_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    ct = keep(xp, ct, shape_of(args[0]), params["axis"])
    return (xp.multiply(ct, xp.softmax(args[0], axis=params["axis"])),)


def _logsumexp_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    weighted = xp.multiply(xp.softmax(args[0], axis=params["axis"]), tangents[0])
    return xp.sum(weighted, axis=params["axis"], keepdims=params["keepdims"])


SOFTMAX: tuple[Primitive, ...] = (
    Primitive(
        "softmax",
        1,
        _softmax,
        ("axis",),
        {"axis": None},
        Batching.AXIS,
        vjp=_softmax_vjp,
        jvp=_softmax_jvp,
        jax="jax.nn.softmax",
        analytic=True,
    ),
    Primitive(
        "log_softmax",
        1,
        _log_softmax,
        ("axis",),
        {"axis": None},
        Batching.AXIS,
        vjp=_log_softmax_vjp,
        jvp=_log_softmax_jvp,
        jax="jax.nn.log_softmax",
        analytic=True,
    ),
    Primitive(
        "logsumexp",
        1,
        _logsumexp,
        ("axis", "keepdims"),
        {"axis": None, "keepdims": False},
        Batching.AXIS,
        vjp=_logsumexp_vjp,
        jvp=_logsumexp_jvp,
        jax="jax.scipy.special.logsumexp",
        latex=r"\ln \sum e^{{{0}}}",
        analytic=True,
    ),
)
