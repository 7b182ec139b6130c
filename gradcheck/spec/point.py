"""At which point is a function to be looked at? Numbers given by hand (`x=[1, 2]`), read and checked like a spec's.

Every complaint names the option and the column within it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import PydanticCustomError

from gradcheck.errors import SpecError, SpecErrors, UsageError, did_you_mean
from gradcheck.spec.complaints import Complaints
from gradcheck.spec.dims import misfit, sizes_from
from gradcheck.spec.fields import numbers, shape_of
from gradcheck.spec.membership import inside, within_box
from gradcheck.spec.model import Input, Spec
from gradcheck.spec.yaml_nodes import parse

Array = NDArray[np.float64]


def given_point(spec: Spec, words: Sequence[str], option: str = "--at") -> tuple[dict[str, Array], dict[str, int]]:
    """The inputs that `words` (`NAME=NUMBERS`, one each) give, and the sizes of the dimensions.

    Raises UsageError or SpecErrors for what is no input, no number, of another shape, or outside the domain.
    """
    texts = _by_name(words, [i.name for i in spec.inputs], option, "input")
    missing = [i.name for i in spec.inputs if i.name not in texts]
    if missing:
        raise UsageError(f"{option}: {_list(missing)} of {spec.id} is missing; write {option} {missing[0]}=NUMBERS")
    sizes: dict[str, int] = {}
    point = {i.name: _array(texts[i.name], i.name, i.shape, sizes, option) for i in spec.inputs}
    sizes = sizes_from(spec.inputs, {name: array.shape for name, array in point.items()})
    if misfit(sizes):
        raise UsageError(f"{option}: the shapes do not fit together: {misfit(sizes)}")
    for i in spec.inputs:
        _check_box(i, point[i.name], sizes, texts[i.name], option)
    if not inside(spec, {name: array[None] for name, array in point.items()}, sizes).all():
        domains = ", ".join(f"{i.domain.text!r} of {i.name!r}" for i in spec.inputs if i.domain.predicate is not None)
        raise UsageError(f"{option}: this point lies outside the domain {domains}")
    return point, sizes


def given_cotangent(
    words: Sequence[str], shapes: Mapping[str, tuple[int, ...]], option: str = "--ct"
) -> dict[str, Array]:
    """The cotangents that `words` give for the outputs of `shapes`: numbers, or `NAME=NUMBERS` for named outputs."""
    if list(shapes) == ["value"]:
        if len(words) > 1:
            raise UsageError(f"{option} is given {len(words)} times, but the function has one output")
        return {"value": _array(words[0], "value", shapes["value"], {}, option)}
    texts = _by_name(words, list(shapes), option, "output")
    missing = [name for name in shapes if name not in texts]
    if missing:
        raise UsageError(f"{option}: the output {missing[0]!r} is missing; write {option} {missing[0]}=NUMBERS")
    return {name: _array(texts[name], name, shape, {}, option) for name, shape in shapes.items()}


def _by_name(words: Sequence[str], known: Sequence[str], option: str, what: str) -> dict[str, str]:
    """The words by the name before their "=", which is blanked out, so that columns stay what they are."""
    texts: dict[str, str] = {}
    for word in words:
        name, equals, numbers = word.partition("=")
        key = name.strip()
        if not equals:
            raise UsageError(f"{option} {word!r} names no {what}; write {option} {known[0] if known else 'x'}=NUMBERS")
        if key not in known:
            message = f"{option}: there is no {what} {key!r}; there is {', '.join(known)}"
            raise UsageError(message, did_you_mean(key, known))
        if key in texts:
            raise UsageError(f"{option}: {key!r} is given twice")
        texts[key] = " " * (len(name) + 1) + numbers
    return texts


def _array(
    text: str, name: str, shape: tuple[str | int, ...], sizes: dict[str, int], option: str
) -> Array:  # fmt: skip
    complaints = Complaints(option)
    document = parse(text, complaints) if text.strip() else None
    if document is None:
        broken = next((error.message for error in complaints.errors()), "nothing is given")
        raise SpecErrors((_error(option, text, name, broken, "a number or a list such as [1, 2]"),))
    try:
        found = numbers(document.data)
    except PydanticCustomError as error:
        told: Mapping[str, Any] = error.context or {}
        place = document.value(told.get("at", ()))
        value = document.get(told.get("at", ()))
        message, expected = str(told.get("message")), str(told.get("expected"))
        raise SpecErrors((SpecError(option, 1, place.column, message, name, value, expected),)) from None
    _check_shape(shape_of(found), shape, sizes, option, text, name)
    return np.asarray(found, dtype=np.float64)


def _check_shape(
    found: tuple[int, ...], shape: tuple[str | int, ...], sizes: dict[str, int], option: str, text: str, name: str
) -> None:
    """Complain where the shape is another; remembers the sizes of the dimensions met."""
    wanted = tuple(sizes.get(size, size) if isinstance(size, str) else size for size in shape)
    fits = len(found) == len(wanted) and all(isinstance(w, str) or w == s for w, s in zip(wanted, found, strict=True))
    named: dict[str, int] = {}
    for size, length in zip(shape, found, strict=False):
        if isinstance(size, str):
            fits = fits and named.setdefault(size, length) == length
    if not fits or 0 in found:
        message = "an empty list" if 0 in found else f"the shape is [{', '.join(map(str, found))}]"
        raise SpecErrors((_error(option, text, name, message, f"shape [{', '.join(map(str, wanted))}]"),))
    sizes.update(named)


def _check_box(i: Input, array: Array, sizes: dict[str, int], text: str, option: str) -> None:
    outside = array[~np.asarray(within_box(i.domain.at(sizes), array))]
    if outside.size:
        message, expected = "this lies outside the domain", f"a number of the domain {i.domain.text!r}"
        raise SpecErrors((_error(option, text, i.name, message, expected, float(outside.flat[0])),))


def _error(option: str, text: str, name: str, message: str, expected: str, value: Any = None) -> SpecError:
    column = len(text) - len(text.lstrip()) + 1
    return SpecError(option, 1, column, message, name, value, expected)


def _list(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(map(repr, names[:-1])), repr(names[-1])]))
