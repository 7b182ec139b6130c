"""What came of comparing a claim with a witness?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """The verdict of one comparison, or of a function as a whole."""

    AGREES = "AGREES"
    DISAGREES = "DISAGREES"
    INACCURATE = "INACCURATE"  # the mathematics is right, digits are lost
    UNDECIDED = "UNDECIDED"  # the bars are too wide
    SILENT = "SILENT"  # no answer, with the reason
    CRASHED = "CRASHED"
    UNWITNESSED = "UNWITNESSED"  # of a function: nobody independent of the claim agreed


@dataclass(frozen=True, slots=True)
class Number:
    """What one witness says about one element."""

    witness: str  # "claim", "engine reverse", "torch forward", …
    center: float
    bar: float
    kink: bool = False


def overlap(a: Number, b: Number) -> bool:
    """Whether the bars of two parties have a number in common; never where one says NaN."""
    return abs(a.center - b.center) <= a.bar + b.bar


@dataclass(frozen=True, slots=True)
class Worst:
    """The element at which two parties are furthest apart, in units of their joint bar."""

    quantity: str  # "value", "vjp:x", "jvp", "hvp:x"
    index: tuple[int, ...]  # within the point
    point: int  # which point of the batch
    origin: str
    inputs: Mapping[str, Any]  # the point, nested lists
    cotangent: Mapping[str, Any]  # nested lists, by output
    numbers: tuple[Number, ...]  # of every party, the claim first
    error: float  # |difference| / joint bar
    ulp: float  # |difference| in units in the last place of the claim's number
    lost: float = float("nan")  # decimal digits of the claim's number that the other does not have, 0 to 16
    layout: str = ""  # how the point's numbers were given to the code under test: "x given as a transposed view"


@dataclass(frozen=True, slots=True)
class Finding:
    """One comparison: claim against one mode of one witness, over a whole case."""

    witness: str  # "engine"
    mode: str  # "value", "reverse", "forward", "second"
    verdict: Verdict
    reason: str  # one sentence
    compared: int  # elements
    undecided: int  # elements whose bars were too wide to say
    wrong: int  # elements outside the bars
    blame: str  # "" or who is wrong: "claim", "engine reverse", "torch forward", "undetermined", …
    worst: Worst | None
    seconds: float = 0.0
    inaccurate: int = 0  # elements that lost digits
    missed: int = 0  # elements further off than the spec's `accuracy` demands (counted among the inaccurate too)
    uncovered: int = 0  # positions of the quantity at which no point of a case of many points agreed
