"""Where is JAX? Here, and nowhere else: the one file that imports it, with its settings as they are found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.experimental
import jax.numpy as jnp
import jax.scipy.special

__all__ = ["float64", "jax", "jnp"]


@contextmanager
def float64() -> Iterator[None]:
    """float64 in a block of code; after it, the caller's own setting again."""
    within: Any = getattr(jax, "enable_x64", None)  # in older versions it is one of the experiments
    if within is None:
        within = getattr(jax.experimental, "enable_x64")  # noqa: B009  (the types know it in some versions only)
    with within(True):
        yield
