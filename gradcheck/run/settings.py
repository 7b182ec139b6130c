"""What does the project's own configuration allow? `[tool.gradcheck]` of the nearest `pyproject.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradcheck.errors import UsageError, did_you_mean

LISTS = ("allow-imports", "python-path")
KEYS = (*LISTS, "store")


@dataclass(frozen=True, slots=True)
class Settings:
    """allow_imports: modules that `implementations:` may import; python_path: folders they are found in (absolute).

    store: the folder that failures are kept in (absolute), where the project names one.
    """

    allow_imports: tuple[str, ...] = ()
    python_path: tuple[str, ...] = ()
    store: str | None = None


def settings(start: Path) -> Settings:
    """The settings of the project that `start` lies in; empty ones where there is no `pyproject.toml`.

    Raises UsageError for a file that is not TOML, an unknown key, or a value of another kind than its key wants.
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
        if key in LISTS and not _strings(value):
            raise UsageError(f"{path}: [tool.gradcheck] {key} must be a list of strings, got {value!r}")
        if key == "store" and not (isinstance(value, str) and value):
            raise UsageError(f"{path}: [tool.gradcheck] store must be the name of a folder, got {value!r}")
    paths = tuple(str(path.parent / p) for p in table.get("python-path", []))
    store = str(path.parent / table["store"]) if "store" in table else None
    return Settings(tuple(table.get("allow-imports", [])), paths, store)


def _strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)
