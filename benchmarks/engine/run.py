"""How fast is gradcheck's own engine beside PyTorch eager, HIPS autograd and JAX, one thread each, in one run?

    python -m pip install -e ".[torch,jax,bench]"       # `bench` brings HIPS autograd; a missing peer is left out
    python -m benchmarks.engine.run [--only PART] [--quick] [--json FILE]        # in the root of the clone

All ways to a gradient take turns in many short rounds, on one core, timed by the processor's clock; the least of the
rounds counts (the JSON file has the medians too). Gradients are compared before they are timed; where they differ, the
run ends with exit code 1. At the end stands what is wanted of the figures, and whether it is there.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.engine import one_core
from benchmarks.engine.goals import goals
from benchmarks.engine.measure import Disagreement
from benchmarks.engine.parts import PARTS
from benchmarks.engine.peers import PEERS, missing


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS, action="append", help="this part (may be given several times)")
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds: does it run, do all agree?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args(words)
    one_core()
    absent = missing()
    libraries = ["numpy", "scipy", *sorted({name.partition(" ")[0] for name in PEERS} - set(absent))]
    versions = {"python": platform.python_version(), **{name: version(name) for name in libraries}}
    print(", ".join(f"{name} {number}" for name, number in versions.items()))
    for name in absent:
        print(f"not installed, left out: {name}")
    try:
        found = {name: PARTS[name](options.quick) for name in options.only or PARTS}
    except Disagreement as wrong:
        print(f"the numbers differ: {wrong}", file=sys.stderr)
        return 1
    wanted = list(goals(found))
    if not options.quick:  # tiny sizes are held to nothing
        print("\nwanted: the ratio of the least times, of the medians, and the bound")
        print(*wanted, sep="\n")
    if options.json:
        kept = [goal._asdict() | {"kept": goal.kept} for goal in wanted]
        record = {"versions": versions, "quick": options.quick, **found, "wanted": kept}
        options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
