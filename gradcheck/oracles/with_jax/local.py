"""How is a JAX function judged at the arguments that its caller gives? As rows of numbers, in float64 where it can be.

The caller's own settings stay as they are. Many points are asked in one call (`vmap`) where the function can be; else
one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.oracles.blackbox.local import DENSE, Part, Row, Table, parts_of
from gradcheck.oracles.with_jax.itself import float64, jax, jnp

REAL = {"float64": "float64", "complex128": "float64", "float32": "float32", "complex64": "float32"}
FEW = 64  # points that are asked one by one: so many calls cost less than tracing the function for a batch …
LARGE = 2**16  # … unless their numbers are as many
MANY = 100  # numbers from which a look goes along one direction, as JAX's own: it has no cheaper one for more numbers


class JaxLocal:
    """A function of JAX arrays (leaves, all of which move) at the leaves given, as `oracles/blackbox/local.py` asks.

    fn(*leaves) -> a tree of arrays. linear: forward mode by `linearize` instead of `jvp`.
    """

    def __init__(self, fn: Callable[..., Any], leaves: Sequence[Any], names: Sequence[str], linear: bool) -> None:
        self.fn, self.names, self.linear = fn, list(names), linear
        self.leaves = [x if isinstance(x, jax.Array) else jnp.asarray(x) for x in leaves]
        kinds = [REAL.get(str(x.dtype)) for x in self.leaves]
        for name, x, kind in zip(names, self.leaves, kinds, strict=True):
            if kind is None:
                raise UsageError(f"{name} is {x.dtype}: its values show too little of a slope; cast it to float64")
        self.shapes = [(tuple(x.shape), jnp.iscomplexobj(x)) for x in self.leaves]
        self.inputs = parts_of([(n, s, c) for n, (s, c) in zip(names, self.shapes, strict=True)])
        self.x = _row(self.leaves)
        self._pull: Any = None
        self._push: Any = None
        self.few = FEW
        self.directions = 1 if len(self.x) >= MANY else DENSE
        self.together = True  # whether many points may be asked at once
        self._compiled: Callable[..., Any] | None = None
        found, self._pull = jax.vjp(self._flat_outputs, *self.leaves)
        self.here = found
        named = [(f"output {k}", tuple(o.shape), jnp.iscomplexobj(o)) for k, o in enumerate(found)]
        self.outputs: tuple[Part, ...] = parts_of(named)
        outs = {REAL.get(str(o.dtype), "float32") for o in found}
        self.dtype = "float32" if "float32" in {*kinds, *outs} else "float64"

    def _flat_outputs(self, *leaves: Any) -> list[Any]:
        found = self.fn(*leaves)
        many = [found] if isinstance(found, jax.Array) else jax.tree_util.tree_leaves(found)
        arrays = [v if isinstance(v, jax.Array) else jnp.asarray(v) for v in many]
        kept = [
            v for v in arrays if v.dtype.kind in "fcV"
        ]  # V: the kinds of numbers that NumPy has none of its own for
        if not kept:
            raise UsageError("the function gives no array of real or complex numbers")
        return kept

    def values(self, points: Table) -> Table:
        """The outputs (P, K) in float64, NaN where the function raises."""
        count = self.outputs[-1].place.stop
        if not len(points):
            return np.empty((0, count))
        if self.together and len(points) > 1 and (len(points) > self.few or points.size > LARGE):
            try:
                found = jax.vmap(self._flat_outputs)(*self._typed(points))
                return np.concatenate([_real(np.asarray(o)).reshape(len(points), -1) for o in found], axis=1)
            except Exception:  # a function that branches on its numbers, or leaves JAX, says so as it likes
                self.together = False
        if len(points) == 1:
            return self._alone(points, count)[None]
        first = [_row(self.here)] if np.array_equal(points[0], self.x) else []  # known from `jax.vjp`
        columns = [list(jax.device_put(column)) for column in self._typed(points[len(first) :])]
        called = [self._called(leaves) for leaves in zip(*columns, strict=True)]  # JAX computes what is called …
        return np.array([*first, *(_numbers(found, count) for found in called)])  # … while the next are, and then waits

    def _called(self, leaves: Sequence[Any]) -> list[Any] | None:
        try:
            return self._flat_outputs(*leaves)
        except Exception:  # beside the point it may have no value
            return None

    def _alone(self, points: Table, count: int) -> Row:
        """The outputs at a point that comes alone; such points come in numbers, so the function is compiled."""
        leaves = jax.device_put(self._one(points[0]))
        if self._compiled is None:
            self._compiled = jax.jit(self._flat_outputs)
        try:
            return _numbers(self._compiled(*leaves), count)
        except (jax.errors.JAXTypeError, jax.errors.JAXIndexError):  # it branches on its numbers: not to be compiled
            self._compiled = self._flat_outputs
        except Exception:  # beside the point it may have no value
            return np.full(count, np.nan)
        return _numbers(self._called(leaves), count)

    def _typed(self, points: Table) -> list[Any]:
        """Every input's numbers at many points, as the function takes them."""
        found = []
        for part, leaf in zip(self.inputs, self.leaves, strict=True):
            numbers = points[:, part.place].reshape(-1, *part.real_shape)
            numbers = numbers[..., 0] + 1j * numbers[..., 1] if part.paired else numbers
            found.append(numbers.astype(leaf.dtype))
        return found

    def _one(self, point: Row) -> list[Any]:
        return [column[0] for column in self._typed(point[None])]

    def _at(self, point: Row) -> list[Any]:
        if np.array_equal(point, self.x):
            return self.leaves
        found: list[Any] = jax.device_put(self._one(point))
        return found

    def vjp(self, x: Row, cotangent: Row) -> Row:
        """What the pullback gives; for complex numbers in PyTorch's convention, the conjugate of JAX's."""
        pull = self._pull
        if not np.array_equal(x, self.x):
            pull = jax.vjp(self._flat_outputs, *self._at(x))[1]
        cts = []
        for part, o in zip(self.outputs, self.here, strict=True):
            numbers = cotangent[part.place].reshape(part.real_shape)
            numbers = numbers[..., 0] - 1j * numbers[..., 1] if part.paired else numbers
            cts.append(numbers.astype(o.dtype))
        return _row([np.conj(g) if np.iscomplexobj(g) else g for g in map(np.asarray, pull(cts))])

    def jvp(self, x: Row, tangent: Row) -> Row:
        """Forward mode. What JAX says where there is none is its caller's."""
        if not self.linear:
            return _row(jax.jvp(self._flat_outputs, self._at(x), self._one(tangent))[1])
        if self._push is None or not np.array_equal(x, self.x):
            self._push = jax.linearize(self._flat_outputs, *self._at(x))[1]
        return _row(self._push(*self._one(tangent)))


def moving(args: Sequence[Any]) -> tuple[list[Any], list[str], Callable[[Sequence[Any]], Any]]:
    """The leaves of a tree that are real or complex numbers, their names, and the tree with others in place."""
    flat, tree = jax.tree_util.tree_flatten_with_path(tuple(args))
    which = [k for k, (_, v) in enumerate(flat) if jnp.issubdtype(jnp.asarray(v).dtype, jnp.inexact)]
    if not which:
        raise UsageError("no argument is an array of real or complex numbers: there is nothing to judge")
    names = [f"args{jax.tree_util.keystr(flat[k][0])}" for k in which]

    def rebuilt(leaves: Sequence[Any]) -> Any:
        others = [v for _, v in flat]
        for k, leaf in zip(which, leaves, strict=True):
            others[k] = leaf
        return jax.tree_util.tree_unflatten(tree, others)

    return [flat[k][1] for k in which], names, rebuilt


def local_of(fn: Callable[..., Any], leaves: Sequence[Any], names: Sequence[str], linear: bool) -> JaxLocal:
    """The function at its leaves in float64, if it takes them and then computes in it; else as they are.

    To be called, and what comes of it used, within `float64()`.
    """
    wide = [_widened(x) for x in leaves]
    narrow = any(w is not x for x, w in zip(leaves, wide, strict=True))
    try:
        found = JaxLocal(fn, wide, names, linear)
    except Exception:  # it says as it likes that it wants the type that was given
        if not narrow:
            raise
        return JaxLocal(fn, leaves, names, linear)
    return found if found.dtype == "float64" or not narrow else JaxLocal(fn, leaves, names, linear)


def _widened(x: Any) -> Any:
    if isinstance(x, jax.Array) and x.dtype in (np.float64, np.complex128):
        return x
    numbers = np.asarray(x)
    return numbers.astype(np.complex128 if numbers.dtype.kind == "c" else np.float64)


def derived(mode: str, local: JaxLocal, rows: Sequence[Row]) -> Callable[..., list[Any]]:
    """The derivative by a mode as a function of the leaves: along a tangent, or for a cotangent, that stays as it is.

    rows: a tangent (n,) and a cotangent (K,).
    """
    tangents = local._at(rows[0])
    cotangents = [
        jnp.asarray(rows[1][part.place].reshape(part.real_shape)[..., 0] if part.paired else
                    rows[1][part.place].reshape(part.shape), o.dtype)
        for part, o in zip(local.outputs, local.here, strict=True)
    ]  # fmt: skip

    def forward(*leaves: Any) -> list[Any]:
        typed = [t.astype(jnp.asarray(x).dtype) for t, x in zip(tangents, leaves, strict=True)]
        if mode == "lin":
            return list(jax.linearize(local._flat_outputs, *leaves)[1](*typed))
        return list(jax.jvp(local._flat_outputs, list(leaves), typed)[1])

    def backward(*leaves: Any) -> list[Any]:
        found, pull = jax.vjp(local._flat_outputs, *leaves)
        return list(pull([c.astype(o.dtype) for c, o in zip(cotangents, found, strict=True)]))

    return backward if mode == "rev" else forward


def _numbers(found: list[Any] | None, count: int) -> Row:
    """The outputs of a call as a row of `count` numbers; NaN where there are others, or none."""
    try:
        row = None if found is None else _row(found)
    except Exception:  # what a callback raises comes when its numbers are wanted
        row = None
    return row if row is not None and len(row) == count else np.full(count, np.nan)


def _real(numbers: Any) -> Any:
    if numbers.dtype.kind != "c":
        return numbers.astype(np.float64)
    return np.stack([numbers.real, numbers.imag], axis=-1).astype(np.float64)


def _row(arrays: Sequence[Any]) -> Row:
    return np.concatenate([_real(np.asarray(a)).reshape(-1) for a in arrays] or [np.zeros(0)])


__all__ = ["JaxLocal", "derived", "float64", "local_of", "moving"]
