"""How are many points asked at once? In one batched call where the door has one that gives what single calls give.

A batch is an economy, never a witness: some of its points are always asked singly too, and what is in a batch that
gives other numbers is asked one by one. After some such, and where a batch raises or is not offered, everything is.
Whether `vmap` itself is right is the question of a cell of its own (`run/check_batch.py`), and whoever is accused is
measured by single calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gradcheck.oracles.blackbox import Asked, Inputs

Array = NDArray[np.float64]
FEWEST = 16  # points that are worth a batch
TRIED = (2, 4)  # points of every batch that are asked singly too: of a short one, and of one of …
LONG = 100  # … so many points
PATIENCE = 3  # batches of other numbers: sums that cancel may differ, a wrong batching rule does so every time
SAME = 2.0**-40  # of the largest output: batched kernels may add up in another order


def values_at(
    asked: Asked, count: int, outputs: int, single: Callable[[int], Inputs],
    stacked: Callable[[], Sequence[Array]] | None,
) -> Array:  # fmt: skip
    """All outputs at `count` points, in rows (count, outputs); NaN where there are none, or others.

    single: the inputs of one point. stacked: those of all points, each input with the points as its first axis; None
    where they are to be asked one by one.
    """
    if stacked is not None and count >= FEWEST and asked.distrust < PATIENCE and asked.offers("values"):
        found = _batch(asked, count, outputs, single, stacked)
        if found is not None:
            return found
    rows = np.full((count, outputs), np.nan)
    for row in range(count):
        value = asked.flat(single(row))
        if len(value) == outputs:
            rows[row] = value
    return rows


def _batch(
    asked: Asked, count: int, outputs: int, single: Callable[[int], Inputs], stacked: Callable[[], Sequence[Array]]
) -> Array | None:
    """The rows by one call; None where there is none that can be believed."""
    try:
        found: Array = np.asarray(asked.probe("values", stacked()), dtype=np.float64)
    except Exception:  # the code under test may raise anything in a batch: it is asked one by one then
        asked.distrust = PATIENCE
        return None
    if found.shape != (count, outputs):
        asked.distrust = PATIENCE
        return None
    for row in np.linspace(0, count - 1, TRIED[count >= LONG]).astype(int).tolist():
        alone = asked.flat(single(row))
        if len(alone) != outputs or not _same(found[row], alone):
            asked.distrust += 1
            return None
    return found


def _same(batched: Array, alone: Array) -> bool:
    size = np.abs(alone[np.isfinite(alone)]).max(initial=0.0)
    with np.errstate(all="ignore"):
        near = (np.abs(batched - alone) <= SAME * size) | (batched == alone) | (np.isnan(batched) & np.isnan(alone))
    return bool(near.all())
