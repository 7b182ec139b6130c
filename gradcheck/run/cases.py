"""At which cases is a function judged? Examples, planned ones, small ones of odd sizes, and points beside jumps."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from gradcheck.cases import (
    NO_MARKS,
    Marks,
    Tally,
    beside,
    build,
    example_case,
    example_sizes,
    narrowed,
    near_jumps,
    plans,
    uniform_cases,
)
from gradcheck.oracles.implementations import numbers_in
from gradcheck.run.config import UNIFORM, Config
from gradcheck.spec import Case, Example, Spec
from gradcheck.spec.many import points_of


def cases_of(
    spec: Spec, config: Config, tally: Tally | None = None, lost: Collection[str] = ()
) -> Iterator[tuple[Case, Example | None]]:
    """Every case, each followed by itself at narrower dtypes, with the example that it is made of.

    tally: counts what is drawn for the main cases. lost: implementations that are not imported (again).
    """
    for example in spec.examples if "examples" in config.phases else ():
        case = example_case(spec, example, example_sizes(spec, example))
        yield case, example
        yield from ((narrow, None) for narrow in _narrow(case, config))
    planned = _uniform if UNIFORM in config.phases else _planned
    for case in planned(spec, config, tally, lost):
        yield case, None
        yield from ((narrow, None) for narrow in _narrow(case, config))


def _narrow(case: Case, config: Config) -> list[Case]:
    """The case at every narrower dtype that frameworks and implementations are asked in."""
    found = [narrowed(case, dtype) for dtype in dtypes_of(case.spec, config) if dtype != "float64"]
    return [narrow for narrow in found if narrow is not None]


def dtypes_of(spec: Spec, config: Config) -> tuple[str, ...]:
    """What frameworks and implementations compute in. The claim itself is judged in float64 whatever they do."""
    return config.dtypes or spec.dtypes


def _planned(spec: Spec, config: Config, tally: Tally | None, lost: Collection[str]) -> Iterator[Case]:
    profile, marks, first = config.profile, _marks(spec, config, lost), None
    main = plans(spec, config.seed, profile.shapes, profile.per_shape)
    for plan in [*main, *beside(spec, main, profile.beside)]:
        counted = tally if plan.part == 1 else None
        points = points_of(spec, dict(plan.sizes), profile.points // plan.part)
        case = build(spec, plan, points, counted, marks, config.phases)
        if case is not None:
            first = first or case
            yield case
    jumps = near_jumps(first) if first is not None and "landmarks" in config.phases else None
    if jumps is not None:
        yield jumps


def _uniform(spec: Spec, config: Config, tally: Tally | None, lost: Collection[str]) -> Iterator[Case]:
    """As many points, drawn without a plan."""
    profile = config.profile
    yield from uniform_cases(spec, config.seed, profile.shapes * profile.per_shape, profile.points)


def _marks(spec: Spec, config: Config, lost: Collection[str]) -> Marks:
    """The numbers that the code under test holds."""
    asked = [i for i in spec.implementations if f"implementation:{i.backend}" not in lost]
    if not asked or config.allowed is None or "landmarks" not in config.phases:
        return NO_MARKS
    found = numbers_in(asked, config.allowed)
    return Marks(found.written, found.derived)
