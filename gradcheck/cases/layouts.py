"""How do the numbers lie in memory? Some points are given to the code under test as views, with the same numbers.

A layout says nothing to formulas, and each is given only where it fits: stride 0 where the numbers repeat, one array
for two inputs where they are equal, minus zeros where the function does not tell them from zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gradcheck.spec.case import Layout
from gradcheck.spec.model import Spec

Array = NDArray[np.float64]
Values = Callable[[Mapping[str, Array]], Mapping[str, Array]]  # the function at a batch of inputs
VIEWS = ("gaps", "turned", "offset", "transposed")
ORDINARY = 2  # of the ordinary points, so many have one view among them
FITTING = 2  # of the planted points at which a rarer layout fits, so many have one that is given it


def layouts_of(
    spec: Spec, inputs: Mapping[str, Array], cotangents: Mapping[str, Array], origins: Sequence[str], values: Values
) -> tuple[Layout | None, ...]:
    """One layout, or None, for each point."""
    named = dict(inputs) | {_ct(o, spec): ct for o, ct in cotangents.items()}
    found: list[Layout | None] = [None] * len(origins)
    ordinary = [row for row, origin in enumerate(origins) if origin in ("drawn", "sweep")]
    for rows, layouts in [
        (ordinary, _views(named)),
        (range(len(origins)), [Layout("expanded", (name,)) for name, x in named.items() if x.ndim > 1]),
        (range(len(origins)), [Layout("same", pair) for pair in _pairs(inputs)]),
        (range(len(origins)), [Layout("minus zero", (i.name,)) for i in spec.inputs if i.domain.kind == "real"]),
    ]:
        for turn, layout in enumerate(layouts):
            fitting = _fits(layout, named, values)
            if layout.kind in VIEWS:
                _given(found, [r for r in rows if fitting[r]][turn :: len(layouts)], layout, ORDINARY)
            else:
                _given(found, [r for r in rows if fitting[r]], layout, FITTING)
    return tuple(found)


def _given(found: list[Layout | None], rows: Sequence[int], layout: Layout, every: int) -> None:
    free = [row for row in rows if found[row] is None]
    for row in free[every - 1 :: every]:
        found[row] = layout


def _views(named: Mapping[str, Array]) -> list[Layout]:
    return [Layout(kind, (n,)) for kind in VIEWS for n, x in named.items() if _viewed(kind, x)]


def _viewed(kind: str, x: Array) -> bool:
    """Whether a view of this kind differs from a plain array."""
    shape = x.shape[1:]
    return sum(n > 1 for n in shape) > 1 if kind == "transposed" else bool(shape) and max(shape) > 1


def _pairs(inputs: Mapping[str, Array]) -> Iterator[tuple[str, str]]:
    names = list(inputs)
    for k, one in enumerate(names):
        yield from ((one, other) for other in names[k + 1 :] if inputs[one].shape == inputs[other].shape)


def _fits(layout: Layout, named: Mapping[str, Array], values: Values) -> NDArray[np.bool_]:
    """At which points (B,) a layout can be given."""
    first = named[layout.names[0]]
    if layout.kind == "expanded":
        return _all(first == first[:, :1]) if first.shape[1] > 1 else np.zeros(len(first), dtype=bool)
    if layout.kind == "same":
        return _all(first == named[layout.names[1]])
    if layout.kind == "minus zero":
        return _blind_to_signs(layout.names[0], named, values)
    return np.ones(len(first), dtype=bool)


def _blind_to_signs(name: str, named: Mapping[str, Array], values: Values) -> NDArray[np.bool_]:
    """Where an input holds zeros and the function has the same value with minus zeros there (an arctangent has not)."""
    x = named[name]
    zeros = ~_all(x != 0)
    if zeros.any():
        here, there = (values({**named, name: y}) for y in (x, np.where(x == 0, -0.0, x)))
        for output, value in here.items():
            zeros &= _all((value == there[output]) & np.isfinite(value))
    return zeros


def _all(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(mask.reshape(len(mask), -1).all(axis=1))


def _ct(output: str, spec: Spec) -> str:
    return "ct" if len(spec.outputs) == 1 else f"ct_{output}"
