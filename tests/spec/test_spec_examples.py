"""Are worked examples held against their function's inputs and shapes?"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gradcheck.errors import SpecErrors
from gradcheck.spec import load

TEXT = """gradcheck: 1
functions:
  f:
    inputs: {{A: {{shape: [n, m]}}, x: {{shape: [m], domain: "[0, 2)"}}, k: {{domain: integer}}}}
    value: {value}
    vjp: {{x: {vjp}}}
    examples:
      - {example}
"""
VECTOR = {"value": "k * A @ x", "vjp": "k * ct @ A"}
SCALAR = {"value": "k * sum(A @ x)", "vjp": "'k * ct * sum(A, axis=0)'"}


def complaints(write: Callable[..., str], example: str, formulas: dict[str, str]) -> list[str]:
    try:
        load(write(TEXT.format(example=example, **formulas)))
    except SpecErrors as refusal:
        return [str(error).removeprefix("a.grad.yaml:") for error in refusal.errors]
    return []


@pytest.mark.parametrize(
    "example",
    [
        "{A: [[1, 2]], x: [1, 0], k: 3, value: [3]}",
        "{A: [[1, 2]], x: [1, 0], k: 3, ct: [1], vjp: {x: [3, 6]}}",
        "{A: [[1, 2]], x: [1, 0], k: 3, jacobian: {x: [[3, 6]]}}",
        "{A: [[1, 2]], x: [1, 0], k: 3, t_A: [[1, 1]], t_x: [1, 0], jvp: [6]}",
    ],
)
def test_good(write: Callable[..., str], example: str) -> None:
    assert complaints(write, example, VECTOR) == []


def test_good_of_a_scalar(write: Callable[..., str]) -> None:
    example = (
        "{A: [[1, 2]], x: [1, 0], k: 3, value: 3, gradient: {x: [3, 6], A: [[1, 0]]}, hessian: {x: [[0, 0], [0, 0]]}}"
    )
    assert complaints(write, example, SCALAR) == []


@pytest.mark.parametrize(
    ("example", "complaint"),
    [
        ("{x: [1, 0], k: 3, value: [3]}", "8:9: f.examples[0]: the input 'A' is missing in this example"),
        ("{A: [1, 2], x: [1, 0], k: 3, value: [3]}", "8:13: f.examples[0].A: the shape is [2]; expected shape [n, m]"),
        ("{A: [[1, 2]], x: [1], k: 3, value: [3]}", "8:26: f.examples[0].x: the shape is [1]; expected shape [2]"),
        ("{A: [[1, 2]], x: 1, k: 3, value: [3]}", "8:26: f.examples[0].x: the shape is []; expected shape [2]"),
        ("{A: [[]], x: [1], k: 3, value: [3]}", "8:13: f.examples[0].A: an empty list; expected shape [n, m]"),
        ("{A: [[1, 2], [3]], x: [1, 0], k: 3, value: [3]}", "8:22: f.examples[0].A[1]: the rows of this list differ"),
        ("{A: [[1, 2]], x: [1, 2], k: 3, value: [3]}", "8:30: f.examples[0].x[1]: 2.0 lies outside the domain"),
        ("{A: [[1, 2]], x: [1, -1], k: 3, value: [3]}", "8:30: f.examples[0].x[1]: -1.0 lies outside the domain"),
        ("{A: [[1, .inf]], x: [1, 0], k: 3, value: [3]}", "8:18: f.examples[0].A[0][1]: inf is not a finite number"),
        ("{A: [[1, .nan]], x: [1, 0], k: 3, value: [3]}", "8:18: f.examples[0].A[0][1]: nan equals nothing"),
        ("{A: [[1, 2]], x: [1, 0], k: 3.5, value: [3]}", "8:37: f.examples[0].k: 3.5 is not an integer"),
        ("{A: [[1, 2]], x: [1, 0], k: 3, value: 3}", "8:47: f.examples[0].value: this has shape [] at this example"),
        (
            "{A: [[1, 2]], x: [1, 0], k: 3, valu: [3]}",
            "8:40: f.examples[0].valu: 'valu' is neither an input nor a claim",
        ),
        ("{A: [[1, 2]], x: [1, 0], k: 3, t_k: 1, value: [3]}", "8:40: f.examples[0].t_k: 't_k' is neither an input"),
        ("{A: [[1, 2]], x: [1, 0], k: 3, value: {u: [3]}}", "8:47: f.examples[0].value: the function has one unnamed"),
        (
            "{A: [[1, 2]], x: [1, 0], k: 3, vjp: {x: [3, 6]}}",
            "8:40: f.examples[0].vjp: a vjp is expected but no cotangent",
        ),
        ("{A: [[1, 2]], x: [1, 0], k: 3, t_x: [1, 0], jvp: [3]}", "8:53: f.examples[0].jvp: a jvp is expected but not"),
        ("{A: [[1, 2]], x: [1, 0], k: 3, ct: [1, 2], vjp: {x: [3, 6]}}", "8:44: f.examples[0].ct: this has shape [2]"),
        (
            "{A: [[1, 2]], x: [1, 0], k: 3, ct: [1], vjp: {x: [[3, 6]]}}",
            "8:58: f.examples[0].vjp.x: this has shape [1, 2]",
        ),
        ("{A: [[1, 2]], x: [1, 0], k: 3, ct: [1], vjp: {k: 1}}", "8:55: f.examples[0].vjp.k: 'k' is not known here"),
        ("{A: [[1, 2]], x: [1, 0], k: 3, jacobian: {x: [3, 6]}}", "8:54: f.examples[0].jacobian.x: this has shape [2]"),
        ("{A: [[1, 2]], x: [1, 0], k: 3, gradient: {x: [3, 6]}}", "8:51: f.examples[0].gradient.x: a gradient is of a"),
        ("{A: [[1, 2]], x: [1, 0], k: 3}", "8:9: f.examples[0]: this example expects nothing"),
        ("{A: [[1, 2]], x: [1, 0], k: 3, t_x: [1], value: [3]}", "8:45: f.examples[0].t_x: the shape is [1]"),
    ],
)
def test_refused(write: Callable[..., str], example: str, complaint: str) -> None:
    found = complaints(write, example, VECTOR)
    assert len(found) == 1
    assert found[0].startswith(complaint)
