"""Does the rule behave, whatever its numbers? Zero, linearity, repetition, float32, and what other files ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.judge.cells import Kind
from gradcheck.oracles.blackbox.asked import NotOffered, flat
from gradcheck.oracles.isolation.watch import Fatal, Unasked, raised
from gradcheck.run.check.asking import Gap, apart, ask, same_values, told
from gradcheck.run.check.broadcast import broadcast_question
from gradcheck.run.check.judging import Judging, Row, seen
from gradcheck.run.check.memory import layout_question, mutation_question
from gradcheck.run.check.suspects import component, unflattened
from gradcheck.run.check.tape import (
    accumulate_question,
    compiled_question,
    detached_question,
    interleaved,
    primal_question,
    subsets_question,
    undefined_question,
)

AT_MOST = 16  # points at which these questions are asked
FEW_POINTS = 4  # points at which a tape is asked in other ways
COMPILED = 2  # points at which a compiled call is compared
PLAIN = ("zero", "linear", "repeat")  # cells that ask by calling the rule as everybody does
SCALE = 2.0**40
SINGLE_LOSS = 2.0**-10  # a float32 gradient that keeps fewer digits than this is told


@dataclass(frozen=True, slots=True)
class Question:
    """One cell's question at one point, for one cotangent; asked at so many points of a shape."""

    ask: Callable[[Judging, int, Row, np.random.Generator], None]
    points: int = AT_MOST


def judge_structure(judging: Judging, cells: frozenset[str]) -> None:
    """Fill the tallies of the cells that are named in QUESTIONS, of vmap, and of value its second half."""
    points = chosen(judging)
    silent: set[str] = set()
    for number, p in enumerate(points):
        rng = np.random.default_rng([judging.seed, 13, number])
        ct = np.round(rng.normal(0.0, 1.0, flat(judging.values[p]).size), 2) + 0.25
        for cell, question in QUESTIONS.items():
            if cell not in cells or cell in silent or number >= question.points:
                continue
            judging.asked.turn(cell)
            try:
                question.ask(judging, p, ct, rng)
            except NotOffered as silence:
                judging.tallies[cell].silence = str(silence)
                silent.add(cell)
            except Unasked as error:
                judging.tallies[cell].silence = str(error)
            except Exception as error:  # code under test may raise anything
                if not isinstance(error, Fatal) and _raises_anyway(judging):
                    judging.tallies[cell].silence = f"the rule itself raises {type(error).__name__}"
                    continue
                last = flat(judging.asked.cotangents)
                here = seen(judging, p, 0, last if last.shape == ct.shape else ct, float("nan"), None)
                here = here if cell in PLAIN else replace(here, way=cell)
                judging.tallies[cell].show(Kind.CRASHED, raised(error), here)


def _raises_anyway(judging: Judging) -> bool:
    """Whether the cells of the plain vjp have told already that it raises, and where."""
    return Kind.CRASHED in judging.tallies["reverse"].counts or Kind.WRONG in judging.tallies["shape"].counts


def chosen(judging: Judging) -> list[int]:
    """Points at which the rule agreed, half of them drawn, else any: no question of numbers is asked here."""
    inside = [p for p, x in enumerate(judging.points) if not x.outside and not x.extreme]
    right = [p for p in judging.right if p in set(inside)]
    drawn = [p for p in right if judging.points[p].origin in ("drawn", "sampled")]
    planted = [p for p in right if p not in set(drawn)]
    chosen = [*drawn[: AT_MOST // 2], *planted[:: max(1, len(planted) // (AT_MOST // 2))][: AT_MOST // 2]]
    return chosen or [p for p in inside if judging.points[p].origin in ("drawn", "sampled")][: AT_MOST // 2]


def _zero(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    found = ask(judging, p, np.zeros_like(ct))
    nothing = [None if g is None else np.zeros(np.shape(g)) for g in found]
    scaled = [None if g is None else np.where(np.asarray(g) == 0, 0.0, np.where(np.isfinite(g), 1.0, g)) for g in found]
    none = np.zeros_like(ct)
    if apart(judging, p, none, scaled, nothing) is not None:
        e = next(e for e, d in enumerate(judging.court.basis) if component(found, d) != 0)
        got = component(found, judging.court.basis[e])
        told(judging, "zero", p, none, Gap(e, got, 0.0), "for a cotangent of zeros", "")
    else:
        judging.tallies["zero"].add(1)


def _linear(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    other = np.where(ct < 0, -1.0, 1.0) * np.round(rng.uniform(0.25, 2.0, ct.shape), 2)
    one, two, both = (ask(judging, p, c) for c in (ct, other, ct + other))
    total = [None if a is None or b is None else np.asarray(a) + np.asarray(b) for a, b in zip(one, two, strict=True)]
    told(
        judging,
        "linear",
        p,
        ct + other,
        apart(judging, p, ct + other, both, total),
        "by adding the answers for two cotangents",
        "",
    )
    for factor in (SCALE, 1 / SCALE):
        scaled = [None if g is None else np.asarray(g) * factor for g in one]
        found = apart(judging, p, factor * ct, ask(judging, p, factor * ct), scaled)
        how = f"by scaling the answer for a cotangent {1 / factor:.3g} times it"
        told(judging, "linear", p, factor * ct, found, how, "")


def _repeat(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    first = ask(judging, p, ct)
    other = p
    for how in ("again", "again", "after a call at another point"):
        if how.startswith("after"):
            other = int(rng.choice(judging.right or [p]))
            judging.asked.value(judging.points[other].inputs)
            ask(judging, other, ct if flat(judging.values[other]).size == ct.size else np.ones_like(ct))
            judging.asked.value(judging.points[p].inputs)
        differ = apart(judging, p, ct, ask(judging, p, ct), first)
        way, beside = ("between", judging.named(other)) if how.startswith("after") else ("again", {})
        told(judging, "repeat", p, ct, differ, f"when it was called before ({how})", way, beside)
    interleaved(judging, p, ct, rng, first)
    if judging.asked.offers("again"):
        inputs = [np.array(x) for x in judging.points[p].inputs]
        found = judging.asked.probe("again", inputs, unflattened(ct, judging.values[p]))
        differ = apart(judging, p, ct, found, first)
        told(judging, "repeat", p, ct, differ, "by the first of two backward passes through one graph", "twice")
    values = flat(judging.asked.value(judging.points[p].inputs))
    known = flat(judging.values[p])
    if not np.array_equal(values, known) and np.abs(values - known).max() > same_values(judging) * np.abs(known).max():
        worst = int(np.argmax(np.abs(values - known)))
        text = f"the function gives {values[worst]:.6g} at a point where it gave {known[worst]:.6g} before"
        here = replace(seen(judging, p, 0, ct, float(values[worst]), None), way="value")
        judging.tallies["value"].show(Kind.WRONG, text, here)


def _float32(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    """For float32 inputs: as the same rule in float64 at the same numbers, within what float32 may lose."""
    tally = judging.tallies["float32"]
    inputs = judging.points[p].inputs
    single = [np.asarray(x, np.float32) if x.dtype.kind == "f" else np.array(x) for x in inputs]
    double = [np.asarray(x, np.float64) if x.dtype.kind == "f" else np.array(x) for x in single]
    cts = [np.asarray(c, np.float32) for c in unflattened(ct, judging.values[p])]
    there = judging.asked.vjp(double, [np.asarray(c, np.float64) for c in cts])
    try:
        here = judging.asked.vjp(single, cts)
    except Exception as error:  # the code under test may raise anything
        tally.show(Kind.INACCURATE, f"raises {type(error).__name__} for float32 inputs: {error}")
        return
    for k in judging.moving:
        a, b = np.asarray(here[k], dtype=float), np.asarray(there[k], dtype=float)
        tally.add(1)
        if a.shape != b.shape or not np.isfinite(b).all():
            continue
        size = np.abs(b).max(initial=0.0)
        bad = ~(np.abs(a - b) <= SINGLE_LOSS * np.maximum(np.abs(b), SINGLE_LOSS * size))
        if bad.any() and size > 0:
            i = tuple(np.argwhere(bad)[0].tolist())
            text = f"for float32 inputs the gradient of {judging.names[k]}{list(i) or ''} is {a[i]:.6g}, for the same numbers in float64 {b[i]:.6g}"  # noqa: E501
            tally.show(Kind.INACCURATE, text)


QUESTIONS: Mapping[str, Question] = {
    "repeat": Question(_repeat),
    "mutation": Question(mutation_question),
    "zero": Question(_zero),
    "linear": Question(_linear),
    "layout": Question(layout_question),
    "float32": Question(_float32),
    "subsets": Question(subsets_question, FEW_POINTS),
    "undefined": Question(undefined_question, FEW_POINTS),
    "accumulate": Question(accumulate_question, FEW_POINTS),
    "detached": Question(detached_question, FEW_POINTS),
    "primal": Question(primal_question, FEW_POINTS),
    "compiled": Question(compiled_question, COMPILED),
    "broadcast": Question(broadcast_question, FEW_POINTS),
}
