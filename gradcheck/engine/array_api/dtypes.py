"""Which dtypes are there, how are they converted, and what do they promote to?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.engine.array_api.dispatch import inside, is_complex, is_floating, moves, wrap
from gradcheck.engine.eager import EAGER
from gradcheck.errors import Unsupported
from gradcheck.expr.primitive import Namespace, Params, Primitive, Value
from gradcheck.expr.vocabulary import VOCABULARY

BOOLEAN = ("bool",)
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
REAL = ("float32", "float64")
COMPLEX = ("complex64", "complex128")

# NumPy's scalar types, as in NumPy's own namespace: unlike its dtype objects, none of them equals None.
DTYPES = {name: np.dtype(name).type for name in (*BOOLEAN, *SIGNED, *UNSIGNED, *REAL, *COMPLEX)}

KINDS = {
    "bool": BOOLEAN,
    "signed integer": SIGNED,
    "unsigned integer": UNSIGNED,
    "integral": SIGNED + UNSIGNED,
    "real floating": REAL,
    "complex floating": COMPLEX,
    "numeric": SIGNED + UNSIGNED + REAL + COMPLEX,
}

__all__ = ["astype", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]


@dataclass(frozen=True, slots=True)
class FloatInfo:
    """The limits of a floating dtype; of a complex one, those of its parts."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: Any


@dataclass(frozen=True, slots=True)
class IntegerInfo:
    """The limits of an integer dtype."""

    bits: int
    max: int
    min: int
    dtype: Any


def on_cpu(device: Any) -> None:
    """Refuse any device but the only one."""
    if device not in (None, "cpu"):
        raise ValueError(f"there is no device {device!r}; the only one is 'cpu'")


def dtype_of(x: Any) -> Any:
    """The dtype of an array, or the dtype that was given itself."""
    return np.dtype(x if isinstance(x, type | np.dtype) else inside(x).dtype)


def _cast_numpy(x: Any, dtype: Any) -> Any:
    return np.asarray(x).astype(dtype)


def _cast_back(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> tuple[Value]:
    dtype = args[0].dtype
    if is_complex(ct) and not is_floating(args[0], "c"):
        ct = xp.real(ct)
    return (astype(ct, dtype) if xp is EAGER else _cast_numpy(ct, dtype),)


CAST = Primitive("astype", 1, _cast_numpy, ("dtype",), vjp=_cast_back, linear=True)


def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """The elements as `dtype`; differentiable from real to real and from complex to complex.

    copy: whether x itself may not be the result where nothing changes. An integer or boolean result is a constant, as
    a step function is. From real to complex the way back takes the vocabulary's `real`; Unsupported without it.
    """
    on_cpu(device)
    same = inside(x).dtype == dtype
    if same and not copy:
        return x
    if not moves(x) or np.dtype(dtype).kind not in "fc":
        return wrap(_cast_numpy(inside(x), dtype))
    if np.dtype(dtype).kind != np.dtype(x.dtype).kind and (is_complex(x) or "real" not in VOCABULARY):
        raise Unsupported("the engine", f"derivative of astype from {x.dtype} to {np.dtype(dtype)}")
    return EAGER.lifted(CAST)(x, dtype=np.dtype(dtype))


def can_cast(from_: Any, to: Any, /) -> bool:
    """Whether the dtype (or the array's dtype) `from_` promotes to `to` by the standard's rules."""
    return bool(np.can_cast(dtype_of(from_), to))


def finfo(type: Any, /) -> FloatInfo:
    """The limits of a floating dtype, or of an array's, as Python numbers."""
    info = np.finfo(dtype_of(type))
    limits = (float(info.eps), float(info.max), float(info.min), float(info.smallest_normal))
    return FloatInfo(info.bits, *limits, info.dtype)


def iinfo(type: Any, /) -> IntegerInfo:
    """The limits of an integer dtype, or of an array's, as Python numbers."""
    info = np.iinfo(dtype_of(type))
    return IntegerInfo(info.bits, int(info.max), int(info.min), info.dtype)


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether `dtype` is of a kind (a word of the standard's), is the dtype given as one, or fits any of a tuple."""
    if isinstance(kind, tuple):
        return any(isdtype(dtype, part) for part in kind)
    if not isinstance(kind, str):
        return bool(dtype == kind)
    if kind not in KINDS:
        raise ValueError(f"there is no kind of dtypes {kind!r}; there are {', '.join(KINDS)}")
    return np.dtype(dtype).name in KINDS[kind]


def result_type(*arrays_and_dtypes: Any) -> Any:
    """The dtype that arrays, dtypes and Python numbers promote to together; at least one is no number."""
    if all(isinstance(x, bool | int | float | complex) for x in arrays_and_dtypes):
        raise ValueError("result_type needs an array or a dtype among its arguments")
    return np.result_type(*map(inside, arrays_and_dtypes))
