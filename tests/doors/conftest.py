"""Spec files for the doors to be tried with: one right, one wrong, a behaviour, a planted error, a broken file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # rules_by_hand

RIGHT = """gradcheck: 1
functions:
  sine:
    tags: [smooth]
    inputs: {x: {shape: [n]}}
    value: sin(x)
    derivative: {x: cos(x)}
"""
WRONG = """gradcheck: 1
functions:
  norm:
    inputs: {x: {shape: [n], domain: "norm(x) > 0"}}
    value: sqrt(sum(x**2))
    gradient: {x: 2*x}
"""
PLANTED = """gradcheck: 1
functions:
  doubled:
    inputs: {x: {}}
    value: x**2
    gradient: {x: 4*x}
    expect: {verdict: DISAGREES, blame: claim}
"""
BEHAVIOUR = """gradcheck: 1
semantics:
  accumulates:
    steps:
      - tensor: {w: [1, 1]}
      - let: {z: sum(3*w)}
      - backward: z
      - expect: {grad: {w: [3, 3]}}
"""
BROKEN = """gradcheck: 1
functions:
  odd:
    inputs: {x: {}}
    value: sinn(x)
    gradient: {x: cos(x)}
"""


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary, then current, directory with all the spec files."""
    texts = {"right": RIGHT, "wrong": WRONG, "planted": PLANTED, "behaviour": BEHAVIOUR, "broken": BROKEN}
    for name, text in texts.items():
        (tmp_path / f"{name}.grad.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


Python = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def python(tmp_path: Path) -> Python:
    """Runs Python in a process of its own: `python("-c", code, cwd=…, PYTHONPATH=…)`."""

    def python(*words: str, cwd: Path = tmp_path, **environment: str) -> subprocess.CompletedProcess[str]:
        command, env = [sys.executable, *words], {**os.environ, **environment}
        return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False)

    return python
