"""Are the numbers at which gradient bugs hide among those that are tried?"""

from __future__ import annotations

from collections.abc import Callable

from gradcheck.cases.landmarks import MAX_CONSTANTS, constants, landmarks
from gradcheck.spec import Spec
from gradcheck.spec.membership import within_box

SpecOf = Callable[..., Spec]


def body(domain: str, value: str = "x", derivative: str = "1 + 0*x") -> str:
    return f"inputs: {{x: {{domain: '{domain}'}}}}\nvalue: '{value}'\nderivative: {{x: '{derivative}'}}"


def marks(spec: Spec) -> tuple[float, ...]:
    return landmarks(spec, spec.inputs[0].domain)


def test_zero_and_one_and_both_signs(spec_of: SpecOf) -> None:
    assert {0.0, 1.0, -1.0, 0.5, 10.0, -40.0, 800.0, 1e-8} <= set(marks(spec_of(body("real"))))


def test_thresholds_of_function_and_claim_with_their_neighbours(spec_of: SpecOf) -> None:
    found = marks(spec_of(body("real", "where(x > 7.25, x, 2*x)", "where(x > 6.5, 1, 2)")))
    for threshold in (7.25, 6.5):
        assert threshold in found and 2 * threshold in found
        assert any(0 < m - threshold < 0.01 * threshold for m in found)
        assert any(0 < threshold - m < 0.01 * threshold for m in found)


def test_ends_of_the_domain_only_where_they_belong_to_it(spec_of: SpecOf) -> None:
    closed, half = marks(spec_of(body("[-1, 4]"))), marks(spec_of(body("(-1, 4]")))
    assert -1.0 in closed and 4.0 in closed
    assert -1.0 not in half and 4.0 in half
    assert any(-1 < m < -0.9999 for m in half)
    assert any(-1 < m < -1 + 1e-5 for m in half)


def test_every_one_lies_in_the_domain(spec_of: SpecOf) -> None:
    for domain in ("positive", "(0, 1)", "[2, 3]", "(-inf, -3]", "unit"):
        spec = spec_of(body(domain))
        found = marks(spec)
        assert found
        assert all(within_box(spec.inputs[0].domain, value) for value in found)


def test_integers_are_given_whole_numbers_only(spec_of: SpecOf) -> None:
    spec = spec_of("inputs: {x: {}, k: {domain: 'integer [0, 2]'}}\nvalue: x*k\nderivative: {x: k}")
    found = landmarks(spec, spec.inputs[1].domain)
    assert {0.0, 1.0, 2.0} <= set(found)
    assert all(value == int(value) for value in found)
    assert not within_box(spec.inputs[1].domain, 0.5)


def test_each_number_comes_once_and_named_constants_are_no_thresholds(spec_of: SpecOf) -> None:
    spec = spec_of(body("real", "3*x + 3*pi", "3 + 0*x"))
    found = marks(spec)
    assert len(found) == len(set(found))
    assert constants(spec) == (3.0, 0.0)


def test_their_number_is_bounded(spec_of: SpecOf) -> None:
    spec = spec_of(body("real", " + ".join(f"{k}.5*x" for k in range(30)), "0*x"))
    assert len(constants(spec)) == MAX_CONSTANTS
    assert len(marks(spec)) < 4 * MAX_CONSTANTS + 24
