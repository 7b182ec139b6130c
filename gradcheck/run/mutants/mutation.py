"""Would a wrong claim have been noticed? Every claim is made wrong in every small way, and judged as if it were right.

The witnesses do not depend on the claim: each case is put to them once, and only the changed claim is evaluated anew.
A framework is asked only where something is left that the engine and the differences let pass.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from gradcheck.errors import ExpressionError
from gradcheck.expr import Program, parse_formula
from gradcheck.expr.mutants import Mutant, mutants
from gradcheck.expr.mutations import Facts
from gradcheck.judge import Finding, Verdict, Whole, judge, overall, wrong_points
from gradcheck.oracles import INDEPENDENT, Hearing, Inquiry, Silence, Testimony
from gradcheck.oracles.claim_nodes import node_facts
from gradcheck.oracles.inquiry import claimed
from gradcheck.run.cases import cases_of
from gradcheck.run.config import Config
from gradcheck.run.function import claimed_quantities
from gradcheck.run.mutants.equivalence import Original
from gradcheck.run.mutants.fates import Fate, Mutated, Mutation
from gradcheck.run.mutants.survival import why_survived
from gradcheck.spec import Case, Claim, Example, Spec

QUICK = ("engine", "differences")  # asked of every case; the others only about what these let pass
PROVER = "certified"  # it proves the claim itself, so it is asked about every claim anew
PASSING = (Verdict.AGREES, Verdict.INACCURATE)


def mutate_function(spec: Spec, config: Config) -> Mutation:
    """What became of every mutant of every claim of one function.

    A function that is wrong on purpose, or does not pass as it stands, is not mutated; `skipped` says why.
    """
    start = time.perf_counter()
    if spec.expect is not None:
        return Mutation(spec.id, spec.place.file, spec.place.line, skipped="wrong on purpose", planted=True)
    court = _Court(spec, config)
    whole = court.verdict(spec, QUICK)
    if not whole.passed:
        whole = court.verdict(spec)
    found: list[Mutated] = []
    if whole.passed:
        found = [one for claim in spec.claims for one in _of_claim(court, claim)]
    return Mutation(
        spec.id, spec.place.file, spec.place.line,
        skipped="" if whole.passed else f"it does not pass as it stands: {whole.verdict.value}, {whole.sentence}",
        counts=dict(Counter(one.fate.value for one in found)),
        killed_by_kind=dict(Counter(one.kind for one in found if one.fate is Fate.KILLED)),
        mutants=tuple(one for one in found if one.fate is not Fate.KILLED),
        cases=len(court.benches), points=sum(b.case.points for b in court.benches),
        seconds=time.perf_counter() - start,
    )  # fmt: skip


def _of_claim(court: _Court, claim: Claim) -> Iterator[Mutated]:
    about = f"{claim.kind.value}{f' of {claim.of}' if claim.of else ''}"
    original = Original(claim, [(bench.case, bench.quick) for bench in court.benches], court.facts)
    for mutant in mutants(claim.program.tree, court.facts):  # type: ignore[arg-type]  # claims are formulas, no blocks
        fate, reason = _fate(court, original, mutant)
        yield Mutated(about, mutant.kind, mutant.before, mutant.after, mutant.place, mutant.text, fate, reason)


def _fate(court: _Court, original: Original, mutant: Mutant) -> tuple[Fate, str]:
    claim = original.claim
    try:
        program = parse_formula(mutant.text, claim.program.allowed)
    except ExpressionError as error:
        return Fate.MALFORMED, str(error)
    if court.caught_alone(claim, program):
        return Fate.KILLED, ""
    spec = with_program(court.spec, claim, program)
    whole = court.verdict(spec, QUICK)
    if whole.verdict is Verdict.CRASHED and whole.blame == "claim":
        return Fate.MALFORMED, whole.sentence
    if whole.verdict is Verdict.DISAGREES:
        return Fate.KILLED, ""
    same, doubt = original.why_same(program, mutant)
    if same:
        return Fate.EQUIVALENT, same
    whole = court.verdict(spec)
    if whole.verdict in PASSING:
        why = why_survived(claim, program, whole, [(b.case, b.said()) for b in court.benches])
        return Fate.SURVIVED, f"{why}; {doubt}" if doubt else why
    return (Fate.KILLED, "") if whole.verdict is Verdict.DISAGREES else (Fate.UNWITNESSED, whole.sentence)


def with_program(spec: Spec, claim: Claim, program: Program) -> Spec:
    """The function with another formula for one of its claims."""
    changed = replace(claim, program=program)
    return replace(spec, claims=tuple(changed if c is claim else c for c in spec.claims))


class _Bench:
    """One case, and what every witness says of it, each asked once and only when wanted."""

    def __init__(self, case: Case, example: Example | None, config: Config) -> None:
        self.case, self.example, self.config = case, example, config
        self.hearing = Hearing(Inquiry(case), config.allowed)

    @cached_property
    def quick(self) -> dict[str, Testimony]:
        """The witnesses that cost no compilation."""
        return {name: self.hearing.one(name) for name in QUICK if name in self.config.witnesses}

    @cached_property
    def everybody(self) -> dict[str, Testimony]:
        """All witnesses, people's implementations and the printed example."""
        rest = [name for name in self.config.witnesses if name not in QUICK]
        heard = self.hearing.all(rest, self.example)
        return {**self.quick, **{name: said for name, said in heard.items() if name != "claim"}}

    def said(self, only: Sequence[str] = ()) -> dict[str, Testimony]:
        """What was said of the case: by `only` some, or by everybody."""
        return self.quick if only else self.everybody


class _Court:
    """All cases of one function, before which its claims are put one after the other."""

    def __init__(self, spec: Spec, config: Config) -> None:
        self.spec, self.config = spec, replace(config, dtypes=("float64",))  # the claim is judged in float64 alone
        self.benches = [_Bench(case, example, self.config) for case, example in cases_of(spec, self.config)]
        self.benches.sort(key=lambda bench: -bench.case.points)  # stable; many points decide first
        self.excused = {known.witness for known in spec.known}

    @cached_property
    def facts(self) -> Facts:
        """What the parts of claims come to, in the case with the most points."""
        return node_facts(self.benches[0].case)

    def caught_alone(self, claim: Claim, program: Program) -> bool:
        """Whether a quick witness contradicts a changed claim, looked at without the other claims (which cost time).

        The claim of one quantity is compared in the same way whatever else is claimed.
        """
        alone = replace(self.spec, claims=(replace(claim, program=program),), kinks=self.spec.kinks)
        (_, quantity), *_ = claimed(alone)
        for bench in self.benches:
            case = replace(bench.case, spec=alone)
            said = {"claim": Hearing(Inquiry(case)).one("claim"), **bench.quick}
            if isinstance(said["claim"], Silence):
                return False
            if any(wrong_points(case, said, name, quantity).any() for name in bench.quick if name not in self.excused):
                return True
        return False

    def verdict(self, spec: Spec, only: Sequence[str] = ()) -> Whole:
        """The verdict on the function as it is claimed in `spec`, by `only` some witnesses or by all."""
        findings = [f for bench in self.benches for f in self._findings(bench, spec, only)]
        independent = INDEPENDENT & frozenset(self.config.witnesses)
        return overall(findings, independent, claimed_quantities(spec))

    def _findings(self, bench: _Bench, spec: Spec, only: Sequence[str]) -> Iterator[Finding]:
        case = replace(bench.case, spec=spec)
        hearing = Hearing(Inquiry(case))
        heard = {"claim": hearing.one("claim"), **bench.said(only)}
        if PROVER in self.config.witnesses and not only:
            heard[PROVER] = hearing.one(PROVER)
        yield from (f for f in judge(case, heard) if f.witness not in self.excused)
