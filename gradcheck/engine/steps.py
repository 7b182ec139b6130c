"""Which operations did a computation take, in order, the ones that no derivative passes through among them?

The tape keeps what a backward pass needs. Who wants to tell a computation needs the rest too: comparisons, what was
computed of constants, which branch was taken. `Steps(base)` is a namespace to put below a tape: it computes in `base`
and notes every operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.expr.control import Control, truth
from gradcheck.expr.primitive import Namespace, Value
from gradcheck.expr.vocabulary import ALIASES, VOCABULARY


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: the primitive's name, what it was called with, and its result, an object of its own."""

    name: str
    args: tuple[Any, ...]
    params: Mapping[str, Any]
    value: Value


@dataclass(frozen=True, slots=True)
class Decision:
    """A condition that was looked at, and whether it held."""

    condition: Value
    held: bool


class Steps:
    """The vocabulary over `base`, whose values are NumPy's; `taken` fills with operations and decisions."""

    def __init__(self, base: Namespace) -> None:
        self.base = base
        self.taken: list[Operation | Decision] = []
        self._made: set[int] = set()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(self.base, name)
        row = VOCABULARY.get(ALIASES.get(name, name))
        if row is None:
            return function  # type: ignore[no-any-return]

        def noted(*args: Any, **params: Any) -> Any:
            value = self._own(function(*args, **params), args)
            self.taken.append(Operation(row.name, args, params, value))
            return value

        return noted

    def _own(self, value: Any, args: tuple[Any, ...]) -> Any:
        """The result as an array that is nobody else's: every value is known by its identity."""
        if isinstance(value, tuple | list):
            return type(value)(self._own(part, args) for part in value)
        array = np.asarray(value)
        if id(array) in self._made or any(array is arg for arg in args):
            array = array.copy()
        self._made.add(id(array))  # `taken` keeps it alive, so that no other object gets its identity
        return array


class Watching(Control):
    """Takes the branches as usual and notes them among the steps."""

    def __init__(self, steps: Steps) -> None:
        super().__init__()
        self.steps = steps

    def decide(self, condition: Any) -> bool:
        held = truth(condition)
        self.steps.taken.append(Decision(getattr(condition, "data", condition), held))
        return held
