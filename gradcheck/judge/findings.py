"""What comes of putting a case to the witnesses? One finding a witness and quantity, with worst element and blame."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gradcheck.judge import proofs
from gradcheck.judge.accuracy import demanded, forgiven, missed, told
from gradcheck.judge.blame import Blame, blame
from gradcheck.judge.budgets import BUDGETS, NEAR_MISS, SELF_BARRED, TREMOR, Budget, dtype_of
from gradcheck.judge.compare import (
    Array,
    Comparison,
    Mask,
    Party,
    compare,
    explained_along,
    explained_by_rounding,
    party,
    typical,
    zero_everywhere,
)
from gradcheck.judge.finding import Finding, Number, Verdict, Worst, overlap
from gradcheck.judge.kinks import along_a_kink, blame_at_kink, blame_at_pole, within_hull
from gradcheck.judge.pairing import paired, paired_losses
from gradcheck.judge.sets import Sets
from gradcheck.judge.telling import digits_lost, in_words, reason_of
from gradcheck.oracles.evidence import Evidence, Measured, Proof, Reason, Silence, Testimony
from gradcheck.spec.case import Case
from gradcheck.spec.precision import PRECISIONS

MODES_ALONG = re.compile("jvp|pairing|hess|hvp")  # derivatives along a direction
MODES = {"value": "value", "vjp": "reverse", "jvp": "forward", "hvp": "second", "hess": "second"}
Testimonies = Mapping[str, Testimony]
Tremors = Mapping[str, Mapping[str, Array]]  # witness -> quantity -> (B, …)


def judge(case: Case, testimonies: Testimonies, tremors: Tremors | None = None) -> tuple[Finding, ...]:
    """Compare the claim with every other witness, quantity by quantity.

    testimonies: witness -> what it said, "claim" among them; a witness that is silent gives one finding that says so.
    tremors: how far apart a witness's errors are near the points, where that was asked (see `oracles.tremor`).
    """
    claim = testimonies["claim"]
    if isinstance(claim, Silence):
        return tuple(
            _silent(said) for n, said in testimonies.items() if isinstance(said, Silence) and _judged_here(case, n)
        )
    found: list[Finding] = []
    room = _Room(case, testimonies, tremors or {})
    for name, testimony in testimonies.items():
        if name == "claim" or not _judged_here(case, name):
            continue
        if isinstance(testimony, Silence):
            found.append(_silent(testimony))
        else:
            found += [*_of_other_dtypes(testimony, case.dtype), *room.findings(name)]
            found += room.proven(name, testimony.proofs)
    return tuple(found)


def _judged_here(case: Case, witness: str) -> bool:
    """At a narrower dtype those who compute in it: the others, heard in float64, say who is right."""
    return case.dtype == "float64" or dtype_of(witness) == case.dtype


def _of_other_dtypes(said: Evidence, dtype: str) -> Iterator[Finding]:
    """One finding for each derivative that came in another dtype than its input's."""
    if dtype == "float64":
        return
    for quantity, other in said.dtypes.items():
        mode = MODES[quantity.partition(":")[0]]
        reason = f"{in_words(quantity)} comes in {other}, where its input is {dtype}"
        yield Finding(said.witness, mode, Verdict.DISAGREES, reason, 0, 0, 0, label(said.witness, mode), None)


def _silent(silence: Silence) -> Finding:
    verdict = Verdict.CRASHED if silence.reason is Reason.CRASHED else Verdict.SILENT
    return Finding(silence.witness, "", verdict, silence.message, 0, 0, 0, "", None, seconds=silence.seconds)


class _Room:
    """Everybody's answers to one case, ready to be held against one another."""

    def __init__(self, case: Case, testimonies: Testimonies, tremors: Tremors) -> None:
        self.tremors = tremors
        self.case, self.precision = case, PRECISIONS[case.dtype]
        self.said = {n: dict(t.answers) for n, t in testimonies.items() if isinstance(t, Evidence)}
        self.claimed = self.said["claim"]
        self.sets = Sets(testimonies)
        self.scale = self._values()

    def _values(self) -> Array:
        """The size of <ct, f> at each point, by absolute values."""
        total = np.zeros(self.case.points)
        for output, ct in self.case.cotangents.items():
            name = "value" if len(self.case.cotangents) == 1 else f"value[{output}]"
            product = np.abs(ct * self.claimed[name].center)
            total += np.nan_to_num(product.reshape(len(total), -1).sum(axis=1), posinf=0.0)
        return total

    def findings(self, witness: str) -> Iterator[Finding]:
        """One finding for every claimed quantity that the witness answers."""
        for quantity, claimed in self.claimed.items():
            if quantity == "pairing" and any(q.startswith("jvp") for q in self.claimed) == self._has_vjps():
                continue  # both sides are claimed directly
            answer = self.answer(witness, quantity)
            if answer is not None:
                mode, measured = answer
                yield self._finding(witness, mode, quantity, claimed, measured)

    def proven(self, witness: str, found: Sequence[Proof]) -> Iterator[Finding]:
        """One finding for every claimed quantity that a witness has proofs about."""
        for proof in found:
            answer = self.answer(witness, proof.quantity)
            if answer is None:
                continue
            ours = party("claim", "claim", self.claimed[proof.quantity])
            theirs = party(witness, witness, answer[1])
            if not proofs.same_shape(proof, ours, theirs):
                continue
            result, worst = proofs.compared(proof, ours, theirs), None
            if result.gap.size:
                index = proofs.worst_index(proof, result)
                worst = self._worst(proof.quantity, index, tuple(self._numbers(proof.quantity, index)), result)
            yield proofs.finding(proof, result, worst, in_words(proof.quantity))

    def _has_vjps(self) -> bool:
        return any(q.startswith("vjp") for q in self.claimed)

    def answer(self, witness: str, quantity: str) -> tuple[str, Measured] | None:
        said = self.said[witness]
        quantity = quantity.partition("|")[0]
        if quantity == "pairing":
            return self._pairing(said)
        measured = said.get(quantity)
        return None if measured is None else (MODES[quantity.partition(":")[0].partition("[")[0]], measured)

    def _pairing(self, said: Mapping[str, Measured]) -> tuple[str, Measured] | None:
        """The witness's side of the adjoint identity: jvp against cotangent, or vjp against tangents."""
        if self._has_vjps():
            directions = self.case.cotangents
            names = {o: "jvp" if len(directions) == 1 else f"jvp[{o}]" for o in directions}
        else:
            directions = self.case.tangents
            names = {n: f"vjp:{n}" for n in directions}
        if any(name not in said for name in names.values()):
            return None
        mode = "forward" if self._has_vjps() else "reverse"
        for k, direction in directions.items():
            if said[names[k]].center.shape != direction.shape:
                return mode, said[names[k]]  # cannot be paired: the shape as it is, for the comparison to refuse
        parts = [paired(said[names[k]], direction) for k, direction in directions.items()]
        center, bar = sum(p[0] for p in parts), sum(p[1] for p in parts)
        flags = [said[name].kink for name in names.values()]
        kinks = [f.reshape(self.case.points, -1).any(axis=1) for f in flags if f is not None]
        kink = np.logical_or.reduce(kinks) if kinks else None
        return mode, Measured(np.asarray(center), np.asarray(bar), kink, paired_losses(said, names, directions))

    def _finding(self, witness: str, mode: str, quantity: str, claimed: Measured, measured: Measured) -> Finding:
        ours = party("claim", "claim", claimed)
        theirs = party(label(witness, mode), witness, measured)
        result = self.comparison(witness, quantity, ours, theirs)
        result, small = forgiven(result, self.case.spec.accuracy)
        off = self._missed(witness, quantity, result, ours, theirs)
        result = demanded(result, off)
        verdict = verdict_of(result)
        worst, blamed = None, Blame("", "")
        if result.gap.size:
            index = _worst_index(result, verdict, self._kinks(quantity, result.gap.shape))
            numbers = tuple(self._numbers(quantity, index))
            worst = self._worst(quantity, index, numbers, result)
            if verdict in (Verdict.DISAGREES, Verdict.INACCURATE):
                of_set = self.sets.blame(index[0], witness, theirs.name) if quantity.startswith("vjp:") else None
                blamed = of_set or self._blame(numbers, ours, theirs)
            if verdict is Verdict.INACCURATE:
                blamed = _of_rounding(blamed, numbers, theirs)
        undecided, wrong = int(result.undecided.sum()), int(result.wrong.sum())
        demand = told(self.case.spec.accuracy, verdict, int(small.sum()), int(off.sum()))
        reason = reason_of(verdict, quantity, result, worst, blamed, theirs, demand)
        return Finding(
            witness, mode, verdict, reason, result.gap.size, undecided, wrong, blamed.who, worst,
            inaccurate=int(result.inaccurate.sum()), missed=int(off.sum()), uncovered=_uncovered(result),
        )  # fmt: skip

    def _missed(self, witness: str, quantity: str, result: Comparison, ours: Party, theirs: Party) -> Mask:
        """The numbers that miss the accuracy that the spec demands of whoever computes the function."""
        computes = witness not in SELF_BARRED | {"differences"} and quantity != "pairing"
        if not computes or ours.center.shape != theirs.center.shape:
            return np.zeros_like(result.agrees)
        return missed(result, ours, theirs, self.case.spec.accuracy, self.precision)

    def comparison(self, witness: str, quantity: str, ours: Party, theirs: Party) -> Comparison:
        """The two parties compared, with kinks judged by what the differences measured there."""
        budget = BUDGETS[dtype_of(witness)]
        result = compare(ours, theirs, self.explained(witness, quantity, ours.center.shape), budget)
        if ours.center.shape != theirs.center.shape:
            return result
        result = zero_everywhere(result, ours, theirs, self._natural(quantity), budget.negligible)
        answer = self.answer("differences", quantity) if "differences" in self.said else None
        if answer is not None and answer[1].center.shape == ours.center.shape:
            result = within_hull(result, ours, theirs, party("differences", "differences", answer[1]))
            by_pieces = quantity.startswith("vjp:") and "|" not in quantity
            return self.sets.judged(result, witness, ours, theirs) if by_pieces else result
        along = "differences" in self.said and MODES_ALONG.match(quantity)
        return along_a_kink(result, self._kinked()) if along else result

    def _natural(self, quantity: str) -> Array:
        """How large a quantity of this kind would be at each point (B,), from the sizes of f, inputs and tangents.

        No less than what their typical sizes over all points come to.
        """
        tangents = self.case.tangents
        inputs = [np.abs(self.case.inputs[n]).reshape(self.case.points, -1) for n in tangents if tangents[n].size]
        sizes = [(typical(x), x.max(axis=1)) for x in inputs]
        along = [np.abs(t).reshape(self.case.points, -1) for t in tangents.values() if t.size]
        x = min((size for size, _ in sizes if size), default=0.0)
        t = max((typical(t) for t in along), default=0.0)
        powers = {"vjp": (1, 0), "jvp": (1, 1), "pairing": (1, 1), "hvp": (2, 1), "hess": (2, 1)}
        of_x, of_t = powers.get(quantity.partition(":")[0].partition("[")[0].partition("|")[0], (0, 0))
        if not x:
            return np.zeros(self.case.points)
        here, push = np.min([size for _, size in sizes], axis=0), np.max([t.max(axis=1) for t in along], axis=0)
        with np.errstate(all="ignore"):
            of_all = float(typical(self.scale) / np.float64(x) ** of_x * t**of_t)
            of_each = self.scale / here**of_x * push**of_t
        return np.fmax(*(np.where(np.isfinite(natural), natural, 0.0) for natural in (of_all, of_each)))

    def _kinks(self, quantity: str, shape: tuple[int, ...]) -> Mask:
        """Where the differences found a kink in this quantity; nowhere if they say nothing of it."""
        answer = self.answer("differences", quantity) if "differences" in self.said else None
        kink = None if answer is None else answer[1].kink
        return np.zeros(shape, dtype=bool) if kink is None or kink.shape != shape else kink

    def _kinked(self) -> Mask:
        """The points (B,) at which the differences found a kink, in some coordinate or along the tangents."""
        found = np.zeros(self.case.points, dtype=bool)
        found[list(self.sets.pieces)] = True
        for quantity, measured in self.said["differences"].items():
            if quantity.startswith(("vjp", "jvp")) and measured.kink is not None:
                found |= measured.kink.reshape(self.case.points, -1).any(axis=1)
        return found

    def _blame(self, numbers: Sequence[Number], ours: Party, theirs: Party) -> Blame:
        if ours.center.shape != theirs.center.shape:
            return Blame(theirs.name, f"{theirs.name} has shape {theirs.center.shape[1:]}")
        at_kink = blame_at_kink(numbers) or blame_at_pole(numbers)
        if at_kink is not None:
            return at_kink
        first = blame(numbers)
        return blame([_far_and_wide(x) for x in numbers]) if first.who == "undetermined" else first

    def explained(self, witness: str, quantity: str, shape: tuple[int, ...]) -> Array:
        """How far rounding explains that a witness is off: its own way of writing it, or the function's values."""
        roundoff, answer = self.roundoff(witness, quantity, shape), self.answer(witness, quantity)
        loss = None if answer is None else answer[1].loss
        if loss is None or loss.shape != shape:
            return roundoff
        dtype = dtype_of(witness)
        lost = BUDGETS[dtype].loss_units * loss
        by_itself = dtype == "float64" and not quantity.startswith("value")  # a small component beside a large one
        return lost if by_itself else np.fmax(roundoff, lost)

    def roundoff(self, witness: str, quantity: str, shape: tuple[int, ...]) -> Array:
        """What rounding of the function's own values would explain, where the witness's bars do not hold it yet."""
        if witness in SELF_BARRED:
            return np.zeros(shape)
        budget = BUDGETS[dtype_of(witness)]
        rounding = self._explained(quantity, shape, budget)
        nearby = self.tremors.get(witness, {}).get(quantity.partition("|")[0])
        return rounding if nearby is None or nearby.shape != shape else np.maximum(rounding, TREMOR * nearby)

    def _explained(self, quantity: str, shape: tuple[int, ...], budget: Budget) -> Array:
        kind, _, name = quantity.partition("|")[0].partition(":")
        if kind == "vjp":
            return np.broadcast_to(explained_by_rounding(self.scale, self.case.inputs[name], budget), shape)
        if kind == "pairing":
            return np.broadcast_to(self._along(self.scale, budget), shape)
        if kind.startswith("jvp"):
            return np.broadcast_to(self._along(self.claimed[kind.replace("jvp", "value")].center, budget), shape)
        if kind.startswith("value"):
            return budget.value_units * budget.unit * np.abs(self.claimed[kind].center)
        return np.zeros(shape)

    def _along(self, values: Array, budget: Budget) -> Array:
        tangents = self.case.tangents
        return explained_along(values, [self.case.inputs[n] for n in tangents], list(tangents.values()), budget)

    def _numbers(self, quantity: str, index: tuple[int, ...]) -> Iterator[Number]:
        """What every party says about one element, the claim first, bars widened to the budgets."""
        shape = self.claimed[quantity].center.shape
        for witness in sorted(self.said, key=lambda w: w != "claim"):
            answer = ("", self.claimed[quantity]) if witness == "claim" else self.answer(witness, quantity)
            if answer is None or answer[1].center.shape != shape:
                continue
            who = party(label(witness, answer[0]), witness, answer[1])
            yield Number(who.name, float(who.center[index]), float(who.bar[index]), bool(who.kink[index]))

    def _worst(self, quantity: str, index: tuple[int, ...], numbers: tuple[Number, ...], result: Comparison) -> Worst:
        row = index[0]
        gap, joint = float(result.gap[index]), float(result.joint[index])
        largest = max((abs(x.center) for x in numbers[:1] if np.isfinite(x.center)), default=0.0)
        return Worst(
            quantity=quantity,
            index=tuple(int(k) for k in index[1:]),
            point=int(row),
            origin=self.case.origins[row],
            layout="" if (layout := self.case.layout(row)) is None else str(layout),
            inputs={name: array[row].tolist() for name, array in self.case.inputs.items()},
            cotangent={name: array[row].tolist() for name, array in self.case.cotangents.items()},
            numbers=numbers,
            error=gap / joint if joint > 0 else float(np.inf if gap else 0.0),
            ulp=float(gap / self.precision.spacing(largest)) if largest else float("nan"),
            lost=digits_lost(gap, largest, self.precision),
        )


def label(witness: str, mode: str) -> str:
    """How a party is called: the mode matters where a witness has two ways to the same number."""
    return witness if witness in ("claim", "certified", "differences", "example") or not mode else f"{witness} {mode}"


MANY_POINTS = 16  # a case of so many points should decide something at every position


def _uncovered(result: Comparison) -> int:
    """At how many positions of the quantity no point of the case agreed."""
    if len(result.gap) < MANY_POINTS:
        return 0
    return int((~result.agrees.any(axis=0)).sum())


def _far_and_wide(x: Number) -> Number:
    """The differences with the bar that a near miss is granted, so that they decide nothing between close numbers."""
    return x if x.witness != "differences" or x.kink else replace(x, bar=NEAR_MISS * x.bar)


def _of_rounding(blamed: Blame, numbers: Sequence[Number], theirs: Party) -> Blame:
    """Whose digits are lost: those of the party outside the others, or of the claim that is vague.

    Where as many parties have lost them as have kept them, a witness whose bars hold all its rounding decides.
    """
    if blamed.who == "":
        return Blame("claim", "the claim's own rounding covers the difference")
    if blamed.who != "undetermined":
        return blamed
    claim = numbers[0]
    beside = [x for x in numbers[1:] if x.witness.split()[0] in SELF_BARRED and overlap(claim, x)]
    if beside and theirs.name.split()[0] not in SELF_BARRED:
        names = " and ".join([claim.witness, *(x.witness for x in beside)])
        return Blame(theirs.name, f"{names} agree, and rounding explains what {theirs.name} is off by")
    return Blame("undetermined", "rounding of f's own values explains the difference")


def verdict_of(result: Comparison) -> Verdict:
    """The verdict of a comparison, from the states of its elements."""
    if result.wrong.any():
        return Verdict.DISAGREES
    if result.inaccurate.any():
        return Verdict.INACCURATE
    if not result.gap.size or not result.agrees.any():
        return Verdict.UNDECIDED
    return Verdict.AGREES if 2 * result.agrees.sum() >= result.gap.size else Verdict.UNDECIDED


def _worst_index(result: Comparison, verdict: Verdict, kinks: Mask) -> tuple[int, ...]:
    """The element furthest apart in units of the joint bar, among those that gave the verdict, kinks the last."""
    with np.errstate(all="ignore"):
        error = np.where(result.joint > 0, result.gap / result.joint, np.where(result.gap > 0, np.inf, 0.0))
    error = np.where(np.isnan(error), np.inf, error)
    among = {
        Verdict.DISAGREES: result.wrong,
        Verdict.INACCURATE: result.inaccurate,
        Verdict.UNDECIDED: result.undecided,
    }.get(verdict, result.agrees)
    among = among & ~kinks if (among & ~kinks).any() else among
    flat = int(np.argmax(np.where(among, error, -1.0)))
    return tuple(int(k) for k in np.unravel_index(flat, result.gap.shape))


def wrong_points(case: Case, testimonies: Testimonies, witness: str, quantity: str) -> Mask:
    """At which points (B,) claim and witness contradict one another in one quantity; none where either is silent."""
    return np.asarray(wrong_numbers(case, testimonies, witness, quantity) > 0)


def wrong_numbers(
    case: Case, testimonies: Testimonies, witness: str, quantity: str, proven: bool = False
) -> NDArray[np.intp]:
    """In how many numbers of the quantity they contradict one another, point by point; proven: are disproved."""
    nowhere = np.zeros(case.points, dtype=np.intp)
    if not all(isinstance(testimonies.get(name), Evidence) for name in ("claim", witness)):
        return nowhere
    room = _Room(case, testimonies, {})
    claimed = room.claimed.get(quantity)
    answer = room.answer(witness, quantity) if claimed is not None else None
    if claimed is None or answer is None:
        return nowhere
    ours, theirs = party("claim", "claim", claimed), party(witness, witness, answer[1])
    if proven:
        found = getattr(testimonies[witness], "proofs", ())
        proof = next((p for p in found if p.quantity == quantity and proofs.same_shape(p, ours, theirs)), None)
        return nowhere if proof is None else _counted(proofs.compared(proof, ours, theirs))
    return _counted(room.comparison(witness, quantity, ours, theirs))


def _counted(result: Comparison) -> NDArray[np.intp]:
    return np.asarray(result.wrong.reshape(len(result.wrong), -1).sum(axis=1))
