"""What is a whole run, and how is it written? A summary, one JSON document, JSON Lines; and read back."""

from __future__ import annotations

import json
import platform
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from gradcheck import __version__
from gradcheck.errors import UsageError
from gradcheck.run.config import Config
from gradcheck.run.outcome import (
    ClaimText,
    Counterexample,
    Graph,
    GraphNode,
    Outcome,
    Plot,
    Run,
    Summary,
    WitnessResult,
)
from gradcheck.run.plain import plain
from gradcheck.run.statistics import statistics_from

FORMAT = 1
LIBRARIES = ("numpy", "scipy", "python-flint", "hypothesis", "torch", "jax")


def run_of(outcomes: Sequence[Outcome], config: Config, command: str, seconds: float) -> Run:
    """The run that gave these outcomes."""
    return Run(
        version=__version__,
        seed=config.seed,
        profile=config.profile.name,
        command=command,
        versions=versions(),
        machine=f"{platform.system()} {platform.machine()}",
        witnesses=config.witnesses,
        summary=summary_of(outcomes, seconds),
        outcomes=tuple(outcomes),
    )


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that are installed."""
    found = {"gradcheck": __version__, "python": ".".join(map(str, sys.version_info[:3]))}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def summary_of(outcomes: Sequence[Outcome], seconds: float) -> Summary:
    """All counts, over functions and behaviours alike; verdicts are counted by (entry, witness) cell."""
    cells = Counter(result.verdict for o in outcomes for result in o.witnesses.values())
    return Summary(
        functions=len(outcomes),
        cases=sum(o.cases for o in outcomes),
        points=sum(o.points for o in outcomes),
        agrees=cells["AGREES"],
        disagrees=cells["DISAGREES"],
        inaccurate=cells["INACCURATE"],
        undecided=cells["UNDECIDED"],
        silent=cells["SILENT"],
        crashed=cells["CRASHED"],
        unwitnessed=sum(o.verdict == "UNWITNESSED" for o in outcomes),
        failed_functions=sum(not o.passed for o in outcomes),
        seconds=seconds,
        seconds_in_witnesses=sum(o.seconds_in_witnesses for o in outcomes),
    )


def document(run: Run) -> dict[str, Any]:
    """The run as one JSON document: `summary`, `functions` and what ran where."""
    whole = plain(run)
    functions = whole.pop("outcomes")
    return {"gradcheck_run": FORMAT, **whole, "functions": functions}


def write_json(run: Run, path: Path) -> None:
    """Write the document; the folder is made. Raises UsageError where that cannot be."""
    text = json.dumps(document(run), indent=1, allow_nan=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def json_line(outcome: Outcome) -> str:
    """One outcome as one line of JSON Lines."""
    return json.dumps(plain(outcome), allow_nan=False)


def read_json(path: Path) -> Run:
    """The run that `write_json` wrote. Raises UsageError where the file is not one."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict) or data.get("gradcheck_run") != FORMAT:
            raise ValueError("it has no 'gradcheck_run': 1")
        return _run(data)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{path} is not the JSON of a run: {error}") from None


def _run(data: Mapping[str, Any]) -> Run:
    return Run(
        data["version"], data["seed"], data["profile"], data["command"], data["versions"], data["machine"],
        tuple(data["witnesses"]), Summary(**data["summary"]), tuple(_outcome(o) for o in data["functions"]),
    )  # fmt: skip


def _outcome(data: Mapping[str, Any]) -> Outcome:
    fields = dict(data)
    fields["tags"] = tuple(fields["tags"])
    fields["notes"] = tuple(fields["notes"])
    fields["witnesses"] = {k: WitnessResult(**v) for k, v in fields["witnesses"].items()}
    fields["claims"] = tuple(ClaimText(**c) for c in fields["claims"])
    example, plot, graph = fields["counterexample"], fields["plot"], fields["graph"]
    if example is not None:
        fields["counterexample"] = Counterexample(
            **{**example, **{key: tuple(example.get(key, ())) for key in ("index", "numbers", "example", "python")}}
        )
    if plot is not None:
        columns = {k: tuple(plot[k]) for k in ("x", "value", "claim", "autodiff")}
        fields["plot"] = Plot(**columns, input=plot["input"])
    if graph is not None:
        nodes = tuple(GraphNode(**n) for n in graph["nodes"])
        fields["graph"] = Graph(nodes, tuple((a, b) for a, b in graph["edges"]))
    fields["statistics"] = statistics_from(fields.get("statistics"))
    return Outcome(**fields)
