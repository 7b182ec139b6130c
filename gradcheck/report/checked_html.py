"""How does an answer look in a notebook? The text's own lines, the verdict in colour, the questions folded away."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gradcheck.judge.cells import FAILING, REMARKS, CellFinding, Kind
from gradcheck.judge.finding import Verdict

if TYPE_CHECKING:
    from gradcheck.report.checked import Result

GOOD, BAD, OPEN, QUIET = "#2b7a3e", "#b3261e", "#8a6100", "#57606a"  # white reads on each, in light and dark notebooks
BOX = "border-left:4px solid {};padding:.2em .9em;max-width:62em;line-height:1.5;text-align:left"
BADGE = "background:{};color:#fff;border-radius:3px;padding:.05em .45em;font-weight:600"
CODE = (
    "margin:.3em 0;padding:.5em .7em;background:rgba(127,127,127,.13);color:inherit;white-space:pre-wrap;"
    "overflow-wrap:anywhere;font-size:.92em"
)
CELL = "text-align:left;vertical-align:top;padding:.1em 1em .1em 0;border:0"


def html(result: Result) -> str:
    """One block with styles of its own, which fetches nothing."""
    lines = str(result).splitlines()
    end = lines.index("") if "" in lines else len(lines)
    colour = _colour(result)
    head = _head(result, lines[0], colour)
    return f'<div style="{BOX.format(colour)}">{head}{_body(lines[1:end])}{_remarks(result)}{_questions(result)}</div>'


def _colour(result: Result) -> str:
    if result.verdict is Verdict.SILENT:
        return QUIET
    if not result.passed:
        return BAD
    return OPEN if result.remarks else GOOD


def _head(result: Result, line: str, colour: str) -> str:
    rest = line.removeprefix(f"{result.name}: {result.verdict}").removeprefix(":")
    badge = f'<span style="{BADGE.format(colour)}">{escape(result.verdict)}</span>'
    return f"<div><b>{escape(result.name)}</b> {badge} {escape(rest.strip())}</div>"


def _body(lines: list[str]) -> str:
    """Where and what, then the Python to paste."""
    code = [line.removeprefix("    ") for line in lines if line.startswith("    ")]
    words = "".join(f"<div>{escape(line.strip())}</div>" for line in lines if not line.startswith("    "))
    return words + (f'<pre style="{CODE}">{escape(chr(10).join(code))}</pre>' if code else "")


def _remarks(result: Result) -> str:
    told = result.checked.standing.decisive if not result.passed else None
    others = [f for f in result.findings if f.kind in FAILING | {*REMARKS, Kind.MEANT} and f is not told]
    return "".join(f"<div>{escape(f'{f.cell}: {f.kind}: {f.sentence}')}</div>" for f in others)


def _questions(result: Result) -> str:
    """Every question with its answer, behind a line that counts them."""
    if not result.findings:
        return ""
    right = sum(f.kind is Kind.RIGHT for f in result.findings)
    silent = sum(f.kind in (Kind.SILENT, Kind.UNMEASURED) for f in result.findings)
    counted = f"{result.checked.points} points; {right} questions right, {silent} not asked or not decided"
    rows = "".join(_row(f) for f in result.findings)
    notes = "".join(f"<div>note: {escape(n)}</div>" for n in result.checked.notes)
    table = f'<table style="border-collapse:collapse;margin:.3em 0">{rows}</table>'
    return f"<details><summary>{escape(counted)}</summary>{table}{notes}</details>"


def _row(finding: CellFinding) -> str:
    cells = (finding.cell, finding.kind, finding.sentence)
    return "<tr>" + "".join(f'<td style="{CELL}">{escape(str(c))}</td>' for c in cells) + "</tr>"
