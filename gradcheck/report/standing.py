"""What is an outcome to a reader: failed, right, let pass without proof, or wrong on purpose and caught?"""

from __future__ import annotations

from enum import Enum

from gradcheck.run.outcome import Outcome


class Standing(Enum):
    """What an outcome is to a reader: the order is that of the page."""

    FAILED = "failed"
    OPEN = "open"  # let pass, but not shown to be right
    RIGHT = "right"
    PLANTED = "planted"  # wrong on purpose, and caught exactly as stated


def standing(outcome: Outcome) -> Standing:
    """Failed, open, right, or wrong on purpose and caught."""
    if not outcome.passed:
        return Standing.FAILED
    if outcome.expected is not None:
        return Standing.PLANTED
    return Standing.RIGHT if outcome.verdict in ("AGREES", "INACCURATE") else Standing.OPEN


def label(outcome: Outcome) -> str:
    """The outcome in two or three words: "right", "claim disproved", "as planted" …"""
    if outcome.expected is not None:
        return "as planted" if outcome.passed else "not as planted"
    if outcome.passed:
        return _label_of_passed(outcome)
    if outcome.kind == "semantics" and outcome.verdict == "DISAGREES":
        return "behaviour broken"
    if outcome.verdict == "DISAGREES":
        return _label_of_blame(outcome.blame)
    words = {"INACCURATE": "digits lost", "SILENT": "unwitnessed", "AGREES": "failed"}
    return words.get(outcome.verdict, outcome.verdict.lower())


def _label_of_passed(outcome: Outcome) -> str:
    if outcome.verdict == "AGREES":
        return "holds" if outcome.kind == "semantics" else "right"
    return "right, digits lost" if outcome.verdict == "INACCURATE" else outcome.verdict.lower()


def _label_of_blame(blame: str) -> str:
    if blame == "claim":
        return "claim disproved"
    return f"{blame} is wrong" if blame and blame != "undetermined" else "contradiction"
