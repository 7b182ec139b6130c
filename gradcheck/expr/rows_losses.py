"""What do the losses of learning measure?

Names, meanings and reductions are PyTorch's: `reduction` is "mean", "sum" or "none" (kl_div also knows "batchmean").
Classes lie along `axis`, the last one by default. The rule people write by hand for a softmax under a cross-entropy,
softmax - target, is the rule of log_softmax; for a sigmoid it is that of the row sigmoid_cross_entropy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Primitive, Value
from gradcheck.expr.rules import axes_of, one_axis, shape_of

MEAN = "mean"


def _reduced(xp: Namespace, loss: Value, reduction: str) -> Value:
    if reduction not in (MEAN, "sum", "none"):
        raise ValueError(f"reduction is 'mean', 'sum' or 'none', got {reduction!r}")
    return loss if reduction == "none" else xp.mean(loss) if reduction == MEAN else xp.sum(loss)


def _sigmoid_cross_entropy(z: Any, y: Any) -> Any:
    """With y in [0, 1] both terms are positive, so that nothing cancels."""
    return y * np.logaddexp(0.0, -z) + (1.0 - y) * np.logaddexp(0.0, z)


def _sigmoid_slope(xp: Namespace, loss: Value, z: Value, y: Value) -> Value:
    """σ(z) - y, as (1 - y) σ(z) - y σ(-z), which keeps its digits where y is 0 or 1."""
    missed = xp.multiply(y, xp.expit(xp.negative(z)))
    return xp.subtract(xp.multiply(xp.subtract(1.0, y), xp.expit(z)), missed)


def _with_logits(xp: Namespace, z: Value, y: Value, reduction: str = MEAN) -> Value:
    return _reduced(xp, xp.sigmoid_cross_entropy(z, y), reduction)


def _binary(xp: Namespace, p: Value, y: Value, reduction: str = MEAN) -> Value:
    likely = xp.add(xp.xlogy(y, p), xp.xlog1py(xp.subtract(1.0, y), xp.negative(p)))
    return _reduced(xp, xp.negative(likely), reduction)


def one_hot(xp: Namespace, labels: Value, classes: int, axis: int) -> Value:
    """Where along a new `axis` (negative) each label's class is. Labels are whole numbers, as floats or integers."""
    if not hasattr(labels, "shape") or isinstance(labels, np.ndarray | np.generic):
        labels = np.asarray(labels)
        if np.any((labels < 0) | (labels >= classes) | (labels != np.round(labels))):
            raise ValueError(f"labels of {classes} classes are 0 to {classes - 1}, got {labels}")
    every = np.arange(float(classes)).reshape(classes, *(1,) * (-axis - 1))
    return xp.equal(xp.expand_dims(labels, axis=axis), every)


def _nll(xp: Namespace, x: Value, labels: Value, axis: int = -1, reduction: str = MEAN) -> Value:
    """Minus the log-probability of each label; labels have the shape of x without the axis of classes."""
    shape = shape_of(x)
    axis = one_axis(axes_of(shape, axis))
    wanted = tuple(n for a, n in enumerate(shape) if a - len(shape) != axis)
    if shape_of(labels) != wanted:
        raise ValueError(f"labels should have the shape {wanted}, got {shape_of(labels)}")
    chosen = xp.where(one_hot(xp, labels, shape[axis], axis), x, 0.0)
    return _reduced(xp, xp.negative(xp.sum(chosen, axis=axis)), reduction)


def _cross_entropy(xp: Namespace, z: Value, target: Value, axis: int = -1, reduction: str = MEAN) -> Value:
    """Of logits; the target has their shape and holds probabilities, or one axis less and holds labels."""
    likely = xp.log_softmax(z, axis=axis)
    if len(shape_of(target)) < len(shape_of(z)):
        return _nll(xp, likely, target, axis, reduction)
    return _reduced(xp, xp.negative(xp.sum(xp.multiply(target, likely), axis=axis)), reduction)


def _mse(xp: Namespace, x: Value, y: Value, reduction: str = MEAN) -> Value:
    return _reduced(xp, xp.square(xp.subtract(x, y)), reduction)


def _l1(xp: Namespace, x: Value, y: Value, reduction: str = MEAN) -> Value:
    return _reduced(xp, xp.abs(xp.subtract(x, y)), reduction)


def _huber(xp: Namespace, x: Value, y: Value, delta: float = 1.0, reduction: str = MEAN) -> Value:
    off = xp.subtract(x, y)
    size = xp.abs(off)
    far = xp.multiply(delta, xp.subtract(size, 0.5 * delta))
    loss = xp.where(xp.less_equal(size, delta), xp.multiply(0.5, xp.square(off)), far)
    return _reduced(xp, loss, reduction)


def _smooth_l1(xp: Namespace, x: Value, y: Value, beta: float = 1.0, reduction: str = MEAN) -> Value:
    if beta == 0:
        return _l1(xp, x, y, reduction)
    off = xp.subtract(x, y)
    size = xp.abs(off)
    near = xp.multiply(0.5 / beta, xp.square(off))
    return _reduced(xp, xp.where(xp.less(size, beta), near, xp.subtract(size, 0.5 * beta)), reduction)


def _kl_div(xp: Namespace, x: Value, target: Value, log_target: bool = False, reduction: str = MEAN) -> Value:
    """target (log target - x), x and with `log_target` the target as logarithms of probabilities."""
    if log_target:
        loss = xp.multiply(xp.exp(target), xp.subtract(target, x))
    else:
        loss = xp.subtract(xp.xlogy(target, target), xp.multiply(target, x))
    if reduction == "batchmean":
        return xp.multiply(1.0 / shape_of(loss)[0], xp.sum(loss))
    return _reduced(xp, loss, reduction)


def _cosine_similarity(xp: Namespace, x: Value, y: Value, axis: int = -1, eps: float = 1e-8) -> Value:
    """The cosine of the angle between vectors along `axis`; lengths below `eps` count as `eps`."""
    lengths = []
    for vector in (x, y):
        length = xp.norm(vector, axis=axis, keepdims=True)
        lengths.append(xp.where(xp.greater(length, eps), length, eps))
    return xp.sum(xp.multiply(xp.divide(x, lengths[0]), xp.divide(y, lengths[1])), axis=axis)


def _loss(name: str, formula: Any, **more: Any) -> Primitive:
    defaults = {**more.pop("defaults", {}), "reduction": MEAN}
    more = {"batching": Batching.TRAILING, "torch": f"torch.nn.functional.{name}", **more}
    return composition(name, 2, formula, params=tuple(defaults), defaults=defaults, **more)


CLASSES: dict[str, Any] = {"defaults": {"axis": -1}, "batching": Batching.AXIS}

LOSSES: tuple[Primitive, ...] = (
    Primitive(
        "sigmoid_cross_entropy",
        2,
        _sigmoid_cross_entropy,
        slopes=(_sigmoid_slope, lambda xp, loss, z, y: xp.negative(z)),
        domain="0 <= {1} <= 1",
        note="the cross-entropy of a bit's probability {1} against expit({0})",
    ),
    _loss("binary_cross_entropy_with_logits", _with_logits),
    _loss("binary_cross_entropy", _binary, domain="0 < {0} < 1"),
    _loss("cross_entropy", _cross_entropy, **CLASSES),
    _loss("nll_loss", _nll, **CLASSES),
    _loss("mse_loss", _mse),
    _loss("l1_loss", _l1, kinks="{0} == {1}"),
    _loss("huber_loss", _huber, defaults={"delta": 1.0}),
    _loss("smooth_l1_loss", _smooth_l1, defaults={"beta": 1.0}),
    _loss("kl_div", _kl_div, defaults={"log_target": False}, domain="{1} > 0"),
    composition(
        "cosine_similarity",
        2,
        _cosine_similarity,
        params=("axis", "eps"),
        defaults={"axis": -1, "eps": 1e-8},
        batching=Batching.AXIS,
        kinks="norm({0}) <= eps or norm({1}) <= eps",
    ),
)
