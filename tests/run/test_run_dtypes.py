"""Is a function judged at the dtypes it names, each under a name of its own, down to the stored failure?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradcheck.run.failures.replay import State, replay
from gradcheck.run.failures.store import load, save
from gradcheck.run.function import heard_of
from gradcheck.run.record import document, read_json, run_of, write_json
from gradcheck.spec import load as load_file

MODULE = "gradcheck_tests_run_narrow_rules"
CODE = """
import numpy as np

def cube(x):
    return x * x * x

def cube_vjp(x, ct):
    found = 3 * ct * x * x
    return found * found.dtype.type(1.001) if x.dtype == np.float32 else found

def right_cube_vjp(x, ct):
    return 3 * ct * x * x
"""
CUBE = """
    cube:
      inputs: {x: {shape: [n]}}
      dtypes: [float64, float32]
      value: x**3
      vjp: {x: 3*ct*x**2}
      implementations: {numpy: {value: "MODULE:cube", vjp: "MODULE:cube_vjp"}}
""".replace("MODULE", MODULE)
MINE = "implementation:numpy"


@pytest.fixture
def allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, ...]]:
    (tmp_path / f"{MODULE}.py").write_text(CODE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield (MODULE,)
    sys.modules.pop(MODULE, None)


def test_each_dtype_is_a_party_of_its_own(judge, allowed):
    (outcome,) = judge(CUBE, allowed=allowed)
    verdicts = {name: result.verdict for name, result in outcome.witnesses.items()}
    assert verdicts == {"engine": "AGREES", "differences": "AGREES", MINE: "AGREES", f"{MINE} float32": "DISAGREES"}
    assert (outcome.verdict, outcome.blame) == ("DISAGREES", f"{MINE} float32 reverse")
    assert outcome.counterexample is not None
    assert outcome.counterexample.dtype == "float32"


def test_a_right_implementation_is_not_accused(judge, allowed):
    (outcome,) = judge(
        CUBE.replace("cube_vjp", "right_cube_vjp").replace("float32]", "float32, float16]"), allowed=allowed
    )
    assert (outcome.passed, outcome.verdict) == (True, "AGREES")
    assert {outcome.witnesses[f"{MINE} {dtype}"].verdict for dtype in ("float32", "float16")} == {"AGREES"}


def test_the_runs_dtypes_take_the_place_of_the_specs(judge, allowed):
    (outcome,) = judge(CUBE, allowed=allowed, dtypes=("float64",))
    assert (outcome.passed, set(outcome.witnesses)) == (True, {"engine", "differences", MINE})
    (outcome,) = judge(CUBE, allowed=allowed, dtypes=("float16",))
    assert set(outcome.witnesses) == {"engine", "differences", f"{MINE} float16"}
    assert outcome.witnesses["engine"].verdict == "AGREES"  # of the claim, in float64 whatever is asked
    assert outcome.replay.endswith("-k cube --dtype float16 --seed 0 --profile light")


def test_float64_alone_is_what_it_was_before(judge, sine):
    (before,) = judge(sine)
    (after,) = judge(sine.rstrip() + "\n      dtypes: [float64]\n")
    assert (before.cases, before.points, set(before.witnesses)) == (after.cases, after.points, set(after.witnesses))


def test_the_narrow_cases_do_not_change_what_was_asked_in_float64(judge, allowed):
    (alone,) = judge(CUBE, allowed=allowed, dtypes=("float64",))
    (both,) = judge(CUBE, allowed=allowed)
    assert both.cases == 2 * alone.cases
    assert both.power == alone.power
    assert both.witnesses["engine"].compared == alone.witnesses["engine"].compared


def test_silences_are_stated(judge, allowed):
    inputs = "inputs: {x: {shape: [3], domain: sphere}}"
    text = CUBE.replace("inputs: {x: {shape: [n]}}", inputs).replace("float32]", "bfloat16]")
    (outcome,) = judge(text, allowed=allowed)
    silent = outcome.witnesses[f"{MINE} bfloat16"]
    assert (silent.verdict, silent.reason) == (
        "SILENT",
        "it was not heard: no point of the domain was found in bfloat16",
    )
    (outcome,) = judge(CUBE.replace("float32]", "bfloat16]"), allowed=allowed)
    assert outcome.witnesses[f"{MINE} bfloat16"].reason == "NumPy has no bfloat16"


def test_what_is_left_out_in_float64_says_so(judge, sine):
    pytest.importorskip("torch")
    text = sine.rstrip() + "\n      dtypes: [float32]\n"
    (outcome,) = judge(text, witnesses=("engine", "torch"))
    assert outcome.witnesses["torch"].reason == "it was not heard: asked in float32 only"
    assert outcome.witnesses["torch float32"].verdict == "AGREES"
    assert outcome.passed


def test_a_known_deviation_is_known_at_every_dtype(judge):
    """PyTorch has no derivative of x // y, in float32 as little as in float64."""
    pytest.importorskip("torch")
    quotient = """
    quotient:
      inputs: {x: {domain: "(-9, 9), x/y != round(x/y)"}, y: {domain: "(1, 4)"}}
      dtypes: [float64, float32]
      value: x // y
      derivative: {x: 0*x, y: 0*y}
"""
    known = "      known: {torch: {verdict: CRASHED, reason: it has no derivative of it}}\n"
    (outcome,) = judge(quotient, witnesses=("engine", "torch"))
    assert (outcome.passed, outcome.verdict) == (False, "CRASHED")
    (outcome,) = judge(quotient + known, witnesses=("engine", "torch"))
    assert outcome.passed
    assert {outcome.witnesses[name].verdict for name in ("torch", "torch float32")} == {"CRASHED"}


def test_a_failure_is_kept_and_replayed_in_its_dtype(judge, allowed, light, tmp_path: Path):
    (outcome,) = judge(CUBE, allowed=allowed)
    path = save(outcome, tmp_path / "store")
    assert path is not None
    kept = load(path.stem, tmp_path / "store")
    assert kept.dtype == "float32"
    found = replay(kept, light(allowed=allowed))
    assert found.state is State.FAILED
    assert {f.witness for f in found.findings} == {f"{MINE} float32"}
    (tmp_path / f"{MODULE}.py").write_text(CODE.replace("1.001", "1.0"), encoding="utf-8")
    sys.modules.pop(MODULE)
    assert replay(kept, light(allowed=allowed)).state is State.FIXED


def test_the_record_holds_them(judge, allowed, light, tmp_path: Path):
    outcomes = judge(CUBE, allowed=allowed)
    run = run_of(outcomes, light(), "", 1.0)
    write_json(run, tmp_path / "run.json")
    again = read_json(tmp_path / "run.json")
    assert document(again) == document(run)
    assert again.outcomes[0].witnesses[f"{MINE} float32"].verdict == "DISAGREES"
    assert again.summary.disagrees == 1


def test_who_is_heard_is_known_before(write, light):
    (spec,) = load_file(write(CUBE)).functions
    names = heard_of(spec, light(witnesses=("engine", "differences", "torch", "jax")))
    assert names == [
        "engine", "differences", "torch", "jax", MINE, "torch float32", "jax float32", f"{MINE} float32",
    ]  # fmt: skip
