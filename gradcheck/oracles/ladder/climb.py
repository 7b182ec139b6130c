"""What is the slope of a black box at a point, and how far may that number be off?

`slopes` answers for N one-dimensional functions at once, `second` for mixed second derivatives. Both climb a ladder of
steps, each about a quarter of the last, extrapolate (Richardson) and read the limit where truncation and noise balance.
The bar is the sum of both, measured and not assumed: how far orders and rungs differ, and how much fine rungs scatter.
Most functions are settled by five rungs of symmetric differences (11 evaluations). A function whose bars still fall at
the fine end, or whose noise rounding does not explain, gets finer rungs, a few at a time; one that rounding limits gets
coarser ones. What neither settles is asked for all rungs and both sides, which also tell kinks (two limits) from jumps
(none). How the first reading is trusted, and what it costs, stands in docs/decisions/0011.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.oracles.ladder import steps
from gradcheck.oracles.ladder.read import GOOD, SEEN_FIRST, Reading, one_sided, rounding_of, symmetric, thorough
from gradcheck.oracles.ladder.second import second
from gradcheck.oracles.ladder.steps import Function, Samples
from gradcheck.oracles.ladder.table import Array, BoolArray, IntArray
from gradcheck.oracles.ladder.weigh import Slopes, least_bar

__all__ = ["Slopes", "second", "slopes"]

FINE_RUNGS = 18  # 2**-7 .. 2**-41 of the scale
COARSE_RUNGS = 8  # up to 2**9 of the scale, or at the wide scale
FINER = {0: 5, 5: 6, 6: 8, 8: 10, 10: 13, 13: FINE_RUNGS}  # so many fine rungs are asked for next
COARSER = {0: 2, 2: 4, 4: 6, 6: COARSE_RUNGS}
FEW = 8  # of so few functions a reading costs more than what rungs in between might save
FINER_FEW = {5: 8, 6: 8, 8: 13, 10: 13, 13: FINE_RUNGS}
COARSER_FEW = {0: 4, 2: 4, 4: COARSE_RUNGS, 6: COARSE_RUNGS}
LEVEL = 5  # a function with not one bit changed on so many of the finest rungs is constant there
FULL = 0.6  # share of unsettled outputs from which on the thorough reading is of all
ALONE = 10  # a single side may be settled by so many rungs
DEEP = 13  # noise that is still the same on so many rungs is noise, whatever its cause
_CHUNK = 1024  # functions that are asked together
_PLAIN = (1e-290, 1e290)  # roundings over steps that neither underflow nor overflow, whatever they are multiplied by


def slopes(
    g: Function,
    x: Array,
    scale: Array,
    room_below: Array,
    room_above: Array,
    seed: int,
    wide: Array | None = None,
) -> Slopes:
    """d/dt g_j(t) at t = 0 for N functions.

    g(rows (M,), t (M,)) -> (M, K) evaluates function rows[i] at x[rows[i]] + t[i]; NaN or inf outside its domain.
    x: (N,) where each function stands, so that x + t is exact. scale: (N,) > 0, natural length (|x|, or the domain's
    where x is 0). room_below, room_above: (N,) >= 0, how far t may go to either side (inf: freely; 0: one-sided).
    wide: (N,) a larger natural length (the domain's) for functions whose own scale shows too little.
    """
    parts: list[Slopes] = []
    total = len(x)
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        top = steps.top_step(scale, room_below, room_above)
        reach = scale if wide is None else np.maximum(wide, scale)
        outputs = 1
        start = 0
        while start < total or not parts:
            rows = np.arange(start, min(start + max(_CHUNK // outputs, 16), total))
            mantissa = steps.mantissas(rng, COARSE_RUNGS + FINE_RUNGS, len(rows))
            problem = _Problem(g, rows, x[rows], top[rows], reach[rows], room_below[rows], room_above[rows], mantissa)
            parts.append(_measure(problem))
            outputs = parts[-1].center.shape[1]
            start += len(rows)
            if total == 0:
                break
    return Slopes.concatenate(parts)


@dataclass(frozen=True, slots=True)
class _Problem:
    g: Function
    rows: IntArray
    x: Array
    top: Array
    wide: Array
    room_below: Array
    room_above: Array
    mantissa: Array  # (first, deeper, coarser rungs, N)

    def sample(self, step: Array, middle: Array | None) -> Samples:
        return steps.sample(self.g, self.rows, self.x, step, self.room_below, self.room_above, middle)

    def only(self, keep: IntArray) -> _Problem:
        return _Problem(
            self.g,
            self.rows[keep],
            self.x[keep],
            self.top[keep],
            self.wide[keep],
            self.room_below[keep],
            self.room_above[keep],
            self.mantissa[:, keep],
        )

    def far(self, middle: Array) -> Samples:
        """One step of the wide scale to both sides, or to where the room ends."""
        room = np.nextafter(np.maximum(self.room_below, self.room_above), 0.0)
        return self.sample(np.minimum(self.wide, room)[None], middle)

    @property
    def lift(self) -> IntArray:
        """How many rungs above the top the coarse ones begin: more than they are where the wide scale is far away."""
        octaves = np.log2(self.wide) - np.log2(self.top) - steps.TOP_BITS
        return np.maximum(np.ceil(octaves / steps.RATIO_BITS), COARSE_RUNGS).astype(np.int64)

    def fine(self, first: int, end: int) -> Array:
        """The steps of the fine rungs first … end - 1."""
        return steps.rungs(self.top, first, self.mantissa[first:end])

    def coarse(self, have: int, want: int) -> Array:
        """The steps of the coarse rungs from number `want` above the top (or the wide scale) down to `have` + 1."""
        count = FINE_RUNGS + COARSE_RUNGS
        first = COARSE_RUNGS - want - self.lift
        return steps.rungs(self.top, first, self.mantissa[count - want : count - have])


@dataclass(frozen=True, slots=True)
class _Ladder:
    """Functions sampled on the same rungs: `fine` of them from the top down and `coarse` of them above it."""

    samples: Samples
    fine: int
    coarse: int
    gap: bool = False  # whether the coarse rungs are those of the wide scale, far above, with an empty rung below

    @property
    def top(self) -> int:
        return self.coarse + self.gap

    def rows(self, keep: IntArray) -> _Ladder:
        """Some of the functions; what they were asked counts as told already."""
        return replace(self, samples=self.samples.rows(keep))

    def finer(self, problem: _Problem, end: int, level: BoolArray | None = None) -> _Ladder:
        if self.fine == end:
            return self
        step = problem.fine(self.fine, end)
        if level is None:
            more = problem.sample(step, self.samples.middle)
        else:  # constant around x: finer rungs can only repeat it
            more = problem.sample(np.where(level, np.nan, step), self.samples.middle).filled(level, step)
        return replace(self, samples=self.samples.join(more), fine=end)

    def coarser(self, problem: _Problem, want: int, gap: bool = False) -> _Ladder:
        more = problem.sample(problem.coarse(self.coarse, want), self.samples.middle)
        more = more.with_gap() if gap else more
        return replace(self, samples=more.join(self.samples), coarse=want, gap=gap)


def _measure(problem: _Problem) -> Slopes:
    """Every function climbs only as far as it has to."""
    first = problem.sample(problem.fine(0, FINER[0]), None)
    shape = first.middle.shape
    found = Slopes(np.zeros(shape), np.full(shape, np.inf), np.zeros(shape, dtype=bool), 0)
    still = np.ones(shape, dtype=bool)
    count = _climb(problem, _Ladder(first, FINER[0], 0), found, np.arange(shape[0]), still)
    return replace(found, evaluations=first.evaluations + count)


def _climb(problem: _Problem, ladder: _Ladder, found: Slopes, at: IntArray, still: BoolArray) -> int:
    """Settle the functions `at` (rows of `found`) of a problem, asking for more rungs; how many evaluations it took.

    still: the outputs of each that are not settled yet (N, K); the others are neither read again nor changed.
    """
    read = _read_all(ladder, still)
    good: BoolArray = ~still | read.good
    count = 0
    if not (ladder.coarse or good.all()):
        taken, count = _independent(problem, ladder.samples, good, read)
        good |= taken
    found.center[at] = np.where(still, read.center, found.center[at])
    found.bar[at] = np.where(still, read.bar, found.bar[at])
    level: BoolArray = np.all(steps.unchanged(ladder.samples)[-LEVEL:], axis=(0, 2))
    going: BoolArray = np.any(~good, axis=1)
    last: BoolArray = going & (level | (read.alone & (ladder.fine >= ALONE)))
    finer: BoolArray = np.any(read.finer & ~good, axis=1)
    for rows, more in _groups(problem, ladder, np.logical_and(going, ~last), finer):
        added = more.samples.evaluations
        count += added + _climb(problem.only(rows), more, found, at[rows], ~good[rows])
        going[rows] = False
    for rows, whole in _last(problem, ladder, going, level, ~good):
        put = at[rows]
        found.center[put] = np.where(good[rows], found.center[put], whole.center)
        found.bar[put] = np.where(good[rows], found.bar[put], whole.bar)
        found.kink[put] = ~good[rows] & whole.kink
        count += whole.evaluations
    return count


def _independent(
    problem: _Problem, samples: Samples, good: BoolArray, read: Reading
) -> tuple[BoolArray, int]:  # fmt: skip
    """Outputs of which no bit changes on any rung, on both sides, beside others of the function whose slope was read.

    Their slope is 0, but for what rounding hides over the longest step: of numbers as large as the function's largest
    output, since what is left of terms that cancel (the log of a probability next to 1) shows nothing of their size.
    That is little where it is far below the output's own value over the natural length of the domain. An output that
    is 0 has to be 0 after a step of that length, too; one that float32 holds may have been computed in it, and hides
    far more. (N, K), written into `read`; and how many evaluations it took.
    """
    same: BoolArray = np.all(steps.unchanged(samples) & np.isfinite(samples.above) & np.isfinite(samples.below), axis=0)
    step = samples.step[0][:, None]
    hidden = rounding_of(samples)[0].max(axis=1, keepdims=True) / step + least_bar(step)
    little: BoolArray = hidden * problem.wide[:, None] <= GOOD * np.abs(samples.middle)
    beside: BoolArray = np.any(good & ~same, axis=1)
    taken: BoolArray = same & ~good & beside[:, None]
    zero: BoolArray = taken & (samples.middle == 0) & (hidden < np.inf)
    taken &= little & (samples.middle.astype(np.float32) != samples.middle)
    count = 0
    if (rows := np.flatnonzero(zero.any(axis=1))).size:
        far = problem.only(rows).far(samples.middle[rows])
        taken[rows] |= zero[rows] & steps.unchanged(far)[0]
        count = far.evaluations
    np.copyto(read.center, 0.0, where=taken)
    np.copyto(read.bar, hidden, where=taken)
    return taken, count


def _flat(ladder: _Ladder) -> BoolArray:
    """Outputs of which no bit changes on any fine rung, on both sides, of no extreme size (N, K)."""
    samples, top = ladder.samples, ladder.top
    same: BoolArray = (samples.above[top:] == samples.middle).all(axis=0)
    same &= (samples.below[top:] == samples.middle).all(axis=0)
    if same.any():
        grain = rounding_of(samples.down_to(1))[0] / samples.step[:, :, None]
        same &= np.all((grain > _PLAIN[0]) & (grain < _PLAIN[1]), axis=0) & np.isfinite(samples.middle)
    return same


def _idle(ladder: _Ladder) -> BoolArray:
    """The same of all rungs, coarse ones on the sides that there are."""
    samples, top, idle = ladder.samples, ladder.top, _flat(ladder)
    if top and idle.any():
        idle &= (steps.unchanged(samples) | np.isnan(samples.above) & np.isnan(samples.below))[:top].all(axis=0)
    return idle


def _read_all(ladder: _Ladder, still: BoolArray) -> Reading:
    """What is said of the outputs that are not settled yet (N, K).

    Idle ones are never good, since nothing is seen beside which their slope 0 is small; whether finer rungs may help
    depends on the steps alone. So one of each function is read for all.
    """
    idle = still & _idle(ladder)
    rows = np.flatnonzero(idle.any(axis=1))
    if not rows.size:
        return _read(ladder, still)
    ones = idle[rows].argmax(axis=1)
    wanted = still & ~idle
    wanted[rows, ones] = True
    read = _read(ladder, wanted)
    read.finer[rows] |= idle[rows] & read.finer[rows, ones][:, None]
    return read


def _read(ladder: _Ladder, wanted: BoolArray) -> Reading:
    """What the symmetric ladder says of some outputs (N, K); of the others, nothing."""
    known, deep = ladder.coarse == COARSE_RUNGS, ladder.fine >= DEEP
    shape = wanted.shape
    good, finer, stands = (np.zeros(shape, dtype=bool) for _ in range(3))
    whole = Reading(np.zeros(shape), np.full(shape, np.inf), good, finer, stands, one_sided(ladder.samples))
    for places, samples in steps.blocks(ladder.samples, wanted):
        part = symmetric(samples, ladder.top, known, deep)
        for into, said in (
            (whole.center, part.center), (whole.bar, part.bar), (good, part.good), (finer, part.finer),
            (stands, part.stands),
        ):  # fmt: skip
            into.reshape(-1)[places] = said.reshape(-1)
    return whole


def _groups(
    problem: _Problem, ladder: _Ladder, going: BoolArray, finer: BoolArray
) -> Iterator[tuple[IntArray, _Ladder]]:
    """Which functions climb on, and their ladders with the next rungs."""
    if ladder.fine < FINE_RUNGS and (rows := np.flatnonzero(going & finer)).size:
        ways = FINER_FEW if rows.size <= FEW else FINER
        yield rows, ladder.rows(rows).finer(problem.only(rows), ways[ladder.fine])
    if ladder.coarse == COARSE_RUNGS:
        return
    near = problem.lift == COARSE_RUNGS
    for here, gap in ((near, False), (~near, True)):
        if (rows := np.flatnonzero(going & ~finer & here)).size:
            ways = COARSER_FEW if rows.size <= FEW else COARSER
            want = COARSE_RUNGS if gap else ways[ladder.coarse]
            yield rows, ladder.rows(rows).coarser(problem.only(rows), want, gap)


def _last(
    problem: _Problem, ladder: _Ladder, going: BoolArray, level: BoolArray, still: BoolArray
) -> Iterator[tuple[IntArray, Slopes]]:
    """Both sides, for what no symmetric ladder settles: which functions, and what all they were asked says.

    A function that is level around x is not asked for finer rungs, and for coarser ones only where it is level on all.
    A single side may be settled by the rungs it has; everything else is asked for all.
    """
    flat: BoolArray = np.all(steps.unchanged(ladder.samples), axis=(0, 2))
    if (rows := np.flatnonzero(going & level & ~flat)).size:
        yield rows, _thorough(ladder.rows(rows).finer(problem.only(rows), FINE_RUNGS, level[rows]), still[rows])
        going = going & (~level | flat)
    rows = np.flatnonzero(going)
    if ALONE <= ladder.fine < FINE_RUNGS and rows.size:
        short = _thorough(ladder.rows(rows), still[rows])
        settled = (short.bar <= GOOD * np.abs(short.center)).all(axis=1) & ~short.kink.any(axis=1)
        yield rows, short
        rows = rows[~settled]
    if rows.size:
        more, here = ladder.rows(rows), problem.only(rows)
        more = more.finer(here, FINE_RUNGS, level[rows])
        if more.coarse < COARSE_RUNGS:
            more = more.coarser(here, COARSE_RUNGS, gap=more.coarse == 0)
        yield rows, _thorough(more, still[rows])


def _thorough(ladder: _Ladder, still: BoolArray) -> Slopes:
    """What all rungs say of the outputs that are not settled yet; of the others, too, where these are few, or zeros.

    Where no fine rung shows a change, the first of them tell all: they repeat each other, with larger noise a step.
    """
    wanted = np.ones_like(still) if still.sum() >= FULL * still.size else still
    whole = Slopes(
        np.zeros(still.shape), np.zeros(still.shape), np.zeros(still.shape, dtype=bool), ladder.samples.evaluations
    )
    flat = _flat(ladder)
    brief = replace(ladder, samples=ladder.samples.down_to(ladder.top + SEEN_FIRST))
    for here, some in ((ladder, wanted & ~flat), (brief, wanted & flat)):
        for places, samples in steps.blocks(here.samples, some):
            part = thorough(samples, here.top)
            for into, said in ((whole.center, part.center), (whole.bar, part.bar), (whole.kink, part.kink)):
                into.reshape(-1)[places] = said.reshape(-1)
    return whole
