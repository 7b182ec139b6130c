"""In how many of N seeds is each bug found that shows in one region only?

    python -m benchmarks.regions.run [--seeds 20] [--profile default] [--only WORD …] [--right] [--json FILE]

`regions.grad.yaml` holds the bugs, each with the region it shows in. Beside our own cases stand uniform ones: as many
points in as many shapes, drawn without plan. A bug counts as found where its implementation (or its claim)
DISAGREES; the origins of the points that showed it are told. `--right` takes the faults out of the rules: then nothing
may be found.
The engine alone is heard, and the differences where the function has kinks (tag `kink`); the first case that shows the
bug ends its run.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from benchmarks.regions.faults import PLANTED
from gradcheck.judge import Finding, Verdict
from gradcheck.run.cases import cases_of
from gradcheck.run.config import PROFILES, Config, Profile
from gradcheck.run.function import hear
from gradcheck.spec import Spec, load

SPECS = Path(__file__).with_name("regions.grad.yaml")


@dataclass
class Row:
    """What became of one bug: in which seeds it was found, and by points of which origin."""

    name: str
    region: str
    seeds: int
    found: int = 0
    uniform: int = 0
    origins: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def line(self) -> str:
        by = ", ".join(f"{origin} {count}" for origin, count in self.origins.most_common(3))
        region = self.region.removeprefix("Wrong only ").rstrip(".")
        return f"{self.name:32} {self.found:3d} {self.uniform:4d}  {self.seconds:5.2f} s  {by:40} {region}"


def configured(spec: Spec, profile: Profile, seed: int, phases: Sequence[str]) -> Config:
    witnesses = ("engine", "differences") if "kink" in spec.tags else ("engine",)
    return Config(
        witnesses, profile, seed, allowed=("benchmarks.regions",), **({"phases": tuple(phases)} if phases else {})
    )  # fmt: skip


def shown(spec: Spec, config: Config) -> Finding | None:
    """The first finding of a fault in the implementation, or in the claim where there is none."""
    for case, example in cases_of(spec, config):
        for finding in hear(case, config, example, {}).findings:
            by_rule = finding.witness.startswith("implementation:") or not spec.implementations
            if by_rule and finding.verdict in (Verdict.DISAGREES, Verdict.CRASHED):
                return finding
    return None


def rows(specs: Sequence[Spec], seeds: range, profile: Profile, phases: Sequence[str], uniform: bool) -> Iterator[Row]:
    for spec in specs:
        row, start = Row(spec.id, spec.summary, len(seeds)), time.perf_counter()
        for seed in seeds:
            finding = shown(spec, configured(spec, profile, seed, phases))
            row.found += finding is not None
            if finding is not None:
                row.origins[finding.worst.origin if finding.worst else finding.verdict.value] += 1
        row.seconds = (time.perf_counter() - start) / len(seeds)
        if uniform:
            row.uniform = sum(shown(spec, configured(spec, profile, seed, ("uniform",))) is not None for seed in seeds)
        yield row


def told(found: Sequence[Row]) -> dict[str, Any]:
    """The totals."""
    pairs = sum(r.seeds for r in found)
    return {
        "bugs": len(found), "pairs": pairs, "found": sum(r.found for r in found),
        "always": sum(r.found == r.seeds for r in found), "never": sum(r.found == 0 for r in found),
        "uniform": sum(r.uniform for r in found), "uniform always": sum(r.uniform == r.seeds for r in found),
        "uniform never": sum(r.uniform == 0 for r in found), "seconds each": sum(r.seconds for r in found) / len(found),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--profile", choices=PROFILES, default="default")
    parser.add_argument("--only", nargs="*", default=[], help="bugs whose names hold one of these words")
    parser.add_argument("--skip", nargs="*", default=[], help="and none of these")
    parser.add_argument("--phases", default="", help="of our cases, with commas; all where nothing is said")
    parser.add_argument("--no-uniform", action="store_true", help="leave the uniform cases out")
    parser.add_argument("--right", action="store_true", help="the same rules without their faults")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    PLANTED["in"] = not asked.right
    specs = [s for s in load(str(SPECS)).functions if not asked.only or any(w in s.id for w in asked.only)]
    specs = [s for s in specs if not any(w in s.id for w in asked.skip)]
    specs = [s for s in specs if not (asked.right and s.id.startswith("claim_"))]
    phases = [p for p in asked.phases.split(",") if p]
    found = []
    print(f"{'bug':32} ours unif.  time     origins" + 36 * " " + "wrong only")
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in rows(specs, range(asked.seeds), PROFILES[asked.profile], phases, not asked.no_uniform):
            found.append(row)
            print(row.line(), flush=True)
    totals = told(found)
    print(", ".join(f"{k}: {v:.4g}" for k, v in totals.items()))
    if asked.json:
        document = {"totals": totals, "rows": [vars(r) for r in found]}
        asked.json.write_text(json.dumps(document, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
