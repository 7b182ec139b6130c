"""Spec texts, and the way from a text to outcomes: written into a directory of its own, loaded and judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from gradcheck.run import Config, Outcome, Profile, entries, outcomes
from gradcheck.spec import load_many

EMPTY = Profile("light", shapes=1, per_shape=1, points=8, empty=True)
LIGHT = Profile("light", shapes=1, per_shape=1, points=24)
WITNESSES = ("engine", "differences")
Judge = Callable[..., list[Outcome]]


def config(**changes: object) -> Config:
    """Few points, and the two witnesses that need no framework."""
    return Config(**{"witnesses": WITNESSES, "profile": LIGHT, **changes})


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Writes functions (YAML text) into a spec file of the temporary, then current, directory; gives its name."""
    monkeypatch.chdir(tmp_path)

    def write(functions: str, name: str = "a.grad.yaml") -> str:
        body = "\n".join(f"  {line}" if line else line for line in dedent(functions).strip("\n").split("\n"))
        Path(name).write_text(f"gradcheck: 1\nfunctions:\n{body}\n", encoding="utf-8")
        return name

    return write


@pytest.fixture
def judge(write: Callable[..., str]) -> Judge:
    """Judges functions given as YAML text; keywords are settings of the run."""

    def judge(functions: str, **changes: object) -> list[Outcome]:
        return list(outcomes(entries(load_many([write(functions)])), config(**changes)))

    return judge


@pytest.fixture
def light() -> Callable[..., Config]:
    return config


SINE = """
    sine:
      inputs: {x: {}}
      value: sin(x)
      gradient: {x: cos(x)}
"""
NORM = """
    norm:
      inputs: {x: {shape: [n], domain: "norm(x) > 0"}}
      value: sqrt(sum(x**2))
      gradient: {x: 2*x}
"""


@pytest.fixture
def sine() -> str:
    return SINE


@pytest.fixture
def wrong_norm() -> str:
    return NORM
