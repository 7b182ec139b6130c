"""Which array of a program is not needed any more, so that another result may lie where it lay?

Values may show one memory: a slice, a transposed matrix, a reshaped array where its layout allows it. Whether they do
can change with the layout of what is given, so every result is taken to share the memory of all its operands, but for
those of functions that are known to make a new array each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcheck.engine.writer import Line, Written, parts

WORTHWHILE = 1024  # bytes: below, memory costs less than looking after it
NEW = {"concat", "mean", "scatter", "stack", "sum", "where"}  # always a new array, as of each of NumPy's ufuncs


class Memory:
    """What memory each value may show, and until when it is needed.

    A group is all values that may share memory; the one with the arguments and the constants in it has the number -1.
    """

    def __init__(self, lines: Sequence[Line], result: Any) -> None:
        self._lines = lines
        self._made = {id(line.result) for line in lines if _makes_new(line)}
        self._group: dict[int, int] = {}
        self._used: dict[int, int] = {}  # the last line that a value is used in
        for i, line in enumerate(lines):
            self._join(i, line)
            for value in (line.result, *line.operands()):
                self._used[id(value)] = i
        kept = [part for part in parts(result) if type(part) is Written]
        self._used |= {id(value): len(lines) for value in kept}
        self._ends: dict[int, int] = {}  # the last line that a group is used in
        for one, group in self._group.items():
            self._ends[group] = max(self._ends.get(group, -1), self._used[one])

    def _join(self, i: int, line: Line) -> None:
        """The group of one result: a new one, or that of all its operands."""
        if id(line.result) in self._made:
            self._group[id(line.result)] = i
            return
        together = {self._group.get(id(part), -1) for part in parts(line.arrays) if hasattr(part, "shape")}
        group = min(together, default=-1)
        self._group |= {value: group for value, other in self._group.items() if other in together}
        self._group[id(line.result)] = group

    def free_for(self, i: int) -> Written | None:
        """An operand of line i whose array the result may be written into; None where there is none.

        Only NumPy's own elementwise functions take one, and only an array of the result's shape and dtype will do.
        """
        line = self._lines[i]
        held = line.result.held
        if not isinstance(line.row.numpy, np.ufunc) or line.row.numpy.signature or not _matters(line.result):
            return None
        for value in line.operands():
            group = self._group.get(id(value), -1)
            alike = value.held.shape == held.shape and value.held.dtype == held.dtype
            if alike and id(value) in self._made and group >= 0 and self._ends[group] == i:
                return value
        return None

    def let_go(self, i: int) -> list[Written]:
        """The values that no line behind i needs, if they are large."""
        gone = {id(v): v for v in self._lines[i].operands() if v.line is not None and self._used[id(v)] == i}
        return [value for value in gone.values() if _matters(value)]

    def own(self, value: Written) -> bool:
        """Whether a value's memory was made by the program, for it alone."""
        return id(value) in self._made


def _makes_new(line: Line) -> bool:
    return isinstance(line.row.numpy, np.ufunc) or line.row.name in NEW


def _matters(value: Written) -> bool:
    return isinstance(value.held, np.ndarray) and value.held.nbytes >= WORTHWHILE
