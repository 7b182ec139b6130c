"""What is an entry of the gallery? A rule written by hand, mistakes that people make in it, and the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gradcheck

Truth = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]  # (inputs by name, ct) -> the gradient by each input
POINTS = 8
SKIPPED = ("compiled",)  # no entry is about compiled calls, and each would take a second


def NOTHING(at: Mapping[str, Any], ct: Any) -> float:
    """The right number of a finding that has none."""
    return float("nan")


@dataclass(frozen=True)
class Mistake:
    """A rule with a mistake: what it is, the code, and the cell and the input in which gradcheck must find it.

    number: the right number of the finding, (inputs by name, ct) -> number, where it is not the gradient's at the
    index found; NOTHING where the finding is not about a number of the gradient (a shape, a write).
    """

    what: str
    code: Any
    cell: str
    input: str
    number: Callable[[Mapping[str, Any], Any], float] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """A rule: its name, what it teaches, the right code, its inputs, the truth by another way, and mistakes.

    code: PyTorch's or JAX's function, or NumPy's pair (function, vjp).
    """

    name: str
    teaches: str
    code: Any
    inputs: Mapping[str, Any]
    truth: Truth
    mistakes: tuple[Mistake, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


def judged(entry: Entry, mistake: Mistake | None = None) -> Any:
    """What gradcheck says of an entry's right code, or of one of its mistakes."""
    code = entry.code if mistake is None else mistake.code
    options = {"points": POINTS, "skip": SKIPPED, **entry.options, **({} if mistake is None else mistake.options)}
    if isinstance(code, tuple):
        return gradcheck.check(code[0], dict(entry.inputs), vjp=code[1], **options)
    return gradcheck.check(code, dict(entry.inputs), **options)
