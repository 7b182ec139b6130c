"""What may code under test leave changed around it? The state that all code of a process shares, set back after it.

What NumPy does about errors (`np.seterr`) is not among it: every call has its own (`Asked.call`).
"""

from __future__ import annotations

import os
import random
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Way = tuple[Callable[[], Any], Callable[[Any], object]]  # how a state is read, and set


def _ways() -> Mapping[str, Way]:
    """How each state is read, and how it is set back."""
    ways: dict[str, Way] = {
        "the working directory": (_folder, os.chdir),
        "Python's random numbers": (random.getstate, random.setstate),
        "NumPy's global random numbers": (_numbers, _put_numbers),
    }
    torch = sys.modules.get("torch")  # where nobody has imported it, nobody can have changed it
    if torch is not None:
        ways |= {
            "PyTorch's default dtype": (torch.get_default_dtype, torch.set_default_dtype),
            "whether PyTorch records gradients": (torch.is_grad_enabled, torch.set_grad_enabled),
            "PyTorch's random numbers": (
                lambda: torch.get_rng_state().numpy().tobytes(),
                lambda old: torch.set_rng_state(torch.frombuffer(bytearray(old), dtype=torch.uint8)),
            ),
        }
    return ways


@dataclass
class Surroundings:
    """The state as it was found. changed: what had to be set back, in the order in which it was noticed."""

    changed: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ways = _ways()
        self.found = {name: read() for name, (read, _) in self.ways.items()}
        self.threads = _threads()

    def restore(self) -> None:
        """Set back whatever is not as it was found."""
        for name, (read, put) in self.ways.items():
            old = self.found[name]
            if read() != old:
                self.changed[name] = None
                put(old)

    def notes(self) -> list[str]:
        """What the code left changed, and left running."""
        more = _threads() - self.threads
        told = [f"the code changes {', '.join(self.changed)}; it was set back"] if self.changed else []
        return told + ([f"the code leaves {more} thread{'s' * (more > 1)} running"] if more > 0 else [])


def _threads() -> int:
    """Of Python's own: a library's threads that call Python for a moment are known as dummies."""
    return sum(not thread.name.startswith("Dummy-") for thread in threading.enumerate())


def _folder() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # it was removed
        return ""


def _numbers() -> tuple[Any, ...]:
    name, keys, *rest = np.random.get_state(legacy=True)
    return name, np.asarray(keys).tobytes(), *rest


def _put_numbers(old: tuple[Any, ...]) -> None:
    name, keys, *rest = old
    np.random.set_state((name, np.frombuffer(keys, np.uint32), *rest))
