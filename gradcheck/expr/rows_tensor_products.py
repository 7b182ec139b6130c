"""How are the products of vectors, matrices and tensors said in other rows?"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Primitive, Value
from gradcheck.expr.rules import shape_of


def _cross(xp: Namespace, a: Value, b: Value, axis: int = -1) -> Value:
    """The cross product of vectors of three elements along one axis."""
    if shape_of(a)[axis] != 3 or shape_of(b)[axis] != 3:
        raise ValueError(f"cross takes vectors of 3 elements, got shapes {shape_of(a)} and {shape_of(b)}")

    def next_to(x: Value, shift: int) -> Value:
        return xp.roll(x, shift=shift, axis=axis)

    return xp.subtract(
        xp.multiply(next_to(a, -1), next_to(b, 1)),
        xp.multiply(next_to(a, 1), next_to(b, -1)),
    )


def _contracted(a: Value, b: Value, axes: Any) -> tuple[list[int], list[int]]:
    """The axes of a and of b that are summed over, pairwise."""
    ranks = len(shape_of(a)), len(shape_of(b))
    if not isinstance(axes, Sequence):
        count = int(axes)
        return list(range(ranks[0] - count, ranks[0])), list(range(count))
    pairs = [[part] if isinstance(part, int) else list(part) for part in axes]
    left, right = ([int(k) % rank for k in part] for part, rank in zip(pairs, ranks, strict=True))
    return left, right


def _tensordot(xp: Namespace, a: Value, b: Value, axes: Any = 2) -> Value:
    """The sum of products over pairs of axes: the last `axes` of a with the first of b, or two lists of axes."""
    left, right = _contracted(a, b, axes)
    shape_a, shape_b = shape_of(a), shape_of(b)
    if [shape_a[k] for k in left] != [shape_b[k] for k in right]:
        raise ValueError(f"tensordot cannot sum the axes {axes} of shapes {shape_a} and {shape_b}")
    kept_a = [k for k in range(len(shape_a)) if k not in left]
    kept_b = [k for k in range(len(shape_b)) if k not in right]
    outer_a, outer_b = [shape_a[k] for k in kept_a], [shape_b[k] for k in kept_b]
    summed = prod(shape_a[k] for k in left)
    matrix_a = xp.reshape(xp.permute_dims(a, axes=(*kept_a, *left)), shape=(prod(outer_a), summed))
    matrix_b = xp.reshape(xp.permute_dims(b, axes=(*right, *kept_b)), shape=(summed, prod(outer_b)))
    return xp.reshape(xp.matmul(matrix_a, matrix_b), shape=(*outer_a, *outer_b))


def _kron(xp: Namespace, a: Value, b: Value) -> Value:
    """The Kronecker product over all axes; the array with fewer gets axes of size one in front."""
    rank = max(len(shape_of(a)), len(shape_of(b)))
    shape_a, shape_b = ((1,) * (rank - len(shape_of(x))) + shape_of(x) for x in (a, b))
    wide_a = xp.reshape(a, shape=tuple(size for k in shape_a for size in (k, 1)))
    wide_b = xp.reshape(b, shape=tuple(size for k in shape_b for size in (1, k)))
    whole = tuple(m * n for m, n in zip(shape_a, shape_b, strict=True))
    return xp.reshape(xp.multiply(wide_a, wide_b), shape=whole)


def _product(name: str, formula: Any, latex: str = "", **defaults: Any) -> Primitive:
    more: dict[str, Any] = {"params": tuple(defaults), "defaults": defaults, "latex": latex}
    return composition(name, 2, formula, batching=Batching.TRAILING, analytic=True, **more)


TENSOR_PRODUCTS: tuple[Primitive, ...] = (
    _product("cross", _cross, r"{0} \times {1}", axis=-1),
    _product("tensordot", _tensordot, axes=2),
    _product("kron", _kron, r"{0} \otimes {1}"),
)
