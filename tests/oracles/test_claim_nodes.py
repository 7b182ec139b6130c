"""Is it known what the parts of a claim come to, and where a condition holds?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradcheck.expr import parse_formula
from gradcheck.oracles.claim_nodes import holds, node_facts
from gradcheck.spec import Case, Spec

SpecOf = Callable[..., Spec]
CaseAt = Callable[..., Case]
BODY = "inputs: {A: {shape: [m, n]}, x: {shape: [n]}}\nvalue: A @ x\nvjp: {A: 'outer(ct, x)', x: A.T @ ct}"


@pytest.fixture
def case(spec_of: SpecOf, case_at: CaseAt) -> Case:
    A = np.arange(12.0).reshape(2, 2, 3) - 5
    return case_at(spec_of(BODY), A=A, x=np.ones((2, 3)))


@pytest.mark.parametrize(
    ("text", "shape", "boolean"),
    [
        ("A", (2, 3), False), ("A @ x", (2,), False), ("value", (2,), False), ("ct", (2,), False), ("n", (), False),
        ("A.T", (3, 2), False), ("sum(A)", (), False), ("x > 0", (3,), True), ("n > 2", (), True), ("t_x", (3,), False),
        ("[A, x]", None, False), ("A @ A", None, False), ("A.shape", None, False), ("eye(m)", (2, 2), False),
    ],
)  # fmt: skip
def test_the_shape_of_every_part(case: Case, text: str, shape: tuple[int, ...] | None, boolean: bool) -> None:
    names = ("A", "x", "m", "n", "value", "ct", "t_x")
    fact = node_facts(case)(parse_formula(text, names).tree)  # type: ignore[arg-type]
    assert (fact.shape, fact.boolean) == (shape, boolean)
    assert fact.rank == (None if shape is None else len(shape))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A > -1", [True, True]), ("A > 4.5", [False, True]), ("A < -4", [True, False]), ("x > 1", [False, False]),
        ("n == 3", [True, True]), ("A @ A > 0", [False, False]),
    ],
)  # fmt: skip
def test_where_a_condition_holds(case: Case, text: str, expected: list[bool]) -> None:
    assert holds(parse_formula(text, ("A", "x", "n")), case).tolist() == expected
