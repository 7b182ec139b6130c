"""How far are norms, means, running products and the like off? As far as the formulas that they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.expr.rows_product import with_initial
from gradcheck.expr.rules import axes_of, one_axis
from gradcheck.oracles.rounding.number import error_of, value_of


def _mean(xp: Any, x: Any, axis: Any, keepdims: bool = False) -> Any:
    count = int(np.prod([x.shape[a] for a in axis]))
    return xp.divide(xp.sum(x, axis=axis, keepdims=keepdims), float(max(count, 1)))


def _var(xp: Any, x: Any, axis: Any, correction: float = 0.0, keepdims: bool = False) -> Any:
    count = int(np.prod([x.shape[a] for a in axis])) - correction
    centred = xp.subtract(x, _mean(xp, x, axis, keepdims=True))
    total = xp.sum(xp.multiply(centred, centred), axis=axis, keepdims=keepdims)
    return xp.divide(total, float(count))


def _std(xp: Any, x: Any, axis: Any, correction: float = 0.0, keepdims: bool = False) -> Any:
    return xp.sqrt(_var(xp, x, axis, correction, keepdims))


def _norm(xp: Any, x: Any, axis: Any = -1, keepdims: bool = False, ord: Any = 2) -> Any:
    if ord == 1:
        return xp.sum(xp.abs(x), axis=axis, keepdims=keepdims)
    if ord == np.inf:
        return xp.max(xp.abs(x), axis=axis, keepdims=keepdims)
    scale = np.max(np.abs(value_of(x)), axis=axis, keepdims=True, initial=0.0)
    scale = np.where((scale > 0) & np.isfinite(scale), 2.0 ** np.round(np.log2(np.where(scale > 0, scale, 1.0))), 1.0)
    scaled = xp.divide(x, scale)
    root = xp.sqrt(xp.sum(xp.multiply(scaled, scaled), axis=axis, keepdims=True))
    result = xp.multiply(root, scale)
    err = np.where(np.isfinite(result.err), result.err, error_of(xp.sum(xp.abs(x), axis=axis, keepdims=True)))
    wide = xp.carried(result.value, np.where(_out_of_range(xp, x, axis), np.inf, err))
    return wide if keepdims else xp.squeeze(wide, axis=axis)


def _out_of_range(xp: Any, x: Any, axis: Any) -> Any:
    """Where the sum of squares leaves the dtype's range: people's norm, and a framework's, may take it as it is."""
    if not xp.narrow:
        return False
    total = np.sum(np.square(value_of(x)), axis=axis, keepdims=True)
    least = 2.0**xp.precision.lowest / xp.unit
    return (total > xp.precision.largest) | ((total > 0) & (total < least))


def _logsumexp(xp: Any, x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    top = np.max(value_of(x), axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    total = xp.sum(xp.exp(xp.subtract(x, top)), axis=axis, keepdims=True)
    wide = xp.add(xp.log(total), top)
    return wide if keepdims else xp.squeeze(wide, axis=axis)


def _log_softmax(xp: Any, x: Any, axis: Any = -1) -> Any:
    return xp.subtract(x, _logsumexp(xp, x, axis, keepdims=True))


def _softmax(xp: Any, x: Any, axis: Any = -1) -> Any:
    return xp.exp(_log_softmax(xp, x, axis))


def _prod(xp: Any, x: Any, axis: Any, keepdims: bool = False) -> Any:
    result = x
    for a in sorted(axis):
        result = _multiplied_along(xp, result, a)
    return result if keepdims else xp.squeeze(result, axis=axis)


def _multiplied_along(xp: Any, x: Any, axis: int) -> Any:
    parts = _slices(xp, x, axis)
    if not parts:
        shape = [d if k != axis % x.ndim else 1 for k, d in enumerate(x.shape)]
        return xp.carried(np.ones(shape), np.zeros(shape))
    result = parts[0]
    for part in parts[1:]:
        result = xp.multiply(result, part)
    return result


def _slices(xp: Any, x: Any, axis: int) -> list[Any]:
    before = (slice(None),) * (axis % x.ndim)
    return [xp.getitem(x, index=(*before, slice(k, k + 1))) for k in range(x.shape[axis])]


def _cumulative_prod(xp: Any, x: Any, axis: Any = None, include_initial: bool = False) -> Any:
    running = _running(xp, x, one_axis(axis), xp.multiply)
    return with_initial(xp, running, one_axis(axis), 1.0) if include_initial else running


def _cumulative_logsumexp(xp: Any, x: Any, axis: Any = None) -> Any:
    return _running(xp, x, one_axis(axis), xp.logaddexp)


def _running(xp: Any, x: Any, axis: int, function: Callable[..., Any]) -> Any:
    parts = _slices(xp, x, axis)
    for k in range(1, len(parts)):
        parts[k] = function(parts[k - 1], parts[k])
    return xp.concat(parts, axis=axis) if parts else x


def _standardize(xp: Any, x: Any, axis: Any, eps: float) -> Any:
    axes = axes_of(x.shape, axis)
    centred = xp.subtract(x, _mean(xp, x, axes, keepdims=True))
    return xp.divide(centred, xp.sqrt(xp.add(_var(xp, x, axes, keepdims=True), eps)))


def _rms_normalize(xp: Any, x: Any, axis: Any, eps: float) -> Any:
    mean = _mean(xp, xp.square(x), axes_of(x.shape, axis), keepdims=True)
    return xp.divide(x, xp.sqrt(xp.add(mean, eps)))


COMPOSED: dict[str, Callable[..., Any]] = {
    "mean": _mean, "var": _var, "std": _std, "norm": _norm, "logsumexp": _logsumexp, "log_softmax": _log_softmax,
    "softmax": _softmax, "prod": _prod, "cumulative_prod": _cumulative_prod,
    "cumulative_logsumexp": _cumulative_logsumexp, "standardize": _standardize, "rms_normalize": _rms_normalize,
    "tanhshrink": lambda xp, x: xp.subtract(x, xp.tanh(x)),
}  # fmt: skip
