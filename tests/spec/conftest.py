"""The writing of small spec files; and the tests' own modules beside this one can be imported."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a text into a file of the (current) temporary directory and gives the file's name."""
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "a.grad.yaml") -> str:
        Path(name).write_text(text, encoding="utf-8")
        return name

    return write
