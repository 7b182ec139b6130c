"""What do these files claim? Spec files read, checked and put into frozen values, or every complaint about them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gradcheck.errors import SpecError, SpecErrors
from gradcheck.spec.behaviours import build_behaviour
from gradcheck.spec.build import build_function
from gradcheck.spec.complaints import Complaints
from gradcheck.spec.document import Document
from gradcheck.spec.entry import Entry
from gradcheck.spec.meter import Meter
from gradcheck.spec.model import Place, Semantics, Spec, SpecFile
from gradcheck.spec.trial import Note, try_function
from gradcheck.spec.validate import check_behaviour, check_file, check_function
from gradcheck.spec.yaml_nodes import read

SUFFIX = ".grad.yaml"
PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Linted:
    """What was made of one file: None with complaints, or its contents with notes."""

    file: SpecFile | None
    errors: tuple[SpecError, ...]
    notes: tuple[Note, ...] = ()


def load(path: PathLike) -> SpecFile:
    """The specs of one file. Raises SpecErrors with all its complaints, in the order of lines."""
    linted = lint(path)
    if linted.file is None:
        raise SpecErrors(linted.errors)
    return linted.file


def load_many(paths: Iterable[PathLike]) -> tuple[SpecFile, ...]:
    """The specs of files, and of all `*.grad.yaml` below directories, each file once, in a fixed order.

    Raises one SpecErrors with the complaints of all files; an entry's name may be used once in all of them.
    """
    linted = lint_many(paths)
    errors = tuple(error for one in linted for error in one.errors)
    if errors:
        raise SpecErrors(errors)
    return tuple(one.file for one in linted if one.file is not None)


def lint_many(paths: Iterable[PathLike]) -> tuple[Linted, ...]:
    """What `load_many` would give or raise, file by file, with notes."""
    found: list[Linted] = []
    homes: dict[str, Place] = {}
    for path in _files(paths):
        if isinstance(path, SpecError):
            found.append(Linted(None, (path,)))
            continue
        one = lint(path)
        again = tuple(_used_before(one.file, homes)) if one.file else ()
        found.append(Linted(None, again) if again else one)
    return tuple(found)


def lint(path: PathLike) -> Linted:
    """One file read and tried out."""
    complaints = Complaints(os.fspath(path))
    document = read(path, complaints)
    if document is None or not check_file(document, complaints):
        return Linted(None, complaints.errors())
    functions, notes = _functions(document, complaints)
    semantics = _semantics(document, complaints)
    if len(complaints):
        return Linted(None, complaints.errors())
    return Linted(SpecFile(os.fspath(path), functions, semantics), (), notes)


def _functions(document: Document, complaints: Complaints) -> tuple[tuple[Spec, ...], tuple[Note, ...]]:
    meter = Meter()
    specs: list[Spec] = []
    notes: list[Note] = []
    for name in _names(document, "functions"):
        if complaints.enough:
            break
        before = len(complaints)
        form = check_function(document, name, complaints)
        entry = Entry(document, complaints, ("functions", name), partial=len(complaints) > before)
        spec = build_function(entry, form) if form else None
        if spec is None or len(complaints) > before:
            continue
        if not meter.spent:
            notes += try_function(entry, spec, meter)
        specs.append(spec)
    return tuple(specs), tuple(notes)


def _semantics(document: Document, complaints: Complaints) -> tuple[Semantics, ...]:
    found: list[Semantics] = []
    functions = _names(document, "functions")
    for name in _names(document, "semantics"):
        if complaints.enough:
            break
        before = len(complaints)
        form = check_behaviour(document, name, complaints)
        entry = Entry(document, complaints, ("semantics", name), partial=len(complaints) > before)
        if name in functions:
            line = document.key(("functions", name)).line
            entry.complain_key((), f"{name[:60]!r} is a function already, in line {line}", "a name of its own")
        behaviour = build_behaviour(entry, form) if form else None
        if behaviour is not None:
            found.append(behaviour)
    return tuple(found)


def _names(document: Document, key: str) -> list[str]:
    entries = document.data.get(key)
    return list(entries) if isinstance(entries, dict) else []


def _used_before(file: SpecFile, homes: dict[str, Place]) -> Iterator[SpecError]:
    """A complaint for every entry whose name another file has used; remembers the others."""
    entries = [(spec.id, spec.place) for spec in file.functions] + [(one.id, one.place) for one in file.semantics]
    for name, place in entries:
        home = homes.setdefault(name, place)
        if home is not place:
            message = f"this name is used before, in {home.file}:{home.line}"
            yield SpecError(place.file, place.line, place.column, message, name, expected="a name of its own")


def _files(paths: Iterable[PathLike]) -> Iterator[str | SpecError]:
    """The files that `paths` name, each once; a complaint where a directory holds none."""
    seen: set[str] = set()
    for path in paths:
        shown = os.fspath(path)
        inside = list(_below(shown)) if os.path.isdir(shown) else [shown]
        if not inside:
            yield SpecError(shown, 1, 1, f"no *{SUFFIX} file in this directory", expected="at least one")
        for file in inside:
            real = os.path.realpath(file)
            if real not in seen:
                seen.add(real)
                yield file


def _below(directory: str) -> Iterator[str]:
    for folder, folders, files in os.walk(directory):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (os.path.join(folder, name) for name in sorted(files) if name.endswith(SUFFIX))
