"""How is the answer about somebody's callable written for other programs? One JSON document."""

from __future__ import annotations

from typing import Any

from gradcheck import __version__
from gradcheck.report.checked import Result
from gradcheck.run.plain import plain

VERSION = 1


def document(result: Result, command: str = "") -> dict[str, Any]:
    """Everything that was found, as plain data; `gradcheck_check` is the version of this form."""
    checked = result.checked
    told: dict[str, Any] = {
        "gradcheck_check": VERSION, "gradcheck": __version__, "command": command, "name": result.name,
        "backend": result.door, "verdict": result.verdict, "passed": result.passed,
        "sentence": checked.standing.sentence, "findings": result.findings,
        "power": result.power, "points": checked.points, "shapes": checked.shapes,
        "calls": checked.calls, "seconds": checked.seconds, "dropped": checked.dropped, "notes": checked.notes,
        "text": str(result),
    }  # fmt: skip
    return dict(plain(told))
