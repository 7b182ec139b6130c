"""What is proven about every number of a computation? The vocabulary in ball arithmetic.

`BALLS` is a namespace, given to the engine's interpreters as their base as `BOUNDED` is. Its arrays are plain NumPy
arrays of dtype object that hold `arb`; arrays of bool, integers and floats are exact numbers and mix freely with them.

How a row gets its enclosure: the files of `ROOMS` each export

    ENCLOSURES: dict[str, Callable]      # name of a row -> function(*arrays, **params)

merged below. `arrays` come by position as the row takes them (a row with `arity=None` gets one list of arrays): each an
object array of `arb`, or an exact NumPy array or Python number; `flint_library.balls(x)` makes balls of any of them.
`params` come by keyword as the row's own do, its defaults filled in, axes counted from the end, leading axes batched.

The result is an object array of `arb` (0-d for one number), a tuple of them for a row of several results, or a plain
array of bool or integers. The precision is whatever `flint_library.working_bits()` says: a function never changes it.
What has no value there (a logarithm of a ball that reaches zero) is a ball that is not finite: `arb.nan()`. Inputs are
balls, never points: a function must hold for every number in them. A question that overlapping balls leave open (which
is larger, is it zero) raises `flint_library.Undecided(mask)`, `mask` the open elements in the array's shape (its
leading axis is the batch). A row that is a composition of others runs by itself; one with no enclosure raises
`Unsupported`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

import numpy as np

from gradcheck.engine.arguments import binder
from gradcheck.errors import Unsupported
from gradcheck.expr import NUMPY, VOCABULARY, Batching, Primitive
from gradcheck.expr.vocabulary import ALIASES
from gradcheck.oracles.balls.complex import of_real_numbers
from gradcheck.oracles.balls.flint_library import arb
from gradcheck.oracles.balls.numbers import NAMED, all_balls, dyadic, is_balls, lowered, number

ROOMS = ("arrays", "conditions", "elementary", "special", "linalg", "complex")  # files beside this; the later wins
PLAIN = frozenset(
    "less less_equal greater greater_equal equal not_equal sign signbit abs negative positive floor ceil round trunc "
    "maximum minimum clip relu where isfinite isnan isinf max min cumulative_max cumulative_min argmax argmin argsort "
    "sort any all count_nonzero logical_and logical_or logical_not logical_xor stop_gradient conj real imag "
    "zeros_like ones_like empty_like concat stack reshape broadcast_to expand_dims squeeze flip permute_dims getitem "
    "matrix_transpose diagonal take take_along_axis sliding_windows scatter zero_pad tril triu diag copysign nextafter "
    "bitwise_and bitwise_or bitwise_xor bitwise_invert bitwise_left_shift bitwise_right_shift".split()
)  # rows that round nothing: exact numbers need no balls
Enclosure = Callable[..., Any]


def _tables(name: str) -> dict[str, Any]:
    """One table of every file of `ROOMS` that has it, merged."""
    found: dict[str, Any] = {}
    for room in ROOMS:
        found |= getattr(importlib.import_module(f"gradcheck.oracles.balls.{room}"), name, {})
    return found


class BallNamespace:
    """The vocabulary on balls.

    decimal: whether a number written in a formula stands for its decimal (0.1 is a tenth), or for the nearest float64.
    """

    def __init__(self, decimal: bool = False) -> None:
        self.decimal = decimal

    @cached_property
    def enclosures(self) -> Mapping[str, Enclosure]:
        """Row name -> its enclosure."""
        found = _tables("ENCLOSURES")
        return MappingProxyType({name: of_real_numbers(name, enclosure) for name, enclosure in found.items()})

    @cached_property
    def vocabulary(self) -> Mapping[str, Primitive]:
        """The house's rows; those whose slopes are made for float64 (a series cut short) with exact ones."""
        exact = {name: replace(VOCABULARY[name], slopes=slopes) for name, slopes in _tables("SLOPES").items()}
        return MappingProxyType({**VOCABULARY, **exact, **_tables("ROWS")})

    def constant(self, value: Any, name: str = "") -> Any:
        """A number of a formula: as it stands where that is exact, else a ball."""
        if name in NAMED:
            return all_balls(NAMED[name]())
        if self.decimal and type(value) is float and np.isfinite(value) and arb(repr(value)) != value:
            return all_balls(arb(repr(value)))
        return value if type(value) is not float or dyadic(value) else all_balls(arb(value))

    def __getattr__(self, name: str) -> Enclosure:
        name = ALIASES.get(name, name)
        row = self.vocabulary.get(name, VOCABULARY.get(name))
        if row is None:
            raise AttributeError(name)
        function = partial(row.compose, self) if row.compose is not None else self._enclosed(row)
        self.__dict__[name] = function
        return function

    def _enclosed(self, row: Primitive) -> Enclosure:
        """One row on balls; on exact numbers alone it gives exact numbers where it can."""
        if row.batching is Batching.CONSTANT:
            return row.numpy
        enclosure = self.enclosures.get(row.name)
        if enclosure is None and row.name in PLAIN:
            return _plain_only(row)
        if enclosure is None:
            raise Unsupported("ball arithmetic", row.name)
        if row.arity is None:
            return _of_sequence(row, enclosure)
        return _plain_call(row, enclosure) if not row.params else _with_params(row, enclosure)


def _plain_only(row: Primitive) -> Enclosure:
    """A row for exact numbers alone: bits of whole numbers, the next float."""

    def call(*args: Any, **params: Any) -> Any:
        if any(map(is_balls, args)):
            raise Unsupported("ball arithmetic", row.name)
        return row.numpy(*args, **params)

    return call


def _plain_call(row: Primitive, enclosure: Enclosure) -> Enclosure:
    exact = row.name in PLAIN

    def call(*arrays: Any) -> Any:
        if not any(map(is_balls, arrays)):
            _real(row, arrays)
            if exact:
                return row.numpy(*arrays)
            return lowered(np.asarray(enclosure(*map(all_balls, arrays)), dtype=object))
        found = enclosure(*map(number, arrays))
        return found if type(found) is np.ndarray else np.asarray(found)

    return call


def _with_params(row: Primitive, enclosure: Enclosure) -> Enclosure:
    exact, bind = row.name in PLAIN, binder(row)

    def call(*args: Any, **named: Any) -> Any:
        arrays, params = bind(args, named)
        if not any(map(is_balls, arrays)):
            _real(row, arrays)
            if exact:
                return row.numpy(*arrays, **params)
            return lowered(np.asarray(enclosure(*map(all_balls, arrays), **params), dtype=object))
        found = enclosure(*map(number, arrays), **params)
        return found if type(found) in (np.ndarray, tuple) else np.asarray(found)

    return call


def _of_sequence(row: Primitive, enclosure: Enclosure) -> Enclosure:
    bind = binder(row)

    def call(*args: Any, **named: Any) -> Any:
        arrays, params = bind(args, named)
        function = enclosure if any(map(is_balls, arrays)) else getattr(NUMPY, row.name)
        return function(list(arrays), **params)

    return call


def _real(row: Primitive, arrays: Any) -> None:
    if any(np.iscomplexobj(a) for a in arrays):
        raise Unsupported("ball arithmetic", f"{row.name} of complex numbers")


BALLS: Any = BallNamespace()
DECIMAL: Any = BallNamespace(decimal=True)
