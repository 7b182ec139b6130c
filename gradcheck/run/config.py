"""What is a run asked to do?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gradcheck.cases import PHASES
from gradcheck.errors import BackendMissing, UsageError, did_you_mean
from gradcheck.oracles import hearing


@dataclass(frozen=True, slots=True)
class Profile:
    """How hard to look: size assignments a function, cases a size, points a case, and small cases of odd sizes.

    empty: dimensions of size 0 too.
    """

    name: str
    shapes: int
    per_shape: int
    points: int
    beside: int = 0
    empty: bool = False


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "quick": Profile("quick", shapes=2, per_shape=1, points=128),
        "default": Profile("default", shapes=3, per_shape=1, points=256, beside=3),
        "thorough": Profile("thorough", shapes=8, per_shape=2, points=1024, beside=12, empty=True),
    }
)
UNIFORM = "uniform"  # points that nobody planned, instead of all phases: to compare with
WITNESSES = tuple(name for name in hearing.WITNESSES if name not in hearing.ON_REQUEST)


@dataclass(frozen=True, slots=True)
class Config:
    """A run's settings.

    allowed: modules that implementations may be imported from, None to import nothing; python_path: folders searched
    for them first. dtypes: what frameworks and implementations compute in, whatever a spec says (none: as it says).
    timeout: seconds that one function may take where workers are used (2 or more). store: the folder
    that failing points are kept in for `gradcheck replay`, None to keep none. phases: where points may come
    from (`cases.PHASES`, or UNIFORM).
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
    phases: tuple[str, ...] = PHASES


def phases_of(text: str) -> tuple[str, ...]:
    """The phases written with commas between them; all where nothing is written. Raises UsageError for an unknown.

    `uniform` takes the place of all others, and stands alone.
    """
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    for word in words:
        if word not in (known := (*PHASES, UNIFORM)):
            raise UsageError(f"there is no phase {word!r}; there are {', '.join(known)}", did_you_mean(word, known))
    if UNIFORM in words and len(words) > 1:
        other = next(w for w in words if w != UNIFORM)
        raise UsageError(f"the phase {UNIFORM!r} takes the place of all others: leave {other!r} out, or {UNIFORM!r}")
    return words or PHASES


def demanded(names: Sequence[str]) -> tuple[str, ...]:
    """The witnesses asked for by name, each once; where none was named, all that are not heard on request only.

    Raises UsageError for a name that no witness has, BackendMissing where a named witness's library is missing.
    """
    hearing.check_names(names)
    for name in names:
        if name in hearing.WITNESSES and not hearing.installed(name):
            raise BackendMissing(name, hearing.WITNESSES[name])
    return tuple(dict.fromkeys(names)) or WITNESSES
