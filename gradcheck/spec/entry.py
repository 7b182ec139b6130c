"""What stands at a path below one entry, and where? The entry's document and complaints, held together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from gradcheck.errors import ExpressionError
from gradcheck.expr import Program, parse_code, parse_formula
from gradcheck.spec.complaints import Complaints
from gradcheck.spec.document import Document, Path
from gradcheck.spec.domains import parse_condition, parse_domain
from gradcheck.spec.model import Domain, Place


@dataclass(frozen=True, slots=True)
class Entry:
    """One function or behaviour of a file; `steps` are keys below its path.

    partial: parts of the wrong form were left out, so that something missing is no news.
    """

    document: Document
    complaints: Complaints
    path: Path
    partial: bool = False

    @property
    def id(self) -> str:
        """The entry's name."""
        return str(self.path[-1])

    def at(self, *steps: str | int) -> Place:
        """Where the value below stands."""
        return self.document.value(self.path + steps)

    def at_key(self, *steps: str | int) -> Place:
        """Where the key of the value below stands."""
        return self.document.key(self.path + steps)

    def complain(self, steps: Path, message: str, expected: str = "", suggestion: str = "") -> None:
        """A complaint about a value."""
        self._add(self.at(*steps), steps, message, expected, suggestion)

    def complain_key(self, steps: Path, message: str, expected: str = "", suggestion: str = "") -> None:
        """A complaint about a key."""
        self._add(self.at_key(*steps), steps, message, expected, suggestion)

    def complain_missing(self, steps: Path, message: str, expected: str = "") -> None:
        """A complaint that something is missing below a key."""
        if not self.partial:
            self._add(self.at_key(*steps), steps, message, expected, "")

    def complain_inside(self, steps: Path, line: int, message: str, expected: str = "") -> None:
        """A complaint about a line of the text below."""
        self._add(self.document.inside(self.path + steps, line, 1), steps, message, expected, "")

    def formula(self, steps: Path, text: str, names: Collection[str]) -> Program | None:
        """The formula written below; None, with a complaint, where it is not in the language."""
        lead = len(text) - len(text.lstrip())
        try:
            return parse_formula(text.strip(), names)
        except ExpressionError as error:
            self._not_in_language(steps, text, lead, error)
            return None

    def code(self, steps: Path, text: str, names: Collection[str]) -> Program | None:
        """The program written below; None, with a complaint, where it is not in the language."""
        try:
            return parse_code(text, names)
        except ExpressionError as error:
            self._not_in_language(steps, text, 0, error)
            return None

    def condition(self, steps: Path, names: Collection[str]) -> Program | None:
        """The formula that the key below is; None, with a complaint, where it is not in the language."""
        try:
            return parse_condition(str(steps[-1]).strip(), names)
        except ExpressionError as error:
            place = self.document.inside_key(self.path + steps, error.column)
            self._add(place, steps[:-1], error.message, error.expected, error.suggestion)
            return None

    def domain(self, steps: Path, text: str, name: str, names: Collection[str]) -> Domain:
        """The domain written below; the whole line, with a complaint, where it cannot be read."""
        try:
            return parse_domain(text, name, names)
        except ExpressionError as error:
            self._not_in_language(steps, text, 0, error)
            return Domain()

    def _not_in_language(self, steps: Path, text: str, lead: int, error: ExpressionError) -> None:
        before = text[:lead].split("\n")
        line = error.line + len(before) - 1
        column = error.column + (len(before[-1]) if error.line == 1 else 0)
        place = self.document.inside(self.path + steps, line, column)
        self._add(place, steps, error.message, error.expected, error.suggestion)

    def _add(self, place: Place, steps: Path, message: str, expected: str, suggestion: str) -> None:
        key = dotted((*self.path[1:], *steps))
        self.complaints.add(place, message, key=key, expected=expected, suggestion=suggestion)


def dotted(path: tuple[Any, ...]) -> str:
    """A path as people read it: `norm.examples[0].x`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")
