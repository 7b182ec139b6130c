"""How is code that gradcheck knows nothing of asked for values and derivatives? Through one small protocol.

A door for a library is a class with these methods; NumPy's is here. Calls take and give NumPy arrays at one point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from gradcheck.oracles.isolation.watch import Watch
from gradcheck.spec.trees import is_nested, leaves, plain_tree, rebuilt

Array = NDArray[Any]
Answer = TypeVar("Answer")
Inputs = Sequence[Array]
Answers = tuple[Array | None, ...]  # one an input, or one an output
Batched = list[tuple[tuple[Array, ...], Answers]]  # the values and gradients of each point


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


@dataclass(frozen=True, slots=True)
class Learnt:
    """What calls have shown of a subject, for whoever tells how to call it.

    outputs: nested as the function's result is, True for each array that has a derivative; answer: whether a rule gives
    one gradient ("bare"), one for each input ("full"), or one for each that moves ("moving"), "" where there is none;
    complex_outputs: which of the outputs with a derivative are complex, one by one, where any numbers are.
    """

    outputs: Any = True
    answer: str = ""
    complex_outputs: tuple[bool, ...] = ()


def learnt(subject: Subject, beside: Subject | None = None) -> Learnt:
    """What calls have shown of a subject; where it has no rule of its own, the rule's answer is that of one beside."""
    tell = getattr(subject, "learnt", None)
    found: Learnt = Learnt() if tell is None else tell()
    rule = getattr(beside, "learnt", None)
    return found if found.answer or rule is None else replace(found, answer=rule().answer)


class BadAnswer(Exception):
    """The code under test answered with something that is no answer: the sentence says what."""


class NotOffered(Exception):
    """The code under test has no such derivative and says so: a silence, not a fault."""


@dataclass
class Handwritten:
    """A NumPy function with a hand-written adjoint.

    fn(*inputs) -> array, or several in tuples and dicts; rule(inputs, ct) -> one gradient an input (None where not
    differentiable), ct as fn's result is; forward(inputs, tangents) -> as fn, tangents one a moving input. Of several
    results, those of integers and truth values have no derivative: they are left out, and their cotangents are zeros.
    """

    fn: Callable[..., Any]
    rule: Callable[..., Any] | None
    forward: Callable[..., Any] | None
    moving: tuple[int, ...]
    count: int  # of inputs
    name: str = "fn"
    result: Any = field(default=None, init=False)  # what fn gave last: how its outputs are nested
    answer: str = field(default="full", init=False)  # as in Learnt

    def value(self, inputs: Inputs) -> tuple[Array, ...]:
        """All outputs of fn."""
        found = self.fn(*inputs)
        self.result = found
        return real_outputs([_array(v, "the function") for v in leaves(found)])

    def vjp(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """The rule's answer, one entry an input."""
        assert self.rule is not None
        found = self.rule(tuple(inputs), self._as_result(inputs, cotangents))
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
        found = self.forward(tuple(inputs), tuple(tangents))
        return real_outputs([_array(v, "the jvp") for v in leaves(found)], like=leaves(self.result))

    def learnt(self) -> Learnt:
        """How its outputs are nested, and what its rule gives."""
        return Learnt(plain_tree(self.result, iter(_kept([np.asarray(v) for v in leaves(self.result)]))), self.answer)

    def _as_result(self, inputs: Inputs, cotangents: Sequence[Array]) -> Any:
        """Cotangents nested as the function's outputs are; lists come as tuples."""
        if self.result is None:
            self.value(inputs)
        if not is_nested(self.result):
            return cotangents[0]
        rest, outputs = iter(cotangents), [np.asarray(v) for v in leaves(self.result)]
        kept = _kept(outputs)
        many = [next(rest) if k else np.zeros(v.shape) for k, v in zip(kept, outputs, strict=True)]
        found = rebuilt(self.result, iter(many))
        return tuple(found) if isinstance(found, list) else found


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
        found = list(self.rule(tuple(inputs[:-1]), inputs[-1], u))
        if len(found) != len(self.moving):
            raise BadAnswer(f"the second-order rule gives {len(found)} gradients, {len(self.moving)} are expected")
        answers: list[Array | None] = [None] * len(inputs)
        for k, g in zip(self.moving, found, strict=True):
            answers[k] = _array(g, "the second-order rule")
        return tuple(answers)

    def jvp(self, inputs: Inputs, tangents: Sequence[Array]) -> tuple[Array, ...] | None:
        """Forward over reverse, where the door has it."""
        mixed = getattr(self.first, "mixed", None)
        if mixed is None:
            raise NotOffered("a rule for it cannot be given")
        found: tuple[Array, ...] = mixed(inputs[:-1], inputs[-1], tangents)
        return found

    def values(self, stacked: Sequence[Array]) -> Array:
        """The gradients at many points, (points, numbers), where the door has batches."""
        gradients = getattr(self.first, "gradients", None)
        if gradients is None:
            raise NotOffered("the door has no batches")
        found: Array = gradients(stacked[:-1], stacked[-1])
        return found

    def pulled(self, stacked: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
        """What the rule of the door itself gives at many points, the gradient by the cotangent last."""
        twice = getattr(self.first, "pulled_twice", None)
        if twice is None or self.rule != getattr(self.first, "second", None):
            raise NotOffered("the door has no batches")
        found: list[Array] = twice(stacked[:-1], stacked[-1], cotangents)
        return found


@dataclass
class Asked:
    """A subject whose calls are watched. Fresh writable copies are handed in, so the caller's stay whole.

    within: the cell that every call is made for, whichever questions are asked with it.
    """

    subject: Subject
    watch: Watch
    within: str = ""
    outputs: int = 1  # numbers in all outputs, as far as a call gave some
    distrust: int = 0  # batches that gave other numbers than single calls
    unpulled: bool = False  # whether gradients were asked for in a batch, and there were none
    cotangents: Sequence[Array] = ()  # of the last call of the vjp

    def turn(self, cell: str) -> None:
        """From here on calls are made for this cell."""
        self.watch.turn(self.within or cell)

    def value(self, inputs: Inputs) -> tuple[Array, ...]:
        """All outputs."""
        return self.call("value", lambda: self.subject.value(_fresh(inputs)))

    def value_as_is(self, inputs: Inputs) -> tuple[Array, ...]:
        """All outputs for the very arrays given."""
        return self.call("value", lambda: self.subject.value(inputs))

    def flat(self, inputs: Inputs) -> NDArray[np.float64]:
        """All outputs in one row of float64; whatever fails is NaN."""
        try:
            found = flat(self.value(inputs))
        except Exception:  # code under test may raise anything at a displaced point: it has no value there
            return np.full(self.outputs, np.nan)
        self.outputs = found.size
        return found

    def vjp(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """The gradients."""
        return self.vjp_as_is(_fresh(inputs), _fresh(cotangents))

    def vjp_as_is(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """The gradients for the very arrays given, whatever their layout."""
        self.cotangents = cotangents
        return self.call("vjp", lambda: self.subject.vjp(inputs, cotangents))

    def jvp(self, inputs: Inputs, tangents: Sequence[Array]) -> tuple[Array, ...] | None:
        """The derivative along tangents, or None."""
        return self.call("jvp", lambda: self.subject.jvp(_fresh(inputs), _fresh(tangents)))

    def offers(self, what: str) -> bool:
        """Whether the subject's door has a question of its own by this name."""
        return callable(getattr(self.subject, what, None))

    def probe(self, what: str, *words: Any) -> Any:
        """The answer to a question that only some doors have (methods beyond `Subject`); `words` are handed on."""
        return self.call("vjp", lambda: getattr(self.subject, what)(*words))

    def call(self, kind: str, call: Callable[[], Answer]) -> Answer:
        """What a call of the code gives. Raises what it raises, Fatal where that is more than an exception, or Lost."""
        start = self.watch.enter(kind)
        try:
            with np.errstate(all="ignore"):
                answer = call()
        except BaseException as error:
            if self.watch.interrupting(error):
                raise
            self.watch.leave(kind, start)
            fatal = self.watch.caught(kind, error)
            if fatal is None:
                raise
            raise fatal from error
        self.watch.leave(kind, start)
        return answer


def flat(values: Sequence[Array]) -> NDArray[np.float64]:
    """Arrays of real numbers as one row."""
    if len(values) == 1:
        return np.array(values[0], dtype=np.float64).reshape(-1)
    return np.concatenate([np.asarray(v, dtype=np.float64).reshape(-1) for v in values] or [np.zeros(0)])


def _kept(outputs: Sequence[Array]) -> list[bool]:
    """Which outputs have a derivative: those of real numbers, or all where none is of such."""
    real = [v.dtype.kind not in "iub" for v in outputs]
    return real if any(real) else [True] * len(real)


def real_outputs(outputs: Sequence[Array], like: Sequence[Any] | None = None) -> tuple[Array, ...]:
    """The outputs that have a derivative: all, where none is of real numbers. like: what tells their types."""
    kept = _kept(outputs if like is None or len(like) != len(outputs) else [np.asarray(v) for v in like])
    return tuple(v for v, keep in zip(outputs, kept, strict=True) if keep)


def _fresh(arrays: Inputs) -> tuple[Array, ...]:
    return tuple(map(np.array, arrays))


def _array(value: Any, whose: str) -> Array:
    if value is None:
        raise BadAnswer(f"{whose} gives None")
    array = np.asarray(value)
    if array.dtype.kind not in "fiubcO":
        raise BadAnswer(f"{whose} gives {type(value).__name__}, not numbers")
    return array
