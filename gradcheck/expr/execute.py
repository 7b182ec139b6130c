"""How is a code block run? Each statement compiles to `state -> signal`.

A signal is None, "break", "continue" or a returned value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.errors import EvaluationError
from gradcheck.expr import nodes as n
from gradcheck.expr.evaluate import Closure, State, compile_expression, compile_fixed, decide


class _Returned:
    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def compile_block(body: tuple[n.Statement, ...]) -> Closure:
    steps = _statements(body)

    def run(s: State) -> Any:
        signal = steps(s)
        assert isinstance(signal, _Returned)
        return signal.value

    return run


def _statements(body: tuple[n.Statement, ...]) -> Closure:
    steps = [_EXECUTE[type(statement)](statement) for statement in body]

    def run(s: State) -> Any:
        for step in steps:
            signal = step(s)
            if signal is not None:
                return signal
        return None

    return run


def _assign(node: n.Assign) -> Closure:
    value, targets = compile_expression(node.value), node.targets

    def run(s: State) -> None:
        result = value(s)
        s.env.update(zip(targets, result if len(targets) > 1 else (result,), strict=True))

    return run


def _if(node: n.If) -> Closure:
    condition, body, orelse = compile_expression(node.condition), _statements(node.body), _statements(node.orelse)
    return lambda s: body(s) if decide(s, condition(s), node) else orelse(s)


def _while(node: n.While) -> Closure:
    condition, body = compile_expression(node.condition), _statements(node.body)

    def run(s: State) -> Any:
        at_first: n.While | None = node
        while decide(s, condition(s), at_first):
            at_first = None
            s.control.step(node.at[0])
            signal = body(s)
            if signal == "break":
                break
            if isinstance(signal, _Returned):
                return signal
        return None

    return run


def _for(node: n.For) -> Closure:
    bounds, body = [compile_fixed(b, "an end of the range") for b in node.bounds], _statements(node.body)

    def run(s: State) -> Any:
        limits = [b(s) for b in bounds]
        if not all(type(limit) is int for limit in limits):
            raise EvaluationError(f"range takes whole numbers, one each (line {node.at[0]})")
        if s.watch is not None:
            s.watch(node, [bool(range(*limits))], {})
        for i in range(*limits):
            s.control.step(node.at[0])
            s.env[node.target] = i
            signal = body(s)
            if signal == "break":
                break
            if isinstance(signal, _Returned):
                return signal
        return None

    return run


def _define(node: n.Define) -> Closure:
    body = compile_block(node.body)

    def run(s: State) -> None:
        s.functions[node.name] = (node.parameters, body)

    return run


def _return(node: n.Return) -> Closure:
    value = compile_expression(node.value)
    return lambda s: _Returned(value(s))


def _jump(node: n.Jump) -> Closure:
    signal = None if node.kind == "pass" else node.kind
    return lambda s: signal


_EXECUTE: dict[type, Callable[[Any], Closure]] = {
    n.Assign: _assign, n.If: _if, n.While: _while, n.For: _for,
    n.Define: _define, n.Return: _return, n.Jump: _jump,
}  # fmt: skip
