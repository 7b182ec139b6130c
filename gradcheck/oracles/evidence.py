"""What does a witness answer? Numbers with their error bars, or a stated silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Measured:
    """One quantity at every point of a batch: the truth is said to lie in `center` ± `bar`, element by element.

    center, bar: shape (B, *shape); `bar` is >= 0, inf where the witness could not measure.
    kink: where the bar is the hull of one-sided limits, not an uncertainty (same shape, or None for nowhere).
    loss: how far another way of writing the same derivative may be off by rounding (same shape, None: not known).
    beyond: where something on the way leaves the range of the dtype that was computed in (same shape, or None).
    """

    center: Array
    bar: Array
    kink: NDArray[np.bool_] | None = None
    loss: Array | None = None
    beyond: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What is proven of one claimed quantity, element by element (shape (B, *shape)).

    proven: the claim and the truth agree to a hundred bits; disproved: their enclosures do not overlap; where neither,
    it is open. apart: by how much they are disjoint, relative to the truth. excuse: why the claim may be off by the
    rounding of its own evaluation and be right ("" where nothing excuses it).
    """

    quantity: str
    proven: Mask
    disproved: Mask
    apart: Array
    excuse: str = ""


@dataclass(frozen=True, slots=True)
class Pieces:
    """The gradients of the pieces that meet at one point, all moving inputs one after another.

    row: which point of the case; names: the moving inputs; gradients: (M, N), none where they grow without a
    limit; slack: (N,), how far each may be off.
    """

    row: int
    names: tuple[str, ...]
    gradients: Array
    slack: Array


@dataclass(frozen=True, slots=True)
class Evidence:
    """A witness's answers for one case.

    Keys of `answers` (outputs are named only where there are several, e.g. "value[y]"):
    "value" (B, *out); "vjp:x" (B, *in) for the case's cotangent; "jvp" (B, *out) for its tangents;
    "hvp:x" (B, *in), the derivative of "vjp:x" along the tangents.
    pieces: with the claim, the gradients that meet where f has a kink.
    """

    witness: str
    answers: Mapping[str, Measured]
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    proofs: tuple[Proof, ...] = ()
    dtypes: Mapping[str, str] = field(default_factory=dict)  # derivatives that came in another dtype than their input
    pieces: tuple[Pieces, ...] = ()


class Reason(Enum):
    """Why a witness says nothing."""

    ABSENT = "absent"  # its library is not installed
    UNSUPPORTED = "unsupported"  # it has no such function
    DECLINED = "declined"  # asked not to, or it would cost too much
    CRASHED = "crashed"  # it raised


@dataclass(frozen=True, slots=True)
class Silence:
    """A witness that gave no answer, and why."""

    witness: str
    reason: Reason
    message: str
    seconds: float = 0.0


Testimony = Evidence | Silence
