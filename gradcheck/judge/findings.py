"""What comes of putting a case to the witnesses? One finding a witness and quantity, with worst element and blame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gradcheck.judge import proofs
from gradcheck.judge.accuracy import demanded, forgiven, told
from gradcheck.judge.answers import MODES, Answers, Testimonies, Tremors, label
from gradcheck.judge.blame import Blame, blame
from gradcheck.judge.budgets import NEAR_MISS, SELF_BARRED, dtype_of
from gradcheck.judge.compare import Comparison, Mask, Party, party
from gradcheck.judge.finding import Finding, Number, Verdict, overlap
from gradcheck.judge.kinks import blame_at_kink, blame_at_pole
from gradcheck.judge.telling import in_words, reason_of
from gradcheck.oracles.evidence import Evidence, Measured, Proof, Reason, Silence
from gradcheck.spec.case import Case

MANY_POINTS = 16  # a case of so many points should decide something at every position


def judge(case: Case, testimonies: Testimonies, tremors: Tremors | None = None) -> tuple[Finding, ...]:
    """Compare the claim with every other witness, quantity by quantity.

    testimonies: witness -> what it said, "claim" among them; a witness that is silent gives one finding that says so.
    tremors: how far apart a witness's errors are near the points, where that was asked (see `oracles.tremor`).
    """
    claim = testimonies["claim"]
    if isinstance(claim, Silence):
        return tuple(
            _silent(said) for n, said in testimonies.items() if isinstance(said, Silence) and _judged_here(case, n)
        )
    found: list[Finding] = []
    answers = Answers(case, testimonies, tremors or {})
    for name, testimony in testimonies.items():
        if name == "claim" or not _judged_here(case, name):
            continue
        if isinstance(testimony, Silence):
            found.append(_silent(testimony))
        else:
            found += [*_of_other_dtypes(testimony, case.dtype), *_findings(answers, name)]
            found += _proven(answers, name, testimony.proofs)
    return tuple(found)


def _judged_here(case: Case, witness: str) -> bool:
    """At a narrower dtype those who compute in it: the others, heard in float64, say who is right."""
    return case.dtype == "float64" or dtype_of(witness) == case.dtype


def _of_other_dtypes(said: Evidence, dtype: str) -> Iterator[Finding]:
    """One finding for each derivative that came in another dtype than its input's."""
    if dtype == "float64":
        return
    for quantity, other in said.dtypes.items():
        mode = MODES[quantity.partition(":")[0]]
        reason = f"{in_words(quantity)} comes in {other}, where its input is {dtype}"
        yield Finding(said.witness, mode, Verdict.DISAGREES, reason, 0, 0, 0, label(said.witness, mode), None)


def _silent(silence: Silence) -> Finding:
    verdict = Verdict.CRASHED if silence.reason is Reason.CRASHED else Verdict.SILENT
    return Finding(silence.witness, "", verdict, silence.message, 0, 0, 0, "", None, seconds=silence.seconds)


def _findings(answers: Answers, witness: str) -> Iterator[Finding]:
    """One finding for every claimed quantity that the witness answers."""
    for quantity, claimed in answers.claimed.items():
        if quantity == "pairing" and any(q.startswith("jvp") for q in answers.claimed) == answers.has_vjps():
            continue  # both sides are claimed directly
        answer = answers.answer(witness, quantity)
        if answer is not None:
            mode, measured = answer
            yield _finding(answers, witness, mode, quantity, claimed, measured)


def _proven(answers: Answers, witness: str, found: Sequence[Proof]) -> Iterator[Finding]:
    """One finding for every claimed quantity that a witness has proofs about."""
    for proof in found:
        answer = answers.answer(witness, proof.quantity)
        if answer is None:
            continue
        ours = party("claim", "claim", answers.claimed[proof.quantity])
        theirs = party(witness, witness, answer[1])
        if not proofs.same_shape(proof, ours, theirs):
            continue
        result, worst = proofs.compared(proof, ours, theirs), None
        if result.gap.size:
            index = proofs.worst_index(proof, result)
            worst = answers.worst(proof.quantity, index, tuple(answers.numbers(proof.quantity, index)), result)
        yield proofs.finding(proof, result, worst, in_words(proof.quantity))


def _finding(answers: Answers, witness: str, mode: str, quantity: str, claimed: Measured, said: Measured) -> Finding:
    """What comes of one quantity."""
    ours = party("claim", "claim", claimed)
    theirs = party(label(witness, mode), witness, said)
    result = answers.comparison(witness, quantity, ours, theirs)
    result, small = forgiven(result, answers.case.spec.accuracy)
    off = answers.off(witness, quantity, result, ours, theirs)
    result = demanded(result, off)
    verdict = verdict_of(result)
    worst, blamed = None, Blame("", "")
    if result.gap.size:
        index = _worst_index(result, verdict, answers.kinks(quantity, result.gap.shape))
        numbers = tuple(answers.numbers(quantity, index))
        worst = answers.worst(quantity, index, numbers, result)
        if verdict in (Verdict.DISAGREES, Verdict.INACCURATE):
            of_set = answers.sets.blame(index[0], witness, theirs.name) if quantity.startswith("vjp:") else None
            blamed = of_set or _blame(numbers, ours, theirs)
        if verdict is Verdict.INACCURATE:
            blamed = _of_rounding(blamed, numbers, theirs)
    undecided, wrong = int(result.undecided.sum()), int(result.wrong.sum())
    demand = told(answers.case.spec.accuracy, verdict, int(small.sum()), int(off.sum()))
    reason = reason_of(verdict, quantity, result, worst, blamed, theirs, demand)
    return Finding(
        witness, mode, verdict, reason, result.gap.size, undecided, wrong, blamed.who, worst,
        inaccurate=int(result.inaccurate.sum()), missed=int(off.sum()), uncovered=_uncovered(result),
    )  # fmt: skip


def _blame(numbers: Sequence[Number], ours: Party, theirs: Party) -> Blame:
    if ours.center.shape != theirs.center.shape:
        return Blame(theirs.name, f"{theirs.name} has shape {theirs.center.shape[1:]}")
    at_kink = blame_at_kink(numbers) or blame_at_pole(numbers)
    if at_kink is not None:
        return at_kink
    first = blame(numbers)
    return blame([_far_and_wide(x) for x in numbers]) if first.who == "undetermined" else first


def _uncovered(result: Comparison) -> int:
    """At how many positions of the quantity no point of the case agreed."""
    if len(result.gap) < MANY_POINTS:
        return 0
    return int((~result.agrees.any(axis=0)).sum())


def _far_and_wide(x: Number) -> Number:
    """The differences with the bar that a near miss is granted, so that they decide nothing between close numbers."""
    return x if x.witness != "differences" or x.kink else replace(x, bar=NEAR_MISS * x.bar)


def _of_rounding(blamed: Blame, numbers: Sequence[Number], theirs: Party) -> Blame:
    """Whose digits are lost: those of the party outside the others, or of the claim that is vague.

    Where as many parties have lost them as have kept them, a witness whose bars hold all its rounding decides.
    """
    if blamed.who == "":
        return Blame("claim", "the claim's own rounding covers the difference")
    if blamed.who != "undetermined":
        return blamed
    claim = numbers[0]
    beside = [x for x in numbers[1:] if x.witness.split()[0] in SELF_BARRED and overlap(claim, x)]
    if beside and theirs.name.split()[0] not in SELF_BARRED:
        names = " and ".join([claim.witness, *(x.witness for x in beside)])
        return Blame(theirs.name, f"{names} agree, and rounding explains what {theirs.name} is off by")
    return Blame("undetermined", "rounding of f's own values explains the difference")


def verdict_of(result: Comparison) -> Verdict:
    """The verdict of a comparison, from the states of its elements."""
    if result.wrong.any():
        return Verdict.DISAGREES
    if result.inaccurate.any():
        return Verdict.INACCURATE
    if not result.gap.size or not result.agrees.any():
        return Verdict.UNDECIDED
    return Verdict.AGREES if 2 * result.agrees.sum() >= result.gap.size else Verdict.UNDECIDED


def _worst_index(result: Comparison, verdict: Verdict, kinks: Mask) -> tuple[int, ...]:
    """The element furthest apart in units of the joint bar, among those that gave the verdict, kinks the last."""
    with np.errstate(all="ignore"):
        error = np.where(result.joint > 0, result.gap / result.joint, np.where(result.gap > 0, np.inf, 0.0))
    error = np.where(np.isnan(error), np.inf, error)
    among = {
        Verdict.DISAGREES: result.wrong,
        Verdict.INACCURATE: result.inaccurate,
        Verdict.UNDECIDED: result.undecided,
    }.get(verdict, result.agrees)
    among = among & ~kinks if (among & ~kinks).any() else among
    flat = int(np.argmax(np.where(among, error, -1.0)))
    return tuple(int(k) for k in np.unravel_index(flat, result.gap.shape))


def wrong_points(case: Case, testimonies: Testimonies, witness: str, quantity: str) -> Mask:
    """At which points (B,) claim and witness contradict one another in one quantity; none where either is silent."""
    return np.asarray(wrong_numbers(case, testimonies, witness, quantity) > 0)


def wrong_numbers(
    case: Case, testimonies: Testimonies, witness: str, quantity: str, proven: bool = False
) -> NDArray[np.intp]:
    """In how many numbers of the quantity they contradict one another, point by point; proven: are disproved."""
    nowhere = np.zeros(case.points, dtype=np.intp)
    if not all(isinstance(testimonies.get(name), Evidence) for name in ("claim", witness)):
        return nowhere
    answers = Answers(case, testimonies, {})
    claimed = answers.claimed.get(quantity)
    answer = answers.answer(witness, quantity) if claimed is not None else None
    if claimed is None or answer is None:
        return nowhere
    ours, theirs = party("claim", "claim", claimed), party(witness, witness, answer[1])
    if proven:
        found = getattr(testimonies[witness], "proofs", ())
        proof = next((p for p in found if p.quantity == quantity and proofs.same_shape(p, ours, theirs)), None)
        return nowhere if proof is None else _counted(proofs.compared(proof, ours, theirs))
    return _counted(answers.comparison(witness, quantity, ours, theirs))


def _counted(result: Comparison) -> NDArray[np.intp]:
    return np.asarray(result.wrong.reshape(len(result.wrong), -1).sum(axis=1))
