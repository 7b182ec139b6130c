"""What was computed by hand? Worked examples, their numbers checked against the inputs' shapes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from gradcheck.errors import did_you_mean
from gradcheck.spec import schema
from gradcheck.spec.entry import Entry
from gradcheck.spec.fields import shape_of
from gradcheck.spec.model import Domain, Example, Input
from gradcheck.spec.words import CLAIMS

_TANGENT = "t_"
Steps = tuple[str | int, ...]


def build_examples(
    entry: Entry, form: schema.Function, inputs: tuple[Input, ...], outputs: tuple[str, ...]
) -> tuple[Example, ...]:
    """Every example of the entry. Complains about missing inputs, shapes, and points outside the domain."""
    return tuple(_Reader(entry, index, inputs, outputs).read(example) for index, example in enumerate(form.examples))


class _Reader:
    """Reads one example; `sizes` fills with the dimensions met."""

    def __init__(self, entry: Entry, index: int, inputs: tuple[Input, ...], outputs: tuple[str, ...]) -> None:
        self.entry = entry
        self.steps: Steps = ("examples", index)
        self.inputs = {i.name: i for i in inputs}
        self.outputs = outputs
        self.sizes: dict[str, int] = {}

    def read(self, form: schema.Example) -> Example:
        """The example, its expected numbers named as in `Example.expected`."""
        extra: Mapping[str, Any] = form.__pydantic_extra__
        strangers = self._check_keys(extra)
        for name in self.inputs:
            if name in extra:
                self._check_point(name, extra[name])
        tangents = {name[len(_TANGENT) :]: value for name, value in extra.items() if name.startswith(_TANGENT)}
        for name, value in tangents.items():
            if name in self.inputs:
                self._check_shape((_TANGENT + name,), value, self.inputs[name].shape)
        self._check_needs(form, tangents)
        inputs = {name: extra[name] for name in self.inputs if name in extra}
        expected = dict(self._expected(form))
        if not (expected or strangers) and form.ct is None:
            wanted = "one of value, " + ", ".join(CLAIMS)
            self.entry.complain_missing(self.steps, "this example expects nothing", wanted)
        return Example(inputs, expected, form.ct, form.decimals, self.entry.at(*self.steps), tangents)

    def complain(self, steps: Steps, message: str, expected: str = "", suggestion: str = "", key: bool = False) -> None:
        """A complaint about something in this example."""
        tell = self.entry.complain_key if key else self.entry.complain
        tell((*self.steps, *steps), message, expected, suggestion)

    def _check_keys(self, extra: Mapping[str, Any]) -> bool:
        """Complains about keys; whether some are nothing that belongs here."""
        for name in self.inputs:
            if name not in extra:
                self.complain((), f"the input {name!r} is missing in this example")
        known = [*self.inputs, *(_TANGENT + name for name, i in self.inputs.items() if i.differentiable)]
        strangers = [name for name in extra if name not in known]
        for name in strangers:
            words = [*known, *schema.Example.model_fields]
            message = f"{name[:60]!r} is neither an input nor a claim"
            self.complain((name,), message, "one of " + ", ".join(words), did_you_mean(name[:60], words), key=True)
        return bool(strangers)

    def _check_point(self, name: str, value: Any) -> None:
        self._check_shape((name,), value, self.inputs[name].shape)
        for at, number in _leaves(value, ()):
            domain = self.inputs[name].domain
            reason = _outside(domain, number)
            if reason:
                self.complain((name, *at), f"{number!r} {reason}", f"a number of the domain {domain.text!r}")
                return

    def _check_shape(self, steps: Steps, value: Any, shape: tuple[str | int, ...]) -> None:
        found = shape_of(value)
        wanted = tuple(self.sizes.get(size, size) if isinstance(size, str) else size for size in shape)
        written = "[" + ", ".join(map(str, wanted)) + "]"
        if 0 in found:
            self.complain(steps, "an empty list", f"shape {written}")
            return
        if len(found) != len(shape) or any(isinstance(w, int) and w != s for w, s in zip(wanted, found, strict=False)):
            self.complain(steps, f"the shape is {list(found)}", f"shape {written}")
            return
        for size, length in zip(shape, found, strict=True):
            if isinstance(size, str) and self.sizes.setdefault(size, length) != length:
                self.complain(steps, f"the dimension {size!r} is {self.sizes[size]} and {length} at once")

    def _check_needs(self, form: schema.Example, tangents: Mapping[str, Any]) -> None:
        if form.vjp is not None and form.ct is None:
            self.complain(("vjp",), "a vjp is expected but no cotangent given", "ct", key=True)
        for claim in ("jvp", "hvp"):
            missing = [n for n, i in self.inputs.items() if i.differentiable and n not in tangents]
            if getattr(form, claim) is not None and missing:
                names = ", ".join(_TANGENT + name for name in missing)
                self.complain((claim,), f"a {claim} is expected but not every tangent given", names, key=True)

    def _expected(self, form: schema.Example) -> Iterator[tuple[str, Any]]:
        for claim in ("value", *CLAIMS):
            given = getattr(form, claim)
            if given is None:
                continue
            self._check_named(claim, given if isinstance(given, dict) else None)
            if isinstance(given, dict) and claim != "value":
                yield from ((f"{claim}:{name}", numbers) for name, numbers in given.items())
            else:
                yield claim, given
        if form.ct is not None:
            self._check_named("ct", form.ct if isinstance(form.ct, dict) else None)

    def _check_named(self, claim: str, given: Mapping[str, Any] | None) -> None:
        """By outputs go value, jvp and ct, by inputs all others; an unnamed output has no mapping."""
        several = self.outputs != ("value",)
        if claim in ("value", "jvp", "ct"):
            if given is None and several:
                self.complain((claim,), "the outputs are named", "a mapping of " + ", ".join(self.outputs))
            elif given is not None and not several:
                self.complain((claim,), "the function has one unnamed output", "numbers without a name")
            known = list(self.outputs)
        else:
            known = [name for name, i in self.inputs.items() if i.differentiable]
        for name in given or ():
            if name not in known and (several or claim not in ("value", "jvp", "ct")):
                guess = did_you_mean(name[:60], known)
                message = f"{name[:60]!r} is not known here"
                self.complain((claim, name), message, "one of " + ", ".join(known), guess, key=True)


def _leaves(value: Any, at: Steps) -> Iterator[tuple[Steps, float]]:
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _leaves(item, (*at, index))
    else:
        yield at, value


def _outside(domain: Domain, number: float) -> str:
    if math.isinf(number):
        return "is not a finite number"
    if domain.kind in ("integer", "boolean", "permutation") and number != math.floor(number):
        return "is not an integer"
    below = number < domain.low or (number == domain.low and domain.low_open)
    above = number > domain.high or (number == domain.high and domain.high_open)
    return "lies outside the domain" if below or above else ""
