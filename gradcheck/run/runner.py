"""Who does the work? One runner: it judges every entry, in this process or in workers, and yields outcomes in order."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from gradcheck.run.behaviour import judge_behaviour
from gradcheck.run.config import Config
from gradcheck.run.failures.store import save
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
    """The outcome of every entry, in order, as soon as it is there; failing points are kept where `config` says so."""
    for outcome in _here(work, config) if config.workers <= 1 else _in_workers(work, config):
        if config.store is not None:
            save(outcome, Path(config.store))
        yield outcome


def _here(work: Sequence[Entry], config: Config) -> Iterator[Outcome]:
    prepare(config)
    for entry in work:
        yield judge_entry(entry, config)


def prepare(config: Config) -> None:
    """Make the modules under test importable, where some may be imported, and keep libraries to one thread.

    Where none may, the project's folders stay out of Python's path: what lies in them could take a library's place.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for folder in reversed(config.python_path if config.allowed else ()):
        path = os.path.abspath(folder)
        if path not in sys.path:
            sys.path.insert(0, path)


def judge_entry(entry: Entry, config: Config, ended: Mapping[str, str] = MappingProxyType({})) -> Outcome:
    """The outcome of one entry; a fault of gradcheck's own becomes a crashed outcome, and the run goes on.

    ended: implementations that are not asked, since they were the end of a worker, with how.
    NaN and infinities are judged, not warned of: what the caller told NumPy to do about them changes no verdict.
    """
    try:
        with np.errstate(all="ignore"):
            return judge_function(entry, config, ended) if isinstance(entry, Spec) else judge_behaviour(entry, config)
    except SystemExit:
        return lost(entry, config, "the code under test ended the process", "worker")
    except Exception as error:  # one entry's misfortune is no reason to lose the others
        return lost(entry, config, f"gradcheck failed: {type(error).__name__}: {error}", "gradcheck")


def lost(entry: Entry, config: Config, reason: str, blame: str) -> Outcome:
    """The outcome of an entry that could not be judged."""
    names = [*config.witnesses, *(f"implementation:{i.backend}" for i in getattr(entry, "implementations", ()))]
    witnesses = {name: WitnessResult("CRASHED", reason, {}) for name in names}
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
    workers = min(config.workers, len(work)) or 1
    pool = ProcessPool(max_workers=workers, context=context, initializer=prepare, initargs=(config,))
    try:

        def schedule(entry: Entry, ended: Mapping[str, str]) -> Any:
            return pool.schedule(judge_entry, args=(entry, config, ended), timeout=config.timeout)

        futures = [schedule(entry, {}) for entry in work]
        for entry, future in zip(work, futures, strict=True):
            try:
                yield future.result()
                continue
            except TookTooLong:
                reason = f"it took more than {config.timeout:g} s and was stopped"
            except ProcessExpired as error:
                reason = f"the worker died (exit code {error.exitcode})"
            ended = {f"implementation:{i.backend}": reason for i in getattr(entry, "implementations", ())}
            try:  # once more without people's code, where there is any: then the others are heard all the same
                yield schedule(entry, ended).result() if ended else lost(entry, config, reason, "worker")
            except (TookTooLong, ProcessExpired):
                yield lost(entry, config, reason, "worker")
    finally:
        pool.stop()  # type: ignore[no-untyped-call]  # all is done, or nobody waits for it any more
        pool.join()
