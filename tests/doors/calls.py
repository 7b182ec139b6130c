"""How are the tests of a file run under another import line? As its users would: by changing that line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def under_line(path: Path, line: str, other: str) -> dict[str, Callable[[], None]]:
    """The tests of a file by name, with `other` in the place of its one `line`."""
    text = path.read_text(encoding="utf-8")
    assert text.count(line) == 1
    names: dict[str, Any] = {"__name__": "calls"}
    exec(compile(text.replace(line, other), str(path), "exec"), names)
    return {name: f for name, f in names.items() if name.startswith("test_")}
