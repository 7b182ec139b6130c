"""How is a computation recorded, so that it can be differentiated from the end to the beginning?

`Reverse(base)` is a namespace over `Tensor` values. Each function of the vocabulary is computed in `base`; where an
argument requires a gradient, the result remembers where it came from. Values that are not tensors of this very
namespace are constants to it, so namespaces can be stacked: `Reverse(Reverse(base))` gives second derivatives.
A base may bring a `vocabulary` of its own; else it is the house's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import Any

from gradcheck.engine.arguments import bind
from gradcheck.engine.backward import Rule
from gradcheck.engine.tape import Tensor
from gradcheck.expr.primitive import Namespace, Primitive, Value
from gradcheck.expr.vocabulary import ALIASES, VOCABULARY

Function = Callable[..., Any]


class Reverse:
    """The vocabulary on tensors; `recording` says whether operations are remembered."""

    def __init__(self, base: Namespace) -> None:
        self.base = base
        self.vocabulary: Mapping[str, Primitive] = getattr(base, "vocabulary", VOCABULARY)
        self.recording = True
        self.next_number = count().__next__

    def __getattr__(self, name: str) -> Function:
        row = self.vocabulary.get(ALIASES.get(name, name))
        if row is None:
            if name.startswith("_"):
                raise AttributeError(name)
            function: Function = getattr(self.base, name)  # what the base has besides the vocabulary
            return function
        if row.compose is not None:
            return partial(row.compose, self)
        operation = getattr(self.base, row.name)
        if row.params or row.arity not in (1, 2) or not row.differentiable:
            function = _any(self, row, operation)
        else:
            function = (_unary if row.arity == 1 else _binary)(self, Rule(row), operation)
        self.__dict__[name] = function
        return function

    def leaf(self, data: Value, requires_grad: bool = True) -> Tensor:
        """A tensor that holds `data` itself."""
        return Tensor(self, data, requires_grad)


def _unary(xp: Reverse, rule: Rule, operation: Function) -> Function:
    def call(a: Any) -> Any:
        if type(a) is not Tensor or a.xp is not xp:
            return operation(a)
        x = a.data
        if a.tracked and xp.recording:
            return Tensor(xp, operation(x), True, rule, (x,), (a,))
        return Tensor(xp, operation(x))

    return call


def _binary(xp: Reverse, rule: Rule, operation: Function) -> Function:
    def call(a: Any, b: Any) -> Any:
        x, y, p, q, own = a, b, None, None, False
        if type(a) is Tensor and a.xp is xp:
            x, own = a.data, True
            if a.tracked:
                p = a
        if type(b) is Tensor and b.xp is xp:
            y, own = b.data, True
            if b.tracked:
                q = b
        if xp.recording and (p is not None or q is not None):
            return Tensor(xp, operation(x, y), True, rule, (x, y), (p, q))
        return Tensor(xp, operation(x, y)) if own else operation(x, y)

    return call


def _any(xp: Reverse, row: Primitive, operation: Function) -> Function:
    """A function of any number of arrays, with parameters."""
    rule, sequence = Rule(row), row.arity is None

    def call(*args: Any, **named: Any) -> Any:
        arrays, params = bind(row, args, named)
        own = [type(a) is Tensor and a.xp is xp for a in arrays]
        raw = tuple(a.data if mine else a for a, mine in zip(arrays, own, strict=True))
        data = operation(raw, **params) if sequence else operation(*raw, **params)
        if not any(own):
            return data
        if xp.recording and row.differentiable:
            parents = tuple(a if mine and a.tracked else None for a, mine in zip(arrays, own, strict=True))
            if any(parent is not None for parent in parents):
                return Tensor(xp, data, True, rule, raw, parents, params)
        return Tensor(xp, data)

    return call
