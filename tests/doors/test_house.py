"""Is the house as it is drawn? Imports go down, an optional library lives in one file, tolerances in one room."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "gradcheck"
LINT = "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports(no_cache=True))"
HOMES = {
    "torch": "oracles/with_torch/library.py",
    "jax": "oracles/with_jax/itself.py",
    "flint": "oracles/balls/flint_library.py",
    "sympy": "oracles/symbolic.py",
    "jinja2": "report/html.py",
    "latex2mathml": "report/mathml.py",
    "mpmath": "oracles/blackbox/precise_numbers.py",
}
TOLERANCES = frozenset({"allclose", "assert_allclose", "isclose", "rtol", "atol"})
CUT_OFFS = {  # `rtol`: the standard's name for what counts as zero in the rank of a matrix, and the frameworks' too
    "engine/array_api/linalg.py", "oracles/with_jax/names_linalg.py", "oracles/with_torch/names_linalg.py",
}  # fmt: skip
SIGNATURES = {"torch.py", "jax.py"}  # of the peers, whose limits they hand on to the judge


class Module(NamedTuple):
    """What is known of a file: its own words, what it imports, and the names in its code (not in its comments)."""

    docstring: str
    imports: frozenset[str]
    names: frozenset[str]


def sources(folder: Path) -> Iterator[tuple[str, Module]]:
    """Every file of a package."""
    for path in sorted(folder.rglob("*.py")):
        yield path.relative_to(folder).as_posix(), _module(path.read_text(encoding="utf-8"))


@cache
def _module(text: str) -> Module:
    tree = ast.parse(text)
    return Module(ast.get_docstring(tree) or "", frozenset(imported(tree)), frozenset(_names(tree)))


def imported(tree: ast.Module) -> Iterator[str]:
    """The first part of every absolute import, wherever it stands, and of import_module of a plain text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            yield from (str(a.value).partition(".")[0] for a in node.args if isinstance(a, ast.Constant))


def homes(folder: Path, library: str) -> list[str]:
    return [name for name, module in sources(folder) if library in module.imports]


def tolerances(folder: Path) -> list[str]:
    """The files that name a tolerance in their code."""
    return [name for name, module in sources(folder) if not TOLERANCES.isdisjoint(module.names)]


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        found = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "arg", None)
        if isinstance(found, str):
            yield found


def silent(folder: Path) -> list[str]:
    """The files that do not say what they are for."""
    return [name for name, module in sources(folder) if not module.docstring]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The house, copied, for something to be planted in it."""
    shutil.copytree(PACKAGE, tmp_path / "gradcheck", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    """Three rooms of a house, one with a library's only home."""
    for room in ("judge", "oracles", "run"):
        (tmp_path / room).mkdir()
    (tmp_path / HOMES["torch"]).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(PACKAGE / HOMES["torch"], tmp_path / HOMES["torch"])
    return tmp_path


def test_imports_go_down_only(python):
    result = python("-c", LINT, cwd=ROOT)
    assert result.returncode == 0, result.stdout
    assert "1 kept, 0 broken" in result.stdout


def test_a_planted_import_and_a_stray_module_are_caught(python, copy: Path):
    """Both at once, since every look at the house takes a second."""
    with (copy / "gradcheck" / "expr" / "nodes.py").open("a", encoding="utf-8") as file:
        file.write("\n\ndef upwards():\n    import gradcheck.judge.blame\n")
    result = python("-c", LINT, cwd=copy)
    assert result.returncode == 1, result.stdout
    assert "gradcheck.expr is not allowed to import gradcheck.judge" in result.stdout
    (copy / "gradcheck" / "stray.py").write_text("", encoding="utf-8")
    result = python("-c", LINT, cwd=copy)
    assert result.returncode == 1
    assert "gradcheck.stray" in result.stdout


@pytest.mark.parametrize("library", HOMES)
def test_an_optional_library_lives_in_one_file(library: str):
    assert homes(PACKAGE, library) == [HOMES[library]]


@pytest.mark.parametrize(
    "line",
    [
        "import torch",
        "import torch.nn as nn",
        "from torch.func import vjp",
        "def f():\n    from torch import nn",
        "import importlib\nimportlib.import_module('torch')",
        "__import__('torch.autograd')",
    ],
)
def test_that_a_second_home_is_seen(rooms: Path, line: str):
    (rooms / "judge" / "sly.py").write_text(line + "\n", encoding="utf-8")
    assert homes(rooms, "torch") == ["judge/sly.py", HOMES["torch"]]


def test_tolerances_stand_in_the_judges_room_only():
    assert [
        name for name in tolerances(PACKAGE) if not name.startswith("judge/") and name not in CUT_OFFS | SIGNATURES
    ] == []
    modules = dict(sources(PACKAGE))
    assert {TOLERANCES & modules[name].names for name in CUT_OFFS} == {frozenset({"rtol"})}


@pytest.mark.parametrize(
    "line", ["ok = np.allclose(a, b)", "f(a, b, rtol=1e-6)", "def f(a, atol=0):\n    pass", "rtol = 1e-6"]
)
def test_that_a_tolerance_is_seen(rooms: Path, line: str):
    (rooms / "run" / "sly.py").write_text(f"{line}\n", encoding="utf-8")
    (rooms / "run" / "honest.py").write_text("# no rtol here\n", encoding="utf-8")
    assert tolerances(rooms) == ["run/sly.py"]


def test_a_module_opens_with_its_question():
    """At least with a sentence: what the module is for."""
    assert silent(PACKAGE) == []


def test_that_a_module_without_one_is_seen(rooms: Path):
    (rooms / "run" / "mute.py").write_text("x = 1\n", encoding="utf-8")
    assert silent(rooms) == ["run/mute.py"]
