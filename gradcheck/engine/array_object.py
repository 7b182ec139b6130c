"""What does the array API standard ask of an array, besides Python's arithmetic?

Its namespace, the operators on bits, its device, exchange through DLPack, and a few properties. In-place operators may
be left out by the standard: Python computes `x += y` as `x = x + y`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.engine.operators import Operators, plain
from gradcheck.errors import TapeError


class ArrayObject(Operators):
    """The standard's array: a mixin for eager tensors."""

    __slots__ = ()

    def __array_namespace__(self, /, *, api_version: str | None = None) -> Any:
        """The standard's functions on eager tensors.

        api_version: a version of the standard's that they fit; ValueError for any other. TapeError for a tensor of
        another tape than the eager one, whose functions are those of the namespace that it came from.
        """
        from gradcheck.engine import array_api
        from gradcheck.engine.eager import EAGER

        if self.xp is not EAGER:
            raise TapeError("only eager tensors are arrays of the standard; use the namespace the function was given")
        if api_version not in (None, *array_api.VERSIONS):
            raise ValueError(f"version {api_version} of the array API standard is not among {array_api.VERSIONS}")
        return array_api

    def _bits(self, name: str, *args: Any) -> Any:
        return getattr(self.__array_namespace__(), name)(*args)

    def __and__(self, other: Any, /) -> Any:
        return self._bits("bitwise_and", self, other)

    def __rand__(self, other: Any, /) -> Any:
        return self._bits("bitwise_and", other, self)

    def __or__(self, other: Any, /) -> Any:
        return self._bits("bitwise_or", self, other)

    def __ror__(self, other: Any, /) -> Any:
        return self._bits("bitwise_or", other, self)

    def __xor__(self, other: Any, /) -> Any:
        return self._bits("bitwise_xor", self, other)

    def __rxor__(self, other: Any, /) -> Any:
        return self._bits("bitwise_xor", other, self)

    def __lshift__(self, other: Any, /) -> Any:
        return self._bits("bitwise_left_shift", self, other)

    def __rlshift__(self, other: Any, /) -> Any:
        return self._bits("bitwise_left_shift", other, self)

    def __rshift__(self, other: Any, /) -> Any:
        return self._bits("bitwise_right_shift", self, other)

    def __rrshift__(self, other: Any, /) -> Any:
        return self._bits("bitwise_right_shift", other, self)

    def __invert__(self, /) -> Any:
        return self._bits("bitwise_invert", self)

    def __complex__(self, /) -> complex:
        return complex(self.item())

    def __index__(self, /) -> int:
        """The only element, an integer, as an index; TypeError for any other dtype."""
        if np.dtype(self.dtype).kind not in "iu":
            raise TypeError(f"only an integer tensor can be an index, not one of {self.dtype}")
        return int(self.item())

    @property
    def size(self) -> int:
        """How many elements there are."""
        return self.numel()

    @property
    def mT(self) -> Any:
        """The last two axes exchanged; ValueError where there are fewer."""
        if self.ndim < 2:
            raise ValueError(f"mT needs two dimensions, not {self.ndim}")
        return self.xp.matrix_transpose(self)

    @property
    def device(self) -> str:
        """Where the elements are: always "cpu"."""
        return "cpu"

    def to_device(self, device: Any, /, *, stream: Any = None) -> Any:
        """The tensor itself, for the only device there is; ValueError for any other device or a stream."""
        if device != "cpu" or stream is not None:
            raise ValueError(f"there is no device {device!r} with stream {stream!r}; the only one is 'cpu'")
        return self

    def __dlpack__(
        self, /, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        """The elements for another library; refused, as numpy() is, where that would silently leave the graph."""
        if getattr(self, "requires_grad", False) is True:
            raise TapeError("Can't export a tensor that requires grad through DLPack. Use tensor.detach() instead.")
        array = np.asarray(plain(self))
        return array.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)

    def __dlpack_device__(self, /) -> tuple[int, int]:
        """DLPack's number for the processor's memory, and the first of its kind."""
        return 1, 0
