"""Does the derivative hold for every way in which a tape may ask for it?

Each input alone held constant or alone differentiated, outputs that were not used, a `.grad` that holds something
already, inputs that were detached, another call in between, compiled calls. Doors without such a notion are silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.judge.cells import Kind, Seen
from gradcheck.oracles.blackbox.asked import Answers, Array, NotOffered, flat
from gradcheck.oracles.isolation.watch import Fatal, Unasked
from gradcheck.run.check.asking import Gap, Gradients, apart, ask, same_values, told
from gradcheck.run.check.judging import Judging, Row, seen
from gradcheck.run.check.suspects import Ruling, unflattened

AT_MOST = 8  # points at which the function raises that are asked for
NO_SUCH = {
    "some": "a rule gives the gradients by all inputs",
    "accumulated": "there is no .grad at this door",
    "detached": "there is nothing to detach at this door",
    "compiled_and_eager": "nothing is compiled at this door",
    "primal": "a rule beside a function does not run it",
    "used": "a rule is given a cotangent for every output",
}
MOST_INPUTS = 6  # inputs that are held constant one by one; of more, these many in turn


def subsets_question(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    """Every input alone held constant, and alone differentiated by: the others' gradients stay what they are."""
    if len(judging.moving) < 2:
        raise NotOffered("one input is differentiable")
    _must_offer(judging, "some")
    plain = ask(judging, p, ct)
    for k in rng.permutation(judging.moving)[:MOST_INPUTS].tolist():
        rest = [j for j in judging.moving if j != k]
        found = _probe(judging, "some", p, ct, rest)
        told(judging, "subsets", p, ct, _differ(judging, p, ct, found, plain),
             f"where {judging.names[k]} wants a gradient too", "subsets", {"live": rest})  # fmt: skip
        found = _probe(judging, "some", p, ct, [k])
        told(judging, "subsets", p, ct, _differ(judging, p, ct, found, plain),
             "where the other inputs want gradients", "subsets", {"live": [k]})  # fmt: skip


def undefined_question(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    """Outputs that were not used give no cotangent: as if it were zeros. No cotangent at all: zeros or nothing."""
    values = judging.values[p]
    if len(values) > 1:
        for which in range(len(values)):
            alone = _only(values, which) * ct
            found = _probe(judging, "used", p, alone, which)
            differ = apart(judging, p, alone, found, ask(judging, p, alone))
            told(judging, "undefined", p, alone, differ, "for zeros where outputs were not used", "unused")
    elif not judging.asked.offers("undefined"):
        raise NotOffered("there is one output")
    if judging.asked.offers("undefined"):
        found = judging.asked.probe("undefined", _fresh(judging, p))
        nothing = [None if g is None else np.zeros(np.shape(g)) for g in found]
        differ = apart(judging, p, 0 * ct, [None if g is None else np.sign(g) for g in found], nothing)
        told(judging, "undefined", p, 0 * ct, differ, "where no cotangent is defined", "undefined")


def accumulate_question(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    """`.backward()` adds to what `.grad` holds: twice, to a number that is not zero."""
    _must_offer(judging, "accumulated")
    plain = ask(judging, p, ct)
    if not all(np.isfinite(np.asarray(plain[k], dtype=float)).all() for k in judging.moving):
        return
    before = [None if g is None else np.where(np.asarray(g) == 0, 1.0, 4.0 * np.asarray(g)) for g in plain]
    found = _probe(judging, "accumulated", p, ct, before)
    due = [None if b is None or g is None else b + 2.0 * np.asarray(g) for b, g in zip(before, plain, strict=True)]
    told(judging, "accumulate", p, ct, apart(judging, p, ct, found, due),
         "in .grad, by adding two gradients to what it held", "accumulate")  # fmt: skip


def detached_question(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    """An input of which the function was given a detached copy gets no gradient."""
    for k in rng.permutation(judging.moving)[:MOST_INPUTS].tolist():
        found = _probe(judging, "detached", p, ct, k)
        nothing = [None if g is None else np.zeros(np.shape(g)) for g in found]
        signs = [None if g is None else np.sign(g) for g in found]
        differ = _differ(judging, p, 0 * ct, signs, nothing)
        told(judging, "detached", p, ct, differ, f"(its sign) where {judging.names[k]} was detached",
             "detached")  # fmt: skip


def interleaved(judging: Judging, p: int, ct: Row, rng: np.random.Generator, first: Gradients) -> None:
    """The rule at one point, where the function was called at another before the backward pass: cell `repeat`."""
    if judging.asked.offers("interleaved"):
        other = int(rng.choice(judging.right or [p]))
        others = [np.array(x) for x in judging.points[other].inputs]
        found = _probe(judging, "interleaved", p, ct, others)
        how = "where no other call comes between it and its backward pass"
        told(judging, "repeat", p, ct, apart(judging, p, ct, found, first), how, "interleaved")


def primal_question(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    """While a derivative is recorded the function gives the values that it gives otherwise."""
    _must_offer(judging, "primal")
    found, known = flat(judging.asked.probe("primal", _fresh(judging, p))), flat(judging.values[p])
    tally = judging.tallies["primal"]
    tally.add(known.size)
    if found.shape != known.shape:
        shapes = f"{found.size} numbers under differentiation, {known.size} without"
        tally.show(Kind.WRONG, f"the function gives {shapes}", _without(judging, p, ct, float("nan"), None))
        return
    gap = np.abs(found - known)
    if not gap.max(initial=0.0) <= same_values(judging) * np.abs(known).max(initial=0.0):
        k = int(np.argmax(np.where(np.isfinite(gap), gap, np.inf)))
        ruling = Ruling(Kind.WRONG, float(known[k]), 0.0, "the function without differentiation")
        text = f"under differentiation the function's number {k} is {found[k]:.6g}, otherwise {known[k]:.6g}"
        tally.show(Kind.WRONG, text, _without(judging, p, ct, float(found[k]), ruling))


def judge_refusals(judging: Judging) -> None:
    """Where the function raises it must raise under differentiation too: the other half of the cell `primal`."""
    tally = judging.tallies["primal"]
    if not judging.asked.offers("primal"):
        tally.silence = NO_SUCH["primal"]
        return
    judging.asked.turn("primal")
    for point, raised in judging.refused[:AT_MOST]:
        try:
            found = judging.asked.probe("primal", [np.array(x) for x in point.inputs])
        except Unasked as error:
            tally.silence = str(error)
            return
        except Fatal as error:
            tally.show(Kind.CRASHED, str(error))
            return
        except Exception as error:  # the code under test may raise anything, as long as it is the same
            tally.add(1)
            if not isinstance(error, type(raised)) and not isinstance(raised, type(error)):
                tally.show(Kind.INACCURATE, f"raises {_called(error)} under differentiation, {_called(raised)} without")
            continue
        tally.add(1)
        if np.isfinite(flat(found)).all():
            here = ", ".join(
                f"{n} = {np.asarray(x).tolist()}" for n, x in zip(judging.names, point.inputs, strict=True)
            )
            tally.show(
                Kind.WRONG, f"gives numbers under differentiation where without it raises {_called(raised)}: {here}"
            )


def compiled_question(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    """Values and gradients of the compiled call are those of the eager one."""
    compiled, eager = _asked(judging, "compiled_and_eager", p, ct)
    outputs = len(judging.values[p])
    differ_values("compiled", judging, p, ct, compiled[:outputs], eager[:outputs], "by the call that is not compiled")
    one, other = (placed(judging, found[outputs:]) for found in (compiled, eager))
    how = "by the call that is not compiled"
    told(judging, "compiled", p, ct, apart(judging, p, ct, one, other), how, "compiled")


def differ_values(
    cell: str, judging: Judging, p: int, ct: Row, found: Sequence[Array | None], due: Sequence[Array | None], how: str
) -> None:
    """Tell in a cell that the function's values are not what they are otherwise."""
    tally = judging.tallies[cell]
    tally.add(1)
    a, b = (flat([v for v in many if v is not None]) for many in (found, due))
    if a.shape != b.shape:
        tally.show(Kind.WRONG, f"the function gives {a.size} numbers, {b.size} {how}")
        return
    differ = ~((np.abs(a - b) <= same_values(judging) * np.abs(b[np.isfinite(b)]).max(initial=0.0)) | (a == b))
    differ &= ~(np.isnan(a) & np.isnan(b))
    if differ.any():
        k = int(np.argmax(differ))
        ruling = Ruling(Kind.WRONG, float(b[k]), 0.0, how)
        text = f"the function's number {k} is {a[k]:.6g}, but {b[k]:.6g} {how}"
        tally.show(Kind.WRONG, text, _without(judging, p, ct, float(a[k]), ruling))


def after_question(judging: Judging, p: int, ct: Row) -> None:
    """The backward pass leaves the function's outputs alone: part of the cell `mutation`."""
    if not judging.asked.offers("after"):
        return
    before, after = (flat([v for v in many if v is not None]) for many in _asked(judging, "after", p, ct))
    changed = ~((before == after) | (np.isnan(before) & np.isnan(after)))
    if changed.any():
        k = int(np.argmax(changed))
        ruling = Ruling(Kind.WRONG, float(before[k]), 0.0, "the output before the backward pass")
        text = (
            f"the backward pass writes to the output: number {k} was {before[k]:.6g} and is {after[k]:.6g} afterwards"
        )
        judging.tallies["mutation"].show(Kind.WRONG, text, _without(judging, p, ct, float(after[k]), ruling))


def _without(judging: Judging, p: int, ct: Row, got: float, ruling: Ruling | None) -> Seen:
    """A number of the function's values, which no call of the rule shows."""
    return replace(seen(judging, p, 0, ct, got, ruling), way="values")


def placed(judging: Judging, gradients: Sequence[Array | None]) -> Answers:
    """Gradients of the moving inputs as one for each input."""
    found: list[Array | None] = [None] * len(judging.names)
    for k, g in zip(judging.moving, gradients, strict=True):
        found[k] = g
    return tuple(found)


def _probe(judging: Judging, what: str, p: int, ct: Row, *words: object) -> Answers:
    """The gradients that a question of the door's own gives."""
    return tuple(_asked(judging, what, p, ct, *words))


def _asked(judging: Judging, what: str, p: int, ct: Row, *words: object) -> Any:
    _must_offer(judging, what)
    return judging.asked.probe(what, _fresh(judging, p), unflattened(ct, judging.values[p]), *words)


def _must_offer(judging: Judging, what: str) -> None:
    if not judging.asked.offers(what):
        raise NotOffered(NO_SUCH.get(what, "there is no such notion at this door"))


def _fresh(judging: Judging, p: int) -> list[Array]:
    return [np.array(x) for x in judging.points[p].inputs]


def _differ(judging: Judging, p: int, ct: Row, found: Gradients, due: Gradients) -> Gap | None:
    """Where two answers differ among the inputs that were asked for."""
    filled = [b if a is None else a for a, b in zip(found, due, strict=True)]
    if any(filled[k] is None for k in judging.moving):  # nothing was asked of that input on either side
        filled = [
            np.zeros(np.shape(x)) if g is None else g for g, x in zip(filled, judging.points[p].inputs, strict=True)
        ]
        due = [np.zeros(np.shape(x)) if g is None else g for g, x in zip(due, judging.points[p].inputs, strict=True)]
    return apart(judging, p, ct, filled, due)


def _only(values: Sequence[Array], which: int) -> Row:
    return np.concatenate([np.full(np.size(v), float(j == which)) for j, v in enumerate(values)])


def _called(error: BaseException) -> str:
    words = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
