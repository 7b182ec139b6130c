"""Is a fixed failure told from one that still fails, and from one that cannot be judged any more?"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradcheck.run.failures.replay import State, replay
from gradcheck.run.failures.store import Failure, load, save

MODULE = "gradcheck_tests_run_replayed_rules"
CODE = """
def square(x):
    return x * x

def square_vjp(x, ct):
    return 3 * ct * x
"""
SQUARE = f"""
    square:
      inputs: {{x: {{shape: [n]}}}}
      value: x**2
      vjp: {{x: 2*ct*x}}
      implementations: {{numpy: {{value: "{MODULE}:square", vjp: "{MODULE}:square_vjp"}}}}
"""


@pytest.fixture
def kept(judge, wrong_norm, tmp_path: Path) -> Failure:
    """The one failure of the wrong norm, stored."""
    return only(judge(wrong_norm), tmp_path)


def only(outcomes, tmp_path: Path) -> Failure:
    (outcome,) = outcomes
    path = save(outcome, tmp_path / "store")
    assert path is not None
    return load(path.stem, tmp_path / "store")


@pytest.fixture
def allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, ...]]:
    (tmp_path / f"{MODULE}.py").write_text(CODE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield (MODULE,)
    sys.modules.pop(MODULE, None)


def test_a_failure_still_fails_until_it_is_fixed(kept, write, light, wrong_norm):
    found = replay(kept, light())
    assert (found.state, found.reason) == (State.FAILED, kept.sentence)
    assert {(f.witness, f.verdict.value) for f in found.findings if f.mode == "reverse"} == {
        ("engine", "DISAGREES"),
        ("differences", "DISAGREES"),
    }
    write(wrong_norm.replace("2*x", "x / value"))
    found = replay(kept, light())
    assert found.state is State.FIXED
    assert "AGREES" in {f.verdict.value for f in found.findings}


def test_a_failure_along_a_direction_is_replayed_along_it(judge, write, light, tmp_path: Path):
    text = "product:\n  inputs: {x: {shape: [3]}, y: {shape: [3]}}\n  value: x * y\n  jvp: t_x * y - x * t_y\n"
    outcomes = judge(text)
    kept = only(outcomes, tmp_path)
    assert kept.tangents == outcomes[0].counterexample.tangents != {}
    assert replay(kept, light()).state is State.FAILED
    write(text.replace("- x", "+ x"))
    assert replay(kept, light()).state is State.FIXED


def test_a_wrong_worked_example_is_replayed_with_the_example(judge, write, light, tmp_path: Path):
    text = "printed:\n  inputs: {x: {}}\n  value: sin(x)\n  gradient: {x: cos(x)}\n  examples: [{x: 1, value: 0.5}]\n"
    kept = only(judge(text), tmp_path)
    assert replay(kept, light()).state is State.FAILED
    write(text.replace("value: 0.5", "value: 0.8415, decimals: 4"))
    assert replay(kept, light()).state is State.FIXED


def test_code_under_test_that_is_not_heard_is_not_fixed(judge, light, allowed, tmp_path: Path):
    kept = only(judge(SQUARE, allowed=allowed), tmp_path)
    assert kept.witness == "implementation:numpy"
    assert replay(kept, light(allowed=allowed)).state is State.FAILED
    refused = replay(kept, light(allowed=None))
    assert (refused.state, refused.reason) == (
        State.ERROR,
        "implementation:numpy is not heard: imports are refused (--no-imports)",
    )
    (tmp_path / f"{MODULE}.py").write_text(CODE.replace("3", "2"), encoding="utf-8")
    sys.modules.pop(MODULE)
    assert replay(kept, light(allowed=allowed)).state is State.FIXED


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (
            SQUARE.partition("      implementations")[0],
            "implementation:numpy is not heard: it says nothing of what was wrong",
        ),
        (
            SQUARE.replace("vjp: {x: 2*ct*x}", "derivative: {x: 2*x}").replace("vjp:", "jvp:"),
            "implementation:numpy is not heard: it says nothing of what was wrong",
        ),
        (
            SQUARE.replace("vjp: {x: 2*ct*x}", "jvp: 2*t_x*x"),
            "nothing is claimed of the vjp in x any more, or nobody could be asked",
        ),
    ],
    ids=["no code", "another rule", "another claim"],
)
def test_what_is_not_asked_any_more_is_an_error(judge, write, light, allowed, tmp_path: Path, changed, reason):
    kept = only(judge(SQUARE, allowed=allowed), tmp_path)
    (tmp_path / f"{MODULE}.py").write_text(CODE.replace("3 * ct", "2 * ct"), encoding="utf-8")
    sys.modules.pop(MODULE)
    write(changed)
    found = replay(kept, light(allowed=allowed))
    assert (found.state, found.reason) == (State.ERROR, reason)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("norm:", "length:", "a.grad.yaml has no function 'norm' any more"),
        ("x: {shape: [n], ", "x: {shape: [n]}, y: {", "norm has the inputs x, y now; stored are x"),
        ("[n]", "[3]", "norm takes another x now than the stored one of shape (1,)"),
        ("norm(x) > 0", "norm(x) > 1", "the stored point is not in the domain of norm any more"),
    ],
)
def test_a_spec_that_changed_cannot_be_replayed(kept, write, light, wrong_norm, old, new, message):
    assert old in wrong_norm
    write(wrong_norm.replace(old, new, 1).replace("norm(x) > 0", "norm(x) > 0 "))
    found = replay(kept, light())
    assert (found.state, found.reason) == (State.ERROR, message)


def test_a_spec_that_is_broken_or_gone_cannot_be_replayed(kept, write, light):
    write("norm: {}")
    assert replay(kept, light()).state is State.ERROR
    Path("a.grad.yaml").unlink()
    gone = replay(kept, light())
    assert (gone.state, "a.grad.yaml" in gone.reason) == (State.ERROR, True)


def test_a_layout_that_is_not_known_any_more_is_no_plain_one(kept, write, light, wrong_norm):
    write(wrong_norm.replace("2*x", "x / value"))
    assert replay(kept, light()).state is State.FIXED
    found = replay(dataclasses.replace(kept, layout="upside down: x"), light())
    assert found.state is State.ERROR and "upside down: x" in found.reason


def test_stored_numbers_that_are_none_are_told(kept, tmp_path: Path, light):
    path = tmp_path / "store" / f"{kept.id}.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**record, "inputs": {"x": ["a"]}}), encoding="utf-8")
    found = replay(load(kept.id, tmp_path / "store"), light())
    assert (found.state, found.reason.partition(":")[0]) == (
        State.ERROR,
        f"the stored numbers of {kept.id} cannot be read",
    )
