"""Are implementations that are wrong in float32 only caught, and those that are right let be, without any framework?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gradcheck.run import Config, Profile, entries, outcomes
from gradcheck.spec import Spec, load

ROOT = Path(__file__).resolve().parents[2] / "specs"
FILES = ("precision/right.grad.yaml", "planted/precision.grad.yaml")
LIGHT = Profile("light", shapes=1, per_shape=1, points=48)
CONFIG = Config(
    witnesses=("engine", "differences"), profile=LIGHT, allowed=("planted_precision", "precision_rules"),
    python_path=(str(ROOT / "planted"), str(ROOT / "precision")),
)  # fmt: skip
SPECS = [s for file in FILES for s in entries([load(str(ROOT / file))]) if isinstance(s, Spec) and s.implementations]


@pytest.mark.parametrize("spec", SPECS, ids=[spec.id for spec in SPECS])
def test_it_gets_its_verdict(spec: Spec) -> None:
    (outcome,) = outcomes([spec], CONFIG)
    assert outcome.passed, outcome.sentence
    told = {name: result.verdict for name, result in outcome.witnesses.items() if name.startswith("implementation")}
    assert not {"SILENT", "CRASHED"} & set(told.values())
    assert spec.expect or not {"DISAGREES", "INACCURATE"} & set(told.values())


@pytest.mark.parametrize("spec", [s for s in SPECS if "float64" in s.dtypes and s.expect], ids=lambda s: s.id)
def test_in_float64_alone_it_would_pass_unless_it_is_wrong_there_too(spec: Spec) -> None:
    (outcome,) = outcomes([spec], replace(CONFIG, dtypes=("float64",)))
    assert outcome.verdict == ("DISAGREES" if spec.id == "planted_beyond_a_declared_error" else "AGREES")
