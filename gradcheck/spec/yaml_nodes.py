"""What does the file say? YAML 1.2 read into plain data with marks, or refused.

The events of PyYAML's C parser are composed here (the pure parser stands in where the C one is missing), so that
nesting, aliases and the number of values are bounded while reading and nothing recurses in C.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from typing import Any

import yaml

from gradcheck.spec.complaints import Complaints
from gradcheck.spec.document import Document, Mark, Path, split_lines
from gradcheck.spec.model import Place
from gradcheck.spec.scalars import NotANumber, resolve

MAX_BYTES = 1_000_000
MAX_DEPTH = 24
MAX_NODES = 40_000
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_QUOTE_HINT = "quotes around a formula that holds a comma, a bracket, '#' or ': '"


class _Unreadable(Exception):
    """The complaint is made; nothing more can be read."""


def read(path: str | os.PathLike[str], complaints: Complaints) -> Document | None:
    """The document in the file at `path`; None, with complaints, where it cannot be read at all."""
    try:
        return parse(_text(os.fspath(path), complaints), complaints)
    except _Unreadable:
        return None


def parse(text: str, complaints: Complaints, loader: Any = None) -> Document | None:
    """The document in `text`; None, with complaints, where it is not one YAML document."""
    lines = split_lines(text)
    stray = _UNPRINTABLE.search(text)
    if stray:
        before = split_lines(text[: stray.start()])
        place = Place(complaints.file, len(before), len(before[-1]) + 1)
        complaints.add(place, f"the control character {stray[0]!r} must not stand in a spec file")
        return None
    composer = _Composer(text, complaints, loader or _LOADER)
    try:
        data = composer.document()
    except _Unreadable:
        return None
    return Document(complaints.file, data, composer.marks, lines)


def _text(path: str, complaints: Complaints) -> str:
    start = Place(complaints.file, 1, 1)
    try:
        info = os.stat(path)
        _check_kind(info, start, complaints)
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        complaints.add(start, f"the file cannot be read: {reason}")
        raise _Unreadable from error
    if not content.strip():
        complaints.add(start, "the file is empty", expected="'gradcheck: 1' and functions")
        raise _Unreadable
    return _decode(content, complaints)


def _check_kind(info: os.stat_result, start: Place, complaints: Complaints) -> None:
    if stat.S_ISDIR(info.st_mode):
        complaints.add(start, "this is a directory", expected="a spec file")
    elif not stat.S_ISREG(info.st_mode):
        complaints.add(start, "this is not a regular file", expected="a spec file")
    elif info.st_size > MAX_BYTES:
        complaints.add(start, f"the file has {info.st_size} bytes, at most {MAX_BYTES} are read")
    else:
        return
    raise _Unreadable


def _decode(content: bytes, complaints: Complaints) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace").split("\n")
        place = Place(complaints.file, len(before), len(before[-1]) + 1)
        complaints.add(place, f"the file is not UTF-8: byte 0x{content[error.start]:02x} cannot stand here")
        raise _Unreadable from error


class _Composer:
    """Turns events into plain data; keeps the marks; complains and goes on where it can."""

    def __init__(self, text: str, complaints: Complaints, loader: Any) -> None:
        self.marks: dict[Path, Mark] = {}
        self._complaints = complaints
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=loader))
        self._count = 0

    def document(self) -> Any:
        """The data of the one document."""
        event = self._next()
        while not isinstance(event, yaml.DocumentStartEvent):
            if isinstance(event, yaml.StreamEndEvent):
                self._refuse(self._place(event), "the file is empty", expected="'gradcheck: 1' and functions")
            event = self._next()
        data = self._node(self._next(), (), None)
        self._next()
        event = self._next()
        if isinstance(event, yaml.DocumentStartEvent):
            self._refuse(self._place(event), "a second document begins here", expected="one document a file")
        return data

    def _node(self, event: Any, path: Path, key: Any) -> Any:
        self._count += 1
        if self._count > MAX_NODES:
            self._refuse(self._place(event), f"more than {MAX_NODES} values in one file")
        if len(path) > MAX_DEPTH:
            self._refuse(self._place(event), f"nested more than {MAX_DEPTH} levels deep")
        self._refuse_extras(event)
        data: Any
        if isinstance(event, yaml.MappingStartEvent):
            data, end = self._mapping(path)
        elif isinstance(event, yaml.SequenceStartEvent):
            data, end = self._sequence(path)
        else:
            data, end = self._scalar(event), event
        self.marks[path] = _mark(event, end, key)
        return data

    def _mapping(self, path: Path) -> tuple[dict[str, Any], Any]:
        data: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            self._refuse_extras(event)
            if not isinstance(event, yaml.ScalarEvent):
                if isinstance(event, yaml.AliasEvent):
                    raise _Unreadable
                self._refuse(self._place(event), "a list or mapping cannot be a key", expected="a word")
            name = event.value
            if name in data:
                first = self.marks[(*path, name)].key_line
                self._complaints.add(self._place(event), f"duplicate key {name!r}, first written in line {first}")
                name = f"{name} (line {event.start_mark.line + 1})"  # read for its own complaints only
                self._node(self._next(), (*path, name), event)
                continue
            data[name] = self._node(self._next(), (*path, name), event)
        return data, event

    def _sequence(self, path: Path) -> tuple[list[Any], Any]:
        data: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            data.append(self._node(event, (*path, len(data)), None))
        return data, event

    def _scalar(self, event: Any) -> Any:
        if not isinstance(event, yaml.ScalarEvent):
            return None
        if event.style or not event.implicit[0]:
            return event.value
        try:
            return resolve(event.value)
        except NotANumber as reason:
            self._complaints.add(self._place(event), str(reason), value=event.value)
            return 0.0

    def _refuse_extras(self, event: Any) -> None:
        alias = isinstance(event, yaml.AliasEvent)
        if not alias and event.anchor is None and event.tag is None:
            return
        place = self._place(event)
        if alias:
            self._complaints.add(place, f"the alias *{event.anchor} is not read", expected="the value written out")
            return
        if event.anchor is not None:
            self._complaints.add(place, f"the anchor &{event.anchor} is not read", expected="a value without anchor")
        if event.tag is not None:
            self._complaints.add(place, f"the tag {event.tag!r} is not read", expected="a value without a tag")

    def _next(self) -> Any:
        try:
            return next(self._events)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Place(self._complaints.file, mark.line + 1, mark.column + 1) if mark else Place("", 1)
            hint = _QUOTE_HINT if "flow" in (error.context or "") or "not allowed" in (error.problem or "") else ""
            self._refuse(place, f"not YAML: {error.problem}", expected=hint)
        except (yaml.YAMLError, RecursionError) as error:
            self._refuse(Place(self._complaints.file, 1), f"not YAML: {error}")
        raise _Unreadable

    def _refuse(self, place: Place, message: str, expected: str = "") -> None:
        self._complaints.add(place, message, expected=expected)
        raise _Unreadable

    def _place(self, event: Any) -> Place:
        return Place(self._complaints.file, event.start_mark.line + 1, event.start_mark.column + 1)


def _mark(event: Any, end: Any, key: Any) -> Mark:
    start, stop = event.start_mark, end.end_mark
    line, column, style = (0, 0, "")
    if key is not None:
        line, column, style = key.start_mark.line + 1, key.start_mark.column + 1, key.style or ""
    own = getattr(event, "style", None) or ""
    return Mark(start.line + 1, start.column + 1, stop.line + 1, stop.column + 1, own, line, column, style)
