"""What happens at one point, step by step? The values on the way up, the adjoints on the way down, the judge's word.

The function is recorded by the engine, over a namespace that notes every operation; the adjoints come from the engine's
own backward pass. What they come to at the inputs is put before the judge as the engine's answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck import engine
from gradcheck.cases import Plan, batch, build, example_case, example_sizes
from gradcheck.engine.steps import Decision, Operation, Steps, Watching
from gradcheck.errors import EvaluationError, GradcheckError, UsageError, did_you_mean
from gradcheck.expr import NUMPY, Recording, Replay
from gradcheck.expr.control import Path
from gradcheck.judge import judge
from gradcheck.oracles import Evidence, Hearing, Inquiry, Silence, Testimony
from gradcheck.oracles.inquiry import claimed, named
from gradcheck.spec import Case, Spec, SpecFile
from gradcheck.spec.membership import inside
from gradcheck.spec.meter import Meter
from gradcheck.spec.point import given_cotangent, given_point
from gradcheck.spec.sample import sizes_of

Array = NDArray[np.float64]
EXAMPLE, SIMPLE, GIVEN, ONES = "the first example", "a simple point of the domain", "given", "ones"
DRAWN = 64  # points, of which the simplest is taken
PLAIN = ("real", "nonnegative", "integer", "boolean", "probability")  # kinds of domain that rounding leaves alone


@dataclass(frozen=True, slots=True)
class Point:
    """Where a function is traced: a case of one point, where it is from, and where its cotangent is from."""

    case: Case
    origin: str
    cotangent: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What the trace and the claim say of the derivative by one input, and what the judge makes of it."""

    input: str
    kind: str  # of the claim: "gradient", "vjp" …; "" where none tells a cotangent of this input
    traced: Array
    claimed: Array | None
    verdict: str  # a judge's Verdict, or "" where there is nothing to compare
    reason: str = ""  # why


@dataclass(frozen=True, slots=True)
class Traced:
    """One function at one point, recorded.

    leaves: the inputs as tensors; taken: operations and decisions in order; outputs: results by name, tensors where
    derivatives pass; adjoints: of every tensor that one comes to.
    """

    point: Point
    leaves: Mapping[str, engine.Tensor]
    taken: tuple[Operation | Decision, ...]
    outputs: Mapping[str, Any]
    adjoints: Mapping[engine.Tensor, Any]
    judged: tuple[Judged, ...]

    @property
    def roots(self) -> list[engine.Tensor]:
        """The outputs that derivatives pass to."""
        return [y for y in self.outputs.values() if isinstance(y, engine.Tensor) and y.requires_grad]

    @property
    def cotangents(self) -> list[Array]:
        """Those of the roots."""
        given, roots = self.point.case.cotangents, {id(root) for root in self.roots}
        return [np.array(given[name][0]) for name, y in self.outputs.items() if id(y) in roots]


def chosen(files: Sequence[SpecFile], select: str) -> Spec:
    """The one function that `select` names, whole or in part. Raises UsageError, with the names there are."""
    functions = [spec for file in files for spec in file.functions]
    names = [spec.id for spec in functions]
    behaviours = [one.id for file in files for one in file.semantics]
    where = ", ".join(file.path for file in files)
    if not names:
        raise UsageError(f"{where} holds no function to explain")
    found = [s for s in functions if s.id == select] or [s for s in functions if select in s.id]
    if len(found) == 1:
        return found[0]
    if found:
        which = f"{len(found)} functions" + (f" with {select!r} in their names" if select else "")
        raise UsageError(f"{where} holds {which}; choose one with -k: {_names([s.id for s in found])}")
    if select in behaviours:
        raise UsageError(f"{select!r} is a behaviour; only functions are explained: {_names(names)}")
    raise UsageError(f"{where} has no function {select!r}; there is {_names(names)}", did_you_mean(select, names))


def _names(names: Sequence[str]) -> str:
    shown = list(names[:20])
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")


def point_of(spec: Spec, at: Sequence[str] = (), ct: Sequence[str] = ()) -> Point:
    """The point that `at` gives, else the first example's, else a simple one; the cotangent of `ct`, else ones.

    Raises UsageError, SpecErrors or EvaluationError where there is no such point.
    """
    origin = GIVEN if at else EXAMPLE if spec.examples else SIMPLE
    if at:
        point, sizes = given_point(spec, at)
        values = named(Meter().evaluate(spec.function, {**sizes, **point}), spec.outputs)
        case = batch(spec, sizes, [point], [{o: np.ones(np.shape(v)) for o, v in values.items()}])
    elif spec.examples:
        case = example_case(spec, spec.examples[0], example_sizes(spec, spec.examples[0]))
    else:
        case = _simple(spec)
    if case is None:
        raise EvaluationError(f"no point of the domain of {spec.id} was found; give one with --at")
    if ct:
        given = given_cotangent(ct, {o: v.shape[1:] for o, v in case.cotangents.items()})
        return Point(replace(case, cotangents={o: v[None] for o, v in given.items()}), origin, GIVEN)
    by_example = not at and bool(spec.examples) and spec.examples[0].cotangent is not None
    return Point(case, origin, EXAMPLE if by_example else ONES)


def _simple(spec: Spec) -> Case | None:
    """A drawn point of small size with ordinary numbers, of two decimals where the domain allows it."""
    sizes = sizes_of(spec.inputs)
    drawn = build(spec, Plan(tuple(sizes.items()), 0, 1.0), DRAWN)
    if drawn is None:
        return None
    rows = [row for row, origin in enumerate(drawn.origins) if origin == "drawn"] or [0]
    row = min(rows, key=lambda row: _oddness(drawn.inputs, row))
    point = {name: np.array(array[row]) for name, array in drawn.inputs.items()}
    rounded = {i.name: np.round(point[i.name], 2) if i.domain.kind in PLAIN else point[i.name] for i in spec.inputs}
    ok = inside(spec, {name: array[None] for name, array in rounded.items()}, sizes).all()
    return batch(spec, sizes, [rounded if ok else point], None)


def _oddness(inputs: Mapping[str, Array], row: int) -> float:
    """How far the numbers of a point are from one, in powers of ten; a point with a zero is odd."""
    flat = np.concatenate([np.abs(array[row]).reshape(-1) for array in inputs.values()])
    with np.errstate(divide="ignore"):
        return float(np.max(np.abs(np.log10(flat)), initial=0.0))


def trace(point: Point) -> Traced:
    """The function recorded at the point, with its adjoints. Raises EvaluationError where it cannot be computed."""
    case = point.case
    xp = engine.Reverse(steps := Steps(NUMPY))
    leaves = {i.name: xp.leaf(np.array(case.inputs[i.name][0]), i.differentiable) for i in case.spec.inputs}
    with np.errstate(all="ignore"):
        try:
            result = case.spec.function(xp, {**leaves, **case.sizes}, Watching(steps))
        except GradcheckError:
            raise
        except Exception as error:  # NumPy and Python refuse shapes, types and indices in many ways
            raise EvaluationError(f"{case.spec.id} cannot be evaluated at this point: {error}") from None
        found = Traced(point, leaves, tuple(steps.taken), named(result, case.spec.outputs), {}, ())
        pulled = engine.adjoints(found.roots, found.cotangents) if found.roots else {}
        found = replace(found, adjoints=pulled)
        return replace(found, judged=tuple(judged(found)))


def program(point: Point) -> engine.Program:
    """The function's vjp as a straight row of operations, for the point's shapes and the branches that it takes.

    Raises EvaluationError where the function cannot be computed at the point, TapeError where it looks at numbers
    otherwise than in a branch.
    """
    case, spec = point.case, point.case.spec
    names, wrt = [i.name for i in spec.inputs], [i.differentiable for i in spec.inputs]
    path = _path(case)

    def f(xp: Any, *inputs: Any) -> tuple[Any, ...]:
        result = spec.function(xp, {**dict(zip(names, inputs, strict=True)), **case.sizes}, Replay(path))
        return tuple(named(result, spec.outputs)[output] for output in spec.outputs)

    def pulled(xp: Any, *args: Any) -> dict[str, Any]:
        parts = engine.vjp(f, xp, args[: len(names)], tuple(args[len(names) :]), wrt=wrt)[1]
        return {name: part for name, part, moves in zip(names, parts, wrt, strict=True) if moves}

    given = [np.array(case.inputs[name][0]) for name in names] + [case.cotangents[o][0] for o in spec.outputs]
    cotangents = ["ct"] if len(spec.outputs) == 1 else [f"ct_{output}" for output in spec.outputs]
    return engine.program_of(pulled, *map(np.asarray, given), names=[*names, *cotangents])


def _path(case: Case) -> Path:
    """The branches that the function takes at a case's point."""
    recording = Recording()
    inputs = {i.name: np.array(case.inputs[i.name][0]) for i in case.spec.inputs}
    with np.errstate(all="ignore"):
        try:
            case.spec.function(NUMPY, {**inputs, **case.sizes}, recording)
        except GradcheckError:
            raise
        except Exception as error:  # as in `trace`
            raise EvaluationError(f"{case.spec.id} cannot be evaluated at this point: {error}") from None
    return tuple(recording.path)


def gradient(traced: Traced, name: str) -> Array:
    """The adjoint that the trace ends with at one input; zeros where none comes to it."""
    leaf = traced.leaves[name]
    found = traced.adjoints.get(leaf)
    return np.zeros(leaf.shape) if found is None else np.asarray(found, dtype=float)


def judged(traced: Traced) -> list[Judged]:
    """The trace's gradients before the judge, as if a framework had answered them: with the engine's bars."""
    case = traced.point.case
    said = Hearing(Inquiry(case)).all(["engine", "differences"])
    rows: list[Judged] = []
    for i in case.spec.inputs:
        if not i.differentiable:
            continue
        number, quantity = gradient(traced, i.name), f"vjp:{i.name}"
        about = [(c.kind.value, q) for c, q in claimed(case.spec) if q.partition("|")[0] == quantity]
        if not about:
            rows.append(Judged(i.name, "", number, None, "", "no claim tells its gradient"))
        for kind, told in about:
            rows.append(_judged(case, said, Judged(i.name, kind, number, None, ""), told))
    return rows


def _judged(case: Case, said: Mapping[str, Testimony], row: Judged, told: str) -> Judged:
    """One row with the number that is claimed (called `told` among the claim's answers), and the verdict."""
    ours, claim, quantity = said["engine"], said["claim"], f"vjp:{row.input}"
    for silent in (claim, ours):
        if isinstance(silent, Silence):
            return replace(row, reason=f"{silent.witness}: {silent.message}")
    assert isinstance(claim, Evidence) and isinstance(ours, Evidence)
    answer = replace(ours.answers[quantity], center=row.traced[None])
    one = {q: m for q, m in claim.answers.items() if q.startswith("value") or q == told}
    heard = {**said, "claim": Evidence("claim", one), "engine": Evidence("engine", {quantity: answer})}
    (finding,) = [f for f in judge(case, heard) if f.witness == "engine"]
    return replace(row, claimed=claim.answers[told].center[0], verdict=finding.verdict.value, reason=finding.reason)
