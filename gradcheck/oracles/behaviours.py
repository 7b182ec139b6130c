"""Does a tape behave as a spec says? The steps of a `semantics:` entry, performed on the engine, PyTorch and JAX.

A tape is what holds values, gradients and the memory of how they came about. Our engine's is here, the others' are
beside their witnesses; JAX has none that changes, so it takes part only where one backward pass is all that happens.
"""

from __future__ import annotations

import importlib
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from gradcheck import engine
from gradcheck.errors import EvaluationError
from gradcheck.expr import ALIASES, VOCABULARY, Control, Program
from gradcheck.oracles.evidence import Array
from gradcheck.oracles.hearing import installed
from gradcheck.spec.model import Semantics, Step

Value = Any  # a tensor of the tape
# Expected numbers are written exactly; a tape's own differ by the rounding of its few operations and their order.
ROUNDINGS = 4  # units in the last place of the larger number
HALF_A_UNIT = 0.5  # of the last printed decimal: what rounding to it may have changed


@dataclass(frozen=True, slots=True)
class Performance:
    """What came of a behaviour on one tape; `checked` counts what was compared."""

    witness: str
    verdict: str  # AGREES, DISAGREES, SILENT or CRASHED
    reason: str
    checked: int
    seconds: float


class Tape(Protocol):
    """What is asked of a library that differentiates as it computes. Its refusals are RuntimeErrors."""

    def lacks(self, steps: tuple[Step, ...]) -> str:
        """Which notion of these steps the library does not have, in a sentence; empty where it has all."""

    def leaf(self, numbers: Array, requires_grad: bool) -> Value: ...
    def let(self, formula: Program, env: Mapping[str, Value], recording: bool) -> Value: ...
    def detach(self, value: Value) -> Value: ...
    def switch(self, value: Value, requires_grad: bool) -> None: ...
    def backward(self, value: Value, gradient: Array | None, retain: bool | None, create: bool) -> None: ...
    def zero_grad(self, value: Value) -> None: ...
    def sgd(self, value: Value, lr: float) -> None: ...
    def numbers(self, value: Value) -> Array: ...
    def grad(self, value: Value) -> Array | None: ...
    def requires_grad(self, value: Value) -> bool: ...
    def is_leaf(self, value: Value) -> bool: ...
    def node(self, value: Value) -> str: ...
    def nodes(self, value: Value) -> list[str]: ...


def perform(semantics: Semantics, witness: str) -> Performance:
    """What comes of the steps on the tape of `witness`: "engine", "torch" or "jax"."""
    if not installed(witness):
        return Performance(witness, "SILENT", f"{witness} is not installed", 0, 0.0)
    tape = _tape(witness)
    start = time.perf_counter()
    notion = tape.lacks(semantics.steps)
    if notion:
        return Performance(witness, "SILENT", notion, 0, time.perf_counter() - start)
    stage = _Stage(tape)
    verdict, reason = _verdict(stage, semantics)
    return Performance(witness, verdict, reason, stage.checked, time.perf_counter() - start)


def _tape(witness: str) -> Tape:
    """An empty tape; the library is imported here."""
    if witness == "engine":
        return EngineTape()
    module = importlib.import_module(f"gradcheck.oracles.with_{witness}.tape")
    tape: Tape = getattr(module, f"{witness.capitalize()}Tape")()
    return tape


def _verdict(stage: _Stage, semantics: Semantics) -> tuple[str, str]:
    try:
        failure = stage.steps(semantics.steps)
    except Exception as error:  # a tape may fail in any way; its failure is a result
        text = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        return "CRASHED", f"{stage.where}: {text}"
    if failure:
        return "DISAGREES", f"{stage.where}: {failure}"
    return "AGREES", f"{stage.checked} expectation{'s hold' if stage.checked != 1 else ' holds'}"


@dataclass
class _Stage:
    """One performance under way. Methods return what is wrong, or an empty string."""

    tape: Tape
    env: dict[str, Value] = field(default_factory=dict)
    checked: int = 0
    where: str = "before the first step"
    turn: str = ""

    def steps(self, steps: tuple[Step, ...]) -> str:
        return next((failure for step in steps if (failure := self._step(step))), "")

    def _step(self, step: Step) -> str:
        """Do one step; see to it that it raises and warns as it must, and not otherwise."""
        self.where = f"{step.place.file}:{step.place.line}{self.turn}"
        raised: Exception | None = None
        failure = ""
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            try:
                failure = getattr(self, f"_{step.action}")(step.arguments)
            except Exception as error:
                if not step.raises and not isinstance(error, RuntimeError | EvaluationError):
                    raise
                raised = error
        return failure or self._raised(step.raises, raised) or self._warned(step.warns, [str(w.message) for w in given])

    def _raised(self, part: str | None, error: Exception | None) -> str:
        if part is None:
            return f"an error was raised: {_first_line(error)}" if error else ""
        self.checked += 1
        if error is None:
            return f"no error was raised, expected a RuntimeError with {part!r}"
        if not isinstance(error, RuntimeError):
            return f"a {type(error).__name__} was raised, expected a RuntimeError: {_first_line(error)}"
        return "" if part in str(error) else f"the error says {_first_line(error)!r}, expected {part!r} in it"

    def _warned(self, part: str | None, given: list[str]) -> str:
        if part is None:
            return ""
        self.checked += 1
        if not given:
            return f"no warning was given, expected one with {part!r}"
        said = given[0].splitlines()[0][:200]
        return "" if any(part in text for text in given) else f"the warning says {said!r}, expected {part!r} in it"

    # the actions

    def _tensor(self, leaves: Mapping[str, Any]) -> str:
        self.env |= {name: self.tape.leaf(_array(numbers), True) for name, numbers in leaves.items()}
        return ""

    def _constant(self, leaves: Mapping[str, Any]) -> str:
        self.env |= {name: self.tape.leaf(_array(numbers), False) for name, numbers in leaves.items()}
        return ""

    def _let(self, formulas: Mapping[str, Program], recording: bool = True) -> str:
        for name, formula in formulas.items():
            self.env[name] = self.tape.let(formula, self.env, recording)
        return ""

    def _no_grad(self, formulas: Mapping[str, Program]) -> str:
        return self._let(formulas, recording=False)

    def _detach(self, names: Mapping[str, str]) -> str:
        for new, name in names.items():
            self.env[new] = self.tape.detach(self.env[name])
        return ""

    def _requires_grad(self, flags: Mapping[str, bool]) -> str:
        for name, flag in flags.items():
            self.tape.switch(self.env[name], flag)
        return ""

    def _backward(self, call: Mapping[str, Any]) -> str:
        gradient = None if call["gradient"] is None else _array(call["gradient"])
        self.tape.backward(self.env[call["of"]], gradient, call["retain_graph"], call["create_graph"])
        return ""

    def _zero_grad(self, names: tuple[str, ...]) -> str:
        for name in names:
            self.tape.zero_grad(self.env[name])
        return ""

    def _sgd(self, call: Mapping[str, Any]) -> str:
        for name in call["of"]:
            self.tape.sgd(self.env[name], call["lr"])
        return ""

    def _repeat(self, call: Mapping[str, Any]) -> str:
        outside = self.turn
        for turn in range(1, call["times"] + 1):
            self.turn = f"{outside} (turn {turn})"
            failure = self.steps(call["steps"])
            if failure:
                return failure
        self.turn = outside
        return ""

    def _expect(self, state: Mapping[str, Any]) -> str:
        return next((failure for failure in self._differences(state) if failure), "")

    def _differences(self, state: Mapping[str, Any]) -> Iterator[str]:
        """Each expectation in turn: what is wrong with it, or an empty string."""
        decimals = state.get("decimals")
        for key, look in self._looks(decimals).items():
            for name, expected in state.get(key, {}).items():
                self.checked += 1
                failure = look(self.env[name], expected)
                yield failure and f"{key} of {name} {failure}"

    def _looks(self, decimals: int | None) -> Mapping[str, Callable[[Value, Any], str]]:
        tape = self.tape
        return {
            "value": lambda value, told: differ(tape.numbers(value), told, decimals),
            "grad": lambda value, told: differ(tape.grad(value), told, decimals),
            "requires_grad": lambda value, told: _other(tape.requires_grad(value), told),
            "is_leaf": lambda value, told: _other(tape.is_leaf(value), told),
            "node": lambda value, told: _other(label(tape.node(value)), label(told)),
            "nodes": lambda value, told: _other(sorted(map(label, tape.nodes(value))), sorted(map(label, told))),
        }


def _array(numbers: Any) -> Array:
    return np.array(numbers, dtype=np.float64)


def _first_line(error: Exception | None) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _other(found: Any, told: Any) -> str:
    return "" if found == told else f"is {found}, expected {told}"


def label(word: str) -> str:
    """What the engine's graph calls an operation, by any of its names: `multiply` and `mul` are `mul`."""
    row = VOCABULARY.get(ALIASES.get(word, word))
    return row.label if row else word


def differ(found: Array | None, told: Any, decimals: int | None) -> str:
    """How a tape's numbers differ from the expected ones; empty where they do not. NaN is equal to nothing."""
    if found is None or told is None:
        return "" if found is None and told is None else f"is {_shown(found)}, expected {_shown(told)}"
    expected = _array(told)
    if found.shape != expected.shape:
        return f"has shape {found.shape}, expected {expected.shape}"
    with np.errstate(all="ignore"):
        room = ROUNDINGS * np.spacing(np.maximum(np.abs(found), np.abs(expected)))
        if decimals is not None:
            room = room + HALF_A_UNIT * 10.0**-decimals
        wrong = ~((found == expected) | (np.abs(found - expected) <= room))
    if not wrong.any():
        return ""
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    place = f"[{', '.join(map(str, index))}] " if index else ""
    return f"{place}is {float(found[index])!r}, expected {float(expected[index])!r}"


def _shown(numbers: Any) -> str:
    return "none" if numbers is None else np.array2string(np.asarray(numbers), separator=", ", threshold=8)


class EngineTape:
    """Our engine's eager face."""

    def lacks(self, steps: tuple[Step, ...]) -> str:
        return ""

    def leaf(self, numbers: Array, requires_grad: bool) -> engine.Tensor:
        return engine.tensor(numbers, requires_grad)

    def let(self, formula: Program, env: Mapping[str, Value], recording: bool) -> engine.Tensor:
        with np.errstate(all="ignore"):
            if recording:
                value = formula(engine.EAGER, env, Control())
            else:
                with engine.no_grad():
                    value = formula(engine.EAGER, env, Control())
        return value if isinstance(value, engine.Tensor) else engine.tensor(value, dtype=float)

    def detach(self, value: engine.Tensor) -> engine.Tensor:
        return value.detach()

    def switch(self, value: engine.Tensor, requires_grad: bool) -> None:
        value.requires_grad_(requires_grad)

    def backward(self, value: engine.Tensor, gradient: Array | None, retain: bool | None, create: bool) -> None:
        value.backward(gradient, retain, create)

    def zero_grad(self, value: engine.Tensor) -> None:
        value.zero_grad()

    def sgd(self, value: engine.Tensor, lr: float) -> None:
        if not value.is_leaf:
            raise ValueError("only leaves can be optimised")
        if value.grad is not None:
            value.data = value.data - lr * value.grad.data

    def numbers(self, value: engine.Tensor) -> Array:
        return np.asarray(engine.plain(value), dtype=float)

    def grad(self, value: engine.Tensor) -> Array | None:
        grad = value.grad
        return None if grad is None else self.numbers(grad)

    def requires_grad(self, value: engine.Tensor) -> bool:
        return value.requires_grad

    def is_leaf(self, value: engine.Tensor) -> bool:
        return value.is_leaf

    def node(self, value: engine.Tensor) -> str:
        return value.grad_fn.name if value.grad_fn else "none"

    def nodes(self, value: engine.Tensor) -> list[str]:
        return list(engine.graph_of(value).operations)
