"""What else is asked of a function of very many numbers? The cells that a handful of calls can answer, at one point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradcheck.cases.given import Given, Sampler
from gradcheck.cases.large import ENTRIES, NUMBERS, Point, large_points, many
from gradcheck.judge.cells import CELLS, Tally
from gradcheck.oracles.blackbox import Asked
from gradcheck.run.check_large import Large, judge_slopes, summed_up

ANSWERED = ("value", "shape", "reverse", "nonfinite")


def is_large(inputs: tuple[Given, ...] | Sampler, seed: int) -> bool:
    """Whether inputs have so many numbers that they are judged along directions."""
    if not callable(inputs):
        return many(inputs)
    sizes = [(np.size(x), np.asarray(x).dtype.kind == "f") for x in inputs(np.random.default_rng(seed))]
    return sum(n for n, moves in sizes if moves) > NUMBERS or sum(n for n, _ in sizes) > ENTRIES // 16


def judge_large(
    asked: Asked, inputs: tuple[Given, ...] | Sampler, names: Sequence[str], seed: int, board: Mapping[str, Tally],
    cells: frozenset[str],
) -> Large:  # fmt: skip
    """Fill the tallies of what is asked at such sizes."""
    if callable(inputs):
        points = [Point("sampled", seed + k, sampler=inputs) for k in range(3)]
        rooms: dict[int, float] = {}
    else:
        points = large_points(inputs, seed)
        rooms = {k: d.step for k, (g, d) in enumerate(zip(inputs, points[0].drawn, strict=True)) if _limited(g)}
    large = Large(asked, names, asked.subject.moving, rooms, board, seed)
    for _ in judge_slopes(large, points):
        pass
    summed_up(large)
    for cell in CELLS:
        if cell not in ANSWERED:
            board[cell].silence = f"not asked where more than {NUMBERS:,} numbers move"
    board["nonfinite"].silence = "all numbers were finite"
    return large


def _limited(given: Given) -> bool:
    return bool(np.isfinite([given.domain.low, given.domain.high]).any())
