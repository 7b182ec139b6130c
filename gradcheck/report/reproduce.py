"""How does a reader see the wrong number with own eyes? Four lines of Python, without gradcheck, that run as pasted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.judge.cells import Seen
from gradcheck.report.naming import Code
from gradcheck.report.reproduce_doors import DOORS, Door

QUOTIENT = 1e-6  # the step of a plain difference quotient, in sizes of the number


def lines(door: str, code: Code, seen: Seen) -> list[str]:
    """Words, and below them statements that print the number that was got beside the one that is right.

    None where no call shows it.
    """
    told = _quotient if code.formula else _WAYS.get(seen.way)
    unsaid = (code.formula and seen.way) or (code.several and seen.way == "paired")
    if told is None or unsaid:
        return []
    view = _View(DOORS[door], code, seen)
    body = [view.point(), *told(view)]
    text = "\n".join(body)
    place = [view.door.placed(code.device)] if code.device else []
    imports = "; ".join([*view.door.imports, *code.imports(text), *place])
    return [f"to see it, {code.where(text)}:", *(f"  {line}" for line in [imports, *body])]


def right_of(seen: Seen) -> str:
    """The right number, no longer than its bar allows."""
    if not (math.isfinite(seen.right) and math.isfinite(seen.bar)) or seen.bar <= 0 or seen.right == 0:
        return repr(seen.right)
    digits = 1 - math.floor(math.log10(seen.bar))
    return repr(round(seen.right, digits) + 0.0) if digits < 300 else repr(seen.right)


class _View:
    """One number that was seen, in the words of one door."""

    def __init__(self, door: Door, code: Code, seen: Seen) -> None:
        self.door, self.code, self.seen = door, code, seen
        self.names = [n for n in seen.inputs if seen.way != "second" or n != "ct"]
        self.which = self.names.index(seen.input) if seen.input in self.names else len(self.names)
        self.cts = list(seen.cotangent) if seen.several else [seen.cotangent]

    def point(self) -> str:
        """The inputs and the cotangent."""
        inputs = self.arrays([self.seen.inputs[n] for n in self.names], "inputs")
        if self.seen.way == "second":
            return f"{inputs}; ct = {self.door.array(self.seen.inputs['ct'])}; u = {self._cotangent()}"
        return f"{inputs}; ct = {self._cotangent()}"

    def arrays(self, values: Sequence[Any], name: str) -> str:
        return f"{name} = {self.door.many(values, self.code.moving)}"

    def _cotangent(self) -> str:
        return joined([self.door.array(c) for c in self.cts])

    def element(self, gradient: str) -> str:
        """One number of an array."""
        index = f"[{', '.join(map(str, self.seen.index))}]" if self.seen.index else ""
        return f"float({gradient}{index})"

    def gradient(self) -> str:
        return self.door.gradient(self.code, self.which, self.seen.got == 0)

    def along(self) -> list[tuple[int, str]]:
        """What each input moves by: (its place, the array)."""
        steps = {self.names.index(n): step for n, step in self.seen.beside.items() if step is not None}
        return [(k, self.door.array(step)) for k, step in steps.items() if k in self.code.moving]


def joined(texts: Sequence[str]) -> str:
    """One, or a tuple of several."""
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _plain(view: _View) -> list[str]:
    if not view.seen.whose:  # it raises
        return [f"print({view.gradient()})"]
    return [f'print({view.element(view.gradient())}, "should be", {_python(right_of(view.seen))})']


def _python(number: str) -> str:
    return f"float({number!r})" if number in ("nan", "inf", "-inf") else number


def _shape(view: _View) -> list[str]:
    shape = np.shape(view.seen.inputs[view.seen.input])
    return [f'print({view.gradient()}, "should have shape", {shape})']


def _along(view: _View) -> list[str]:
    low, high = view.seen.right - view.seen.bar, view.seen.right + view.seen.bar
    moved = [f"({view.door.gradient(view.code, k, False)} * {step}).sum()" for k, step in view.along()]
    return [f"got = float({' + '.join(moved)})", f'print(got, "should lie from", {low:.9g}, "to", {high:.9g})']


def _again(view: _View) -> list[str]:
    call = view.element(view.gradient())
    return [f'print([{call} for _ in range(3)], "should be one number")']


def _value_again(view: _View) -> list[str]:
    return [f'print([{view.door.call(view.code)} for _ in range(3)], "should be the same")']


def _between(view: _View) -> list[str]:
    call, door = view.element(view.gradient()), view.door
    other = view.arrays([view.seen.beside[n] for n in view.names], "other")
    value, asked = door.call(view.code), door.gradient(view.code, view.which, False)
    elsewhere = ", ".join(f"{part}".replace("*inputs", "*other").replace("inputs", "other") for part in (value, asked))
    return [f"{other}; before = {call}; {elsewhere}; {value}", f'print({call}, "should be", before)']


def _twice(view: _View) -> list[str]:
    first, second = view.door.twice(view.code, view.which)
    return [f"{first}", f'print({view.element(second)}, "should be", {view.element("first")})']


def _wrote(view: _View) -> list[str]:
    door, facts = view.door, view.seen.beside
    call = door.call(view.code) if facts["by"] == "the function" else view.gradient()
    place = facts["place"]
    array = (
        f"inputs[{place}]"
        if place < len(view.names)
        else "ct"
        if len(view.cts) == 1
        else f"ct[{place - len(view.names)}]"
    )
    number = f"float({array}.reshape(-1)[{facts['element']}])"
    return [f"before = {number}; {call}", f'print({number}, "should be", before)']


def _layout(view: _View) -> list[str]:
    of, kind = view.seen.beside["of"], view.seen.beside["kind"]
    door = view.door
    if of == "inputs":
        laid = [door.laid(kind, f"inputs[{k}]", np.shape(v)) for k, v in enumerate(view.seen.inputs.values())]
        change = f"inputs = {door.sequence(laid, view.code.moving)}"
    elif len(view.cts) == 1:
        change = f"ct = {door.laid(kind, 'ct', np.shape(view.cts[0]))}"
    else:
        change = f"ct = {joined([door.laid(kind, f'ct[{k}]', np.shape(c)) for k, c in enumerate(view.cts)])}"
    call = view.element(view.gradient())
    return [f"plain = {call}; {change}", f'print({call}, "should be", plain)']


def _pushed(view: _View) -> list[str]:
    first, tangent = view.door.pushed(view.code, view.along())
    number = f"float({tangent}.reshape(-1)[{view.seen.index[0]}])"
    return [*first, f'print({number}, "should be", {_python(right_of(view.seen))})']


def _paired(view: _View) -> list[str]:
    first, tangent = view.door.pushed(view.code, view.along())
    back = " + ".join(f"({view.door.gradient(view.code, k, False)} * {step}).sum()" for k, step in view.along())
    return [*first, f'print(float({back}), "should be", float((ct * {tangent}).sum()))']


def _second(view: _View) -> list[str]:
    found = view.door.second(view.code, view.which, len(view.names))
    return [f'print({view.element(found)}, "should be", {_python(right_of(view.seen))})']


def _quotient(view: _View) -> list[str]:
    """For a claim that is a formula: the number it gives beside a difference quotient of the function."""
    seen = view.seen
    x = np.asarray(seen.inputs[seen.input], dtype=float)
    h = QUOTIENT * max(abs(float(x[seen.index])), 1e-3)
    moved = f"{view.code.fn}(*[x + s * step if k == {view.which} else x for k, x in enumerate(inputs)])"
    index = ", ".join(map(str, seen.index)) or "()"
    return [
        f"step = np.zeros({x.shape}); step[{index}] = {h!r}; up, down = (float({moved}) for s in (1, -1))",
        f'print({_python(repr(seen.got))}, "should be", float(ct) * (up - down) / {2 * h!r})',
    ]


_WAYS: Mapping[str, Any] = {
    "": _plain, "shape": _shape, "along": _along, "again": _again, "value": _value_again, "between": _between,
    "twice": _twice, "wrote": _wrote, "layout": _layout, "pushed": _pushed, "paired": _paired, "second": _second,
}  # fmt: skip
