"""What is NumPy's Python for a gradient? Calls of the rules beside a function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradcheck.cases.arguments import written
from gradcheck.report.naming import Code
from gradcheck.report.reproduce_words import BETWEEN, Door, Steps, called, number
from gradcheck.spec.trees import is_tree, leaves, paths


class NumpyDoor(Door):
    """Arrays, and a rule beside the function."""

    imports: tuple[str, ...] = ("import numpy as np",)

    def placed(self, device: str) -> str:
        raise AssertionError("NumPy has no devices")

    def array(self, value: Any) -> str:
        return f"np.array({number(value, 'np.nan', 'np.inf')})"

    def given(self, array: str) -> str:
        return array

    def sequence(self, items: Sequence[str], moving: Sequence[int]) -> str:
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"

    def cotangent(self, code: Code, texts: Sequence[str]) -> str:
        rest = iter(texts)
        return written(code.learnt.outputs, [next(rest) if real else "0.0" for real in leaves(code.learnt.outputs)])

    def cotangent_names(self, code: Code, count: int) -> list[str]:
        return [f"ct{path}" for path in _paths(code)]

    def of(self, code: Code, arguments: str) -> str:
        return called(code, code.fn, arguments)

    def gradient(self, code: Code, which: int, nothing: bool) -> str:
        if code.rule("gradient"):
            found = f"{code.rule('gradient')}({self._arguments(code)})"
            return f"(ct * {self._part(code, found, which)})"
        return self._part(code, f"{code.rule('vjp')}({self._arguments(code)}, ct)", which)

    def _arguments(self, code: Code) -> str:
        return f"({code.form.text(words=False)},)" if code.form.nested else "inputs"

    def _part(self, code: Code, found: str, which: int) -> str:
        """The gradient by one input, of what a rule gives."""
        if code.form.nested:
            alone = "(lambda g: g if isinstance(g, (tuple, list)) else [g])" if len(code.form.like) == 1 else ""
            return f"{alone}({found}){code.form.path(which)}" if alone else f"{found}{code.form.path(which)}"
        if code.learnt.answer == "bare":
            return found
        moves = code.learnt.answer == "moving" and which in code.moving
        return f"{found}[{code.moving.index(which) if moves else which}]"

    def twice(self, code: Code, which: int) -> tuple[str, str]:
        call = self.gradient(code, which, False)
        return f"first = {call}; again = {call}", "again"

    def pushed(self, code: Code, along: Steps) -> tuple[list[str], str]:
        by = dict(along)
        tangents = self.sequence([step for _, step in along], ())
        if code.form.nested:
            row = [by.get(k, "None") for k in range(len(leaves(code.form.like, is_tree)))]
            tangents = f"({code.form.text(words=False, row=row)},)"
        found = f"{code.rule('jvp')}({self._arguments(code)}, {tangents})"
        if not code.several:
            return [], f"np.asarray({found})"
        rows = ", ".join(f"np.ravel(v{path})" for path in _paths(code))
        return [], f"(lambda v: np.concatenate([{rows}]))({found})"

    def second(self, code: Code, which: int, count: int) -> str:
        place = len(code.moving) if which == count else code.moving.index(which)
        return f"{code.rule('second')}(inputs, ct, u)[{place}]"

    def laid(self, kind: str, name: str, shape: tuple[int, ...]) -> str:
        if not shape:
            return f"np.array({name})"
        room = (*shape[:-1], 2 * shape[-1])
        strided = f"np.stack([{name}, np.full_like({name}, {BETWEEN})], -1).reshape({room})[..., ::2]"
        return {
            "strided": strided,
            "transposed": f"np.asfortranarray({name})" if len(shape) > 1 else strided,
            "reversed": f"np.flip(np.flip({name}, -1).copy(), -1)",
            "repeated": f"np.broadcast_to({name}[:1], {shape})",
            "expanded": f"np.broadcast_to(1.0, {shape})",
        }[kind]


def _paths(code: Code) -> list[str]:
    """Where each output with a derivative stands in the function's result."""
    return ["".join(f"[{key!r}]" for key in path) for path, real in paths(code.learnt.outputs) if real]
