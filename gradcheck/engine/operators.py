"""How do values of a namespace read like numbers?

`Operators` gives a value the arithmetic of Python and the methods of the vocabulary, all through the value's own
namespace `xp`: `a * b` is `a.xp.multiply(a, b)` and `a.sum()` is `a.xp.sum(a)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import prod
from typing import Any

import numpy as np

from gradcheck.expr.primitive import Namespace, Value


def plain(value: Value) -> Any:
    """The array inside a value of any depth of namespaces."""
    while isinstance(value, Operators) and not value.opaque:
        value = value.data
    return value


def plain_index(index: Any) -> Any:
    """An index with the arrays inside the values it holds."""
    return tuple(plain(i) for i in index) if isinstance(index, tuple) else plain(index)


class Operators:
    """Python's operators for a value that has `data` (of the namespace below) and `xp` (its own namespace)."""

    __slots__ = ()
    __array_ufunc__ = None  # NumPy arrays leave `array * value` to the value
    __hash__ = object.__hash__  # by identity: == compares elements
    opaque = False  # whether nobody may see the array inside

    xp: Namespace
    data: Value

    def __add__(self, other: Any) -> Any:
        return self.xp.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return self.xp.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return self.xp.subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.xp.subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return self.xp.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return self.xp.multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return self.xp.divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self.xp.divide(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return self.xp.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self.xp.floor_divide(other, self)

    def __mod__(self, other: Any) -> Any:
        return self.xp.remainder(self, other)

    def __rmod__(self, other: Any) -> Any:
        return self.xp.remainder(other, self)

    def __pow__(self, other: Any) -> Any:
        return self.xp.pow(self, other)

    def __rpow__(self, other: Any) -> Any:
        return self.xp.pow(other, self)

    def __matmul__(self, other: Any) -> Any:
        return self.xp.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return self.xp.matmul(other, self)

    def __neg__(self) -> Any:
        return self.xp.negative(self)

    def __pos__(self) -> Any:
        return self.xp.positive(self)

    def __abs__(self) -> Any:
        return self.xp.abs(self)

    def __lt__(self, other: Any) -> Any:
        return self.xp.less(self, other)

    def __le__(self, other: Any) -> Any:
        return self.xp.less_equal(self, other)

    def __gt__(self, other: Any) -> Any:
        return self.xp.greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return self.xp.greater_equal(self, other)

    def __eq__(self, other: object) -> Any:
        return self.xp.equal(self, other)

    def __ne__(self, other: object) -> Any:
        return self.xp.not_equal(self, other)

    def __getitem__(self, index: Any) -> Any:
        return self.xp.getitem(self, index=plain_index(index))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(self.shape[0]))

    def __bool__(self) -> bool:
        value = np.asarray(plain(self))
        if value.size != 1:
            raise ValueError("the truth value of a tensor with more than one value is ambiguous")
        return bool(value.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """A function of the vocabulary as a method: `x.mean(axis=0)`."""
        if name.startswith("_") or name in ("xp", "data"):
            raise AttributeError(name)
        return partial(getattr(self.xp, name), self)

    def item(self) -> Any:
        """The only element, as a Python number."""
        value = np.asarray(plain(self))
        if value.size != 1:
            raise ValueError(f"a tensor with {value.size} elements cannot be converted to a number")
        return value.item()

    def numel(self) -> int:
        """How many elements there are."""
        return prod(self.shape)

    def numpy(self) -> Any:
        """The NumPy array inside."""
        return np.asarray(plain(self))

    @property
    def shape(self) -> tuple[int, ...]:
        """The size along each axis."""
        shape: tuple[int, ...] = self.data.shape
        return shape

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.data.shape)

    @property
    def dtype(self) -> Any:
        """The type of the elements."""
        return self.data.dtype

    @property
    def T(self) -> Any:
        """The axes reversed."""
        return self.xp.permute_dims(self, axes=tuple(range(self.ndim))[::-1])
