"""Where are failures kept? One small JSON file each, so that they can be replayed until they are fixed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradcheck.errors import UsageError, did_you_mean
from gradcheck.run.outcome import Outcome
from gradcheck.run.plain import plain
from gradcheck.run.settings import Settings

FOLDER = Path(".gradcheck") / "failures"


@dataclass(frozen=True, slots=True)
class Failure:
    """A stored failing point."""

    id: str
    spec: str
    file: str
    sizes: Mapping[str, int]
    inputs: Mapping[str, Any]
    cotangent: Mapping[str, Any]
    quantity: str
    blame: str
    sentence: str
    tangents: Mapping[str, Any] = field(default_factory=dict)
    dtype: str = "float64"
    witness: str = ""
    example: Sequence[str] = ()  # lines, as in Counterexample
    python: Sequence[str] = ()
    layout: str = ""


def failure_id(outcome: Outcome) -> str:
    """A short name of the failing point: the same function failing at the same point has the same name."""
    c = outcome.counterexample
    assert c is not None
    at = [*([] if c.dtype == "float64" else [c.dtype]), *([c.layout] if c.layout else [])]
    point = [outcome.id, plain(c.inputs), plain(c.cotangent), plain(c.tangents), c.quantity, *at]
    facts = json.dumps(point, sort_keys=True)
    return f"{outcome.id}-{hashlib.sha256(facts.encode()).hexdigest()[:8]}"


def save(outcome: Outcome, folder: Path = FOLDER) -> Path | None:
    """Write the outcome's failing point; None where it has none, or was meant to fail and did."""
    c = outcome.counterexample
    if c is None or outcome.passed:
        return None
    failure = Failure(
        failure_id(outcome), outcome.id, outcome.file, c.sizes, c.inputs, c.cotangent, c.quantity, outcome.blame,
        c.sentence, c.tangents, c.dtype, c.witness,
        c.example, c.python, c.layout,
    )  # fmt: skip
    path = folder / f"{failure.id}.json"
    part = folder / f"{failure.id}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(plain(failure), indent=1) + "\n", encoding="utf-8")
        part.replace(path)  # all at once: several processes may keep the same failure
    except OSError as error:
        raise UsageError(f"the failure cannot be kept in {folder}: {error.strerror}") from None
    return path


def folder_of(named: str | None, project: Settings) -> Path:
    """The folder that failures are kept in: the one that was named, the project's own, or FOLDER where one is."""
    return Path(named or project.store or FOLDER)


def stored(folder: Path = FOLDER) -> list[str]:
    """The names of all failures that are kept, in the order of the alphabet."""
    return sorted(path.stem for path in folder.glob("*.json")) if folder.is_dir() else []


def load(name: str, folder: Path = FOLDER) -> Failure:
    """The stored failure of that id. Raises UsageError where there is none."""
    path = folder / f"{name}.json"
    known = stored(folder)
    if name not in known:
        raise UsageError(f"no failure {name!r} is stored in {folder}", did_you_mean(name, known))
    try:
        return Failure(**json.loads(path.read_text(encoding="utf-8")))
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path} is not a stored failure ({error})") from None
