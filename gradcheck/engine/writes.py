"""Which arrays were written to after the tape had saved them?

A tensor that no derivative flows through may be changed in place; the tape remembers which array that was, and when. A
backward pass that needs the old values of such an array is refused, as in PyTorch.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from gradcheck.errors import TapeError

MODIFIED = (
    "one of the variables needed for gradient computation has been modified by an inplace operation: "
    "an argument of {name}, of shape {shape}"
)


def owner(array: Any) -> Any:
    """The array whose memory `array` shows."""
    while isinstance(array, np.ndarray) and isinstance(array.base, np.ndarray):
        array = array.base
    return array


def note_write(writes: dict[int, int], array: Any, number: int) -> None:
    """Remember that `array` was written to before tensor `number` was made, for as long as its memory lives."""
    held = owner(array)
    if id(held) not in writes:
        weakref.finalize(held, writes.pop, id(held), None)
    writes[id(held)] = number


def refuse_written(writes: dict[int, int], node: Any) -> None:
    """An error where an array that `node` was computed from, or its own, was written to afterwards."""
    for array in (*node.raw, node.data):
        if isinstance(array, np.ndarray) and writes.get(id(owner(array)), -1) > node.number:
            raise TapeError(MODIFIED.format(name=node.rule.label, shape=array.shape))
