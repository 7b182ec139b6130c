"""What does someone at a terminal see who asks for the functions of the language, or for one of them?"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from gradcheck.expr import VOCABULARY, Primitive
from gradcheck.expr.vocabulary import lookup
from gradcheck.report import written
from gradcheck.report.vocabulary_table import NONE, facts, heard_in_words, namespaces, order, signature, witnesses

LONGEST = 64  # characters of a derivative in the list
WIDEST = 48  # characters of a function in the list, where derivatives are still in line
RULES = {
    "slopes": "slopes: the derivative by each argument, elementwise; both modes follow",
    "linear": "a linear map: its own forward rule, and its transpose for reverse mode",
    "rule": "a rule for each mode",
    "composition": "a composition: its derivative follows from the functions in its formula",
    "flat": "flat: the derivative is zero wherever there is one",
    "none": "no derivative passes through",
}


def print_vocabulary(console: Console) -> None:
    """Every function on a line, with its derivative where that is short."""
    heads = {name: signature(row) for name, row in sorted(VOCABULARY.items())}
    width = min(max(map(len, heads.values())), WIDEST)
    for name, head in heads.items():
        _write(console, Text.assemble((head.ljust(width), "bold"), "  ", in_short(VOCABULARY[name])))
    _write(console, Text(f"\n{len(VOCABULARY)} functions; gradcheck vocabulary NAME tells all of one"))


def in_short(row: Primitive) -> str:
    """The derivative in a few words: `cos(x)`."""
    kind = facts(row).rule
    if kind == "composition":
        formula, _ = written.meaning(row)
        return f"= {formula}" if formula and len(formula) <= LONGEST else "composition"
    if kind != "slopes":
        return {"none": "no derivative", "rule": "rules for both modes"}.get(kind, kind)
    told = [slope or "none" for slope in written.slopes(row)]
    text = ", ".join(f"d{name}: {slope}" for name, slope in zip(written.NAMES, told, strict=False))
    return text if len(text) <= LONGEST else "slopes"


def print_row(name: str, console: Console) -> None:
    """Everything about one function; last the witnesses, whose libraries take a moment to load.

    Raises UsageError, with what was probably meant, where there is no such function.
    """
    row = lookup(name)
    _write(console, Text(signature(row), style="bold"))
    for key, value in about(row):
        _say(console, key, value)
    heard = witnesses(row, namespaces())
    highest = order(row, heard)
    _say(console, "witnesses", heard_in_words(heard))
    _say(console, "tested", "its value" if highest == NONE else f"its derivatives to order {highest}")


def about(row: Primitive) -> Iterator[tuple[str, str]]:
    """What the row says of itself: a word, and the text behind it."""
    told = facts(row)
    yield "also called", ", ".join(told.aliases)
    yield "rule", RULES[told.rule]
    formula, used = written.meaning(row)
    yield "means", formula or (written.source(row.compose) if row.compose else "")
    yield "through", ", ".join(used)
    if told.rule == "slopes":
        for name, slope in zip(written.arguments(row), written.slopes(row), strict=True):
            yield f"by {name}", slope or "no derivative passes"
    rules = row.vjp if isinstance(row.vjp, tuple) else (row.vjp,)
    yield "vjp", "\n".join(filter(None, map(written.source, rules)))
    yield "jvp", "the function itself" if row.linear else written.source(row.jvp)
    yield "domain", told.domain
    yield "kinks", told.kinks
    yield "numbers", told.numbers if row.differentiable else ""
    yield "note", told.note


def _say(console: Console, key: str, value: str) -> None:
    """A word and its text, of several lines if need be; nothing where there is no text."""
    for i, part in enumerate(value.split("\n") if value else []):
        _write(console, Text.assemble((f"  {'' if i else key:<12}", "dim"), part))


def _write(console: Console, line: Text) -> None:
    """One line as it is: no markup, no wrapping."""
    line.rstrip()
    console.print(line, soft_wrap=True, highlight=False)
