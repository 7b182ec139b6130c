"""Do verdicts and blame stay the same when f, or its inputs, or both are multiplied by 1e-20 … 1e20?

    python -m benchmarks.verdicts.scale [--witness NAME …] [--points 64] [--only TEXT] [PATHS]

Every function of the paths (specs/seeds, specs/planted and specs/hard where none are given) is judged once as it is and
once in each of the other units, at the same points. Prints each change of verdict or blame; exit code 1 where there is
one.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.verdicts.trial import Question, questions, said_of, verdict
from gradcheck.oracles.hearing import WITNESSES
from gradcheck.spec import Spec, load_many

ROOT = Path(__file__).parents[2]
SETS = ("specs/seeds", "specs/planted", "specs/hard")
FACTORS = (1e-20, 1e-6, 1e6, 1e20)
INPUTS = (2.0**-66, 2.0**-20, 2.0**20, 2.0**66)  # the powers of two beside: no point is moved by rounding x / X
PAIRS = tuple(zip(FACTORS, INPUTS, strict=True))
UNITS = (
    *((f, 1.0) for f in FACTORS),
    *((1.0, x) for x in INPUTS),
    *PAIRS,
    *((f, 1 / x) for f, x in PAIRS),
)  # (by what f is multiplied, by what its inputs are multiplied)
ALLOWED = ("planted_rules",)


def judged(
    spec: Spec, asked: Sequence[Question], witnesses: Sequence[str], units: tuple[float, float]
) -> tuple[str, str, str]:
    """Verdict, blame and reason of a function in some units."""
    heard = [said_of(q, witnesses, ALLOWED, units) for q in asked]
    whole, _ = verdict(spec, heard, witnesses)
    return whole.verdict.value, whole.blame, whole.sentence


def changes(
    spec: Spec, witnesses: Sequence[str], points: int, all_units: Sequence[tuple[float, float]] = UNITS
) -> Iterator[str]:
    """A sentence for every change of a function's verdict or blame."""
    asked = questions(spec, 0, 2, points)
    before = judged(spec, asked, witnesses, (1.0, 1.0))
    for units in all_units:
        after = judged(spec, asked, witnesses, units)
        if after[:2] != before[:2]:
            was, now = (" ".join(pair[:2]).strip() for pair in (before, after))
            yield f"{spec.id}: {was}, but {now} for f times {units[0]:g}, x times {units[1]:g}: {after[2]}"


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", default=[str(ROOT / s) for s in SETS])
    parser.add_argument("--witness", action="append", choices=tuple(WITNESSES))
    parser.add_argument("--points", type=int, default=64)
    parser.add_argument("--only", default="", help="functions whose names hold this")
    options = parser.parse_args(words)
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(ROOT / "specs" / "planted"))
    witnesses = tuple(options.witness or WITNESSES)
    specs = [s for file in load_many(options.paths) for s in file.functions if options.only in s.id]
    changed = 0
    for spec in specs:
        for sentence in changes(spec, witnesses, options.points):
            print(sentence, flush=True)
            changed += 1
    made = f"{len(specs)} functions in {len(UNITS)} other units, witnesses {', '.join(witnesses)}"
    print(f"{made}: {changed} of {len(specs) * len(UNITS)} verdicts changed")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
