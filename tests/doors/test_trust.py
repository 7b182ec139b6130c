"""Does a spec file run no code but what the project allows? A planted module leaves a trace when it is imported."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gradcheck import cli
from gradcheck.api import judge_files
from gradcheck.run import Config

TRACE = """
import pathlib

with open(pathlib.Path(__file__).parent / "trace", "a") as file:
    file.write(__name__ + "\\n")


def f(x):
    return 2 * x


def f_vjp(x, ct):
    return 2 * ct
"""
INNOCENT = """
import os
import traced_rules


def f(x):
    return 2 * x
"""
SPEC = """gradcheck: 1
functions:
  doubled:
    inputs: {x: {}}
    value: 2*x
    gradient: {x: 3}
    implementations: {numpy: {value: "%s", vjp: "traced_rules:f_vjp"}}
"""
ALLOWED = '[tool.gradcheck]\nallow-imports = ["traced_rules"]\npython-path = ["."]\n'
REFUSED = '[tool.gradcheck]\nallow-imports = []\npython-path = ["."]\n'
QUICK = ("--profile", "quick", "--witness", "engine", "--witness", "complex_step")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder: a spec that names a module, and the module."""
    (tmp_path / "spec.grad.yaml").write_text(SPEC % "traced_rules:f", encoding="utf-8")
    for name in ("traced_rules",):
        (tmp_path / f"{name}.py").write_text(TRACE, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(REFUSED, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in ("traced_rules", "innocent"):
        sys.modules.pop(name, None)


def gradcheck(*words: str) -> Result:
    return CliRunner().invoke(cli.main, list(words))


def traces(project: Path) -> list[str]:
    path = project / "trace"
    return path.read_text(encoding="utf-8").split() if path.exists() else []


COMMANDS = {
    "lint": ("lint", "."),
    "run": ("run", ".", *QUICK),
    "explain": ("explain", "spec.grad.yaml", "--trace"),
    "mutate": ("mutate", ".", "--profile", "quick", "--witness", "engine"),
    "vocabulary": ("vocabulary", "sin"),
}


def test_nothing_is_imported_that_is_not_allowed(project: Path) -> None:
    for words in COMMANDS.values():
        gradcheck(*words)
        assert traces(project) == [], words
    stored = gradcheck("replay").stdout.split()[1].rstrip(":")
    assert stored.startswith("doubled-")
    assert gradcheck("replay", stored).exit_code == 1
    list(judge_files(["spec.grad.yaml"], Config(witnesses=("engine",))))
    assert traces(project) == []
    assert str(project) not in sys.path  # what lies there takes no library's place


def test_no_imports_refuses_what_is_allowed(project: Path) -> None:
    (project / "pyproject.toml").write_text(ALLOWED, encoding="utf-8")
    for words in (COMMANDS["run"], COMMANDS["mutate"]):
        gradcheck(*words, "--no-imports")
    stored = gradcheck("replay", "--no-imports").stdout.split()[1].rstrip(":")
    assert gradcheck("replay", stored, "--no-imports").exit_code == 1
    list(judge_files(["spec.grad.yaml"], Config(witnesses=("engine",), allowed=None)))
    refused = gradcheck("check", "traced_rules:f", "--input", "x", "--gradient", "2*x", "--no-imports")
    assert refused.exit_code == 2
    assert refused.stderr == "'traced_rules:f' is not imported: --no-imports refuses all\n"
    assert traces(project) == []


def test_what_is_allowed_or_typed_leaves_its_trace(project: Path) -> None:
    """So the tests above can fail."""
    assert gradcheck("check", "traced_rules:f", "--input", "x", "--gradient", "0*x + 2", "--points", "8").exit_code == 0
    assert traces(project) == ["traced_rules"]
    del sys.modules["traced_rules"]
    (project / "pyproject.toml").write_text(ALLOWED, encoding="utf-8")
    gradcheck(*COMMANDS["run"])
    assert traces(project) == ["traced_rules", "traced_rules"]


def test_a_typed_module_allows_no_other(project: Path) -> None:
    (project / "innocent.py").write_text("import os\n\ndef f(x):\n    return 2 * x\n", encoding="utf-8")
    words = ("--input", "x", "--points", "8")
    result = gradcheck("check", "innocent:f", *words, "--vjp", "traced_rules")
    assert (result.exit_code, traces(project)) == (2, [])
    result = gradcheck("check", "innocent:os.remove", *words, "--gradient", "2*x")
    assert result.exit_code == 2
    assert result.stderr == "'innocent:os.remove' leads into the module 'os', which is not allowed\n"


def test_an_allowed_module_is_no_way_into_others(project: Path) -> None:
    """`import os` in people's code does not lend `os.remove` to spec files."""
    (project / "pyproject.toml").write_text(ALLOWED.replace("traced_rules", "innocent"), encoding="utf-8")
    (project / "innocent.py").write_text(INNOCENT, encoding="utf-8")
    (project / "spec.grad.yaml").write_text(SPEC % "innocent:os.remove", encoding="utf-8")
    result = gradcheck("run", "spec.grad.yaml", *QUICK, "--json", "out.json")
    assert "leads into the module 'os', which is not allowed" in (project / "out.json").read_text(encoding="utf-8")
    assert result.exit_code == 1


def test_pytest_imports_nothing_that_is_not_allowed(project: Path, pytester: pytest.Pytester) -> None:
    for name in ("spec.grad.yaml", "traced_rules.py", "pyproject.toml"):
        (pytester.path / name).write_text((project / name).read_text(encoding="utf-8"), encoding="utf-8")
    pytester.runpytest_inprocess("spec.grad.yaml", "--gradcheck-witness", "engine", "-p", "no:cacheprovider")
    assert traces(pytester.path) == []
