"""What are the rules of products and running products, where factors may be zero?

No rule divides by a factor. The product of all other factors is a running product from the left times one from the
right; the adjoint of a running product is a first-order linear recurrence, solved in log2(n) vectorised steps (Hillis
and Steele's scan), so that every order of derivative is exact at zeros too.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from gradcheck.expr.composition import NUMPY
from gradcheck.expr.primitive import Batching, Namespace, Params, Primitive, Value
from gradcheck.expr.rules import Axis, Shape, along, axes_of, like, one_axis, shape_of, single_axis


def _ones(xp: Namespace, x: Value, axis: int, count: int = 1) -> Value:
    shape = list(shape_of(x))
    shape[axis] = count
    return xp.ones(shape=tuple(shape))


def _before(xp: Namespace, x: Value, axis: int) -> Value:
    """The product of all factors before each one."""
    if shape_of(x)[axis] == 0:
        return x
    running = xp.cumulative_prod(x, axis=axis)
    short = xp.getitem(running, index=along(shape_of(x), axis, slice(None, -1)))
    return xp.concat([_ones(xp, x, axis), short], axis=axis)


def _others(xp: Namespace, x: Value, axis: int) -> Value:
    """The product of all factors but each one."""
    after = xp.flip(_before(xp, xp.flip(x, axis=axis), axis), axis=axis)
    return xp.multiply(_before(xp, x, axis), after)


def recurrence(xp: Namespace, factor: Value, term: Value, axis: int) -> Value:
    """s with s[k] = factor[k] * s[k-1] + term[k] along `axis` (and s[-1] = 0), of the shape of both."""
    shape = shape_of(term)
    size, step = shape[axis], 1
    while step < size:
        head = along(shape, axis, slice(None, step))
        body = along(shape, axis, slice(step, None))
        earlier = along(shape, axis, slice(None, size - step))
        late = xp.getitem(factor, index=body)
        grown = xp.add(xp.getitem(term, index=body), xp.multiply(late, xp.getitem(term, index=earlier)))
        term = xp.concat([xp.getitem(term, index=head), grown], axis=axis)
        merged = xp.multiply(late, xp.getitem(factor, index=earlier))
        factor = xp.concat([xp.getitem(factor, index=head), merged], axis=axis)
        step *= 2
    return term


def _in_row(xp: Namespace, x: Value, axis: Axis) -> tuple[Value, Shape, Shape]:
    """x with the reduced axes as one last axis, the permutation that put them there, and the shape in between."""
    shape = shape_of(x)
    axes = [a + len(shape) for a in axes_of(shape, axis)]
    rest = [i for i in range(len(shape)) if i not in axes]
    order = tuple(rest + axes)
    between = tuple(shape[i] for i in order)
    row = xp.reshape(xp.permute_dims(x, axes=order), shape=(*between[: len(rest)], prod(between[len(rest) :])))
    return row, order, between


def _prod_slopes(xp: Namespace, x: Value, axis: Axis) -> tuple[Value, Shape, Shape]:
    row, order, between = _in_row(xp, x, axis)
    return _others(xp, row, -1), order, between


def _prod_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> tuple[Value]:
    slopes, order, between = _prod_slopes(xp, args[0], params["axis"])
    ct = xp.reshape(ct, shape=(*shape_of(slopes)[:-1], 1))
    moved = xp.reshape(xp.multiply(ct, slopes), shape=between)
    return (xp.permute_dims(moved, axes=tuple(int(i) for i in np.argsort(order))),)


def _prod_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    slopes, _, _ = _prod_slopes(xp, args[0], params["axis"])
    row, _, _ = _in_row(xp, tangents[0], params["axis"])
    return xp.reshape(xp.sum(xp.multiply(slopes, row), axis=-1, keepdims=False), shape=shape_of(y))


def with_initial(xp: Namespace, x: Value, axis: int, initial: float) -> Value:
    """A running result with what it starts from in front."""
    shape = list(shape_of(x))
    shape[axis] = 1
    return xp.concat([xp.broadcast_to(like(initial, x), shape=tuple(shape)), x], axis=axis)


def without_initial(xp: Namespace, x: Value, axis: int) -> Value:
    """A running result without what it starts from."""
    return xp.getitem(x, index=along(shape_of(x), axis, slice(1, None)))


def _cumulative_prod(x: Any, axis: Axis = None, include_initial: bool = False) -> Any:
    axis = single_axis(axis, np.ndim(x), "cumulative_prod")
    running = np.cumprod(x, axis=axis)
    return with_initial(NUMPY, running, axis, 1.0) if include_initial else running


def _cumulative_prod_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> tuple[Value]:
    """x̄[i] = before[i] * s[i], where s[i] = ct[i] + x[i+1] * s[i+1]."""
    x, axis = args[0], one_axis(params["axis"])
    ct = without_initial(xp, ct, axis) if params["include_initial"] else ct
    later = xp.getitem(x, index=along(shape_of(x), axis, slice(1, None)))
    following = xp.concat([later, _ones(xp, x, axis)], axis=axis) if shape_of(x)[axis] else x
    tail = recurrence(xp, xp.flip(following, axis=axis), xp.flip(ct, axis=axis), axis)
    return (xp.multiply(_before(xp, x, axis), xp.flip(tail, axis=axis)),)


def _cumulative_prod_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    axis = one_axis(params["axis"])
    moved = recurrence(xp, args[0], xp.multiply(tangents[0], _before(xp, args[0], axis)), axis)
    return with_initial(xp, moved, axis, 0.0) if params["include_initial"] else moved


PRODUCTS: tuple[Primitive, ...] = (
    Primitive(
        "prod",
        1,
        np.prod,
        ("axis", "keepdims"),
        {"axis": None, "keepdims": False},
        Batching.AXIS,
        vjp=_prod_vjp,
        jvp=_prod_jvp,
        latex=r"\prod {0}",
        analytic=True,
        note="exact where factors are zero",
    ),
    Primitive(
        "cumulative_prod",
        1,
        _cumulative_prod,
        ("axis", "include_initial"),
        {"axis": None, "include_initial": False},
        Batching.AXIS,
        vjp=_cumulative_prod_vjp,
        jvp=_cumulative_prod_jvp,
        torch="torch.cumprod",
        analytic=True,
        aliases=("cumprod",),
        note="exact where factors are zero",
    ),
)
