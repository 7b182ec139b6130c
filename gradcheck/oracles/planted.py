"""Would the harness notice a lying witness? Liars made from an honest one, for testing the tester.

Each liar is one corruption of honest answers. They are asked for by name (`--witness planted:zeros`) and must be
blamed; a liar that is not noticed is a hole in the judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from gradcheck.oracles import engine
from gradcheck.oracles.evidence import Array, Measured
from gradcheck.oracles.inquiry import Inquiry

Lie = Callable[[Array], Array]


def _transposed(g: Array) -> Array:
    """Backwards along the last axis, or transposed where that keeps the shape."""
    if g.ndim >= 3 and g.shape[-1] == g.shape[-2]:
        return np.swapaxes(g, -1, -2)
    return g[..., ::-1] if g.ndim > 1 else -g


def _unreduced(g: Array) -> Array:
    """A gradient that kept an axis it should have summed over."""
    return np.repeat(g[:, None, ...], 2, axis=1)


def _raises(g: Array) -> Array:
    raise RuntimeError("this witness was planted to raise")


LIES: Mapping[str, Lie] = {
    "zeros": np.zeros_like,
    "scaled": lambda g: 1.0001 * g,
    "sign": np.negative,
    "transposed": _transposed,
    "unreduced": _unreduced,
    "stale": lambda g: 2 * g,  # accumulated onto an old gradient
    "nan": lambda g: np.full_like(g, np.nan),
    "raises": _raises,
}


def testify(inquiry: Inquiry, lie: str) -> dict[str, Measured]:
    """The engine's answers with every derivative corrupted; "mutates" writes into its inputs instead."""
    if lie == "mutates":
        for array in inquiry.case.inputs.values():
            array[...] = 0.0  # raises: the arrays of a case are read-only
    honest = engine.testify(inquiry)
    return {name: m if name.startswith("value") else _corrupt(m, LIES[lie]) for name, m in honest.items()}


def _corrupt(measured: Measured, lie: Lie) -> Measured:
    center = lie(measured.center)
    bar = measured.bar if center.shape == measured.bar.shape else np.zeros_like(center)
    return replace(measured, center=center, bar=bar)
