"""How does a tangent travel along with a value?

`Forward(base)` is a namespace over `Dual` values: a value and how it moves, both of the namespace below. A tangent of
None is a constant. An elementwise function moves by the sum of slope times tangent, a linear one by itself. Anything
that is no dual of this very namespace is a constant to it.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from gradcheck.engine.arguments import binder
from gradcheck.engine.interpreter import Function, Interpreter
from gradcheck.engine.operators import Operators
from gradcheck.engine.wirtinger import pushed
from gradcheck.errors import Unsupported
from gradcheck.expr.primitive import Namespace, Primitive, Value
from gradcheck.expr.rules import is_complex, shape_of


class Dual(Operators):
    """A value of the namespace `xp`: `data` and its `tangent`, of the namespace below."""

    __slots__ = ("data", "tangent", "xp")

    def __init__(self, xp: Namespace, data: Value, tangent: Value | None = None) -> None:
        self.xp = xp
        self.data = data
        self.tangent = tangent

    def __repr__(self) -> str:
        return f"dual({self.data!r}, {self.tangent!r})"


class Forward(Interpreter):
    """The vocabulary on dual values."""

    def lift(self, row: Primitive) -> Function:
        """One row as a function that moves its result along with its arguments."""
        sequence, plain_call, bind = row.arity is None, not row.params, binder(row)
        operation = attrgetter(f"base.{row.name}")
        push = _push_slopes if row.slopes is not None else _push_linear if row.linear else _push_jvp

        def call(xp: Forward, *args: Any, **named: Any) -> Any:
            arrays, params = (args, named) if plain_call else bind(args, named)
            own = [type(a) is Dual and a.xp is xp for a in arrays]
            raw = [a.data if mine else a for a, mine in zip(arrays, own, strict=True)]
            y = operation(xp)(raw, **params) if sequence else operation(xp)(*raw, **params)
            if not any(own):
                return y
            tangents = [a.tangent if mine else None for a, mine in zip(arrays, own, strict=True)]
            if not row.differentiable or all(t is None for t in tangents):
                return Dual(xp, y)
            tangent = push(xp.base, row, y, raw, tangents, params)
            if tangent is not None and len(raw) > 1 and shape_of(tangent) != shape_of(y):
                tangent = xp.base.broadcast_to(tangent, shape=shape_of(y))
            return Dual(xp, y, tangent)

        return call


def _push_slopes(base: Namespace, row: Primitive, y: Value, raw: Any, tangents: Any, params: Any) -> Value | None:
    total = None
    for k, (slope, tangent) in enumerate(zip(row.slopes or (), tangents, strict=True)):
        if tangent is None or slope is None:
            continue
        if is_complex(tangent) and row.wirtinger is not None:
            part = pushed(base, row.wirtinger[k], y, raw, tangent)
        elif type(slope) is float and slope == 0.0:
            continue
        elif is_complex(tangent) and not row.takes_complex:
            raise Unsupported("differentiation of complex numbers", row.name)
        elif callable(slope):
            part = base.multiply(slope(base, y, *raw), tangent)
        else:
            part = tangent if slope == 1.0 else base.multiply(slope, tangent)
        total = part if total is None else base.add(total, part)
    return total


def _push_linear(base: Namespace, row: Primitive, y: Value, raw: Any, tangents: Any, params: Any) -> Value:
    """A linear function moves by itself; what does not move counts as zeros."""
    operation = getattr(base, row.name)
    if row.arity == 1:
        return operation(tangents[0], **params)
    return operation(
        [base.zeros(shape=shape_of(x)) if t is None else t for x, t in zip(raw, tangents, strict=True)], **params
    )


def _push_jvp(base: Namespace, row: Primitive, y: Value, raw: Any, tangents: Any, params: Any) -> Value:
    assert row.jvp is not None, f"{row.name} is not linear and has no forward rule"
    if not row.takes_complex and any(t is not None and is_complex(t) for t in tangents):
        raise Unsupported("differentiation of complex numbers", row.name)
    return row.jvp(base, y, raw, tangents, params)
