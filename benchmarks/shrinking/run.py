"""How small and how simple are shrunk failures, and how long does shrinking take?

    python -m benchmarks.shrinking.run [FILE_OR_FOLDER …] [--profile default] [--seed N] [--from-examples] [--json FILE]

Every function of the spec files that is wrong is shrunk, from what the profile finds (quick where none is said), and
with --from-examples from its worked examples alone (an awkward failing point each). Told are: the most dimensions and
the largest size of any input, the most significant digits of any number (inputs, cotangents, tangents), and the
processor's seconds (this process and its forks) of shrinking. Without paths: specs/planted and the table beside this
file; the table of bugs in regions is `benchmarks/regions --profile default`. Modules are imported from a spec's own
folder and from that one.

The goal, of the medians: 2 dimensions of size 2, 4 digits; under 2 s each.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from gradcheck.cases import PHASES
from gradcheck.run import PROFILES, Config, Entry, Outcome, entries, function, outcomes
from gradcheck.spec import Spec, load_many

ROOT = Path(__file__).parents[2]
TABLES = (ROOT / "specs" / "planted", Path(__file__).parent)
MOST_DIMS, MOST_SIZE, MOST_DIGITS, MOST_SECONDS = 2, 2, 4, 2.0  # the goal


@dataclass(frozen=True, slots=True)
class Shrunk:
    """One failure as it is told."""

    id: str
    blame: str
    dims: int
    size: int
    digits: int
    numbers: int
    seconds: float
    point: str

    @property
    def small(self) -> bool:
        """Whether it meets the goal."""
        return self.dims <= MOST_DIMS and self.size <= MOST_SIZE and self.digits <= MOST_DIGITS


def digits(value: float) -> int:
    """Significant digits of a number as it is written: 1 of 300, 0.004 and 0, 3 of 1.25."""
    return len(f"{value!r}".partition("e")[0].replace(".", "").strip("-0")) if value else 1


def shrunk(outcome: Outcome, seconds: float) -> Shrunk | None:
    """The measures of an outcome's failing point; None where it has none."""
    found = outcome.counterexample
    if found is None:
        return None
    inputs = [np.asarray(v, dtype=float) for v in found.inputs.values()]
    rest = [np.asarray(v, dtype=float) for v in (*found.cotangent.values(), *found.tangents.values())]
    return Shrunk(
        outcome.id, outcome.blame, max(x.ndim for x in inputs), max((n for x in inputs for n in x.shape), default=1),
        max(digits(float(v)) for x in [*inputs, *rest] for v in x.reshape(-1)), sum(x.size for x in inputs), seconds,
        _point(found.inputs, found.cotangent, found.tangents),
    )  # fmt: skip


def _point(*parts: Mapping[str, Any]) -> str:
    return "; ".join(", ".join(f"{k} = {v}" for k, v in part.items()) for part in parts if part)


def measured(work: list[Entry], config: Config) -> Iterator[tuple[Outcome, float]]:
    """Every outcome, and the seconds that shrinking took in it."""
    own, spent = function.counterexample, [0.0]

    def timed(*words: Any) -> Any:
        start = sum(os.times()[:4])
        try:
            return own(*words)
        finally:
            spent[0] += sum(os.times()[:4]) - start

    function.counterexample = timed  # type: ignore[assignment]
    try:
        for entry in work:
            spent[0] = 0.0
            yield next(outcomes([entry], config)), spent[0]
    finally:
        function.counterexample = own


def table(paths: list[Path], profile: str, seed: int, from_examples: bool) -> tuple[list[Shrunk], list[str]]:
    """What came of every function; and the names of those that nothing was found of."""
    files = load_many(map(str, paths))
    folders = {str(Path(file.path).parent) for file in files}
    modules = tuple(path.stem for folder in folders for path in Path(folder).glob("*.py"))
    allowed = (*modules, "benchmarks.regions")
    phases = ("examples",) if from_examples else PHASES
    config = Config(profile=PROFILES[profile], seed=seed, phases=phases, allowed=allowed, python_path=tuple(folders))
    work = [e for e in entries(files) if isinstance(e, Spec) and (e.examples or not from_examples)]
    found, missed = [], []
    for outcome, seconds in measured(work, config):
        one = shrunk(outcome, seconds)
        if one is not None:
            found.append(one)
            print(
                f"{one.id:40} {one.dims} dims of {one.size}, {one.digits:2} digits, {seconds:5.2f} s  {one.point[:110]}"
            )
        elif outcome.verdict not in ("AGREES", "INACCURATE"):
            missed.append(f"{outcome.id}: {outcome.verdict}")
    return found, missed


def main(words: list[str]) -> int:
    """Tell the table and the medians; 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--profile", choices=PROFILES, default="quick")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--from-examples", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(words)
    found, missed = table(asked.paths or list(TABLES), asked.profile, asked.seed, asked.from_examples)
    if not found:
        print("nothing was shrunk")
        return 1
    figures = {
        "failures": len(found), "small": sum(f.small for f in found), "dims": median(f.dims for f in found),
        "size": median(f.size for f in found), "digits": median(f.digits for f in found),
        "seconds": median(f.seconds for f in found), "slowest": max(f.seconds for f in found),
        "over 2 s": sum(f.seconds > MOST_SECONDS for f in found),
    }  # fmt: skip
    print("\n".join(f"{name:10} {value}" for name, value in figures.items()))
    print(f"without a failing point: {', '.join(missed) or 'none'}")
    if asked.json is not None:
        asked.json.write_text(json.dumps({"medians": figures, "failures": [asdict(f) for f in found]}, indent=1) + "\n")
    small = figures["dims"] <= MOST_DIMS and figures["size"] <= MOST_SIZE and figures["digits"] <= MOST_DIGITS
    return 0 if small and not figures["over 2 s"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
