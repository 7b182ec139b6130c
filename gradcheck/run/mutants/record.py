"""What is a run of mutants as a whole, and how is it written? Its sums, its exit code, one JSON document."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradcheck import __version__
from gradcheck.errors import UsageError
from gradcheck.run.config import Config
from gradcheck.run.gate import CLEAN, NOTHING, UNJUDGED, WRONG
from gradcheck.run.mutants.fates import Fate, Mutation
from gradcheck.run.plain import plain
from gradcheck.run.record import versions

FORMAT = 1


def total(mutations: Sequence[Mutation], name: str = "all") -> Mutation:
    """All functions as one: their mutants added up."""
    counts: Counter[str] = Counter()
    by_kind: Counter[str] = Counter()
    for one in mutations:
        counts.update(one.counts)
        by_kind.update(one.killed_by_kind)
    return Mutation(
        name, "", 0, counts=dict(counts), killed_by_kind=dict(by_kind),
        mutants=tuple(mutant for one in mutations for mutant in one.mutants), cases=sum(m.cases for m in mutations),
        points=sum(m.points for m in mutations), seconds=sum(m.seconds for m in mutations),
    )  # fmt: skip


def exit_code(mutations: Sequence[Mutation], at_least: float | None = None) -> int:
    """0 all caught, 1 one survived that is not equivalent, 2 a function does not pass as it stands, 5 nothing ran.

    at_least: the percentage of wrong claims that must be caught, where survivors are put up with; None: all.
    """
    whole = total(mutations)
    if whole.score is not None and 100 * whole.score < (100.0 if at_least is None else at_least):
        return WRONG
    if any(one.skipped and not one.planted for one in mutations):
        return UNJUDGED
    return CLEAN if any(not one.skipped for one in mutations) else NOTHING


def document(mutations: Sequence[Mutation], config: Config, command: str) -> dict[str, Any]:
    """The run as one JSON document: every mutant that was not simply contradicted, and how many were."""
    whole = total(mutations)
    return {
        "gradcheck_mutation": FORMAT, "version": __version__, "seed": config.seed, "profile": config.profile.name,
        "command": command, "versions": versions(), "witnesses": list(config.witnesses),
        "summary": {
            "functions": sum(not one.skipped for one in mutations),
            "skipped": sum(bool(one.skipped) for one in mutations),
            "mutants": whole.total, **{fate.value: whole.count(fate) for fate in Fate}, "score": whole.score,
            "seconds": whole.seconds,
        },
        "functions": [{**plain(one), "score": one.score} for one in mutations],
    }  # fmt: skip


def write_mutations(mutations: Sequence[Mutation], config: Config, command: str, path: Path) -> None:
    """Write the document; the folder is made. Raises UsageError where that cannot be."""
    text = json.dumps(document(mutations, config, command), indent=1, allow_nan=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
