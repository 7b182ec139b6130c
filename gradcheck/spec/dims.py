"""Which dimensions does a function have, and which of them may be 1 instead, so that the input is repeated?

A shape's `n or 1` is held under a key of its own (`n or 1 of x`), since each input is repeated or not by itself. A
mapping of sizes holds `n` and every such key, whose size is 1 or that of `n`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from gradcheck.spec.model import Input

_WRITTEN = re.compile(r"\s*(\S+)\s+or\s+1\s*")
_OR_ONE = " or 1 of "
Shape = tuple[str | int, ...]


def keyed(shape: Shape, name: str) -> Shape:
    """The shape of input `name` as written, each `n or 1` under its key."""
    found = [(size, _WRITTEN.fullmatch(size) if isinstance(size, str) else None) for size in shape]
    return tuple(f"{match[1]}{_OR_ONE}{name}" if match else size for size, match in found)


def base_of(size: str) -> str:
    """The dimension that a size is of: `n` of `n` and of `n or 1 of x`."""
    return size.split(_OR_ONE)[0]


def may_be_one(size: str | int) -> bool:
    """Whether a size may be 1 instead of its dimension's."""
    return isinstance(size, str) and _OR_ONE in size


def names_of(shapes: Iterable[Shape]) -> tuple[str, ...]:
    """The names of the dimensions, in the order written."""
    return tuple(dict.fromkeys(base_of(size) for shape in shapes for size in shape if isinstance(size, str)))


def keys_of(inputs: Iterable[Input]) -> tuple[str, ...]:
    """All that has a size: the dimensions, then what may be 1 instead of one of them."""
    shapes = [i.shape for i in inputs]
    loose = [str(size) for shape in shapes for size in shape if may_be_one(size)]
    return (*names_of(shapes), *dict.fromkeys(loose))


def settled(sizes: Mapping[str, int]) -> dict[str, int]:
    """The sizes with each that may be 1 set to its dimension's, unless it is 1."""
    return {key: sizes[base_of(key)] if size != 1 else 1 for key, size in sizes.items()}


def repetitions(sizes: Mapping[str, int]) -> list[dict[str, int]]:
    """The same sizes with none repeated, and with each that may be 1 the only one that is."""
    loose = [key for key in sizes if may_be_one(key)]
    none = {key: sizes[base_of(key)] for key in sizes}
    return [none, *({**none, key: 1} for key in loose)] if loose else [none]


def sizes_from(inputs: Sequence[Input], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """The sizes that arrays of these shapes have; of a dimension that is only given where it may be 1, the largest."""
    met = {size: n for i in inputs for size, n in zip(i.shape, shapes[i.name], strict=True) if isinstance(size, str)}
    loose = [(base_of(size), n) for size, n in met.items() if may_be_one(size)]
    largest = {name: max(n for other, n in loose if other == name) for name, _ in loose}
    return {**largest, **met}


def misfit(sizes: Mapping[str, int]) -> str:
    """Why arrays do not fit together where one may be repeated: "2 where n = 3 or 1 is expected"; "" where they do."""
    for key, size in sizes.items():
        if size not in (1, sizes[base_of(key)]) and may_be_one(key):
            return f"{size} where {base_of(key)} = {sizes[base_of(key)]} or 1 is expected"
    return ""


def written(shape: Iterable[str | int]) -> list[str | int]:
    """A shape's sizes as their author wrote them."""
    return [f"{base_of(size)} or 1" if isinstance(size, str) and may_be_one(size) else size for size in shape]
