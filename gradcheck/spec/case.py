"""What is put to the witnesses? A batch of points of one shape, with cotangents and tangents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradcheck.spec.model import Spec

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Layout:
    """How numbers lie in memory where code under test is given them; its kinds are the keys of `LAYOUTS`.

    names: the inputs, or "ct" or "ct_<output>" for a cotangent.
    """

    kind: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        """In words: "x given as a transposed view"."""
        return f"{' and '.join(self.names)} given {LAYOUTS[self.kind]}"

    def written(self) -> str:
        """As it is kept in a file: "transposed: x"."""
        return f"{self.kind}: {' '.join(self.names)}"


def read_layout(text: str) -> Layout | None:
    """The layout that was written so; None of an empty text, and of a kind that there is not any more."""
    kind, _, names = text.partition(":")
    return Layout(kind, tuple(names.split())) if kind in LAYOUTS else None


LAYOUTS: Mapping[str, str] = {
    "gaps": "as every second number of a longer array",
    "turned": "with a negative stride",
    "transposed": "as a transposed view",
    "offset": "as the end of a longer array",
    "expanded": "with stride 0",
    "same": "as one array",
    "minus zero": "with minus zeros",
}


@dataclass(frozen=True, slots=True)
class Case:
    """B points of one shape. All arrays are read-only.

    inputs: name -> (B, *shape); cotangents: output -> (B, *output shape); tangents: moving input -> (B, *shape).
    origins: where each point came from: "example", "landmark", "sweep", "drawn", "jump", "worst", "given" or "uniform".
    layouts: how each point's numbers are given to the code under test, None for plainly; () for all plainly.
    rejected: how many drawn points missed the domain. dtype: what frameworks and implementations compute in; all
    numbers are numbers of that dtype, held as float64.
    """

    spec: Spec
    sizes: Mapping[str, int]
    inputs: Mapping[str, Array]
    cotangents: Mapping[str, Array]
    tangents: Mapping[str, Array]
    origins: tuple[str, ...]
    seed: int
    rejected: int = 0
    dtype: str = "float64"
    layouts: tuple[Layout | None, ...] = ()

    def layout(self, row: int) -> Layout | None:
        """How the numbers of one point are given to the code under test."""
        return self.layouts[row] if self.layouts else None

    @property
    def points(self) -> int:
        """How many points the batch holds."""
        return len(self.origins)
