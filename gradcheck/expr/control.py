"""How does an evaluation take its branches, spend its fuel, and treat what is held constant?

A function is evaluated many times: on floats, on tapes, displaced by a step, inside PyTorch or JAX. A `Control`
says what happens where those differ: at a condition, at `stop_gradient`, and when a loop runs long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import BranchInBatch, EvaluationError, FuelExhausted, SizeExceeded
from gradcheck.expr.rules import numbers

FUEL = 10_000
MAX_ELEMENTS = 4_000_000
T = TypeVar("T")
Rows = NDArray[np.intp]
Path = tuple[
    bool | int | float, ...
]  # of one evaluation: conditions as decided, parameters that inputs gave as numbers


Watch = Callable[[Any, list[Any], dict[str, Any]], None]  # node, the values it chooses by, its parameters


class Control:
    """The ordinary evaluation: conditions are looked at, `stop_gradient` is the namespace's own."""

    watch: Watch | None = None  # told of every choice on the way: see `gradcheck.expr.choices`

    def __init__(self, fuel: int = FUEL, guard: bool = True) -> None:
        self.fuel = fuel
        self.limit = fuel
        self.guard = guard  # whether sizes are checked before each operation

    def step(self, line: int) -> None:
        """Pay for one turn of a loop or one call."""
        self.fuel -= 1
        if self.fuel < 0:
            raise FuelExhausted(self.limit, line)

    def decide(self, condition: Any) -> bool:
        """Which branch to take; raises BranchInBatch where the points of a batch differ."""
        return truth(condition)

    def fix(self, what: str, value: Any) -> Any:
        """A parameter that is worked out from inputs, as the plain number that it is at all points of a batch.

        what: "shift of roll". Raises BranchInBatch where points differ, EvaluationError where it is no such number.
        """
        return plain(what, value)

    def hold(self, xp: Any, value: Any) -> Any:
        """What `stop_gradient(value)` is."""
        return xp.stop_gradient(value)


class Recording(Control):
    """Remembers every branch taken, so that another namespace can be led along the same path.

    fixed: whether parameters were worked out from inputs.
    """

    def __init__(self) -> None:
        super().__init__(guard=False)
        self.path: list[bool | int | float] = []
        self.fixed = False

    def decide(self, condition: Any) -> bool:
        taken = truth(condition)
        self.path.append(taken)
        return taken

    def fix(self, what: str, value: Any) -> Any:
        found = plain(what, value)
        self.path.append(found)
        self.fixed = True
        return found


class Replay(Control):
    """Takes the branches of a recorded path and collects the conditions met, to be compared with it afterwards."""

    def __init__(self, path: Iterable[bool | int | float]) -> None:
        super().__init__(guard=False)
        self.path: Path = tuple(path)
        self.conditions: list[Any] = []

    def decide(self, condition: Any) -> bool:
        taken = bool(self.path[len(self.conditions)])
        self.conditions.append(condition)
        return taken

    def fix(self, what: str, value: Any) -> Any:
        _unmoved(what, value)
        number = self.path[len(self.conditions)]
        self.conditions.append(value)
        return number


def truth(condition: Any) -> bool:
    """The one truth value of a condition; a batch must be of one mind, and a point's condition a single value."""
    holder = condition
    while hasattr(holder, "data") and not hasattr(holder, "__array__"):  # PyTorch's `data` is a tensor again
        holder = holder.data
    if holder is condition and not isinstance(holder, np.ndarray):
        return bool(condition)
    values = np.asarray(holder)
    if holder is not condition and getattr(condition, "batched", False):
        return _one_mind(values)
    return bool(values)  # raises ValueError for an array of several values, as NumPy does


def _one_mind(values: NDArray[Any]) -> bool:
    if values.ndim != 1:
        raise ValueError("the truth value of an array with more than one element is ambiguous")
    takes = values.astype(bool)
    if takes.all():
        return True
    if not takes.any():
        return False
    raise BranchInBatch(takes)


def plain(what: str, value: Any) -> Any:
    """One plain number for all points, an integer where it is whole; arrays of other than one number as they are."""
    _unmoved(what, value)
    values = np.asarray(numbers(value))
    if not getattr(value, "batched", False):
        return value if values.ndim else _number(what, values)
    if values.ndim != 1:
        raise EvaluationError(f"{what}: one number is expected, not an input of the shape {values.shape[1:]}")
    first = _number(what, values[:1])
    same = values == values[0]
    if not same.all():
        raise BranchInBatch(same)
    return first


def _number(what: str, values: NDArray[Any]) -> bool | int | float:
    if values.dtype.kind == "b":
        return bool(values.item())
    number = float(values.item())
    if not np.isfinite(number):
        raise EvaluationError(f"{what}: a number is expected, not {number}")
    return int(number) if number.is_integer() else number


def _unmoved(what: str, value: Any) -> None:
    """Refuse a parameter that moves with an input: no rule differentiates by it."""
    while True:
        if getattr(value, "tangent", None) is not None or getattr(value, "requires_grad", False) is True:
            raise EvaluationError(
                f"{what} moves with an input, and no derivative passes through it; "
                "expected inputs that are declared `differentiable: false`, or stop_gradient(…) around it"
            )
        if hasattr(value, "__array__") or not hasattr(value, "data"):  # in this order: PyTorch's `data` may raise
            return
        value = value.data


def by_branch(run: Callable[[Rows], T], rows: Rows) -> list[tuple[Rows, T]]:
    """Run all rows as one batch; where points want different branches, split there and run each part as a batch.

    Returns (rows, result) of each part; together they hold every row once.
    """
    pending, done = [rows], []
    while pending:
        part = pending.pop()
        try:
            done.append((part, run(part)))
        except BranchInBatch as branch:
            pending += [part[~branch.takes], part[branch.takes]]
    return done


def check_size(name: str, sizes: list[int], same_shape: bool) -> None:
    """Refuse an operation whose result could be past the limit, before anything is allocated."""
    bound = max(sizes, default=0)
    if not same_shape:
        bound = int(np.prod([float(max(s, 1)) for s in sizes]))
    if bound > MAX_ELEMENTS:
        raise SizeExceeded(f"the result of {name}", bound, MAX_ELEMENTS)
