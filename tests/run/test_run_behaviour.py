"""What comes of a behaviour, from what its tapes do?"""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.oracles.behaviours import Performance
from gradcheck.run import behaviour, entries, outcomes
from gradcheck.spec import load_many

TEXT = """gradcheck: 1
semantics:
  accumulates:
    summary: Gradients add up.
    tags: [tape]
    steps:
      - tensor: {w: [1, 1]}
      - let: {z: sum(3*w)}
      - backward: z
      - let: {z: sum(3*w)}
      - backward: z
      - expect: {grad: {w: [6, 6]}}
"""


@pytest.fixture
def behaves(tmp_path: Path, monkeypatch, light):
    def behaves(text: str = TEXT, **changes: object):
        monkeypatch.chdir(tmp_path)
        Path("t.grad.yaml").write_text(text, encoding="utf-8")
        (outcome,) = outcomes(entries(load_many(["t.grad.yaml"])), light(**changes))
        return outcome

    return behaves


def test_a_behaviour_that_a_tape_shows_passes(behaves):
    outcome = behaves()
    assert (outcome.kind, outcome.passed, outcome.verdict) == ("semantics", True, "AGREES")
    assert (outcome.line, outcome.tags, outcome.summary) == (3, ("tape",), "Gradients add up.")
    assert outcome.witnesses["differences"].verdict == "SILENT"
    assert "has no tape" in outcome.witnesses["differences"].reason


def test_a_behaviour_that_no_tape_shows_is_unwitnessed(behaves):
    outcome = behaves(witnesses=("differences",))
    assert (outcome.passed, outcome.verdict, outcome.sentence) == (
        False,
        "UNWITNESSED",
        "no tape was seen to behave so",
    )


def test_a_tape_that_behaves_otherwise_is_blamed_and_says_where(behaves):
    outcome = behaves(TEXT.replace("[6, 6]", "[3, 3]"))
    assert (outcome.passed, outcome.verdict, outcome.blame) == (False, "DISAGREES", "engine")
    assert outcome.sentence.startswith("engine: ")


def test_the_expectation_is_blamed_where_every_tape_behaves_otherwise(behaves, monkeypatch):
    def perform(semantics, name):
        verdict = "SILENT" if name == "jax" else "DISAGREES"
        return Performance(name, verdict, "not so", 1, 0.5)

    monkeypatch.setattr(behaviour, "perform", perform)
    outcome = behaves(witnesses=("engine", "torch", "jax"))
    assert (outcome.verdict, outcome.blame) == ("DISAGREES", "claim")
    assert outcome.seconds_in_witnesses == 1.5
