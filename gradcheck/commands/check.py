"""Is this function's own derivative right? `gradcheck check module:name`, the command beside `gradcheck.check`."""

from __future__ import annotations

import inspect
import json
import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradcheck.errors import UsageError

if TYPE_CHECKING:
    from gradcheck.cases.given import Given

NOTHING_RAN = 5


@click.command()
@click.argument("reference", metavar="MODULE:NAME")
@click.option(
    "--input", "inputs", multiple=True, metavar="NAME=SHAPE",
    help="One input each, in the order of the arguments: x=3,4 or x=n,m (named sizes vary), x for a number.",
)  # fmt: skip
@click.option(
    "--domain", "domains", multiple=True, metavar="NAME=DOMAIN",
    help="Where an input lies, as in a spec: x=positive, 'x=(0, 1]', 'i=integer [0, 9]', 'i=integer [0, n)'.",
)  # fmt: skip
@click.option("--constant", "constants", multiple=True, metavar="NAME", help="This input has no derivative.")
@click.option("--vjp", metavar="MODULE:NAME", help="A NumPy rule: vjp(inputs, ct) -> one gradient an input.")
@click.option("--jvp", metavar="MODULE:NAME", help="A NumPy rule: jvp(inputs, tangents) -> as the function.")
@click.option(
    "--gradient", "gradients", multiple=True, metavar="'NAME: FORMULA'",
    help="Instead of --vjp, for a function with one number as its value: formulas, or MODULE:NAME.",
)  # fmt: skip
@click.option("--backend", type=click.Choice(("numpy", "torch", "jax")), help="Whose code it is, where it is not seen.")
@click.option("--device", metavar="NAME", help="Where PyTorch's or JAX's arrays lie: cuda. None there ends with 5.")
@click.option("--points", default=256, show_default=True, type=click.IntRange(1), help="At how many points.")
@click.option("--seed", default=0, show_default=True, help="The seed of all points.")
@click.option("--order", default="1", show_default=True, type=click.Choice(("1", "2")), help="2: the gradient's too.")
@click.option("--cells", multiple=True, metavar="NAMES", help="Ask only these questions (repeatable, or with commas).")
@click.option("--skip", multiple=True, metavar="NAMES", help="Leave these questions out.")
@click.option("--strict", is_flag=True, help="Remarks fail too.")
@click.option("--time-limit", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="For one call.")
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write what was found as JSON (-: print it)."
)
@click.option("--no-imports", is_flag=True, help="Import nothing, not even what is named here: nothing is judged then.")
def check(
    reference: str, inputs: tuple[str, ...], domains: tuple[str, ...], constants: tuple[str, ...], vjp: str | None,
    jvp: str | None, gradients: tuple[str, ...], backend: str | None, device: str | None, points: int, seed: int,
    order: str, cells: tuple[str, ...], skip: tuple[str, ...], strict: bool,
    time_limit: float | None, json_path: Path | None, no_imports: bool,
) -> None:  # fmt: skip
    """Judge the derivative that somebody wrote by hand: an autograd.Function, a JAX rule, a NumPy adjoint.

    MODULE:NAME is imported, from Python's own path, the project's `python-path` or the current folder. Ends with 1
    where the derivative is wrong or nothing witnesses it.
    """
    from gradcheck.cases.given_words import givens_of
    from gradcheck.commands.importing import module_of, typed

    for option, named in (("", reference), ("--vjp", vjp), ("--jvp", jvp)):  # all that was typed, before any runs
        if named is not None:
            module_of(named, option)
    givens = givens_of(inputs, domains, constants)
    claims: dict[str, Any] = {"gradient": _gradient(gradients, givens)}
    fn = typed(reference, no_imports)
    _complete(reference, fn, givens)
    for option, rule in (("vjp", vjp), ("jvp", jvp)):
        if rule is not None:
            claims[option] = typed(rule, no_imports, f"--{option}")
    if isinstance(claims["gradient"], str) and ":" in claims["gradient"]:
        claims["gradient"] = typed(claims["gradient"], no_imports, "--gradient")
    if time_limit is not None:
        claims["time_limit"] = time_limit

    from gradcheck.api import check as judged

    result = judged(
        fn, givens, backend, points=points, seed=seed, order=int(order), cells=_names(cells) or None,
        skip=_names(skip), strict=strict, device=device, **claims,
    )  # fmt: skip
    _tell(result, json_path)
    sys.exit(0 if result.passed else NOTHING_RAN if result.verdict == "SILENT" else 1)


def _tell(result: Any, json_path: Path | None) -> None:
    from gradcheck.report.checked_json import document

    if json_path is None or str(json_path) != "-":
        click.echo(str(result))
    if json_path is None:
        return
    words = ["gradcheck", *sys.argv[1:]]
    text = json.dumps(document(result, shlex.join(words)), indent=2) + "\n"
    if str(json_path) == "-":
        click.echo(text, nl=False)
        return
    try:
        json_path.parent.mkdir(parents=True, exist_ok=True)
        json_path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{json_path} cannot be written: {error.strerror}") from None


def _names(texts: Sequence[str]) -> list[str]:
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


def _complete(reference: str, fn: Callable[..., Any], givens: Mapping[str, Given]) -> None:
    """Raises UsageError where the function cannot be called with the inputs that are given."""
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    missing = [p.name for p in plain if p.default is p.empty and p.name not in givens]
    if len(plain) == len(parameters) and missing:
        takes = ", ".join(p.name for p in plain)
        raise UsageError(f"--input {missing[0]}=SHAPE is missing: {reference} takes {takes}")
    if not givens:
        raise UsageError(f"--input NAME=SHAPE is missing: what {reference} takes cannot be read from it")


def _gradient(texts: Sequence[str], givens: Mapping[str, Given]) -> Any:
    """A mapping of inputs to formulas, one formula for the only input that moves, or the reference of a rule."""
    from gradcheck.spec.words import REFERENCE

    named: dict[str, str] = {}
    for text in texts:
        name, colon, formula = text.partition(":")
        if colon and name.strip() in givens:
            named[name.strip()] = formula.strip()
        elif len(texts) > 1 or (colon and not re.fullmatch(REFERENCE, text.strip())):
            inputs = ", ".join(givens) or "none"
            raise UsageError(f"--gradient {text!r}: 'NAME: FORMULA' is expected, of an input ({inputs})")
        else:
            return text.strip()
    return named or None
