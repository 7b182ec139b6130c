"""How is a computation recorded, so that it can be differentiated from the end to the beginning?

`Reverse(base)` is a namespace over `Tensor` values. Each function of the vocabulary is computed in `base`; where an
argument requires a gradient, the result remembers where it came from. Values that are not tensors of this very
namespace are constants to it, so namespaces can be stacked: `Reverse(Reverse(base))` gives second derivatives.
"""

from __future__ import annotations

from itertools import count
from operator import attrgetter
from types import MethodType
from typing import Any

from gradcheck.engine.arguments import binder
from gradcheck.engine.interpreter import Function, Interpreter
from gradcheck.engine.pull import Rule
from gradcheck.engine.tape import Tensor, record
from gradcheck.expr.primitive import Namespace, Primitive, Value
from gradcheck.expr.rules import is_complex
from gradcheck.expr.vocabulary import NUMPY


class Reverse(Interpreter):
    """The vocabulary on tensors.

    recording  whether operations are remembered
    inference  whether results may never require a gradient
    hooked     whether any tensor has hooks (so that a pass without them need not look)
    complex    whether any number may be complex (likewise)
    writes     arrays that were written to in place, by identity, with the number of the next tensor then
    """

    def __init__(self, base: Namespace) -> None:
        super().__init__(base)
        self.recording = True
        self.inference = False
        self.hooked = False
        self.complex = False
        self.writes: dict[int, int] = {}
        self.next_number = count().__next__

    def leaf(self, data: Value, requires_grad: bool = True) -> Tensor:
        """A tensor that holds `data` itself."""
        return Tensor(self, data, requires_grad)

    def lift(self, row: Primitive) -> Function:
        """One row as a function that records."""
        if row.params or row.arity not in (1, 2) or not row.differentiable:
            return (_one_array if row.arity == 1 else _any)(row)
        return (_unary if row.arity == 1 else _binary)(row)

    def lifted(self, row: Primitive) -> Function:
        """A row that the vocabulary does not have, over NumPy's arrays, as a function that records."""
        return MethodType(_any(row, lambda xp: row.numpy), self)


def _of_base(row: Primitive) -> Function:
    """The base's function of that name, given a namespace above it."""
    return attrgetter(f"base.{row.name}")


def _unary(row: Primitive) -> Function:
    rule, name, in_numpy = Rule(row), row.name, row.numpy

    def call(xp: Reverse, a: Any) -> Any:
        base = xp.base
        operation = in_numpy if base is NUMPY else getattr(base, name)
        if type(a) is not Tensor or a.xp is not xp:
            return operation(a)
        x = a.data
        if a.tracked and xp.recording:
            return record(xp, operation(x), rule, (x,), (a,))
        return Tensor(xp, operation(x))

    return call


def _binary(row: Primitive) -> Function:
    rule, name, in_numpy = Rule(row), row.name, row.numpy

    def call(xp: Reverse, a: Any, b: Any) -> Any:
        x, y, p, q, own = a, b, None, None, False
        if type(a) is Tensor and a.xp is xp:
            x, own = a.data, True
            if a.tracked:
                p = a
        elif type(a) is not float and is_complex(a):
            xp.complex = True
        if type(b) is Tensor and b.xp is xp:
            y, own = b.data, True
            if b.tracked:
                q = b
        elif type(b) is not float and is_complex(b):
            xp.complex = True
        base = xp.base
        data = in_numpy(x, y) if base is NUMPY else getattr(base, name)(x, y)
        if xp.recording and (p is not None or q is not None):
            return record(xp, data, rule, (x, y), (p, q))
        return Tensor(xp, data) if own else data

    return call


def _one_array(row: Primitive) -> Function:
    """A function of one array, with parameters."""
    bind, rule, differentiable, name, in_numpy = binder(row), Rule(row), row.differentiable, row.name, row.numpy
    usual: dict[int, dict[str, Any]] = {}  # by rank: the parameters where none is given, which nobody changes

    def call(xp: Reverse, *args: Any, **named: Any) -> Any:
        a, base = args[0], xp.base
        operation = in_numpy if base is NUMPY else getattr(base, name)
        if type(a) is not Tensor or a.xp is not xp:
            return operation(a, **bind(args, named)[1])
        x = a.data
        plain_call = not named and len(args) == 1
        params = usual.get(x.ndim) if plain_call else None
        if params is None:
            params = bind(args, named)[1]
            if plain_call:
                usual[x.ndim] = params
        data = operation(x, **params)
        if a.tracked and xp.recording and differentiable:
            xp.complex |= is_complex(data)
            return record(xp, data, rule, (x,), (a,), params)
        return Tensor(xp, data)

    return call


def _any(row: Primitive, found: Function | None = None) -> Function:
    """A function of any number of arrays, or of a sequence of them, with parameters; `found(xp)` computes it."""
    bind, rule, differentiable, operation = binder(row), Rule(row), row.differentiable, found or _of_base(row)

    def call(xp: Reverse, *args: Any, **named: Any) -> Any:
        arrays, params = bind(args, named)
        own = [type(a) is Tensor and a.xp is xp for a in arrays]
        raw = tuple(a.data if mine else a for a, mine in zip(arrays, own, strict=True))
        data = operation(xp)(raw, **params) if row.arity is None else operation(xp)(*raw, **params)
        if not any(own):
            return data
        parents = tuple(a if mine and a.tracked else None for a, mine in zip(arrays, own, strict=True))
        if xp.recording and differentiable and any(parent is not None for parent in parents):
            xp.complex |= any(is_complex(part) for part in (data, *raw))
            return record(xp, data, rule, raw, parents, params)
        return Tensor(xp, data)

    return call
