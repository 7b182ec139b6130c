"""Does the README tell the truth? Its files are written, its commands run, its outputs looked for."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradcheck import cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "docs/README.md",
    "docs/spec-format.md",
    "docs/explain.md",
    "docs/check.md",
    "docs/gallery.md",
    "docs/commands.md",
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and text."""

    language: str
    text: str

    @property
    def file(self) -> str:
        """The file that its first line names, or nothing."""
        named = re.match(r"# (\S+\.\w+)\n", self.text)
        return named[1] if named else ""


def blocks() -> list[Block]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [Block(*found) for found in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]


def commands(block: Block) -> list[tuple[list[str], int]]:
    """The words and the expected exit code ("# exit code N", else 0) of each line."""
    found = []
    for line in block.text.strip().splitlines():
        code = re.search(r"# exit code (\d+)$", line)
        found.append((shlex.split(line, comments=True), int(code[1]) if code else 0))
    return found


class Shell:
    """Runs the README's commands in one directory and keeps what the last one said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = ""

    def run(self, words: list[str], code: int) -> None:
        if words[0] == "make":
            self._make(words)
        elif words[:4] == ["python", "-m", "pip", "install"]:
            self._install(words)
        elif words[0] == "gradcheck":  # inside this process: the frameworks take seconds to import
            result = CliRunner().invoke(cli.main, words[1:])
            self.said = result.output
            assert result.exit_code == code, result.output
        else:
            self._process(
                {"python": [sys.executable], "pytest": [sys.executable, "-m", "pytest"]}[words[0]] + words[1:]
            )

    def _make(self, words: list[str]) -> None:
        """Shown, not run: they install the project anew, and `make test` would run this very test again."""
        result = subprocess.run([*words, "-n"], cwd=ROOT, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        wanted = {"report": "gradcheck run specs", "test": "pytest"}[words[1]]
        assert wanted in result.stdout

    def _install(self, words: list[str]) -> None:
        """Not run: it would download both frameworks. Its extras must exist."""
        extras = re.search(r"\[(.*)\]", words[-1])
        assert extras is not None
        known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert set(extras[1].split(",")) <= set(known["optional-dependencies"])

    def _process(self, words: list[str]) -> None:
        result = subprocess.run(words, cwd=self.folder, env=os.environ, capture_output=True, text=True, check=False)
        self.said = result.stdout
        assert result.returncode == 0, result.stdout + result.stderr


def test_what_the_readme_shows_is_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    shell = Shell(tmp_path)
    counted = {"files": 0, "commands": 0, "outputs": 0}
    for block in blocks():
        if block.language == "sh":
            for words, code in commands(block):
                shell.run(words, code)
                counted["commands"] += 1
        elif block.language == "text":
            if "2.0000" in block.text:
                _claim_twice_x(shell)
            for line in block.text.splitlines():
                assert line in shell.said
            counted["outputs"] += 1
        else:
            assert block.file, f"a block that is neither a file nor a command:\n{block.text}"
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
            counted["files"] += 1
    assert counted == {"files": 7, "commands": 13, "outputs": 5}


def _claim_twice_x(shell: Shell) -> None:
    """What the sentence above that output tells the reader to try."""
    path = shell.folder / "my.grad.yaml"
    right = path.read_text(encoding="utf-8")
    assert "x / value" in right
    path.write_text(right.replace("x / value", "2*x"), encoding="utf-8")
    shell.run(["gradcheck", "run", "my.grad.yaml"], 1)
    path.write_text(right, encoding="utf-8")


def test_the_exit_codes_are_those_of_the_gate():
    from gradcheck.run import gate

    told = re.findall(r"^\| (\d+) \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    ours = (gate.CLEAN, gate.WRONG, gate.UNJUDGED, gate.BUG, gate.NOTHING, gate.INTERRUPTED)
    assert tuple(map(int, told)) == ours


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_a_document_points_to_is_there(name: str):
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = set(re.findall(r"\]\(([^)#:]+)\)", text))
    missing = [t for t in targets if not ((ROOT / name).parent / t).exists()]
    assert missing == []


def test_the_files_that_the_architecture_names_are_there():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:gradcheck|specs|docs|tests)/[\w./*]+)`", text))
    assert len(named) >= 8
    assert [n for n in named if not list(ROOT.glob(n.rstrip("/")))] == []


def test_every_document_is_listed():
    listing = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    here = {p.name for p in (ROOT / "docs").iterdir() if p.name != "README.md"}
    assert [name for name in here if name not in listing] == []


def test_every_subcommand_that_the_readme_names_exists():
    named = set(re.findall(r"`gradcheck (\w+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert named
    assert named <= set(cli.main.commands)
