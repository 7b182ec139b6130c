"""What does a project allow, and which witnesses may be demanded?"""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.errors import BackendMissing, UsageError
from gradcheck.oracles import hearing
from gradcheck.run import WITNESSES, demanded
from gradcheck.run.settings import Settings, settings


def project(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def test_the_nearest_project_file_counts(tmp_path: Path):
    project(tmp_path, '[tool.gradcheck]\nallow-imports = ["outer"]\n')
    inner = tmp_path / "inner"
    (inner / "deep").mkdir(parents=True)
    assert settings(inner / "deep").allow_imports == ("outer",)
    project(inner, '[tool.gradcheck]\nallow-imports = ["mypkg"]\npython-path = ["src"]\n')
    assert settings(inner / "deep") == Settings(("mypkg",), (str(inner / "src"),))
    project(inner, '[tool.gradcheck]\nstore = "tests/failures"\n')
    assert settings(inner / "deep").store == str(inner / "tests/failures")


def test_nothing_is_allowed_where_nothing_is_said(tmp_path: Path):
    assert settings(project(tmp_path, "[project]\nname = 'x'\n")) == Settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.gradcheck]\nallow_imports = []\n", "has no key 'allow_imports'; did you mean 'allow-imports'?"),
        ("[tool.gradcheck]\nallow-imports = 'mypkg'\n", "allow-imports must be a list of strings, got 'mypkg'"),
        ("[tool.gradcheck]\nallow-imports = [1]\n", "allow-imports must be a list of strings, got [1]"),
        ("[tool.gradcheck]\nstore = []\n", "store must be the name of a folder, got []"),
        ("[tool]\ngradcheck = 3\n", "tool.gradcheck must be a table, got 3"),
        ("[tool.gradcheck\n", "is not TOML"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, message: str):
    with pytest.raises(UsageError) as caught:
        settings(project(tmp_path, text))
    assert message in str(caught.value)
    assert "pyproject.toml" in str(caught.value)


def test_no_name_demands_all_and_each_name_once():
    assert demanded(()) == WITNESSES == ("certified", "engine", "differences", "torch", "jax")
    assert demanded(("complex_step", "engine")) == ("complex_step", "engine")  # this one is heard on request
    assert demanded(["engine", "planted:zeros", "engine"]) == ("engine", "planted:zeros")


def test_a_demanded_witness_must_exist_and_be_there(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UsageError, match="there is no witness 'torhc'.*did you mean 'torch'"):
        demanded(["torhc"])
    monkeypatch.setattr(hearing, "installed", lambda name: name != "jax")
    with pytest.raises(BackendMissing, match=r"'jax' is not installed; install gradcheck\[jax\]"):
        demanded(["engine", "jax"])
    assert "jax" in demanded(())  # not demanded by name: a stated silence
