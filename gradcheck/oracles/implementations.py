"""What does the code under test say? People's own functions, called point by point in their framework.

Only modules that the project's configuration allows are imported (`[tool.gradcheck] allow-imports`).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from gradcheck.errors import UsageError, did_you_mean
from gradcheck.oracles.evidence import Array
from gradcheck.oracles.inquiry import Inquiry, key
from gradcheck.spec.model import Implementation

MAX_POINTS = 64  # called one by one: more points cost time and seldom show more


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
    except (Exception, SystemExit) as error:  # a module under test may do anything when it is imported
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
    """Value and vjp (numpy: what it gives) at up to MAX_POINTS points; the rest of the batch stays unanswered (NaN).

    dtypes: takes down each derivative ("vjp:x") that comes in another dtype than the case's, and in which.
    """
    ask = {"torch": _torch, "jax": _jax, "numpy": _numpy}[implementation.backend]
    answers = ask(inquiry, implementation, allowed)
    dtypes |= answers.dtypes
    return answers.found


class _Answers:
    """Arrays that are filled point by point."""

    def __init__(self, inquiry: Inquiry) -> None:
        self.inquiry, self.case = inquiry, inquiry.case
        self.found: dict[str, Array] = {}
        self.dtypes: dict[str, str] = {}
        self.rows = range(min(self.case.points, MAX_POINTS))

    def put(self, name: str, row: int, value: Any, dtype: str = "") -> None:
        """One answer; `dtype`: what a derivative came in."""
        array = np.asarray(value, dtype=float)
        if dtype and dtype != self.case.dtype:
            self.dtypes[name] = dtype
        if name not in self.found:
            self.found[name] = np.full((self.case.points, *array.shape), np.nan)
        self.found[name][row] = array

    def arguments(self, row: int) -> list[Array]:
        return [np.array(self.case.inputs[n][row]) for n in self.inquiry.inputs]

    def narrow(self, arrays: list[Array]) -> list[Any]:
        """The same numbers as NumPy arrays of the case's dtype."""
        return [a.astype(self.case.dtype) for a in arrays]

    def cotangents(self, row: int) -> list[Array]:
        return [np.array(self.case.cotangents[o][row]) for o in self.inquiry.spec.outputs]

    def values(self, row: int, values: Any) -> None:
        outputs = self.inquiry.spec.outputs
        many = values if isinstance(values, tuple | list) else (values,)
        for o, value in zip(outputs, many, strict=True):
            self.put(key("value", o, outputs), row, value)


def _torch(inquiry: Inquiry, implementation: Implementation, allowed: Sequence[str]) -> _Answers:
    from gradcheck.oracles.torch import call_backward

    return _called(inquiry, load(implementation.value, allowed), call_backward)


def _jax(inquiry: Inquiry, implementation: Implementation, allowed: Sequence[str]) -> _Answers:
    from gradcheck.oracles.jax import call_vjp

    return _called(inquiry, load(implementation.value, allowed), call_vjp)


def _called(inquiry: Inquiry, f: Callable[..., Any], call: Callable[..., Any]) -> _Answers:
    """Values and vjp of f, point by point, in the framework whose way of calling it is `call`."""
    answers = _Answers(inquiry)
    moving = [n in inquiry.moving for n in inquiry.inputs]
    for row in answers.rows:
        arguments, cotangents = answers.arguments(row), answers.cotangents(row)
        values, gradients, dtypes = call(f, arguments, moving, cotangents, inquiry.case.dtype)
        answers.values(row, values)
        for name, gradient, dtype in zip(inquiry.moving, gradients, dtypes, strict=True):
            answers.put(f"vjp:{name}", row, gradient, dtype)
    return answers


def _numpy(inquiry: Inquiry, implementation: Implementation, allowed: Sequence[str]) -> _Answers:
    value = load(implementation.value, allowed)
    vjp = load(implementation.vjp, allowed) if implementation.vjp else None
    jvp = load(implementation.jvp, allowed) if implementation.jvp else None
    answers = _Answers(inquiry)
    outputs = inquiry.spec.outputs
    for row in answers.rows:
        answers.values(row, value(*answers.narrow(answers.arguments(row))))
        if vjp is not None:
            gradients = vjp(*answers.narrow(answers.arguments(row)), *answers.narrow(answers.cotangents(row)))
            many = gradients if isinstance(gradients, tuple | list) else (gradients,)
            for name, gradient in zip(inquiry.inputs, many, strict=True):
                if name in inquiry.moving:
                    answers.put(f"vjp:{name}", row, gradient, _dtype_of(gradient))
        if jvp is not None and len(outputs) == 1:
            tangents = answers.narrow([np.array(inquiry.case.tangents[n][row]) for n in inquiry.moving])
            answers.put("jvp", row, jvp(*answers.narrow(answers.arguments(row)), *tangents))
    return answers


def _dtype_of(gradient: Any) -> str:
    """The dtype of an array; a list or a number of Python has none."""
    return str(gradient.dtype) if isinstance(gradient, np.ndarray | np.generic) else ""
