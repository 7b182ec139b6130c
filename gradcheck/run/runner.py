"""Who does the work? One runner: it judges every entry, in this process or in workers, and yields outcomes in order."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence

from gradcheck.run.behaviour import judge_behaviour
from gradcheck.run.config import Config
from gradcheck.run.function import judge_function
from gradcheck.run.outcome import Outcome, WitnessResult
from gradcheck.spec import Semantics, Spec, SpecFile

Entry = Spec | Semantics


def entries(files: Sequence[SpecFile]) -> list[Entry]:
    """All functions and behaviours, in the order of the files and lines."""
    found: list[Entry] = []
    for file in files:
        found += sorted([*file.functions, *file.semantics], key=lambda e: e.place.line)
    return found


def outcomes(work: Sequence[Entry], config: Config) -> Iterator[Outcome]:
    """The outcome of every entry, in order, as soon as it is there."""
    if config.workers <= 1 or len(work) <= 1:
        prepare(config)
        for entry in work:
            yield judge_entry(entry, config)
    else:
        yield from _in_workers(work, config)


def prepare(config: Config) -> None:
    """Make the modules under test importable, and keep libraries to one thread."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for folder in reversed(config.python_path):
        path = os.path.abspath(folder)
        if path not in sys.path:
            sys.path.insert(0, path)


def judge_entry(entry: Entry, config: Config) -> Outcome:
    """The outcome of one entry; a fault of gradcheck's own becomes a crashed outcome, and the run goes on."""
    try:
        return judge_function(entry, config) if isinstance(entry, Spec) else judge_behaviour(entry, config)
    except Exception as error:  # one entry's misfortune is no reason to lose the others
        return lost(entry, config, f"gradcheck failed: {type(error).__name__}: {error}", "gradcheck")


def lost(entry: Entry, config: Config, reason: str, blame: str) -> Outcome:
    """The outcome of an entry that could not be judged."""
    witnesses = {w: WitnessResult("CRASHED", reason, {}) for w in config.witnesses}
    return Outcome(
        id=entry.id, kind="function" if isinstance(entry, Spec) else "semantics", file=entry.place.file,
        line=entry.place.line, summary=entry.summary, tags=entry.tags, passed=False, verdict="CRASHED",
        sentence=reason, blame=blame, expected=None, witnesses=witnesses, text=entry.text,
        replay=f"gradcheck run {entry.place.file} -k {entry.id} --seed {config.seed}",
    )  # fmt: skip


def _in_workers(work: Sequence[Entry], config: Config) -> Iterator[Outcome]:
    """A pool that survives a worker's death and a function that hangs; the entry at fault alone is lost."""
    from concurrent.futures import TimeoutError as TookTooLong

    from pebble import ProcessExpired, ProcessPool

    context = multiprocessing.get_context("spawn")  # forking after JAX was imported hangs
    with ProcessPool(max_workers=config.workers, context=context, initializer=prepare, initargs=(config,)) as pool:
        futures = [pool.schedule(judge_entry, args=(entry, config), timeout=config.timeout) for entry in work]
        for entry, future in zip(work, futures, strict=True):
            try:
                yield future.result()
            except TookTooLong:
                yield lost(entry, config, f"it took more than {config.timeout:g} s and was stopped", "worker")
            except ProcessExpired as error:
                yield lost(entry, config, f"the worker died ({error})", "worker")
