"""May a callable come to use a library? It may where what it names, closes over or is made of belongs to that one."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from types import CodeType, FunctionType, ModuleType
from typing import Any

MOST = 5_000  # things that are looked at; whoever has more at hand is taken to use everything
CLOSED = frozenset({"numpy", "scipy", "gradcheck", "torch", "jax", *sys.stdlib_module_names})  # each uses no other


def reaches(callables: Sequence[Any], library: str) -> bool:
    """Whether a thing of the library is within reach of one of them. Libraries that use none are not looked into."""
    waiting, known = list(callables), dict[int, Any]()
    while waiting:
        one = waiting.pop()
        home = _home(one)
        named = isinstance(one, FunctionType) and library in _names(one.__code__)  # it may import it itself
        if library == home or named or len(known) > MOST:
            return True
        if id(one) not in known and home not in CLOSED:
            known[id(one)] = one
            waiting += _at_hand(one)
    return False


def _home(thing: Any) -> str:
    """The package of a module, function or type; "" of any other object."""
    if not isinstance(thing, ModuleType | FunctionType | type):
        return ""
    home = str(thing.__name__ if isinstance(thing, ModuleType) else thing.__module__).partition(".")[0]
    return "jax" if home == "jaxlib" else home


def _at_hand(thing: Any) -> Iterator[Any]:
    """What a function names or closes over; what a module or any other object holds."""
    if isinstance(thing, FunctionType):
        names = set(_names(thing.__code__))
        yield from (value for name, value in thing.__globals__.items() if name in names)
        yield from (thing.__closure__, thing.__defaults__, thing.__dict__)
    else:
        yield from (type(thing), *gc.get_referents(thing))


def _names(code: CodeType) -> Iterator[str]:
    """Every name that a function and those inside it use."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)
