"""What else is asked of a function of very many numbers? The cells that a handful of calls can answer, at one point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from zlib import crc32

import numpy as np

from gradcheck.cases.given import Given, Sampler
from gradcheck.cases.large import NUMBERS, Point, chunks, large_points, many, sizes_of
from gradcheck.judge.budgets import SAME_ANSWER
from gradcheck.judge.cells import CELLS, Kind, Tally
from gradcheck.judge.large import differ
from gradcheck.judge.telling import told_apart
from gradcheck.oracles.blackbox.asked import Array, Asked, NotOffered
from gradcheck.oracles.blackbox.large_line import signs
from gradcheck.oracles.isolation.watch import Unasked, raised
from gradcheck.run.check.large import judge_slopes
from gradcheck.run.check.large_forward import forward_question
from gradcheck.run.check.large_state import At, Large, summed_up
from gradcheck.run.check.memory import strided

SLOPES = ("value", "shape", "reverse", "nonfinite")
Gradients = Sequence[Array | None]


def is_large(inputs: tuple[Given, ...] | Sampler, seed: int, outputs: int = 1) -> bool:
    """Whether there are so many numbers that they are judged along directions. outputs: as far as they are known."""
    if not callable(inputs):
        return many(sizes_of(inputs), outputs)
    drawn = [np.asarray(x) for x in inputs(np.random.default_rng(seed))]
    return many([(x.size, x.dtype.kind == "f") for x in drawn], outputs)


def judge_large(
    asked: Asked, inputs: tuple[Given, ...] | Sampler, names: Sequence[str], seed: int, board: Mapping[str, Tally],
    cells: frozenset[str],
) -> Large:  # fmt: skip
    """Fill the tallies of what is asked at such sizes; all others say that they are not."""
    if callable(inputs):
        points = [Point("sampled", seed + k, sampler=inputs) for k in range(3)]
        rooms: dict[int, float] = {}
    else:
        points = large_points(inputs, seed)
        rooms = {k: d.step for k, (g, d) in enumerate(zip(inputs, points[0].drawn, strict=True)) if _limited(g)}
    for cell in CELLS:
        if cell not in (*SLOPES, *QUESTIONS, "adjoint"):
            board[cell].silence = f"not asked where more than {NUMBERS:,} numbers move"
    large = Large(asked, names, asked.subject.moving, rooms, board, seed)
    for number, at in enumerate(judge_slopes(large, points)):
        if number == 0:
            _structure(large, at, cells)
    summed_up(large)
    board["nonfinite"].silence = "all numbers were finite"
    return large


def _limited(given: Given) -> bool:
    return bool(np.isfinite([given.domain.low, given.domain.high]).any())


def _structure(large: Large, at: At, cells: frozenset[str]) -> None:
    for cell, question in QUESTIONS.items():
        if not cells & ASKED_WITH.get(cell, {cell}):
            continue
        large.asked.turn(cell)
        try:
            question(large, at)
        except (NotOffered, Unasked) as silence:
            large.board[cell].silence = str(silence)
        except Exception as error:  # code under test may raise anything
            large.board[cell].show(Kind.CRASHED, raised(error, "a call"))


def _ct(at: At, *seeds: int) -> list[Array]:
    """Cotangents of few different numbers; of several seeds, their sum."""
    found = [np.zeros(o.shape, o.dtype) for o in at.base]
    for seed in seeds:
        rng = np.random.default_rng(seed)
        for ct in found:
            row, tossed = ct.reshape(-1), signs(rng, ct.size)
            for part in chunks(ct.size):
                row[part] += 0.75 * tossed[part] + 0.5
    return found


def _ask(large: Large, at: At, cts: Sequence[Array]) -> Gradients:
    return large.asked.vjp_as_is(at.inputs, cts)


def _same(large: Large, cell: str, one: Gradients, other: Gradients, how: str) -> None:
    """Count a comparison of two answers, and tell the number at which they differ most."""
    tally = large.board[cell]
    for k in large.moving:
        a, b = one[k], other[k]
        assert a is not None and b is not None
        tally.add(1)
        if a.shape != b.shape:
            tally.show(Kind.WRONG, f"the gradient of {large.names[k]} has shape {a.shape}, but {b.shape} {how}")
            continue
        place = differ(a, b, SAME_ANSWER)
        if place is not None:
            index = list(map(int, np.unravel_index(place, a.shape)))
            got, right = told_apart(float(a.reshape(-1)[place]), float(b.reshape(-1)[place]))
            tally.show(Kind.WRONG, f"the gradient of {large.names[k]}{index} is {got}, but {right} {how}")


def _repeat(large: Large, at: At) -> None:
    cts = _ct(at, large.seed)
    first = [None if g is None else np.array(g) for g in _ask(large, at, cts)]
    _same(large, "repeat", _ask(large, at, cts), first, "when it was called before")
    del first, cts
    before = large.asked.value(at.inputs)
    for old, new in zip(before, large.asked.value_as_is(at.inputs), strict=True):
        if differ(new, old, SAME_ANSWER) is not None:
            text = "the function gives other numbers when it is called again at the same point"
            large.board["value"].show(Kind.WRONG, text)


def _zero(large: Large, at: At) -> None:
    found = _ask(large, at, [np.zeros(o.shape, o.dtype) for o in at.base])
    for k in large.moving:
        g = found[k]
        assert g is not None
        large.board["zero"].add(1)
        if g.any():
            place = int(np.argmax(g.reshape(-1) != 0))
            index, got = list(map(int, np.unravel_index(place, g.shape))), float(g.reshape(-1)[place])
            text = f"the gradient of {large.names[k]}{index} is {got:.6g}, but 0 for a cotangent of zeros"
            large.board["zero"].show(Kind.WRONG, text)


def _linear(large: Large, at: At) -> None:
    seeds = large.seed, large.seed + 1
    total = [None if g is None else np.array(g) for g in _ask(large, at, _ct(at, seeds[0]))]
    for whole, part in zip(total, _ask(large, at, _ct(at, seeds[1])), strict=True):
        if whole is not None and part is not None and whole.shape == part.shape:
            whole += part
    _same(large, "linear", _ask(large, at, _ct(at, *seeds)), total, "by adding the answers for two cotangents")


def _layout(large: Large, at: At) -> None:
    cts = _ct(at, large.seed)
    plain = [None if g is None else np.array(g) for g in _ask(large, at, cts)]
    laid = large.asked.vjp_as_is(at.inputs, [strided(c) for c in cts])
    _same(large, "layout", laid, plain, "where the cotangent is not every second number of a longer array")
    del laid
    one = list(at.inputs)
    for k in large.moving:  # one input at a time: each takes the room of two
        one[k] = strided(at.inputs[k])
        laid = large.asked.vjp_as_is(one, cts)
        one[k] = at.inputs[k]
        how = f"where {large.names[k]} is not every second number of a longer array"
        _same(large, "layout", laid, plain, how)
        del laid


def _mutation(large: Large, at: At) -> None:
    cts = _ct(at, large.seed)
    handed = [(n, x) for n, x in zip(large.names, at.inputs, strict=True)] + [("the cotangent", c) for c in cts]
    calls: list[tuple[str, Callable[[], object]]] = [
        ("the function", lambda: large.asked.value_as_is(at.inputs)), ("the vjp", lambda: _ask(large, at, cts)),
    ]  # fmt: skip
    for who, call in calls:
        before = [_sum(x) for _, x in handed]
        call()
        for (name, x), old in zip(handed, before, strict=True):
            large.board["mutation"].add(1)
            if _sum(x) != old:
                large.board["mutation"].show(Kind.WRONG, f"{who} writes to {name}")


def _sum(x: Array) -> int:
    """A check sum: a copy would be as large as the array."""
    flat, total = x.reshape(-1), 0
    for part in chunks(flat.size):
        total = crc32(flat[part].tobytes(), total)
    return total


QUESTIONS: Mapping[str, Callable[[Large, At], None]] = {
    "mutation": _mutation, "repeat": _repeat, "zero": _zero, "linear": _linear, "layout": _layout,
    "forward": forward_question,
}  # fmt: skip
ASKED_WITH = {"forward": frozenset({"forward", "adjoint"})}  # cells that one question answers
