"""How many points were drawn for a function, and why were some refused?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """A count that is kept while cases are built. refused: how many of those drawn, by the reason in words.

    empty: what came of each dimension's size 0, in words.
    """

    drawn: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    empty: dict[str, str] = field(default_factory=dict)
