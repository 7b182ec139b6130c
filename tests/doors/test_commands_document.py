"""Does docs/commands.md tell the truth? Its file is written, its commands run, their outputs looked for."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradcheck import cli

TEXT = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")


def test_what_it_shows_is_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sympy")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    said, ran = "", 0
    for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        if language == "python":
            Path(text.split()[1]).write_text(text, encoding="utf-8")
        elif language == "text":
            assert all(line in said for line in text.splitlines())
        for line in text.splitlines() if language == "sh" else ():
            code = re.search(r"# exit code (\d)$", line)
            result = CliRunner().invoke(cli.main, shlex.split(line, comments=True)[1:])
            assert result.exit_code == (int(code[1]) if code else 0), result.output
            said, ran = result.output, ran + 1
    sys.modules.pop("ops", None)
    assert ran == 4


def test_every_option_of_check_is_told() -> None:
    (command,) = (c for name, c in cli.main.commands.items() if name == "check")
    options = {o for p in command.params for o in p.opts if o.startswith("--")} - {"--help"}
    assert [o for o in options if f"`{o}" not in TEXT] == []
