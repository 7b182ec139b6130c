"""What do formulas say that the gradient is? Their numbers at a point, enclosed in balls: with bars that are proofs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.errors import Unsupported
from gradcheck.expr import NUMPY, Batch, Batched, Control, Program
from gradcheck.oracles.balls.flint_library import Undecided, balls, precision
from gradcheck.oracles.balls.vocabulary import BALLS
from gradcheck.oracles.blackbox.asked import Array, BadAnswer, Inputs
from gradcheck.oracles.certified import PRECISIONS
from gradcheck.oracles.inquiry import spread

NARROW = 2.0**-60  # relative width from which on more bits would change no float64 number
_middle: Any = np.frompyfunc(lambda ball: float(ball.mid()), 1, 1)
_radius: Any = np.frompyfunc(lambda ball: float(ball.rad()), 1, 1)


@dataclass
class Formulas:
    """Gradients as formulas of the inputs' names, of `ct` (`ct_0`, `ct_1` … for several outputs), and of dimensions.

    programs: by input; scaled: the formulas are gradients of one number, to be multiplied by its cotangent;
    dimensions: name -> (input, axis) where its size is read.
    """

    value_of: Callable[[Inputs], tuple[Array, ...]]
    programs: Mapping[int, Program]
    names: Sequence[str]
    moving: tuple[int, ...]
    scaled: bool
    dimensions: Mapping[str, tuple[int, int]]
    name: str = "the formula"

    def value(self, inputs: Inputs) -> tuple[Array, ...]:
        """The outputs of the code beside which the formulas stand."""
        return self.value_of(inputs)

    def vjp(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """The formulas' numbers, rounded."""
        return self.enclosed(inputs, cotangents)[0]

    def jvp(self, inputs: Inputs, tangents: Sequence[Array]) -> tuple[Array, ...] | None:
        """There is none."""
        return None

    def enclosed(
        self, inputs: Inputs, cotangents: Sequence[Array]
    ) -> tuple[tuple[Array | None, ...], tuple[Array | None, ...]]:
        """(center, bar) of the gradient by each input; bar is 0 where the language has no enclosure of a function."""
        arrays = dict(zip(self.names, map(np.asarray, inputs), strict=True)) | _named(cotangents)
        sizes = {n: np.shape(inputs[k])[axis] for n, (k, axis) in self.dimensions.items()}
        centers: list[Array | None] = [None] * len(inputs)
        bars: list[Array | None] = [None] * len(inputs)
        for k, program in self.programs.items():
            center, bar = _evaluated(program, arrays, sizes)
            if self.scaled:
                center, bar = cotangents[0] * center, np.abs(cotangents[0]) * bar
            centers[k], bars[k] = (_shaped(a, np.shape(inputs[k]), self.names[k]) for a in (center, bar))
        return tuple(centers), tuple(bars)


def _named(cotangents: Sequence[Array]) -> dict[str, Array]:
    if len(cotangents) == 1:
        return {"ct": np.asarray(cotangents[0], dtype=float)}
    return {f"ct_{k}": np.asarray(c, dtype=float) for k, c in enumerate(cotangents)}


def _shaped(a: Array, shape: tuple[int, ...], name: str) -> Array:
    try:
        return np.broadcast_to(a, shape)
    except ValueError:
        raise BadAnswer(f"the formula for {name} has shape {a.shape}, the input {shape}") from None


def _evaluated(program: Program, arrays: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[Array, Array]:
    """One formula at one point: its numbers and how far they may be off."""
    try:
        for bits in PRECISIONS:
            with precision(bits):
                try:
                    found = _run(program, BALLS, arrays, sizes)
                except Undecided:
                    continue
            center, bar = np.asarray(_middle(found), dtype=float), np.asarray(_radius(found), dtype=float)
            if (bar <= NARROW * np.abs(center)).all() or bits == PRECISIONS[-1]:
                return center, bar + 2.0**-53 * np.abs(center)
    except Unsupported:
        pass  # a function without an enclosure: plain numbers then, whose rounding the judge allows for
    with np.errstate(all="ignore"):
        center = np.asarray(_run(program, NUMPY, arrays, sizes), dtype=float)
    return center, np.zeros(center.shape)


def _run(program: Program, base: Any, arrays: Mapping[str, Array], sizes: Mapping[str, int]) -> Any:
    exact = base is BALLS
    env: dict[str, Any] = {
        n: Batched(balls(a[None]) if exact and a.dtype.kind == "f" else a[None]) for n, a in arrays.items()
    }
    found = spread(base, program(Batch(base), {**env, **sizes}, Control(guard=False)), 1)
    return (balls(found) if exact else found)[0, ...]
