"""What can be asked of JAX code beside its numbers? Subsets of inputs and outputs, `stop_gradient`, `vmap`, `jit`,
forward mode over reverse mode, another call between a call and its pullback.

Every question is a method of the subject that takes and gives arrays at one point; `run/check/tape.py` knows what the
answers must be. `NotOffered` is raised where JAX or the code says that it has no such thing.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradcheck.oracles.blackbox.asked import Answers, Array, Batched, Inputs, NotOffered
from gradcheck.oracles.with_jax.library import jax, jnp

NO_FORWARD = ("can't apply forward-mode", "do not support JVP", "Forward-mode differentiation rule")
NO_BATCH = ("vmap_method", "vmap is only supported", "Batching rule for")
LARGE = 2**16  # bytes from which on a second copy of an array costs more than the care for its place in memory
ALIGNED = 64  # bytes: where an array has to begin for XLA to compute on it as it lies
LEAVES_JAX = (jax.errors.JAXTypeError, jax.errors.JAXIndexError)  # branches on its numbers, or leaves JAX


class JaxProbes:
    """The questions, for a class that knows how to call the code (`JaxCode`)."""

    moving: tuple[int, ...]
    eager: set[str]

    @abstractmethod
    def _arrays(self, inputs: Sequence[Array]) -> tuple[Any, ...]: ...

    @abstractmethod
    def _real(self, *args: Any) -> tuple[Any, ...]: ...

    @abstractmethod
    def _of(self, args: Sequence[Any]) -> Callable[..., Any]: ...

    @abstractmethod
    def _run(self, what: str, f: Callable[..., Any], args: Sequence[Any], *more: Any, rows: bool = False) -> Any: ...

    def some(self, inputs: Inputs, cotangents: Sequence[Array], live: Sequence[int]) -> Answers:
        """The gradients by the inputs in `live`, where only these are differentiated by."""
        args = self._arrays(inputs)

        def moved(*some: Any) -> tuple[Any, ...]:
            rest = dict(zip(live, some, strict=True))
            return self._real(*[rest.get(k, a) for k, a in enumerate(args)])

        values, pull = jax.vjp(moved, *[args[k] for k in live])
        return _placed(inputs, live, pull(_typed(cotangents, values)))

    def used(self, inputs: Inputs, cotangents: Sequence[Array], which: int) -> Answers:
        """The gradients where only one output is used."""
        args = self._arrays(inputs)
        value, pull = jax.vjp(lambda *some: self._of(args)(*some)[which], *[args[k] for k in self.moving])
        return _placed(inputs, self.moving, pull(_typed([cotangents[which]], [value])[0]))

    def interleaved(self, inputs: Inputs, cotangents: Sequence[Array], others: Inputs) -> Answers:
        """The gradients where another call was made, and not yet pulled back, between the call and its pullback."""
        args, second = self._arrays(inputs), self._arrays(others)
        values, pull = jax.vjp(self._of(args), *[args[k] for k in self.moving])
        jax.vjp(self._of(second), *[second[k] for k in self.moving])
        return _placed(inputs, self.moving, pull(_typed(cotangents, values)))

    def detached(self, inputs: Inputs, cotangents: Sequence[Array], k: int) -> Answers:
        """What arrives at an input whose gradient is stopped, after a call with the input itself."""
        args = self._arrays(inputs)

        def stopped(x: Any) -> tuple[Any, ...]:
            self._real(*args[:k], x, *args[k + 1 :])
            return self._real(*args[:k], jax.lax.stop_gradient(x), *args[k + 1 :])

        values, pull = jax.vjp(stopped, args[k])
        return _placed(inputs, (k,), pull(_typed(cotangents, values)))

    def primal(self, inputs: Inputs) -> tuple[Array, ...]:
        """All real outputs, while a derivative is recorded."""
        args = self._arrays(inputs)
        return tuple(np.array(v) for v in jax.vjp(self._of(args), *[args[k] for k in self.moving])[0])

    def batched(
        self, points: Sequence[Inputs], cotangents: Sequence[Sequence[Array]], axes: Sequence[int | None]
    ) -> Batched:
        """Values and gradients of a batch under `jax.vmap`.

        axes: of each input, where the batch goes (0 or -1), or None where all points have the same.
        """
        stacked = self._arrays([
            np.array(points[0][k]) if a is None else np.stack([np.asarray(p[k]) for p in points], axis=a)
            for k, a in enumerate(axes)
        ])  # fmt: skip
        cts = tuple(jnp.stack([jnp.asarray(c[j]) for c in cotangents]) for j in range(len(cotangents[0])))

        def one(inputs: Sequence[Any], many: Sequence[Any]) -> tuple[Any, Any]:
            values, pull = jax.vjp(self._of(inputs), *[inputs[k] for k in self.moving])
            return values, pull(_typed(many, values))

        with batching():
            values, gradients = jax.vmap(one, in_axes=(list(axes), 0))(list(stacked), cts)
        found = dict(zip(self.moving, gradients, strict=True))
        return [
            (tuple(np.array(v[i]) for v in values),
             tuple(np.array(found[k][i]) if k in found else None for k in range(len(stacked))))
            for i in range(len(points))
        ]  # fmt: skip

    def values(self, stacked: Sequence[Array]) -> Array:
        """All real outputs at many points (points, numbers) by one compiled call under `jax.vmap`, as an economy."""
        with batching():
            found = self._run("values", lambda args: self._real(*args), self._arrays(_padded(stacked)), rows=True)
        return _rows(found, len(stacked[0]))

    def gradients(self, stacked: Sequence[Array], cotangents: Array) -> Array:
        """The gradients by the moving inputs of one output at many points (points, numbers), in the same way."""

        def one(args: Any, ct: Any) -> Any:
            return jax.vjp(self._of(args), *[args[k] for k in self.moving])[1]((ct,))

        *args, cts = self._arrays(_padded([*stacked, cotangents]))
        with batching():
            found = self._run("gradients", one, args, cts, rows=True)
        return _rows(found, len(cotangents))

    def compiled_and_eager(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Answers, Answers]:
        """Values and then gradients, by `jax.jit` and without."""

        def both(args: Any, cts: Any) -> tuple[Any, ...]:
            values, pull = jax.vjp(self._of(args), *[args[k] for k in self.moving])
            return (*values, *pull(_typed(cts, values)))

        args, cts = self._arrays(inputs), self._arrays(cotangents)
        compiled = self._run("both", both, args, cts)
        if "both" in self.eager:
            raise NotOffered("jax.jit refuses it: it branches on its numbers, or leaves JAX")
        return tuple(np.array(v) for v in compiled), tuple(np.array(v) for v in both(args, cts))

    def mixed(self, inputs: Inputs, cotangent: Array, tangents: Sequence[Array]) -> tuple[Array, ...]:
        """The derivative of the vjp along tangents of the moving inputs and the cotangent: forward over reverse."""

        def pushed(args: Any, ct: Any, ts: Any) -> Any:
            def gradient(ct: Any, *moving: Any) -> Any:
                return jax.vjp(self._of(args), *moving)[1]((ct,))

            return jax.jvp(gradient, (ct, *[args[k] for k in self.moving]), (ts[-1], *ts[:-1]))[1]

        typed = [np.asarray(t, np.asarray(inputs[k]).dtype) for k, t in zip(self.moving, tangents, strict=False)]
        with forward_mode():
            ts = self._arrays([*typed, np.asarray(tangents[-1])])
            found = self._run("mixed", pushed, self._arrays(inputs), jnp.asarray(cotangent), ts)
        return tuple(np.array(v) for v in found)


def arrays(inputs: Sequence[Array]) -> tuple[Any, ...]:
    """NumPy's arrays as JAX's. Raises TypeError for precise numbers."""
    if any(np.asarray(x).dtype == object for x in inputs):
        raise TypeError("JAX has no arrays of precise numbers")
    return tuple(_lent(x) if x.nbytes > LARGE else jnp.asarray(np.array(x)) for x in map(np.asarray, inputs))


def _lent(x: Array) -> Any:
    """A large array, copied once, into memory that begins where JAX wants it: JAX then keeps that copy as it is."""
    room = np.empty(x.nbytes + ALIGNED, np.uint8)
    start = -room.ctypes.data % ALIGNED
    copy = room[start : start + x.nbytes].view(x.dtype).reshape(x.shape)
    copy[...] = x
    return jax.device_put(copy, may_alias=True)


def _padded(stacked: Sequence[Array]) -> list[Array]:
    """The same with the last point repeated up to a power of two, so that few lengths are compiled."""
    count = len(stacked[0])
    more = 2 ** (count - 1).bit_length() - count
    return [np.concatenate([x, np.repeat(x[-1:], more, axis=0)]) for x in stacked]


def _rows(found: Sequence[Any], count: int) -> Array:
    """The numbers of each of the first `count` points in a row."""
    return np.concatenate([np.array(v)[:count].reshape(count, -1) for v in found], axis=1)


def _typed(cotangents: Sequence[Any], values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(jnp.asarray(c, v.dtype) for c, v in zip(cotangents, values, strict=True))


def _placed(inputs: Inputs, live: Sequence[int], found: Sequence[Any]) -> Answers:
    answers: list[Array | None] = [None] * len(inputs)
    for k, g in zip(live, found, strict=True):
        answers[k] = np.array(g)
    return tuple(answers)


@contextmanager
def forward_mode() -> Iterator[None]:
    """JAX's own words for a missing forward rule (of a custom_vjp, of a callback), as NotOffered."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if not any(words in str(error) for words in NO_FORWARD):
            raise
        raise NotOffered(str(error).strip().partition("\n")[0]) from None


@contextmanager
def batching() -> Iterator[None]:
    """JAX's own words for what `vmap` cannot do, as NotOffered."""
    try:
        yield
    except LEAVES_JAX as error:
        raise NotOffered(f"it cannot be traced: {str(error).strip().partition(chr(10))[0]}") from None
    except NotImplementedError as error:
        if not any(words in str(error) for words in NO_BATCH):
            raise
        raise NotOffered(str(error).strip().partition("\n")[0]) from None
