"""What do the findings of all cells come to? Crashes entered where they were, echoes left out, one verdict."""

from __future__ import annotations

from collections.abc import Sequence

from gradcheck.judge.cells import CELLS, FAILING, CellFinding, Kind, Standing, standing
from gradcheck.oracles.isolation.watch import Watch

FOREIGN = {"precision": "precise numbers", "broadcast": "inputs of another shape"}


def with_ends(findings: Sequence[CellFinding], watch: Watch) -> list[CellFinding]:
    """A cell in which a call was the end of a process has crashed, whoever did not notice it; also an unasked cell.

    Two cells hand in what the code may not have been written for: there it is a silence.
    """
    ends = dict(reversed([*watch.told, *((d.cell, str(d)) for d in watch.deaths)]))
    for cell in FOREIGN.keys() & ends.keys():
        silence = CellFinding(cell, Kind.SILENT, f"the code does not run on {FOREIGN[cell]} ({ends.pop(cell)})")
        findings = [silence if (f.cell, f.kind) in ((cell, Kind.SILENT), (cell, Kind.CRASHED)) else f for f in findings]
    crashed = {f.cell for f in findings if f.kind is Kind.CRASHED}
    more = {cell: CellFinding(cell, Kind.CRASHED, text, wrong=1) for cell, text in ends.items() if cell not in crashed}
    idle = (Kind.RIGHT, Kind.SILENT, Kind.UNMEASURED)
    kept = [f for f in findings if f.cell not in more or f.kind not in idle]
    return sorted([*kept, *more.values()], key=lambda f: [*CELLS].index(f.cell))


ORDER = (
    "repeat", "value", "mutation", "shape", "reverse", "stated", "nonfinite", "kinks", "forward", "adjoint", "layout",
    "linear", "zero", "primal", "subsets", "undefined", "detached", "accumulate", "broadcast", "second", "mixed",
    "vmap", "compiled", "precision", "float32",
)  # fmt: skip


def _rank(finding: CellFinding) -> int:
    """Which finding speaks for the whole: what spoils the others comes first."""
    return ORDER.index(finding.cell)


def verdict_of(findings: Sequence[CellFinding], witnessing: str, cells: frozenset[str], strict: bool) -> Standing:
    """The verdict over all findings. witnessing: the cell that says whether the gradient is right."""
    needed = [cell for cell in (witnessing,) if cell in cells]
    return standing(sorted(findings, key=_rank), needed, strict)


def without_echoes(findings: Sequence[CellFinding]) -> list[CellFinding]:
    """All but echoes. Beside a wrong rule its lost digits, and what it does outside the limits, say nothing more."""
    if not any(f.kind in FAILING for f in findings):
        return list(findings)
    return [f for f in findings if f.kind not in (Kind.INACCURATE, Kind.OUTSIDE)]
