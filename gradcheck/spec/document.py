"""Where in the file is it written? Plain data, with the line and column of every key and value.

A path is the tuple of keys and list indices that leads to a value: `("functions", "norm", "gradient", "x")`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gradcheck.spec.model import Place

Path = tuple[str | int, ...]
_SPACE = " \t\n"
_ESCAPE_LENGTH = {"x": 4, "u": 6, "U": 10}
LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Mark:
    """Where one value stands: 1-based lines and columns; `style` is "" for a plain scalar, else its first character."""

    line: int
    column: int
    end_line: int
    end_column: int
    style: str
    key_line: int = 0  # 0: the value has no key of its own (a list's item, the whole document)
    key_column: int = 0
    key_style: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document as plain data, and the marks of all its paths."""

    file: str
    data: Any
    marks: Mapping[Path, Mark]
    lines: tuple[str, ...]

    def value(self, path: Path) -> Place:
        """The place of the value at `path`, or of the nearest thing around it."""
        mark = self._nearest(path)
        return Place(self.file, mark.line, mark.column)

    def key(self, path: Path) -> Place:
        """The place of the key of `path`, or of its value where it has no key."""
        mark = self._nearest(path)
        return Place(self.file, mark.key_line or mark.line, mark.key_column or mark.column)

    def inside(self, path: Path, line: int, column: int) -> Place:
        """The place in the file of a 1-based line and column within the text that stands at `path`."""
        mark = self.marks.get(path)
        text = self.get(path)
        if mark is None or not isinstance(text, str):
            return self.value(path)
        if mark.style == "|":
            return self._in_literal(mark, text, line, column)
        return self._in_flow(mark, text, _offset(text, line, column))

    def inside_key(self, path: Path, column: int) -> Place:
        """The place of a 1-based column within the key of `path`."""
        place = self.key(path)
        mark = self.marks.get(path)
        quote = 1 if mark is not None and mark.key_style in ("'", '"') else 0
        return Place(self.file, place.line, place.column + quote + column - 1)

    def get(self, path: Path) -> Any:
        """The value at `path`, or None."""
        data = self.data
        for step in path:
            try:
                data = data[step]
            except (KeyError, IndexError, TypeError):
                return None
        return data

    def text(self, path: Path) -> str:
        """The lines of the entry at `path` as written, without the blank lines and comments behind it."""
        first, last = self.span(path)
        return "\n".join(self.lines[first - 1 : last])

    def span(self, path: Path) -> tuple[int, int]:
        """The first and the last line (1-based) of the entry at `path`, without blank lines and comments behind it."""
        mark = self._nearest(path)
        first, column = (mark.key_line, mark.key_column) if mark.key_line else (mark.line, mark.column)
        lines = list(self.lines[first - 1 : mark.end_line])
        if len(lines) > mark.end_line - first and not lines[-1][: mark.end_column - 1].strip():
            lines.pop()  # a block ends where the next entry begins
        while len(lines) > 1 and _is_trailer(lines[-1], column):
            lines.pop()
        return first, first + len(lines) - 1

    def _nearest(self, path: Path) -> Mark:
        for length in range(len(path), 0, -1):
            if path[:length] in self.marks:
                return self.marks[path[:length]]
        return self.marks.get((), Mark(1, 1, 1, 1, ""))

    def _in_literal(self, mark: Mark, text: str, line: int, column: int) -> Place:
        indent = 0
        for raw, kept in zip(self.lines[mark.line :], text.split("\n"), strict=False):
            if kept.strip():
                indent = _leading(raw) - _leading(kept)
                break
        return Place(self.file, mark.line + line, column + indent)

    def _in_flow(self, mark: Mark, text: str, offset: int) -> Place:
        line, column, raw = mark.line, mark.column, self._raw(mark)
        start = raw.find("\n") + 1 if mark.style == ">" else len(mark.style)
        passed = raw[: _align(raw, start, text, offset, mark.style)]
        breaks = passed.count("\n")
        if breaks:
            return Place(self.file, line + breaks, len(passed) - passed.rfind("\n"))
        return Place(self.file, line, column + len(passed))

    def _raw(self, mark: Mark) -> str:
        lines = list(self.lines[mark.line - 1 : mark.end_line])
        if not lines:
            return ""
        if mark.end_line - mark.line < len(lines):
            lines[-1] = lines[-1][: mark.end_column - 1]
        lines[0] = lines[0][mark.column - 1 :]
        return "\n".join(lines)


def split_lines(text: str) -> tuple[str, ...]:
    """The lines of a text, broken where YAML breaks them."""
    return tuple(LINE_BREAK.split(text))


def _offset(text: str, line: int, column: int) -> int:
    lines = text.split("\n")
    return sum(len(passed) + 1 for passed in lines[: line - 1]) + column - 1


def _leading(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _is_trailer(line: str, column: int) -> bool:
    """A blank line, or a comment that belongs to what follows an entry whose key stands in `column`."""
    return not line.strip() or (line.lstrip().startswith("#") and _leading(line) < column)


def _align(raw: str, start: int, text: str, offset: int, style: str) -> int:
    """The index into `raw`, as written, of character `offset` of `text`, as meant."""
    at = start
    if style in ("", ">"):
        at = _skip_space(raw, at)
    for index in range(min(offset, len(text))):
        at = _step(raw, at, text[index : index + 2], style)
    return min(at, len(raw))


def _step(raw: str, at: int, pair: str, style: str) -> int:
    if style == '"':
        while raw[at : at + 2] == "\\\n":
            at = _skip_space(raw, at + 2)
        if raw[at : at + 1] == "\\":
            return at + _ESCAPE_LENGTH.get(raw[at + 1 : at + 2], 2)
    if style == "'" and raw[at : at + 2] == "''":
        return at + 2
    if pair[0] in _SPACE and pair[1:] not in (" ", "\t", "\n"):
        return _skip_space(raw, at)
    return at + 1


def _skip_space(raw: str, at: int) -> int:
    while at < len(raw) and raw[at] in _SPACE:
        at += 1
    return at
