"""Who tells the digits of code that cannot be run with hundreds of bits? A NumPy twin of its function, if there is one.

The twin is asked on arrays of precise numbers only, and is heard, like the code itself would be, after its slopes have
agreed with the code's own at ordinary points (`run/check/hearing.py`). All other questions go to the code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.oracles.blackbox.asked import Array, Inputs, Subject, real_outputs
from gradcheck.oracles.blackbox.precise_numbers import power_of_two
from gradcheck.spec.trees import leaves

STEP = 130  # the twin's slopes are differences over 2**-STEP: they keep 130 digits after they are differenced once more


@dataclass
class Twinned:
    """A subject with a NumPy twin of its function: twin(*inputs) is what the function gives, on object arrays too."""

    code: Subject
    twin: Callable[..., Any]

    moving: tuple[int, ...] = field(init=False)
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.moving, self.name = self.code.moving, self.code.name

    def value(self, inputs: Inputs) -> tuple[Array, ...]:
        """All outputs: the twin's for precise numbers, the code's for others."""
        return self._twin(inputs) if _precise(inputs) else self.code.value(inputs)

    def vjp(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """The gradients: differences of the twin for precise numbers (for second order), the code's for others."""
        if not _precise(inputs):
            return self.code.vjp(inputs, cotangents)
        return tuple(self._slopes(inputs, cotangents, k) if k in self.moving else None for k in range(len(inputs)))

    def jvp(self, inputs: Inputs, tangents: Sequence[Array]) -> tuple[Array, ...] | None:
        """The code's."""
        return self.code.jvp(inputs, tangents)

    def __getattr__(self, what: str) -> Any:
        if what == "code":  # while it is copied or unpickled there is none yet
            raise AttributeError(what)
        return getattr(self.code, what)

    def _twin(self, inputs: Inputs) -> tuple[Array, ...]:
        with np.errstate(all="ignore"):
            return real_outputs([np.asarray(v) for v in leaves(self.twin(*inputs))])

    def _slopes(self, inputs: Inputs, cotangents: Sequence[Array], k: int) -> Array:
        x = inputs[k]
        found = np.empty(x.shape, dtype=object)
        for index in np.ndindex(x.shape):
            size = abs(float(x[index]))
            step = power_of_two((math.frexp(size)[1] if size > 0 else 0) - STEP)
            up, down = (self._paired(inputs, cotangents, k, index, sign * step) for sign in (1, -1))
            found[index] = (up - down) / (2 * step)
        return found

    def _paired(self, inputs: Inputs, cotangents: Sequence[Array], k: int, index: tuple[int, ...], step: Any) -> Any:
        """<cotangents, outputs> with one element moved."""
        moved = list(inputs)
        moved[k] = moved[k].copy()
        moved[k][index] = moved[k][index] + step
        total = power_of_two(0) * 0
        for output, ct in zip(self._twin(moved), cotangents, strict=True):
            for one, weight in zip(np.ravel(output), np.ravel(ct), strict=True):
                total = total + one * weight
        return total


def _precise(inputs: Inputs) -> bool:
    return any(np.asarray(x).dtype == object for x in inputs)
