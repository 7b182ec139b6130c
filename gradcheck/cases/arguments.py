"""How is a function called with its arrays in a row? By position, by keyword, in nested arguments, as it wants them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.random import Generator, default_rng

from gradcheck.cases.given import Given, Sampler, declared
from gradcheck.errors import UsageError
from gradcheck.spec.trees import aligned, is_tree, leaves, paths, rebuilt


@dataclass(frozen=True, slots=True)
class Form:
    """The arguments of a call: what each is like (a leaf, or a tree of them), and by which keyword, if by one."""

    like: tuple[Any, ...]
    keywords: tuple[str | None, ...]

    @property
    def plain(self) -> bool:
        """Whether every argument is one array, by position."""
        return not self.nested and not any(self.keywords)

    @property
    def nested(self) -> bool:
        """Whether some argument is a tree."""
        return any(map(is_tree, self.like))

    def arguments(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """The arguments, in the order that they were declared in."""
        numbers = iter(row)
        return tuple(rebuilt(like, numbers, is_tree) for like in self.like)

    def called(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """fn as a function of its arrays in a row; arrays behind them are handed on."""
        if self.plain:
            return fn
        count = len(leaves(self.like, is_tree))

        def call(*row: Any) -> Any:
            found = self.arguments(row[:count])
            args = [a for a, word in zip(found, self.keywords, strict=True) if word is None]
            words = {word: a for a, word in zip(found, self.keywords, strict=True) if word is not None}
            return fn(*args, *row[count:], **words)

        return call

    def rule(self, given: Callable[..., Any]) -> Callable[..., Any]:
        """A rule (inputs, …) -> gradients, nested as the arguments are, as one of rows."""
        if not self.nested:
            return given

        def ruled(row: Any, *more: Any) -> Any:
            found = given(self.arguments(row), *more)
            return aligned(self.like, found if isinstance(found, tuple | list) else (found,), is_tree)

        return ruled

    def pushed(self, given: Callable[..., Any], moving: Sequence[int]) -> Callable[..., Any]:
        """A jvp (inputs, tangents), tangents nested as the arguments are and None for constants, as one of rows."""
        if not self.nested:
            return given

        def pushed(row: Any, tangents: Any) -> Any:
            by = dict(zip(moving, tangents, strict=True))
            return given(self.arguments(row), self.arguments([by.get(k) for k in range(len(row))]))

        return pushed

    def text(self, words: bool = True, row: Sequence[str] = ()) -> str:
        """The arguments of a call as Python: `inputs[0], {'w': inputs[1]}, scale=inputs[2]`, or without the words.

        row: what stands for each array instead.
        """
        if self.plain and not row:
            return "*inputs"
        count = len(leaves(self.like, is_tree))
        found = self.arguments([_Word(t) for t in row or [f"inputs[{k}]" for k in range(count)]])
        return ", ".join(
            f"{a!r}" if word is None or not words else f"{word}={a!r}"
            for a, word in zip(found, self.keywords, strict=True)
        )

    def path(self, k: int) -> str:
        """Where the gradient by an array stands in what a rule gives: `[1]['w']`."""
        return "".join(f"[{key!r}]" for key in [path for path, _ in paths(self.like, is_tree)][k])


PLAIN = Form((), ())


def written(like: Any, texts: Sequence[str]) -> str:
    """A nested result as Python writes it, with these texts as its leaves."""
    return repr(rebuilt(like, iter([_Word(t) for t in texts])))


class _Word(str):
    """A text that is its own `repr`."""

    def __repr__(self) -> str:
        return str(self)


def formed(fn: Callable[..., Any], inputs: Any) -> tuple[Form, tuple[Given, ...] | Sampler]:
    """The form of fn's arguments, and its inputs in a row, named by their places ("params.w").

    inputs: as in `gradcheck.check`. Raises UsageError where they are none.
    """
    positions, words, any_word = _parameters(fn)
    if callable(inputs):
        return _sampled(inputs)
    if not isinstance(inputs, Mapping):
        if not isinstance(inputs, list | tuple) or not any(map(is_tree, inputs)):
            return _form(inputs), declared(inputs, [] if words or any_word else positions)
        called = positions if len(positions) >= len(inputs) else [f"x{k}" for k in range(len(inputs))]
        return _form(inputs), declared(_row(dict(zip(called, inputs, strict=False))), [])
    nameless = _nameless(fn)
    if not set(positions[:nameless]) & set(inputs):  # they go by their places: the names are the caller's own
        positions[:nameless] = [*inputs][:nameless]
    known = [*positions, *words]
    unknown = [n for n in inputs if known and not any_word and n not in known]
    if unknown:
        raise UsageError(f"the function has no argument {unknown[0]!r}; it has {', '.join(known)}")
    order = [*(n for n in positions if n in inputs), *(n for n in inputs if n not in positions)]
    ordered = {n: inputs[n] for n in order}
    head = next((k for k, n in enumerate(positions) if n not in inputs), len(positions))  # behind a gap: by keyword
    keywords = tuple(None if n in positions[:head] or not known else n for n in order)
    return Form(tuple(ordered.values()), keywords), declared(_row(ordered), [])


def _form(inputs: Any) -> Form:
    many = tuple(inputs) if isinstance(inputs, list | tuple) else ()
    return Form(many, (None,) * len(many))


def _sampled(sampler: Sampler) -> tuple[Form, Sampler]:
    """A sampler of nested arguments as one of rows; what they are like is seen at its first draw."""
    form = _form(sampler(default_rng(0)))
    if form.plain:
        return form, sampler
    return form, lambda rng: _in_a_row(sampler, rng)


def _in_a_row(sampler: Sampler, rng: Generator) -> list[Any]:
    return leaves(tuple(sampler(rng)), is_tree)


def _row(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Every leaf by the name of its place."""
    return {".".join(map(str, path)): leaf for path, leaf in paths(inputs, is_tree)}


def _nameless(fn: Callable[..., Any]) -> int:
    """How many arguments cannot be given by name, as those of NumPy's ufuncs."""
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return 0
    return sum(p.kind is inspect.Parameter.POSITIONAL_ONLY for p in parameters)


def _parameters(fn: Callable[..., Any]) -> tuple[list[str], list[str], bool]:
    """The names of arguments by position, of those by keyword only, and whether any keyword is taken."""
    try:
        parameters = inspect.signature(getattr(fn, "forward", fn)).parameters.values()  # a module's are its forward's
    except (TypeError, ValueError):
        return [], [], False
    if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters):
        return [], [], False
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return (
        [p.name for p in parameters if p.kind in by_place],
        [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY],
        any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters),
    )
