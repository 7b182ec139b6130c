"""Does docs/check.md tell the truth? Its example is run, its outputs are looked for, its cells are all of them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from gradcheck.judge.cells import CELLS

TEXT = (Path(__file__).parents[2] / "docs" / "check.md").read_text(encoding="utf-8")


def test_the_example_says_what_is_shown(tmp_path: Path) -> None:
    code, shown = re.findall(r"^```(?:python|text)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    (tmp_path / "softsign_rule.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "softsign_rule.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )  # fmt: skip
    for line in shown.splitlines():
        assert line in done.stdout


def test_every_cell_is_described() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", TEXT.partition("## The questions")[2], re.MULTILINE)
    assert {name.strip("`") for row in rows for name in row.split(", ")} == set(CELLS)
