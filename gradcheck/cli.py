"""What can be asked on the command line? Each command reads its words here and imports what it needs only then."""

from __future__ import annotations

import errno
import shlex
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click

from gradcheck import __version__
from gradcheck.commands.check import check
from gradcheck.commands.derive import derive
from gradcheck.commands.init import init
from gradcheck.commands.replay import replay
from gradcheck.errors import GradcheckError

if TYPE_CHECKING:
    from gradcheck.run import Config, Entry, Outcome, Run

INTERRUPTED = 130
OUR_FAULT = 3
PROFILE_NAMES = ("quick", "default", "thorough")
DTYPES = ("float64", "float32", "float16", "bfloat16")


class _Commands(click.Group):
    """A group that ends with gradcheck's exit codes and a sentence, never with a traceback, for what a user did."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except GradcheckError as error:
            click.echo(str(error), err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except OSError as error:
            if error.errno == errno.EPIPE:  # `gradcheck … | head`: nobody reads on, which click knows to end quietly
                raise
            self._our_fault(ctx)
        except Exception:  # whatever else comes is a fault of gradcheck's own, and says so
            self._our_fault(ctx)

    def _our_fault(self, ctx: click.Context) -> NoReturn:
        traceback.print_exc()
        click.echo("this is a fault of gradcheck, not of your spec", err=True)
        ctx.exit(OUR_FAULT)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gradcheck")
def main() -> None:
    """Decides whether a derivative is right: independent witnesses, error bars, verdicts and blame.

    Exit codes: 0 clean; 1 a derivative is wrong or unwitnessed; 2 could not judge (bad spec, usage, missing backend);
    3 a fault of gradcheck; 5 nothing ran; 130 interrupted.
    """


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option("-k", "select", default="", metavar="TEXT", help="Only entries whose name or tags contain TEXT.")
@click.option("--seed", default=0, show_default=True, help="The seed of all cases.")
@click.option(
    "--profile", type=click.Choice(PROFILE_NAMES), default="default", show_default=True, help="How hard to look"
)
@click.option(
    "--witness", "witnesses", multiple=True, metavar="NAME",
    help="Hear only these (repeatable); complex_step is heard in no other way.",
)  # fmt: skip
@click.option(
    "--dtype", "dtypes", multiple=True, type=click.Choice(DTYPES),
    help="Frameworks and implementations compute in this (repeatable), whatever a spec says.",
)  # fmt: skip
@click.option(
    "--phases", default="", metavar="NAMES", help="Where points come from: examples,landmarks,sweep,explore,layouts."
)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="Processes that judge.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the run as one JSON document.")
@click.option(
    "--jsonl", "lines_path", type=click.Path(path_type=Path), help="Write outcomes as JSON Lines as they come."
)
@click.option("--html", "html_path", type=click.Path(path_type=Path), help="Write the report as one HTML page.")
@click.option("--no-imports", is_flag=True, help="Import no implementation under test, whatever is allowed.")
@click.option("-v", "--verbose", is_flag=True, help="Show every function in the table, not only failures.")
@click.option("--store", type=click.Path(file_okay=False), help="Keep failures in this folder for `gradcheck replay`.")
@click.option("--no-store", is_flag=True, help="Do not keep failures for `gradcheck replay`.")
def run(
    paths: tuple[str, ...], select: str, seed: int, profile: str, witnesses: tuple[str, ...],
    dtypes: tuple[str, ...], phases: str, workers: int,
    json_path: Path | None, lines_path: Path | None, html_path: Path | None, no_imports: bool, verbose: bool,
    store: str | None, no_store: bool,
) -> None:  # fmt: skip
    """Judge the functions and behaviours of spec files, or of all *.grad.yaml below folders."""
    from gradcheck.run import PROFILES, Config, demanded, entries, exit_code
    from gradcheck.run.config import phases_of
    from gradcheck.run.failures.store import folder_of
    from gradcheck.run.settings import settings
    from gradcheck.spec import load_many

    if store and no_store:
        raise click.UsageError("--store and --no-store are two answers: give one of them")
    files = load_many(paths)
    project = settings(Path.cwd())
    config = Config(
        witnesses=demanded(witnesses), profile=PROFILES[profile], seed=seed, workers=workers,
        allowed=None if no_imports else project.allow_imports, python_path=project.python_path,
        store=None if no_store else str(folder_of(store, project)), dtypes=tuple(dict.fromkeys(dtypes)),
        phases=phases_of(phases),
    )  # fmt: skip
    work = [e for e in entries(files) if select in e.id or any(select in tag for tag in e.tags)]
    command = _command(paths, select, witnesses, dtypes, phases, no_imports, seed, profile)
    result = _judged(work, config, command, lines_path, verbose)
    _write(result, json_path, html_path)
    if not work:
        click.echo(f"nothing ran: no entry {f'matches {select!r}' if select else 'was found'}", err=True)
    sys.exit(exit_code(result.outcomes))


def _command(
    paths: tuple[str, ...], select: str, witnesses: tuple[str, ...], dtypes: tuple[str, ...], phases: str,
    no_imports: bool, seed: int, profile: str,
) -> str:  # fmt: skip
    """The command that gives this run again: all that the verdicts depend on, ready for a shell."""
    words = ["gradcheck", "run", *paths, *_choice(select, witnesses)]
    words += [word for name in dtypes for word in ("--dtype", name)]
    words += ["--phases", phases] if phases else []
    words += ["--no-imports"] if no_imports else []
    return shlex.join([*words, "--seed", str(seed), "--profile", profile])


def _choice(select: str, witnesses: tuple[str, ...]) -> list[str]:
    return [*(["-k", select] if select else []), *(word for name in witnesses for word in ("--witness", name))]


def _opened(path: Path) -> IO[str]:
    """The file for writing, its folder made. Raises UsageError where that cannot be."""
    from gradcheck.errors import UsageError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def _judged(work: Sequence[Entry], config: Config, command: str, lines_path: Path | None, verbose: bool) -> Run:
    from rich.console import Console

    from gradcheck.report import Progress
    from gradcheck.run import json_line, outcomes, run_of

    start = time.perf_counter()
    found: list[Outcome] = []
    lines = None if lines_path is None else _opened(lines_path)
    with Progress(Console(), verbose) as progress:
        progress.start(len(work))
        try:
            for outcome in outcomes(work, config):
                found.append(outcome)
                progress.outcome(outcome)
                if lines is not None:
                    lines.write(json_line(outcome) + "\n")
                    lines.flush()
        finally:
            if lines is not None:
                lines.close()
        result = run_of(found, config, command, time.perf_counter() - start)
        if work:
            progress.finish(result)
    return result


def _write(result: Run, json_path: Path | None, html_path: Path | None) -> None:
    if json_path is not None:
        from gradcheck.run import write_json

        write_json(result, json_path)
    if html_path is not None:
        _page(result, html_path)


def _page(result: Run, path: Path) -> None:
    from gradcheck.report.html import render

    page = render(result)
    with _opened(path) as file:
        file.write(page)
    click.echo(f"report: {path}")


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path())
def lint(paths: tuple[str, ...]) -> None:
    """Check spec files without judging anything: every complaint with its file, line and column."""
    from gradcheck.errors import SpecErrors
    from gradcheck.spec import lint_many

    linted = lint_many(paths)
    for one in linted:
        for note in one.notes:
            click.echo(str(note))
    errors = tuple(error for one in linted for error in one.errors)
    if errors:
        raise SpecErrors(errors)
    files = [one.file for one in linted if one.file is not None]
    functions, behaviours = sum(len(f.functions) for f in files), sum(len(f.semantics) for f in files)
    click.echo(f"{len(files)} files, {functions} functions and {behaviours} behaviours: no complaints")


@main.command()
def schema() -> None:
    """Print the JSON Schema of spec files, for editors."""
    import json

    from gradcheck.spec import json_schema

    click.echo(json.dumps(json_schema(), indent=2))


@main.command()
@click.argument("json_path", type=click.Path(path_type=Path))
@click.option("--html", "html_path", type=click.Path(path_type=Path), help="Write the report as one HTML page.")
@click.option("-v", "--verbose", is_flag=True, help="Show every function in the table.")
def report(json_path: Path, html_path: Path | None, verbose: bool) -> None:
    """Show a run that was written with --json: in the terminal, or as an HTML page."""
    from rich.console import Console

    from gradcheck.report import print_run
    from gradcheck.run import exit_code, read_json

    result = read_json(json_path)
    if html_path is not None:
        _page(result, html_path)
    else:
        print_run(result, Console(), verbose)
    sys.exit(exit_code(result.outcomes))


@main.command()
@click.argument("name", required=False)
@click.option("--markdown", is_flag=True, help="Print the table of docs/primitives.md instead.")
def vocabulary(name: str | None, markdown: bool) -> None:
    """List the functions of the language; with a NAME, tell all of one, its derivative among it."""
    from rich.console import Console

    from gradcheck.report.vocabulary import print_row, print_vocabulary
    from gradcheck.report.vocabulary_table import markdown as table

    if markdown:
        if name is not None:
            raise click.UsageError("--markdown is about all functions: give no NAME")
        click.echo(table(), nl=False)
    elif name is None:
        print_vocabulary(Console())
    else:
        print_row(name, Console())


@main.command()
@click.argument("path", metavar="FILE", type=click.Path())
@click.option("-k", "select", default="", metavar="NAME", help="Which function, where the file holds several.")
@click.option("--at", multiple=True, metavar="NAME=NUMBERS", help="The point, one input each: --at x=[1,2] --at y=3.")
@click.option("--ct", multiple=True, metavar="NUMBERS", help="The cotangent of the value (of outputs: NAME=NUMBERS).")
@click.option("--trace", is_flag=True, help="Every step at a point: the values up, the adjoints down.")
@click.option("--program", is_flag=True, help="Print its derivative as a straight row of NumPy operations instead.")
@click.option("--dot", is_flag=True, help="Print the graph for Graphviz instead.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead, with all numbers.")
@click.option("--svg", "svg_path", type=click.Path(path_type=Path), help="Write a drawing of the graph.")
def explain(
    path: str, select: str, at: tuple[str, ...], ct: tuple[str, ...], trace: bool, program: bool, dot: bool,
    as_json: bool, svg_path: Path | None,
) -> None:  # fmt: skip
    """Tell one function of a spec file: what it is, what is claimed, and with --trace every step of its derivative.

    The point is that of --at, else the first example's, else a simple one. Ends with 1 where the claim is wrong there.
    """
    from gradcheck.report.explained import Explained

    if program + dot + as_json > 1 or (program and (trace or svg_path is not None)):
        raise click.UsageError("--program, --dot and --json are different answers: give one of them")
    explained = Explained.of(path, select, at, ct, trace)
    if svg_path is not None:
        with _opened(svg_path) as file:
            file.write(explained.svg())
        click.echo(f"drawing: {svg_path}", err=dot or as_json)
    if program:
        click.echo(explained.program(), nl=False)
        return
    if dot or as_json:
        click.echo(explained.dot() if dot else explained.json(), nl=False)
    elif svg_path is None or explained.traced:
        explained.show()
    sys.exit(explained.exit_code)


@main.command()
@click.argument("paths", metavar="FILES...", nargs=-1, required=True, type=click.Path())
@click.option("-k", "select", default="", metavar="TEXT", help="Only functions whose name or tags contain TEXT.")
@click.option("--seed", default=0, show_default=True, help="The seed of all cases.")
@click.option(
    "--profile", type=click.Choice(PROFILE_NAMES), default="quick", show_default=True, help="How hard to look"
)
@click.option("--witness", "witnesses", multiple=True, metavar="NAME", help="Hear only these (repeatable).")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write what became of each as JSON.")
@click.option("--no-imports", is_flag=True, help="Import no implementation under test, whatever is allowed.")
@click.option("--survivors", is_flag=True, help="Show only functions of which a mutant survived.")
@click.option(
    "--at-least", type=click.FloatRange(0, 100), metavar="PERCENT", help="Put up with survivors down to this score."
)
def mutate(
    paths: tuple[str, ...], select: str, seed: int, profile: str, witnesses: tuple[str, ...], json_path: Path | None,
    no_imports: bool, survivors: bool, at_least: float | None,
) -> None:  # fmt: skip
    """Make every claim wrong in every small way, and tell which wrong claims would pass for right.

    Ends with 1 where a mutant survived that is not known to mean the same, 2 where a function does not pass as it is.
    """
    from rich.console import Console

    from gradcheck.report.mutants import Telling
    from gradcheck.run import PROFILES, Config, demanded
    from gradcheck.run.mutants.mutation import mutate_function
    from gradcheck.run.mutants.record import exit_code, total, write_mutations
    from gradcheck.run.settings import settings
    from gradcheck.spec import load_many

    project = settings(Path.cwd())
    allowed = None if no_imports else project.allow_imports
    config = Config(demanded(witnesses), PROFILES[profile], seed, allowed=allowed, python_path=project.python_path)
    specs = [s for file in load_many(paths) for s in file.functions]
    chosen = [s for s in specs if select in s.id or any(select in tag for tag in s.tags)]
    telling = Telling(Console(), [s.id for s in chosen], survivors)
    found = []
    for spec in chosen:
        found.append(mutate_function(spec, config))
        telling.function(found[-1])
    telling.finish(total(found), sum(not m.skipped for m in found), sum(m.planted for m in found))
    if json_path is not None:
        command = shlex.join(["gradcheck", "mutate", *paths, *_choice(select, witnesses), "--seed", str(seed)])
        write_mutations(found, config, f"{command} --profile {profile}", json_path)
    sys.exit(exit_code(found, at_least))


@main.command()
def doctor() -> None:
    """Say which witnesses are there, with which versions, and what is missing."""
    from gradcheck.oracles.hearing import WITNESSES, installed
    from gradcheck.run.record import versions

    found = versions()
    for name, version in found.items():
        click.echo(f"{name} {version}")
    for witness, library in WITNESSES.items():
        there = installed(witness)
        click.echo(f"witness {witness}: " + ("ready" if there else f"silent, {library} is not installed"))


for command in (check, derive, init, replay):
    main.add_command(command)


if __name__ == "__main__":
    main()
