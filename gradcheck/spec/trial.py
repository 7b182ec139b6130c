"""Can the function and its claims be evaluated at all, and have the results the shapes they must have?

One evaluation in NumPy at one simple point, and one at each example. Numbers are not judged here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.errors import EvaluationError, FuelExhausted
from gradcheck.expr import Program
from gradcheck.spec.dims import may_be_one, misfit, repetitions, sizes_from
from gradcheck.spec.entry import Entry
from gradcheck.spec.membership import within_box
from gradcheck.spec.meter import Meter
from gradcheck.spec.model import ClaimKind, Example, Place, Spec
from gradcheck.spec.sample import Point, interior_point, sizes_of

Shape = tuple[int, ...]
Steps = tuple[str | int, ...]
_SCALAR_OUTPUT = (ClaimKind.GRADIENT, ClaimKind.HESSIAN, ClaimKind.HVP)


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth knowing about a sound spec."""

    message: str
    place: Place

    def __str__(self) -> str:
        return f"{self.place.file}:{self.place.line}:{self.place.column}: note: {self.message}"


def try_function(entry: Entry, spec: Spec, meter: Meter) -> tuple[Note, ...]:
    """Complains about what cannot be evaluated or has a wrong shape; gives notes about what is merely odd."""
    trial = _Trial(entry, spec, meter)
    notes = list(trial.at_interior_point())
    for index, example in enumerate(spec.examples):
        if meter.spent:
            break
        trial.at_example(("examples", index), example)
    if meter.spent:
        entry.complain_key((), "trying out this file takes too many operations", "shorter loops, or several files")
    return tuple(notes)


class _Trial:
    """Evaluates one spec at points."""

    def __init__(self, entry: Entry, spec: Spec, meter: Meter) -> None:
        self.entry = entry
        self.spec = spec
        self.meter = meter
        self.where = ""
        self._broken_predicates: set[str] = set()
        self.shapes: dict[str, Shape] = {}  # of inputs and outputs, at the point under trial

    def at_interior_point(self) -> Iterator[Note]:
        """Try function, claims and conventions at one point of the domain."""
        for sizes in repetitions(sizes_of(self.spec.inputs)):
            before = len(self.entry.complaints)
            yield from self._at_sizes(sizes)
            if len(self.entry.complaints) > before:
                return

    def _at_sizes(self, sizes: Mapping[str, int]) -> Iterator[Note]:
        shown = {name: size for name, size in sizes.items() if not may_be_one(name) or size == 1}
        self.where = "".join(f" with {name}={size}" if not i else f", {name}={size}"
                             for i, (name, size) in enumerate(shown.items()))  # fmt: skip
        point = interior_point(self.spec.inputs, sizes, self._predicate)
        if point is None:
            if not self._broken_predicates:
                yield Note("no point of the domain was found, the function was tried at its examples only",
                           self.entry.at_key())  # fmt: skip
            return
        env = self._function(point, sizes)
        if env is not None:
            yield from self._not_finite(env)
            self._claims(env)
            self._kinks(env)

    def at_example(self, steps: Steps, example: Example) -> None:
        """Try the function at a worked example, and compare the shapes expected there."""
        self.where = " at this example"
        point = {name: np.asarray(value, dtype=np.float64) for name, value in example.inputs.items()}
        sizes = sizes_from(self.spec.inputs, {name: array.shape for name, array in point.items()})
        if misfit(sizes):
            self.entry.complain(steps, f"the shapes do not fit together: {misfit(sizes)}")
            return
        for i in self.spec.inputs:
            if i.domain.below and not within_box(i.domain.at(sizes), point[i.name]).all():
                self.entry.complain(steps, f"a number of {i.name!r} is past the end of {i.domain.below!r}")
            if i.domain.predicate is not None and not self._predicate(i.name, i.domain.predicate, {**sizes, **point}):
                self.entry.complain(steps, f"this example lies outside the domain {i.domain.text!r} of {i.name!r}")
        if self._function(point, sizes, steps) is not None:
            self._expected(steps, example)

    def _predicate(self, name: str, predicate: Program, env: Mapping[str, Any]) -> bool:
        if name in self._broken_predicates:
            return False
        result = self._run(("inputs", name, "domain"), predicate, env)
        if result is None:
            self._broken_predicates.add(name)
            return False
        if np.asarray(result).dtype != np.bool_:
            self._broken_predicates.add(name)
            self.entry.complain(("inputs", name, "domain"), "this predicate gives numbers", "a comparison")
            return False
        return bool(np.all(result))

    def _function(self, point: Point, sizes: Mapping[str, int], steps: Steps = ()) -> dict[str, Any] | None:
        """The names a claim may use, with their values; None where the function cannot be evaluated."""
        steps = steps or (("code",) if self.spec.function.code else ("value",))
        result = self._run(steps, self.spec.function, {**sizes, **point})
        if result is None:
            return None
        outputs = result if isinstance(result, dict) else {"value": result}
        for name, value in outputs.items():
            if isinstance(value, dict | tuple | list) or np.asarray(value).dtype == np.bool_:
                what = "truth values" if not isinstance(value, dict | tuple | list) else "several values at once"
                self.entry.complain(steps, f"the output {name!r} is {what}", "one array of numbers")
                return None
        self.shapes = {name: np.shape(value) for name, value in {**point, **outputs}.items()}
        return {**sizes, **point, **outputs}

    def _claims(self, env: Mapping[str, Any]) -> None:
        for claim in self.spec.claims:
            kind = claim.kind
            steps: Steps = (kind.value, claim.of) if claim.of else (kind.value,)
            if not self._fits(steps, kind, claim.of):
                continue
            result = self._run(steps, claim.program, {**env, **self._helpers(kind)})
            if result is not None:
                self._check_shape(steps, result, self._claimed_shape(kind, claim.of))

    def _kinks(self, env: Mapping[str, Any]) -> None:
        written = self.entry.document.get((*self.entry.path, "at_kinks")) or {}
        for text, kink in zip(written, self.spec.kinks, strict=True):
            condition = self._run(("at_kinks", text), kink.condition, env)
            if condition is not None and np.asarray(condition).dtype != np.bool_:
                self.entry.complain_key(("at_kinks", text), "this condition gives numbers", "a comparison")
            for name, program in kink.values.items():
                steps = ("at_kinks", text, name)
                result = self._run(steps, program, env)
                if result is not None and np.shape(result) != ():
                    self._check_shape(steps, result, self.shapes[name])

    def _expected(self, steps: Steps, example: Example) -> None:
        for key, numbers in example.expected.items():
            claim, _, of = key.partition(":")
            below = (*steps, claim, of) if of else (*steps, claim)
            if claim == "value":
                self._check_outputs(below, numbers)
            elif self._fits(below, ClaimKind(claim), of):
                self._check_shape(below, np.asarray(numbers), self._claimed_shape(ClaimKind(claim), of))
        if example.cotangent is not None:
            self._check_outputs((*steps, "ct"), example.cotangent)

    def _check_outputs(self, steps: Steps, given: Any) -> None:
        """Numbers of the output's shape, or a mapping of outputs to such."""
        for name, numbers in given.items() if isinstance(given, dict) else [("value", given)]:
            below = (*steps, name) if isinstance(given, dict) else steps
            self._check_shape(below, np.asarray(numbers), self.shapes[name])

    def _fits(self, steps: Steps, kind: ClaimKind, of: str) -> bool:
        """Whether a claim of this kind can be made of the output's shape."""
        if self.spec.outputs != ("value",):
            return True
        output = self.shapes["value"]
        if kind in _SCALAR_OUTPUT and output != ():
            self.entry.complain_key(
                steps, f"{_a(kind)} is of a scalar, but the value has shape {list(output)}{self.where}",
                "sum(…) in the function, or vjp, jvp or jacobian",
            )  # fmt: skip
            return False
        if kind is ClaimKind.DERIVATIVE and output != self.shapes[of]:
            self.entry.complain_key(
                steps, f"a derivative is elementwise, but {of!r} has shape {list(self.shapes[of])} and the value "
                f"{list(output)}{self.where}", "jacobian, vjp or jvp",
            )  # fmt: skip
            return False
        return True

    def _claimed_shape(self, kind: ClaimKind, of: str) -> Shape:
        if kind is ClaimKind.JVP:
            return self.shapes[of or "value"]
        if kind is ClaimKind.JACOBIAN:
            return self.shapes["value"] + self.shapes[of]
        return self.shapes[of] * (2 if kind is ClaimKind.HESSIAN else 1)

    def _helpers(self, kind: ClaimKind) -> dict[str, Any]:
        """Cotangents of the outputs' shapes, or tangents of the inputs'."""
        if kind is ClaimKind.VJP:
            one = self.spec.outputs == ("value",)
            names = {"ct" if one else f"ct_{output}": output for output in self.spec.outputs}
        else:
            names = {f"t_{i.name}": i.name for i in self.spec.inputs if i.differentiable}
        return {name: np.full(self.shapes[of], 0.75) for name, of in names.items()}

    def _check_shape(self, steps: Steps, result: Any, wanted: Shape) -> None:
        if isinstance(result, dict | tuple | list):
            self.entry.complain(steps, "this gives several values at once", f"one array of shape {list(wanted)}")
        elif np.shape(result) != wanted:
            message = f"this has shape {list(np.shape(result))}{self.where}"
            self.entry.complain(steps, message, f"shape {list(wanted)}")

    def _not_finite(self, env: Mapping[str, Any]) -> Iterator[Note]:
        for output in self.spec.outputs:
            if not np.all(np.isfinite(np.asarray(env[output], dtype=np.float64))):
                yield Note(f"{output} is not finite at an interior point of the domain", self.entry.at_key())

    def _run(self, steps: Steps, program: Program, env: Mapping[str, Any]) -> Any:
        """The program's value; None, with a complaint, where there is none."""
        try:
            return self.meter.evaluate(program, env)
        except FuelExhausted as error:
            message = f"a loop did not end within {error.limit} steps{self.where}"
            self.entry.complain_inside(steps, error.line, message, "a loop that ends")
        except EvaluationError as error:
            if not self.meter.spent:  # else the file as a whole is complained about
                self.entry.complain(steps, f"this cannot be evaluated{self.where}: {error}")
        return None


def _a(kind: ClaimKind) -> str:
    return ("an " if kind is ClaimKind.HVP else "a ") + kind.value
