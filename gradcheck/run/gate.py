"""May this run go through? The exit code."""

from __future__ import annotations

from collections.abc import Sequence

from gradcheck.run.outcome import Outcome

CLEAN, WRONG, UNJUDGED, BUG, NOTHING, INTERRUPTED = 0, 1, 2, 3, 5, 130


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """0 clean, 1 wrong, unwitnessed or stale, 2 a worker was lost, 3 gradcheck itself failed, 5 nothing ran."""
    if not outcomes:
        return NOTHING
    blames = {o.blame for o in outcomes if not o.passed}
    if "gradcheck" in blames:
        return BUG
    if "worker" in blames:
        return UNJUDGED
    return WRONG if any(not o.passed for o in outcomes) else CLEAN
