"""Is a gradient summed over what the function repeats? Asked with inputs of size 1 where the function takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gradcheck.judge.budgets import RESTLESS_RANGES, SAME_ANSWER
from gradcheck.judge.cells import Kind
from gradcheck.oracles.blackbox.asked import Array, NotOffered, flat
from gradcheck.oracles.isolation.watch import Fatal, raised
from gradcheck.run.check.judging import Judging, Row, seen
from gradcheck.run.check.suspects import Ruling, unflattened


def broadcast_question(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    """The gradient by a narrow input is the sum of the gradient by the same numbers written out.

    The caller has not promised such shapes: numbers that are wrong there are told as outside the limits, and a rule
    that raises or gives another shape, which its user cannot miss, is listed as not asked.
    """
    inputs = judging.points[p].inputs
    tally = judging.tallies["broadcast"]
    if len(inputs) < 2:
        raise NotOffered("there is one input")
    for k, axis, narrow in _narrowed(judging, p):
        wide = np.broadcast_to(narrow, inputs[k].shape).copy()
        short, full = ([*inputs[:k], x, *inputs[k + 1 :]] for x in (narrow, wide))
        if not _repeats(judging, short, full, p):
            continue
        cts = unflattened(ct, judging.values[p])
        due = np.asarray(judging.asked.vjp(full, cts)[k], dtype=float)
        due = due.sum(axis=axis, keepdims=narrow.ndim == wide.ndim)
        what = f"the gradient of {judging.names[k]}, where its shape is {narrow.shape} and the function repeats it,"
        try:
            got = np.asarray(judging.asked.vjp(short, cts)[k], dtype=float)
        except Fatal:
            raise
        except Exception as error:  # the code under test may raise anything
            tally.silence = raised(error, what)
            continue
        if got.shape != narrow.shape:
            tally.silence = f"{what} has shape {got.shape}"
            continue
        tally.add(1)
        if np.isfinite(due).all() and not _close(got, due, judging.court.unrest.gradients):
            i = np.unravel_index(int(np.argmax(np.abs(got - due))), due.shape)
            text = f"{what} is {got[i]:.6g}, the sum over the repetitions {due[i]:.6g}"
            ruling = Ruling(Kind.WRONG, float(due[i]), 0.0, "the sum over the repetitions")
            here = seen(judging, p, 0, ct, float(got[i]), ruling)
            tally.show(Kind.OUTSIDE, text, replace(here, way="broadcast"))


def _narrowed(judging: Judging, p: int) -> Iterator[tuple[int, int, Array]]:
    """Each moving input with one axis of size 1, and without its first axis: input, axis, array."""
    for k in judging.moving:
        x = judging.points[p].inputs[k]
        for axis in range(x.ndim):
            if x.shape[axis] > 1:
                yield k, axis, np.take(x, [0], axis=axis)
        if x.ndim > 1 and x.shape[0] > 1:
            yield k, 0, np.array(x[0])


def _repeats(judging: Judging, short: list[Array], full: list[Array], p: int) -> bool:
    """Whether the function takes the narrow input and gives what it gives for the numbers written out."""
    one, other = judging.asked.flat(short), judging.asked.flat(full)
    known = flat(judging.values[p])
    return (
        one.shape == other.shape == known.shape
        and bool(np.isfinite(other).all())
        and _close(one, other, judging.court.unrest.values)
    )


def _close(a: Array, b: Array, unrest: float) -> bool:
    allowed = SAME_ANSWER + RESTLESS_RANGES * unrest
    return bool((np.abs(a - b) <= allowed * np.abs(b).max(initial=0.0)).all())
