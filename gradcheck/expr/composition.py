"""Which functions are said in terms of others?

A composition is a row of the vocabulary whose meaning is a formula in other rows. Every namespace runs the formula in
itself, so modes, orders, batches and error bounds follow from the rows it uses, and it needs no rule of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

from gradcheck.expr.primitive import Namespace, Primitive

NUMPY: Namespace = SimpleNamespace()  # the vocabulary on NumPy arrays; `gradcheck.expr.vocabulary` fills it


def composition(name: str, arity: int | None, formula: Callable[..., Any], **more: Any) -> Primitive:
    """A row that means `formula(xp, *arrays, **params)`; the parameters have their defaults in the formula too."""
    return Primitive(name, arity, partial(formula, NUMPY), compose=formula, **more)
