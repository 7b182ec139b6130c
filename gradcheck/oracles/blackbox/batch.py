"""How are many points asked at once? In one batched call where the door has one that gives what single calls give.

A batch is an economy, never a witness: some of its points are always asked singly too, and what is in a batch that
gives other numbers is asked one by one. After some such, and where a batch raises or is not offered, everything is.
Whether `vmap` itself is right is the question of a cell of its own (`run/check/batch.py`), and whoever is accused is
measured by single calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gradcheck.oracles.blackbox.asked import Answers, Asked, Inputs

Array = NDArray[np.float64]
FEWEST = 16  # points that are worth a batch
TRIED = (2, 4)  # points of every batch that are asked singly too: of a short one, and of one of …
LONG = 100  # … so many points
PATIENCE = 3  # batches of other numbers: sums that cancel may differ, a wrong batching rule does so every time
NUMBERS = 2**22  # that one batch of gradients may have, about
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


def gradients_at(
    asked: Asked, points: Sequence[Inputs], cotangents: Sequence[Sequence[Sequence[Array]]]
) -> list[list[Answers]] | None:
    """The gradients at each of many points for each of its cotangents (as many at every point); None without a batch.

    Nothing is tried here: whoever asks compares some of the answers with single calls.
    """
    if asked.distrust >= PATIENCE or asked.unpulled or not asked.offers("pulled") or not points:
        return None
    each = len(cotangents[0])
    size = sum(np.size(x) for x in points[0]) + sum(np.size(c) for c in cotangents[0][0])
    step = max(1, NUMBERS // max(1, size * each))
    found: list[list[Answers]] = []
    for start in range(0, len(points), step):
        some, cts = points[start : start + step], cotangents[start : start + step]
        stacked = [np.repeat(np.stack([np.asarray(p[k]) for p in some]), each, axis=0) for k in range(len(some[0]))]
        flat = [ct for many in cts for ct in many]
        together = [np.stack([ct[j] for ct in flat]) for j in range(len(flat[0]))]
        try:
            pulled = asked.probe("pulled", stacked, together)
        except Exception:  # the code under test may raise anything in a batch: it is asked one by one then
            asked.unpulled = True
            return None
        moving = dict(zip(asked.subject.moving, pulled, strict=True))
        if any(g.shape != stacked[k].shape for k, g in moving.items()):
            return None
        rows: list[Answers] = [
            tuple(moving[k][row] if k in moving else None for k in range(len(stacked))) for row in range(len(flat))
        ]
        found += [rows[k : k + each] for k in range(0, len(rows), each)]
    return found


def same_gradients(asked: Asked, batched: Answers, alone: Answers) -> bool:
    """Whether a batch gave what a single call gave; where not, batches are trusted less from now on."""
    same = True
    for theirs, ours in zip(batched, alone, strict=True):
        if ours is not None and theirs is not None:
            same &= theirs.shape == ours.shape and _same(np.asarray(theirs, float), np.asarray(ours, float))
    asked.distrust += not same
    return same


def _same(batched: Array, alone: Array) -> bool:
    size = np.abs(alone[np.isfinite(alone)]).max(initial=0.0)
    with np.errstate(all="ignore"):
        near = (np.abs(batched - alone) <= SAME * size) | (batched == alone) | (np.isnan(batched) & np.isnan(alone))
    return bool(near.all())
