"""Whose code may a command run? The module that a person types is named by that person; --no-imports refuses it too.

Folders are searched in this order: what Python searches anyway, the project's `python-path`, the current folder. So
nothing that lies in the current folder can take the place of an installed library.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradcheck.errors import EvaluationError, UsageError

FORM = "module:qualified.name, such as mypkg.ops:MyFn.apply"


def module_of(reference: str, option: str = "") -> str:
    """The module of a reference. Raises UsageError where it is none."""
    from gradcheck.spec.words import REFERENCE

    if not re.fullmatch(REFERENCE, reference):
        where = f"{option} " if option else ""
        raise UsageError(f"{where}{reference!r}: {FORM} is expected")
    return reference.partition(":")[0]


def typed(reference: str, refused: bool, option: str = "") -> Callable[..., Any]:
    """The callable that a person named on the command line.

    Raises UsageError where it cannot be had, or `refused` says that nothing may be imported.
    """
    from gradcheck.oracles.implementations import load

    module = module_of(reference, option)
    if refused:
        raise UsageError(f"{reference!r} is not imported: --no-imports refuses all")
    _reachable()
    try:
        found = load(reference, (module,))
    except EvaluationError as error:
        raise UsageError(str(error)) from None
    if isinstance(found, type) and callable(getattr(found, "apply", None)):
        raise UsageError(f"{reference!r} is a class with an `apply`", f"{reference}.apply")
    return found


def _reachable() -> None:
    from gradcheck.run.settings import settings

    for folder in (*settings(Path.cwd()).python_path, str(Path.cwd())):
        if folder not in sys.path:
            sys.path.append(folder)
