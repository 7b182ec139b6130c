"""Has this part of the file the form it must have? pydantic's findings told as complaints, with places and guesses."""

from __future__ import annotations

import re
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gradcheck.errors import did_you_mean
from gradcheck.spec.complaints import LIMIT, Complaints, short
from gradcheck.spec.document import Document, Path
from gradcheck.spec.entry import dotted
from gradcheck.spec.fields import describe
from gradcheck.spec.schema import Behaviour, File, Function
from gradcheck.spec.words import ID

M = TypeVar("M", bound=BaseModel)
_EXPECTED = {
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "list_type": "a list",
    "float_type": "a number",
}
_ESSENTIAL = ("inputs", "value", "code", "steps")  # what follow-on complaints would come from


def check_file(document: Document, complaints: Complaints) -> bool:
    """Whether the outermost keys are right; the entries' own contents are not looked at."""
    data = document.data
    if not isinstance(data, dict):
        complaints.add(document.value(()), f"{describe(data)} is not a spec file", expected="'gradcheck: 1' on top")
        return False
    outer = {k: {} if k in ("functions", "semantics") and isinstance(v, dict) else v for k, v in data.items()}
    _validate(File, outer, document, (), complaints)
    if not data.get("functions") and not data.get("semantics") and not len(complaints):
        complaints.add(document.value(()), "no functions and no semantics in this file", expected="at least one entry")
    return True


def check_function(document: Document, name: str, complaints: Complaints) -> Function | None:
    """The function `name`, or as much of it as can be looked at further; None where that is nothing."""
    return _check_entry(Function, document, ("functions", name), complaints)


def check_behaviour(document: Document, name: str, complaints: Complaints) -> Behaviour | None:
    """The behaviour `name`; None where it has not the form."""
    return _check_entry(Behaviour, document, ("semantics", name), complaints)


def _check_entry(model: type[M], document: Document, path: Path, complaints: Complaints) -> M | None:
    name = str(path[-1])
    if not re.fullmatch(ID, name) or len(name) > 100:
        expected = "at most 100 letters, digits, '_', '-' and '.'"
        complaints.add(document.key(path), f"{short(name, 60)!r} is not a name for an entry", expected=expected)
        return None
    data = document.get(path)
    form, bad = _validate(model, data, document, path, complaints)
    if form is not None or any(steps[0] in _ESSENTIAL for steps in bad):
        return form
    for steps in bad:
        data = _without(data, steps[:-1])
    return _validate(model, data, document, path, None)[0]


def _validate(
    model: type[M], data: Any, document: Document, path: Path, complaints: Complaints | None
) -> tuple[M | None, list[Path]]:
    """The model, or None and the paths of what is wrong, each with the kind of error behind it."""
    try:
        return model.model_validate(data), []
    except ValidationError as found:
        bad = []
        for error in found.errors(include_url=False, include_input=True):
            steps = _steps(data, error)
            bad.append((*steps, error["type"]))
            if complaints is not None and not complaints.enough:
                _complain(model, document, path, steps, error, complaints)
        return None, bad


def _steps(data: Any, error: ErrorDetails) -> Path:
    """The error's path in the data: pydantic's own marks (`<formula>`) left out, the validator's own steps added."""
    steps: list[str | int] = []
    missing = error["type"] == "missing"
    location = (*error["loc"][:-1],) if missing else error["loc"]
    for step in (*location, *error.get("ctx", {}).get("at", ())):
        if (isinstance(data, dict) and step in data) or (isinstance(data, list) and isinstance(step, int)):
            data = data[step]
            steps.append(step)
    return (*steps, error["loc"][-1]) if missing else tuple(steps)


def _complain(
    model: type[BaseModel], document: Document, path: Path, steps: Path, error: ErrorDetails, complaints: Complaints
) -> None:
    key, kind, context = dotted((*path[1:], *steps)), error["type"], error.get("ctx", {})
    if kind == "missing":
        wanted = f"the key {steps[-1]!r} is missing"
        complaints.add(document.key((*path, *steps[:-1])), wanted, key=dotted((*path[1:], *steps[:-1])))
    elif kind == "extra_forbidden":
        known = _known_keys(model, steps[:-1])
        word = str(steps[-1])
        guess = did_you_mean(word[:60], known) if len(complaints) <= LIMIT else ""  # it takes its time
        complaints.add(
            document.key((*path, *steps)), f"unknown key {short(word, 60)!r}", key=dotted((*path[1:], *steps[:-1])),
            expected="" if guess else "one of " + ", ".join(known), suggestion=guess,
        )  # fmt: skip
    elif kind == "gradcheck":
        place = document.value((*path, *steps))
        complaints.add(
            place, context["message"], key=key, expected=context["expected"], suggestion=context["suggestion"]
        )
    else:
        message = f"{describe(error['input'])} does not belong here"
        complaints.add(document.value((*path, *steps)), message, key=key, expected=_EXPECTED.get(kind, error["msg"]))


def _known_keys(model: Any, steps: Path) -> list[str]:
    """The keys of the model that `steps` lead to."""
    here: Any = model
    for step in steps:
        here = _inner(here, step)
    inner = _model(here)
    return list(inner.model_fields) if inner else []


def _inner(annotation: Any, step: str | int) -> Any:
    model = _model(annotation)
    if model is not None and isinstance(step, str) and step in model.model_fields:
        return model.model_fields[step].annotation
    for part in _parts(annotation):
        if getattr(part, "__origin__", None) in (dict, list):
            return get_args(part)[-1]
    return None


def _model(annotation: Any) -> type[BaseModel] | None:
    for part in _parts(annotation):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None


def _parts(annotation: Any) -> list[Any]:
    """The annotation with unions and Annotated taken apart."""
    if getattr(annotation, "__origin__", None) in (dict, list) or isinstance(annotation, type):
        return [annotation]
    return [annotation, *(part for inner in get_args(annotation) for part in _parts(inner))]


def _without(data: Any, steps: Path) -> Any:
    """A copy of the data without what stands at `steps`."""
    if not steps:
        return data
    step, rest = steps[0], steps[1:]
    if isinstance(data, dict) and step in data:
        if not rest:
            return {key: value for key, value in data.items() if key != step}
        return {**data, step: _without(data[step], rest)}
    if isinstance(data, list) and isinstance(step, int) and step < len(data) and rest:
        return [*data[:step], _without(data[step], rest), *data[step + 1 :]]
    return data
