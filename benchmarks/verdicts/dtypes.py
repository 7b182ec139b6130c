"""What becomes of right frameworks below float64? Findings by verdict, and the largest error in units of the bound.

    python -m benchmarks.verdicts.dtypes [--dtype NAME …] [--seed N] [--points 64] [PATHS]

Every function of the paths (specs/elementary and specs/reductions where none are given) is put to PyTorch and JAX at
each dtype. A DISAGREES or INACCURATE is printed with its reason: it is a false alarm, or a fault of theirs.
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.verdicts.trial import judged
from gradcheck.cases import build, narrowed, plans
from gradcheck.judge import Finding
from gradcheck.judge.budgets import NARROW_SAFETY
from gradcheck.oracles import Evidence, Hearing, Inquiry, Testimony
from gradcheck.run import Config, Profile
from gradcheck.spec import Case, Spec, load_many

ROOT = Path(__file__).parents[2]
SETS = ("specs/elementary", "specs/reductions")
ALARMS = ("DISAGREES", "INACCURATE", "CRASHED")


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", default=[str(ROOT / s) for s in SETS])
    parser.add_argument("--dtype", action="append", choices=tuple(NARROW_SAFETY))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--points", type=int, default=64)
    options = parser.parse_args(words)
    warnings.simplefilter("ignore")
    config = Config(
        profile=Profile("dtypes", 2, 1, options.points), seed=options.seed, dtypes=tuple(options.dtype or NARROW_SAFETY)
    )
    verdicts: dict[str, Counter[str]] = defaultdict(Counter)
    units: dict[str, list[float]] = defaultdict(list)
    with np.errstate(all="ignore"):
        for spec in (s for file in load_many(options.paths) for s in file.functions if s.expect is None):
            for case in cases(spec, config):
                said = Hearing(Inquiry(case)).all(config.witnesses)
                for finding in judged(case, said):
                    verdicts[finding.witness][finding.verdict.value] += 1
                    alarm(spec, finding)
                for name, testimony in said.items():
                    units[name] += errors(said, testimony) if name.endswith(case.dtype) else []
    for name, counted in sorted(verdicts.items()):
        total = counted.total()
        shares = ", ".join(f"{v} {n} ({n / total:.1%})" for v, n in counted.most_common())
        print(f"{name}: {total} findings: {shares}; error in bounds: {spread(units[name])}")


def cases(spec: Spec, config: Config) -> Iterator[Case]:
    """The cases of a function at each dtype."""
    for plan in plans(spec, config.seed, config.profile.shapes, config.profile.per_shape):
        case = build(spec, plan, config.profile.points)
        for dtype in config.dtypes if case is not None else ():
            narrow = narrowed(case, dtype)
            if narrow is not None:
                yield narrow


def alarm(spec: Spec, finding: Finding) -> None:
    if finding.verdict.value in ALARMS:
        print(f"{spec.id}: {finding.witness} {finding.mode} {finding.verdict.value}: {finding.reason}", flush=True)


def errors(said: dict[str, Testimony], testimony: Testimony) -> list[float]:
    """How far a framework's numbers are from the engine's in units of the bound, where that is finite."""
    truth = said["engine"]
    found: list[float] = []
    if isinstance(truth, Evidence) and isinstance(testimony, Evidence):
        for quantity, m in testimony.answers.items():
            known = truth.answers.get(quantity)
            if known is not None and known.center.shape == m.center.shape:
                ratio = np.abs(m.center - known.center) / m.bar
                found += ratio[np.isfinite(m.bar) & (m.bar > 0) & np.isfinite(ratio)].tolist()
    return found


def spread(units: list[float]) -> str:
    if not units:
        return "none"
    return ", ".join(f"{100 * q:g} % below {np.quantile(units, q):.3g}" for q in (0.5, 0.99, 0.999, 0.9999))


if __name__ == "__main__":
    main()
