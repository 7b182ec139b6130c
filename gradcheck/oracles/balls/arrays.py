"""How do arrays of balls change their shape, add up and multiply?

Rows that only move numbers run as they are, on arrays of balls; where they fill in zeros, those become balls too.
Sums, products, norms and their like are formulas: what is right for numbers holds for balls.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from gradcheck.expr import NUMPY
from gradcheck.oracles.balls.conditions import ENCLOSURES as CONDITIONS
from gradcheck.oracles.balls.elementary import each
from gradcheck.oracles.balls.flint_library import arb, balls
from gradcheck.oracles.balls.numbers import all_balls

Enclosure = Callable[..., Any]
MOVING = frozenset(
    "reshape broadcast_to expand_dims squeeze flip permute_dims getitem matrix_transpose diagonal take take_along_axis "
    "sliding_windows".split()
)  # the result holds the very same balls
FILLING = frozenset(
    "scatter scatter_along_axis zero_pad tril triu diag overlap_add sum cumulative_sum trace cumulative_prod "
    "matmul outer".split()
)  # … or sums and products of them, and zeros of NumPy's own
_ADD: Any = np.add
_MULTIPLY: Any = np.multiply
_exp, _log, _sqrt = each(arb.exp), each(arb.log), each(arb.sqrt)


def _axes(axis: Any) -> tuple[int, ...]:
    return axis if isinstance(axis, tuple) else (axis,)


def _count(x: Any, axis: Any) -> int:
    return prod(np.shape(x)[a] for a in _axes(axis))


def _sum(x: Any, axis: Any, keepdims: bool = False) -> Any:
    return all_balls(_ADD.reduce(x, axis=axis, keepdims=keepdims))


def _mean(x: Any, axis: Any, keepdims: bool = False) -> Any:
    return _sum(x, axis, keepdims) / _count(x, axis)


def _prod(x: Any, axis: Any, keepdims: bool) -> Any:
    return all_balls(_MULTIPLY.reduce(x, axis=axis, keepdims=keepdims))


def _squared(x: Any) -> Any:
    return x * x


def _var(x: Any, axis: Any, correction: Any, keepdims: bool) -> Any:
    return _sum(_squared(x - _mean(x, axis, True)), axis, keepdims) / (_count(x, axis) - correction)


def _std(x: Any, axis: Any, correction: Any, keepdims: bool) -> Any:
    return _sqrt(_var(x, axis, correction, keepdims))


def _norm(x: Any, axis: Any, keepdims: bool, ord: Any) -> Any:
    if ord == 1:
        return _sum(abs(x), axis, keepdims)
    if ord == 2:
        return _sqrt(_sum(_squared(x), axis, keepdims))
    return CONDITIONS["max"](abs(x), axis=axis, keepdims=keepdims)


def _logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    return _log(_sum(_exp(x), axis, keepdims))


def _softmax(x: Any, axis: Any) -> Any:
    powers = _exp(x)
    return powers / _sum(powers, axis, True)


def _log_softmax(x: Any, axis: Any) -> Any:
    return x - _logsumexp(x, axis, True)


def _cumulative_logsumexp(x: Any, axis: Any) -> Any:
    return _log(all_balls(np.cumsum(_exp(x), axis=_axes(axis)[0])))


def _standardize(x: Any, axis: Any, eps: Any) -> Any:
    return (x - _mean(x, axis, True)) / _sqrt(_var(x, axis, 0, True) + all_balls(eps))


def _rms_normalize(x: Any, axis: Any, eps: Any) -> Any:
    return x / _sqrt(_mean(_squared(x), axis, True) + all_balls(eps))


def _join(name: str) -> Enclosure:
    """Balls beside balls: exact numbers among them become some."""
    function = getattr(NUMPY, name)
    return lambda arrays, **params: function([all_balls(a) for a in arrays], **params)


def _moving(name: str) -> Enclosure:
    function = getattr(NUMPY, name)
    return lambda x, *rest, **params: function(x, *rest, **params)


def _filling(name: str) -> Enclosure:
    function = getattr(NUMPY, name)

    def enclose(*arrays: Any, **params: Any) -> Any:
        return balls(
            function(
                *[a if k and name == "scatter_along_axis" else all_balls(a) for k, a in enumerate(arrays)], **params
            )
        )

    return enclose


ENCLOSURES: dict[str, Enclosure] = {
    **{name: _moving(name) for name in MOVING},
    **{name: _filling(name) for name in FILLING},
    "concat": _join("concat"),
    "stack": _join("stack"),
    "dot": lambda x, y: _sum(all_balls(x) * all_balls(y), -1),
    "mean": _mean,
    "prod": _prod,
    "var": _var,
    "std": _std,
    "norm": _norm,
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "cumulative_logsumexp": _cumulative_logsumexp,
    "standardize": _standardize,
    "rms_normalize": _rms_normalize,
    "zeros_like": lambda x: np.zeros(np.shape(x)),
    "ones_like": lambda x: np.ones(np.shape(x)),
    "empty_like": lambda x: np.zeros(np.shape(x)),
}
