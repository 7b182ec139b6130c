"""Functions of very many numbers, right ones and ones with an error in one place, for the tests of large inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck import Real

N = 6_000  # just more than are moved one by one
PLACE = 4_321
Rule = Callable[..., Any]


def spoilt(gradient: Any, factor: float, place: int = PLACE) -> Any:
    """The gradient with one number times a factor."""
    gradient = np.array(gradient)
    gradient.reshape(-1)[place] *= factor
    return gradient


def total(x: Any) -> Any:
    return np.sum(np.sin(x))


def total_vjp(factor: float, place: int = PLACE) -> Rule:
    return lambda inputs, ct: (spoilt(ct * np.cos(inputs[0]), factor, place),)


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softmax_vjp(x: Any, ct: Any) -> Any:
    y = softmax(x)
    return y * (ct - (ct * y).sum(-1, keepdims=True))


def largest(x: Any, ct: Any) -> Any:
    gradient = np.zeros_like(x)
    gradient[np.argmax(x)] = ct
    return gradient


ROWS = Real(60, 100)
VECTOR = Real(N)
# function, gradient by the first input for a cotangent, inputs, gradients by further inputs
FUNCTIONS: dict[str, tuple[Rule, Rule, list[Any], Rule]] = {
    "a sum": (total, lambda x, ct: ct * np.cos(x), [VECTOR], lambda *a: ()),
    "a map": (lambda x: np.sin(x) * x, lambda x, ct: ct * (np.sin(x) + x * np.cos(x)), [VECTOR], lambda *a: ()),
    "a narrow map": (
        lambda x: np.sin(x) * x, lambda x, ct: ct * (np.sin(x) + x * np.cos(x)), [Real(N, dtype="float32")],
        lambda *a: (),
    ),
    "rows": (softmax, softmax_vjp, [ROWS], lambda *a: ()),
    "a product": (
        lambda a, x: a @ x, lambda a, x, ct: np.outer(ct, x), [Real(75, 80), Real(80)],
        lambda a, x, ct: (a.T @ ct,),
    ),
    "between limits": (lambda x: np.log(x).sum(), lambda x, ct: ct / x, [Real(N, low=0)], lambda *a: ()),
    "running sums": (np.cumsum, lambda x, ct: np.cumsum(ct[::-1])[::-1], [VECTOR], lambda *a: ()),
    "a norm": (lambda x: np.sqrt((x * x).sum()), lambda x, ct: ct * x / np.sqrt((x * x).sum()), [VECTOR],
               lambda *a: ()),
}  # fmt: skip
KINKED: dict[str, tuple[Rule, Rule, list[Any], Rule]] = {
    "kinks in a map": (lambda x: np.maximum(x, 0), lambda x, ct: ct * (x > 0), [VECTOR], lambda *a: ()),
    "kinks at zero": (lambda x: np.abs(x).sum(), lambda x, ct: ct * np.sign(x), [VECTOR], lambda *a: ()),
    "kinks anywhere": (
        lambda x: np.clip(x, -0.7, 0.3).sum(), lambda x, ct: ct * ((x > -0.7) & (x < 0.3)), [VECTOR], lambda *a: (),
    ),
    "the largest": (np.max, largest, [VECTOR], lambda *a: ()),
}  # fmt: skip


def vjp_of(name: str, factor: float = 1.0) -> Rule:
    """The rule of a function, with one number of its first gradient times a factor."""
    _, first, _, rest = (FUNCTIONS | KINKED)[name]
    return lambda inputs, ct: (spoilt(first(*inputs, ct), factor), *rest(*inputs, ct))
