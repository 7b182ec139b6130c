"""How is the answer about somebody's callable told? In eight lines: what, where, the right number, how to see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gradcheck.judge.cells import FAILING, REMARKS, CellFinding, Kind, Seen
from gradcheck.judge.finding import Verdict
from gradcheck.judge.telling import ONE_SIDED, interval
from gradcheck.report.as_called import as_called
from gradcheck.report.checked_html import html
from gradcheck.report.naming import Code
from gradcheck.report.reproduce import lines as reproducing
from gradcheck.report.reproduce import right_of
from gradcheck.report.reproduce_large import drawn
from gradcheck.run.check.callable import Checked, sizes_text

LONG = 200  # characters of an array that are shown
ELEMENT = ("", "as stated", "stated")  # ways to a number that is an element of a gradient


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """What `gradcheck.check` found. `bool(result)` and `.passed` say whether the derivative passes; `str(result)` why.

    findings: one or more a cell. power: the smallest relative error of a gradient that would have been caught
    ("median" over all numbers, "worst": all but the widest 1 %), None where no slope was measured. Complex numbers are
    pairs in findings: the last index of what `code.complex_inputs` names is 0 for a real part, 1 for an imaginary one.
    """

    name: str
    checked: Checked
    door: str = "numpy"
    code: Code = field(default_factory=Code)  # how the code under test is called in a new Python

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong, and something was witnessed."""
        return self.checked.standing.passed

    @property
    def verdict(self) -> Verdict:
        """AGREES, INACCURATE, DISAGREES, CRASHED, UNWITNESSED, or SILENT where there is no such device."""
        return self.checked.standing.verdict

    @property
    def findings(self) -> tuple[CellFinding, ...]:
        """Everything found, cell by cell."""
        return self.checked.findings

    @property
    def power(self) -> Mapping[str, float] | None:
        """The smallest relative errors that would have been caught."""
        return self.checked.power

    @property
    def remarks(self) -> tuple[CellFinding, ...]:
        """Findings that do not fail by default: lost digits, NaN at kinks, faults outside the limits, what is meant."""
        return tuple(f for f in self.findings if f.kind in (*REMARKS, Kind.MEANT))

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def _repr_html_(self) -> str:
        return html(self)


def _lines(result: Result) -> list[str]:
    standing = result.checked.standing
    finding = standing.decisive
    if not result.passed and finding is not None:
        lines = [f"{result.name}: {result.verdict} in {finding.cell}: {finding.sentence}"]
        if finding.seen is not None:
            lines += _shown(result, finding.seen)
    else:
        lines = [f"{result.name}: {_headline(result)}"]
    if result.verdict is Verdict.SILENT:
        return lines
    lines += ["", f"{_counts(result)}"]
    told = None if result.passed else finding
    lines += [f"  {f.cell}: {f.kind}: {f.sentence}" for f in result.findings if _worth(f, told)]
    silent = [f for f in result.findings if f.kind in (Kind.SILENT, Kind.UNMEASURED)]
    if silent:
        whys = dict.fromkeys(f.sentence for f in silent)
        cells = {why: ", ".join(f.cell for f in silent if f.sentence == why) for why in whys}
        lines.append("not asked or not decided: " + "; ".join(f"{named} ({why})" for why, named in cells.items()))
    return lines + [f"note: {n}" for n in result.checked.notes]


def _worth(finding: CellFinding, told: CellFinding | None) -> bool:
    return finding is not told and finding.kind in FAILING | {*REMARKS, Kind.MEANT}


def _headline(result: Result) -> str:
    if not result.passed:
        return f"{result.verdict}: {result.checked.standing.sentence}"
    power = result.power
    caught = f"; a relative error of {power['median']:.1g} would have been seen" if power else ""
    remarks = len(result.remarks)
    more = f", with {remarks} {'remark' if remarks == 1 else 'remarks'}" if remarks else ""
    meant = any(f.kind is Kind.MEANT for f in result.findings)
    passes = "the gradient is the one that was meant" if meant else "the derivative passes"
    return f"{result.verdict}: {passes}{more}{caught}"


def _counts(result: Result) -> str:
    checked = result.checked
    right = [f.cell for f in result.findings if f.kind is Kind.RIGHT]
    sizes = f" ({sizes_text(checked.shapes)})" if sizes_text(checked.shapes) else ""
    return f"{checked.points} points{sizes}, {checked.calls} calls; right: {', '.join(right) or 'nothing'}"


def _shown(result: Result, seen: Seen) -> list[str]:
    """Where, the two numbers, and Python that shows them."""
    if seen.way == "large":
        told = f"  got {seen.got!r}; right: {right_of(seen)} ± {seen.bar:.1g} by {seen.whose}"
        return [drawn(seen), told, *(f"  {line}" for line in reproducing(result.door, result.code, seen))]
    called = as_called(result.code, seen)
    where = f"at {called.place(seen)}, point " if seen.whose and seen.way in ELEMENT else "at "
    at = ", ".join(f"{n} = {_text(v)}" for n, v in called.inputs.items())
    cotangents = called.cotangents if seen.several else called.cotangents[0]
    lines = [f"  {where}{at} ({seen.origin}), cotangent {_text(cotangents)}"]
    ends = interval(seen.right, seen.bar)
    if seen.way == "along" or (seen.whose == ONE_SIDED and len(ends) == 2):
        lines.append(f"  got {seen.got!r}; right: from {ends[0]} to {ends[-1]} by {seen.whose}")
    elif seen.whose:
        who = f"± {seen.bar:.1g} by {seen.whose}" if seen.bar else f"({seen.whose})"
        lines.append(f"  got {seen.got!r}; right: {right_of(seen)} {who}")
    return lines + [f"  {line}" for line in reproducing(result.door, result.code, seen)]


def _text(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONG else text[: LONG - 3] + "..."
