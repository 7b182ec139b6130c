"""Are failures kept, and is a fixed one told from one that still fails?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradcheck.errors import SpecErrors, UsageError
from gradcheck.run.replay import replay
from gradcheck.run.store import failure_id, load, save


@pytest.fixture
def kept(judge, wrong_norm, tmp_path: Path):
    """The one failure of the wrong norm, stored; and its name."""
    (outcome,) = judge(wrong_norm)
    path = save(outcome, tmp_path / "store")
    assert path is not None
    return load(path.stem, tmp_path / "store")


def test_a_failure_is_stored_under_a_name_of_its_point(judge, wrong_norm, tmp_path: Path):
    (outcome,) = judge(wrong_norm)
    path = save(outcome, tmp_path / "store")
    assert path is not None
    assert path.name == f"{failure_id(outcome)}.json"
    assert path.stem.startswith("norm-")
    assert save(outcome, tmp_path / "store") == path
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    stored = load(path.stem, path.parent)
    assert (stored.spec, stored.file, stored.blame) == ("norm", "a.grad.yaml", "claim")
    assert stored.inputs == {"x": [1.0]}
    assert stored.sentence == outcome.counterexample.sentence


def test_what_passed_is_not_stored(judge, sine, tmp_path: Path):
    planted = "\n    planted:\n      inputs: {x: {}}\n      value: x\n      gradient: {x: 2}\n"
    outcomes = judge(sine + planted + "      expect: {verdict: DISAGREES, blame: claim}\n")
    assert outcomes[1].counterexample is not None
    assert [save(o, tmp_path / "store") for o in outcomes] == [None, None]
    assert not (tmp_path / "store").exists()


def test_an_unknown_name_and_a_broken_file_are_refused(kept, tmp_path: Path):
    folder = tmp_path / "store"
    with pytest.raises(UsageError, match=f"no failure '{kept.id}x' is stored.*did you mean '{kept.id}'"):
        load(f"{kept.id}x", folder)
    with pytest.raises(UsageError, match="no failure"):
        load("../store/" + kept.id, folder)
    (folder / "odd.json").write_text('{"id": 1}', encoding="utf-8")
    with pytest.raises(UsageError, match="is not a stored failure"):
        load("odd", folder)


def test_a_folder_that_cannot_be_made_is_told(judge, wrong_norm, tmp_path: Path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="the failure cannot be kept in"):
        save(judge(wrong_norm)[0], tmp_path / "file" / "store")


def test_a_failure_still_fails_until_it_is_fixed(kept, write, light, wrong_norm):
    fails, findings = replay(kept, light())
    assert fails
    assert {(f.witness, f.verdict.value) for f in findings if f.mode == "reverse"} == {
        ("engine", "DISAGREES"),
        ("differences", "DISAGREES"),
    }
    write(wrong_norm.replace("2*x", "x / value"))
    fails, findings = replay(kept, light())
    assert not fails
    assert "AGREES" in {f.verdict.value for f in findings}


def test_a_failure_along_a_direction_is_replayed_along_it(judge, write, light, tmp_path: Path):
    text = "product:\n  inputs: {x: {shape: [3]}, y: {shape: [3]}}\n  value: x * y\n  jvp: t_x * y - x * t_y\n"
    (outcome,) = judge(text)
    path = save(outcome, tmp_path / "store")
    stored = load(path.stem, tmp_path / "store")
    assert stored.tangents == outcome.counterexample.tangents != {}
    assert replay(stored, light())[0]
    write(text.replace("- x", "+ x"))
    assert not replay(stored, light())[0]


def test_a_wrong_worked_example_is_replayed_with_the_example(judge, write, light, tmp_path: Path):
    text = "printed:\n  inputs: {x: {}}\n  value: sin(x)\n  gradient: {x: cos(x)}\n  examples: [{x: 1, value: 0.5}]\n"
    path = save(judge(text)[0], tmp_path / "store")
    stored = load(path.stem, tmp_path / "store")
    assert replay(stored, light())[0]
    write(text.replace("value: 0.5", "value: 0.8415, decimals: 4"))
    assert not replay(stored, light())[0]


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
    with pytest.raises(UsageError) as caught:
        replay(kept, light())
    assert str(caught.value) == message


def test_a_spec_that_is_broken_or_gone_cannot_be_replayed(kept, write, light):
    write("norm: {}")
    with pytest.raises(SpecErrors):
        replay(kept, light())
    Path("a.grad.yaml").unlink()
    with pytest.raises(SpecErrors, match=r"a\.grad\.yaml"):
        replay(kept, light())


def test_stored_numbers_that_are_none_are_told(kept, tmp_path: Path, light):
    path = tmp_path / "store" / f"{kept.id}.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**record, "inputs": {"x": ["a"]}}), encoding="utf-8")
    with pytest.raises(UsageError, match="the stored numbers of norm-.* cannot be read"):
        replay(load(kept.id, tmp_path / "store"), light())
