"""May this file be written? Never over one that is there, unless that was asked for."""

from __future__ import annotations

import re
from pathlib import Path

from gradcheck.errors import UsageError


def refuse_to_overwrite(path: Path | None, force: bool) -> None:
    """Raises UsageError where a file is there already."""
    if path is not None and path.exists() and not force:
        raise UsageError(f"{path} is there already; --force writes over it")
    if path is not None and not path.name.endswith(".grad.yaml"):
        raise UsageError(f"{path}: a spec file's name ends in .grad.yaml")


def name_of_entry(name: str) -> None:
    """Raises UsageError where a name cannot be one of a function of a spec file."""
    from gradcheck.spec.words import ID

    if not re.fullmatch(ID, name) or len(name) > 100:
        raise UsageError(f"--name {name!r}: at most 100 letters, digits, '_', '-' and '.' are expected")


def write(path: Path, text: str) -> None:
    """Raises UsageError where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
