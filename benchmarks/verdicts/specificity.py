"""Is anybody accused wrongly? Right functions and honest witnesses, many seeds: each alarm is told with its reason.

    python -m benchmarks.verdicts.specificity [--seeds 50] [--points 128] [--witness NAME …] [--only TEXT] [PATHS]

Every function of the paths (specs/seeds and specs/hard where none are given) is judged at every seed. A function that
does not pass is an alarm; so is a witness, beside the known deviations, that disagrees. Exit code 1 where there is one.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from pathlib import Path

from gradcheck.oracles.hearing import WITNESSES
from gradcheck.run import Config, Profile
from gradcheck.run.function import judge_function
from gradcheck.spec import load_many

ROOT = Path(__file__).parents[2]
SETS = ("specs/seeds", "specs/hard")


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", default=[str(ROOT / s) for s in SETS])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--points", type=int, default=128)
    parser.add_argument("--witness", action="append", choices=tuple(WITNESSES))
    parser.add_argument("--only", default="", help="functions whose names hold this")
    options = parser.parse_args(words)
    warnings.simplefilter("ignore")
    witnesses = tuple(options.witness or WITNESSES)
    profile = Profile("specificity", 1, 1, options.points)
    specs = [s for file in load_many(options.paths) for s in file.functions if options.only in s.id]
    verdicts: Counter[str] = Counter()
    alarms = 0
    for spec in specs:
        for seed in range(options.first, options.first + options.seeds):
            outcome = judge_function(spec, Config(witnesses=witnesses, profile=profile, seed=seed))
            verdicts[outcome.verdict] += 1
            if not outcome.passed:
                alarms += 1
                print(f"{spec.id}, seed {seed}: {outcome.verdict} {outcome.blame}: {outcome.sentence}", flush=True)
    told = ", ".join(f"{number} {verdict}" for verdict, number in verdicts.most_common())
    print(f"{len(specs)} functions, {options.seeds} seeds, {options.points} points, {', '.join(witnesses)}: {told}")
    print(f"{alarms} of {sum(verdicts.values())} outcomes are alarms")
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main())
