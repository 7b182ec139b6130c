"""How does someone start who wants to compute and differentiate as they go?

With a leaf `tensor`, with the functions of the vocabulary on it (`EAGER` is their namespace over NumPy), and with
`no_grad` where nothing is to be recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradcheck.engine.reverse import Reverse
from gradcheck.engine.tape import NO_GRADIENTS, Tensor
from gradcheck.errors import TapeError
from gradcheck.expr.vocabulary import NUMPY

EAGER = Reverse(NUMPY)


def tensor(data: Any, requires_grad: bool = False, dtype: Any = None) -> Tensor:
    """A leaf tensor with a copy of `data` (numbers, nested lists, arrays)."""
    array = np.array(data, dtype)
    if requires_grad and array.dtype.kind not in "fc":
        raise TapeError(NO_GRADIENTS)
    return Tensor(EAGER, array, requires_grad)


@contextmanager
def no_grad(xp: Reverse = EAGER) -> Iterator[None]:
    """Compute without recording: results require no gradient. May be nested, and decorates functions too."""
    with _mode(xp, False, xp.inference):
        yield


@contextmanager
def enable_grad(xp: Reverse = EAGER) -> Iterator[None]:
    """Record again inside `no_grad`; inside `inference` nothing is recorded."""
    with _mode(xp, not xp.inference, xp.inference):
        yield


@contextmanager
def inference(xp: Reverse = EAGER) -> Iterator[None]:
    """As `no_grad`, and what is computed may never require a gradient afterwards."""
    with _mode(xp, False, True):
        yield


def is_grad_enabled(xp: Reverse = EAGER) -> bool:
    """Whether operations are recorded."""
    return xp.recording


@contextmanager
def _mode(xp: Reverse, recording: bool, inference: bool) -> Iterator[None]:
    before = xp.recording, xp.inference
    xp.recording, xp.inference = recording, inference
    try:
        yield
    finally:
        xp.recording, xp.inference = before
