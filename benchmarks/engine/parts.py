"""What is measured? Each part of the benchmark prints its table and returns its figures, times in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.engine import objectives
from benchmarks.engine.measure import Work, agree, interleaved, timed
from benchmarks.engine.memory import growth, resident_peak, traced_peak
from benchmarks.engine.objectives import Problem
from benchmarks.engine.peers import (
    COMPILED,
    EAGER,
    FUNCTIONAL,
    OURS,
    PEERS,
    PLAIN_VALUE,
    VALUE,
    Function,
    numbers,
    ways,
)
from gradcheck import engine
from gradcheck.expr.batch import Batch, Batched
from gradcheck.expr.vocabulary import NUMPY

Row = dict[str, Any]


def compared(problem: Problem, rounds: int, leave_out: Sequence[str] = ()) -> Row:
    """The timings of every way to the gradient and of the plain value, which must agree before they are timed."""
    f, args, moving = problem.function, problem.arguments, problem.moving
    works = {name: peer.prepare(f, args, moving) for name, peer in ways(leave_out).items()}
    apart = agree({name: numbers(work()) for name, work in works.items()})
    works[VALUE] = PLAIN_VALUE.prepare(f, args, moving)
    agree({"our value": [np.asarray(f(NUMPY, *args))], VALUE: [np.asarray(works[VALUE]())]})
    timings = interleaved(works, rounds)
    seconds = {name: timing._asdict() for name, timing in timings.items()}
    return {"name": problem.name, "size": problem.size, "apart": apart, "seconds": seconds}


def heading(label: str) -> None:
    print(f"\n{label:46}{'ours':>10}{'grad()':>10}{'compiled':>10}{'| over ours:':>13}", end="")
    print("".join(f"{name:>10}" for name in PEERS), f"{'| over value:':>14}{'ours':>6}{'grad()':>8}{'compiled':>10}")


def table_line(label: str, row: Row) -> None:
    """Our times in microseconds, the peers' times over our eager face's, and our times over the plain value's."""
    least = {name: times["least"] for name, times in row["seconds"].items()}
    cells = [f"{label:46}", *(f"{1e6 * least[name]:10.1f}" for name in OURS), " " * 13]
    cells += [f"{least[name] / least[EAGER]:10.2f}" if name in least else f"{'-':>10}" for name in PEERS]
    cells += [" " * 15, f"{least[EAGER] / least[VALUE]:6.2f}", f"{least[FUNCTIONAL] / least[VALUE]:8.2f}"]
    cells += [f"{least[COMPILED] / least[VALUE]:10.2f}"]
    print("".join(cells), flush=True)


def chain(quick: bool) -> list[Row]:
    heading("six operations on an array, µs; elements")
    rows = []
    for n in (1, 100) if quick else (1, 100, 1_000, 100_000, 1_000_000):
        rows.append(compared(objectives.chain_of(n), rounds=2 if quick else 40))
        table_line(rows[-1]["size"], rows[-1])
    return rows


def real(quick: bool) -> list[Row]:
    heading("real objectives, µs")
    rows = []
    for problem in objectives.problems(quick):
        rows.append(compared(problem, 2 if quick else 24, leave_out=["jax"]))
        table_line(f"{problem.name}, {problem.size}", rows[-1])
    return rows


def at_points(f: Function, x: Any) -> dict[str, Work]:
    """The gradients of f at every row of x: in one batch, and in loops over points of the same engine."""
    ones = np.ones(len(x))

    def whole(xp: Any, x: Any) -> Any:
        return f(Batch(xp), Batched(x)).data

    def loop() -> list[Any]:
        return [np.stack([engine.grad(f, NUMPY, (row,))[0] for row in x])]

    def eager_loop() -> list[Any]:
        leaves = [engine.tensor(row, requires_grad=True) for row in x]
        for leaf in leaves:
            f(engine.EAGER, leaf).backward()
        return [np.stack([leaf.grad.numpy() for leaf in leaves])]

    return {"batch": lambda: engine.vjp(whole, NUMPY, (x,), ones)[1], "loop": loop, "eager loop": eager_loop}


def batch(quick: bool) -> list[Row]:
    points = 100 if quick else 1_000
    print(f"\n{f'gradients at {points:,} points, µs':46}{'batch':>10}{'loop':>12}{'eager loop':>12}{'loop/batch':>12}")
    rows = []
    for f, n in ((objectives.six, 3), (objectives.valley, 10)):
        works = at_points(f, np.random.default_rng(n).standard_normal((points, n)))
        apart = agree({name: work() for name, work in works.items()})
        timings = interleaved(works, 3 if quick else 10)
        least = {name: timing.least for name, timing in timings.items()}
        cells = "".join(f"{1e6 * least[name]:{10 if name == 'batch' else 12}.1f}" for name in works)
        print(f"{f'{f.__name__} of {n} variables':46}{cells}{least['loop'] / least['batch']:12.1f}", flush=True)
        seconds = {name: timing._asdict() for name, timing in timings.items()}
        rows.append({"name": f.__name__, "size": f"{points:,}", "apart": apart, "seconds": seconds})
    return rows


def length(quick: bool) -> list[Row]:
    """Long chains: microseconds and bytes for each operation."""
    print(f"\n{'long chains, µs an operation; operations':46}", end="")
    here = ways(["jax", "jax jit"])
    print("".join(f"{name:>12}" for name in here), f"{'| bytes an operation: ours':>27}")
    rows = []
    for n in (100, 1_000) if quick else (1_000, 10_000, 100_000):
        problem = objectives.long_chain_of(n)
        f, args = problem.function, problem.arguments
        works = {name: peer.prepare(f, args, 1) for name, peer in here.items()}
        apart = agree({name: numbers(work()) for name, work in works.items()})
        turns = [
            {name: timed(work, 1) for name, work in works.items()} for _ in range(3 if quick else max(3, 20_000 // n))
        ]
        least = {name: min(turn[name] for turn in turns) / n for name in works}
        peak = traced_peak(works[EAGER]) / n
        print(f"{problem.size:46}", "".join(f"{1e6 * t:12.2f}" for t in least.values()), f"{peak:26.0f}", flush=True)
        rows.append({"size": n, "apart": apart, "seconds_an_operation": least, "bytes_an_operation": peak})
    return rows


def memory(quick: bool) -> list[Row]:
    """What stays behind after many passes, and the peak of one pass over a large array, in multiples of the array."""
    times, few, n = (100, 1_000, 100_000) if quick else (1_000, 10_000, 1_000_000)
    title = f"bytes that each of {times:,} passes leaves behind"
    print(f"\n{title:46}{'without':>10}{'with':>10}  the collector; the chain of {few:,} elements")
    rows: list[Row] = []
    small, large = objectives.chain_of(few), objectives.chain_of(n)
    for name, peer in OURS.items():
        alone, collected = (
            bytes_ / times for bytes_ in growth(peer.prepare(small.function, small.arguments, 1), times)
        )
        print(f"{name:46}{alone:10,.1f}{collected:10,.1f}", flush=True)
        left = {"bytes_left": alone, "bytes_left_after_collection": collected}
        rows.append({"name": name, "passes": times, "array": 8 * few, **left})
    print(f"\n{f'peak of one pass over {n:,} elements':46}{'resident':>10}{'traced':>10}  arrays of that size")
    for name in [EAGER, VALUE] if quick else [*ways(["jax"]), VALUE]:
        own = {**OURS, VALUE: PLAIN_VALUE}.get(name)
        traced = None if own is None else traced_peak(own.prepare(large.function, large.arguments, 1)) / (8 * n)
        peak = resident_peak(name, n)
        arrays = None if peak is None else peak / (8 * n)
        cells = [f"{x:10.1f}" if x is not None else f"{'-':>10}" for x in (arrays, traced)]
        print(f"{name:46}{''.join(cells)}", flush=True)
        rows.append({"name": name, "elements": n, "resident_peak_in_arrays": arrays, "traced_peak_in_arrays": traced})
    return rows


PARTS = {"chain": chain, "real": real, "batch": batch, "length": length, "memory": memory}
