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
    """Compute without recording: results require no gradient. May be nested."""
    before, xp.recording = xp.recording, False
    try:
        yield
    finally:
        xp.recording = before
