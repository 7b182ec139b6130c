"""How is a computation written down, so that it can be done again without all that Python did around it?

`Writer` is a namespace like any other: a function that is run on its values does with them what it would do with
arrays, and every operation is noted as a line. A value (`Written`) tells its shape and dtype, by which functions may
decide what to do, but not its numbers: what would hold for these numbers only is refused.

As in JAX's autodidax, one rule has many interpreters: a gradient is written down by running the reverse pass over this
namespace, for the tape asks no more of its base than names of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.engine.arguments import binder
from gradcheck.engine.interpreter import Function, Interpreter
from gradcheck.engine.operators import Operators
from gradcheck.errors import TapeError
from gradcheck.expr.primitive import Primitive
from gradcheck.expr.vocabulary import NUMPY

HIDDEN = (
    "the function looks at the numbers of an array of shape {shape} (in an `if`, in float() or numpy(), in a size or a "
    "mask that picks elements); a program would hold for these numbers only: use where(), or do without a program"
)
FOREIGN = "a value of one program is used while another is written: give it to that function as an argument"
SMALL = 512  # bytes of a constant that is compared by its numbers
ASTYPE = Primitive("astype", 1, lambda x, dtype: np.asarray(x).astype(dtype), ("dtype",))


class Written(Operators):
    """An array that a program computes, or is given; `held` is what it was while the program was written.

    line  the number of the line that computes it; None for an argument
    """

    __slots__ = ("held", "line", "xp")
    opaque = True

    def __init__(self, xp: Writer, held: Any, line: int | None) -> None:
        self.xp = xp
        self.held = held
        self.line = line

    def __repr__(self) -> str:
        return f"written({self.dtype}{list(self.shape)})"

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TapeError(HIDDEN.format(shape=self.shape))

    def __index__(self) -> int:
        raise TapeError(HIDDEN.format(shape=self.shape))

    @property
    def shape(self) -> tuple[int, ...]:
        """The size along each axis."""
        shape: tuple[int, ...] = self.held.shape
        return shape

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.shape)

    @property
    def dtype(self) -> Any:
        """The type of the elements."""
        return self.held.dtype

    def astype(self, dtype: Any) -> Any:
        """The same numbers in another type."""
        return self.xp.write(ASTYPE, (self,), {"dtype": np.dtype(dtype)})


@dataclass(frozen=True, slots=True)
class Line:
    """One operation: a row, what it is called with (values, and constants as they are), and its result."""

    row: Primitive
    arrays: tuple[Any, ...]
    params: Mapping[str, Any]
    result: Written

    def operands(self) -> Iterator[Written]:
        """The values that it needs."""
        return (part for part in parts((self.arrays, self.params)) if type(part) is Written)


class Writer(Interpreter):
    """The vocabulary on values whose numbers nobody sees; `lines` fills."""

    def __init__(self) -> None:
        super().__init__(NUMPY)
        self.lines: list[Line] = []
        self._copies: dict[int, tuple[Any, Any]] = {}  # of constant arrays, with the array itself, so that it lives on
        self._known: dict[Any, tuple[Written, Any, Any]] = {}  # by what was called; and that, so that it lives on

    def lift(self, row: Primitive) -> Function:
        """One row as a function that is noted, unless all it is called with are constants."""
        bind = binder(row)

        def call(xp: Writer, *args: Any, **named: Any) -> Any:
            for part in parts(args):
                if type(part) is Written and part.xp is not xp:
                    raise TapeError(FOREIGN)
                if isinstance(part, Operators) and type(part) is not Written:  # `written - tensor` is the tensor's
                    return getattr(part.xp, row.name)(*args, **named)
            arrays, params = bind(args, named)
            return xp.write(row, arrays, params)

        return call

    def write(self, row: Primitive, arrays: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """The result of one operation, and a line for it where there is none yet."""
        if not any(type(part) is Written for part in parts((arrays, params))):
            return computed(row, arrays, params)
        for name, value in params.items():
            for part in parts(value):  # a size, or a mask that picks elements: the shape would depend on the numbers
                if type(part) is Written and (name != "index" or part.dtype.kind == "b"):
                    raise TapeError(HIDDEN.format(shape=part.shape))
        arrays, params = self._as_now(arrays), self._as_now(params)
        same = row.name, key(arrays), key(params)
        if same in self._known:
            return self._known[same][0]
        held = computed(row, lowered(arrays), lowered(params))
        result = _factor(row, arrays, held)
        if result is None:
            result = Written(self, held, len(self.lines))
            self.lines.append(Line(row, arrays, params, result))
        self._known[same] = result, arrays, params
        return result

    def _as_now(self, thing: Any) -> Any:
        """The same with copies of constant arrays, which the function may write to before it goes on."""
        if isinstance(thing, tuple | list):
            return type(thing)(self._as_now(part) for part in thing)
        if isinstance(thing, Mapping):
            return {name: self._as_now(part) for name, part in thing.items()}
        if not isinstance(thing, np.ndarray):
            return thing
        known = self._copies.get(id(thing))
        if known is None or known[1].shape != thing.shape or known[1].tobytes() != thing.tobytes():
            known = self._copies[id(thing)] = thing, thing.copy()
        return known[1]


def computed(row: Primitive, arrays: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
    """What NumPy makes of one operation."""
    return row.numpy(arrays, **params) if row.arity is None else row.numpy(*arrays, **params)


def parts(thing: Any) -> Iterator[Any]:
    """Everything in tuples, lists, dicts and slices, however deep."""
    if isinstance(thing, tuple | list):
        for part in thing:
            yield from parts(part)
    elif isinstance(thing, Mapping):
        yield from parts(list(thing.values()))
    elif isinstance(thing, slice):
        yield from parts((thing.start, thing.stop, thing.step))
    else:
        yield thing


def lowered(thing: Any) -> Any:
    """The same with the arrays that were held in place of the values."""
    if isinstance(thing, tuple | list):
        return type(thing)(lowered(part) for part in thing)
    if isinstance(thing, Mapping):
        return {name: lowered(part) for name, part in thing.items()}
    return thing.held if type(thing) is Written else thing


def key(thing: Any) -> Any:
    """What equal things have in common: small arrays their numbers; a large one, and a value, is known by who it is."""
    if isinstance(thing, tuple | list):
        return type(thing), *map(key, thing)
    if isinstance(thing, Mapping):
        return tuple((name, key(part)) for name, part in thing.items())
    if isinstance(thing, np.ndarray | np.generic) and thing.nbytes <= SMALL:
        return type(thing), thing.dtype.str, thing.shape, thing.tobytes()
    if thing is None or isinstance(thing, bool | int | float | complex | str):
        return type(thing), repr(thing)
    return (slice, key((thing.start, thing.stop, thing.step))) if isinstance(thing, slice) else id(thing)


def _factor(row: Primitive, arrays: tuple[Any, ...], held: Any) -> Written | None:
    """The other factor of a product by one (a gradient starts with a one), where it is the product."""
    if row.name != "multiply":
        return None
    for one, other in (arrays, arrays[::-1]):
        if type(one) is Written or type(other) is not Written or not np.all(np.asarray(one) == 1.0):
            continue
        if other.shape == held.shape and other.dtype == held.dtype:
            return other
    return None
