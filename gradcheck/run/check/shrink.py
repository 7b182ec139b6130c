"""What is the simplest point at which a number is still wrong? Simple numbers are tried, one element at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases.planting import Tried, meets
from gradcheck.judge.cells import CellFinding, Kind, Seen
from gradcheck.judge.slopes import contract
from gradcheck.judge.telling import told_wrong
from gradcheck.oracles.blackbox.asked import flat
from gradcheck.oracles.blackbox.slopes import jacobian
from gradcheck.run.check.judging import Judging, moved_together
from gradcheck.run.check.suspects import Ruling, component, unflattened
from gradcheck.spec.membership import within_box

SHRUNK = frozenset({"reverse", "nonfinite"})
TRIALS = 80
ELEMENTS = 6  # of each input that are made simpler one by one
SIMPLE = (0.0, 1.0, 2.0, -1.0, 3.0, 0.5, -2.0, 4.0, 5.0, 10.0)
Row = NDArray[np.float64]


def shrunk(finding: CellFinding, judged: Sequence[Judging]) -> CellFinding:
    """The finding at a simpler point, where one shows it too; else as it was."""
    old = finding.seen
    if old is None or finding.cell not in SHRUNK or finding.kind is not Kind.WRONG or not old.whose:
        return finding
    judging = next((j for j in judged if j.seed == old.seed and j.points), None)
    if judging is None or old.input not in judging.names:
        return finding
    judging.asked.turn(finding.cell)
    found = _Search(judging, old).best()
    if found is old:
        return finding
    text = f"the gradient of {found.place} is {told_wrong(found.got, found.right, found.bar, found.whose)}"
    return replace(finding, seen=found, sentence=text)


class _Search:
    def __init__(self, judging: Judging, old: Seen) -> None:
        self.judging, self.old, self.left = judging, old, TRIALS if np.isfinite(old.got) else TRIALS // 4
        which = judging.names.index(old.input)
        self.way = next(
            e
            for e, d in enumerate(judging.court.basis)
            if d.which == which and (d.element or ()) == old.index and moved_together(d) == old.along
        )

    def best(self) -> Seen:
        """Simpler cotangent, then simpler numbers, as long as the same element is wrong."""
        kinds = [g.dtype for g in self.judging.givens]
        inputs = [np.array(self.old.inputs[n], dtype=k) for n, k in zip(self.judging.names, kinds, strict=True)]
        ct = flat([np.asarray(c, float) for c in self._many(self.old.cotangent)])
        best = self.old
        for simpler in self._cotangents(ct):
            found = self._wrong(inputs, simpler)
            if found is not None:
                best, ct = found, simpler
                break
        for k, given in enumerate(self.judging.givens):
            if given.domain.kind not in ("real", "integer"):
                continue
            for change in self._changes(inputs[k]):
                if self.left <= 0:
                    return best
                candidate = change(inputs[k])
                if candidate is None or not within_box(given.domain, candidate.astype(float)).all():
                    continue
                changed = [*inputs[:k], candidate, *inputs[k + 1 :]]
                found = self._wrong(changed, ct) if meets(self.judging.givens, changed) else None
                if found is not None:
                    best, inputs = found, changed
        return best

    def _many(self, cotangent: Any) -> list[Any]:
        return list(cotangent) if len(self.judging.values[0]) > 1 else [cotangent]

    def _cotangents(self, ct: Row) -> Iterator[Row]:
        yield np.ones_like(ct)
        for k in np.flatnonzero(ct)[:4]:
            hot = np.zeros_like(ct)
            hot[k] = 1.0
            yield hot

    def _changes(self, x: NDArray[Any]) -> Iterator[Callable[[NDArray[Any]], NDArray[Any] | None]]:
        """Each element as simple as can be, then fewer digits everywhere; None where nothing would be simpler."""
        for index in list(np.ndindex(x.shape))[:ELEMENTS]:
            for v in SIMPLE:
                yield lambda x, index=index, v=v: _simpler(x, index, v)  # type: ignore[misc]
        if x.dtype.kind == "f":
            for digits in (1, 2, 3):
                yield lambda x, digits=digits: _rounded(x, digits)  # type: ignore[misc]

    def _wrong(self, inputs: list[NDArray[Any]], ct: Row) -> Seen | None:
        """What is seen there, where the same element is wrong by the same examination."""
        self.left -= 1
        judging, court = self.judging, self.judging.court
        try:
            values = judging.asked.value(inputs)
            shapes = [np.shape(v) for v in values]
            if shapes != [np.shape(v) for v in judging.values[0]] or not np.isfinite(flat(values)).all():
                return None
            cts = unflattened(ct, values)
            d = court.basis[self.way]
            answer = component(judging.asked.vjp(inputs, cts), d)
            if not np.isfinite(answer) and not court.smooth_everywhere(inputs):
                return None
            measured = jacobian(judging.asked, [inputs], [d], court.domains, judging.seed)
            first = contract(measured.center[0], measured.bar[0], measured.kink[0], ct)
            ruling = court.examine(Tried(tuple(inputs), "shrunk"), self.way, ct, answer, first)
        except Exception:  # the code under test may raise anything: not the same fault
            return None
        return self._seen(inputs, cts, answer, ruling) if ruling.kind is Kind.WRONG else None

    def _seen(self, inputs: Sequence[NDArray[Any]], cts: Sequence[NDArray[Any]], answer: float, ruling: Ruling) -> Seen:
        named: Mapping[str, Any] = {n: x.tolist() for n, x in zip(self.judging.names, inputs, strict=True)}
        many = [c.tolist() for c in cts]
        return replace(
            self.old, inputs=named, cotangent=many[0] if len(many) == 1 else many, got=answer, right=ruling.center,
            bar=ruling.bar, whose=ruling.whose, origin="shrunk",
        )  # fmt: skip


def _simpler(x: NDArray[Any], index: tuple[int, ...], v: float) -> NDArray[Any] | None:
    """The array with one element replaced, where it is not as simple already."""
    now = float(x[index])
    if now in SIMPLE and SIMPLE.index(now) <= SIMPLE.index(v):
        return None
    changed = x.copy()
    changed[index] = v
    return changed


def _rounded(x: NDArray[Any], digits: int) -> NDArray[Any] | None:
    changed = np.array([float(f"{v:.{digits}g}") for v in x.reshape(-1)], dtype=x.dtype).reshape(x.shape)
    return None if np.array_equal(changed, x) else changed
