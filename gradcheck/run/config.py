"""What is a run asked to do?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Profile:
    """How hard to look: size assignments a function, cases a size, points a case."""

    name: str
    shapes: int
    per_shape: int
    points: int


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "quick": Profile("quick", shapes=2, per_shape=1, points=128),
        "default": Profile("default", shapes=3, per_shape=1, points=256),
        "thorough": Profile("thorough", shapes=8, per_shape=2, points=1024),
    }
)
WITNESSES = ("engine", "differences", "torch", "jax")


@dataclass(frozen=True, slots=True)
class Config:
    """A run's settings.

    allowed: modules that implementations may be imported from, None to import nothing; python_path: folders searched
    for them first. timeout: seconds that one function may take where workers are used.
    """

    witnesses: tuple[str, ...] = WITNESSES
    profile: Profile = PROFILES["default"]
    seed: int = 0
    workers: int = 1
    allowed: tuple[str, ...] | None = ()
    python_path: tuple[str, ...] = ()
    timeout: float = 600.0
