"""How is one point told, step by step? Every value with its formula in earlier steps, every adjoint with its rule.

A `Telling` is plain data: terminal and JSON show the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.engine import Tensor
from gradcheck.engine.cotangents import tape_of
from gradcheck.engine.steps import Decision, Operation
from gradcheck.expr import VOCABULARY
from gradcheck.report.written import NotWritten, Written, text_in
from gradcheck.report.written_at import PointWriter, listed, rules
from gradcheck.run.trace import Traced

INLINE = 28  # characters of a constant that stands where it is used
LETTERS = "vwuszqcdk"  # of steps: the first that no input has


@dataclass(frozen=True, slots=True)
class Up:
    """One row on the way up."""

    kind: str  # "input", "constant", "step" or "branch"
    name: str  # "v1"; "" for a branch
    formula: str  # in earlier names; "" for an input
    primitive: str  # the operation's name in the vocabulary
    shape: tuple[int, ...]
    value: Any  # nested lists; of a branch whether its condition held
    output: str = ""  # the name of the output that it is


@dataclass(frozen=True, slots=True)
class Down:
    """One contribution on the way down: to the adjoint of `to`, from that of the step `of` ("": the start)."""

    of: str
    to: str
    place: str  # the part of `to` that it is added to: "[0]"; "" for the whole
    rule: str  # a formula in adjoints and values; "" where the rule of the primitive cannot be written as one
    primitive: str
    adds: Any
    total: Any  # what the adjoint of `to` comes to so far
    again: bool  # whether it was something before


@dataclass(frozen=True, slots=True)
class Telling:
    """All rows, and the names of the tensors: inputs and steps."""

    up: tuple[Up, ...]
    down: tuple[Down, ...]
    names: Mapping[str, Tensor]


def telling(traced: Traced) -> Telling:
    """The rows of a trace."""
    with np.errstate(all="ignore"):
        return _Teller(traced).telling()


class _Teller:
    """Names everything in order; what is constant stands where it is used, if that is short."""

    def __init__(self, traced: Traced) -> None:
        self.traced = traced
        self.xp = PointWriter()
        self.roots = traced.roots
        self.tape = tape_of(self.roots) if self.roots else []
        self.steps = {id(t.data): t for t in self.tape if t.rule is not None}
        self.letter, self.constant = letters([*traced.leaves, *traced.point.case.sizes, *traced.outputs])
        self.told: dict[int, Written] = {}  # by the identity of the number that a formula stands for
        self.names: dict[str, Tensor] = {}
        self.rows: list[Up] = []
        self.counts = {self.letter: 0, self.constant: 0}

    def telling(self) -> Telling:
        for name, leaf in self.traced.leaves.items():
            self.rows.append(Up("input", name, "", "", leaf.shape, _plain(leaf.data)))
            self.told[id(leaf.data)] = Written(self.xp, name, known=leaf.data)
            self.names[name] = leaf
        for step in self.traced.taken:
            self.operation(step) if isinstance(step, Operation) else self.decision(step)
        self.outputs()
        down = tuple(self.down())
        return Telling(tuple(self.rows), down, self.names)

    def operation(self, step: Operation) -> None:
        """A row for a step of the tape; a formula, and a row if it is long, for what is constant."""
        tensor = self.steps.get(id(step.value))
        told = self.formula(step)
        if tensor is not None:
            name = self.new(self.letter)
            self.names[name] = tensor
            self.rows.append(Up("step", name, told.text, step.name, tensor.shape, _plain(step.value)))
        elif len(told.text) > INLINE:
            name = self.new(self.constant)
            self.rows.append(Up("constant", name, told.text, step.name, np.shape(step.value), _plain(step.value)))
        else:
            self.told[id(step.value)] = told
            return
        self.told[id(step.value)] = Written(self.xp, name, known=step.value)

    def formula(self, step: Operation) -> Written:
        row = VOCABULARY[step.name]
        args, params = tuple(map(self.operand, step.args)), {k: self.operand(v) for k, v in step.params.items()}
        try:
            told = self.xp.write(row, args, params)
        except NotWritten:
            told = Written(self.xp, f"{step.name}(…)")
        told.known = step.value
        return told

    def operand(self, value: Any) -> Any:
        """A formula for what has one, else the value; single numbers in arrays as numbers."""
        value = value.data if isinstance(value, Tensor) else value
        if id(value) in self.told and not isinstance(value, bool | int | float):
            return self.told[id(value)]
        if isinstance(value, tuple | list):
            return type(value)(map(self.operand, value))
        return listed(value) if isinstance(value, np.ndarray) else value

    def decision(self, step: Decision) -> None:
        condition = self.operand(step.condition)
        text = text_in(condition, 0) if isinstance(condition, Written | bool | int | float) else "a condition"
        self.rows.append(Up("branch", "", text, "", (), step.held))

    def new(self, letter: str) -> str:
        self.counts[letter] += 1
        return f"{letter}{self.counts[letter]}"

    def outputs(self) -> None:
        """Marks the rows of the outputs; a row for one that is no step."""
        for output, y in self.traced.outputs.items():
            data = y.data if isinstance(y, Tensor) else y
            formula = self.operand(data)
            name = formula.text if isinstance(formula, Written) else ""
            at = next((k for k, row in enumerate(self.rows) if name and row.name == name and not row.output), None)
            if at is None:
                text = text_in(formula, 0) if isinstance(formula, Written | int | float) else ""
                self.rows.append(Up("constant", "", text, "", np.shape(data), _plain(data), output))
            else:
                row = self.rows[at]
                self.rows[at] = Up(row.kind, row.name, row.formula, row.primitive, row.shape, row.value, output)

    def down(self) -> Iterator[Down]:
        """From the last step to the first what each adds to the adjoints of its arguments."""
        adjoints = self.traced.adjoints
        names = {tensor: name for name, tensor in self.names.items()}
        totals: dict[Tensor, Any] = {}

        def row(of: str, to: Tensor, place: str, rule: str, primitive: str, adds: Any) -> Down:
            again = to in totals
            totals[to] = totals[to] + adds if again else adds
            return Down(of, names[to], place, rule, primitive, _plain(adds), _plain(totals[to]), again)

        of_root = {id(y): name for name, y in self.traced.outputs.items()}
        for root, ct in zip(self.roots, self.traced.cotangents, strict=True):
            output = of_root[id(root)]
            yield row("", root, "", "ct" if len(self.traced.outputs) == 1 else f"ct_{output}", "", ct)
        for tensor in reversed(self.tape):
            if tensor.rule is None or tensor not in adjoints:
                continue
            name, args = names[tensor], tuple(map(self.operand, tensor.raw))
            for parent, adds, place, text in rules(tensor, name, args, adjoints[tensor]):
                yield row(name, parent, place, text, tensor.rule.row.name, np.asarray(adds))


def letters(names: Sequence[str]) -> tuple[str, str]:
    """Letters for the steps and for constants, which nothing in the spec is called by."""
    free = [c for c in LETTERS if not any(re.fullmatch(rf"{c}\d*", name) for name in names)]
    return free[0], next(c for c in free[1:] if c == "c" or "c" not in free)


def _plain(value: Any) -> Any:
    """Nested lists of numbers; complex ones as texts, which is what JSON can hold."""
    array = np.asarray(value)
    return _texts(array.tolist()) if array.dtype.kind == "c" else array.tolist()


def _texts(value: Any) -> Any:
    return [_texts(part) for part in value] if isinstance(value, list) else f"{value + 0:.6g}"  # no minus before a zero
