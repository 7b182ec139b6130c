"""Does docs/replay.md tell the truth? Its spec is run, its failure replayed and promoted, its words looked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gradcheck import cli

TEXT = (Path(__file__).parents[2] / "docs" / "replay.md").read_text(encoding="utf-8")
ONLY = ("--witness", "certified", "--witness", "engine", "--witness", "differences")  # the frameworks cost seconds


def gradcheck(*words: str) -> Result:
    return CliRunner().invoke(cli.main, [*words, *ONLY])


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_what_it_shows_is_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spec, promoted = blocks("yaml")
    path = Path("lengths.grad.yaml")
    path.write_text(spec, encoding="utf-8")
    run, replay = (line.partition("#")[0].split()[1:] for block in blocks("sh") for line in block.splitlines())
    found = gradcheck(*run)
    assert found.exit_code == 1
    (said,) = blocks("text")
    assert all(line in found.stdout for line in said.splitlines())
    everything = gradcheck(*replay)
    assert (everything.exit_code, everything.stdout.startswith("FAILED length-")) == (1, True)
    (kept,) = Path("failures").iterdir()
    one = gradcheck("replay", kept.stem, "--store", "failures", "--promote")
    assert one.exit_code == 1
    assert "def f(x):\n    return sqrt(sum(x**2))" in one.stdout
    assert one.stdout.endswith("written into lengths.grad.yaml:10\n")
    assert path.read_text(encoding="utf-8") == spec.replace("    gradient: {x: 2*x}   # wrong\n", promoted)
    path.write_text(path.read_text(encoding="utf-8").replace("2*x", "x / value"), encoding="utf-8")
    fixed = gradcheck(*replay)
    assert (fixed.exit_code, fixed.stdout.startswith("FIXED length-")) == (0, True)
    kept.unlink()
    assert gradcheck(*replay).exit_code == 5


def test_every_option_of_replay_is_told() -> None:
    command = cli.main.commands["replay"]
    options = {o for p in command.params for o in p.opts if o.startswith("--")} - {"--help"}
    assert [o for o in options if f"`{o}" not in TEXT and f" {o}`" not in TEXT] == []
