"""What is the verdict on a function at given cases, as a run would give it, and where is it the same in other units?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.verdicts.rewritten import factor_of, scaled_case, scaled_spec
from gradcheck.cases import build, example_case, example_sizes, neighbours, plans
from gradcheck.judge import Finding, Verdict, Whole, judge, overall
from gradcheck.oracles import INDEPENDENT, Evidence, Hearing, Inquiry, Testimony
from gradcheck.oracles.tremor import Tremors, tremors
from gradcheck.run.function import NEARBY, claimed_quantities, known_deviations
from gradcheck.spec import Case, Example, Spec

AS_IT_IS = (1.0, 1.0)
FIXED = ("example", "implementation")  # parties whose numbers are fixed: they are scaled as answers


@dataclass(frozen=True, slots=True)
class Question:
    """A case of a spec, with the example that it comes from."""

    case: Case
    example: Example | None = None


def questions(spec: Spec, seed: int, shapes: int, points: int) -> list[Question]:
    """The cases a run would judge: the examples, then `shapes` size assignments of `points` points."""
    found = [Question(example_case(spec, e, example_sizes(spec, e)), e) for e in spec.examples]
    built = (build(spec, plan, points) for plan in plans(spec, seed, shapes, 1))
    return [*found, *(Question(case) for case in built if case is not None)]


def said_of(
    question: Question, witnesses: Sequence[str], allowed: Sequence[str], units: tuple[float, float] = AS_IT_IS
) -> tuple[Case, dict[str, Testimony]]:
    """The case in units (F, X) and what everybody says of it there."""
    old = Hearing(Inquiry(question.case), allowed)
    if units == AS_IT_IS:
        return question.case, old.all(witnesses, question.example)
    spec = scaled_spec(question.case.spec, *units)
    case = scaled_case(question.case, spec, units[1])
    said = Hearing(Inquiry(case), allowed).all(witnesses)
    fixed = old.all([], question.example)
    return case, said | {name: _scaled(t, units) for name, t in fixed.items() if name.startswith(FIXED)}


def _scaled(testimony: Testimony, units: tuple[float, float]) -> Testimony:
    if not isinstance(testimony, Evidence):
        return testimony
    answers = {}
    for quantity, m in testimony.answers.items():
        by = factor_of(quantity, *units)
        answers[quantity] = replace(
            m, center=by * m.center, bar=by * m.bar, loss=None if m.loss is None else by * m.loss
        )
    return replace(testimony, answers=answers)


def verdict(
    spec: Spec, heard: Iterable[tuple[Case, dict[str, Testimony]]], witnesses: Sequence[str],
    trembling: Tremors | None = None,
) -> tuple[Whole, list[Finding]]:  # fmt: skip
    """The verdict on a function as a run gives it, known deviations set aside. trembling: as `judged` takes it."""
    findings = [f for case, said in heard for f in judged(case, said, trembling)]
    known, _ = known_deviations(spec, findings)
    counted = [f for f in findings if (f.witness, f.verdict.value) not in known]
    return overall(counted, INDEPENDENT & frozenset(witnesses), claimed_quantities(spec)), findings


def judged(case: Case, said: Mapping[str, Testimony], trembling: Tremors | None = None) -> Sequence[Finding]:
    """The findings as a run has them: below float64, an error that comes and goes with the last digits is rounding.

    trembling: how errors do so at this case, where that was measured before; it costs more than all else.
    """
    findings = judge(case, said)
    wrong = [f.witness for f in findings if f.verdict is Verdict.DISAGREES and f.worst is not None]
    if case.dtype == "float64" or not wrong:
        return findings
    return judge(case, said, trembling or shaken(case, wrong))


def shaken(case: Case, witnesses: Sequence[str]) -> Tremors:
    """How the errors of witnesses come and go about the points of a case."""
    return tremors(neighbours(case, NEARBY), list(dict.fromkeys(witnesses)), ())
