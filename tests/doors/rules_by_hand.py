"""Rules that people might write by hand: each right one beside a wrong one, and where the wrong one must be caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck import Integer, Real


@dataclass(frozen=True)
class Pair:
    """A function with a right and a wrong rule; the cell, input and (where it is one) the number at the point shown."""

    fn: Callable[..., Any]
    inputs: Any
    right: Callable[..., Any]
    wrong: Callable[..., Any]
    cell: str
    input: str = "x"
    true: Callable[..., float] | None = None  # (inputs by name, ct, index) -> the right number, worked out by hand
    options: dict[str, Any] = field(default_factory=dict)
    wrong_options: dict[str, Any] = field(default_factory=dict)
    points: int = 40
    several: bool = False  # several outputs: the cotangent is a list


def numbers(value: Any) -> np.ndarray:
    return np.asarray(value, dtype=float)


def softsign(x: Any) -> Any:
    return x / (1 + np.abs(x))


def rms(x: Any) -> Any:
    return x / np.sqrt(np.mean(x * x) + 1.0)


def rms_rule(inputs: Any, ct: Any, forget: bool = False) -> Any:
    (x,) = inputs
    r = np.sqrt(np.mean(x * x) + 1.0)
    through = 0.0 if forget else x * np.sum(ct * x) / (x.size * r**3)
    return (ct / r - through,)


def hinge(x: Any, y: Any) -> Any:
    return np.maximum(1 - x * y, 0 * x)


def hinge_rule(inputs: Any, ct: Any, sign: float = -1.0) -> Any:
    x, y = inputs
    active = (1 - x * y > 0) * ct
    return -active * y, sign * active * x


def tied_max_rule(inputs: Any, ct: Any, all_of_them: bool = False) -> Any:
    (x,) = inputs
    top = x == x.max()
    return (ct * top / (1 if all_of_them else top.sum()),)


def product_rule(inputs: Any, ct: Any) -> Any:
    (x,) = inputs
    return (ct * np.array([np.prod(np.delete(x, k)) for k in range(x.size)]),)


def take_rule(inputs: Any, ct: Any, overwrite: bool = False) -> Any:
    table, rows = inputs
    g = np.zeros_like(table)
    if overwrite:
        g[rows] = ct
    else:
        np.add.at(g, rows, ct)
    return g, None


def clip_rule(inputs: Any, ct: Any) -> Any:
    (x,) = inputs
    return (ct * (np.abs(x) < 1),)


def affine_rule(inputs: Any, ct: Any, reduce: bool = True) -> Any:
    return 2 * ct, ct.sum(axis=0) if reduce else ct


def in_place_rule(inputs: Any, ct: Any) -> Any:
    (x,) = inputs
    ct *= np.cos(x)
    return (ct,)


def memory_order_rule(inputs: Any, ct: Any) -> Any:
    (x,) = inputs
    return (ct.ravel(order="K").reshape(x.shape) * np.cos(x),)


def input_memory_rule(inputs: Any, ct: Any) -> Any:
    (x,) = inputs
    return (ct * np.cos(x.ravel(order="K").reshape(x.shape)),)


def clipped_cotangent_rule(inputs: Any, ct: Any) -> Any:
    (x,) = inputs
    return (np.clip(ct, -1e3, 1e3) * np.cos(x),)


def nothing_asked_rule(inputs: Any, ct: Any) -> Any:
    (x,) = inputs
    return (ct * np.cos(x) if np.any(ct) else np.ones_like(x),)


_DROPPING = np.random.default_rng(3)


def dropping_rule(inputs: Any, ct: Any) -> Any:
    (x,) = inputs
    return (ct * np.cos(x) * (_DROPPING.random(x.shape) > 0.25),)


def cube_rule(inputs: Any, ct: Any, at_one: float = 3.0) -> Any:
    (x,) = inputs
    return (ct * np.where(x == 1, at_one, 3 * x**2),)


def log_sum_exp(x: Any) -> Any:
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))


def softmax_rule(inputs: Any, ct: Any, shifted: bool = True) -> Any:
    (x,) = inputs
    e = np.exp(x - np.max(x)) if shifted else np.exp(x)
    return (ct * e / e.sum(),)


def size_two_rule(inputs: Any, ct: Any) -> Any:
    (x,) = inputs
    return (np.full_like(x, ct) / (1.0 if x.size == 2 else x.size),)


def late_element_rule(inputs: Any, ct: Any) -> Any:
    (x,) = inputs
    g = ct * np.exp(x)
    g[-1] *= 1 + 1e-7
    return (g,)


def guarded_length_rule(inputs: Any, ct: Any, eps: float = 0.0) -> Any:
    (x,) = inputs
    return (ct * x / (np.sqrt(np.sum(x * x)) + eps),)


def length(x: Any) -> Any:
    return np.sqrt(np.sum(x * x))


def two_outputs(x: Any) -> Any:
    return np.sin(x), np.sum(x * x)


def two_outputs_rule(inputs: Any, cts: Any, second: float = 2.0) -> Any:
    (x,) = inputs
    return (cts[0] * np.cos(x) + second * cts[1] * x,)


def sine_rule(inputs: Any, ct: Any) -> Any:
    return (ct * np.cos(inputs[0]),)


def sine_second(inputs: Any, ct: Any, u: Any, sign: float = -1.0) -> Any:
    (x,) = inputs
    return sign * u * ct * np.sin(x), u * np.cos(x)


def raising_rule(inputs: Any, ct: Any) -> Any:
    (x,) = inputs
    if (x == 0).any():
        raise ZeroDivisionError("by x")
    return (ct * np.cos(x),)


def wide_only(inputs: Any, ct: Any) -> Any:
    (x,) = inputs
    return (ct * np.where(x < -1.5, np.cos(x) + 1e-3, np.cos(x)),)


def of(rule: Callable[..., Any], *args: Any, **options: Any) -> Callable[..., Any]:
    return lambda inputs, ct: rule(inputs, ct, *args, **options)


SMALL = [Real(3, low=-2, high=2)]
PAIRS: dict[str, Pair] = {
    "softsign without the square": Pair(
        softsign, {"x": Real("n")}, lambda i, ct: (ct / (1 + np.abs(i[0])) ** 2,),
        lambda i, ct: (ct / (1 + np.abs(i[0])),), "reverse",
        true=lambda at, ct, k: ct[k] / (1 + abs(at["x"][k])) ** 2,
    ),
    "root mean square, the norm held constant": Pair(
        rms, {"x": Real("n")}, rms_rule, of(rms_rule, forget=True), "reverse",
        true=lambda at, ct, k: rms_rule([numbers(at["x"])], numbers(ct))[0][k],
    ),
    "hinge, the sign of the second input": Pair(
        hinge, [Real(3), Real(3)], hinge_rule, of(hinge_rule, sign=1.0), "reverse", "y",
        true=lambda at, ct, k: -ct[k] * at["x"][k],
    ),
    "maximum, a tie counted twice": Pair(
        np.max, [Real(3)], tied_max_rule, of(tied_max_rule, all_of_them=True), "kinks", "a",
    ),
    "product by dividing": Pair(
        lambda x: np.prod(x), SMALL, product_rule, lambda i, ct: (ct * np.prod(i[0]) / i[0],), "nonfinite",
        true=lambda at, ct, k: ct * np.prod(np.delete(at["x"], k)),
    ),
    "rows taken twice, overwritten": Pair(
        lambda table, rows: table[rows], [Real(3, 2), Integer(4, high=2)], take_rule, of(take_rule, overwrite=True),
        "reverse", "table",
        true=lambda at, ct, k: sum(ct[i][k[1]] for i, row in enumerate(at["rows"]) if row == k[0]),
    ),
    "clip, straight through": Pair(
        lambda x: np.clip(x, -1.0, 1.0), [Real(3)], clip_rule, lambda i, ct: (1.0 * ct,), "reverse",
        true=lambda at, ct, k: 0.0,
    ),
    "bias not summed": Pair(
        lambda x, b: 2 * x + b, [Real(4, 3), Real(3)], affine_rule, of(affine_rule, reduce=False), "shape", "b"
    ),
    "cotangent written to": Pair(np.sin, [Real(3)], sine_rule, in_place_rule, "mutation", ""),
    "cotangent read in memory order": Pair(np.sin, [Real(2, 3)], sine_rule, memory_order_rule, "layout", "x0"),
    "input read in memory order": Pair(np.sin, [Real(2, 3)], sine_rule, input_memory_rule, "layout", "x0"),
    "large cotangents clipped": Pair(np.sin, [Real(3)], sine_rule, clipped_cotangent_rule, "linear", "x0"),
    "ones where nothing was asked": Pair(np.sin, [Real(3)], sine_rule, nothing_asked_rule, "zero", "x0",
        true=lambda at, ct, k: 0.0),
    "addends lost at random": Pair(np.sin, [Real(3)], sine_rule, dropping_rule, "repeat", "x0"),
    "wrong at one only": Pair(
        lambda x: x**3, [Real(3)], cube_rule, of(cube_rule, at_one=0.0), "reverse",
        true=lambda at, ct, k: 3.0 * ct[k],
    ),
    "softmax without the shift": Pair(
        log_sum_exp, [Real(3)], softmax_rule, of(softmax_rule, shifted=False), "nonfinite", points=96,
        true=lambda at, ct, k: softmax_rule([numbers(at["x"])], ct)[0][k],
    ),
    "mean, wrong for two": Pair(
        lambda x: np.mean(x), {"x": Real("n")}, lambda i, ct: (np.full_like(i[0], ct) / i[0].size,), size_two_rule,
        "reverse", true=lambda at, ct, k: ct / 2,
    ),
    "one element in ten million": Pair(
        np.exp, [Real(4, low=-2, high=2)], lambda i, ct: (ct * np.exp(i[0]),), late_element_rule, "reverse", "x0",
        true=lambda at, ct, k: ct[k] * np.exp(at["x0"][k]),
    ),
    "length with a guard": Pair(
        length, SMALL, guarded_length_rule, of(guarded_length_rule, eps=1e-7), "reverse",
        true=lambda at, ct, k: ct * at["x"][k] / np.linalg.norm(at["x"]),
    ),
    "two outputs, the second halved": Pair(
        two_outputs, [Real(3)], two_outputs_rule, of(two_outputs_rule, second=1.0), "reverse",
        several=True,
        true=lambda at, ct, k: ct[0][k] * np.cos(at["x"][k]) + 2 * ct[1] * at["x"][k],
    ),
    "forward only": Pair(
        np.sin, [Real(3)], sine_rule, sine_rule, "forward", "x0",
        options={"jvp": lambda i, t: np.cos(i[0]) * t[0]}, wrong_options={"jvp": lambda i, t: np.cos(i[0]) * t[0] ** 2},
    ),
    "second order, the sign": Pair(
        lambda x: np.sin(x), [Real(3, low=-3, high=3)], sine_rule, sine_rule, "second",
        options={"order": 2, "second": sine_second},
        wrong_options={"order": 2, "second": lambda i, ct, u: sine_second(i, ct, u, sign=1.0)},
        true=lambda at, ct, k: -ct[k] * at["ct"][k] * np.sin(at["x"][k]),
    ),
    "raises at zero": Pair(np.sin, [Real(3)], sine_rule, raising_rule, "reverse", "x0"),
    "off by a thousandth in a region": Pair(
        lambda x: np.sin(x), SMALL, sine_rule, wide_only, "reverse",
        true=lambda at, ct, k: ct[k] * np.cos(at["x"][k]),
    ),
}  # fmt: skip
