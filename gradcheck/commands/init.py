"""How does a spec begin? `gradcheck init --from module:name` calls the function and writes down what it saw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradcheck.errors import UsageError

if TYPE_CHECKING:
    from gradcheck.cases.given import Given
    from gradcheck.run.drafting import Draft

LONG = 100  # characters of an example's line above which it is left out, but for the first


@click.command()
@click.option("--from", "reference", metavar="MODULE:NAME", required=True, help="What the spec is about.")
@click.option("--input", "inputs", multiple=True, metavar="NAME=SHAPE", help="One input each: x=n,3; else tried.")
@click.option("--domain", "domains", multiple=True, metavar="NAME=DOMAIN", help="Where an input lies; else tried.")
@click.option("--backend", type=click.Choice(("numpy", "torch", "jax")), help="Whose code it is, where it is not seen.")
@click.option("--name", help="What the function is called; else by its own name.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Else NAME.grad.yaml, here.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--no-imports", is_flag=True, help="Import nothing, not even what is named here.")
def init(
    reference: str, inputs: tuple[str, ...], domains: tuple[str, ...], backend: str | None, name: str | None,
    out: Path | None, force: bool, no_imports: bool,
) -> None:  # fmt: skip
    """Begin a spec file for a function of yours: shapes, domains and values, found by calling it.

    What the function is meant to be, and what its derivative is, is left for its author to fill in: of these nothing
    is known from calls, and the file says so.
    """
    from gradcheck.cases.given_words import givens_of
    from gradcheck.commands.importing import module_of, typed
    from gradcheck.commands.writing import name_of_entry, refuse_to_overwrite, write
    from gradcheck.run.drafting import draft

    module = module_of(reference, "--from")
    called = name or _called(reference)
    name_of_entry(called)
    path = out or Path(f"{called}.grad.yaml")
    refuse_to_overwrite(path, force)
    if domains and not inputs:
        raise UsageError("--domain is said of an --input: give the inputs too")
    givens = givens_of(inputs, domains)
    fn = typed(reference, no_imports, "--from")
    door = backend or _backend(fn)
    given = [text.partition("=")[0].strip() for text in domains]
    write(path, entry(called, reference, door, draft(door, fn, givens, given, 0)))
    click.echo(f"{path}: shapes and domains were found by calling {reference}; fill in `value` and a claim")
    click.echo(f"to have it judged, [tool.gradcheck] of pyproject.toml must name {module!r} in allow-imports")


def _called(reference: str) -> str:
    parts = reference.partition(":")[2].split(".")
    return parts[-2] if parts[-1] == "apply" and len(parts) > 1 else parts[-1]


def _backend(fn: Callable[..., Any]) -> str:
    """Whose code it is; NumPy's, where nothing tells."""
    from gradcheck.api import backend_of

    try:
        return backend_of(fn, False)
    except UsageError:
        return "numpy"


def entry(name: str, reference: str, backend: str, found: Draft) -> str:
    """The spec file."""
    several = len(found.outputs) > 1
    zeros = [f"zeros([{', '.join(map(str, shape))}])" for shape in found.outputs]
    value = "{" + ", ".join(f"y{k}: {_quoted(z)}" for k, z in enumerate(zeros)) + "}" if several else _quoted(zeros[0])
    moving = [g.name for g in found.inputs if g.differentiable]
    kind = "vjp" if several or found.outputs[0] else "gradient"
    lines = [
        f"# Begun by `gradcheck init --from {reference}`, which called the function and looked at no derivative.",
        "# Shapes and domains were found by trying: see whether they are yours.",
        *_doubt(found),
        "gradcheck: 1",
        "functions:",
        f"  {name}:",
        "    inputs:",
        *(f"      {_input(g)}" for g in found.inputs),
        "    # TO FILL IN: what the function is meant to be. This is no formula of it, it only has the shape.",
        f"    value: {value}",
        "    # TO FILL IN: what you claim its derivative to be; nothing is claimed yet.",
        *(f"    # {kind}: {{{', '.join(f'{n}: …' for n in moving)}}}" for _ in moving[:1]),
        "    implementations:",
        *_implementation(backend, reference),
        "    # What the function gave when it was called: no proof that it is right, and nothing of its derivative.",
        "    examples:",
        *(f"      - {line}" for line in _examples(found, several)),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _doubt(found: Draft) -> list[str]:
    if not found.without:
        return []
    return [f"# At {found.without} of {found.drawn} points of these domains it has no finite value: narrow them."]


def _implementation(backend: str, reference: str) -> list[str]:
    if backend != "numpy":
        return [f"      {backend}: {reference}"]
    return [
        "      # TO FILL IN: its hand-written derivative beside it, vjp: module:name",
        f"      numpy: {{value: {_quoted(reference)}}}",
    ]


def _examples(found: Draft, several: bool) -> list[str]:
    lines = []
    for inputs, outputs in found.examples:
        numbers = [f"{g.name}: {x.tolist()}" for g, x in zip(found.inputs, inputs, strict=True)]
        values = [v.tolist() for v in outputs]
        told = "{" + ", ".join(f"y{k}: {v}" for k, v in enumerate(values)) + "}" if several else str(values[0])
        lines.append("{" + ", ".join([*numbers, f"value: {told}"]) + "}")
    return [lines[0], *(line for line in lines[1:] if len(line) <= LONG)] if lines else []


def _input(given: Given) -> str:
    text = f"integer [{given.domain.low:g}, 0]" if given.last else given.domain.text  # a spec's ends are numbers
    held = "" if given.differentiable or given.whole else ", differentiable: false"
    return f"{given.name}: {{shape: [{', '.join(map(str, given.shape))}], domain: {_quoted(text)}{held}}}"


def _quoted(text: str) -> str:
    return f'"{text}"'
