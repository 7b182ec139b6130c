"""What does the code under test say? People's own functions, called point by point in their framework.

Only modules that the project's configuration allows are imported (`[tool.gradcheck] allow-imports`). The functions are
called in a fork of this process, where there can be one: what is the end of that process is a crash of this witness.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from gradcheck.errors import EvaluationError, UsageError, did_you_mean
from gradcheck.oracles.code_numbers import NONE, Numbers, numbers_of
from gradcheck.oracles.evidence import Array
from gradcheck.oracles.inquiry import Inquiry, key
from gradcheck.oracles.isolation.forked import NoFork, begin, forked, hindrance, shared
from gradcheck.oracles.isolation.waiting import NUMBER, START, End
from gradcheck.oracles.layouts import Placed, arguments, as_numpy
from gradcheck.spec.case import Case
from gradcheck.spec.model import Implementation

Told = tuple[dict[str, Array], dict[str, str]]  # the answers, and the dtypes of derivatives in others than the case's
MAX_POINTS = {"numpy": 1024, "torch": 1024, "jax": 96}  # called one by one: of JAX, whose calls cost ten times as much
LIMIT = 20.0  # seconds that the code may take at one point: arrays have some dozens of numbers


def numbers_in(implementations: Sequence[Implementation], allowed: Sequence[str]) -> Numbers:
    """The numbers that the code under test holds; of code that cannot be imported none (its own answer says why)."""
    callables = []
    for implementation in implementations:
        for reference in (implementation.value, implementation.vjp, implementation.jvp):
            with contextlib.suppress(UsageError, EvaluationError):
                callables += [load(reference, allowed)] if reference else []
    return numbers_of(callables) if callables else NONE


def load(reference: str, allowed: Sequence[str]) -> Callable[..., Any]:
    """The callable behind "module:qualified.name". Raises UsageError where it may not, or cannot, be imported."""
    module, _, path = reference.partition(":")
    if not _within(module, allowed):
        raise UsageError(
            f"{reference!r} is not imported: {module!r} is not in allow-imports of [tool.gradcheck] in pyproject.toml"
        )
    try:
        found: Any = importlib.import_module(module)
    except ImportError as error:
        raise UsageError(f"{reference!r} cannot be imported: {error}") from None
    except SystemExit as error:
        raise Ended(f"{reference!r} leaves while it is imported: SystemExit: {error}") from None
    except Exception as error:  # a module under test may raise anything when it is imported
        raise UsageError(f"{reference!r} cannot be imported: {type(error).__name__}: {error}") from None
    for part in path.split("."):
        if not hasattr(found, part):
            raise UsageError(f"{module!r} has no {part!r}", did_you_mean(part, dir(found)))
        found = getattr(found, part)
        if isinstance(found, ModuleType) and not _within(found.__name__, allowed):  # "mypkg:os.remove"
            raise UsageError(f"{reference!r} leads into the module {found.__name__!r}, which is not allowed")
    if not callable(found):
        raise UsageError(f"{reference!r} is not callable")
    result: Callable[..., Any] = found
    return result


def _within(module: str, allowed: Sequence[str]) -> bool:
    """Whether a module is an allowed one, or lies in an allowed package."""
    return any(module == a or module.startswith(a + ".") for a in allowed)


def testify(
    inquiry: Inquiry, implementation: Implementation, allowed: Sequence[str], dtypes: dict[str, str]
) -> dict[str, Array]:
    """Value and vjp (numpy: what it gives) at the points of `asked`; the rest of the batch stays unanswered (NaN).

    dtypes: takes down each derivative ("vjp:x") that comes in another dtype than the case's, and in which.
    Raises Ended where the code is the end of its process, or comes to none itself.
    """
    ask = {"torch": _torch, "jax": _jax, "numpy": _numpy}[implementation.backend]
    answers = _Answers(inquiry, asked(inquiry.case, implementation.backend))
    work = ask(answers, implementation, allowed)

    def told() -> Told:
        try:
            work()
        except SystemExit as error:
            raise Ended(f"raises SystemExit: {error}") from None
        return answers.found, answers.dtypes

    found, others = told() if hindrance(implementation.backend) else _apart(told, answers)
    dtypes |= others
    return found


def asked(case: Case, backend: str) -> list[int]:
    """The points at which the code is called: all, or as many as are allowed, of every origin and layout some."""
    most = MAX_POINTS[backend]
    if case.points <= most:
        return list(range(case.points))
    rng, groups = np.random.default_rng(case.seed), dict[tuple[str, str], list[int]]()
    for row in rng.permutation(case.points):
        layout = case.layout(int(row)) if backend != "jax" else None
        groups.setdefault((case.origins[row], layout.kind if layout else ""), []).append(int(row))
    place = {row: (k + 0.5) / len(group) for group in groups.values() for k, row in enumerate(group)}
    return sorted(sorted(place, key=lambda row: (place[row], row))[:most])


def _apart(told: Callable[[], Told], answers: _Answers) -> Told:
    """What is told in a fork of this process, or in this one where none runs."""
    try:
        answer = forked(told, answers.slots).answer
    except NoFork:
        return told()
    if isinstance(answer, End):
        raise Ended(f"{answer.reason} at point {int(answers.slots[NUMBER])}{answer.words and f': {answer.words}'}")
    return answer


class Ended(EvaluationError):
    """The code under test was the end of its process, or did not come to an end."""


class _Answers:
    """Arrays that are filled point by point."""

    def __init__(self, inquiry: Inquiry, asked: Sequence[int]) -> None:
        self.inquiry, self.case, self.asked = inquiry, inquiry.case, asked
        self.found: dict[str, Array] = {}
        self.dtypes: dict[str, str] = {}
        self.slots = shared()

    def rows(self) -> Iterator[int]:
        """The points at which the code is called, each on the clock."""
        for row in self.asked:
            begin(self.slots, row + 1, LIMIT)
            yield row
        self.slots[START] = 0.0

    def put(self, name: str, row: int, value: Any, dtype: str = "") -> None:
        """One answer; `dtype`: what a derivative came in."""
        array = np.asarray(value, dtype=float)
        if dtype and dtype != self.case.dtype:
            self.dtypes[name] = dtype
        if name not in self.found:
            self.found[name] = np.full((self.case.points, *array.shape), np.nan)
        self.found[name][row] = array

    def arguments(self, row: int) -> list[Placed]:
        """The inputs at a point and then the cotangents, as its layout says."""
        return arguments(self.case, row)

    def narrow(self, arrays: Sequence[Placed]) -> list[Any]:
        """The same numbers as NumPy arrays of the case's dtype."""
        return as_numpy(arrays, self.case.dtype)

    def values(self, row: int, values: Any) -> None:
        outputs = self.inquiry.spec.outputs
        many = values if isinstance(values, tuple | list) else (values,)
        for o, value in zip(outputs, many, strict=True):
            self.put(key("value", o, outputs), row, value)


Work = Callable[[], None]  # fills in the answers


def _torch(answers: _Answers, implementation: Implementation, allowed: Sequence[str]) -> Work:
    from gradcheck.oracles.torch import call_backward

    return _called(answers, load(implementation.value, allowed), call_backward)


def _jax(answers: _Answers, implementation: Implementation, allowed: Sequence[str]) -> Work:
    from gradcheck.oracles.jax import call_vjp

    return _called(answers, load(implementation.value, allowed), call_vjp)


def _called(answers: _Answers, f: Callable[..., Any], call: Callable[..., Any]) -> Work:
    """Values and vjp of f, point by point, in the framework whose way of calling it is `call`."""
    inquiry = answers.inquiry
    moving = [n in inquiry.moving for n in inquiry.inputs]

    def work() -> None:
        for row in answers.rows():
            arguments = answers.arguments(row)
            inputs, cotangents = arguments[: len(moving)], arguments[len(moving) :]
            values, gradients, dtypes = call(f, inputs, moving, cotangents, inquiry.case.dtype)
            answers.values(row, values)
            for name, gradient, dtype in zip(inquiry.moving, gradients, dtypes, strict=True):
                answers.put(f"vjp:{name}", row, gradient, dtype)

    return work


def _numpy(answers: _Answers, implementation: Implementation, allowed: Sequence[str]) -> Work:
    value = load(implementation.value, allowed)
    vjp = load(implementation.vjp, allowed) if implementation.vjp else None
    jvp = load(implementation.jvp, allowed) if implementation.jvp else None
    inquiry, outputs = answers.inquiry, answers.inquiry.spec.outputs
    count = len(inquiry.inputs)

    def work() -> None:
        for row in answers.rows():
            given = answers.arguments(row)
            answers.values(row, value(*answers.narrow(given[:count])))
            if vjp is not None:
                gradients = vjp(*answers.narrow(given))
                many = gradients if isinstance(gradients, tuple | list) else (gradients,)
                for name, gradient in zip(inquiry.inputs, many, strict=True):
                    if name in inquiry.moving:
                        answers.put(f"vjp:{name}", row, gradient, _dtype_of(gradient))
            if jvp is not None and len(outputs) == 1:
                tangents = [inquiry.case.tangents[n][row].astype(inquiry.case.dtype) for n in inquiry.moving]
                answers.put("jvp", row, jvp(*answers.narrow(given[:count]), *tangents))

    return work


def _dtype_of(gradient: Any) -> str:
    """The dtype of an array; a list or a number of Python has none."""
    return str(gradient.dtype) if isinstance(gradient, np.ndarray | np.generic) else ""
