"""How are tensors made from nothing, from numbers, or from other libraries' arrays?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.engine.array_api.dispatch import inside, moves, run, untracked, wrap
from gradcheck.engine.array_api.dtypes import astype, on_cpu
from gradcheck.engine.array_api.shapes import broadcast_to, reshape
from gradcheck.engine.tape import Tensor
from gradcheck.errors import TapeError

__all__ = [
    "arange",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "full",
    "full_like",
    "linspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tril",
    "triu",
    "zeros",
    "zeros_like",
]


def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
    """A tensor of numbers, nested sequences of them, arrays or a tensor.

    copy: True: always; False: never, a ValueError where one is needed; None: where one is needed. A tensor keeps its
    derivatives. A sequence that holds tensors which derivatives are wanted of is a TapeError: `stack` is for that.
    """
    on_cpu(device)
    if isinstance(obj, Tensor):
        if inside(obj).dtype != (dtype or obj.dtype):
            if copy is False:
                raise ValueError(f"a tensor of {obj.dtype} cannot become one of {np.dtype(dtype)} without a copy")
            return astype(obj, dtype)
        return astype(obj, obj.dtype) if copy else obj
    return wrap(np.asarray(_numbers(obj), dtype=dtype, copy=copy))


def _numbers(obj: Any) -> Any:
    """A nested sequence without tensors."""
    if isinstance(obj, list | tuple):
        return [_numbers(part) for part in obj]
    if moves(obj):
        raise TapeError("a sequence of tensors that require grad cannot become an array; use stack() or concat()")
    return inside(obj)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """A tensor over another library's array, through DLPack; a copy of it where `copy` is True."""
    on_cpu(device)
    data = np.from_dlpack(x, device=device, copy=copy)
    return wrap(data)


def _made(array: Callable[..., Any], *args: Any, dtype: Any, device: Any, **more: Any) -> Any:
    on_cpu(device)
    return untracked(array.__name__, args, array, {"dtype": dtype, **more})


def arange(start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None) -> Any:
    """Evenly spaced numbers from `start` (0 where `stop` is None, and `start` is the end) before `stop`."""
    first, last = (0, start) if stop is None else (start, stop)
    return _made(np.arange, first, last, step, dtype=dtype, device=device)


def linspace(
    start: Any, stop: Any, /, num: int, *, dtype: Any = None, device: Any = None, endpoint: bool = True
) -> Any:
    """`num` evenly spaced numbers from `start` to `stop`, which is one of them where `endpoint` says so."""
    return _made(np.linspace, start, stop, num, dtype=dtype, device=device, endpoint=endpoint)


def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None) -> Any:
    """Ones on the k-th diagonal and zeros elsewhere."""
    return _made(np.eye, n_rows, n_cols, dtype=dtype or np.float64, device=device, k=k)


def empty(shape: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """An array of any content."""
    return _made(np.empty, shape, dtype=dtype or np.float64, device=device)


def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """An array of zeros."""
    return _made(np.zeros, shape, dtype=dtype or np.float64, device=device)


def ones(shape: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """An array of ones."""
    return _made(np.ones, shape, dtype=dtype or np.float64, device=device)


def full(shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """An array of one number, which may be a tensor of no dimensions."""
    if moves(fill_value):
        on_cpu(device)
        filled = broadcast_to(fill_value, (shape,) if isinstance(shape, int) else shape)
        return filled if dtype is None else astype(filled, dtype)
    return _made(np.full, shape, fill_value, dtype=dtype, device=device)


def empty_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Any:
    """An array of x's shape and dtype, of any content."""
    return empty(x.shape, dtype=dtype or x.dtype, device=device)


def zeros_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Any:
    """Zeros of x's shape and dtype."""
    return zeros(x.shape, dtype=dtype or x.dtype, device=device)


def ones_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Any:
    """Ones of x's shape and dtype."""
    return ones(x.shape, dtype=dtype or x.dtype, device=device)


def full_like(x: Any, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """One number in x's shape and dtype."""
    return full(x.shape, fill_value, dtype=dtype or x.dtype, device=device)


def meshgrid(*arrays: Any, indexing: str = "xy") -> list[Any]:
    """The coordinates of a grid over one-dimensional arrays, Cartesian ("xy") or as in a matrix ("ij")."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid's indexing is 'xy' or 'ij', got {indexing!r}")
    count, swap = len(arrays), indexing == "xy" and len(arrays) > 1
    places = [1 - i if swap and i < 2 else i for i in range(count)]
    sizes: list[int] = [0] * count
    for place, x in zip(places, arrays, strict=True):
        sizes[place] = x.shape[0]
    grid = []
    for place, x in zip(places, arrays, strict=True):
        thin = tuple(x.shape[0] if i == place else 1 for i in range(count))
        grid.append(broadcast_to(reshape(x, thin), tuple(sizes)))
    return grid


def tril(x: Any, /, *, k: int = 0) -> Any:
    """The elements on and below the k-th diagonal of each matrix, zeros above."""
    return run("tril", (x,), np.tril, {"k": k})


def triu(x: Any, /, *, k: int = 0) -> Any:
    """The elements on and above the k-th diagonal of each matrix, zeros below."""
    return run("triu", (x,), np.triu, {"k": k})
