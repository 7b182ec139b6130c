"""How is code that gradcheck knows nothing of asked for values and derivatives? Through one small protocol.

A door for a library is a class with these methods; NumPy's is here. Calls take and give NumPy arrays at one point.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Answer = TypeVar("Answer")
Inputs = Sequence[Array]


class Subject(Protocol):
    """A function under test with its own derivatives, at one point at a time.

    moving: which inputs derivatives are taken by. Arrays that are handed in may be read only during the call; what
    comes back is as the code under test gave it (its own dtype, shape and layout). A library's own objects, their
    layouts and tapes are the door's business.
    """

    moving: tuple[int, ...]
    name: str

    def value(self, inputs: Inputs) -> tuple[Array, ...]:
        """All outputs."""

    def vjp(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """The gradient of <cotangents, outputs> by each input (None for those that do not move)."""

    def jvp(self, inputs: Inputs, tangents: Sequence[Array]) -> tuple[Array, ...] | None:
        """The derivative of the outputs along tangents, one a moving input; None where there is no forward mode."""


class BadAnswer(Exception):
    """The code under test answered with something that is no answer: the sentence says what."""


class NotOffered(Exception):
    """The code under test has no such derivative and says so: a silence, not a fault."""


@dataclass
class Handwritten:
    """A NumPy function with a hand-written adjoint.

    fn(*inputs) -> array or tuple of arrays; rule(inputs, ct) -> one gradient an input (None where not differentiable),
    ct a tuple where fn has several outputs; forward(inputs, tangents) -> as fn, tangents one a moving input.
    """

    fn: Callable[..., Any]
    rule: Callable[..., Any] | None
    forward: Callable[..., Any] | None
    moving: tuple[int, ...]
    count: int  # of inputs
    name: str = "fn"
    several: bool = field(default=False, init=False)
    answer: str = field(default="full", init=False)  # or "bare", or "moving": what the rule was seen to give

    def value(self, inputs: Inputs) -> tuple[Array, ...]:
        """All outputs of fn."""
        with np.errstate(all="ignore"):
            found = self.fn(*inputs)
        self.several = isinstance(found, tuple | list)
        return tuple(_array(v, "the function") for v in (found if self.several else [found]))

    def vjp(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """The rule's answer, one entry an input."""
        assert self.rule is not None
        with np.errstate(all="ignore"):
            found = self.rule(tuple(inputs), tuple(cotangents) if self.several else cotangents[0])
        many = list(found) if isinstance(found, tuple | list) else [found]
        self.answer = "full" if isinstance(found, tuple | list) else "bare"
        if len(many) == len(self.moving) < self.count:  # a gradient for each input that has one
            self.answer = self.answer if self.answer == "bare" else "moving"
            full: list[Any] = [None] * self.count
            for k, gradient in zip(self.moving, many, strict=True):
                full[k] = gradient
            many = full
        if len(many) != self.count:
            raise BadAnswer(f"the vjp gives {len(many)} gradients for {self.count} inputs")
        missing = [k for k in self.moving if many[k] is None]
        if missing:
            raise BadAnswer(f"the vjp gives None for input {missing[0]}, which is differentiable")
        return tuple(_array(g, "the vjp") if k in self.moving else None for k, g in enumerate(many))

    def jvp(self, inputs: Inputs, tangents: Sequence[Array]) -> tuple[Array, ...] | None:
        """The forward rule's answer."""
        if self.forward is None:
            return None
        with np.errstate(all="ignore"):
            found = self.forward(tuple(inputs), tuple(tangents))
        return tuple(_array(v, "the jvp") for v in (found if isinstance(found, tuple | list) else [found]))


@dataclass
class Second:
    """The map (inputs, ct) -> vjp(inputs, ct), judged by a rule for *its* adjoint: second order as first order.

    rule(inputs, ct, u) -> (gradient by the moving input …, gradient by ct) for a cotangent u of the gradient (tuples
    where several inputs move). Inputs here are those of the subject with the cotangent behind them.
    """

    first: Subject
    rule: Callable[..., Any]
    moving: tuple[int, ...]
    name: str = "second order"

    def value(self, inputs: Inputs) -> tuple[Array, ...]:
        """The gradients by the moving inputs."""
        found = self.first.vjp(inputs[:-1], (inputs[-1],))
        return tuple(_array(g, "the vjp") for g in found if g is not None)

    def vjp(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """The second-order rule's answer, the gradient by the cotangent last."""
        u = tuple(cotangents) if len(cotangents) > 1 else cotangents[0]
        with np.errstate(all="ignore"):
            found = list(self.rule(tuple(inputs[:-1]), inputs[-1], u))
        if len(found) != len(self.moving):
            raise BadAnswer(f"the second-order rule gives {len(found)} gradients, {len(self.moving)} are expected")
        answers: list[Array | None] = [None] * len(inputs)
        for k, g in zip(self.moving, found, strict=True):
            answers[k] = _array(g, "the second-order rule")
        return tuple(answers)

    def jvp(self, inputs: Inputs, tangents: Sequence[Array]) -> tuple[Array, ...] | None:
        """There is none."""
        return None


@dataclass
class Asked:
    """A subject whose calls are counted and timed. Fresh writable copies are handed in, so the caller's stay whole."""

    subject: Subject
    limit: float  # seconds that one call may take
    calls: int = 0
    seconds: float = 0.0
    slowest: float = 0.0

    def value(self, inputs: Inputs) -> tuple[Array, ...]:
        """All outputs."""
        return self._timed(lambda: self.subject.value(_fresh(inputs)))

    def flat(self, inputs: Inputs) -> NDArray[np.float64]:
        """All outputs in one row of float64; whatever fails is NaN."""
        try:
            return flat(self.value(inputs))
        except TooSlow:
            raise
        except Exception:  # code under test may raise anything at a displaced point: it has no value there
            return np.full(1, np.nan)

    def vjp(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """The gradients."""
        return self._timed(lambda: self.subject.vjp(_fresh(inputs), _fresh(cotangents)))

    def vjp_as_is(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """The gradients for the very arrays given, whatever their layout."""
        return self._timed(lambda: self.subject.vjp(inputs, cotangents))

    def jvp(self, inputs: Inputs, tangents: Sequence[Array]) -> tuple[Array, ...] | None:
        """The derivative along tangents, or None."""
        return self._timed(lambda: self.subject.jvp(_fresh(inputs), _fresh(tangents)))

    def _timed(self, call: Callable[[], Answer]) -> Answer:
        start = time.perf_counter()
        try:
            return call()
        finally:
            taken = time.perf_counter() - start
            self.calls += 1
            self.seconds += taken
            self.slowest = max(self.slowest, taken)
            if taken > self.limit:
                raise TooSlow(f"one call took {taken:.3g} s; the limit is {self.limit:g} s")


class TooSlow(Exception):
    """One call of the code under test took longer than it may."""


def flat(values: Sequence[Array]) -> NDArray[np.float64]:
    """Arrays of real numbers as one row."""
    return np.concatenate([np.asarray(v, dtype=np.float64).reshape(-1) for v in values] or [np.zeros(0)])


def _fresh(arrays: Inputs) -> tuple[Array, ...]:
    return tuple(np.array(a) for a in arrays)


def _array(value: Any, whose: str) -> Array:
    if value is None:
        raise BadAnswer(f"{whose} gives None")
    array = np.asarray(value)
    if array.dtype.kind not in "fiubcO":
        raise BadAnswer(f"{whose} gives {type(value).__name__}, not numbers")
    return array
