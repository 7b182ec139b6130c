"""How is gradcheck called from Python? Spec files judged in one call; the result explains itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy import asarray
from numpy.random import default_rng

from gradcheck.cases.arguments import Form, formed
from gradcheck.cases.given import dimensions, example_of
from gradcheck.errors import UsageError
from gradcheck.oracles.blackbox.asked import Handwritten, Subject
from gradcheck.oracles.blackbox.paired import Paired, PairedTape, in_pairs
from gradcheck.oracles.blackbox.twin import Twinned
from gradcheck.oracles.code_numbers import numbers_of
from gradcheck.report.checked import Result
from gradcheck.report.naming import code_of
from gradcheck.run import Config, Entry, Outcome, entries, outcomes
from gradcheck.run.check.callable import TIME_LIMIT, Wanted, check_subject, chosen_cells, first_outputs, not_judged
from gradcheck.run.check.claims import Claim, Claims
from gradcheck.run.check.isolated import together
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
    fn: Callable[..., Any], inputs: Any, backend: str | None = None, *, vjp: Claim = None,
    jvp: Callable[..., Any] | None = None, gradient: Claim = None, second: Callable[..., Any] | None = None,
    meant: Claim = None, reference: Any = None, points: int = 256, seed: int = 0, order: int = 1,
    cells: Sequence[str] | None = None, skip: Sequence[str] = (), strict: bool = False,
    twin: Callable[..., Any] | None = None, time_limit: float = TIME_LIMIT, isolate: bool | str = "auto",
    device: str | None = None,
) -> Result:  # fmt: skip
    """Judge the derivative that somebody wrote by hand.

    fn(*inputs) -> array or tuple of arrays. inputs: domains (`gradcheck.Real("n", 3)`, `Complex`, `Integer`, `SPD` …)
    or example arrays, by name or position, or a function rng -> inputs. Arguments and results may be dicts and lists of
    arrays, nested; rules then take and give such. Arguments that are keywords only are given by name.
    backend: "numpy", "torch" (a function, the apply of an `autograd.Function`, a module with its parameters) or "jax";
    inferred from fn, and "numpy" where a vjp or gradient is given beside a function of neither.
    vjp(inputs, ct) -> one gradient an input, None for those without; ct is a tuple where fn has several outputs.
    gradient(inputs) -> the same for a function with one number as its value, instead of a vjp. Either may be formulas
    in the language of specs: {"x": "2*x"}, or one text where one input moves; those of a vjp are in `ct` too. For
    NumPy this is the rule under test; beside PyTorch's and JAX's code, a claim that its own derivative is held against.
    Gradients by complex inputs are PyTorch's (dL/dRe + i dL/dIm), for a cotangent w of a complex output with
    L = Re(sum(conj(w) f)).
    meant: as vjp, where something else than the derivative is meant (a straight-through estimator): what is right then.
    reference: another implementation (PyTorch's or JAX's function, NumPy's pair (fn, vjp)) that must give the same.
    jvp(inputs, tangents) -> as fn, tangents one an input that moves. second(inputs, ct, u) -> the adjoint of the
    gradient: one gradient an input that moves and one for ct; judged at order 2. Both are for NumPy only.
    cells, skip: which questions are asked (`gradcheck.judge.cells.CELLS`). strict: remarks fail too.
    twin: the same function on NumPy arrays, for the cell `precision`, where fn itself does not run on object arrays of
    precise numbers (PyTorch and JAX code never does).
    time_limit: seconds that one call of the code may take. isolate: whether the code runs in a process of its own, so
    that a crash or a hang costs its cell only ("auto": where that can be; else the result says why it was not).
    device: where PyTorch's or JAX's arrays lie ("cuda", "cuda:1"); where there is no such, the result is SILENT: it
    does not pass, and says why.
    Raises UsageError where nothing can be judged so.
    """
    if order not in (1, 2):
        raise UsageError(f"order is 1 or 2, not {order!r}")
    if points < 1:
        raise UsageError(f"points = {points} asks for nothing")
    door = backend or backend_of(fn, vjp is not None or gradient is not None)
    if door not in DOORS:
        raise UsageError(f"there is no door for backend {door!r}; there are {', '.join(DOORS)}")
    for name, rule in (("jvp", jvp), ("second", second)) if door != "numpy" else ():
        if rule is not None:
            raise UsageError(f"{name}= is a rule for backend 'numpy'; of {door} code its own derivative is judged")
    why = _absent(door, device) if device is not None else ""
    if why:
        return Result(_called(fn), not_judged(f"{why}; nothing was judged"), door)
    form, givens = formed(fn, inputs)
    call, own = _module(fn, device) if door == "torch" else (fn, {})
    if not callable(givens):
        givens += tuple(example_of(name, value) for name, value in own.items())
    elif own:
        raise UsageError("a module's inputs are given as domains or examples, not by a sampler")
    givens, pairs = _in_pairs(givens, seed)
    moving, names = _moving(givens, _names(fn), seed)
    if second is not None and not form.plain:
        raise UsageError("second= is a rule for plain arguments, by position")
    if pairs and (any(isinstance(c, str | Mapping) for c in (vjp, gradient, meant)) or (second and order == 2)):
        raise UsageError("formulas and second= are judged for real inputs only")
    given = {"vjp": vjp, "gradient": gradient, "jvp": jvp, "second": second}
    roles = {role: rule for role, rule in given.items() if callable(rule)}
    formula = isinstance(gradient if vjp is None else vjp, str | Mapping)
    vjp, gradient, meant = (form.rule(c) if callable(c) else c for c in (vjp, gradient, meant))
    claims = Claims(names, moving, () if callable(givens) else givens)
    other = _reference(reference, moving, names, own, form, (door, device))
    if door == "numpy":
        pushed = jvp if jvp is None else form.pushed(jvp, moving)
        subject: Subject = Handwritten(
            form.called(call), claims.rule(vjp, gradient), pushed, moving, len(names), _called(fn)
        )
        stated = claims.beside(subject, None, None, meant, other)
    else:
        subject = _subject(door, form.called(call), moving, _called(fn), device)
        stated = claims.beside(subject, vjp, gradient, meant, other)
    if twin is not None:
        subject = Twinned(subject, form.called(twin))
    rules = [fn, *(c for c in (vjp, gradient, jvp, second, meant, reference, twin) if c is not None)]
    alone = together(isolate, door, rules)
    givens = _marked(givens, rules)
    wanted = Wanted(points, seed, chosen_cells(cells, skip), strict, time_limit, alone)
    outputs, numbers = first_outputs(subject, givens, pairs, wanted)
    fixed = callable(givens) or not dimensions(givens)  # named dimensions are tried at small sizes
    wanted = replace(wanted, outputs=numbers if fixed else 1)
    if pairs or any(outputs):
        if stated is not None:
            raise UsageError("what is stated beside the code is judged for real inputs and outputs only")
        subject = (Paired if door == "numpy" else PairedTape)(subject, pairs, outputs)
    adjoint = (second if door == "numpy" else getattr(subject, "second", None)) if order == 2 else None
    found = check_subject(subject, givens, names, wanted, adjoint, stated)
    code = code_of(
        fn, roles, formula=formula, learnt=found.learnt, parameters=tuple(own), moving=moving, device=device,
        form=form, complex_inputs=frozenset(names[k] for k in pairs),
    )  # fmt: skip
    return Result(subject.name, found, door, code)


def _marked(givens: Any, rules: Sequence[Any]) -> Any:
    """The inputs, each with the numbers that the code under test holds; a sampler as it is."""
    if callable(givens):
        return givens
    held = numbers_of(rule for rule in rules if callable(rule)).written
    telling = tuple(v for v in held if v > 3 or v != int(v))  # 0 to 3 stand in all code, and are tried anyway
    return tuple(replace(g, held=telling) for g in givens)


def _in_pairs(givens: Any, seed: int) -> tuple[Any, frozenset[int]]:
    """The inputs with complex ones as pairs of real numbers, and which these are."""
    if not callable(givens):
        return givens, frozenset(k for k, g in enumerate(givens) if g.paired)
    found = frozenset(k for k, x in enumerate(givens(default_rng(seed))) if asarray(x).dtype.kind == "c")
    return (in_pairs(givens) if found else givens), found


def backend_of(fn: Callable[..., Any], ruled: bool) -> str:
    """Whose code it is: its own type or module tells; else a rule given beside it makes it NumPy's."""
    owner = getattr(fn, "__self__", None)
    kinds = [*type(fn).__mro__, *(owner.__mro__ if isinstance(owner, type) else type(owner).__mro__)]
    homes = {kind.__module__.partition(".")[0] for kind in kinds}
    homes.add(str(getattr(fn, "__module__", "")).partition(".")[0])
    for door in ("torch", "jax"):
        if door in homes or (door == "jax" and "jaxlib" in homes):
            return door
    if ruled:
        return "numpy"
    around = getattr(fn, "__globals__", {})
    named = [around[name] for name in getattr(getattr(fn, "__code__", None), "co_names", ()) if name in around]
    for values in (named, around.values()):  # what its own lines name; else whatever stands around it
        used = {str(getattr(v, "__name__", "")).partition(".")[0] for v in values}
        known = [door for door in ("torch", "jax") if door in used]
        if len(known) == 1:
            return known[0]
        if known or "numpy" in used:
            break
    raise UsageError("whose code it is cannot be seen: give a vjp or gradient (NumPy), or say backend='torch' or 'jax'")


def _module(fn: Callable[..., Any], device: str | None) -> tuple[Callable[..., Any], dict[str, Any]]:
    from gradcheck.oracles.with_torch.door import parameters_of

    return parameters_of(fn, device)


def _absent(door: str, device: str) -> str:
    """Why a device is not there; "" where it is. Raises UsageError for NumPy, and for what is no device."""
    if door == "torch":
        from gradcheck.oracles.with_torch.door import absent
    elif door == "jax":
        from gradcheck.oracles.with_jax.door import absent
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


def _subject(door: str, fn: Callable[..., Any], moving: tuple[int, ...], name: str, device: str | None) -> Subject:
    if door == "torch":
        from gradcheck.oracles.with_torch.door import TorchCode

        return TorchCode(fn, moving, name, device)
    from gradcheck.oracles.with_jax.door import JaxCode

    return JaxCode(fn, moving, name, device)


def _reference(
    given: Any, moving: tuple[int, ...], names: Sequence[str], own: Mapping[str, Any], form: Form,
    device: tuple[str, str | None],
) -> Subject | None:  # fmt: skip
    """Another implementation as a subject: a NumPy function with its vjp, PyTorch's or JAX's code."""
    if given is None:
        return None
    if isinstance(given, tuple):
        fn, rule = given
        return Handwritten(form.called(fn), form.rule(rule), None, moving, len(names), _called(fn))
    door = backend_of(given, False)
    place = device[1] if device[0] == door else None
    call, parameters = _module(given, place) if door == "torch" else (given, {})
    if parameters and list(parameters) != list(own):
        raise UsageError(f"reference: a module with the parameters {', '.join(own) or '(none)'} is expected")
    return _subject(door, form.called(call), moving, _called(given), place)


def _called(fn: Callable[..., Any]) -> str:
    owner = getattr(fn, "__self__", None)
    if isinstance(owner, type):
        return f"{owner.__name__}.{getattr(fn, '__name__', 'apply')}"
    named = getattr(fn, "__name__", None) or getattr(fn, "_qualname", None)  # the latter of `torch.library` operations
    return str(named or type(fn).__name__)


def _names(fn: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters] if all(p.kind in kinds for p in parameters) else []
