"""What is a run asked to do?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gradcheck.errors import BackendMissing
from gradcheck.oracles import hearing


@dataclass(frozen=True, slots=True)
class Profile:
    """How hard to look: size assignments a function, cases a size, points a case; empty: dimensions of size 0 too."""

    name: str
    shapes: int
    per_shape: int
    points: int
    empty: bool = False


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "quick": Profile("quick", shapes=2, per_shape=1, points=128),
        "default": Profile("default", shapes=3, per_shape=1, points=256),
        "thorough": Profile("thorough", shapes=8, per_shape=2, points=1024, empty=True),
    }
)
WITNESSES = tuple(name for name in hearing.WITNESSES if name not in hearing.ON_REQUEST)


@dataclass(frozen=True, slots=True)
class Config:
    """A run's settings.

    allowed: modules that implementations may be imported from, None to import nothing; python_path: folders searched
    for them first. dtypes: what frameworks and implementations compute in, whatever a spec says (none: as it says).
    timeout: seconds that one function may take where workers are used (2 or more). store: the folder
    that failing points are kept in for `gradcheck replay`, None to keep none.
    """

    witnesses: tuple[str, ...] = WITNESSES
    profile: Profile = PROFILES["default"]
    seed: int = 0
    workers: int = 1
    allowed: tuple[str, ...] | None = ()
    python_path: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    timeout: float = 600.0
    store: str | None = None


def demanded(names: Sequence[str]) -> tuple[str, ...]:
    """The witnesses asked for by name, each once; where none was named, all that are not heard on request only.

    Raises UsageError for a name that no witness has, BackendMissing where a named witness's library is missing.
    """
    hearing.check_names(names)
    for name in names:
        if name in hearing.WITNESSES and not hearing.installed(name):
            raise BackendMissing(name, hearing.WITNESSES[name])
    return tuple(dict.fromkeys(names)) or WITNESSES
