"""`gradcheck replay`: which stored failures are fixed, and how does one of them become an example of its spec?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradcheck.errors import GradcheckError

if TYPE_CHECKING:
    from gradcheck.run import Config

NOTHING_RAN = 5
CODES = {"FIXED": 0, "FAILED": 1, "ERROR": 2}


@click.command()
@click.argument("failure", metavar="[ID]", required=False)
@click.option("--promote", is_flag=True, help="Write the point with the right numbers into the examples of its spec.")
@click.option("--store", type=click.Path(file_okay=False), help="The folder that failures are kept in.")
@click.option("--witness", "witnesses", multiple=True, metavar="NAME", help="Hear only these (repeatable).")
@click.option("--no-imports", is_flag=True, help="Import no implementation under test, whatever is allowed.")
def replay(
    failure: str | None, promote: bool, store: str | None, witnesses: tuple[str, ...], no_imports: bool
) -> None:  # fmt: skip
    """Judge a stored failure again, or all of them: FIXED (0), FAILED (1) or ERROR (2); the worst is the exit code.

    FIXED means that an independent witness agrees now. What cannot be judged any more is an ERROR, never a pass.
    """
    from gradcheck.run import Config, demanded
    from gradcheck.run.failures.promote import promote as written
    from gradcheck.run.failures.store import folder_of, load, stored
    from gradcheck.run.settings import settings

    if promote and failure is None:
        raise click.UsageError("--promote is about one failure: give its ID")
    project = settings(Path.cwd())
    folder = folder_of(store, project)
    allowed = None if no_imports else project.allow_imports
    config = Config(demanded(witnesses), allowed=allowed, python_path=project.python_path)
    if failure is not None:
        load(failure, folder)  # an unknown name is a mistake of the command
    names = stored(folder) if failure is None else [failure]
    if not names:
        click.echo(f"no failure is stored in {folder}")
        sys.exit(NOTHING_RAN)
    code = max(_judged(name, folder, config, whole=failure is not None) for name in names)
    if promote and failure is not None and code < CODES["ERROR"]:
        kept = load(failure, folder)
        click.echo(f"written into {kept.file}:{written(kept, config)}")
    sys.exit(code)


def _judged(name: str, folder: Path, config: Config, whole: bool) -> int:
    """Tell what became of one failure, with all findings if `whole`: the exit code."""
    from gradcheck.run.failures.replay import Replayed, State
    from gradcheck.run.failures.replay import replay as again
    from gradcheck.run.failures.store import load

    try:
        kept = load(name, folder)
        found, shown = again(kept, config), [*kept.example, *([""] if kept.python else []), *kept.python]
    except GradcheckError as error:
        found, shown = Replayed(State.ERROR, str(error)), []
    click.echo(_clean(f"{found.state.value} {name}: {found.reason}"), err=found.state is State.ERROR)
    for finding in found.findings if whole else ():
        told = f"  {finding.witness} {finding.mode}: {finding.verdict.value}: {finding.reason}"
        click.echo(_clean(told).rstrip())
    if whole and found.state is State.FAILED and shown:
        click.echo("\nas an example of the spec, and in Python:\n")
        for line in shown:
            click.echo(_clean(line))
    return CODES[found.state.value]


def _clean(words: str) -> str:
    """Without control characters: what a file says must not steer the terminal."""
    return "".join(c if c.isprintable() else "\ufffd" for c in words)
