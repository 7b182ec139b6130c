"""What are the right numbers at one point? What is proven; else the engine's, where the differences confirm them.

Nobody who is on trial is asked: no claim, no implementation, no example.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gradcheck.oracles import Evidence, Hearing, Inquiry, Measured, Testimony
from gradcheck.spec import Case

Array = NDArray[np.float64]
NEAREST = 2.0**-52  # relative: what an example without `decimals` may be off by
SMALLEST = 2.0**-1022  # below it float64 has fewer digits anyway
LARGEST = 64  # numbers of an input whose second derivatives are worked out whole


@dataclass(frozen=True, slots=True)
class Right:
    """The right numbers of one quantity at one point, each within its bar; `word`: whose they are."""

    center: Array
    bar: Array
    word: str

    @property
    def nearest(self) -> bool:
        """Whether every number is known to the nearest float64."""
        return bool((self.bar <= NEAREST * np.abs(self.center) + SMALLEST).all())

    def known_to(self, decimals: int) -> bool:
        """Whether every number lies within half a unit of that decimal, rounded to it."""
        off = np.abs(self.center - np.round(self.center, decimals)) + self.bar
        return bool((off <= 0.5 * 10.0**-decimals).all())


class Truth:
    """Who can be trusted at a case of one point, and what they say there."""

    def __init__(self, case: Case) -> None:
        self.case = case
        hearing = Hearing(Inquiry(case))
        self.said: dict[str, Testimony] = {w: hearing.one(w) for w in ("certified", "engine", "differences")}

    def right(self, quantity: str) -> Right | None:
        """The right numbers of a quantity ("vjp:x", "value[y]"); None where nobody knows them all.

        Of "hess:x" all second derivatives of the value, whatever the cotangent and the tangents are.
        """
        quantity = quantity.partition("|")[0]
        if quantity.startswith("hess:"):
            return self._hessian(quantity.partition(":")[2])
        found = self._known(quantity)
        return None if found is None else Right(found.center[0], found.bar[0], found.word)

    def answer(self, quantity: str, index: tuple[int, ...]) -> float | None:
        """One right number of a quantity as witnesses answer it: of "hess:x" along the tangents."""
        found = self._known(quantity.partition("|")[0])
        return None if found is None or found.center.ndim != len(index) + 1 else float(found.center[(0, *index)])

    def _known(self, quantity: str) -> Right | None:
        """The same at all points of a case."""
        proven = _answer(self.said, "certified", quantity)
        if proven is not None and _finite(proven):
            return Right(proven.center, proven.bar, "certified")
        ours, measured = (_answer(self.said, name, quantity) for name in ("engine", "differences"))
        if ours is None or measured is None or not (_finite(ours) and _smooth(measured)):
            return None
        if ours.center.shape != measured.center.shape:
            return None
        confirmed = np.abs(ours.center - measured.center) <= ours.bar + measured.bar
        return Right(ours.center, ours.bar, "engine and differences") if confirmed.all() else None

    def _hessian(self, name: str) -> Right | None:
        shape = self.case.inputs[name].shape[1:]
        size = math.prod(shape)
        found = Truth(_columns(self.case, name, size))._known(f"hess:{name}") if 0 < size <= LARGEST else None
        if found is None:
            return None
        center, bar = (np.moveaxis(a, 0, -1).reshape(*shape, *shape) for a in (found.center, found.bar))
        return Right(center, bar, found.word)


def _answer(said: Mapping[str, Testimony], witness: str, quantity: str) -> Measured | None:
    testimony = said.get(witness)
    return testimony.answers.get(quantity) if isinstance(testimony, Evidence) else None


def _finite(measured: Measured) -> bool:
    return bool(np.isfinite(measured.center).all() and np.isfinite(measured.bar).all())


def _smooth(measured: Measured) -> bool:
    return _finite(measured) and not (measured.kink is not None and measured.kink.any())


def _columns(case: Case, name: str, size: int) -> Case:
    """The point once for each element of an input, which alone moves there; cotangents of ones."""

    def repeated(arrays: Mapping[str, Array]) -> dict[str, Array]:
        return {k: np.repeat(v, size, axis=0) for k, v in arrays.items()}

    tangents = {k: np.zeros_like(v) for k, v in repeated(case.tangents).items()}
    tangents[name] = np.eye(size).reshape(tangents[name].shape)
    cotangents = {k: np.ones_like(v) for k, v in repeated(case.cotangents).items()}
    return replace(
        case, inputs=repeated(case.inputs), cotangents=cotangents, tangents=tangents, origins=("given",) * size
    )
