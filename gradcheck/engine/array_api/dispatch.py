"""Who computes a function of the Array API standard on eager tensors?

Where an argument is floating and the vocabulary has a row of the standard's name that takes the parameters in question,
the row does, and derivatives pass through. NumPy's function of that name does the rest: integers and booleans, which
have no derivatives, and whatever the vocabulary lacks. The latter is refused to tensors that a derivative is wanted of,
so that none is lost in silence. A row that is added to the vocabulary takes its place here by its name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from gradcheck.engine.eager import EAGER
from gradcheck.engine.operators import Operators
from gradcheck.engine.tape import Tensor
from gradcheck.errors import TapeError, Unsupported
from gradcheck.expr.primitive import Primitive
from gradcheck.expr.vocabulary import VOCABULARY

Function = Callable[..., Any]
Params = Mapping[str, Any]

NONE: Params = MappingProxyType({})
FOREIGN = "a value of another tape is no array of the standard's namespace, which is for eager tensors"

# What the standard's parameters are where they ask for nothing, so that a row without them will do.
NEUTRAL: Params = {
    "dtype": None, "keepdims": False, "axis": None, "axes": None, "offset": 0, "include_initial": False, "rtol": None,
    "upper": False, "descending": False, "stable": True, "mode": "reduced", "n": None, "s": None, "norm": "backward",
    "prepend": None, "append": None,
}  # fmt: skip


def is_floating(x: Any, kinds: str = "fc") -> bool:
    """Whether an array has elements that can be differentiated by; a Python number decides nothing."""
    return hasattr(x, "dtype") and np.dtype(x.dtype).kind in kinds


def is_complex(x: Any) -> bool:
    """Whether an array has complex elements."""
    return is_floating(x, "c")


def moves(x: Any) -> bool:
    """Whether a derivative is wanted that passes through here."""
    return isinstance(x, Tensor) and x.requires_grad and EAGER.recording


def inside(x: Any) -> Any:
    """The NumPy value of an eager tensor; anything else as it is. A value of another tape is a TapeError."""
    if not isinstance(x, Operators):
        return x
    if x.xp is not EAGER:
        raise TapeError(FOREIGN)
    return x.data


def wrap(value: Any) -> Any:
    """A result of NumPy's as a tensor, and tuples and lists of them element by element."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(wrap, value))
    if isinstance(value, tuple | list):
        return tuple(map(wrap, value)) if isinstance(value, tuple) else [wrap(part) for part in value]
    return value if isinstance(value, Tensor) else EAGER.leaf(np.asarray(value), requires_grad=False)


def row_for(name: str, arrays: Iterable[Any], params: Params = NONE, kinds: str = "fc") -> Primitive | None:
    """The row that computes the function `name` of these arguments, if there is one; `kinds` are those it is for."""
    row = VOCABULARY.get(name)
    floating = [x for x in arrays if is_floating(x)]
    if row is None or not floating or not all(is_floating(x, kinds) for x in floating):
        return None
    return row if all(p in row.params or _asks_nothing(p, value) for p, value in params.items()) else None


def _asks_nothing(param: str, value: Any) -> bool:
    if param not in NEUTRAL:
        return False
    neutral = NEUTRAL[param]
    return value is None if neutral is None else bool(value == neutral)


def run(name: str, arrays: tuple[Any, ...], plainly: Function, params: Params = NONE, kinds: str = "fc") -> Any:
    """The function `name` of `arrays`: the row's, or `plainly`, NumPy's.

    kinds: NumPy's letters of the dtypes that the row is for, real floating (f) and complex (c).
    Unsupported where a derivative is wanted and no row can give it.
    """
    for x in arrays:
        inside(x)
    row = row_for(name, arrays, params, kinds)
    if row is None:
        return untracked(name, arrays, plainly, params)
    args = (arrays,) if row.arity is None else arrays
    return wrap(getattr(EAGER, name)(*args, **{p: value for p, value in params.items() if p in row.params}))


def untracked(name: str, arrays: tuple[Any, ...], plainly: Function, params: Params = NONE, flat: bool = False) -> Any:
    """NumPy's function of `arrays`, recorded nowhere; Unsupported where that would lose a derivative.

    flat: no derivative exists, or it is zero wherever it does, so that none is lost.
    """
    if not flat and any(map(moves, arrays)):
        raise Unsupported("the engine", f"derivative of {name} for these arguments; detach() them where none is wanted")
    return wrap(plainly(*map(inside, arrays), **params))


def named(function: Function, name: str, summary: str) -> Function:
    """A function that was made from a table, under its own name."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = summary
    return function
