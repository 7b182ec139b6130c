"""Does a module of the room hide a function of the room's? Importing it would put it in the function's place."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import gradcheck.report


def test_no_module_has_the_name_of_what_the_room_exports() -> None:
    modules = {path.stem for path in Path(gradcheck.report.__file__).parent.glob("*.py")}
    exported = {
        name for name in gradcheck.report.__all__ if not isinstance(getattr(gradcheck.report, name), ModuleType)
    }
    assert exported
    assert modules & exported == set()
