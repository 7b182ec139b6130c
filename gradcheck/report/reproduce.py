"""How does a reader see the wrong number with own eyes? Four lines of Python, without gradcheck, that run as pasted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.judge.cells import Seen
from gradcheck.judge.telling import ONE_SIDED, interval
from gradcheck.report.as_called import as_called
from gradcheck.report.naming import Code
from gradcheck.report.reproduce_doors import DOORS
from gradcheck.report.reproduce_large import large_lines
from gradcheck.report.reproduce_words import Door, joined

QUOTIENT = 1e-6  # the step of a plain difference quotient, in sizes of the number


def lines(door: str, code: Code, seen: Seen) -> list[str]:
    """Words, and below them statements that print the number that was got beside the one that is right.

    None where no call shows it.
    """
    if door not in DOORS:  # the caller's own objects, of which no text can be made
        return []
    if seen.way == "large":
        return large_lines(DOORS[door], code, seen, _python(right_of(seen)))
    if seen.way == "stated":  # what stands beside the code is to be shown, in NumPy
        if door == "numpy" or code.parameters or not (code.rule("vjp") or code.rule("gradient")):
            return []
        count = len(seen.cotangent) if seen.several else 1
        outputs = (True,) * count if count > 1 else True
        door, code = "numpy", replace(code, learnt=replace(code.learnt, outputs=outputs), device=None)
    quotient = code.formula and door == "numpy"
    told = _quotient if quotient else _WAYS.get(seen.way)
    if told is None or (quotient and (seen.way or code.several or code.complex)) or _unsaid(door, code, seen):
        return []
    view = _View(DOORS[door], code, seen)
    body = [view.point(), *told(view)]
    text = "\n".join(body)
    place = [view.door.placed(code.device)] if code.device else []
    imports = "; ".join([*view.door.imports, *code.imports(text), *place])
    return [f"to see it, {code.where(text)}:", *(f"  {line}" for line in [imports, *body])]


def _unsaid(door: str, code: Code, seen: Seen) -> bool:
    """Whether the numbers are of a kind for which a way has no words."""
    mixed = len(set(code.learnt.complex_outputs)) > 1
    if seen.way in ("paired", "second") and code.several:
        return True
    if seen.way == "subsets" and door != "torch":  # JAX's words differentiate by one input anyway
        return True
    return (seen.way == "pushed" and mixed) or (seen.way == "second" and code.complex and door == "jax")


def right_of(seen: Seen) -> str:
    """The right number, no longer than its bar allows."""
    if not (math.isfinite(seen.right) and math.isfinite(seen.bar)) or seen.bar <= 0 or seen.right == 0:
        return repr(seen.right)
    digits = 1 - math.floor(math.log10(seen.bar))
    return repr(round(seen.right, digits) + 0.0) if digits < 300 else repr(seen.right)


class _View:
    """One number that was seen, in the words of one door."""

    def __init__(self, door: Door, code: Code, seen: Seen) -> None:
        self.door, self.code, self.seen, self.called = door, code, seen, as_called(code, seen)
        self.names = [n for n in seen.inputs if seen.way != "second" or n != "ct"]
        self.which = self.names.index(seen.input) if seen.input in self.names else len(self.names)
        self.cts = self.called.cotangents
        self.ct_names = door.cotangent_names(code, len(self.cts))

    def point(self) -> str:
        """The inputs and the cotangent."""
        inputs = self.arrays(self.called.inputs, "inputs")
        if self.seen.way == "second":
            return f"{inputs}; ct = {self.door.array(self.called.inputs['ct'])}; u = {joined(self._cotangents())}"
        return f"{inputs}; ct = {self.door.cotangent(self.code, self._cotangents())}"

    def arrays(self, values: Mapping[str, Any], name: str) -> str:
        return f"{name} = {self.door.many([values[n] for n in self.names], self.code.moving)}"

    def _cotangents(self) -> list[str]:
        return [self.door.array(c) for c in self.cts]

    def element(self, gradient: str) -> str:
        """One number of an array."""
        if self.seen.along:
            return f"float((lambda g: {self.seen.terms('g')})({gradient}))"
        return f"float({gradient}{list(self.called.index) or ''}{self.called.part and '.' + self.called.part})"

    def gradient(self) -> str:
        return self.door.gradient(self.code, self.which, self.seen.got == 0)

    def along(self) -> list[tuple[int, str]]:
        """What each input moves by: (its place, the array)."""
        steps = {self.names.index(n): step for n, step in self.called.beside.items() if step is not None}
        return [(k, self.door.array(step)) for k, step in steps.items() if k in self.code.moving]

    def moved(self) -> list[str]:
        """The gradient by each input times what that moves by."""
        return [self._product(self.door.gradient(self.code, k, False), k, step) for k, step in self.along()]

    def _product(self, gradient: str, k: int, step: str) -> str:
        if self.names[k] in self.code.complex_inputs:
            return f"({gradient}.conj() * {step}).sum().real"
        return f"({gradient} * {step}).sum()"

    def numbered(self, array: str, number: int, paired: bool) -> str:
        """One number of an array, counted in a row; of complex ones, by real and imaginary parts."""
        if not paired:
            return f"float({array}.reshape(-1)[{number}])"
        return f"float({array}.reshape(-1)[{number // 2}].{('real', 'imag')[number % 2]})"


def _plain(view: _View) -> list[str]:
    if not view.seen.whose:  # it raises
        return [f"print({view.gradient()})"]
    ends = interval(view.seen.right, view.seen.bar)
    if view.seen.whose == ONE_SIDED and len(ends) == 2:
        return [f'print({view.element(view.gradient())}, "should be from {ends[0]} to {ends[1]}")']
    return [f'print({view.element(view.gradient())}, "should be", {_python(right_of(view.seen))})']


def _python(number: str) -> str:
    return f"float({number!r})" if number in ("nan", "inf", "-inf") else number


def _shape(view: _View) -> list[str]:
    shape = np.shape(view.called.inputs[view.seen.input])
    return [f'print({view.gradient()}, "should have shape", {shape})']


def _real(view: _View) -> list[str]:
    return [f'print({view.gradient()}, "should be real numbers")']


def _along(view: _View) -> list[str]:
    low, high = view.seen.right - view.seen.bar, view.seen.right + view.seen.bar
    return [f"got = float({' + '.join(view.moved())})", f'print(got, "should lie from", {low:.9g}, "to", {high:.9g})']


def _again(view: _View) -> list[str]:
    call = view.element(view.gradient())
    return [f'print([{call} for _ in range(3)], "should be one number")']


def _value_again(view: _View) -> list[str]:
    return [f'print([{view.door.call(view.code)} for _ in range(3)], "should be the same")']


def _between(view: _View) -> list[str]:
    call, door = view.element(view.gradient()), view.door
    other = view.arrays(view.called.beside, "other")
    value, asked = door.call(view.code), door.gradient(view.code, view.which, False)
    elsewhere = ", ".join(f"{part}".replace("*inputs", "*other").replace("inputs", "other") for part in (value, asked))
    return [f"{other}; before = {call}; {elsewhere}; {value}", f'print({call}, "should be", before)']


def _twice(view: _View) -> list[str]:
    first, second = view.door.twice(view.code, view.which)
    return [f"{first}", f'print({view.element(second)}, "should be", {view.element("first")})']


def _wrote(view: _View) -> list[str]:
    door, facts = view.door, view.seen.beside
    call = door.call(view.code) if facts["by"] == "the function" else view.gradient()
    place, count = facts["place"], len(view.names)
    if place < count:
        array, paired = f"inputs[{place}]", view.names[place] in view.code.complex_inputs
    else:
        array, paired = view.ct_names[place - count], bool(np.iscomplexobj(view.cts[place - count]))
    number = view.numbered(array, facts["element"], paired)
    return [f"before = {number}; {call}", f'print({number}, "should be", before)']


def _layout(view: _View) -> list[str]:
    of, kind = view.seen.beside["of"], view.seen.beside["kind"]
    door = view.door
    if of == "inputs":
        laid = [door.laid(kind, f"inputs[{k}]", np.shape(v)) for k, v in enumerate(view.called.inputs.values())]
        change = f"inputs = {door.sequence(laid, view.code.moving)}"
    else:
        laid = [door.laid(kind, name, np.shape(c)) for name, c in zip(view.ct_names, view.cts, strict=True)]
        change = f"ct = {door.cotangent(view.code, laid)}"
    call = view.element(view.gradient())
    return [f"plain = {call}; {change}", f'print({call}, "should be", plain)']


def _pushed(view: _View) -> list[str]:
    first, tangent = view.door.pushed(view.code, view.along())
    number = view.numbered(tangent, view.seen.index[0], any(view.code.learnt.complex_outputs))
    return [*first, f'print({number}, "should be", {_python(right_of(view.seen))})']


def _paired(view: _View) -> list[str]:
    first, tangent = view.door.pushed(view.code, view.along())
    there = (
        f"(ct.conj() * {tangent}).sum().real" if any(view.code.learnt.complex_outputs) else f"(ct * {tangent}).sum()"
    )
    return [*first, f'print(float({" + ".join(view.moved())}), "should be", float({there}))']


def _second(view: _View) -> list[str]:
    found = view.door.second(view.code, view.which, len(view.names))
    return [f'print({view.element(found)}, "should be", {_python(right_of(view.seen))})']


def _subsets(view: _View) -> list[str]:
    call, live = view.element(view.gradient()), tuple(view.seen.beside["live"])
    some = f"[x.detach().requires_grad_(k in {live}) for k, x in enumerate(inputs)]"
    return [f"plain = {call}; inputs = {some}", f'print({call}, "should be", plain)']


def _quotient(view: _View) -> list[str]:
    """For a claim that is a formula: the number it gives beside a difference quotient of the function."""
    seen = view.seen
    x = np.asarray(seen.inputs[seen.input], dtype=float)
    weights = seen.along or ((seen.index, 1.0),)
    h = QUOTIENT * max(1e-3, *(abs(float(x[index])) for index, _ in weights))
    steps = "; ".join(f"step[{', '.join(map(str, index)) or '()'}] = {w * h!r}" for index, w in weights)
    moved = view.door.of(view.code, f"*[x + s * step if k == {view.which} else x for k, x in enumerate(inputs)]")
    return [
        f"step = np.zeros({x.shape}); {steps}; up, down = (np.asarray({moved}) for s in (1, -1))",
        f'print({_python(repr(seen.got))}, "should be", float((ct * (up - down)).sum() / {2 * h!r}))',
    ]


_WAYS: Mapping[str, Any] = {
    "": _plain, "as stated": _plain, "stated": _plain, "shape": _shape, "real": _real, "along": _along, "again": _again,
    "value": _value_again, "between": _between, "twice": _twice, "wrote": _wrote, "layout": _layout,
    "pushed": _pushed, "paired": _paired, "second": _second, "subsets": _subsets,
}  # fmt: skip
