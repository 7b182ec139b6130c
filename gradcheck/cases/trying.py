"""Where has a function a value? Found by trying it at a few numbers: the widest common domain at whose numbers it has.

What is found this way is a guess from so many calls, and whoever uses it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice, product

import numpy as np

from gradcheck.spec.domains import parse_domain
from gradcheck.spec.membership import agrees, within_box

PROBES = (0.6, -0.6, 0.0, 1.0, -1.0, 1.7, -1.7, 0.25, -0.25, 3.3, -3.3, 7.4, -7.4, 20.0, -20.0)
BASES = (0.6, 1.7, 0.25, -0.6, 3.3, 1.0, 0.0, -1.7)
MOST_BASES = 200
CANDIDATES = (  # the widest first
    "real", "nonzero", "[-1, inf)", "(-1, inf)", "(-inf, 1]", "(-inf, 1)", "nonnegative", "positive", "(-inf, 0]",
    "negative", "[1, inf)", "(1, inf)", "[-1, 1]", "(-1, 1)", "unit", "(0, 1]", "(0, 1)",
)  # fmt: skip
Works = Callable[[Mapping[str, float]], bool]  # whether there is a value where each input is filled with one number


def domains_found(names: Sequence[str], works: Works) -> dict[str, str] | None:
    """A domain's text for every input; None where no point was found at which there is a value."""
    base = base_of(names, works)
    return None if base is None else {name: _domain(name, base, works) for name in names}


def base_of(names: Sequence[str], works: Works) -> dict[str, float] | None:
    """A point at which the function has a value: equal numbers first, then mixed ones."""
    equal = ((b,) * len(names) for b in BASES)
    mixed = islice(product(BASES, repeat=len(names)), MOST_BASES)
    for numbers in (*equal, *mixed):
        point = dict(zip(names, numbers, strict=True))
        if works(point):
            return point
    return None


def _domain(name: str, base: Mapping[str, float], works: Works) -> str:
    good = [p for p in PROBES if works({**base, name: p})]
    bad = [p for p in PROBES if p not in good]
    for text in CANDIDATES:
        held = [_holds(name, text, p) for p in good]
        if sum(held) >= 2 and not any(_holds(name, text, p) for p in bad):
            return text
    return "real"  # none of them fits: the points without a value will be told


def _holds(name: str, text: str, number: float) -> bool:
    domain = parse_domain(text, name, [name])
    return bool(within_box(domain, np.array(number)).all()) and agrees(domain, {name: np.array(number)})
