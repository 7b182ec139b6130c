"""What is differentiated? Functions written once against `xp`, and arguments for them of stated sizes."""

from __future__ import annotations

from typing import Any

import numpy as np


def chain(xp: Any, x: Any) -> Any:
    """Six operations on an array, down to one number."""
    return xp.sum(xp.tanh(x * 1.5 + 0.25) * xp.sin(x))


def chain_arguments(n: int) -> list[Any]:
    return [np.random.default_rng(n).standard_normal(n)]
