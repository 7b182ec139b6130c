"""How does a caller say, in Python, what a function's inputs may be? Declared domains, example arrays, or a sampler."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gradcheck.errors import ExpressionError, UsageError
from gradcheck.spec.domains import parse_condition
from gradcheck.spec.model import Domain

Array = NDArray[Any]
Sampler = Callable[[Generator], Sequence[Any]]
Dimension = str | int
EVERYWHERE = (-math.inf, math.inf)
PARTS = {"complex128": "float64", "complex64": "float32"}
AROUND = 0.5  # numbers are drawn around an example's by up to this share of their spread


@dataclass(frozen=True, slots=True)
class Given:
    """One input as its caller declares it.

    shape: named and fixed dimensions. domain: the limits, which no point but those outside on purpose ever leaves.
    usual: where numbers are mostly drawn; `EVERYWHERE` for no wish. last: a dimension's name whose last index is the
    largest integer. marks: numbers seen in an example, planted as landmarks. held: numbers that the
    code under test holds, without signs. paired: the last axis, of 2, holds
    the real and the imaginary parts of complex numbers.
    """

    shape: tuple[Dimension, ...]
    domain: Domain
    usual: tuple[float, float] = EVERYWHERE
    dtype: str = "float64"
    differentiable: bool = True
    last: str = ""
    name: str = ""
    marks: tuple[float, ...] = ()
    held: tuple[float, ...] = ()
    paired: bool = False

    @property
    def whole(self) -> bool:
        """Whether its numbers are integers or truth values."""
        return self.domain.kind in ("integer", "boolean")


def Real(
    *shape: Dimension, low: float = -math.inf, high: float = math.inf, usual: tuple[float, float] | None = None,
    differentiable: bool = True, dtype: str = "float64", log: bool = False,
) -> Given:  # fmt: skip
    """Real numbers, ends included. usual: where they mostly lie, where the limits do not say it.

    log: spread evenly over the powers of ten between two ends above 0.
    """
    box = Domain(low=low, high=high, low_open=math.isinf(low), high_open=math.isinf(high), text=_text(low, high))
    if not low < high:
        raise UsageError(f"Real: no number lies between low = {low:g} and high = {high:g}")
    if usual is not None and not low <= usual[0] < usual[1] <= high:
        raise UsageError(f"Real: usual = {usual} is not an interval inside [{low:g}, {high:g}]")
    if log and not (low > 0 and high < math.inf and usual is None):
        raise UsageError("Real: log = True needs 0 < low, a finite high, and no usual")
    return Given(_shape(shape), replace(box, log=log), usual or EVERYWHERE, dtype, differentiable)


def Complex(
    *shape: Dimension, usual: tuple[float, float] | None = None, differentiable: bool = True, dtype: str = "complex128",
    region: str = "",
) -> Given:  # fmt: skip
    """Complex numbers. usual: where their real and imaginary parts mostly lie.

    region: a condition on `re` and `im` that each of them meets: "re > 0", "re**2 + im**2 < 4", "re > 0 or im != 0".
    """
    if dtype not in ("complex128", "complex64"):
        raise UsageError(f"Complex: the dtype is complex128 or complex64, not {dtype!r}")
    parts = Real(*shape, 2, usual=usual, differentiable=differentiable, dtype=PARTS[dtype])
    if not region:
        return replace(parts, paired=True)
    try:
        predicate = parse_condition(region, ("re", "im"))
    except ExpressionError as error:
        raise UsageError(f"Complex: region, column {error.column}: {error}") from None
    return replace(parts, paired=True, domain=replace(parts.domain, predicate=predicate, text=region))


def Integer(*shape: Dimension, low: int = 0, high: int | str = 9) -> Given:
    """Integers from low to high, both included; high = "n" means the last index of the dimension n. Never moved."""
    last = high if isinstance(high, str) else ""
    end = math.inf if isinstance(high, str) else float(high)
    if low > end:
        raise UsageError(f"Integer: no integer lies between low = {low} and high = {high}")
    domain = Domain("integer", float(low), end, False, math.isinf(end), text=f"integer from {low} to {high}")
    return Given(_shape(shape), domain, dtype="int64", differentiable=False, last=last)


def Boolean(*shape: Dimension) -> Given:
    """True or False, never moved."""
    return Given(_shape(shape), Domain("boolean", text="boolean"), dtype="bool", differentiable=False)


def SPD(size: Dimension, differentiable: bool = True, condition: float = 0.0) -> Given:
    """Symmetric positive definite matrices (size × size); moved in symmetric directions only.

    condition: how many times the eigenvalues are apart at most, and exactly in every other draw (0: as it comes).
    """
    if condition and not 1 <= condition < math.inf:
        raise UsageError(f"SPD: a condition number is at least 1, not {condition:g}")
    found = _structured("spd", (size, size), differentiable)
    return replace(found, domain=replace(found.domain, condition=condition))


def Symmetric(size: Dimension, differentiable: bool = True) -> Given:
    """Symmetric matrices (size × size); moved in symmetric directions only."""
    return _structured("symmetric", (size, size), differentiable)


def Triangular(size: Dimension, differentiable: bool = True) -> Given:
    """Lower triangular matrices with a positive diagonal; moved in their lower triangle only."""
    return _structured("triangular", (size, size), differentiable)


def Simplex(*shape: Dimension, differentiable: bool = True) -> Given:
    """Positive numbers that sum to 1 along the last axis; moved along that plane only."""
    return _structured("simplex", _shape(shape), differentiable)


def Sphere(*shape: Dimension, differentiable: bool = True) -> Given:
    """Vectors of length 1 along the last axis; moved in every direction, so the function has a value around them."""
    return _structured("sphere", _shape(shape), differentiable)


def Orthogonal(size: Dimension, differentiable: bool = True) -> Given:
    """Orthogonal matrices (size × size); moved in every direction, so the function has a value around them."""
    return _structured("orthogonal", (size, size), differentiable)


def Sorted(*shape: Dimension, differentiable: bool = True) -> Given:
    """Numbers that rise along the last axis; each is moved for itself."""
    return _structured("sorted", _shape(shape), differentiable)


def Permutation(*shape: Dimension) -> Given:
    """The integers 0 to n - 1 in any order along the last axis, of size n. Never moved."""
    return replace(_structured("permutation", _shape(shape), False), dtype="int64")


def declared(inputs: Any, names: Sequence[str]) -> tuple[Given, ...] | Sampler:
    """The inputs of a function in the order of its arguments, named; or the sampler that was given.

    inputs: a mapping by name, a sequence by position, or a function rng -> inputs; an entry is a `Given` or an example
    array. names: the names of the function's arguments ("" where they cannot be read).
    """
    if callable(inputs):
        return inputs  # type: ignore[no-any-return]  # a function rng -> inputs, as said
    if isinstance(inputs, Mapping):
        unknown = [n for n in inputs if names and n not in names]
        if unknown:
            raise UsageError(f"the function has no argument {unknown[0]!r}; it has {', '.join(names)}")
        order = [n for n in names if n in inputs] or list(inputs)
        return tuple(_entry(n, inputs[n]) for n in order)
    if not isinstance(inputs, list | tuple) or not inputs:
        raise UsageError("inputs: a mapping by name, a sequence by position, or a function rng -> inputs is expected")
    found = [n for n in names if n][: len(inputs)]
    called = found if len(found) == len(inputs) else [f"x{k}" for k in range(len(inputs))]
    return tuple(_entry(n, entry) for n, entry in zip(called, inputs, strict=True))


def example_of(name: str, value: Any) -> Given:
    """What an example array tells: its shape and type, its numbers as landmarks, and about where to draw."""
    array = np.asarray(value)
    if array.dtype.kind == "c":
        return replace(example_of(name, np.stack([array.real, array.imag], axis=-1)), paired=True)
    if array.dtype.kind not in "fiub":
        raise UsageError(f"input {name!r}: an array of numbers or truth values is expected")
    if array.dtype.kind == "b":
        return replace(Boolean(*array.shape), name=name)
    low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 1.0)
    if array.dtype.kind in "iu":
        return replace(Integer(*array.shape, low=int(low), high=int(high)), name=name, dtype=str(array.dtype))
    margin = AROUND * (high - low) or AROUND * abs(high) or 1.0
    marks = tuple(dict.fromkeys(float(v) for v in array.reshape(-1)[:8]))
    around = (low - margin, high + margin)
    return replace(Real(*array.shape, usual=around, dtype=str(array.dtype)), name=name, marks=marks)


def dimensions(givens: Sequence[Given]) -> tuple[str, ...]:
    """The names of the dimensions, in the order written."""
    return tuple(dict.fromkeys(d for g in givens for d in g.shape if isinstance(d, str)))


def settled(given: Given, sizes: Mapping[str, int]) -> Given:
    """The same input at fixed sizes."""
    shape = tuple(sizes[d] if isinstance(d, str) else d for d in given.shape)
    if not given.last:
        return replace(given, shape=shape)
    if given.last not in sizes:
        raise UsageError(f"input {given.name!r}: high = {given.last!r} is no dimension of the inputs")
    domain = replace(given.domain, high=float(sizes[given.last] - 1), high_open=False)
    return replace(given, shape=shape, domain=domain)


def _entry(name: str, entry: Any) -> Given:
    return replace(entry, name=name) if isinstance(entry, Given) else example_of(name, entry)


def _structured(kind: str, shape: tuple[Dimension, ...], differentiable: bool) -> Given:
    return Given(_shape(shape), Domain(kind, text=kind), differentiable=differentiable)


def _shape(shape: Sequence[Dimension]) -> tuple[Dimension, ...]:
    for d in shape:
        if not isinstance(d, str | int) or (isinstance(d, int) and d < 0):
            raise UsageError(f"a dimension is a name or a size that is not negative, not {d!r}")
    return tuple(shape)


def _text(low: float, high: float) -> str:
    left = "(-inf" if math.isinf(low) else f"[{low:g}"
    right = "inf)" if math.isinf(high) else f"{high:g}]"
    return "real" if math.isinf(low) and math.isinf(high) else f"{left}, {right}"
