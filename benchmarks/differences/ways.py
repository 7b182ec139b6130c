"""How does each library answer 'what is the derivative here, and how far may it be off', as its own users would ask?

Every way gets a function that counts the points it is asked for, and gives centers, bars and counts, one a point.
Where a library has no answer (it raised, or says nan) center and bar are nan. Peers take no domain; they meet nan
outside it. All else is left as each library has it by default.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.differences.functions import Array, Row
from benchmarks.differences.namespaces import FLOAT64
from gradcheck.oracles.ladder.climb import slopes


@dataclass(frozen=True)
class Answers:
    center: Array
    bar: Array
    evaluations: Array


class Counted:
    """A function of the benchmark in float64; `count` is how many points it was evaluated at."""

    def __init__(self, row: Row) -> None:
        self.row, self.count = row, 0

    def __call__(self, x: Any) -> Any:
        x = np.asarray(x, dtype=float)
        self.count += x.size
        found = self.row.value(FLOAT64, x)
        return found if x.ndim else float(found)


def ours(row: Row, x: Array) -> Answers:
    """As `gradcheck.oracles.differences` asks for the elements of an input: the whole batch at once."""
    f = Counted(row)
    per_point = np.zeros(len(x))

    def g(rows: Any, t: Array) -> Array:
        np.add.at(per_point, rows, 1)
        return np.asarray(f(x[rows] + t))[:, None]

    size = np.abs(x)
    width = row.high - row.low
    wide = np.full(len(x), width / 4 if np.isfinite(width) else float(np.median(size)))
    found = slopes(g, x, size, x - row.low, row.high - x, 0, wide=wide)
    assert per_point.sum() == f.count == found.evaluations
    bar = np.where(np.isfinite(found.bar[:, 0]), found.bar[:, 0], np.nan)
    return Answers(np.where(np.isnan(bar), np.nan, found.center[:, 0]), bar, per_point)


def _one_by_one(row: Row, x: Array, ask: Callable[[Counted, float], tuple[Any, Any]]) -> Answers:
    center, bar, count = (np.full(len(x), np.nan) for _ in range(3))
    for k, at in enumerate(x):
        f = Counted(row)
        with suppress(ValueError, ArithmeticError, IndexError, np.linalg.LinAlgError):  # no answer: nan
            center[k], bar[k] = ask(f, float(at))
        count[k] = f.count
    usable = np.isfinite(center) & np.isfinite(bar)
    return Answers(np.where(usable, center, np.nan), np.where(usable, bar, np.nan), count)


def in_numdifftools(row: Row, x: Array) -> Answers:
    import numdifftools

    def ask(f: Counted, at: float) -> tuple[Any, Any]:
        found = numdifftools.Derivative(f, full_output=True)(at)
        return found.estimate, found.error_estimate

    return _one_by_one(row, x, ask)


def in_jacobi(row: Row, x: Array) -> Answers:
    import jacobi

    return _one_by_one(row, x, lambda f, at: jacobi.jacobi(f, at))


def in_scipy(row: Row, x: Array, step: float | None = None) -> Answers:
    from scipy.differentiate import derivative

    def ask(f: Counted, at: float) -> tuple[Any, Any]:
        options = {} if step is None else {"initial_step": step * abs(at)}
        found = derivative(f, at, **options)
        return found.df, found.error

    return _one_by_one(row, x, ask)


WAYS: dict[str, Callable[[Row, Array], Answers]] = {
    "gradcheck": ours,
    "jacobi": in_jacobi,
    "numdifftools": in_numdifftools,
    "scipy": in_scipy,
    "scipy, step |x|/8": lambda row, x: in_scipy(row, x, 0.125),
}


def missing() -> list[str]:
    """The peers that are not installed."""
    return [name for name in WAYS if name != "gradcheck" and not find_spec(name.partition(",")[0])]


def asked(name: str, row: Row, x: Array) -> Answers:
    """What one way says; warnings of a library on its way are its own business."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return WAYS[name](row, x)
