"""Does a batch under `vmap` give what single calls give? With the batch first, last, and in one input only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gradcheck.judge.cells import Kind
from gradcheck.oracles.blackbox.asked import Array, NotOffered
from gradcheck.oracles.isolation.watch import Unasked, raised
from gradcheck.run.check.asking import Gradients, apart, ask, told
from gradcheck.run.check.judging import Judging, Row
from gradcheck.run.check.suspects import unflattened
from gradcheck.run.check.tape import differ_values

BATCH = 3  # points of a batch: not the size of a named dimension of the first shape alone


def judge_batch(judging: Judging, points: Sequence[int]) -> None:
    """Fill the tally `vmap` from some points at which the rule agreed."""
    tally = judging.tallies["vmap"]
    if not judging.asked.offers("batched"):
        tally.silence = "nothing is batched at this door"
        return
    some = list(dict.fromkeys(points))[:BATCH]
    if len(some) < 2:
        tally.silence = tally.silence or "no points were fit for it"
        return
    rng = np.random.default_rng([judging.seed, 29])
    judging.asked.turn("vmap")
    for axes, how in _ways(judging):
        try:
            _one_batch(judging, some, axes, how, rng)
        except (NotOffered, Unasked) as silence:
            tally.silence = str(silence)
            return
        except Exception as error:  # code under test may raise anything
            tally.show(Kind.CRASHED, f"{how}: {raised(error)}")
            return


def _ways(judging: Judging) -> Iterator[tuple[list[int | None], str]]:
    """Where the batch stands in each input: first, last, and in one input alone."""
    count = len(judging.givens)
    yield [0] * count, "without vmap"
    yield [-1] * count, "without vmap (the batch is the last axis)"
    if count > 1:
        for k in range(count):
            yield [0 if j == k else None for j in range(count)], f"without vmap (of {judging.names[k]} alone)"


def _one_batch(
    judging: Judging, some: Sequence[int], axes: Sequence[int | None], how: str, rng: np.random.Generator
) -> None:
    first = judging.points[some[0]].inputs
    batch: list[list[Array]] = [
        [np.array(first[k] if a is None else judging.points[p].inputs[k]) for k, a in enumerate(axes)] for p in some
    ]
    size = sum(int(np.size(v)) for v in judging.values[some[0]])
    cts: list[Row] = [np.round(rng.normal(0.0, 1.0, size), 2) + 0.25 for _ in some]
    found = judging.asked.probe("batched", batch, [unflattened(c, judging.values[some[0]]) for c in cts], list(axes))
    for p, inputs, ct, (values, gradients) in zip(some, batch, cts, found, strict=True):
        if any(a is None for a in axes):  # inputs of several points together: a point of its own
            single: Gradients = judging.asked.vjp(inputs, unflattened(ct, judging.values[p]))
            plain = judging.asked.value(inputs)
        else:
            single, plain = ask(judging, p, ct), judging.values[p]
        if not all(
            np.isfinite(np.asarray(v, dtype=float)).all() for v in (*plain, *(g for g in single if g is not None))
        ):
            continue
        differ_values("vmap", judging, p, ct, values, plain, how)
        told(judging, "vmap", p, ct, apart(judging, p, ct, gradients, single), how, "vmap")
