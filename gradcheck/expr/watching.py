"""Which pieces did an evaluation take? Controls that are told of every choice, and remember at which points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.expr.batch import Batch, Batched
from gradcheck.expr.choices import Choice
from gradcheck.expr.control import Control, Rows
from gradcheck.expr.evaluate import State, compile_expression
from gradcheck.expr.vocabulary import NUMPY

Mask = NDArray[np.bool_]


class Watched:
    """The points of a batch at which each side of each choice was taken, by any element, in evaluations in NumPy.

    masks: (sides, points) for each choice, in their order. A part of the batch may be evaluated more than once.
    """

    def __init__(self, choices: Sequence[Choice], points: int) -> None:
        self.choices = tuple(choices)
        self.masks: list[Mask] = [np.zeros((len(c.sides), points), dtype=bool) for c in choices]
        self._number = {id(c.node): k for k, c in enumerate(choices)}
        self._tests = [[compile_expression(test) for test in c.tests] for c in choices]

    def control(self, rows: Rows) -> Control:
        """The control for an evaluation at some rows of the batch."""
        control = Control(guard=False)
        control.watch = lambda node, values, params: self._told(rows, node, values, params)
        return control

    def _told(self, rows: Rows, node: Any, values: list[Any], params: dict[str, Any]) -> None:
        k = self._number.get(id(node))
        if k is None:
            return
        if not self._tests[k]:  # a condition, which went one way for all these points
            self.masks[k][0 if values[0] else 1, rows] = True
            return
        if any(np.iscomplexobj(getattr(value, "data", value)) for value in values):
            self.masks[k][:, rows] = True  # among complex numbers nothing is chosen by their order
            return
        named = {str(place): value for place, value in enumerate(values)} | params
        for side, test in enumerate(self._tests[k]):
            holds = test(State(Batch(NUMPY), named, Control(guard=False)))
            data = np.asarray(holds.data if isinstance(holds, Batched) else holds, dtype=bool)
            self.masks[k][side, rows] |= _anywhere(data) if isinstance(holds, Batched) else data.any()


def _anywhere(mask: Mask) -> Mask:
    return np.asarray(mask.reshape(len(mask), -1).any(axis=1))
