"""How are functions of complex numbers judged? As functions of pairs of real ones: each real and imaginary part moves.

The convention is PyTorch's, for NumPy code too: the gradient of a real number L by z is dL/dRe z + i dL/dIm z, and a
cotangent w of a complex output f means L = Re(sum(conj(w) f)). As pairs, both are the plain gradient and cotangent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradcheck.oracles.blackbox.asked import Array, BadAnswer, Inputs, Learnt, Subject, learnt


@dataclass
class Paired:
    """A subject of complex numbers as one of real arrays with a last axis of 2.

    complex_inputs: which inputs are pairs here; complex_outputs: which outputs, as the last call for values showed.
    """

    inner: Subject
    complex_inputs: frozenset[int]
    complex_outputs: tuple[bool, ...] = ()
    moving: tuple[int, ...] = field(init=False)
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.moving, self.name = self.inner.moving, self.inner.name

    def value(self, inputs: Inputs) -> tuple[Array, ...]:
        """All outputs."""
        found = self.inner.value(self._joined(inputs))
        self.complex_outputs = tuple(np.iscomplexobj(v) for v in found)
        return tuple(split(v) if c else v for v, c in zip(found, self.complex_outputs, strict=True))

    def vjp(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """The gradients."""
        return self._split(self.inner.vjp(self._joined(inputs), self._cotangents(cotangents)))

    def jvp(self, inputs: Inputs, tangents: Sequence[Array]) -> tuple[Array, ...] | None:
        """The derivative along tangents."""
        joined = [join(t) if k in self.complex_inputs else t for k, t in zip(self.moving, tangents, strict=True)]
        found = self.inner.jvp(self._joined(inputs), joined)
        if found is None:
            return None
        return tuple(split(v) if c else v for v, c in zip(found, self.complex_outputs, strict=True))

    def learnt(self) -> Learnt:
        """What calls have shown of the subject inside, and which outputs are pairs."""
        return replace(learnt(self.inner), complex_outputs=self.complex_outputs)

    def _cotangents(self, cotangents: Sequence[Array]) -> list[Array]:
        return [join(w) if c else w for w, c in zip(cotangents, self.complex_outputs, strict=True)]

    def _joined(self, inputs: Inputs) -> list[Array]:
        return [join(x) if k in self.complex_inputs else x for k, x in enumerate(inputs)]

    def _split(self, found: Sequence[Array | None]) -> tuple[Array | None, ...]:
        return tuple(split(g) if k in self.complex_inputs and g is not None else g for k, g in enumerate(found))


@dataclass
class PairedTape(Paired):
    """The same of a library with a tape: two passes through one graph, and second order."""

    def again(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """What a second backward pass through the same graph gives."""
        inner: Any = self.inner
        twice = getattr(inner, "again", inner.vjp)
        return self._split(twice(self._joined(inputs), self._cotangents(cotangents)))

    def second(self, inputs: Inputs, cotangent: Array, u: Any) -> list[Array]:
        """The gradient of <u, vjp(inputs, cotangent)> by the moving inputs and the cotangent."""
        inner: Any = self.inner
        kinds = [k in self.complex_inputs for k in self.moving]
        many = [join(v) if c else v for v, c in zip(u if isinstance(u, tuple) else (u,), kinds, strict=True)]
        (ct,) = self._cotangents([cotangent])
        found = inner.second(self._joined(inputs), ct, tuple(many) if len(many) > 1 else many[0])
        return [split(g) if c else g for g, c in zip(found, [*kinds, self.complex_outputs[0]], strict=True)]


def join(pairs: Array) -> Array:
    """Complex numbers of pairs, in the same memory where it lies so."""
    if pairs.dtype == object:
        raise TypeError("there are no precise complex numbers")
    if pairs.shape[-1:] != (2,):
        raise BadAnswer(f"pairs of real numbers are expected, not the shape {pairs.shape}")
    kind = np.complex64 if pairs.dtype == np.float32 else np.complex128
    if pairs.dtype not in (np.float32, np.float64):
        pairs = pairs.astype(np.float64)
    if not pairs.flags.c_contiguous:
        pairs = np.ascontiguousarray(pairs)
    joined: Array = pairs.view(kind)[..., 0]
    return joined


def split(numbers: Array) -> Array:
    """Pairs of complex numbers; of real ones, with zeros."""
    return np.stack([np.real(numbers), np.imag(numbers)], axis=-1)


def in_pairs(sampler: Callable[[np.random.Generator], Sequence[Any]]) -> Callable[[np.random.Generator], list[Array]]:
    """A caller's sampler, with its complex arrays as pairs."""

    def drawn(rng: np.random.Generator) -> list[Array]:
        return [split(x) if np.iscomplexobj(x) else x for x in map(np.asarray, sampler(rng))]

    return drawn
