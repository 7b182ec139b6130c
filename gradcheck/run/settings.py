"""What does the project's own configuration allow? `[tool.gradcheck]` of the nearest `pyproject.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradcheck.errors import UsageError, did_you_mean

KEYS = ("allow-imports", "python-path")


@dataclass(frozen=True, slots=True)
class Settings:
    """allow_imports: modules that `implementations:` may import; python_path: folders they are found in (absolute)."""

    allow_imports: tuple[str, ...] = ()
    python_path: tuple[str, ...] = ()


def settings(start: Path) -> Settings:
    """The settings of the project that `start` lies in; empty ones where there is no `pyproject.toml`.

    Raises UsageError for a file that is not TOML, an unknown key, or a value that is not a list of strings.
    """
    for folder in [start, *start.parents]:
        path = folder / "pyproject.toml"
        if path.is_file():
            return _read(path)
    return Settings()


def _read(path: Path) -> Settings:
    try:
        tools = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from None
    table = tools.get("gradcheck", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise UsageError(f"{path}: tool.gradcheck must be a table, got {table!r}")
    for key, value in table.items():
        if key not in KEYS:
            raise UsageError(f"{path}: [tool.gradcheck] has no key {key!r}", did_you_mean(key, KEYS))
        if not _strings(value):
            raise UsageError(f"{path}: [tool.gradcheck] {key} must be a list of strings, got {value!r}")
    paths = tuple(str(path.parent / p) for p in table.get("python-path", []))
    return Settings(tuple(table.get("allow-imports", [])), paths)


def _strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)
