"""What does the adjoint identity compare? <vjp(ct), t> with <ct, jvp(t)>, each with its bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from gradcheck.judge.compare import Array
from gradcheck.oracles.evidence import Measured


def paired(measured: Measured, direction: Array) -> tuple[Array, Array]:
    """An answer against a direction of its shape (B, *shape): numbers and bars, (B,)."""
    rows = len(direction)
    with np.errstate(all="ignore"):
        terms = (measured.center * direction).reshape(rows, -1)
        unsaid = np.isnan(measured.center) & np.isinf(measured.bar)  # what nobody said pairs with nothing, not even 0
        bars = np.where(direction == 0, 0.0, measured.bar * np.abs(direction)).reshape(rows, -1)
        rounding = (terms.shape[1] + 1) * 2.0**-53 * np.abs(terms).sum(axis=1)
    open_ = unsaid.reshape(rows, -1).any(axis=1)
    return terms.sum(axis=1), np.where(open_, np.inf, bars.sum(axis=1) + rounding)


def paired_losses(
    said: Mapping[str, Measured], names: Mapping[str, str], directions: Mapping[str, Array]
) -> Array | None:
    """What rounding may lose of a pairing: what it may lose of its parts."""
    total = np.zeros(1)
    for k, direction in directions.items():
        measured = said[names[k]]
        if measured.loss is None:
            return None
        total = total + paired(replace(measured, bar=measured.loss), direction)[1]
    return total
