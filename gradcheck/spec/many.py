"""Are there so many numbers at a point that none of them is moved alone? How much is asked then?"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from gradcheck.spec.model import Spec

ALONE = 512  # numbers at a point up to which differences move each alone: 256 points of so many take a minute
AT_ONCE = 2**15  # numbers of a case of more: so many are proven in balls in some seconds
FEWEST = 3  # points of a case, however many numbers each has: landmarks, ties, and drawn ones
IN_DOUBT = 2**18  # numbers of all points at which a difference is taken by a number in doubt, for one step
FEWEST_IN_DOUBT = 8


def numbers(spec: Spec, sizes: Mapping[str, int]) -> int:
    """How many numbers the inputs hold at one point of these sizes."""
    return sum(prod(sizes[d] if isinstance(d, str) else d for d in i.shape) for i in spec.inputs)


def is_many(spec: Spec, sizes: Mapping[str, int]) -> bool:
    """Whether no number is moved alone: then derivatives are measured along directions."""
    return numbers(spec, sizes) > ALONE


def points_of(spec: Spec, sizes: Mapping[str, int], points: int) -> int:
    """At how many of so many points a function of these sizes is judged."""
    return min(points, _part(AT_ONCE, FEWEST, spec, sizes)) if is_many(spec, sizes) else points


def in_doubt(spec: Spec, sizes: Mapping[str, int]) -> int:
    """How many of many numbers, of which parties say different things, are moved alone all the same."""
    return _part(IN_DOUBT, FEWEST_IN_DOUBT, spec, sizes)


def _part(whole: int, least: int, spec: Spec, sizes: Mapping[str, int]) -> int:
    return max(least, whole // numbers(spec, sizes))
