"""What is put to the witnesses? A batch of points of one shape, with cotangents and tangents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradcheck.spec.model import Spec

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """B points of one shape. All arrays are read-only.

    inputs: name -> (B, *shape); cotangents: output -> (B, *output shape); tangents: moving input -> (B, *shape).
    origins: where each point came from: "example", "landmark", "drawn" or "given".
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

    @property
    def points(self) -> int:
        """How many points the batch holds."""
        return len(self.origins)
