"""Are failures kept, each once, and is what is no failure told?"""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.errors import UsageError
from gradcheck.run.failures.store import FOLDER, failure_id, folder_of, load, save, stored
from gradcheck.run.settings import Settings


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
    assert stored(path.parent) == [path.stem]
    kept = load(path.stem, path.parent)
    assert (kept.spec, kept.file, kept.blame, kept.witness) == ("norm", "a.grad.yaml", "claim", "engine")
    assert kept.inputs == {"x": [1.0]}
    assert kept.sentence == outcome.counterexample.sentence


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


def test_the_folder_is_the_one_that_was_named_else_the_projects_own(tmp_path: Path):
    assert folder_of(None, Settings()) == FOLDER
    assert folder_of(None, Settings(store="kept")) == Path("kept")
    assert folder_of("mine", Settings(store="kept")) == Path("mine")
    assert stored(tmp_path / "none") == []
