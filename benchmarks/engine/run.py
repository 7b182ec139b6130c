"""How fast is gradcheck's own engine beside PyTorch eager, HIPS autograd and JAX, one thread each, in one run?

    python -m pip install -e ".[torch,jax,bench]"
    python -m benchmarks.engine.run [--only chain] [--quick] [--json FILE]

Every figure is a time relative to ours (more than 1: ours is faster), from rounds in which all take turns. The
gradients are compared before anything is timed; gradients that differ end the run with exit code 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.engine import objectives, one_core
from benchmarks.engine.measure import Disagreement, agree, interleaved
from benchmarks.engine.peers import EAGER, FUNCTIONAL, OURS, PLAIN_VALUE, VALUE, installed, numbers

SIZES = (1, 100, 1_000, 100_000, 1_000_000)


def compared(f: Any, args: Any, moving: int, rounds: int, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """The timings of every way to the gradient of f, which must agree, and of its plain value."""
    ways = {name: peer for name, peer in {**OURS, **installed()}.items() if name not in leave_out}
    works = {name: peer.prepare(f, args, moving) for name, peer in ways.items()}
    apart = agree({name: numbers(work()) for name, work in works.items()})
    works[VALUE] = PLAIN_VALUE.prepare(f, args, moving)
    timings = interleaved(works, rounds)
    return {"apart": apart, "seconds": {name: timing._asdict() for name, timing in timings.items()}}


def line(label: str, row: dict[str, Any]) -> str:
    """One row of the table: our time, the others' times over ours, and our time over the plain value's."""
    least = {name: t["least"] for name, t in row["seconds"].items()}
    ours = least[EAGER]
    cells = [f"{label:>22}", f"{1e6 * ours:10.1f}"]
    for name in COLUMNS:
        cells.append(f"{least[name] / ours:9.2f}x" if name in least else f"{'-':>10}")
    cells.append(f"{ours / least[VALUE]:9.2f}")
    cells.append(f"{least[FUNCTIONAL] / least[VALUE]:9.2f}")
    return " ".join(cells)


COLUMNS = (FUNCTIONAL, "torch", "autograd", "jax", "jax jit")


def heading(label: str) -> str:
    names = " ".join(f"{name:>10}" for name in COLUMNS)
    return f"{label:>22} {'ours, µs':>10} {names} {'ours/value':>10} {'grad()/value':>9}"


def chain(quick: bool) -> list[dict[str, Any]]:
    print("a chain of six operations (times over ours, forward and backward)")
    print(heading("elements"))
    rows = []
    for n in SIZES[:3] if quick else SIZES:
        row = compared(objectives.chain, objectives.chain_arguments(n), 1, rounds=5 if quick else 40)
        rows.append({"size": n, **row})
        print(line(f"{n:,}", row), flush=True)
    return rows


PARTS = {"chain": chain}


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds: does it run, do all agree?")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(words)
    one_core()
    try:
        found = {name: PARTS[name](options.quick) for name in options.only or PARTS}
    except Disagreement as wrong:
        print(f"the gradients differ: {wrong}", file=sys.stderr)
        return 1
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
