"""How do arrays lie in nested arguments and results? Dicts, lists and (named) tuples, taken apart and put together.

A *tree* is nested mappings and sequences; a *leaf* is anything else. A list of plain numbers is an array, not a tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any


def is_tree(value: Any) -> bool:
    """Whether a declared input is nested: a mapping, or a sequence with an array, a domain or a tree in it."""
    if isinstance(value, Mapping):
        return True
    return isinstance(value, tuple | list) and any(hasattr(v, "shape") or is_tree(v) for v in value)


def is_nested(value: Any) -> bool:
    """Whether a result is nested: any mapping, list or tuple."""
    return isinstance(value, Mapping | tuple | list)


def leaves(value: Any, inner: Callable[[Any], bool] = is_nested) -> list[Any]:
    """The leaves in order. inner: what is taken apart."""
    return [leaf for _, leaf in paths(value, inner)]


def paths(value: Any, inner: Callable[[Any], bool] = is_nested) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every leaf with the keys and indices that lead to it."""
    if not inner(value):
        yield (), value
        return
    entries = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, entry in entries:
        yield from (((key, *path), leaf) for path, leaf in paths(entry, inner))


def rebuilt(like: Any, numbers: Iterator[Any], inner: Callable[[Any], bool] = is_nested) -> Any:
    """The tree `like` with its leaves replaced by the next of `numbers`, in order."""
    if not inner(like):
        return next(numbers)
    if isinstance(like, Mapping):
        return {key: rebuilt(entry, numbers, inner) for key, entry in like.items()}
    parts = [rebuilt(entry, numbers, inner) for entry in like]
    if hasattr(like, "_fields"):
        return type(like)(*parts)
    return tuple(parts) if isinstance(like, tuple) else parts


def plain_tree(like: Any, numbers: Iterator[Any]) -> Any:
    """The same of dicts and tuples alone, whatever classes the tree is made of."""
    if not is_nested(like):
        return next(numbers)
    if isinstance(like, Mapping):
        return {key: plain_tree(entry, numbers) for key, entry in like.items()}
    return tuple(plain_tree(entry, numbers) for entry in like)


def aligned(like: Any, given: Any, inner: Callable[[Any], bool] = is_nested) -> list[Any]:
    """The leaves of `given` where it is nested as `like` is; None for a whole branch stands for each of its leaves.

    Raises ValueError, with the place, where it is nested otherwise.
    """
    if not inner(like):
        return [given]
    if given is None:
        return [None] * len(leaves(like, inner))
    if isinstance(like, Mapping):
        if not isinstance(given, Mapping) or set(given) != set(like):
            raise ValueError(f"a mapping of {', '.join(map(str, like))} is expected, not {_told(given)}")
        return [leaf for key, entry in like.items() for leaf in aligned(entry, given[key], inner)]
    if not isinstance(given, Sequence) or len(given) != len(like):
        raise ValueError(f"{len(like)} entries are expected, not {_told(given)}")
    return [leaf for entry, part in zip(like, given, strict=True) for leaf in aligned(entry, part, inner)]


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"a mapping of {', '.join(map(str, value))}"
    return f"{len(value)}" if isinstance(value, tuple | list) else type(value).__name__
