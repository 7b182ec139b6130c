"""How does a caller say, on a command line, what a function's inputs may be? `x=n,3` and a domain's text.

Domains are written as in spec files and read by the same parser; `integer [0, n)` alone may end at a dimension.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gradcheck.cases.given import Dimension, Given
from gradcheck.errors import ExpressionError, UsageError, did_you_mean
from gradcheck.spec.domains import DISCRETE, parse_domain, wrong_shape
from gradcheck.spec.model import Domain
from gradcheck.spec.words import why_not_a_name, why_not_an_input

MOST_DIMENSIONS = 6  # as in a spec
LARGEST = 10_000  # numbers along a dimension that is fixed: more is no question to a derivative
_TO_A_DIMENSION = re.compile(r"integer\s*\[(?P<low>[^,]*),\s*(?P<name>[A-Za-z_]\w*)\s*\)\s*")
_DTYPES = {"integer": "int64", "permutation": "int64", "boolean": "bool"}


def givens_of(
    inputs: Sequence[str], domains: Sequence[str] = (), constants: Sequence[str] = ()
) -> dict[str, Given]:  # fmt: skip
    """Inputs in the order written: `NAME=SHAPE` (or `NAME`, a number), with `NAME=DOMAIN` for some of them.

    Raises UsageError that names the option, its part, and what was expected.
    """
    shapes: dict[str, tuple[Dimension, ...]] = {}
    for text in inputs:
        name, shape = _named("--input", text)
        if name in shapes:
            raise UsageError(f"--input {text!r}: {name!r} is given twice")
        why = why_not_an_input(name)
        if why:
            raise UsageError(f"--input {text!r}: the name {name!r} {why}")
        shapes[name] = _shape(text, shape)
    texts = _by_input("--domain", domains, list(shapes))
    for name in constants:
        _known("--constant", name, name, list(shapes))
    found = {name: _given(name, shape, texts.get(name, "real"), shapes) for name, shape in shapes.items()}
    return {n: replace(g, differentiable=g.differentiable and n not in constants) for n, g in found.items()}


def _named(option: str, text: str) -> tuple[str, str]:
    name, _, rest = text.partition("=")
    if not name.strip():
        raise UsageError(f"{option} {text!r}: a name is expected before '='")
    return name.strip(), rest.strip()


def _by_input(option: str, texts: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, rest = _named(option, text)
        _known(option, text, name, names)
        if not rest:
            raise UsageError(f"{option} {text!r}: a domain is expected after '=', such as positive or '(0, inf)'")
        if name in found:
            raise UsageError(f"{option} {text!r}: {name!r} has a domain already")
        found[name] = rest
    return found


def _known(option: str, text: str, name: str, names: Sequence[str]) -> None:
    if name not in names:
        there = f"there is --input {', '.join(names)}" if names else "no --input is given"
        raise UsageError(f"{option} {text!r}: there is no input {name!r}; {there}", did_you_mean(name, names))


def _shape(text: str, shape: str) -> tuple[Dimension, ...]:
    inner = shape[1:-1] if shape[:1] in ("[", "(") and shape[-1:] in ("]", ")") else shape
    parts = [p.strip() for p in inner.split(",")]
    if parts[-1] == "":
        parts = parts[:-1]  # nothing at all, or a comma behind the last
    if len(parts) > MOST_DIMENSIONS:
        raise UsageError(f"--input {text!r}: {len(parts)} dimensions; at most {MOST_DIMENSIONS} are expected")
    return tuple(_dimension(text, p) for p in parts)


def _dimension(text: str, part: str) -> Dimension:
    if re.fullmatch(r"\d+", part) and int(part) <= LARGEST:
        return int(part)
    if re.match(r"[-+\d.]", part) or not part:
        raise UsageError(f"--input {text!r}: {part!r} is no size; a whole number up to {LARGEST} or a name is expected")
    why = why_not_a_name(part)
    if why:
        raise UsageError(f"--input {text!r}: the dimension {part!r} {why}; a size or a name is expected")
    return part


def _given(name: str, shape: tuple[Dimension, ...], text: str, shapes: Mapping[str, tuple[Dimension, ...]]) -> Given:
    dimensions = {d for one in shapes.values() for d in one if isinstance(d, str)}
    last = ""
    match = _TO_A_DIMENSION.fullmatch(text)
    if match is not None and match["name"] in dimensions:
        text, last = f"integer [{match['low']}, inf)", match["name"]
    try:
        domain = parse_domain(text, name, [*shapes, *dimensions])
    except ExpressionError as error:
        raise UsageError(f"--domain '{name}={text}', column {error.column} of the domain: {error}") from None
    if domain.below:
        last, domain = domain.below, replace(domain, below="")
        if last not in dimensions:
            raise UsageError(
                f"--domain '{name}={text}': {last!r} is not a dimension", did_you_mean(last, tuple(dimensions))
            )
    why = wrong_shape(domain, shape)
    if why:
        raise UsageError(f"--input '{name}={','.join(map(str, shape))}': {why} is expected")
    if domain.kind == "probability":  # numbers from 0 to 1, each for itself
        domain = replace(domain, kind="real")
    if domain.kind == "boolean":  # its ends say nothing that its kind does not
        domain = Domain("boolean", predicate=domain.predicate, text=domain.text)
    dtype = _DTYPES.get(domain.kind, "float64")
    return Given(shape, domain, dtype=dtype, differentiable=domain.kind not in DISCRETE, last=last, name=name)
