"""How is gradcheck called from Python? Spec files judged in one call; the result explains itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from gradcheck.run import Config, Entry, Outcome, entries, outcomes
from gradcheck.run.settings import settings
from gradcheck.spec import load_many


def project_config(config: Config | None = None) -> Config:
    """`config` (or the defaults) with what the project's `pyproject.toml` allows; `allowed=None` still refuses all."""
    config = config or Config()
    project = settings(Path.cwd())
    allowed = None if config.allowed is None else project.allow_imports
    return replace(config, allowed=allowed, python_path=project.python_path)


def judge_files(paths: Sequence[str], config: Config | None = None) -> Iterator[Outcome]:
    """The outcomes of all functions and behaviours of spec files, in order.

    Raises SpecErrors with every complaint where a file cannot be judged.
    """
    work: list[Entry] = entries(load_many(paths))
    return outcomes(work, project_config(config))
