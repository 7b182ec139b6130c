"""Which bugs of a corpus does `gradcheck.check` find through each of its doors, and does it accuse a right rule?

    python -m benchmarks.bugs.run CORPUS [--door torch] [--seeds 3] [--points 256] [--only ID …] [--json FILE]

CORPUS: a folder with `corpus.py` (RECORDS and CONTROLS: f, vjp_correct, vjp_buggy, vjp2_*, domain; make_torch and
make_jax, which wrap a record as a Function and as a custom_vjp) and `bugs.json` (what other checkers made of each). Of
a record's domain, only shapes, low, high and kinds are read; f is the reference for digits at the doors of frameworks.
Each rule is judged twice: with the box as limits, and with the box as the place where numbers usually lie. JAX's arrays
have no layout and are not written to: those kinds of bugs cannot exist there, and are left out.
Marks: X fails; i lost digits, n NaN at a kink, o wrong outside the limits (told, but no failure); . nothing.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradcheck
from benchmarks import processor
from gradcheck.judge.cells import Kind
from gradcheck.report.checked import Result

LETTER = {Kind.WRONG: "X", Kind.CRASHED: "X", Kind.INACCURATE: "i", Kind.NOT_SMOOTH: "n", Kind.OUTSIDE: "o"}
NOT_IN_JAX = ("layout", "layout_input", "mutates_ct", "mutates_input")
PEERS = ("slow10", "fast10", "jax10", "trig")


def inputs_of(record: Any, alternative: int, limits: bool) -> list[Any]:
    """The declared inputs of a record for one of its shapes."""
    found = []
    for entry, shape in zip(record.inputs, record.shapes[alternative], strict=True):
        low, high, kind = entry["low"], entry["high"], entry.get("kind", "float")
        if kind == "int":
            found.append(gradcheck.Integer(*shape, low=int(low), high=int(high)))
        elif limits:
            found.append(gradcheck.Real(*shape, low=low, high=high, differentiable=kind == "float"))
        else:
            found.append(gradcheck.Real(*shape, usual=(low, high), differentiable=kind == "float"))
    return found


def judged(corpus: Any, door: str, record: Any, which: str, seed: int, limits: bool, points: int) -> Iterator[Result]:
    """The results for every shape of a record."""
    for alternative in range(len(record.shapes)):
        if door != "numpy":
            make = corpus.make_torch if door == "torch" else corpus.make_jax
            order = 2 if record.second else 1
            inputs = inputs_of(record, alternative, limits)
            yield gradcheck.check(
                make(record, which), inputs, backend=door, order=order, seed=seed, points=points, twin=record.f,
            )  # fmt: skip
            continue
        vjp, second = record.new(which)
        yield gradcheck.check(
            record.f, inputs_of(record, alternative, limits), backend="numpy", vjp=vjp, second=second,
            order=2 if second else 1, seed=seed, points=points,
        )  # fmt: skip


def marks(results: list[Result]) -> tuple[str, list[str], str]:
    """Letters of what was seen, worst first; the cells that failed; the first sentence."""
    findings = [f for r in results for f in r.findings]
    letters = "".join(letter for letter in "Xino" if any(LETTER.get(f.kind) == letter for f in findings))
    if not all(r.passed for r in results) and "X" not in letters:
        letters = "U" + letters  # nothing was witnessed
    cells = [r.checked.standing.decisive.cell for r in results if not r.passed and r.checked.standing.decisive]
    sentence = next((r.checked.standing.sentence for r in results if not r.passed), "")
    return letters or ".", list(dict.fromkeys(cells)), sentence


def line(corpus: Any, door: str, record: Any, which: str, seeds: range, limits: bool, points: int) -> dict[str, Any]:
    """One row: a rule, over the seeds."""
    start = processor.seconds()
    found = [marks(list(judged(corpus, door, record, which, seed, limits, points))) for seed in seeds]
    return {
        "door": door,
        "id": record.id, "which": which, "kind": record.kind, "severity": record.severity, "limits": limits,
        "marks": [m for m, _, _ in found], "failed": sum(m[0] in "XU" for m, _, _ in found),
        "noticed": sum(m != "." for m, _, _ in found), "seeds": len(seeds),
        "cells": sorted({c for _, cells, _ in found for c in cells}),
        "sentence": next((s for _, _, s in found if s), ""), "seconds": (processor.seconds() - start) / len(seeds),
    }  # fmt: skip


def told(row: dict[str, Any], baseline: dict[str, str]) -> str:
    """The row as text."""
    peers = " ".join(baseline.get(p, "-") for p in PEERS)
    kind = f"{row['kind']}/{row['severity']}"
    box = "limits" if row["limits"] else "usual"
    return (
        f"{row['id']:32s} {row['which']:8s} {kind:34s} {box:6s} fails {row['failed']}/{row['seeds']} "
        f"noticed {row['noticed']}/{row['seeds']} [{' '.join(row['marks'][:3])}] peers [{peers}] "
        f"{row['seconds']:5.1f}s {','.join(row['cells'])} {row['sentence'][:90]}"
    )


def rules(corpus: Any, door: str, only: list[str], controls: bool) -> Iterator[tuple[Any, str]]:
    """Every rule that is judged: wrong and right ones of the records, and the controls."""
    for record in () if controls else corpus.RECORDS.values():
        if not only or record.id in only:
            if door != "jax" or record.kind not in NOT_IN_JAX:
                yield record, "buggy"
            yield record, "correct"
    for record in corpus.CONTROLS.values():
        if not only or record.id in only:
            yield record, "correct"


def summary(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The figures by kind."""
    for limits in dict.fromkeys(r["limits"] for r in rows):
        box = "limits" if limits else "usual"
        wrong = [r for r in rows if r["limits"] is limits and r["which"] == "buggy"]
        right = [r for r in rows if r["limits"] is limits and r["which"] == "correct"]
        for kind in dict.fromkeys(_kind(r) for r in wrong):
            some = [r for r in wrong if _kind(r) == kind]
            failed = sum(r["failed"] == r["seeds"] for r in some)
            noticed = sum(r["noticed"] == r["seeds"] for r in some)
            yield f"{box:6s} {kind:24s} {failed} fail and {noticed} are noticed at every seed, of {len(some)}"
        alarms = [f"{r['id']} {r['failed']}/{r['seeds']}" for r in right if r["failed"]]
        yield f"{box:6s} right rules accused: {len(alarms)} of {len(right)} {alarms}"


def _kind(row: dict[str, Any]) -> str:
    precise = row["severity"] == "numerical precision"
    return "value (precision)" if precise else str(row["kind"])


def main() -> int:
    """Judge, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--door", choices=["numpy", "torch", "jax"], default="numpy")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--points", type=int, default=256)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--box", choices=["limits", "usual", "both"], default="both")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--controls", action="store_true", help="the controls only")
    options = parser.parse_args()
    sys.path.insert(0, str(options.corpus))
    corpus = importlib.import_module("corpus")
    bugs = json.loads((options.corpus / "bugs.json").read_text(encoding="utf-8"))
    baselines = {bug["id"]: bug["baseline"] for bug in bugs}
    rows = []
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    for record, which in rules(corpus, options.door, options.only, options.controls):
        for limits in {"limits": (True,), "usual": (False,), "both": (True, False)}[options.box]:
            rows.append(line(corpus, options.door, record, which, seeds, limits, options.points))
            if options.door == "jax":
                sys.modules["jax"].clear_caches()  # what is wrapped anew at each call is compiled anew, and kept
            print(told(rows[-1], baselines.get(record.id, {}) if which == "buggy" else {}), flush=True)
    print("\n".join(summary(rows)))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
