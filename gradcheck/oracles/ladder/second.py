"""What is the mixed second derivative of a black box at a point, and how far may that number be off?

The four quadrant differences of a cross of nine points are one-sided second differences; their mean is the symmetric
one. The same tables, noise and rules as for slopes then decide: quadrants with different limits are a kink of the first
derivative (relu squared at 0), answered by their hull.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck.oracles.ladder import steps
from gradcheck.oracles.ladder.table import EPS, EVEN, EVERY, Array, BoolArray, IntArray, noise_of, richardson, settle
from gradcheck.oracles.ladder.weigh import NOISE_WEIGHT, Slopes, weigh

Function2 = Callable[[IntArray, Array, Array], Array]

TOP_BITS = 3  # the coarsest of the first rungs is about 2**-3 of the scales: h² takes twice the digits
FIRST_RUNGS = 5  # .. 2**-11
COARSER_RUNGS = 2
DEEPER_RUNGS = 5
ALL_RUNGS = COARSER_RUNGS + FIRST_RUNGS + DEEPER_RUNGS
GOOD = 1e-6
_CHUNK = 512
_QUADRANTS = ((1, 1), (-1, -1), (1, -1), (-1, 1))
_AXES = ((1, 0), (-1, 0), (0, 1), (0, -1))


@dataclass(frozen=True, slots=True)
class _Line:
    """One of the two directions of N functions: where they stand, natural lengths, room to either side; each (N,)."""

    x: Array
    scale: Array
    room_below: Array
    room_above: Array

    def rows(self, rows: IntArray) -> _Line:
        return _Line(self.x[rows], self.scale[rows], self.room_below[rows], self.room_above[rows])


def second(
    g: Function2,
    x_a: Array,
    x_b: Array,
    scale_a: Array,
    scale_b: Array,
    room_a: tuple[Array, Array],
    room_b: tuple[Array, Array],
    seed: int,
) -> Slopes:
    """d²/ds dt g_j(s, t) at s = t = 0 for N functions.

    g(rows (M,), s (M,), t (M,)) -> (M, K) evaluates function rows[i] at x_a[rows[i]] + s[i], x_b[rows[i]] + t[i];
    NaN or inf outside its domain. Scales and (below, above) rooms as for slopes, per direction, each (N,); quadrants
    without room are left out.
    """
    a, b = _Line(x_a, scale_a, *room_a), _Line(x_b, scale_b, *room_b)
    parts: list[Slopes] = []
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        tops = [steps.top_step(line.scale, line.room_below, line.room_above, TOP_BITS) for line in (a, b)]
        for start in range(0, max(len(a.x), 1), _CHUNK):
            rows = np.arange(start, min(start + _CHUNK, len(a.x)))
            mantissa = steps.mantissas(rng, ALL_RUNGS, len(rows))
            parts.append(_measure(g, rows, (a.rows(rows), b.rows(rows)), (tops[0][rows], tops[1][rows]), mantissa))
    return Slopes.concatenate(parts)


def _measure(
    g: Function2, rows: IntArray, lines: tuple[_Line, _Line], tops: tuple[Array, Array], mantissa: Array
) -> Slopes:
    first = slice(COARSER_RUNGS, COARSER_RUNGS + FIRST_RUNGS)
    quick, size = _read(g, rows, lines, tops, 0, mantissa[first])
    hard = np.flatnonzero(~((quick.bar <= GOOD * size) & (size > 0) & ~quick.kink).all(axis=1))
    if len(hard) == 0:
        return quick
    narrowed = (lines[0].rows(hard), lines[1].rows(hard))
    more, _ = _read(g, rows[hard], narrowed, (tops[0][hard], tops[1][hard]), -COARSER_RUNGS, mantissa[:, hard])
    center, bar, kink = quick.center, quick.bar, quick.kink
    center[hard], bar[hard], kink[hard] = more.center, more.bar, more.kink
    return Slopes(center, bar, kink, quick.evaluations + more.evaluations)


def _read(
    g: Function2, rows: IntArray, lines: tuple[_Line, _Line], tops: tuple[Array, Array], first: int, mantissa: Array
) -> tuple[Slopes, Array]:
    """The answers from one ladder, and the largest second difference in the middle of it."""
    nominal = [steps.rungs(top, first, mantissa) for top in tops]
    quadrants, rounding, evaluations = _quadrants(g, rows, lines, nominal)
    cell = (nominal[0] * nominal[1])[:, :, None]
    tables = [richardson(quadrant, nominal[0], EVERY, 4) for quadrant in quadrants]
    mean = 0.25 * (quadrants[0] + quadrants[1] + quadrants[2] + quadrants[3])
    central = richardson(mean, nominal[0], EVEN, 3)
    noise = noise_of([(central[1], 1), *((table[3], 3) for table in tables)], cell, rounding)
    grain = (noise + rounding) / cell
    reach = np.fmax.reduce(np.abs(np.stack(quadrants)), axis=0)
    middle = settle(central, (1, 2, 3), grain, reach, rounding / cell, NOISE_WEIGHT)
    sides = [settle(table, (1, 2, 3, 4), 4.0 * grain, reach, 4.0 * rounding / cell, NOISE_WEIGHT) for table in tables]
    present: list[BoolArray] = [np.asarray(np.isfinite(quadrant).any(axis=0)) for quadrant in quadrants]
    dead = np.zeros(middle.center.shape, dtype=bool)
    found = weigh(middle, sides, present, dead, cell[0], evaluations)
    return found, np.fmax(np.abs(found.center), reach[-first + 1])


def _quadrants(
    g: Function2, rows: IntArray, lines: tuple[_Line, _Line], nominal: list[Array]
) -> tuple[list[Array], Array, int]:
    """Second differences of the four quadrants, and the rounding of the values they are made of; each (L, N, K)."""
    moves = [{sign: _offset(line, step, sign) for sign in (1, -1)} for line, step in zip(lines, nominal, strict=True)]
    zero = np.zeros_like(nominal[0])
    for move in moves:
        move[0] = zero
    places = [*_QUADRANTS, *_AXES]
    s = np.concatenate([*(moves[0][place[0]] for place in places), zero[:1]])
    t = np.concatenate([*(moves[1][place[1]] for place in places), zero[:1]])
    wanted = ~(np.isnan(s) | np.isnan(t))
    flat = np.asarray(g(np.broadcast_to(rows, s.shape)[wanted], s[wanted], t[wanted]), dtype=np.float64)
    values = np.full((*s.shape, flat.shape[-1]), np.nan)
    values[wanted] = flat
    count, middle = len(zero), values[-1]
    at = {place: values[i * count : (i + 1) * count] for i, place in enumerate(places)}
    quadrants = []
    for sa, sb in _QUADRANTS:
        bent = (at[sa, sb] - at[sa, 0]) - (at[0, sb] - middle)
        quadrants.append(bent / (moves[0][sa] * moves[1][sb])[:, :, None])
    rounding = EPS * np.fmax.reduce(np.abs(np.stack([*at.values(), np.broadcast_to(middle, at[1, 1].shape)])), axis=0)
    return quadrants, rounding, len(flat)


def _offset(line: _Line, step: Array, sign: int) -> Array:
    moved = (line.x + sign * step) - line.x
    room = line.room_above if sign > 0 else line.room_below
    moved[~((sign * moved > 0) & (np.abs(moved) < np.inf) & (step < room))] = np.nan
    return moved
