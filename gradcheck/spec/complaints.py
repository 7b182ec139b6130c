"""What is wrong with a file? Complaints are gathered here, so that they come all at once and in order."""

from __future__ import annotations

from typing import Any

from gradcheck.errors import SpecError
from gradcheck.spec.model import Place

LIMIT = 50  # complaints shown of one file
ENOUGH = 1_000  # complaints after which no more are looked for
_LENGTH = 300  # characters of one part of a complaint


class Complaints:
    """The complaints about one file, each place and message once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: dict[tuple[int, int, str, str], SpecError] = {}

    def __len__(self) -> int:
        return len(self._found)

    @property
    def enough(self) -> bool:
        """Whether so much is wrong that looking for more would only take time."""
        return len(self) >= ENOUGH

    def add(
        self,
        place: Place,
        message: str,
        *,
        key: str = "",
        value: Any = None,
        expected: str = "",
        suggestion: str = "",
    ) -> None:
        """Remember one complaint about `place`."""
        message, key, expected = short(message), short(key, 100), short(expected)
        error = SpecError(self.file, place.line, place.column, message, key, value, expected, suggestion)
        self._found.setdefault((place.line, place.column, key, message), error)

    def errors(self) -> tuple[SpecError, ...]:
        """All complaints in the order of lines; past the limit only their number is told."""
        found = sorted(self._found.values(), key=lambda error: (error.line, error.column))
        if len(found) <= LIMIT:
            return tuple(found)
        rest = found[LIMIT]
        count = f"at least {len(found) - LIMIT}" if self.enough else str(len(found) - LIMIT)
        more = SpecError(self.file, rest.line, rest.column, f"and {count} more complaints in this file")
        return (*found[:LIMIT], more)


def short(text: str, length: int = _LENGTH) -> str:
    """The text on one line, cut where it is longer than `length`."""
    line = text.replace("\n", " ")
    return line if len(line) <= length else line[: length - 1] + "…"
