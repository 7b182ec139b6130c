"""How does a number that was seen stand in its caller's own arrays? Complex numbers are pairs only in judgements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.judge.cells import Seen
from gradcheck.report.naming import Code

STEPS = ("along", "between", "pushed", "paired")  # ways whose further arrays are numbers of the inputs, by name
PARTS = {"real": "real", "imag": "imaginary"}


@dataclass(frozen=True, slots=True)
class AsCalled:
    """The arrays of a call with complex numbers where it takes them; part: of a complex gradient, "real" or "imag"."""

    inputs: Mapping[str, Any]
    cotangents: list[Any]
    beside: Mapping[str, Any]
    index: tuple[int, ...]
    part: str

    def place(self, seen: Seen) -> str:
        """What the numbers are of."""
        if not self.part:
            return seen.place
        return f"{seen.input}{list(self.index) or ''}, its {PARTS[self.part]} part"


def as_called(code: Code, seen: Seen) -> AsCalled:
    """The same numbers in the arrays of the caller's own calls."""
    complex_inputs, kinds = set(code.complex_inputs), code.learnt.complex_outputs
    if "second" in seen.way:  # the function is (inputs, ct) -> gradients
        names = list(seen.inputs)
        complex_inputs |= {"ct"} if kinds and kinds[0] else set()
        kinds = tuple(names[k] in code.complex_inputs for k in code.moving)
    cotangents = list(seen.cotangent) if seen.several else [seen.cotangent]
    kinds = kinds or (False,) * len(cotangents)
    paired = seen.input in complex_inputs and bool(seen.index) and seen.way != "pushed"
    return AsCalled(
        {n: _joined(x) if n in complex_inputs else x for n, x in seen.inputs.items()},
        [_joined(c) if k else c for c, k in zip(cotangents, kinds, strict=True)],
        {n: _joined(v) if n in complex_inputs and seen.way in STEPS else v for n, v in seen.beside.items()},
        seen.index[:-1] if paired else seen.index,
        ("real", "imag")[seen.index[-1]] if paired else "",
    )


def _joined(nested: Any) -> Any:
    pairs = np.asarray(nested, dtype=float)
    return (pairs[..., 0] + 1j * pairs[..., 1]).tolist()
