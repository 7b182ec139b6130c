"""At which arrays are the rows asked? The samples of `tests/oracles/test_namespaces.py`, and what they do not reach.

Each sample is asked as it is and in variants: of other shapes (broadcast, 0-d, empty) and of other layouts in memory.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from agreement import Layout, Question, mapped

from gradcheck.expr import VOCABULARY
from gradcheck.expr.primitive import Batching

_spec = importlib.util.spec_from_file_location(
    "samples_of_the_vocabulary", Path(__file__).parents[1] / "oracles" / "test_namespaces.py"
)
assert _spec is not None and _spec.loader is not None
samples = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(samples)
SAMPLES: Mapping[str, list[tuple[list[Any], dict[str, Any]]]] = samples.SAMPLES
LACKING: Mapping[str, set[str]] = samples.LACKING

INEXACT = {  # (library, row) -> units, and why
    ("torch", "polygamma"): (1e7, "its trigamma keeps nine digits"),
    ("torch", "digamma"): (1e7, "its slope is trigamma, of nine digits"),
    ("torch", "gammaln"): (1e7, "its second derivative is trigamma, of nine digits"),
    ("torch", "binary_cross_entropy"): (1e6, "its double backward adds 1e-12 to what it divides by"),
    ("torch", "tanhshrink"): (256, "it takes 1 - tanh(x)**2, which cancels in the tails"),
    ("torch", "mish"): (512, "it takes 1 - tanh(softplus(x))**2, which cancels to the right"),
    ("torch", "selu"): (256, "far to the left it takes its slope from the value, which is near its limit"),
    ("torch", "hard_sigmoid"): (4e8, "its backward multiplies by 1/6 in single precision, also in double"),
    ("jax", "selu"): (256, "far to the left it takes its slope from the value, which is near its limit"),
    ("jax", "mish"): (1024, "it takes 1 - tanh(softplus(x))**2, which cancels to the right"),
    # units seen, against mpmath at the samples; the engine's own were below 15 in all of them (48 for i1e near 4.5)
    ("torch", "trigamma"): (1e7, "it keeps nine digits: 2.3e6 units off; its slopes are exact"),
    ("torch", "multigammaln"): (1e7, "its second derivative is made of trigamma: 4.2e6 units off"),
    ("torch", "betaln"): (1e7, "written with lgamma, second derivatives are of trigamma: 4.6e6 units off"),
    ("torch", "beta"): (1e7, "written with lgamma, second derivatives are of trigamma: 1.6e6 units off"),
    ("torch", "binom"): (1e7, "written with lgamma, second derivatives are of trigamma: 2.2e6 units off"),
    ("torch", "i0e"): (8e3, "its slope i1e - i0e cancels in the tail: 117 units off at 31, the second slope 3.6e3"),
    ("torch", "i1e"): (8e3, "its slope i0e - i1e (1 + 1/x) cancels in the tail: 61 units off at 31, the second 3.9e3"),
    ("jax", "i1e"): (256.0, "its slope cancels in the tail, as PyTorch's does: the second one is 95 units off"),
    ("torch", "spherical_j0"): (4e4, "the slope of sinc cancels beside 0: 301 units off at 0.02, the second 1.5e4"),
    ("jax", "spherical_j0"): (4e4, "the second derivative of sinc cancels beside 0: 1.4e4 units off at 0.02"),
    ("torch", "cumulative_logsumexp"): (2e5, "its forward rule keeps eleven digits: 4460 units off where ours is 0.7"),
}

X, N, M = samples.X, samples.N, samples.M
WIDE = np.array([[0.5, -1.25, 2.0, 0.75], [1.5, 0.25, -0.5, -2.0], [0.125, 3.0, 1.0, -0.75]])
BOTH = np.array([0, 1, 1, 0, -1, -3]), np.array([0, 2, 2, 0, 3, 1])

REPEATED = [  # indices that name an element more than once, also by its negative name
    Question("getitem", [X], {"index": (np.array([0, 1, 0, -3]),)}, "repeated"),
    Question("getitem", [WIDE], {"index": BOTH}, "repeated"),
    Question("getitem", [WIDE], {"index": (slice(None), np.array([[1, 1], [0, -3]]))}, "repeated"),
    Question("getitem", [WIDE], {"index": (np.array([2, 2]), slice(None, None, 2))}, "repeated"),
    Question("getitem", [WIDE], {"index": (WIDE > 0.6,)}, "picked by truth"),
    Question("take", [X, np.array([[0, 0], [-3, 2]])], {}, "repeated"),
    Question("take", [WIDE, np.array([1, 1, -2])], {"axis": 0}, "repeated"),
    Question("scatter", [X], {"index": (np.array([1, -3, 1]),), "shape": (4,)}, "repeated"),
    Question("scatter", [np.arange(1.0, 7.0)], {"index": BOTH, "shape": (3, 4)}, "repeated"),
    Question("scatter", [WIDE[:2]], {"index": (np.array([2, 2]),), "shape": (3, 4)}, "repeated"),
]  # fmt: skip

TALL, LOW = np.zeros((0, 3)), np.zeros((2, 0))
INNER_EMPTY = [  # an axis of size 0 where the row works, not only among what it carries along
    *(Question(name, [TALL], {"axis": axis, "keepdims": keep}, "empty")
      for name in ("sum", "prod", "any", "all") for axis, keep in ((0, False), (1, True), (None, False))),
    *(Question(name, [TALL], {"axis": 1}, "empty")
      for name in ("max", "min", "mean", "var", "std", "argmax", "argmin", "norm", "logsumexp",
                   "softmax", "log_softmax")),
    *(Question(name, [TALL], {"axis": axis}, "empty")
      for name in ("cumulative_sum", "cumulative_prod", "flip") for axis in (0, 1)),
    Question("norm", [TALL], {"axis": 0}, "empty"), Question("roll", [TALL], {"shift": 1, "axis": 0}, "empty"),
    Question("reshape", [TALL], {"shape": (3, 0)}, "empty"), Question("squeeze", [TALL[None]], {"axis": 0}, "empty"),
    Question("broadcast_to", [np.ones((1,))], {"shape": (0,)}, "empty"), Question("permute_dims", [TALL], {}, "empty"),
    Question("expand_dims", [TALL], {"axis": 1}, "empty"), Question("getitem", [X], {"index": (slice(0, 0),)}, "empty"),
    Question("getitem", [X], {"index": (np.zeros(0, int),)}, "empty"),
    Question("take", [X, np.zeros(0, int)], {}, "empty"),
    Question("scatter", [np.zeros(0)], {"index": (np.zeros(0, int),), "shape": (2,)}, "empty"),
    Question("repeat", [X], {"repeats": 0}, "empty"), Question("repeat", [TALL], {"repeats": 2, "axis": 0}, "empty"),
    Question("concat", [[TALL, M]], {}, "empty"), Question("stack", [[TALL, TALL]], {}, "empty"),
    Question("matmul", [LOW, TALL], {}, "empty"), Question("matmul", [TALL, M], {}, "empty"),
    Question("matmul", [LOW, np.zeros(0)], {}, "empty"), Question("dot", [np.zeros(0), np.zeros(0)], {}, "empty"),
    Question("vecdot", [LOW, LOW], {}, "empty"), Question("outer", [np.zeros(0), X], {}, "empty"),
    *(Question(name, [np.zeros((0, 0))], {}, "empty") for name in ("trace", "diagonal", "det", "inv", "tril", "triu")),
    *(Question(name, [TALL], {}, "empty") for name in ("matrix_transpose", "tril", "triu", "diagonal", "trace")),
    Question("diag", [np.zeros(0)], {}, "empty"), Question("solve", [np.zeros((0, 0)), np.zeros(0)], {}, "empty"),
    Question("solve", [np.zeros((0, 0)), TALL], {}, "empty"), Question("solve", [M, np.zeros((3, 0))], {}, "empty"),
]  # fmt: skip
SPREAD = [  # arguments of several shapes where the samples have plain numbers
    Question("clip", [WIDE, np.array([-1.0, -0.5, 0.5, -0.25]), np.array([[1.0], [0.75], [2.5]])], {}, "broadcast"),
    Question("clip", [np.array(0.3), np.array([-1.0, 0.5, -2.0]), np.array([0.25, 1.0, 2.0])], {}, "broadcast"),
    Question("where", [WIDE > 0.6, np.array([1.0, 2.0, -3.0, 0.5]), np.array([[1.5], [0.75], [2.5]])], {}, "broadcast"),
    Question("where", [np.array(True), WIDE, np.array(2.0)], {}, "broadcast"),
    Question("matmul", [np.stack([M, M.T]), N], {}, "broadcast"),
    Question("matmul", [M, np.stack([N, -N])], {}, "broadcast"),
    Question("matmul", [np.stack([M, M.T]), X], {}, "broadcast"),
    Question("matmul", [X, np.stack([N, 2 * N])], {}, "broadcast"),
    Question("solve", [np.stack([M, M.T])[:, None], np.stack([N, 2 * N, -N])], {}, "broadcast"),
    Question("solve", [np.stack([M, M.T]), X], {}, "broadcast"),
    Question("vecdot", [N.T, np.stack([N.T, M[:2]])], {}, "broadcast"), Question("dot", [M, X], {}, "broadcast"),
]  # fmt: skip
POINT = np.array(0.75)
NO_AXES = [  # rows that take axes, of an array without any
    *(Question(name, [POINT], {}, "0-d") for name in ("sum", "mean", "max", "min", "prod", "norm", "logsumexp", "var",
                                                      "any", "all", "argmax", "argmin", "permute_dims", "flip")),
    Question("sum", [POINT], {"keepdims": True}, "0-d"), Question("max", [POINT], {"axis": ()}, "0-d"),
    Question("reshape", [POINT], {"shape": (1, 1)}, "0-d"), Question("reshape", [N[:1, :1]], {"shape": ()}, "0-d"),
    Question("broadcast_to", [POINT], {"shape": (2, 3)}, "0-d"), Question("expand_dims", [POINT], {"axis": 0}, "0-d"),
    Question("squeeze", [N[:1, :1]], {"axis": None}, "0-d"), Question("stack", [[POINT, POINT]], {}, "0-d"),
    Question("getitem", [POINT], {"index": (None,)}, "0-d"), Question("getitem", [POINT], {"index": ()}, "0-d"),
    Question("getitem", [X], {"index": (1,)}, "0-d"),
    Question("scatter", [POINT], {"index": (1,), "shape": (3,)}, "0-d"),
    Question("take", [X, np.array(1)], {}, "0-d"),
]  # fmt: skip
TABLES = (REPEATED, INNER_EMPTY, NO_AXES, SPREAD)

NO_POINTS = {"scatter": "met by rules alone, behind the batch, where its index and shape count the points already"}

NO_EMPTY = {  # nothing to compare with: PyTorch's Fourier transforms of no points raise "DFTI ERROR"
    name for name in SAMPLES if "fft" in name and "shift" not in name
}


def as_they_are(name: str) -> list[Question]:
    """The samples of a row."""
    return [Question(name, args, params) for args, params in SAMPLES[name]]


def other_shapes(asked: Question) -> Iterator[Question]:
    """A sample broadcast, without axes, empty; as points that share their memory, and as no points at all."""
    arrays: list[Any] = []
    mapped(arrays.append, asked.args)
    if not arrays:
        return
    if VOCABULARY[asked.name].batching is Batching.ELEMENTWISE:
        yield asked.changed(last, "0-d")
        yield asked.changed(lambda a: np.zeros(0, a.dtype), "empty")
        if len(arrays) > 1:
            yield from broadcasts(asked, np.broadcast_shapes(*(a.shape for a in arrays)), len(arrays))
    if asked.name not in NO_POINTS:
        yield asked.changed(lambda a: np.broadcast_to(a, (2, *a.shape)), "points of stride 0", points=True)
        if asked.name not in NO_EMPTY:
            yield asked.changed(lambda a: np.zeros((0, *a.shape), a.dtype), "no points", points=True)


def broadcasts(asked: Question, shape: tuple[int, ...], count: int) -> Iterator[Question]:
    """Every array along an axis of its own; axes of size 1 and 0; each array in turn without axes."""

    def doubled(a: Any, i: int) -> Any:
        return np.stack([np.broadcast_to(a, shape)] * 2) if i else a[None]

    def emptied(a: Any, i: int) -> Any:
        return np.full((3, 1), last(a)) if i else np.zeros((1, 0), a.dtype)

    yield asked.changed(numbered(lambda a, i: a.reshape(-1, *(1,) * i)), "broadcast: axes of their own")
    yield asked.changed(numbered(doubled), "broadcast: an axis of size 1")
    yield asked.changed(numbered(emptied), "broadcast: an axis of size 0")
    for single in range(count):
        yield asked.changed(numbered(lambda a, i, k=single: last(a) if i == k else a), f"broadcast: 0-d [{single}]")


def last(array: Any) -> Any:
    """The last element, as an array without axes."""
    return array.reshape(-1)[-1:].reshape(())


def numbered(change: Callable[..., Any]) -> Layout:
    """A change that is told which array it is given."""
    count = iter(range(99))
    return lambda a: change(a, next(count))


def strided(array: Any) -> Any:
    """The same numbers with others, which nobody may read, between them in memory."""
    if not array.ndim:
        return array.copy()
    wide = np.full([2 * n for n in array.shape], np.nan, array.dtype)
    view = wide[(slice(None, None, 2),) * array.ndim]
    view[...] = array
    return view


def transposed(array: Any) -> Any:
    return np.array(array.T, order="C").T


def backwards(array: Any) -> Any:
    return np.flip(np.array(np.flip(array), order="C"))


LAYOUTS: Mapping[str, Layout] = {"strided": strided, "transposed": transposed, "negative strides": backwards}
