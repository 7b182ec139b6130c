"""What are the house's numbers, conditions and axes to PyTorch?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from gradcheck.errors import Unsupported
from gradcheck.oracles.with_torch.library import torch

_constants: ContextVar[torch.dtype] = ContextVar("constants", default=torch.float64)


def tensor(value: Any) -> torch.Tensor:
    if isinstance(value, torch.Tensor):
        return value
    array = np.asarray(value)
    if array.dtype.kind == "c":
        return torch.as_tensor(array.astype(np.complex128))
    if array.dtype == bool:
        return torch.as_tensor(array)
    return torch.as_tensor(array.astype(np.float64)).to(constants())


def constants() -> torch.dtype:
    """The dtype that plain numbers take."""
    return _constants.get()


@contextmanager
def computing_in(dtype: str) -> Iterator[None]:
    """Plain numbers are of this dtype from here on: PyTorch would else compute in the wider one."""
    before = _constants.set(getattr(torch, dtype))
    try:
        yield
    finally:
        _constants.reset(before)


def array_in(dtype: str, values: Any) -> torch.Tensor:
    """Numbers of a dtype, held as float64, as a tensor of that dtype (by way of float64, so that none is rounded)."""
    return torch.from_numpy(np.array(values, dtype=np.float64)).to(getattr(torch, dtype))


def cast_to(dtype: str, value: torch.Tensor) -> torch.Tensor:
    """A value in the dtype; of a complex one there is none below float64."""
    if value.is_complex():
        raise Unsupported("PyTorch", f"complex numbers in {dtype}")
    return value.to(getattr(torch, dtype))


def widened(value: torch.Tensor) -> torch.Tensor:
    """A tensor that NumPy can hold."""
    return value.to(torch.float64) if value.dtype in (torch.bfloat16, torch.float16, torch.float32) else value


def name_of(dtype: torch.dtype) -> str:
    """A dtype by its name alone."""
    return str(dtype).removeprefix("torch.")


def condition(value: Any) -> torch.Tensor:
    return tensor(value).to(torch.bool)


def dims(x: torch.Tensor, axis: Any) -> tuple[int, ...]:
    """The axes a row means; None stands for all axes of the point."""
    if axis is None:
        return tuple(range(x.ndim))
    return axis if isinstance(axis, tuple) else (axis,)


def alike(*values: Any) -> list[torch.Tensor]:
    """Tensors of one dtype: PyTorch multiplies no matrix of whole numbers (a rank, a count) by one of floats."""
    tensors = [tensor(v) for v in values]
    dtype = tensors[0].dtype
    for other in tensors[1:]:
        dtype = torch.promote_types(dtype, other.dtype)
    return [t.to(dtype) for t in tensors]
