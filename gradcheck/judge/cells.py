"""What can be wrong with people's own rules? One named cell a kind of question, each finding with its class.

Only what is *wrong* fails by default; lost digits, NaN at kinks, and anything beyond the stated limits are told apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gradcheck.judge.finding import Verdict

CELLS: Mapping[str, str] = {
    "value": "the function is finite, gives the same numbers when it is called again, and leaves its inputs alone",
    "shape": "each gradient has the shape of its input, and is real",
    "reverse": "the vjp against the slopes of the function's own values, element by element",
    "stated": "the vjp against what is stated of it beside the code: a formula, a rule, another implementation",
    "kinks": "the vjp along directions at points where the function has a kink",
    "nonfinite": "NaN or infinity in the vjp where the function is finite",
    "forward": "the jvp against the slopes of the function's own values",
    "adjoint": "<ct, jvp(t)> is <vjp(ct), t>",
    "zero": "a cotangent of zeros gives zeros",
    "linear": "the vjp is linear in its cotangent, also at other scales",
    "layout": "another layout in memory (strided, transposed, reversed, repeated numbers) changes nothing",
    "mutation": "inputs and cotangents are not written to",
    "repeat": "the vjp gives the same numbers again, also after a call at another point",
    "precision": "digits of the gradient, against the function's own code run with hundreds of bits",
    "float32": "a gradient for float32 inputs",
    "subsets": "every input alone held constant, and alone differentiated by: the other gradients stay the same",
    "undefined": "outputs that were not used, and cotangents that are None, count as zeros",
    "accumulate": "backward adds to what .grad holds already",
    "detached": "no gradient reaches an input through a detached copy of it",
    "primal": "under differentiation the function gives the same values, and raises where it raises without",
    "broadcast": "where the function repeats an input of size 1, its gradient is the sum over the repetitions",
    "vmap": "a batch under vmap gives what single calls give",
    "compiled": "a compiled call gives what an eager one gives",
    "second": "the rule for the gradient's own gradient (reverse over reverse)",
    "mixed": "the derivative of the gradient by forward over reverse mode",
}


class Kind(StrEnum):
    """The class of a finding."""

    RIGHT = "right"
    WRONG = "wrong"
    INACCURATE = "inaccurate"
    NOT_SMOOTH = "not finite at a non-smooth point"
    OUTSIDE = "outside the limits"
    MEANT = "as meant"
    RESTLESS = "nondeterministic"
    UNMEASURED = "unmeasurable"
    CRASHED = "crashed"
    SILENT = "not asked"


FAILING = frozenset({Kind.WRONG, Kind.CRASHED})
REMARKS = (Kind.INACCURATE, Kind.NOT_SMOOTH, Kind.OUTSIDE, Kind.RESTLESS)
OWN = "(the slope of the function's own values)"
VERDICTS: Mapping[Kind, Verdict] = {
    Kind.RIGHT: Verdict.AGREES,
    Kind.WRONG: Verdict.DISAGREES,
    Kind.INACCURATE: Verdict.INACCURATE,
    Kind.NOT_SMOOTH: Verdict.UNDECIDED,
    Kind.OUTSIDE: Verdict.INACCURATE,
    Kind.MEANT: Verdict.AGREES,
    Kind.RESTLESS: Verdict.AGREES,
    Kind.UNMEASURED: Verdict.UNDECIDED,
    Kind.CRASHED: Verdict.CRASHED,
    Kind.SILENT: Verdict.SILENT,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One number that is not as it should be, and where.

    inputs, cotangent: nested lists at full precision; index: the element of the gradient (or of the output); got and
    right: the numbers; bar: how far `right` may be off; whose: who says so; several: the cotangent is one a output.
    along: the elements that moved together, with their weights, where it is no single one: the numbers are those of the
    sum of the gradient's elements with these weights.
    way: by which calls it shows, "" being one call of the vjp; beside: what these need besides, by name.
    """

    input: str
    index: tuple[int, ...]
    inputs: Mapping[str, Any]
    cotangent: Any
    got: float
    right: float
    bar: float
    whose: str
    origin: str = ""
    seed: int | None = None
    several: bool = False
    along: tuple[tuple[tuple[int, ...], float], ...] = ()
    way: str = ""
    beside: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """What the numbers are of: "x[0]", or "a[1, 0] + a[0, 1]" of a matrix that stays symmetric."""
        return self.terms(self.input)

    def terms(self, name: str) -> str:
        """The same of an array called `name`, as Python writes it."""
        if not self.along:
            return f"{name}{list(self.index) or ''}"
        parts = [f"{_weight(w)}{name}{list(index)}" for index, w in self.along]
        return " + ".join(parts).replace("+ -", "- ")

    @property
    def size(self) -> int:
        """How many numbers the point has."""
        return sum(_count(x) for x in self.inputs.values())


def _weight(w: float) -> str:
    return {1.0: "", -1.0: "-"}.get(w, f"{w:g}*")


def _count(nested: Any) -> int:
    return sum(map(_count, nested)) if isinstance(nested, list) else 1


@dataclass(frozen=True, slots=True)
class CellFinding:
    """What came of one cell: its class, one sentence, how much was compared, and the number that shows it best."""

    cell: str
    kind: Kind
    sentence: str
    compared: int = 0
    undecided: int = 0
    wrong: int = 0
    seen: Seen | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict that its class stands for."""
        return VERDICTS[self.kind]


@dataclass(slots=True)
class Tally:
    """The counts of one cell while points are judged, and of each class the number seen at the smallest shape."""

    cell: str
    compared: int = 0
    undecided: int = 0
    counts: dict[Kind, int] = field(default_factory=dict)
    shown: dict[Kind, tuple[Seen | None, str]] = field(default_factory=dict)
    silence: str = ""
    uncovered: str = ""  # what part of the question nothing was decided of

    def add(self, compared: int, undecided: int = 0) -> None:
        """So many more numbers were compared, so many of them without a decision."""
        self.compared += compared
        self.undecided += undecided

    def show(self, kind: Kind, sentence: str, seen: Seen | None = None) -> None:
        """One number (or call) of this class."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        known = self.shown.get(kind)
        if known is None or (seen is not None and known[0] is not None and seen.size < known[0].size):
            self.shown[kind] = (seen, sentence)

    def declare(self) -> None:
        """What is wrong here, or only so far from right, was said to be meant: no fault, and told."""
        kinds = [k for k in (Kind.WRONG, *REMARKS) if k in self.counts]
        if kinds:
            seen, sentence = self.shown[kinds[0]]
            self.counts[Kind.MEANT] = sum(self.counts.pop(k) for k in kinds)
            self.shown[Kind.MEANT] = (seen, f"{sentence} {OWN}")

    def findings(self) -> list[CellFinding]:
        """One finding a class that was seen; the cell's standing first."""
        found = [self._of(kind) for kind in (Kind.WRONG, Kind.CRASHED, *REMARKS, Kind.MEANT) if kind in self.counts]
        if any(f.kind in (*FAILING, Kind.MEANT) for f in found):
            return found
        return [self._standing(), *found]

    def _of(self, kind: Kind) -> CellFinding:
        seen, sentence = self.shown[kind]
        return CellFinding(self.cell, kind, sentence, self.compared, self.undecided, self.counts[kind], seen)

    def _standing(self) -> CellFinding:
        decided = self.compared - self.undecided
        if decided > 0 and self.uncovered:
            return CellFinding(self.cell, Kind.UNMEASURED, self.uncovered, self.compared, self.undecided)
        if decided > 0:
            return CellFinding(self.cell, Kind.RIGHT, f"{decided} numbers agree", self.compared, self.undecided)
        if self.compared:
            sentence = f"none of {self.compared} numbers could be decided: {self.silence or 'no slope could be read'}"
            return CellFinding(self.cell, Kind.UNMEASURED, sentence, self.compared, self.undecided)
        return CellFinding(self.cell, Kind.SILENT, self.silence or "there was nothing to ask")


@dataclass(frozen=True, slots=True)
class Standing:
    """The verdict over all cells."""

    verdict: Verdict
    passed: bool
    sentence: str
    decisive: CellFinding | None


def standing(findings: Sequence[CellFinding], needed: Sequence[str], strict: bool = False) -> Standing:
    """One verdict.

    needed: cells of which one at least must have decided something, else the rule is unwitnessed. strict: remarks
    fail too.
    """
    for kind in (Kind.WRONG, Kind.CRASHED):
        bad = [f for f in findings if f.kind is kind]
        if bad:
            return Standing(VERDICTS[kind], False, f"{bad[0].cell}: {bad[0].sentence}", bad[0])
    missing = [cell for cell in needed if not any(f.cell == cell and f.kind is Kind.RIGHT for f in findings)]
    if missing:
        why = next((f.sentence for f in findings if f.cell == missing[0]), "it was skipped")
        return Standing(Verdict.UNWITNESSED, False, f"nothing witnesses the derivative ({missing[0]}: {why})", None)
    if all(f.kind in (Kind.SILENT, Kind.UNMEASURED) for f in findings):
        whys = "; ".join(f"{f.cell}: {f.sentence}" for f in findings)
        return Standing(Verdict.UNWITNESSED, False, f"nothing was decided ({whys or 'nothing was asked'})", None)
    remarks = [f for f in findings if f.kind in REMARKS]
    if not remarks:
        return Standing(Verdict.AGREES, True, "nothing is wrong", None)
    first = min(remarks, key=lambda f: REMARKS.index(f.kind))
    verdict = Verdict.INACCURATE if first.kind is Kind.INACCURATE else Verdict.AGREES
    return Standing(verdict, not strict, f"{first.cell}: {first.sentence}", first)
