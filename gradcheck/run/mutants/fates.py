"""What may become of a mutant, and how is it counted?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Fate(StrEnum):
    """What became of one mutant."""

    KILLED = "killed"  # a witness contradicts it
    UNWITNESSED = "unwitnessed"  # nobody contradicts it, but nobody agrees either: the gate fails the function
    MALFORMED = "malformed"  # no formula of the language, or its shapes do not fit: it cannot be judged
    EQUIVALENT = "equivalent"  # it means the same
    SURVIVED = "survived"  # it passes for right


@dataclass(frozen=True, slots=True)
class Mutated:
    """One mutant and its fate."""

    claim: str  # "gradient of x"
    kind: str  # "sign", "dropped term" …
    before: str
    after: str
    place: str  # "column 14"
    text: str  # the whole formula
    fate: Fate
    reason: str = ""  # why; nothing for what was killed


@dataclass(frozen=True, slots=True)
class Mutation:
    """What became of the mutants of one function.

    counts: how many had each fate; killed_by_kind: of those killed; mutants: all others, one by one.
    """

    id: str
    file: str
    line: int
    skipped: str = ""  # why it was not mutated
    planted: bool = False  # it is wrong on purpose: rightly not mutated
    counts: Mapping[str, int] = field(default_factory=dict)
    killed_by_kind: Mapping[str, int] = field(default_factory=dict)
    mutants: tuple[Mutated, ...] = ()
    cases: int = 0
    points: int = 0
    seconds: float = 0.0

    def count(self, fate: Fate) -> int:
        """How many mutants had a fate."""
        return self.counts.get(fate.value, 0)

    @property
    def total(self) -> int:
        """All mutants."""
        return sum(self.counts.values())

    @property
    def caught(self) -> int:
        """Those that fail the function: contradicted, or with nobody left who agrees."""
        return self.count(Fate.KILLED) + self.count(Fate.UNWITNESSED)

    @property
    def score(self) -> float | None:
        """The share of those caught among the mutants that can be judged and mean something else; None of none."""
        judged = self.caught + self.count(Fate.SURVIVED)
        return self.caught / judged if judged else None
