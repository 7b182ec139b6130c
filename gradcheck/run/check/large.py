"""Is the derivative of a function of millions of numbers right? No Jacobian is formed: directions, then the one number.

At a few points the vjp is held against slopes along random directions, read from the function's values; where the
function falls into blocks (each output of an elementwise map depends on one input), each block by itself. A direction
along which the vjp misses the slope is searched for the number at fault (`run/check/large_search.py`). The cells of
`run/check/large_cells.py` are asked at the first point; what is not asked at such sizes is a silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases.large import Point, milder
from gradcheck.judge.budgets import NEGLIGIBLE
from gradcheck.judge.cells import Kind
from gradcheck.judge.large import HIDDEN, HIDDEN_TWICE, SMALL, decides, directions, off, places_off, usual
from gradcheck.oracles.blackbox.asked import Array, BadAnswer
from gradcheck.oracles.blackbox.large_line import Line, Row, Way, blocks_of, signs
from gradcheck.oracles.blackbox.large_read import (
    MANY,
    Reading,
    Slopes,
    calibrated,
    first_step,
    of_number_closely,
    read,
    sample,
)
from gradcheck.oracles.isolation.watch import Unasked, raised
from gradcheck.run.check.large_search import Found, Search
from gradcheck.run.check.large_state import FUTILE, At, Large, told_of

WORST = 4  # blocks that miss most, in which the number is looked for


@dataclass(frozen=True, slots=True)
class Suspects:
    """Blocks of which the claim misses the slope: which they are, what is claimed, and the slopes."""

    where: NDArray[np.int64]
    claimed: Row
    found: Reading


def judge_slopes(large: Large, points: Sequence[Point]) -> Iterator[At]:
    """Fill value, shape, reverse and nonfinite; gives each point while it is at hand."""
    for number, point in enumerate(points):
        large.asked.turn("value")
        at = _valued(large, point)
        if at is None and any(d.planted for d in point.drawn):
            point = milder(point)
            at = _valued(large, point)
        if at is None:
            large.dropped += 1
            continue
        large.points.append(point)
        share = 0.4 if number == 0 else 0.3
        answered = _reverse(large, at, share, np.random.default_rng([large.seed, 3, number]))
        if not answered and not large.wrong and any(d.planted for d in point.drawn):
            mild = _valued(large, milder(point))  # the gradient was infinite at a landmark: the others count
            if mild is not None:
                at = mild
                _reverse(large, at, share, np.random.default_rng([large.seed, 3, number]))
        templates = tuple(np.broadcast_to(np.zeros((), o.dtype), o.shape) for o in at.base)
        at.base = templates  # no numbers of the outputs are kept for what else is asked
        yield at
        del at
        if large.wrong:
            return


def _valued(large: Large, point: Point) -> At | None:
    inputs = point.make()
    try:
        base = tuple(map(np.array, large.asked.value(inputs)))  # code may answer from one buffer every time
    except Exception as error:  # the code under test may raise anything
        large.raised = large.raised or raised(error, "the function")
        return None
    if not all(bool(np.isfinite(o).all()) for o in base):
        return None
    large.board["value"].add(sum(o.size for o in base))
    return At(point, inputs, base)


def _reverse(large: Large, at: At, share: float, rng: np.random.Generator) -> bool:
    """Directions of every input, until so large a share of those that are needed was read; whether all had answers."""
    large.asked.turn("reverse")
    several = sum(o.size for o in at.base) > 1
    steps: dict[int, tuple[Line, float]] = {}
    for k in large.moving:
        if k not in large.blocks and at.inputs[k].size:
            line = line_of(large, at, k, _ones(at), 1)
            large.blocks[k] = blocks_of(line, rng)
            single = large.blocks[k] == at.inputs[k].size
            large.needed[k] = 3 if single else directions(HIDDEN_TWICE if several else HIDDEN)
    most = max((large.needed[k] for k in large.blocks), default=0)
    for number in range(max(1, round(share * most))):
        if large.wrong:
            return True
        cts = _tossed(large, at, number) if several and number else _ones(at)
        gradients = _answered(large, at, cts)
        if gradients is None:
            return False
        planted = {k: sorted(d.planted) for k, d in enumerate(at.point.drawn) if d.planted}
        for k in large.moving:
            if k in large.wrong or k not in large.blocks or number >= max(1, round(share * large.needed[k])):
                continue
            way = Way(signs(rng, at.inputs[k].size), 0, at.inputs[k].size)
            line = line_of(large, at, k, cts, large.blocks[k])
            if k in planted and line.blocks == 1:
                only = replace(way, signs=way.signs.copy(), places=np.array(planted[k]))
                way.signs[planted[k]] = 0
                _planted(large, line, only, gradients[k], at)
            if k in large.wrong:
                continue
            if k in steps:
                line = replace(line, noise=steps[k][0].noise, rough=steps[k][0].rough)
                found = read(line, way, steps[k][1])
            else:
                line, step, found = calibrated(line, way)
                steps[k] = (line, step)
            _compared(large, at, line, way, steps[k][1], gradients[k], found)
    return True


def _planted(large: Large, line: Line, way: Way, gradient: Array, at: At) -> None:
    """Numbers at which rules break, together: kinks among them leave a hull."""
    step = first_step(line)
    found = of_number_closely(line, way, step, [0])
    claimed = way.by_blocks(gradient, 1)
    if off(claimed, found.value, found.bar).any():
        accused(large, at, line, way, step, gradient, Suspects(np.zeros(1, np.int64), claimed, found))


def line_of(large: Large, at: At, k: int, cts: Sequence[Array], blocks: int) -> Line:
    """A point with a cotangent, moved in one input; nothing of it is measured yet."""
    sizes = np.abs(at.inputs[k].reshape(-1)[:: max(1, at.inputs[k].size // 2**12)])
    some = sizes[sizes > 0]
    size = 2.0 ** np.floor(np.log2(float(np.median(some)))) if some.size else 1.0
    room = large.rooms.get(k, np.inf)
    return Line(large.asked, at.inputs, k, cts, size, at.base, blocks, room=room)


def _ones(at: At) -> list[Array]:
    return [np.ones(o.shape, np.int8) for o in at.base]


def _tossed(large: Large, at: At, number: int) -> list[Array]:
    large.tossed = (large.seed, number)
    drawn = [signs(np.random.default_rng([*large.tossed, k]), o.size) for k, o in enumerate(at.base)]
    return [s.reshape(o.shape) for s, o in zip(drawn, at.base, strict=True)]


def _answered(large: Large, at: At, cts: Sequence[Array]) -> Sequence[Any] | None:
    """The vjp, where it is an answer; else None, and a finding."""
    try:
        gradients = large.asked.vjp(at.inputs, [c.astype(o.dtype) for c, o in zip(cts, at.base, strict=True)])
    except Unasked as error:
        large.board["reverse"].silence = str(error)
        return None
    except Exception as error:  # the code under test may raise anything
        kind, cell = (Kind.WRONG, "shape") if isinstance(error, BadAnswer) else (Kind.CRASHED, "reverse")
        text = str(error) if isinstance(error, BadAnswer) else raised(error, "the vjp")
        large.board[cell].show(kind, text)
        return None
    for k in large.moving:
        g = gradients[k]
        large.board["shape"].add(1)
        assert g is not None
        if np.shape(g) != np.shape(at.inputs[k]) or g.dtype.kind not in "fiub":
            text = f"the gradient of {large.names[k]} has shape {np.shape(g)}, the input {np.shape(at.inputs[k])}"
            if np.shape(g) == np.shape(at.inputs[k]):
                text = f"the gradient of {large.names[k]} is not one of real numbers"
            large.board["shape"].show(Kind.WRONG, text)
            return None
        bad = next((p for p in _finite_parts(g) if p is not None), None)
        if bad is not None:
            _not_finite(large, at, k, g, bad, cts)
            return None
    return gradients


def _finite_parts(g: Array) -> Iterator[int | None]:
    flat = g.reshape(-1)
    for start in range(0, flat.size, 2**18):
        fine = np.isfinite(flat[start : start + 2**18])
        yield None if fine.all() else start + int(np.argmin(fine))


def _not_finite(large: Large, at: At, k: int, g: Array, place: int, cts: Sequence[Array]) -> None:
    """A NaN: wrong where the number's own slope can be read, else told."""
    line = line_of(large, at, k, cts, 1)
    one = np.ones(1, np.int8)
    way = Way(np.broadcast_to(one, (g.size,)), place, place + 1)
    found = of_number_closely(line, way, first_step(line), [0])
    smooth = bool(np.isfinite(found.bar[0]) and found.bar[0] <= 0.01 * abs(found.value[0]))
    kind = Kind.WRONG if smooth else Kind.NOT_SMOOTH
    got = float(g.reshape(-1)[place])
    here = Found(place, got, float(found.value[0]), float(found.bar[0]))
    text, seen = told_of(large, at, k, here, cts)
    large.board["nonfinite"].show(kind, text if smooth else text.partition(", not ")[0], seen)
    if smooth:
        large.wrong.add(k)


def _compared(large: Large, at: At, line: Line, way: Way, step: float, gradient: Array, found: Slopes) -> None:
    k, tally = line.which, large.board["reverse"]
    suspects, some = suspected(line, lambda part: way.by_blocks(gradient, line.blocks, part), found), sample(line)
    read_here, claimed = found.of(some), way.by_blocks(gradient, line.blocks, some)
    bar, typical = float(np.median(read_here.bar)), usual(gradient)
    if line.blocks == gradient.size:  # each number stands for itself, and has a bar of its own
        live = np.abs(claimed) > NEGLIGIBLE * np.abs(claimed).max(initial=0.0)
        bar = typical * float(np.median((read_here.bar / np.abs(claimed))[live])) if live.any() else bar
    natural = float(np.median(line.magnitude(some))) / line.size / (gradient.size / line.blocks)
    missing = suspects.where.size
    del found
    undecided = 0 if missing and accused(large, at, line, way, step, gradient, suspects) else missing
    if decides(bar, typical, natural) and undecided < line.blocks:
        large.looked[k] = large.looked.get(k, 0) + 1
        large.relative.setdefault(k, []).append(bar / (typical or SMALL * natural or 1.0))
        tally.add(line.blocks, undecided)
    else:
        tally.add(line.blocks, line.blocks)


def suspected(line: Line, claimed: Callable[[slice], Row], found: Slopes) -> Suspects:
    """The blocks of which the claim misses the slope, read part by part."""
    rows: list[tuple[NDArray[Any], ...]] = [(np.zeros(0, np.int64), *[np.zeros(0)] * 3)]
    for part in line.parts():
        claim, here = claimed(part), found.of(part)
        off_here = places_off(claim, here.value, here.bar)
        if off_here.size:
            rows.append((part.start + off_here, claim[off_here], here.value[off_here], here.bar[off_here]))
    where, claim, value, bar = (np.concatenate(row) for row in zip(*rows, strict=True))
    return Suspects(where, claim, Reading(value, bar))


def accused(
    large: Large, at: At, line: Line, way: Way, step: float, gradient: Array, suspects: Suspects
) -> bool:  # fmt: skip
    """Look for the number that is wrong; where none is found, nothing is decided here."""
    k, each = line.which, gradient.size // line.blocks
    if large.futile.get(k, 0) >= FUTILE:
        return False
    order = np.argsort(-np.abs(suspects.claimed - suspects.found.value) / suspects.found.bar)
    here = None
    if each == 1:  # the worst are mostly enough: of all of a long row nothing then has to be held
        here = _of_many(line, way, step, suspects, order[:MANY])
        here = here or (_of_many(line, way, step, suspects, order[MANY:]) if order.size > MANY else None)
    missed = suspects.claimed - suspects.found.value
    for one in order[:WORST].tolist() if each > 1 else []:
        block, bar = int(suspects.where[one]), float(suspects.found.bar[one])
        part = replace(way, lo=block * each, hi=(block + 1) * each)
        here = here or Search(line, part, block, step, lambda w: w.times(gradient), float(missed[one]), bar).found()
    if here is None:
        large.futile[k] = large.futile.get(k, 0) + (each > 1)  # single numbers were looked at, and stand at kinks
        return False
    large.wrong.add(k)
    large.board["reverse"].show(Kind.WRONG, *told_of(large, at, k, here, line.cotangents))
    return True


def _of_many(line: Line, way: Way, step: float, suspects: Suspects, some: NDArray[np.int64]) -> Found | None:
    """Of numbers that stand each for itself: some suspicious ones are looked at once more, together."""
    where, claimed = suspects.where[some], suspects.claimed[some]
    again = of_number_closely(line, replace(way, places=where), 2 * step, where)
    bad = off(claimed, again.value, again.bar)
    if not bad.any():
        return None
    worst = int(np.argmax(np.where(bad, np.abs(claimed - again.value), -1.0)))
    sign = float(way.signs[where[worst]])
    got, right, bar = (float(row[worst]) for row in (claimed, again.value, again.bar))
    return Found(int(where[worst]), got / sign, right / sign, bar)
