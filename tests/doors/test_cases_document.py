"""Does docs/cases.md tell the truth? Its files are written, its commands run; its tables name what there is."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradcheck import cli
from gradcheck.cases import PHASES
from gradcheck.oracles.implementations import MAX_POINTS
from gradcheck.run import PROFILES

TEXT = (Path(__file__).parents[2] / "docs" / "cases.md").read_text(encoding="utf-8")
LIGHT = ["--witness", "engine", "--profile", "quick", "--no-store"]
ALLOWED = '[tool.gradcheck]\nallow-imports = ["knee"]\npython-path = ["."]\n'


def test_what_it_shows_is_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("pyproject.toml").write_text(ALLOWED, encoding="utf-8")
    said, ran = "", 0
    for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        if language in ("python", "yaml"):
            Path(text.split()[1]).write_text(text, encoding="utf-8")
        elif language == "text":
            assert all(line in " ".join(said.split()) for line in text.splitlines())
        for line in text.splitlines() if language == "sh" else ():
            code = re.search(r"# exit code (\d)$", line)
            result = CliRunner().invoke(cli.main, [*shlex.split(line, comments=True)[1:], *LIGHT])
            assert code is not None and result.exit_code == int(code[1]), result.output
            said, ran = result.output, ran + 1
    sys.modules.pop("knee", None)
    assert ran == 3


def test_its_tables_and_figures_are_those_of_the_code() -> None:
    assert re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE) == list(PHASES)
    rows = dict(re.findall(r"^\| (quick|default|thorough) \| (.*) \|$", TEXT, re.MULTILINE))
    for name, row in rows.items():
        profile = PROFILES[name]
        shapes, points, beside = (
            int(re.sub(r"\D*([\d,]+).*", r"\1", part).replace(",", "")) for part in row.split("|")
        )
        assert (shapes, points, beside) == (profile.shapes, profile.points, profile.beside)
    assert len(rows) == 3
    assert f"at up to {MAX_POINTS['numpy']} points of a case, JAX's at {MAX_POINTS['jax']}," in TEXT


def test_an_unknown_phase_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.grad.yaml").write_text(
        "gradcheck: 1\nfunctions: {f: {inputs: {x: {}}, value: x, derivative: {x: 1 + 0*x}}}\n"
    )
    result = CliRunner().invoke(cli.main, ["run", str(tmp_path / "a.grad.yaml"), "--phases", "landmark"])
    assert result.exit_code == 2 and "there is no phase 'landmark'" in result.output
    assert "layouts, uniform" in result.output
    result = CliRunner().invoke(cli.main, ["run", str(tmp_path / "a.grad.yaml"), "--phases", "uniform,explore"])
    assert result.exit_code == 2 and "'uniform' takes the place of all others: leave 'explore' out" in result.output
