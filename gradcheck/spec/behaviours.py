"""What does a behaviour's entry mean? Its steps checked in order, with the names known so far."""

from __future__ import annotations

import math
from typing import Any

from gradcheck.errors import did_you_mean
from gradcheck.expr import Program
from gradcheck.spec import schema
from gradcheck.spec.entry import Entry
from gradcheck.spec.model import Semantics, Step
from gradcheck.spec.words import ACTIONS, why_not_a_name

MAX_TURNS = 10_000  # steps that all repetitions together may take
Steps = tuple[str | int, ...]


def build_behaviour(entry: Entry, form: schema.Behaviour) -> Semantics | None:
    """The behaviour; None, with complaints, where something in it is wrong."""
    before = len(entry.complaints)
    if not form.steps:
        entry.complain_key((), "a behaviour without steps shows nothing", "at least one step")
    steps = _Reader(entry).steps(form.steps, ("steps",), 1)
    if form.steps and not _tells(form.steps):
        entry.complain_key((), "this behaviour expects nothing", "an expect step, raises or warns")
    if len(entry.complaints) > before:
        return None
    text = entry.document.text(entry.path)
    return Semantics(entry.id, form.summary, tuple(form.tags), steps, entry.at_key(), text)


def _tells(steps: list[schema.Step]) -> bool:
    """Whether any step says what must come of it."""
    return any(s.expect or s.raises or s.warns or (s.repeat and _tells(s.repeat.steps)) for s in steps)


class _Reader:
    """Reads steps in order; `known` fills with the names they define."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.known: dict[str, None] = {}

    def steps(self, forms: list[schema.Step], path: Steps, turns: int) -> tuple[Step, ...]:
        """Steps below `path`, all run `turns` times."""
        if turns * len(forms) > MAX_TURNS:
            self.entry.complain(path, f"more than {MAX_TURNS} steps in all")
            return ()
        return tuple(self._step(form, (*path, index), turns) for index, form in enumerate(forms))

    def _step(self, form: schema.Step, path: Steps, turns: int) -> Step:
        action = next(action for action in ACTIONS if getattr(form, action) is not None)
        if form.repeat is not None:
            inner = self.steps(form.repeat.steps, (*path, "repeat", "steps"), turns * form.repeat.times)
            arguments: Any = {"times": form.repeat.times, "steps": inner}
            if not form.repeat.steps:
                self.entry.complain((*path, "repeat"), "nothing is repeated here", "at least one step")
        else:
            arguments = getattr(self, f"_{action}")(getattr(form, action), (*path, action))
        for key in ("raises", "warns"):
            if getattr(form, key) == "":
                self.entry.complain((*path, key), "any message has this part", "a part of the message")
        return Step(action, arguments, form.raises, form.warns, self.entry.at(*path))

    def _tensor(self, values: dict[str, Any], path: Steps) -> dict[str, Any]:
        for name in values:
            self._define(name, path)
        return values

    _constant = _tensor

    def _let(self, formulas: dict[str, str], path: Steps) -> dict[str, Program | None]:
        programs = {}
        for name, text in formulas.items():
            programs[name] = self.entry.formula((*path, name), text, list(self.known))
            self._define(name, path)
        return programs

    _no_grad = _let

    def _detach(self, names: dict[str, str], path: Steps) -> dict[str, str]:
        for new, name in names.items():
            self._check(name, (*path, new))
            self._define(new, path)
        return names

    def _requires_grad(self, flags: dict[str, bool], path: Steps) -> dict[str, bool]:
        self._check_keys(flags, path)
        return flags

    def _backward(self, form: str | schema.Backward, path: Steps) -> dict[str, Any]:
        call = schema.Backward(of=form) if isinstance(form, str) else form
        self._check(call.of, path if isinstance(form, str) else (*path, "of"))
        return {name: getattr(call, name) for name in schema.Backward.model_fields}

    def _zero_grad(self, names: list[str], path: Steps) -> tuple[str, ...]:
        for index, name in enumerate(names):
            self._check(name, (*path, index))
        return tuple(names)

    def _sgd(self, form: schema.Sgd, path: Steps) -> dict[str, Any]:
        if not (math.isfinite(form.lr) and form.lr > 0):
            self.entry.complain((*path, "lr"), f"a rate of {form.lr!r} is no step", "a positive number")
        return {"lr": form.lr, "of": self._zero_grad(form.of, (*path, "of"))}

    def _expect(self, form: schema.State, path: Steps) -> dict[str, Any]:
        told = {}
        for key in sorted(form.model_fields_set):
            told[key] = getattr(form, key)
            if key != "decimals":
                self._check_keys(told[key], (*path, key))
        if not any(value for key, value in told.items() if key != "decimals"):
            self.entry.complain(path, "nothing is expected here", "value, grad, requires_grad, is_leaf, node or nodes")
        if "nodes" in told:
            told["nodes"] = {name: tuple(words) for name, words in told["nodes"].items()}
        return told

    def _check_keys(self, named: dict[str, Any], path: Steps) -> None:
        for name in named:
            self._check(name, (*path, name), key=True)

    def _check(self, name: str, path: Steps, key: bool = False) -> None:
        if name in self.known:
            return
        tell = self.entry.complain_key if key else self.entry.complain
        expected = "one of " + ", ".join(self.known) if self.known else "a tensor step before"
        tell(path, f"unknown name {name[:60]!r}", expected, did_you_mean(name[:60], list(self.known)))

    def _define(self, name: str, path: Steps) -> None:
        reason = why_not_a_name(name)
        if reason:
            self.entry.complain_key((*path, name), f"{name[:60]!r} {reason}")
        self.known[name] = None
