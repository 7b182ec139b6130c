"""Which sizes, seeds, scales and special numbers make a case? Hypothesis chooses; NumPy fills in the rest.

A `Plan` is small and shrinks well; the batch of points that it stands for follows from it alone, so the same seed
gives the same cases in any process.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

from gradcheck.spec.dims import base_of, keys_of, may_be_one, repetitions, settled
from gradcheck.spec.model import Spec

MAX_DIM = 5
DRAWS = 10  # plans that Hypothesis draws for each one that is used
SCALES = (1.0, 0.1, 10.0, 1e-3, 100.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """What Hypothesis chose. specials: (input's position, element, landmark), modulo what there is."""

    sizes: tuple[tuple[str, int], ...]
    seed: int
    scale: float
    specials: tuple[tuple[int, int, int], ...] = ()


def dimensions(spec: Spec) -> tuple[str, ...]:
    """The names of the dimensions, in the order written, and of what may be 1 instead of one of them."""
    return keys_of(spec.inputs)


def strategy(spec: Spec) -> st.SearchStrategy[Plan]:
    """Plans for a spec: small sizes first, ordinary scales first, few special numbers first."""
    sizes = st.tuples(*[st.tuples(st.just(d), st.integers(1, MAX_DIM)) for d in dimensions(spec)])
    special = st.tuples(st.integers(0, 7), st.integers(0, 63), st.integers(0, 63))
    return st.builds(
        Plan,
        sizes=sizes,
        seed=st.integers(0, 2**32 - 1),
        scale=st.sampled_from(SCALES),
        specials=st.lists(special, max_size=6).map(tuple),
    )


def plans(spec: Spec, seed: int, shapes: int, per_shape: int) -> list[Plan]:
    """`shapes` different size assignments (one where there are no dimensions) with `per_shape` plans each.

    Drawn by Hypothesis under a seed made of `seed` and the spec's own name, so that two specs get different points.
    Few shapes with many points each, because every shape costs a compilation in JAX.
    """
    loose = sum(map(may_be_one, dimensions(spec)))  # an input that may be repeated wants a shape in which it is
    wanted = shapes + loose if dimensions(spec) else 1
    by_size: dict[tuple[tuple[str, int], ...], list[Plan]] = {}
    drawn: list[Plan] = []

    @hypothesis.seed(digest(spec.id, seed))
    @hypothesis.settings(
        max_examples=DRAWS * wanted * per_shape, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @hypothesis.given(strategy(spec))
    def collect(plan: Plan) -> None:
        sizes = tuple(settled(dict(plan.sizes)).items())
        fresh = digest(f"{spec.id}:{plan.seed}", seed)  # a run's seed changes every point
        drawn.append(replace(plan, sizes=sizes, seed=fresh))

    collect()
    for plan in _varied(drawn):
        if plan.sizes in by_size or len(by_size) < wanted:
            group = by_size.setdefault(plan.sizes, [])
            if len(group) < per_shape and all(plan.seed != other.seed for other in group):
                group.append(plan)
    return [plan for group in by_size.values() for plan in _filled(group, per_shape)]


def _varied(drawn: list[Plan]) -> list[Plan]:
    """A middle size first, then size 1 everywhere (where broadcasting hides); plans that plant something first.

    Hypothesis begins with the simplest plans of all; a batch can afford special numbers from the start.
    """
    rich = sorted(drawn, key=lambda p: not p.specials)  # stable: otherwise as drawn
    ordinary = [p for p in rich if all(2 <= size <= 4 for size in _named(p)) and _distinct(p)]
    first = [replace(p, sizes=tuple(s.items())) for p in (ordinary or [_middling(rich[0])])[:1]
             for s in repetitions(dict(p.sizes))]  # fmt: skip
    return first + [replace(p, sizes=tuple((d, 1) for d, _ in p.sizes)) for p in rich[-1:]] + rich


def _middling(plan: Plan) -> Plan:
    """The plan with the sizes 2, 3, 4, 2 … of the dimensions."""
    names = [name for name, _ in plan.sizes if not may_be_one(name)]
    sizes = {name: 2 + k % 3 for k, name in enumerate(names)}
    return replace(plan, sizes=tuple((name, sizes.get(name, sizes.get(base_of(name), 1))) for name, _ in plan.sizes))


def _distinct(plan: Plan) -> bool:
    sizes = _named(plan)
    return len(set(sizes)) == len(sizes) or len(sizes) > 3


def _named(plan: Plan) -> list[int]:
    """The sizes of the dimensions, without those that may be 1 instead."""
    return [size for name, size in plan.sizes if not may_be_one(name)]


def _filled(group: list[Plan], wanted: int) -> list[Plan]:
    """`wanted` plans of one size: more are made from the first by its seed where Hypothesis gave fewer."""
    first, free = group[0], max(plan.seed for plan in group) + 1
    for k in range(wanted - len(group)):
        scale = SCALES[(k + 1) % len(SCALES)]
        group.append(Plan(first.sizes, free + k, scale, first.specials))
    return group


def digest(name: str, seed: int) -> int:
    """A seed for one spec: different specs get different points, whatever the order they run in."""
    return zlib.crc32(f"{name}\0{seed}".encode())


def size_map(plan: Plan) -> Mapping[str, int]:
    """The sizes as a dict."""
    return dict(plan.sizes)
