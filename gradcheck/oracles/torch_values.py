"""What are the house's numbers, conditions and axes to PyTorch?"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.oracles.torch_library import torch


def tensor(value: Any) -> torch.Tensor:
    if isinstance(value, torch.Tensor):
        return value
    array = np.asarray(value)
    if array.dtype.kind == "c":
        return torch.as_tensor(array.astype(np.complex128))
    return torch.as_tensor(array if array.dtype == bool else array.astype(np.float64))


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
