"""How is gradcheck called from Python? Spec files judged in one call; the result explains itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gradcheck.cases.given import declared
from gradcheck.errors import UsageError
from gradcheck.oracles.blackbox import Handwritten
from gradcheck.report.checked import Result
from gradcheck.run import Config, Entry, Outcome, entries, outcomes
from gradcheck.run.check import TIME_LIMIT, Wanted, check_subject, chosen_cells
from gradcheck.run.settings import settings
from gradcheck.spec import load_many


def project_config(config: Config | None = None) -> Config:
    """`config` (or the defaults) with what the project's `pyproject.toml` allows; `allowed=None` still refuses all."""
    config = config or Config()
    project = settings(Path.cwd())
    allowed = None if config.allowed is None else project.allow_imports
    return replace(config, allowed=allowed, python_path=project.python_path)


def judge_files(paths: Sequence[str], config: Config | None = None) -> Iterator[Outcome]:
    """The outcomes of all functions and behaviours of spec files, in order.

    Raises SpecErrors with every complaint where a file cannot be judged.
    """
    work: list[Entry] = entries(load_many(paths))
    return outcomes(work, project_config(config))


def check(
    fn: Callable[..., Any], inputs: Any, backend: str = "numpy", *, vjp: Callable[..., Any] | None = None,
    jvp: Callable[..., Any] | None = None, gradient: Callable[..., Any] | None = None,
    second: Callable[..., Any] | None = None, points: int = 256, seed: int = 0, order: int = 1,
    cells: Sequence[str] | None = None, skip: Sequence[str] = (), strict: bool = False,
    time_limit: float = TIME_LIMIT,
) -> Result:  # fmt: skip
    """Judge the derivative that somebody wrote by hand.

    fn(*inputs) -> array or tuple of arrays. inputs: domains (`gradcheck.Real("n", 3)`, `Integer`, `Boolean`, `SPD` …)
    or example arrays, by name or position, or a function rng -> inputs.
    vjp(inputs, ct) -> one gradient an input, None for those without; ct is a tuple where fn has several outputs.
    gradient(inputs) -> the same for a function with one number as its value, instead of a vjp.
    jvp(inputs, tangents) -> as fn, tangents one an input that moves. second(inputs, ct, u) -> the adjoint of the
    gradient: one gradient an input that moves and one for ct; judged at order 2.
    cells, skip: which questions are asked (`gradcheck.judge.cells.CELLS`). strict: remarks fail too.
    time_limit: seconds that one call of the code may take. Raises UsageError where nothing can be judged so.
    """
    if backend != "numpy":
        raise UsageError(f"backend {backend!r} has no door yet; there is 'numpy'")
    if order not in (1, 2):
        raise UsageError(f"order is 1 or 2, not {order!r}")
    if points < 1:
        raise UsageError(f"points = {points} asks for nothing")
    rule = _rule(vjp, gradient)
    names = _names(fn)
    givens = declared(inputs, names)
    if callable(givens):
        first = givens(_generator(seed))
        moving = tuple(k for k, x in enumerate(first) if _is_real(x))
        count = len(first)
    else:
        moving = tuple(k for k, g in enumerate(givens) if g.differentiable)
        count, names = len(givens), [g.name for g in givens]
    if not moving:
        raise UsageError("no input is differentiable: there is nothing to judge")
    called = [names[k] if k < len(names) and names[k] else f"x{k}" for k in range(count)]
    subject = Handwritten(fn, rule, jvp, moving, count, getattr(fn, "__name__", "fn"))
    wanted = Wanted(points, seed, chosen_cells(cells, skip), strict, time_limit)
    checked = check_subject(subject, givens, called, wanted, second if order == 2 else None)
    return Result(subject.name, checked)


def _rule(vjp: Callable[..., Any] | None, gradient: Callable[..., Any] | None) -> Callable[..., Any]:
    if vjp is not None and gradient is not None:
        raise UsageError("vjp and gradient are two claims; give one of them")
    if vjp is not None:
        return vjp
    if gradient is None:
        raise UsageError("with backend='numpy' the derivative is given: vjp=, or gradient= of a scalar function")
    if not callable(gradient):
        raise UsageError("gradient: a function of the inputs is expected")
    claim = gradient

    def scaled(inputs: Any, ct: Any) -> Any:
        found = claim(inputs)
        many = found if isinstance(found, tuple | list) else (found,)
        return tuple(None if g is None else ct * g for g in many)

    return scaled


def _names(fn: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters] if all(p.kind in kinds for p in parameters) else []


def _generator(seed: int) -> Any:
    from numpy.random import default_rng

    return default_rng(seed)


def _is_real(x: Any) -> bool:
    from numpy import asarray

    return bool(asarray(x).dtype.kind == "f")
