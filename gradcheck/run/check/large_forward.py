"""Is the jvp of a function of very many numbers what the slopes say, output by output, and the adjoint of the vjp?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gradcheck.judge.cells import Kind
from gradcheck.judge.large import off, pairing_bar
from gradcheck.judge.telling import told_apart
from gradcheck.oracles.blackbox.asked import Array
from gradcheck.oracles.blackbox.large_line import Line, Way, signs
from gradcheck.oracles.blackbox.large_read import calibrated, of_number_closely
from gradcheck.run.check.large import Suspects, line_of, suspected
from gradcheck.run.check.large_search import Search
from gradcheck.run.check.large_state import At, Large, told_of


def forward_question(large: Large, at: At) -> None:
    """Fill the tallies forward and adjoint: each input alone is moved along random signs."""
    rng = np.random.default_rng([large.seed, 17])
    for k in large.moving:
        way = Way(signs(rng, at.inputs[k].size), 0, at.inputs[k].size)
        pushed = _pushed(large, at, k, way)
        if pushed is None:
            large.board["forward"].silence = large.board["adjoint"].silence = "no jvp is given"
            return
        if [np.shape(v) for v in pushed] != [o.shape for o in at.base]:
            text = f"the jvp has shape {[np.shape(v) for v in pushed]}, the function {[o.shape for o in at.base]}"
            large.board["forward"].show(Kind.WRONG, text)
            return
        gradient = _adjoint(large, at, k, way, pushed)
        for number, answer in enumerate(pushed):
            _slopes(large, at, k, way, number, answer, gradient)
        large.asked.turn("forward")


def _pushed(large: Large, at: At, k: int, way: Way) -> tuple[Array, ...] | None:
    tangents = [np.zeros(at.inputs[j].shape, at.inputs[j].dtype) for j in large.moving]
    row = tangents[large.moving.index(k)].reshape(-1)
    for part in way.parts():
        row[part] = way.steps(part)
    return large.asked.jvp(at.inputs, tangents)


def _adjoint(large: Large, at: At, k: int, way: Way, pushed: Sequence[Array]) -> Array:
    large.asked.turn("adjoint")
    gradient = large.asked.vjp_as_is(at.inputs, [np.ones(o.shape, o.dtype) for o in at.base])[k]
    assert gradient is not None
    there, here = sum(float(v.sum(dtype=np.float64)) for v in pushed), way.times(gradient)
    large.board["adjoint"].add(1)
    if not abs(there - here) <= pairing_bar([gradient, *pushed]):
        one, other = told_apart(here, there)
        text = f"with {large.names[k]} moved up and down by signs, <vjp(ct), t> is {one}, but <ct, jvp(t)> {other}"
        large.board["adjoint"].show(Kind.WRONG, text)
    return gradient


def _slopes(large: Large, at: At, k: int, way: Way, number: int, answer: Array, gradient: Array) -> None:
    large.asked.turn("forward")
    tally, base = large.board["forward"], large.asked.value(at.inputs)[number]
    there = At(at.point, at.inputs, (base,))
    every = line_of(large, there, k, [np.ones(base.shape, np.int8)], base.size)
    line, step, found = calibrated(replace(every, output=number), way)
    row = answer.reshape(-1)
    suspects = suspected(line, lambda part: np.asarray(row[part], np.float64), found)
    del found
    missing = suspects.where.size
    beside = gradient if len(at.base) == 1 else None
    wrong = accused(large, at, line, way, step, number, suspects, beside) if missing else 0
    tally.add(base.size, missing - wrong)


def accused(
    large: Large, at: At, line: Line, way: Way, step: float, number: int, suspects: Suspects, gradient: Array | None
) -> int:  # fmt: skip
    """Tell the number at fault of a single output, or the output at which the jvp misses most; how many are off.

    gradient: the vjp's, which stands for slopes where it fits the one along the whole direction.
    """
    k, found = line.which, None
    if line.base[0].size > 1:  # kinks leave a hull
        again = of_number_closely(line, way, 2 * step, suspects.where)
        still = off(suspects.claimed, again.value, again.bar)
        suspects = Suspects(suspects.where[still], suspects.claimed[still], again.at(still))
    if not suspects.where.size:
        return 0
    claimed, slope, bar = (float(row[0]) for row in (suspects.claimed, suspects.found.value, suspects.found.bar))

    def claim(w: Way) -> float:
        pushed = _pushed(large, at, k, w)
        assert pushed is not None
        return float(pushed[number].sum())

    if line.base[0].size == 1:
        along = np.nan if gradient is None else way.times(gradient)
        if gradient is not None and abs(along - slope) <= bar:
            tight = pairing_bar([gradient])
            found = Search(line, way, 0, step, claim, claimed - along, tight, gradient).found()
        found = found or Search(line, way, 0, step, claim, claimed - slope, bar).found()
    if found is None:
        _output(large, at, k, number, suspects)
    else:
        text, seen = told_of(large, at, k, found, line.cotangents, "jvp")
        large.board["forward"].show(Kind.WRONG, f"of the jvp, {text}", seen)
    return suspects.where.size


def _output(large: Large, at: At, k: int, number: int, suspects: Suspects) -> None:
    """The output at which the jvp misses most."""
    worst = int(np.argmax(np.abs(suspects.claimed - suspects.found.value)))
    index = list(map(int, np.unravel_index(int(suspects.where[worst]), at.base[number].shape))) or ""
    which = f"output {number}{index}" if len(at.base) > 1 else f"output{index}"
    got, right = told_apart(float(suspects.claimed[worst]), float(suspects.found.value[worst]))
    text = f"with {large.names[k]} moved up and down by signs, the jvp's {which} is {got}, not {right}"
    large.board["forward"].show(Kind.WRONG, text)
