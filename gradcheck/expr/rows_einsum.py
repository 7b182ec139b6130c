"""What does a sum over named axes mean, for any number of arrays?

`einsum("ij,jk->ik", a, b)`: arrays are taken two at a time from the left; each pair is one product of matrices, after
the axes that both keep, those that only one has, and those that are summed have been laid side by side. Every step is
a row of the vocabulary, so the whole has no rule of its own.
"""

from __future__ import annotations

import re
from math import prod
from typing import Any

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Primitive, Value
from gradcheck.expr.rows_assembly import listed
from gradcheck.expr.rules import shape_of

Labels = list[str]


def _einsum(xp: Namespace, *operands: Any, subscripts: str = "") -> Value:
    if operands and isinstance(operands[0], str):
        subscripts, *rest = operands
        operands = tuple(rest)
    elif operands and isinstance(operands[-1], str):
        *rest, subscripts = operands
        operands = tuple(rest)
    arrays = listed(operands)
    terms, result = read(subscripts, [len(shape_of(a)) for a in arrays])
    arrays, terms, sizes = _sized(xp, arrays, terms)
    value, labels = _alone(xp, arrays[0], terms[0], {*result, *(label for term in terms[1:] for label in term)})
    for k, (array, term) in enumerate(zip(arrays[1:], terms[1:], strict=True), 1):
        later = {*result, *(label for other in terms[k + 1 :] for label in other)}
        other, names = _alone(xp, array, term, later | set(labels))
        value, labels = _alone(xp, value, labels, later | set(names))
        value, labels = _pair(xp, value, labels, other, names, later, sizes)
    value, labels = _alone(xp, value, labels, set(result))
    return _ordered(xp, value, labels, result)


def read(subscripts: str, ranks: list[int]) -> tuple[list[Labels], Labels]:
    """The names of the axes of every array and of the result; the axes that `...` stands for get names of their own.

    Raises ValueError, with the subscripts, where they do not fit one another or the arrays.
    """
    text = subscripts.replace(" ", "")
    if not re.fullmatch(r"[A-Za-z.,]*(->[A-Za-z.]*)?", text) or "." in text.replace("...", ""):
        raise ValueError(f"einsum: {subscripts!r} does not name axes; expected the likes of 'ij,jk->ik'")
    left, arrow, right = text.partition("->")
    written = left.split(",")
    if len(written) != len(ranks):
        raise ValueError(f"einsum: {subscripts!r} speaks of {len(written)} arrays, {len(ranks)} are given")
    spread = [rank - len(term.replace("...", "")) for term, rank in zip(written, ranks, strict=True)]
    terms = []
    for term, rank, free in zip(written, ranks, spread, strict=True):
        if free < 0 or (free and "..." not in term) or term.count("...") > 1:
            raise ValueError(f"einsum: {term!r} does not name the axes of an array of {rank} dimensions")
        terms.append(_named(term, free))
    dots = max((free for term, free in zip(written, spread, strict=True) if "..." in term), default=0)
    if arrow:
        result = _named(right, dots if "..." in right else 0)
    else:
        letters = [label for term in terms for label in term if len(label) == 1]
        result = _named("...", dots) + sorted(label for label in set(letters) if letters.count(label) == 1)
    if len(set(result)) < len(result) or not set(result) <= {label for term in terms for label in term}:
        raise ValueError(f"einsum: {subscripts!r} names an axis of the result twice, or one that no array has")
    return terms, result


def _named(term: str, free: int) -> Labels:
    """The names in a term; those of `...` are counted from the right, so that they broadcast."""
    before, _, after = term.partition("...")
    return [*before, *(f"...{k}" for k in range(free, 0, -1)), *after]


def _sized(xp: Namespace, arrays: list[Value], terms: list[Labels]) -> tuple[list[Value], list[Labels], dict[str, int]]:
    """How long each named axis is; axes of length one that stand for a longer one are taken away."""
    sizes: dict[str, int] = {}
    for array, term in zip(arrays, terms, strict=True):
        for label, size in zip(term, shape_of(array), strict=True):
            known = sizes.get(label, 1)
            if 1 not in (known, size) and known != size:
                raise ValueError(f"einsum: the axis {label!r} is {known} long in one array and {size} in another")
            sizes[label] = size if known == 1 else known
    slim, names = [], []
    for array, term in zip(arrays, terms, strict=True):
        shape = shape_of(array)
        kept = [k for k, label in enumerate(term) if shape[k] == sizes[label]]
        slim.append(array if len(kept) == len(term) else xp.reshape(array, shape=tuple(shape[k] for k in kept)))
        names.append([term[k] for k in kept])
    return slim, names, sizes


def _alone(xp: Namespace, value: Value, labels: Labels, wanted: set[str]) -> tuple[Value, Labels]:
    """Diagonals taken where an array names an axis twice, and axes summed that nobody else wants."""
    labels = list(labels)
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first, second = [k for k, other in enumerate(labels) if other == label][:2]
            rest = [k for k in range(len(labels)) if k not in (first, second)]
            value = xp.diagonal(xp.permute_dims(value, axes=(*rest, first, second)))
            labels = [labels[k] for k in rest] + [label]
    gone = tuple(k for k, label in enumerate(labels) if label not in wanted)
    if gone:
        value = xp.sum(value, axis=gone)
    return value, [label for label in labels if label in wanted]


def _pair(
    xp: Namespace, a: Value, left: Labels, b: Value, right: Labels, later: set[str], sizes: dict[str, int]
) -> tuple[Value, Labels]:
    """The product of two arrays, summed over the axes that both have and nobody wants later."""
    shared = [label for label in left if label in right]
    kept, summed = [s for s in shared if s in later], [s for s in shared if s not in later]
    mine, other = [s for s in left if s not in shared], [s for s in right if s not in shared]

    def blocks(*groups: Labels) -> tuple[int, ...]:
        return tuple(prod(sizes[label] for label in group) for group in groups)

    first = xp.reshape(_ordered(xp, a, left, kept + mine + summed), shape=blocks(kept, mine, summed))
    second = xp.reshape(_ordered(xp, b, right, kept + summed + other), shape=blocks(kept, summed, other))
    names = kept + mine + other
    return xp.reshape(xp.matmul(first, second), shape=tuple(sizes[label] for label in names)), names


def _ordered(xp: Namespace, value: Value, labels: Labels, order: Labels) -> Value:
    axes = tuple(labels.index(label) for label in order)
    return value if axes == tuple(range(len(axes))) else xp.permute_dims(value, axes=axes)


EINSUM: tuple[Primitive, ...] = (
    composition(
        "einsum",
        None,
        _einsum,
        params=("subscripts",),
        defaults={"subscripts": ""},
        batching=Batching.JOIN,
        analytic=True,
        note="any number of arrays, taken two at a time from the left",
    ),
)
