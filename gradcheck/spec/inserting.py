"""How does a spec get one worked example more? As lines of text where its layout has room; all else stays as it is.

Comments, order, quotes and line ends are nobody's but the author's: nothing is written anew, and where the file would
not say the same as before with one example more, it is left alone.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from gradcheck.errors import UsageError
from gradcheck.spec.complaints import Complaints
from gradcheck.spec.document import LINE_BREAK, Document, Path
from gradcheck.spec.yaml_nodes import parse

KEY = "examples"


def with_example(text: str, function: str, lines: Sequence[str], flow: str, note: str = "") -> tuple[str, int]:
    """The text of a spec file with one example more, and the line (1-based) in which that begins.

    lines: the example as an item of a list ("- {x: 1, value: 2}"); flow: the same in braces; note: a comment above
    it, where there can be one. Raises UsageError where the text has no such function, or no room for an example.
    """
    before = _document(text)
    entry: Path = ("functions", function)
    if before is None or entry not in before.marks:
        raise UsageError(f"there is no function {function!r} to write an example into")
    after, line = _Layout(text, before).put(entry, lines, flow, note)
    found = _document(after)
    ended = (
        before if text.endswith(("\n", "\r")) else _document(text + "\n")
    )  # a text in the last line may change by it
    if found is None or ended is None or found.data != _wanted(ended.data, function, flow):
        raise UsageError(f"the examples of {function!r} are written in a way that no example can be added to by itself")
    return after, line


def _document(text: str) -> Document | None:
    return parse(text, Complaints(""))


def _wanted(data: Any, function: str, flow: str) -> Any:
    """The data with the example behind the others."""
    whole = copy.deepcopy(data)
    example = _document(flow)
    assert example is not None
    whole["functions"][function].setdefault(KEY, []).append(example.data)
    return whole


class _Layout:
    """A text, and where in it things stand."""

    def __init__(self, text: str, document: Document) -> None:
        self.text, self.document = text, document
        breaks = list(LINE_BREAK.finditer(text))
        self.starts = [0, *(found.end() for found in breaks)]
        self.newline = breaks[0][0] if breaks else "\n"

    def put(self, entry: Path, lines: Sequence[str], flow: str, note: str) -> tuple[str, int]:
        """The text with the example, and its line."""
        listed = self.document.marks.get((*entry, KEY))
        if listed is not None:
            if self._at(listed.line, listed.column) == "[":
                return self._in_brackets((*entry, KEY), flow)
            return self._below((*entry, KEY), listed.column - 1, [], lines, note)
        own = self.document.marks[entry]
        if self._at(own.line, own.column) == "{":
            last = list(self.document.get(entry))[-1]
            return self._behind((*entry, last), f", {KEY}: [{flow}]")
        indent = own.column - 1
        return self._below(entry, indent + 2, [f"{' ' * indent}{KEY}:"], lines, note)

    def _below(
        self, path: Path, indent: int, heading: list[str], lines: Sequence[str], note: str
    ) -> tuple[str, int]:  # fmt: skip
        """New lines after the last one of an entry."""
        last = self.document.span(path)[1]
        noted = [f"# {note}"] if note else []
        new = [*heading, *(" " * indent + line for line in [*noted, *lines])]
        ends = self.starts[last] if last < len(self.starts) else len(self.text)
        head = self.text[:ends]
        if last >= len(self.starts):
            head += self.newline  # the file's last line has no end
        text = head + "".join(line + self.newline for line in new) + self.text[ends:]
        return text, last + len(heading) + len(noted) + 1

    def _in_brackets(self, path: Path, flow: str) -> tuple[str, int]:
        count = len(self.document.get(path))
        mark = self.document.marks[path]
        if not count:
            place = self._offset(mark.line, mark.column) + 1
            return self.text[:place] + flow + self.text[place:], mark.line
        item = self.document.marks[(*path, count - 1)]
        space = " " if item.line == mark.line else self.newline + " " * (item.column - 1)  # each on a line of its own
        return self._behind((*path, count - 1), f",{space}{flow}")

    def _behind(self, path: Path, words: str) -> tuple[str, int]:
        """Words directly after a value in braces or brackets."""
        mark = self.document.marks[path]
        place = self._offset(mark.end_line, mark.end_column)
        return self.text[:place] + words + self.text[place:], mark.end_line + words.count(self.newline)

    def _at(self, line: int, column: int) -> str:
        offset = self._offset(line, column)
        return self.text[offset : offset + 1]

    def _offset(self, line: int, column: int) -> int:
        return self.starts[line - 1] + column - 1
