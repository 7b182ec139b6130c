"""Does a wrong claim go unnoticed only where it is said to, and is nothing called equivalent that is not?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradcheck.judge import answers
from gradcheck.judge import compare as comparing
from gradcheck.oracles import differences
from gradcheck.run import Config
from gradcheck.run.mutants import mutation
from gradcheck.run.mutants.equivalence import AT_KINKS, BY_ALGEBRA, BY_DOMAIN, BY_POINTS, NOT_REACHED
from gradcheck.run.mutants.fates import Fate, Mutated, Mutation
from gradcheck.run.mutants.mutation import mutate_function
from gradcheck.run.mutants.record import document, exit_code, total
from gradcheck.spec import load_many

Mutate = Callable[..., Mutation]


@pytest.fixture
def mutate(write: Callable[..., str], light: Callable[..., Config]) -> Mutate:
    """Mutates the one function of a YAML text."""

    def mutate(function: str, **changes: object) -> Mutation:
        (file,) = load_many([write(function)])
        return mutate_function(file.functions[0], light(**changes))

    return mutate


def by_text(found: Mutation) -> dict[str, Mutated]:
    return {mutant.text: mutant for mutant in found.mutants}


def test_every_wrong_claim_of_a_smooth_function_is_caught(mutate: Mutate) -> None:
    found = mutate("f:\n  inputs: {x: {shape: [n]}}\n  value: sin(x)\n  derivative: {x: cos(x)}")
    assert found.score == 1.0
    assert found.count(Fate.SURVIVED) == 0
    assert by_text(found)["cos(-x)"].reason == BY_ALGEBRA
    assert found.killed_by_kind == {"sign": 1, "factor": 4, "detached": 2, "constant": 2, "sibling": 1}
    assert found.total == 11 == sum(found.counts.values())
    assert exit_code([found]) == 0


def test_a_judge_that_agrees_with_everything_scores_nothing(mutate: Mutate, monkeypatch: pytest.MonkeyPatch) -> None:
    def agreeable(*asked: Any, **more: Any) -> comparing.Comparison:
        honest = comparing.compare(*asked, **more)
        no = np.zeros_like(honest.wrong)
        return replace(honest, agrees=~no, wrong=no, inaccurate=no, undecided=no)

    monkeypatch.setattr(answers, "compare", agreeable)
    found = mutate("f:\n  inputs: {x: {}}\n  value: sin(x)\n  gradient: {x: cos(x)}")
    assert found.score == 0.0
    assert found.caught == 0
    assert found.count(Fate.SURVIVED) == 10  # all of the test before but the equivalent one
    assert exit_code([found]) == 1


@pytest.mark.parametrize(
    ("claims", "text", "why"),
    [
        ("value: x*abs(x)/2\n  gradient: {x: abs(x)}", "abs(-x)", BY_ALGEBRA),
        ("value: x**2\n  gradient: {x: 2*x*(sin(x)**2 + cos(x)**2)}", "2*x*(sin(x)**2 + cos(-x)**2)", BY_ALGEBRA),
        ("value: exp(x)\n  gradient: {x: (exp(x) + exp(log(exp(x))))/2}", "(exp(x) + exp(x))/2", None),
        ("value: exp(x)\n  gradient: {x: exp(x)*exp(0*sin(x))}", "exp(x)*exp(0*cos(x))", BY_POINTS),
        ("value: relu(x)\n  gradient: {x: 'where(x > 0, 1, 0)'}", "where(x >= 0, 1, 0)", AT_KINKS),
        ("value: x*sqrt(x*x)/2\n  gradient: {x: 'where(x > 0, x, -x)'}", "where(x >= 0, x, -x)", BY_POINTS),
    ],
)
def test_what_means_the_same_is_not_counted(mutate: Mutate, claims: str, text: str, why: str | None) -> None:
    found = mutate(f"f:\n  inputs: {{x: {{}}}}\n  {claims}")
    assert not found.skipped
    mutant = by_text(found).get(text)
    if why is None:
        assert mutant is None  # no such mutant: the test itself would not notice otherwise
        return
    assert mutant is not None and mutant.fate is Fate.EQUIVALENT
    assert mutant.reason.startswith(why)
    assert found.score is not None and found.count(Fate.SURVIVED) + found.caught < found.total


def test_what_the_domain_forbids_is_equivalent(mutate: Mutate) -> None:
    found = mutate("f:\n  inputs: {x: {domain: nonzero}}\n  value: abs(x)\n  gradient: {x: 'where(x > 0, 1, -1)'}")
    assert by_text(found)["where(x >= 0, 1, -1)"].reason == BY_DOMAIN


@pytest.mark.parametrize(
    ("claims", "texts", "because"),
    [
        (
            "value: sin(x) + 3e-16*x\n  gradient: {x: cos(x) + 3e-16}",
            ["cos(x)", "cos(x) + -3e-16", "cos(x) + 0"], "an enclosure proves that it differs",
        ),
        (
            "value: exp(x)\n  gradient: {x: 'where(x > 1e9, 7, exp(x))'}",
            ["where(x > 1000000000.0, -7, exp(x))", "where(x > 1000000000.0, 1, exp(x))", "exp(x)"], NOT_REACHED,
        ),
    ],
)  # fmt: skip
def test_what_is_different_is_never_called_equivalent(
    mutate: Mutate, claims: str, texts: list[str], because: str
) -> None:
    """Nobody at float64 can see these: they survive, with the reason."""
    found = mutate(f"f:\n  inputs: {{x: {{domain: '(-1, 1)'}}}}\n  {claims}")
    for text in texts:
        mutant = by_text(found)[text]
        assert mutant.fate is Fate.SURVIVED, mutant
        assert because in mutant.reason
    assert exit_code([found]) == 1


def test_a_survivor_tells_how_large_an_error_would_have_been_seen(mutate: Mutate) -> None:
    found = mutate("f:\n  inputs: {x: {}}\n  value: sin(x) + 3e-16*x\n  gradient: {x: cos(x) + 3e-16}")
    reason = by_text(found)["cos(x)"].reason
    change, bars = (float(part.partition(" ")[0]) for part in (reason.split(" by ")[1], reason.split(" of ")[2]))
    assert 0 < change < bars < 1e-10


def test_a_wrong_threshold_is_caught_although_no_drawn_point_tells_it(mutate: Mutate, monkeypatch) -> None:
    body = "f:\n  inputs: {x: {}}\n  value: where(x > 0.7, 3*x, 2*x + 0.7)\n  gradient: {x: 'where(x > 0.7, 3, 2)'}"
    assert mutate(body).count(Fate.SURVIVED) == 0
    monkeypatch.setattr("gradcheck.run.cases.near_jumps", lambda case: None)
    without = [m for m in mutate(body).mutants if m.fate is Fate.SURVIVED]
    assert {m.text for m in without} >= {"where(x > 0.7000006999999999, 3, 2)", "where(0.999999*x > 0.7, 3, 2)"}
    assert all(NOT_REACHED in m.reason for m in without)


def test_what_shows_at_kinks_alone_is_not_called_equivalent(mutate: Mutate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where x and c are equal any slope is right, so that nothing is known of c being 1.000001*c elsewhere."""
    monkeypatch.setattr("gradcheck.run.cases.near_jumps", lambda case: None)
    found = mutate(
        "f:\n  inputs: {x: {domain: '(1, 3)'}, c: {domain: '(1, 3)', differentiable: false}}\n"
        "  value: abs(x - c)\n  gradient: {x: sign(x - c)}"
    )
    wrong = by_text(found)["sign(x - 1.000001*c)"]
    assert wrong.fate is Fate.SURVIVED and NOT_REACHED in wrong.reason


def test_shapes_that_do_not_fit_are_counted_apart(mutate: Mutate) -> None:
    found = mutate(
        "f:\n  inputs: {A: {shape: [m, n]}, x: {shape: [n]}}\n  value: sum(A @ x)\n"
        "  gradient: {A: 'outer(ones([m]), x)', x: 'sum(A, axis=0)'}"
    )
    malformed = {m.text for m in found.mutants if m.fate is Fate.MALFORMED}
    assert {"matrix_transpose(outer(ones(shape=[m]), x))", "A", "outer(ones(shape=[m + 1]), x)"} <= malformed
    assert all(m.reason for m in found.mutants)
    assert found.score == 1.0


def test_what_does_not_pass_as_it_stands_is_not_mutated(mutate: Mutate) -> None:
    wrong = mutate("f:\n  inputs: {x: {}}\n  value: x**2\n  gradient: {x: x}")
    assert wrong.skipped.startswith("it does not pass as it stands: DISAGREES")
    assert (wrong.total, wrong.score, exit_code([wrong])) == (0, None, 2)
    planted = mutate(
        "f:\n  inputs: {x: {}}\n  value: x**2\n  gradient: {x: x}\n  expect: {verdict: DISAGREES, blame: claim}"
    )
    assert (planted.skipped, planted.planted, exit_code([planted])) == ("wrong on purpose", True, 5)
    assert exit_code([]) == 5


def test_witnesses_are_asked_once_a_case(mutate: Mutate, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    honest = differences.testify
    monkeypatch.setattr(differences, "testify", lambda inquiry: asked.append(inquiry.case) or honest(inquiry))
    found = mutate("f:\n  inputs: {x: {}, y: {}}\n  value: x*y\n  gradient: {x: y, y: x}")
    assert len(asked) == found.cases and found.total == 10


def test_the_same_again_gives_the_same(mutate: Mutate) -> None:
    body = "f:\n  inputs: {x: {shape: [n]}}\n  value: sum(abs(x))\n  gradient: {x: sign(x)}"
    first, second = (replace(mutate(body), seconds=0.0, file="") for _ in range(2))
    assert first == second


def test_the_document_adds_up(mutate: Mutate, light: Callable[..., Config]) -> None:
    found = [
        mutate("f:\n  inputs: {x: {}}\n  value: sin(x)\n  gradient: {x: cos(x)}"),
        mutate("g:\n  inputs: {x: {}}\n  value: x**2\n  gradient: {x: x}"),
    ]
    written = document(found, light(), "gradcheck mutate a.grad.yaml")
    summary = written["summary"]
    assert (summary["functions"], summary["skipped"], summary["mutants"]) == (1, 1, 11)
    assert sum(summary[fate.value] for fate in Fate) == summary["mutants"]
    assert [f["id"] for f in written["functions"]] == ["f", "g"]
    assert total(found).score == 1.0


def test_the_mutated_claim_alone_is_changed() -> None:
    (file,) = load_many(["specs/elementary/circular.grad.yaml"])
    spec = next(s for s in file.functions if len(s.claims) > 1)
    changed = mutation.with_program(spec, spec.claims[1], spec.claims[0].program)
    assert changed.claims[0] is spec.claims[0] and changed.claims[1].program is spec.claims[0].program
