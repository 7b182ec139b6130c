"""How is gradcheck called from Python? Spec files judged in one call; the result explains itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy import asarray, broadcast_to
from numpy.random import default_rng

from gradcheck.cases.given import declared, example_of
from gradcheck.errors import UsageError
from gradcheck.expr import NUMPY, parse_formula
from gradcheck.oracles.blackbox import Handwritten, Subject
from gradcheck.report.checked import Result
from gradcheck.report.naming import code_of
from gradcheck.run import Config, Entry, Outcome, entries, outcomes
from gradcheck.run.check import TIME_LIMIT, Wanted, check_subject, chosen_cells, not_judged
from gradcheck.run.settings import settings
from gradcheck.spec import load_many

DOORS = ("numpy", "torch", "jax")


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
    fn: Callable[..., Any], inputs: Any, backend: str | None = None, *, vjp: Callable[..., Any] | None = None,
    jvp: Callable[..., Any] | None = None, gradient: Callable[..., Any] | Mapping[str, str] | str | None = None,
    second: Callable[..., Any] | None = None, points: int = 256, seed: int = 0, order: int = 1,
    cells: Sequence[str] | None = None, skip: Sequence[str] = (), strict: bool = False,
    time_limit: float = TIME_LIMIT, device: str | None = None,
) -> Result:  # fmt: skip
    """Judge the derivative that somebody wrote by hand.

    fn(*inputs) -> array or tuple of arrays. inputs: domains (`gradcheck.Real("n", 3)`, `Integer`, `Boolean`, `SPD` …)
    or example arrays, by name or position, or a function rng -> inputs.
    backend: "numpy", "torch" (a function, the apply of an `autograd.Function`, a module with its parameters) or "jax";
    inferred from fn, and "numpy" where a vjp or gradient is given.
    vjp(inputs, ct) -> one gradient an input, None for those without; ct is a tuple where fn has several outputs.
    gradient(inputs) -> the same for a function with one number as its value, instead of a vjp; or formulas in the
    language of specs: {"x": "2*x"}, or one text where one input moves.
    jvp(inputs, tangents) -> as fn, tangents one an input that moves. second(inputs, ct, u) -> the adjoint of the
    gradient: one gradient an input that moves and one for ct; judged at order 2. All four are for NumPy only.
    cells, skip: which questions are asked (`gradcheck.judge.cells.CELLS`). strict: remarks fail too.
    device: where PyTorch's or JAX's arrays lie ("cuda", "cuda:1"); where there is no such, the result is SILENT: it
    does not pass, and says why.
    time_limit: seconds that one call of the code may take. Raises UsageError where nothing can be judged so.
    """
    if order not in (1, 2):
        raise UsageError(f"order is 1 or 2, not {order!r}")
    if points < 1:
        raise UsageError(f"points = {points} asks for nothing")
    claims = {"vjp": vjp, "gradient": gradient, "jvp": jvp, "second": second}
    door = backend or backend_of(fn, claims)
    if door not in DOORS:
        raise UsageError(f"there is no door for backend {door!r}; there are {', '.join(DOORS)}")
    if door != "numpy" and any(c is not None for c in claims.values()):
        name = next(n for n, c in claims.items() if c is not None)
        raise UsageError(f"{name}= is a rule for backend 'numpy'; of {door} code its own derivative is judged")
    why = _absent(door, device) if device is not None else ""
    if why:
        return Result(_called(fn), not_judged(f"{why}; nothing was judged"), door)
    call, own = _module(fn, device) if door == "torch" else (fn, {})
    givens = declared(inputs, _names(fn))
    if not callable(givens):
        givens += tuple(example_of(name, value) for name, value in own.items())
    elif own:
        raise UsageError("a module's inputs are given as domains or examples, not by a sampler")
    moving, names = _moving(givens, _names(fn), seed)
    claims["gradient"] = _formulas(gradient, names, moving)
    subject = _subject(door, call, claims, moving, len(names), _called(fn), device)
    rule = (second if door == "numpy" else getattr(subject, "second", None)) if order == 2 else None
    wanted = Wanted(points, seed, chosen_cells(cells, skip), strict, time_limit)
    formulas = isinstance(gradient, str | Mapping)
    named = {n: c for n, c in claims.items() if c is not None and not (formulas and n == "gradient")}
    checked = check_subject(subject, givens, names, wanted, rule)
    learnt = {fact: getattr(subject, fact) for fact in ("several", "answer") if hasattr(subject, fact)}
    code = code_of(fn, named, formula=formulas, parameters=tuple(own), moving=moving, device=device, **learnt)
    return Result(subject.name, checked, door, code)


def backend_of(fn: Callable[..., Any], claims: Mapping[str, Any]) -> str:
    """Whose code it is: a rule given beside it makes it NumPy's; else its own type or module tells."""
    if claims["vjp"] is not None or claims["gradient"] is not None:
        return "numpy"
    owner = getattr(fn, "__self__", None)
    kinds = [*type(fn).__mro__, *(owner.__mro__ if isinstance(owner, type) else type(owner).__mro__)]
    homes = {kind.__module__.partition(".")[0] for kind in kinds}
    homes.add(str(getattr(fn, "__module__", "")).partition(".")[0])
    for door in ("torch", "jax"):
        if door in homes or (door == "jax" and "jaxlib" in homes):
            return door
    there = getattr(fn, "__globals__", {})
    own = [there[name] for name in getattr(getattr(fn, "__code__", None), "co_names", ()) if name in there]
    for values in (own, there.values()):  # what the function itself names; else whatever stands around it
        used = {str(getattr(v, "__name__", "")).partition(".")[0] for v in values}
        known = [door for door in ("torch", "jax") if door in used]
        if len(known) == 1:
            return known[0]
        if known or "numpy" in used:
            break
    raise UsageError("whose code it is cannot be seen: give a vjp or gradient (NumPy), or say backend='torch' or 'jax'")


def _module(fn: Callable[..., Any], device: str | None) -> tuple[Callable[..., Any], dict[str, Any]]:
    from gradcheck.oracles.torch_door import parameters_of

    return parameters_of(fn, device)


def _absent(door: str, device: str) -> str:
    """Why a device is not there; "" where it is. Raises UsageError for NumPy, and for what is no device."""
    if door == "torch":
        from gradcheck.oracles.torch_door import absent
    elif door == "jax":
        from gradcheck.oracles.jax_door import absent
    else:
        raise UsageError("device= is for backends 'torch' and 'jax': NumPy has none")
    return absent(device)


def _moving(givens: Any, names: Sequence[str], seed: int) -> tuple[tuple[int, ...], list[str]]:
    """Which inputs move, and what all are called."""
    if callable(givens):
        first = givens(default_rng(seed))
        moving = tuple(k for k, x in enumerate(first) if asarray(x).dtype.kind == "f")
        called = [names[k] if k < len(names) and names[k] else f"x{k}" for k in range(len(first))]
    else:
        moving = tuple(k for k, g in enumerate(givens) if g.differentiable)
        called = [g.name for g in givens]
    if not moving:
        raise UsageError("no input is differentiable: there is nothing to judge")
    return moving, called


def _subject(
    door: str, fn: Callable[..., Any], claims: Mapping[str, Any], moving: tuple[int, ...], count: int, name: str,
    device: str | None,
) -> Subject:  # fmt: skip
    if door == "torch":
        from gradcheck.oracles.torch_door import TorchCode

        return TorchCode(fn, moving, name, device=device)
    if door == "jax":
        from gradcheck.oracles.jax_door import JaxCode

        return JaxCode(fn, moving, name, device=device)
    return Handwritten(fn, _rule(claims["vjp"], claims["gradient"]), claims["jvp"], moving, count, name)


def _called(fn: Callable[..., Any]) -> str:
    owner = getattr(fn, "__self__", None)
    if isinstance(owner, type):
        return f"{owner.__name__}.{getattr(fn, '__name__', 'apply')}"
    return str(getattr(fn, "__name__", type(fn).__name__))


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


def _formulas(gradient: Any, names: Sequence[str], moving: tuple[int, ...]) -> Any:
    """A claim of formulas as a function of the inputs; any other claim as it is."""
    if not isinstance(gradient, str | Mapping):
        return gradient
    texts = {names[moving[0]]: gradient} if isinstance(gradient, str) else dict(gradient)
    wanted = [names[k] for k in moving]
    if set(texts) != set(wanted):
        raise UsageError(f"gradient: a formula each for {', '.join(wanted)} is expected, not for {', '.join(texts)}")
    programs = {n: parse_formula(text, names) for n, text in texts.items()}

    def claimed(inputs: Any) -> Any:
        env = dict(zip(names, (asarray(x) for x in inputs), strict=True))
        found = [None if n not in programs else asarray(programs[n](NUMPY, env), dtype=float) for n in names]
        return tuple(None if g is None else broadcast_to(g, x.shape) for g, x in zip(found, env.values(), strict=True))

    return claimed


def _names(fn: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters] if all(p.kind in kinds for p in parameters) else []
