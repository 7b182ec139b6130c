"""What are the derivatives of a function `f(xp, *args)`?

`f` is written once, against a namespace, and returns one value, a tuple or a dict of them. `base` is the namespace its
numbers live in (NumPy's, or any other). Arguments that no derivative is wanted by (`wrt` says which) are passed through
as they are. Nothing here guesses shapes: a cotangent or tangent must have the shape of what it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.engine.backward import pullback
from gradcheck.engine.forward import Dual, Forward
from gradcheck.engine.reverse import Reverse
from gradcheck.engine.tape import Tensor
from gradcheck.engine.writer import Written
from gradcheck.errors import TapeError
from gradcheck.expr.primitive import Namespace, Value
from gradcheck.expr.rules import Shape, shape_of

Function = Callable[..., Any]
Mask = Sequence[bool] | None


def vjp(f: Function, base: Namespace, args: Sequence[Value], ct: Any, wrt: Mask = None) -> tuple[Any, tuple[Any, ...]]:
    """The value of f, and for each argument the cotangent that `ct` (structured like the value) gives it.

    The cotangent is None for an argument outside `wrt`, and zeros where f does not depend on the argument.
    """
    out, leaves, xp = _record(f, base, args, wrt)
    value = _map(lambda y: _lower(xp, y), out)
    return value, _pull(xp, out, value, ct, leaves)


def grad(f: Function, base: Namespace, args: Sequence[Value], wrt: Mask = None) -> tuple[Any, ...]:
    """The gradient of a scalar function by each argument."""
    out, leaves, xp = _record(f, base, args, wrt)
    value = _lower(xp, out)
    if shape_of(value) != ():
        raise TapeError(f"grad wants a function with one number as its result, got the shape {shape_of(value)}")
    return _pull(xp, out, value, np.ones(()), leaves)


def jvp(f: Function, base: Namespace, args: Sequence[Value], tangents: Sequence[Value | None]) -> tuple[Any, Any]:
    """The value of f and how it moves along `tangents` (None: that argument does not move)."""
    xp = Forward(base)
    out = f(xp, *_duals(xp, args, tangents))
    value = _map(lambda y: _lower(xp, y), out)
    return value, _map(lambda y: _tangent(xp, y), out)


def jacobian(f: Function, base: Namespace, args: Sequence[Value], wrt: Mask = None) -> Any:
    """For each argument the Jacobian, of shape (*output, *argument); structured like the value of f.

    The function is recorded once, and pulled back once for each number of its output.
    """
    out, leaves, xp = _record(f, base, args, wrt)

    def one(y: Any) -> tuple[Any, ...]:
        shape = shape_of(_lower(xp, y))
        rows = [_pull(xp, y, _lower(xp, y), ct, leaves, retain=True) for ct in _units(shape)]
        return _stacked(base, rows, shape, leaves)

    return _map(one, out)


def hvp(
    f: Function, base: Namespace, args: Sequence[Value], ct: Any, tangents: Sequence[Value | None], wrt: Mask = None
) -> tuple[Any, tuple[Any, ...]]:
    """The value of f, and how its vjp with the fixed cotangent `ct` moves along `tangents` (forward over reverse)."""
    xp = Forward(base)
    value, pulled = vjp(f, xp, _duals(xp, args, tangents), ct, wrt)
    moved = tuple(None if p is None else _tangent(xp, p, x) for p, x in zip(pulled, map(_array, args), strict=True))
    return _map(lambda y: _lower(xp, y), value), moved


def hessian(f: Function, base: Namespace, args: Sequence[Value], wrt: Mask = None) -> tuple[tuple[Any, ...], ...]:
    """The blocks of second derivatives of a scalar function: block [i][j] has shape (*argument i, *argument j)."""
    args = [_array(x) for x in args]
    wanted = [True] * len(args) if wrt is None else list(wrt)
    blocks: list[list[Any]] = [[None] * len(args) for _ in args]
    for j, x in enumerate(args):
        if not wanted[j]:
            continue
        rows = []
        for unit in _units(shape_of(x)):
            tangents = [unit if i == j else None for i in range(len(args))]
            _, moved = hvp(f, base, args, np.ones(()), tangents, wanted)
            rows.append(moved)
        for i in range(len(args)):
            if wanted[i]:
                blocks[i][j] = _columns(base, [row[i] for row in rows], shape_of(args[i]), shape_of(x))
    return tuple(tuple(row) for row in blocks)


def _record(f: Function, base: Namespace, args: Sequence[Value], wrt: Mask) -> tuple[Any, list[Any], Reverse]:
    """The result of f on leaves of a new tape, and those leaves (None for an argument outside `wrt`)."""
    xp = Reverse(base)
    wanted = [True] * len(args) if wrt is None else wrt
    leaves = [xp.leaf(_array(x)) if want else None for x, want in zip(args, wanted, strict=True)]
    out = f(xp, *[x if leaf is None else leaf for x, leaf in zip(args, leaves, strict=True)])
    return out, leaves, xp


def _pull(xp: Reverse, out: Any, value: Any, ct: Any, leaves: list[Any], retain: bool = False) -> tuple[Any, ...]:
    roots = []
    for y, plain, part in zip(_flat(out), _flat(value), _flat(ct, like=out), strict=True):
        if shape_of(part) != shape_of(plain):
            raise TapeError(f"a cotangent of shape {shape_of(part)} was given for a value of shape {shape_of(plain)}")
        if type(y) is Tensor and y.xp is xp and y.tracked:
            roots.append((y, _array(part)))
    pulled = {leaf.number: part for leaf, part in pullback(xp, roots, retain)}
    return tuple(None if leaf is None else _or_zeros(xp.base, pulled.get(leaf.number), leaf) for leaf in leaves)


def _or_zeros(base: Namespace, part: Value | None, like: Value) -> Value:
    """A derivative of the dtype of what it belongs to; zeros where there is none."""
    part = base.zeros(shape=shape_of(like)) if part is None else part
    if isinstance(part, np.ndarray | np.generic | Written) and part.dtype != like.dtype:
        return part.astype(like.dtype)
    return part


def _array(x: Any) -> Any:
    """Numbers and lists as float arrays; values of any namespace as they are."""
    return x if hasattr(x, "shape") else np.asarray(x, dtype=np.float64)


def _lower(xp: Namespace, y: Any) -> Any:
    """A result as a value of the namespace below."""
    return y.data if isinstance(y, Tensor | Dual) and y.xp is xp else _array(y)


def _tangent(xp: Forward, y: Any, like: Any = None) -> Any:
    moved = y.tangent if isinstance(y, Dual) and y.xp is xp else None
    return _or_zeros(xp.base, moved, _lower(xp, y) if like is None else like)


def _duals(xp: Forward, args: Sequence[Value], tangents: Sequence[Value | None]) -> list[Any]:
    duals = []
    for x, t in zip(args, tangents, strict=True):
        if t is not None and shape_of(t) != shape_of(x):
            raise TapeError(f"a tangent of shape {shape_of(t)} was given for an argument of shape {shape_of(x)}")
        duals.append(x if t is None else Dual(xp, _array(x), _array(t)))
    return duals


def _map(function: Function, out: Any) -> Any:
    if isinstance(out, dict):
        return {name: function(y) for name, y in out.items()}
    return tuple(map(function, out)) if isinstance(out, tuple) else function(out)


def _flat(out: Any, like: Any = None) -> list[Any]:
    """The values of a structure, in the order of `like`, whose structure it must have."""
    if isinstance(out if like is None else like, dict):
        return [out[name] for name in (out if like is None else like)]
    return list(out) if isinstance(out if like is None else like, tuple) else [out]


def _units(shape: Shape) -> list[Any]:
    """The arrays of `shape` with a single one, in the order of their elements."""
    return list(np.eye(int(np.prod(shape))).reshape(-1, *shape))


def _stacked(base: Namespace, rows: list[tuple[Any, ...]], shape: Shape, leaves: list[Any]) -> tuple[Any, ...]:
    """The rows of Jacobians as one array for each argument."""
    blocks: list[Any] = []
    for i, leaf in enumerate(leaves):
        if leaf is None:
            blocks.append(None)
            continue
        whole = (*shape, *leaf.shape)
        column = [row[i] for row in rows]
        stacked = base.stack(column, axis=-1 - leaf.ndim) if column else base.zeros(shape=whole)
        blocks.append(base.reshape(stacked, shape=whole))
    return tuple(blocks)


def _columns(base: Namespace, columns: list[Any], left: Shape, right: Shape) -> Any:
    """Derivatives by the single elements of the second argument as one array of shape left + right."""
    if not columns:
        return base.zeros(shape=(*left, *right))
    return base.reshape(base.stack(columns, axis=-1), shape=(*left, *right))
