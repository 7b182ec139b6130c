"""What does someone see who wants one function explained, or followed step by step at a point?

The values on the way up, the adjoints on the way down with the rule that makes each, and what the judge says of the
gradients that this ends with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gradcheck.report.numbers import assignments, brief
from gradcheck.report.trace import Telling, Up
from gradcheck.report.written_at import barred
from gradcheck.run.trace import EXAMPLE, GIVEN, ONES, Judged, Traced
from gradcheck.spec import ClaimKind, Input, Spec
from gradcheck.spec.dims import written

DIGITS, DIGITS_OF_MANY = 6, 4  # of a number that stands alone, and of one in an array
WHOLE, FIRST = 4, 3  # numbers of an array that is written out; first ones of a longer array
MOST, HEAD, TAIL = 120, 80, 30  # rows of a table that is shown whole; rows of a longer one
ROOM = 20  # a rule that is less than this shorter than a line is named only
LONG_NUMBER = re.compile(r"\d+\.\d{7,}(?:e[-+]?\d+)?")
CLAIMS = {
    ClaimKind.GRADIENT: "the gradient by {of} is",
    ClaimKind.DERIVATIVE: "the derivative by {of}, element by element, is",
    ClaimKind.JACOBIAN: "the Jacobian by {of} is",
    ClaimKind.VJP: "the cotangent pulled back to {of} is",
    ClaimKind.JVP: "along the tangents {of} moves by",
    ClaimKind.HESSIAN: "the second derivatives by {of} are",
    ClaimKind.HVP: "along the tangents the gradient by {of} moves by",
}
COTANGENTS = {
    ONES: "a cotangent ct of ones",
    EXAMPLE: "the first example's cotangent ct",
    GIVEN: "the ct that was given",
}
VERDICTS = {
    "AGREES": ("agrees", "green"),
    "DISAGREES": ("differs", "bold red"),
    "INACCURATE": ("loses digits", "yellow"),
    "UNDECIDED": ("undecided", "cyan"),
}


def print_function(spec: Spec, console: Console, traced: bool) -> None:
    """What a function is, what it takes, and what is claimed of it."""
    page = _Page(console)
    page.line(Text.assemble((spec.id, "bold"), f"  {spec.summary}" if spec.summary else ""))
    page.line(Text(f"{spec.place.file}:{spec.place.line}", style="dim"))
    page.line()
    table = page.table("key", "text")
    page.row(table, Text("code" if spec.function.code else "value", style="dim"), Text(formula(spec)))
    for i in spec.inputs:
        page.row(table, Text(i.name, style="bold"), Text(taken(i)))
    for k, (words, claimed) in enumerate(claims(spec)):
        page.row(table, Text("" if k else "claimed", style="dim"), Text.assemble((f"{words} ", "dim"), claimed))
    for kink in spec.kinks:
        told = ", ".join(f"by {name} {program.text}" for name, program in kink.values.items())
        page.row(table, Text("kink", style="dim"), Text(f"where {kink.condition.text}: {told}"))
    page.show(table)
    if not traced:
        page.line()
        page.line(Text("--trace shows every step at a point", style="dim"))


def formula(spec: Spec) -> str:
    """The function's text; a formula on one line."""
    return spec.function.text.rstrip() if spec.function.code else " ".join(spec.function.text.split())


def taken(i: Input) -> str:
    """What an input is, in words."""
    what = f"shape [{', '.join(map(str, written(i.shape)))}]" if i.shape else "a number"
    domain = "" if i.domain.text == "real" else f", {i.domain.text}"
    return what + domain + ("" if i.differentiable else ", held constant")


def claims(spec: Spec) -> list[tuple[str, str]]:
    """Every claim: what it is about, in words, and its formula."""
    return [
        (CLAIMS[claim.kind].format(of=claim.of or "the value"), " ".join(claim.program.text.split()))
        for claim in spec.claims
    ]


def print_trace(traced: Traced, told: Telling, console: Console) -> None:
    """The point, the way up, the way down, and the judge's word."""
    page, point = _Page(console), traced.point
    case = point.case
    values = {name: array[0].tolist() for name, array in case.inputs.items()}
    sizes = "".join(f", {name} = {size}" for name, size in case.sizes.items())
    page.line()
    page.line(Text.assemble(("at ", "dim"), assignments(values) + sizes, (f"  ({point.origin})", "dim")))
    page.line()
    page.line(Text.assemble(("Up ", "bold"), ("the values", "dim")))
    table = page.table("step", "value", "by")
    page.cut(table, [_up(row) for row in told.up])
    page.show(table)
    page.line()
    start = COTANGENTS[point.cotangent] if any(ct.ndim > 1 for ct in case.cotangents.values()) else "ct"
    page.line(Text.assemble(("Down ", "bold"), (f"the adjoints, from {start}", "dim")))
    if not told.down:
        page.line(Text("  no derivative passes from the value to an input"))
    else:
        rows = _downs(told, console.width - ROOM)
        table = page.table("step back", "adjoint", "adds", *(["so far"] if any(row[3] for row in rows) else []))
        page.cut(table, [row[: len(table.columns)] for row in rows])
        page.show(table)
    page.line()
    page.line(Text.assemble(("Gradients ", "bold"), ("the trace's and the claim's", "dim")))
    table = page.table("by", "trace", "claim", "judge")
    for row in traced.judged:
        page.row(table, *_judged(row))
    page.show(table)


def _up(row: Up) -> list[Text]:
    if row.kind == "branch":
        asked = Text(f"{brief_in(row.formula)} ?", style="yellow")
        return [asked, Text(number(row.value)), Text("branch", style="dim")]
    text = f" = {brief_in(row.formula)}" if row.name and row.formula else brief_in(row.formula)
    by = {"input": "input", "constant": "constant"}.get(row.kind, row.primitive)
    output = Text.assemble((by, "dim"), (f"  → {row.output}" if row.output else "", "bold green"))
    return [Text.assemble((row.name, "bold"), text), Text(short(row.value, row.shape)), output]


def _downs(told: Telling, room: int) -> list[list[Text]]:
    formulas = {row.name: row.formula for row in told.up}
    shapes = {row.name: row.shape for row in told.up}
    rows, before = [], None
    for row in told.down:
        new, target, rule = row.of and row.of != before, barred(row.to), brief_in(row.rule)
        undone = Text.assemble((row.of, "bold"), f" = {brief_in(formulas[row.of])}") if new else Text()
        if not rule or len(rule) > room:
            rule = f"the rule of {row.primitive} on {barred(row.of)}"
        text = Text.assemble((target + row.place, "bold magenta"), f" += {rule}" if row.of else f" = {rule}")
        shape = shapes[row.to]
        total = Text(f"{target} = {short(row.total, shape)}") if row.again else Text()
        rows.append([undone, text, Text(short(row.adds, shape)), total])
        before = row.of
    return rows


def brief_in(formula: str) -> str:
    """A formula with its long numbers shortened."""
    return LONG_NUMBER.sub(lambda found: brief(float(found[0]), DIGITS), formula)


def _judged(row: Judged) -> list[Text]:
    word, style = VERDICTS.get(row.verdict, ("", ""))
    reason = "" if row.verdict == "AGREES" else row.reason.removeprefix(f"the vjp in {row.input}: ")
    text = Text.assemble((word, style), (": " if word and reason else "") + reason)
    shape = row.traced.shape
    claim = "" if row.claimed is None else short(row.claimed.tolist(), shape)
    return [Text(row.input, style="bold"), Text(short(row.traced.tolist(), shape)), Text(claim), text]


def short(value: Any, shape: tuple[int, ...]) -> str:
    """A number to six digits, a small array to four, of a larger one the shape and the first numbers."""
    if not shape:
        return number(value)
    flat = _flat(value)
    if len(flat) <= WHOLE:
        return _listed(value)
    return f"({'×'.join(map(str, shape))}) {', '.join(number(n, DIGITS_OF_MANY) for n in flat[:FIRST])}, …"


def number(value: Any, digits: int = DIGITS) -> str:
    """One number, truth value, or text of a complex number."""
    if isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else brief(value + 0.0, digits)


def _listed(value: Any) -> str:
    return f"[{', '.join(map(_listed, value))}]" if isinstance(value, list) else number(value, DIGITS_OF_MANY)


def _flat(value: Any) -> list[Any]:
    return [item for part in value for item in _flat(part)] if isinstance(value, list) else [value]


class _Page:
    """Lines and tables for one console, with nothing that its encoding cannot hold."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def line(self, text: Text | None = None) -> None:
        self.console.print(self.held(text or Text()), soft_wrap=True, highlight=False)

    def table(self, *columns: str) -> Table:
        headed = columns[0] != "key"
        table = Table(box=None, pad_edge=False, show_header=headed, header_style="dim", padding=(0, 2, 0, 0))
        for column in columns:
            table.add_column(column, overflow="fold")
        return table

    def row(self, table: Table, *cells: Text) -> None:
        table.add_row(*map(self.held, cells))

    def cut(self, table: Table, rows: Sequence[list[Text]]) -> None:
        """All rows, or the first and the last of very many."""
        whole = len(rows) <= MOST
        for cells in rows if whole else rows[:HEAD]:
            self.row(table, *cells)
        if not whole:
            self.row(table, Text(f"… {len(rows) - HEAD - TAIL} more; --json has all …", style="dim"))
            for cells in rows[-TAIL:]:
                self.row(table, *cells)

    def show(self, table: Table) -> None:
        self.console.print(Padding(table, (0, 0, 0, 2), expand=False), highlight=False)

    def held(self, text: Text) -> Text:
        encoding = self.console.encoding or "utf-8"
        possible = text.plain.encode(encoding, "replace").decode(encoding)
        return text if possible == text.plain else Text(possible, style=text.style)
