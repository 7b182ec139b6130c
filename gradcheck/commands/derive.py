"""What is the derivative of this formula? `gradcheck derive "log(x**2)"`, as an entry for a spec file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from gradcheck.errors import ExpressionError, UsageError

WRONG = 1


@click.command(context_settings={"ignore_unknown_options": True})  # a formula may begin with a minus
@click.argument("formula")
@click.option("--by", multiple=True, metavar="NAME", help="Derive by this name (repeatable); by all, if none is given.")
@click.option("--domain", "domains", multiple=True, metavar="NAME=DOMAIN", help="Where a name lies; else it is tried.")
@click.option("--name", default="derived", show_default=True, help="What the function is called.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the spec file instead.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--seed", default=0, show_default=True, help="The seed of the points that are looked at.")
def derive(
    formula: str, by: tuple[str, ...], domains: tuple[str, ...], name: str, out: Path | None, force: bool, seed: int
) -> None:
    """Let SymPy derive a formula, and ball arithmetic confirm the derivative at points of the domain.

    What comes is an entry for a spec file. Nothing is called confirmed that was not: ends with 1, and writes no file,
    where the balls confirm nothing or find the derivative wrong; with 2 where SymPy has no answer.
    """
    from gradcheck.commands.writing import name_of_entry, refuse_to_overwrite, write
    from gradcheck.run.derivation import derive as derived

    name_of_entry(name)
    refuse_to_overwrite(out, force)
    try:
        found = derived(formula, by, _domains(domains), seed)
    except ExpressionError as error:
        raise UsageError(f"column {error.column} of the formula: {error}") from None
    told = f"confirmed by ball arithmetic at {found.confirmed} of {found.points} points of the domain, to 100 bits"
    if not found.right:
        why = "it is wrong " + found.disproved if found.disproved else found.silence or "every point stays open"
        for of, text in found.gradients.items():
            click.echo(f"SymPy says by {of}: {text}", err=True)
        click.echo(f"NOT CONFIRMED by ball arithmetic: {why}", err=True)
        sys.exit(WRONG)
    rest = found.points - found.confirmed
    header = [f"The derivative is SymPy's, {told}."]
    if rest:
        header.append(f"At the other {rest} nothing is known: a tie, a kink, or no finite derivative.")
    if len(domains) < len(found.domains):
        header.append("Domains that were not given were found by trying: see whether they are yours.")
    text = found.entry(name, header)
    if out is None:
        click.echo(text, nl=False)
    else:
        write(out, text)
    click.echo(told + (f"; {rest} stay open" if rest else ""), err=True)


def _domains(texts: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, equal, domain = text.partition("=")
        if not equal or not name.strip() or not domain.strip():
            raise UsageError(f"--domain {text!r}: NAME=DOMAIN is expected, such as x=positive")
        found[name.strip()] = domain.strip()
    return found
