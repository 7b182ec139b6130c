"""Which numbers does the code under test hold? Those are where it may change its mind, so they are tried.

Looked at are the constants of its functions, the numbers of the module, of closures, defaults and fields that these
name, and the functions of the same package that they call. Nothing is run.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from inspect import getattr_static
from itertools import islice, product
from types import CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType, MethodType
from typing import Any

import numpy as np

MOST_THINGS = 400  # functions, tables and objects that are looked at
MOST = 40  # numbers kept, those nearest to the code's beginning first
MOST_DERIVED = 160  # numbers kept that come of these
PAIRED = 6  # numbers that are joined two by two
ENTRIES = 16  # of a table or an array
FUNCTIONS: Mapping[str, Callable[[float], float]] = {
    "sqrt": math.sqrt, "exp": math.exp, "log": math.log, "log2": math.log2, "log10": math.log10, "log1p": math.log1p,
    "expm1": math.expm1, "square": lambda v: v * v, "reciprocal": lambda v: 1 / v, "cbrt": math.cbrt, "sin": math.sin,
    "cos": math.cos, "tan": math.tan, "tanh": math.tanh, "arctan": math.atan, "atan": math.atan, "sinh": math.sinh,
    "cosh": math.cosh, "arcsin": math.asin, "arccos": math.acos, "deg2rad": math.radians, "radians": math.radians,
}  # fmt: skip
FOREIGN = frozenset({"numpy", "scipy", "torch", "jax", "jaxlib", "gradcheck", *sys.stdlib_module_names}) - {"__main__"}
RULES = ("forward", "backward", "jvp", "vjp", "setup_context", "__call__", "fun", "fwd", "bwd", "__wrapped__")


@dataclass(frozen=True, slots=True)
class Numbers:
    """written: numbers that stand in the code or in what it names; derived: what its own arithmetic may make of them.

    All finite, none negative: code compares sizes as often as numbers, so both signs are worth a try.
    """

    written: tuple[float, ...] = ()
    derived: tuple[float, ...] = ()


NONE = Numbers()


def numbers_of(callables: Iterable[Any]) -> Numbers:
    """The numbers at hand for these callables: functions, classes, methods, PyTorch's and JAX's own rules."""
    search = _Search([c for c in callables if c is not None])
    search.run()
    written = tuple(dict.fromkeys(search.found))[:MOST]
    return Numbers(written, tuple(islice(_derived(written, search.names), MOST_DERIVED)))


@dataclass
class _Search:
    """What is still to be looked at, nearest first, and what was found."""

    waiting: list[Any]
    homes: set[str] = field(default_factory=set)  # the packages that the code under test belongs to
    known: dict[int, Any] = field(default_factory=dict)
    found: list[float] = field(default_factory=list)
    names: dict[str, None] = field(default_factory=dict)  # of the functions that the code calls

    def run(self) -> None:
        self.homes = {home for one in self.waiting if (home := _home(one))} - FOREIGN
        for one in self.waiting:  # grows while it is walked
            if id(one) not in self.known and len(self.known) < MOST_THINGS:
                self.known[id(one)] = one
                with suppress(Exception):  # what does not even let itself be looked at holds no numbers
                    self.look(one)

    def look(self, one: Any) -> None:
        if isinstance(one, bool | str | bytes) or one is None:
            return
        if isinstance(one, int | float | np.integer | np.floating):
            self.number(one)
        elif isinstance(one, FunctionType):
            if _home(one) in self.homes:
                self.function(one)
        elif isinstance(one, MethodType | partial) or _part(one, "__self__") is not None:
            self.waiting += [_part(one, name) for name in ("__func__", "func", "args", "__self__", "keywords")]
        elif isinstance(one, Mapping):
            self.waiting += islice(one.values(), ENTRIES)
        elif isinstance(one, tuple | list | set | frozenset):
            self.waiting += islice(one, ENTRIES)
        elif isinstance(one, np.ndarray):
            self.waiting += one.reshape(-1)[:ENTRIES].tolist() if one.dtype.kind in "iuf" else []
        elif _home(one if isinstance(one, type) else type(one)) in self.homes or _rule(one):
            self.object(one)

    def number(self, value: Any) -> None:
        size = abs(float(value)) if abs(value) < 1e300 else math.inf
        if math.isfinite(size):
            self.found.append(size)

    def function(self, one: FunctionType) -> None:
        codes = list(_codes(one.__code__))
        for constant in (c for code in codes for c in code.co_consts):
            self.waiting += [constant] if isinstance(constant, int | float | tuple) else []
        called = dict.fromkeys(name for code in codes for name in code.co_names)
        self.names |= called
        self.waiting += [one.__globals__[name] for name in called if name in one.__globals__]
        self.waiting += [cell.cell_contents for cell in one.__closure__ or () if _full(cell)]
        self.waiting += [one.__defaults__, one.__kwdefaults__]

    def object(self, one: Any) -> None:
        """A class with its methods, or an object with its fields and its class; a framework's own rule, its parts."""
        self.waiting += [_part(one, name) for name in RULES]
        fields = _part(one, "__dict__") or {}
        self.waiting += [v for k, v in islice(fields.items(), 4 * ENTRIES) if not k.startswith("__")]
        if not isinstance(one, type):
            self.waiting += [_part(one, name) for name in getattr(type(one), "__slots__", ())]
            self.waiting.append(type(one))


def _part(one: Any, name: str) -> Any:
    """An attribute as it is kept, or None; what would have to be run for it (a property) is given as a function."""
    try:
        found = getattr_static(one, name)
        kept = isinstance(found, GetSetDescriptorType | MemberDescriptorType)
        found = getattr(one, name) if kept or name == "__dict__" else found
    except Exception:  # there is none, or a slot is empty
        return None
    if isinstance(found, property):
        return found.fget
    return found.__func__ if isinstance(found, staticmethod | classmethod) else found


def _home(thing: Any) -> str:
    """The package that a function or class was written in; "" of any other object."""
    module = getattr(thing, "__module__", "") if isinstance(thing, type | FunctionType) else ""
    inners = (_part(thing, name) for name in ("func", "__self__", "__wrapped__"))
    inner = next((i for i in inners if i is not None), None) if not module else None
    if inner is not None:
        return _home(inner if isinstance(inner, type | FunctionType) else type(inner))
    if not module and not isinstance(thing, type | FunctionType):
        return _home(type(thing))
    return str(module).partition(".")[0]


def _rule(one: Any) -> bool:
    """Whether it is an object of JAX's that holds a rule and its function."""
    return type(one).__name__ in ("custom_vjp", "custom_jvp", "PjitFunction")


def _full(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # an empty one
        return False


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function and of those inside it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def _derived(written: Sequence[float], names: Iterable[str]) -> Iterator[float]:
    """What the functions that the code calls, and arithmetic with two of its numbers, make of them; each once."""
    functions = [FUNCTIONS[n] for n in dict.fromkeys(names) if n in FUNCTIONS]
    telling = [v for v in written if v > 2 or v != int(v)][:PAIRED]  # 0, 1 and 2 stand in all code
    seen = set(written)
    first = [*_each(functions, telling)]
    joined = [v for a, b in product(telling, telling) if a != b for v in (a + b, a - b, a * b, a / b)]
    beside = [v for a, b in product(first, telling) for v in (a + b, a - b)]
    for value in (*first, *joined, *_each(functions, joined), *beside):
        size = abs(value)
        if math.isfinite(size) and size not in seen:
            seen.add(size)
            yield size


def _each(functions: Sequence[Callable[[float], float]], numbers: Iterable[float]) -> Iterator[float]:
    for value in numbers:
        for function in functions:
            try:
                yield function(value)
            except (ValueError, OverflowError, ZeroDivisionError):  # not defined there
                continue
