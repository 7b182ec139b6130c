"""How is JAX code judged as people wrote it? Functions with their `custom_vjp` and `custom_jvp` rules, as subjects.

Arrays are immutable and laid out by JAX, so layouts and writes have nothing to say here. Calls are compiled once a
shape where the code allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.errors import UsageError, did_you_mean
from gradcheck.oracles.blackbox.asked import Array, BadAnswer, Inputs, Learnt
from gradcheck.oracles.with_jax.library import jax, jnp
from gradcheck.oracles.with_jax.probes import LEAVES_JAX, JaxProbes, arrays, forward_mode

KEPT = 64  # compiled questions
PLATFORMS = ("cpu", "gpu", "cuda", "rocm", "tpu")


@dataclass
class JaxCode(JaxProbes):
    """A callable on JAX arrays. moving: the inputs that derivatives are taken by; device: where arrays lie, if told."""

    fn: Callable[..., Any]
    moving: tuple[int, ...]
    name: str = "fn"
    device: str | None = None
    compiled: dict[Any, Callable[..., Any]] = field(default_factory=dict)
    eager: set[str] = field(default_factory=set)  # questions that cannot be compiled for any numbers
    stubborn: set[str] = field(default_factory=set)  # those that cannot be compiled for given constants either
    met: set[Any] = field(default_factory=set)  # questions with constants that came once
    several: bool = field(default=False, init=False)  # whether the outputs are a tree

    def value(self, inputs: Inputs) -> tuple[Array, ...]:
        """All outputs of real or complex numbers."""
        return tuple(np.array(v) for v in self._run("value", lambda args: self._real(*args), self._arrays(inputs)))

    def vjp(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """What the pullback of `jax.vjp` gives."""

        def pulled(args: Any, cts: Any) -> Any:
            values, pull = jax.vjp(self._of(args), *[args[k] for k in self.moving])
            found = pull(tuple(_conjugate(jnp.asarray(c, v.dtype)) for c, v in zip(cts, values, strict=True)))
            return tuple(_conjugate(g) for g in found)  # both make PyTorch's convention of JAX's

        found = self._run("vjp", pulled, self._arrays(inputs), self._arrays(cotangents))
        answers: list[Array | None] = [None] * len(inputs)
        for k, g in zip(self.moving, found, strict=True):
            answers[k] = np.array(g)
        return tuple(answers)

    def jvp(self, inputs: Inputs, tangents: Sequence[Array]) -> tuple[Array, ...] | None:
        """Forward mode; NotOffered where there is none: a `custom_vjp` has none."""

        def pushed(args: Any, ts: Any) -> Any:
            return jax.jvp(self._of(args), [args[k] for k in self.moving], ts)[1]

        typed = [np.asarray(t, np.asarray(inputs[k]).dtype) for k, t in zip(self.moving, tangents, strict=True)]
        with forward_mode():
            return tuple(np.array(v) for v in self._run("jvp", pushed, self._arrays(inputs), list(self._arrays(typed))))

    def second(self, inputs: Inputs, cotangent: Array, u: Any) -> list[Array]:
        """The gradient of <u, vjp(inputs, cotangent)> by the moving inputs and the cotangent, reverse over reverse."""

        def pulled_back(args: Any, ct: Any, us: Any) -> Any:
            def gradient(ct: Any, *moving: Any) -> Any:
                return tuple(_conjugate(g) for g in jax.vjp(self._of(args), *moving)[1]((_conjugate(ct),)))

            pull = jax.vjp(gradient, ct, *[args[k] for k in self.moving])[1]
            found = [_conjugate(g) for g in pull(tuple(_conjugate(u) for u in us))]
            return [*found[1:], found[0]]

        many = u if isinstance(u, tuple) else (u,)
        with forward_mode():
            found = self._run("second", pulled_back, self._arrays(inputs), jnp.asarray(cotangent), self._arrays(many))
        return [np.array(g) for g in found]

    def learnt(self) -> Learnt:
        """Whether its outputs are several."""
        return Learnt((True,) if self.several else True)

    def _arrays(self, inputs: Sequence[Array]) -> tuple[Any, ...]:
        found = arrays(inputs)
        return found if self.device is None else tuple(jax.device_put(found, _device(self.device)))

    def _of(self, args: Sequence[Any]) -> Callable[..., Any]:
        def moved(*some: Any) -> Any:
            rest = iter(some)
            return self._real(*[next(rest) if k in self.moving else a for k, a in enumerate(args)])

        return moved

    def _real(self, *args: Any) -> tuple[Any, ...]:
        found = self.fn(*args)
        leaves = jax.tree_util.tree_leaves(found)
        self.several = not jax.tree_util.all_leaves([found])
        real = tuple(jnp.asarray(v) for v in leaves if jnp.issubdtype(jnp.asarray(v).dtype, jnp.inexact))
        if not real:
            raise BadAnswer("the function gives no array of real or complex numbers")
        return real

    def _run(self, what: str, f: Callable[..., Any], args: Sequence[Any], *more: Any, rows: bool = False) -> Any:
        """f(args, *more) compiled, where the code can be; else as it is. `args` are all inputs.

        rows: every array holds many points, and f takes one.
        Code that wants the plain numbers of inputs that nothing is differentiated by (labels, sizes) is compiled for
        these numbers, where they come a second time.
        """
        whole = jax.vmap(f) if rows else f
        if what not in self.eager:
            try:
                return self._made(what, whole)(args, *more)
            except LEAVES_JAX:
                self.eager.add(what)
        key = self._constants(what, args, rows)
        if key is None or what in self.stubborn or not (rows or self._again(key)):
            return whole(args, *more)
        fixed = [jnp.asarray(a[0] if rows else a) for a in args]  # made here: what is made while tracing has no numbers

        def moved(some: Sequence[Any], *more: Any) -> Any:
            given = dict(zip(self.moving, some, strict=True))
            return f([given.get(k, a) for k, a in enumerate(fixed)], *more)

        try:
            return self._made(key, jax.vmap(moved) if rows else moved)([args[k] for k in self.moving], *more)
        except LEAVES_JAX:
            self.stubborn.add(what)
            return whole(args, *more)

    def _made(self, key: Any, f: Callable[..., Any]) -> Callable[..., Any]:
        """f compiled, the first that came with this key; the oldest gives way where there are many."""
        if key not in self.compiled:
            if len(self.compiled) >= KEPT:
                del self.compiled[next(iter(self.compiled))]
            self.compiled[key] = jax.jit(f)
        return self.compiled[key]

    def _constants(self, what: str, args: Sequence[Any], rows: bool) -> Any:
        """A question and the numbers of the inputs that do not move; None where there are none, or points differ."""
        still = [np.asarray(a) for k, a in enumerate(args) if k not in self.moving]
        if not still or (rows and any((a != a[:1]).any() for a in still)):
            return None
        return what, rows, *((a.shape, a.dtype.str, (a[:1] if rows else a).tobytes()) for a in still)

    def _again(self, key: Any) -> bool:
        """Whether it was asked before."""
        known = key in self.met
        self.met.add(key)
        return known


def _conjugate(x: Any) -> Any:
    return jnp.conj(x) if jnp.iscomplexobj(x) else x


def _device(name: str) -> Any:
    """A device by its platform, and its number behind a colon. Raises RuntimeError where there is none."""
    platform, _, number = name.partition(":")
    try:
        return jax.devices(platform)[int(number or 0)]
    except IndexError:
        raise RuntimeError(f"there are {len(jax.devices(platform))} of {platform!r}") from None


def absent(device: str) -> str:
    """Why nothing can be computed on a device; "" where it can. Raises UsageError for a word that is no device."""
    platform, _, number = device.partition(":")
    if platform not in PLATFORMS or not (number or "0").isdigit():
        raise UsageError(
            f"device {device!r}: one of {', '.join(PLATFORMS)} is expected", did_you_mean(device, PLATFORMS)
        )
    try:
        _device(device)
    except RuntimeError as error:
        return f"jax has no device {device!r} here ({str(error).partition(chr(10))[0]})"
    return ""
