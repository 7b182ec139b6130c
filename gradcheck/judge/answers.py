"""What does everybody say of one case, and how far may each be off? The answers, ready to be compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

import numpy as np

from gradcheck.judge.accuracy import missed
from gradcheck.judge.budgets import BUDGETS, SELF_BARRED, TREMOR, Budget, dtype_of
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
from gradcheck.judge.finding import Number, Worst
from gradcheck.judge.kinks import along_a_kink, within_hull
from gradcheck.judge.pairing import paired, paired_losses
from gradcheck.judge.sets import Sets
from gradcheck.judge.telling import digits_lost
from gradcheck.oracles.evidence import Evidence, Measured, Testimony
from gradcheck.spec.case import Case
from gradcheck.spec.precision import FLOAT64, PRECISIONS

MODES_ALONG = re.compile("jvp|pairing|hess|hvp")  # derivatives along a direction
MODES = {"value": "value", "vjp": "reverse", "jvp": "forward", "hvp": "second", "hess": "second"}
Testimonies = Mapping[str, Testimony]
Tremors = Mapping[str, Mapping[str, Array]]  # witness -> quantity -> (B, …)


def label(witness: str, mode: str) -> str:
    """How a party is called: the mode matters where a witness has two ways to the same number."""
    return witness if witness in ("claim", "certified", "differences", "example") or not mode else f"{witness} {mode}"


class Answers:
    """Everybody's answers to one case, ready to be held against one another."""

    def __init__(self, case: Case, testimonies: Testimonies, tremors: Tremors) -> None:
        self.tremors = tremors
        self.case, self.precision = case, PRECISIONS[case.dtype]
        self.said = {n: dict(t.answers) for n, t in testimonies.items() if isinstance(t, Evidence)}
        self.claimed = self.said["claim"]
        self.sets = Sets(testimonies)
        self.scale = self._values()

    def _values(self, size: Callable[[Measured], Array] = lambda value: value.center) -> Array:
        """The size of <ct, f> at each point, by absolute values."""
        total = np.zeros(self.case.points)
        for output, ct in self.case.cotangents.items():
            name = "value" if len(self.case.cotangents) == 1 else f"value[{output}]"
            product = np.abs(ct * size(self.claimed[name]))
            total += np.nan_to_num(product.reshape(len(total), -1).sum(axis=1), posinf=0.0)
        return total

    @cached_property
    def _terms(self) -> Array:
        """The size of <ct, f>; where f is zero everywhere, but for rounding, that of the terms that cancel in it.

        (The cross entropy of one class is log(exp(z)) - z.) Rounding is a share of them.
        """
        values = [m for name, m in self.claimed.items() if name.startswith("value")]
        if all((np.abs(m.center) <= m.bar).all() for m in values):
            return self._values(lambda value: value.bar / FLOAT64.unit)
        return self.scale

    def has_vjps(self) -> bool:
        """Whether reverse mode is claimed."""
        return any(q.startswith("vjp") for q in self.claimed)

    def answer(self, witness: str, quantity: str) -> tuple[str, Measured] | None:
        """A witness's mode and numbers for a quantity; None where it says nothing of it."""
        said = self.said[witness]
        quantity = quantity.partition("|")[0]
        if quantity == "pairing":
            return self._pairing(said)
        measured = said.get(quantity)
        return None if measured is None else (MODES[quantity.partition(":")[0].partition("[")[0]], measured)

    def _pairing(self, said: Mapping[str, Measured]) -> tuple[str, Measured] | None:
        """The witness's side of the adjoint identity: jvp against cotangent, or vjp against tangents."""
        if self.has_vjps():
            directions = self.case.cotangents
            names = {o: "jvp" if len(directions) == 1 else f"jvp[{o}]" for o in directions}
        else:
            directions = self.case.tangents
            names = {n: f"vjp:{n}" for n in directions}
        if any(name not in said for name in names.values()):
            return None
        mode = "forward" if self.has_vjps() else "reverse"
        for k, direction in directions.items():
            if said[names[k]].center.shape != direction.shape:
                return mode, said[names[k]]  # cannot be paired: the shape as it is, for the comparison to refuse
        parts = [paired(said[names[k]], direction) for k, direction in directions.items()]
        center, bar = sum(p[0] for p in parts), sum(p[1] for p in parts)
        flags = [said[name].kink for name in names.values()]
        kinks = [f.reshape(self.case.points, -1).any(axis=1) for f in flags if f is not None]
        kink = np.logical_or.reduce(kinks) if kinks else None
        return mode, Measured(np.asarray(center), np.asarray(bar), kink, paired_losses(said, names, directions))

    def off(self, witness: str, quantity: str, result: Comparison, ours: Party, theirs: Party) -> Mask:
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
        result = zero_everywhere(result, ours, theirs, self._natural(quantity, witness), budget.negligible)
        answer = self.answer("differences", quantity) if "differences" in self.said else None
        if answer is not None and answer[1].center.shape == ours.center.shape:
            result = within_hull(result, ours, theirs, party("differences", "differences", answer[1]))
            by_pieces = quantity.startswith("vjp:") and "|" not in quantity
            return self.sets.judged(result, witness, ours, theirs) if by_pieces else result
        along = "differences" in self.said and MODES_ALONG.match(quantity)
        return along_a_kink(result, self._kinked()) if along else result

    def _natural(self, quantity: str, witness: str) -> Array:
        """How large a quantity of this kind would be at each point (B,), from the sizes of f, inputs and tangents.

        No less than what their typical sizes over all points come to. To the differences a function is no larger than
        its values: beside terms that cancel they do not see what is left.
        """
        of_f = self.scale if witness == "differences" else self._terms
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
            of_all = float(typical(of_f) / np.float64(x) ** of_x * t**of_t)
            of_each = of_f / here**of_x * push**of_t
        return np.fmax(*(np.where(np.isfinite(natural), natural, 0.0) for natural in (of_all, of_each)))

    def kinks(self, quantity: str, shape: tuple[int, ...]) -> Mask:
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

    def numbers(self, quantity: str, index: tuple[int, ...]) -> Iterator[Number]:
        """What every party says about one element, the claim first, bars widened to the budgets."""
        shape = self.claimed[quantity].center.shape
        for witness in sorted(self.said, key=lambda w: w != "claim"):
            answer = ("", self.claimed[quantity]) if witness == "claim" else self.answer(witness, quantity)
            if answer is None or answer[1].center.shape != shape:
                continue
            who = party(label(witness, answer[0]), witness, answer[1])
            yield Number(who.name, float(who.center[index]), float(who.bar[index]), bool(who.kink[index]))

    def worst(self, quantity: str, index: tuple[int, ...], numbers: tuple[Number, ...], result: Comparison) -> Worst:
        """One element as it is told: where it is, what everybody says there, how far it is off."""
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
