"""Is gradcheck called from Python as from the command line?"""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.api import judge_files, project_config
from gradcheck.errors import SpecErrors
from gradcheck.run import PROFILES, Config

LIGHT = Config(witnesses=("engine", "differences"), profile=PROFILES["quick"])


def test_files_are_judged_in_one_call(specs: Path):
    found = list(judge_files(["right.grad.yaml", "wrong.grad.yaml"], LIGHT))
    assert [(o.id, o.verdict, o.passed) for o in found] == [("sine", "AGREES", True), ("norm", "DISAGREES", False)]
    assert found[1].replay == "gradcheck run wrong.grad.yaml -k norm --seed 0 --profile quick"
    assert not (specs / ".gradcheck").exists()


def test_broken_files_are_told_at_the_call(specs: Path):
    with pytest.raises(SpecErrors, match="broken.grad.yaml:5:12"):
        judge_files(["right.grad.yaml", "broken.grad.yaml"])


def test_the_project_says_what_may_be_imported(specs: Path):
    (specs / "pyproject.toml").write_text(
        '[tool.gradcheck]\nallow-imports = ["own"]\npython-path = ["src"]\n', encoding="utf-8"
    )
    config = project_config(Config(seed=7))
    assert (config.seed, config.allowed, config.python_path) == (7, ("own",), (str(specs / "src"),))
    assert project_config().allowed == ("own",)
    assert project_config(Config(allowed=None)).allowed is None  # who refuses all imports is heard
