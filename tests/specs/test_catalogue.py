"""Does the catalogue use the whole language, and do its files say what a catalogue must?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from gradcheck.expr import VOCABULARY, Program
from gradcheck.expr.nodes import Call, Index, walk
from gradcheck.spec import load
from gradcheck.spec.model import ClaimKind, Spec

ROOT = Path(__file__).resolve().parents[2] / "specs"
BRANCHES = (
    "transforms",
    "elementary",
    "special",
    "vectors",
    "matrices",
    "reductions",
    "shapes",
    "neural",
    "programs",
    "sorting",
)

NOT_NAMED = {
    "scatter": "the adjoint of indexing: rules call it, and a spec can write no index as an argument",
}


@cache
def catalogue() -> tuple[Spec, ...]:
    """Every function of the branches of mathematics; the planted ones and the notebooks are not counted."""
    files = sorted(path for branch in BRANCHES for path in (ROOT / branch).glob("*.grad.yaml"))
    return tuple(spec for path in files for spec in load(str(path)).functions)


def _rows(program: Program) -> Iterator[str]:
    for node in walk(program.tree):
        if isinstance(node, Call):
            yield node.primitive
        elif isinstance(node, Index):
            yield "getitem"


def _programs(spec: Spec) -> Iterator[Program]:
    yield spec.function
    yield from (claim.program for claim in spec.claims)
    yield from (i.domain.predicate for i in spec.inputs if i.domain.predicate is not None)


def test_every_branch_has_functions() -> None:
    found = {Path(spec.place.file).parent.name for spec in catalogue()}
    assert found == set(BRANCHES)
    assert len(catalogue()) >= 60


@pytest.mark.parametrize("name", sorted(set(VOCABULARY) - set(NOT_NAMED)))
def test_every_row_of_the_vocabulary_is_used(name: str) -> None:
    differentiable = VOCABULARY[name].differentiable
    programs = (p for spec in catalogue() for p in ([spec.function] if differentiable else _programs(spec)))
    assert any(name in _rows(program) for program in programs), f"no spec's function uses {name}"


def test_the_rows_that_cannot_be_named_are_rows() -> None:
    assert set(NOT_NAMED) <= set(VOCABULARY)


@pytest.mark.parametrize("kind", list(ClaimKind))
def test_every_kind_of_claim_is_made(kind: ClaimKind) -> None:
    assert any(claim.kind is kind for spec in catalogue() for claim in spec.claims)


def test_every_function_says_what_it_is_and_none_is_wrong_on_purpose() -> None:
    for spec in catalogue():
        assert spec.summary.endswith("."), spec.id
        assert spec.tags, spec.id
        assert spec.expect is None, spec.id


def test_the_format_is_shown_whole() -> None:
    specs = catalogue()
    assert sum(bool(spec.examples) for spec in specs) >= 40
    assert any(len(spec.outputs) > 1 for spec in specs)
    assert any(spec.kinks for spec in specs)
    assert any(spec.known for spec in specs)
    assert any(not i.differentiable for spec in specs for i in spec.inputs)


def test_planted_functions_all_expect_to_be_found_out() -> None:
    planted = [s for path in sorted((ROOT / "planted").glob("*.grad.yaml")) for s in load(str(path)).functions]
    assert len(planted) >= 18
    assert len({spec.summary for spec in planted}) == len(planted)
    assert all(spec.expect is not None and spec.expect.verdict in ("DISAGREES", "INACCURATE") for spec in planted)
    assert {"claim", "example"} < {spec.expect.blame for spec in planted if spec.expect}
    assert [spec.id for spec in planted if "seed-001b" in spec.tags] == ["planted_norm_twice_x"]
