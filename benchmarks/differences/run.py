"""Does the truth lie inside the stated bar, how wide is that bar, and what did it cost: ours beside three peers.

    python -m pip install -e ".[bench]"       # brings jacobi and numdifftools; a missing peer is named and left out
    python -m benchmarks.differences.run [--quick] [--only FAMILY] [--way NAME] [--json FILE]     # in the clone's root

Each pair is a function and a point; the true derivative comes from mpmath. "Inside" is the share of answered pairs
whose truth is no farther than the bar; "judged" is the same with the bar widened by as much as the judge widens ours.
jacobi calls its bar a standard error, numdifftools and scipy an error estimate: none of them promises to hold the
truth always, which is what a verdict needs. At the end stands what is wanted of ours, and whether it is there.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.differences.functions import FAMILIES, ROWS, Array, Row
from benchmarks.differences.truth import away, derivative, points
from benchmarks.differences.ways import WAYS, asked, missing
from gradcheck.judge.budgets import safety

INSIDE = 0.995  # the share of pairs whose truth the judge's bar has to hold
COUNT, QUICK = 100, 5


@dataclass(frozen=True)
class Scores:
    """What one way said of many pairs, one number a pair (nan where it gave no answer)."""

    error: Array
    bar: Array
    size: Array  # of the true derivative
    evaluations: Array

    @staticmethod
    def joined(parts: Iterable[Scores]) -> Scores:
        every = list(parts)
        fields = ("error", "bar", "size", "evaluations")
        return Scores(*(np.concatenate([getattr(part, field) for part in every]) for field in fields))

    def figures(self) -> dict[str, float]:
        said = ~np.isnan(self.bar)
        error, bar = self.error[said], self.bar[said]
        some = said & (self.size > 0)
        width, off = self.bar[some] / self.size[some], self.error[some] / self.size[some]
        nothing = not some.any()
        return {
            "pairs": len(self.bar),
            "inside": float((error <= bar).mean()) if said.any() else float("nan"),
            "judged": float((error <= safety("differences") * bar).mean()) if said.any() else float("nan"),
            "missed": int((error > safety("differences") * bar).sum()),
            "unanswered": float(1 - said.mean()),
            "width median": float("nan") if nothing else float(np.median(width)),
            "width 90 %": float("nan") if nothing else float(np.quantile(width, 0.9)),
            "error median": float("nan") if nothing else float(np.median(off)),
            "error 90 %": float("nan") if nothing else float(np.quantile(off, 0.9)),
            "evaluations mean": float(self.evaluations.mean()),
            "evaluations median": float(np.median(self.evaluations)),
            "evaluations worst": float(self.evaluations.max()),
        }


def scores(row: Row, count: int, names: Iterable[str]) -> dict[str, Scores]:
    """Every way at the points of one function."""
    x = points(row, count)
    true = [derivative(row, float(at)) for at in x]
    size = np.array([float(abs(t)) for t in true])
    found = {}
    for name in names:
        said = asked(name, row, x)
        error = [np.nan if np.isnan(c) else away(c, t) for c, t in zip(said.center, true, strict=True)]
        found[name] = Scores(np.array(error), said.bar, size, said.evaluations)
    return found


def table(title: str, found: dict[str, dict[str, float]]) -> str:
    heads = "inside  judged  missed  silent   width med.   90 %   error med.   90 %   evaluations mean med. worst"
    lines = [f"\n{title:26s} {heads}"]
    for name, f in found.items():
        lines.append(
            f"  {name:22s} {100 * f['inside']:7.3f} {100 * f['judged']:7.3f} {f['missed']:6.0f}"
            f" {100 * f['unanswered']:6.2f} %"
            f"   {f['width median']:8.1e} {f['width 90 %']:8.1e}   {f['error median']:8.1e} {f['error 90 %']:8.1e}"
            f"       {f['evaluations mean']:6.1f} {f['evaluations median']:5.0f} {f['evaluations worst']:5.0f}"
        )
    return "\n".join(lines)


def wanted(found: dict[str, dict[str, float]]) -> list[tuple[str, bool]]:
    """What ours has to show."""
    mine = found["gradcheck"]
    goals = [
        (
            f"the truth is inside in {100 * mine['judged']:.3f} % of the answered pairs (at least {100 * INSIDE} %)",
            mine["judged"] >= INSIDE,
        )
    ]
    if "jacobi" in found:
        ratio = mine["evaluations mean"] / found["jacobi"]["evaluations mean"]
        goals.append((f"{ratio:.2f} of the evaluations of jacobi (at most 1)", ratio <= 1))
    return goals


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} points a function instead of {COUNT}")
    parser.add_argument("--only", choices=FAMILIES, action="append", help="this family (may be given several times)")
    parser.add_argument("--way", choices=WAYS, action="append", help="this library (may be given several times)")
    parser.add_argument("--rows", action="store_true", help="also what ours says of every function")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args(words)
    absent = missing()
    names = [name for name in options.way or WAYS if name not in absent]
    libraries = ["numpy", "scipy", "mpmath", *(n for n in ("jacobi", "numdifftools") if n not in absent)]
    versions = {"python": platform.python_version(), **{name: version(name) for name in libraries}}
    print(", ".join(f"{name} {number}" for name, number in versions.items()))
    for name in absent:
        print(f"not installed, left out: {name}")
    rows = [row for row in ROWS if not options.only or row.family in options.only]
    every = {row: scores(row, QUICK if options.quick else COUNT, names) for row in rows}
    return report(every, names, versions, options)


def report(every: dict[Row, dict[str, Scores]], names: list[str], versions: dict[str, str], options: Any) -> int:
    def of(family: str | None) -> dict[str, dict[str, float]]:
        parts = [found for row, found in every.items() if family is None or row.family == family]
        return {name: Scores.joined(part[name] for part in parts).figures() for name in names}

    record: dict[str, Any] = {"versions": versions, "quick": options.quick}
    record |= {family: of(family) for family in FAMILIES if any(row.family == family for row in every)}
    record["all"] = of(None)
    for title, found in record.items():
        if title not in ("versions", "quick"):
            print(table(title, found))
    if options.rows:
        print(table("ours by function", {row.name: found["gradcheck"].figures() for row, found in every.items()}))
    if options.json:
        options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    goals = wanted(record["all"]) if "gradcheck" in names else []
    print("\nwanted of ours:" if goals else "")
    for words, kept in goals:
        print(f"  {'kept  ' if kept else 'MISSED'} {words}")
    return 0 if all(kept for _, kept in goals) else 1


if __name__ == "__main__":
    sys.exit(main())
