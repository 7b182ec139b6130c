"""What can be told of a function by calling it? Its inputs' shapes and domains, its outputs' shapes, and some values.

All of it is found by trying and may be wrong; nothing here looks at a derivative.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import numpy as np

from gradcheck.cases.given import Given, dimensions, settled
from gradcheck.cases.given_words import givens_of
from gradcheck.cases.planting import points
from gradcheck.cases.trying import BASES, domains_found
from gradcheck.errors import UsageError
from gradcheck.oracles.blackbox.asked import Array, Handwritten, Subject
from gradcheck.spec.membership import within_box
from gradcheck.spec.words import why_not_an_input

SHAPES = ("n", "", "n,m", "n,n", "m", "m,p")  # tried for each input, the first one for all of them first
SIZES = ((3, 4, 2, 5, 6, 7), (2, 5, 3, 4, 7, 6), (1, 1, 1, 1, 1, 1))  # of the dimensions, in turn
MOST = 150  # combinations of shapes that are tried
DRAWN = 24  # points of the domains at which the function is called in the end
EXAMPLES = 2
SPREAD = 0.05  # by how much the numbers of an array differ from each other where it is filled with one number


@dataclass(frozen=True, slots=True)
class Draft:
    """What was found. outputs: the shape of each, as dimensions of the inputs where it is one.

    examples: (inputs, outputs) as called. without: at how many of `drawn` points there was no finite value.
    """

    inputs: tuple[Given, ...]
    outputs: tuple[tuple[str | int, ...], ...]
    examples: tuple[tuple[tuple[Array, ...], tuple[Array, ...]], ...]
    without: int
    drawn: int


def arguments_of(fn: Callable[..., Any]) -> list[str]:
    """The names of the arguments that must be given; none where they cannot be read."""
    owner = getattr(fn, "__self__", None)
    forward = getattr(owner, "forward", None)
    if isinstance(owner, type) and callable(forward) and getattr(fn, "__name__", "") == "apply":
        own = [c for c in owner.__mro__ if c.__module__.partition(".")[0] != "torch"]
        names = _read(forward)
        return names if any("setup_context" in vars(c) for c in own) else names[1:]  # the first is the context
    return _read(fn)


def _read(fn: Callable[..., Any]) -> list[str]:
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    plain = [p for p in parameters if p.kind in kinds]
    if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters):
        return []
    return [p.name for p in plain if p.default is inspect.Parameter.empty]


def subject_of(backend: str, fn: Callable[..., Any], count: int) -> Subject:
    """A function that is only asked for values."""
    moving = tuple(range(count))
    if backend == "torch":
        from gradcheck.oracles.with_torch.door import TorchCode

        return TorchCode(fn, moving)
    if backend == "jax":
        from gradcheck.oracles.with_jax.door import JaxCode

        return JaxCode(fn, moving)
    return Handwritten(fn, None, None, moving, count)


def draft(backend: str, fn: Callable[..., Any], inputs: Mapping[str, Given], given: Sequence[str], seed: int) -> Draft:
    """Call a function until its inputs are known.

    inputs: as they were asked for, in the order of the arguments; empty where shapes are to be found. given: the
    inputs whose domain was told. Raises UsageError where no call gives a number.
    """
    names = list(inputs) or _names(fn)
    subject = subject_of(backend, fn, len(names))
    shaped = dict(inputs) if inputs else _shapes(subject, names)
    works = _works(subject, list(shaped.values()))
    free = [n for n, g in shaped.items() if n not in given and g.domain.kind == "real"]
    found = domains_found(free, works) if free else {}
    if found is None:
        raise UsageError(f"no call was found that gives finite numbers{_raised(subject, list(shaped.values()))}")
    texts = [f"{n}={text}" for n, text in found.items() if text != "real"]
    domains = {**shaped, **{n: g for n, g in _again(shaped, texts).items() if n in found}}
    return _called(subject, tuple(domains.values()), seed)


def _names(fn: Callable[..., Any]) -> list[str]:
    names = arguments_of(fn)
    if not names:
        raise UsageError("the arguments cannot be read from the function: give --input NAME=SHAPE for each")
    return [n if not why_not_an_input(n) else f"x{k}" for k, n in enumerate(names)]


def _again(shaped: Mapping[str, Given], domains: Sequence[str]) -> dict[str, Given]:
    texts = [f"{n}={','.join(map(str, g.shape))}" for n, g in shaped.items()]
    return givens_of(texts, domains)


def _shapes(subject: Subject, names: Sequence[str]) -> dict[str, Given]:
    """The first combination of shapes with which calls succeed, at three choices of sizes."""
    equal = [(shape,) * len(names) for shape in SHAPES[:4]]
    for shapes in islice(dict.fromkeys([*equal, *product(SHAPES, repeat=len(names))]), MOST):
        found = givens_of([f"{n}={s}" for n, s in zip(names, shapes, strict=True)])
        if all(_answers(subject, list(found.values()), sizes) for sizes in SIZES):
            return found
    why = f"no shapes were found with which {', '.join(names)} can be called"
    raised = _raised(subject, list(givens_of([f"{n}=n" for n in names]).values()))
    raise UsageError(f"{why}{raised}; give --input NAME=SHAPE for each, and --domain where numbers are whole")


def _sized(givens: Sequence[Given], sizes: Sequence[int]) -> dict[str, int]:
    """The dimensions of the inputs at these sizes."""
    return {name: sizes[k % len(sizes)] for k, name in enumerate(dimensions(givens))}


def _answers(subject: Subject, givens: Sequence[Given], choice: Sequence[int]) -> bool:
    """Whether a call with numbers from some base gives finite ones."""
    sizes = _sized(givens, choice)
    return any(_values(subject, [_filled(g, b, sizes) for g in givens]) is not None for b in BASES[:4])


def _filled(given: Given, number: float, sizes: Mapping[str, int], even: bool = False) -> Array:
    """An array about one number (or of exactly that one: `even`); of a set with a structure, a member."""
    here = settled(given, sizes)
    if here.domain.kind != "real":
        return np.array(points([here], 1, 0)[0].inputs[0])
    shape = tuple(int(d) for d in here.shape)
    apart = np.zeros(shape) if even else SPREAD * np.random.default_rng(0).uniform(-1, 1, shape)
    return np.asarray(number * (1 + apart), dtype=here.dtype)


def _values(subject: Subject, inputs: Sequence[Array]) -> tuple[Array, ...] | None:
    """The outputs, where all are finite numbers."""
    with np.errstate(all="ignore"):
        try:
            found = subject.value([np.array(x) for x in inputs])
        except Exception:  # people's code may raise anything where it is not meant to be called
            return None
    return found if found and all(np.isfinite(np.asarray(v, dtype=float)).all() for v in found) else None


def _works(subject: Subject, givens: Sequence[Given]) -> Callable[[Mapping[str, float]], bool]:
    sizes = _sized(givens, SIZES[0])

    def works(point: Mapping[str, float]) -> bool:
        for even in (True, False):  # equal numbers may be singular, and uneven ones beyond an end
            inputs = [_filled(g, point.get(g.name, BASES[0]), sizes, even) for g in givens]
            if _values(subject, inputs) is not None:
                return True
        return False

    return works


def _raised(subject: Subject, givens: Sequence[Given]) -> str:
    """What the last call raised, for a reader who wonders."""
    try:
        subject.value([_filled(g, BASES[0], _sized(givens, SIZES[0])) for g in givens])
    except Exception as error:  # people's code may raise anything
        return f" ({type(error).__name__}: {str(error).partition(chr(10))[0]})"
    return ""


def _called(subject: Subject, givens: tuple[Given, ...], seed: int) -> Draft:
    """The function called at points of the domains that were found."""
    shapes = []
    for choice in SIZES[:2]:
        sizes = _sized(givens, choice)
        tried = [t for t in points([settled(g, sizes) for g in givens], DRAWN, seed) if not t.outside]
        answers = [_values(subject, t.inputs) for t in tried]
        first = next((a for a in answers if a is not None), None)
        if first is None:
            raise UsageError(f"no call was found that gives finite numbers{_raised(subject, givens)}")
        shapes.append([np.shape(v) for v in first])
    one, other = shapes
    ways = [_sized(givens, choice) for choice in SIZES[:2]]
    outputs = tuple(_named(a, b, ways) for a, b in zip(one, other, strict=True))
    without = sum(a is None for a in answers)
    return Draft(givens, outputs, tuple(_examples(subject, givens)), without, len(tried))


def _named(one: Sequence[int], other: Sequence[int], ways: Sequence[Mapping[str, int]]) -> tuple[str | int, ...]:
    """An output's shape at two choices of sizes, in dimensions; a size that follows no dimension stays a number."""
    return tuple(
        a if a == b else next((n for n in ways[0] if (ways[0][n], ways[1][n]) == (a, b)), a)
        for a, b in zip(one, other, strict=False)
    )


def _examples(subject: Subject, givens: tuple[Given, ...]) -> Iterator[tuple[tuple[Array, ...], tuple[Array, ...]]]:
    """A few calls at numbers of two decimals, at the smallest sizes."""
    sizes = dict.fromkeys(dimensions(givens), 2)
    inside = (t for t in points([settled(g, sizes) for g in givens], 64, 0) if not t.outside and t.origin == "drawn")
    found = 0
    for tried in inside:
        rounded = [np.round(x, 2) if g.domain.kind == "real" else x for g, x in zip(givens, tried.inputs, strict=True)]
        values = _values(subject, rounded)
        ok = all(within_box(g.domain, np.asarray(x, dtype=float)).all() for g, x in zip(givens, rounded, strict=True))
        if values is not None and ok and found < EXAMPLES:
            found += 1
            yield tuple(np.asarray(x) for x in rounded), values
