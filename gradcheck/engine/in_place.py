"""What may be changed in place?

A tensor that no derivative flows through: parameters under `no_grad`, constants, gradients. The write is noted, and a
backward pass that needs the old numbers is refused (`gradcheck.engine.writes`). Where derivatives flow, a leaf is
refused as PyTorch refuses it; `y += x` of a computed tensor gives a new tensor, and writing into a part of one is
refused, for `where`, `concat` and `stack` say the same without a hidden history.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradcheck.engine.array_object import ArrayObject
from gradcheck.engine.operators import Operators, plain, plain_index
from gradcheck.engine.writes import note_write
from gradcheck.errors import TapeError
from gradcheck.expr.rules import shape_of
from gradcheck.expr.vocabulary import ALIASES, VOCABULARY

KINDS = (
    "biufc"  # numbers of a kind may be written into those of the same or a later one; signed ones into unsigned ones
)
LEAF = "a leaf Variable that requires grad is being used in an in-place operation."
COMPUTED = (
    "writing into a tensor that derivatives flow through is not supported: "
    "build the new one with where, concat or stack, or write under no_grad() or into a detached copy"
)
VALUE = "a tensor that requires grad cannot be written into one that does not: build the new one with where or stack"


class InPlace(ArrayObject):
    """Writing to tensors: a mixin."""

    __slots__ = ()

    tracked: bool
    rule: Any

    def __setitem__(self, index: Any, value: Any) -> None:
        self._writable(value)
        self._write(plain_index(index), plain(value))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """A function of the vocabulary as a method, and with an underscore behind it as a method that writes."""
        base = name.removesuffix("_")
        if base != name and ALIASES.get(base, base) in VOCABULARY:
            return partial(self._apply, base)
        return super().__getattr__(name)

    def zero_(self) -> Any:
        """Set every element to zero, in place."""
        return self.fill_(0)

    def fill_(self, value: Any) -> Any:
        """Set every element to one number, in place."""
        self[...] = value
        return self

    def copy_(self, source: Any) -> Any:
        """Take the numbers of `source`, broadcast to this shape, in place."""
        self[...] = source
        return self

    def _apply(self, name: str, *args: Any, **params: Any) -> Any:
        """x.exp_(), x.add_(y): the function's result, written into x."""
        self._writable(*args)
        result = plain(getattr(self.xp, name)(self.data, *map(plain, args), **params))
        if shape_of(result) != self.shape:
            raise TapeError(
                f"output with shape {self.shape} doesn't match the broadcast shape {shape_of(result)} of {name}_"
            )
        self._write(..., result)
        return self

    def _updated(self, name: str, other: Any) -> Any:
        """x += y: written into x where no derivative flows, else a new tensor."""
        flows = self.xp.recording and (self.tracked or getattr(other, "tracked", False))
        if flows and self.tracked and self.rule is None:
            raise TapeError(LEAF)
        if flows or not isinstance(self.data, np.ndarray | np.generic):
            return getattr(self.xp, name)(self, other)
        return self._apply(name, other)

    def _writable(self, *values: Any) -> None:
        if self.xp.recording and self.tracked:
            raise TapeError(LEAF if self.rule is None else COMPUTED)
        if self.xp.recording and any(isinstance(v, Operators) and getattr(v, "tracked", False) for v in values):
            raise TapeError(VALUE)

    def _write(self, index: Any, value: Any) -> None:
        data = self.data
        if not isinstance(data, np.ndarray) or not data.flags.writeable:
            data = self.data = np.array(plain(self))  # a single number, or a view of one repeated: memory of its own
        if KINDS.index(np.asarray(value).dtype.kind) > KINDS.index(data.dtype.kind.replace("i", "u")):
            raise TapeError(f"result type {np.asarray(value).dtype} can't be cast to {data.dtype}")
        data[index] = value
        note_write(self.xp.writes, data, self.xp.next_number())

    def __iadd__(self, other: Any) -> Any:
        return self._updated("add", other)

    def __isub__(self, other: Any) -> Any:
        return self._updated("subtract", other)

    def __imul__(self, other: Any) -> Any:
        return self._updated("multiply", other)

    def __itruediv__(self, other: Any) -> Any:
        return self._updated("divide", other)

    def __ifloordiv__(self, other: Any) -> Any:
        return self._updated("floor_divide", other)

    def __imod__(self, other: Any) -> Any:
        return self._updated("remainder", other)

    def __ipow__(self, other: Any) -> Any:
        return self._updated("pow", other)
