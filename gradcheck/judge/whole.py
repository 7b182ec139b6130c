"""Does the function pass? From the findings of all its cases to one verdict, one sentence and one blame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gradcheck.judge.budgets import ENOUGH
from gradcheck.judge.finding import Finding, Verdict
from gradcheck.judge.proofs import MODE

ORDER = (Verdict.DISAGREES, Verdict.CRASHED, Verdict.INACCURATE, Verdict.UNDECIDED, Verdict.AGREES, Verdict.SILENT)
DERIVATIVE_MODES = ("reverse", "forward", "second", MODE)


@dataclass(frozen=True, slots=True)
class Whole:
    """The verdict on a function."""

    verdict: Verdict
    passed: bool
    sentence: str
    blame: str
    finding: Finding | None  # the one that decided it, or the closest one


def mode_verdict(findings: Sequence[Finding]) -> Verdict:
    """The verdict of one witness in one mode over all cases: the worst, but one undecided case spoils nothing."""
    verdicts = {f.verdict for f in findings}
    for bad in (Verdict.DISAGREES, Verdict.CRASHED, Verdict.INACCURATE):
        if bad in verdicts:
            return bad
    compared = sum(f.compared for f in findings)
    if Verdict.AGREES in verdicts and 2 * sum(f.undecided for f in findings) <= compared:
        return Verdict.AGREES
    return Verdict.UNDECIDED if Verdict.UNDECIDED in verdicts or Verdict.AGREES in verdicts else Verdict.SILENT


def witness_verdict(findings: Sequence[Finding]) -> Verdict:
    """The verdict of one witness: the worst of its modes; the value alone witnesses no derivative."""
    modes = {mode: mode_verdict([f for f in findings if f.mode == mode]) for mode in {f.mode for f in findings}}
    for bad in (Verdict.DISAGREES, Verdict.CRASHED, Verdict.INACCURATE):
        if bad in modes.values():
            return bad
    derivatives = [v for mode, v in modes.items() if mode in DERIVATIVE_MODES or findings[0].witness == "example"]
    if Verdict.AGREES in derivatives:
        return Verdict.AGREES
    if derivatives:
        return Verdict.UNDECIDED
    return Verdict.SILENT if Verdict.SILENT in modes.values() else Verdict.UNDECIDED


def overall(findings: Sequence[Finding], independent: frozenset[str], quantities: Sequence[str]) -> Whole:
    """The verdict of the function.

    independent: the witnesses that do not depend on the claim; quantities: the claimed derivatives ("vjp:x", "jvp"),
    each of which one independent witness must agree with.
    """
    wrong = [f for f in findings if f.verdict is Verdict.DISAGREES]
    if wrong:
        accused = _accused(wrong)
        return Whole(Verdict.DISAGREES, False, accused.reason, _shared_blame(wrong), accused)
    crashed = [f for f in findings if f.verdict is Verdict.CRASHED]
    if crashed:
        first = crashed[0]
        return Whole(Verdict.CRASHED, False, f"{first.witness}: {first.reason}", first.witness, first)
    unwitnessed = [q for q in quantities if not _witnessed(q, findings, independent)]
    if unwitnessed or not quantities:
        return Whole(Verdict.UNWITNESSED, False, _unwitnessed(unwitnessed, findings, independent), "", None)
    closest = max((f for f in findings if f.worst), key=lambda f: f.worst.error if f.worst else 0.0, default=None)
    lossy = [f for f in findings if f.verdict is Verdict.INACCURATE]
    if lossy:
        first = next((f for f in lossy if f.missed), lossy[0])  # what misses the spec's own demand fails
        return Whole(Verdict.INACCURATE, not first.missed, f"{first.witness}: {first.reason}", first.blame, first)
    return Whole(Verdict.AGREES, True, _agreement(findings, independent), "", closest)


def _witnessed(quantity: str, findings: Sequence[Finding], independent: frozenset[str]) -> bool:
    """Whether an independent witness agrees with one claimed derivative.

    With nearly all its numbers, over all the cases, and somewhere at every position: a component that is never decided
    is a component that nobody checked.
    """
    for witness in independent:
        about = [f for f in findings if f.witness == witness and f.mode != MODE]  # a proof is told apart
        about = [f for f in about if f.worst and f.worst.quantity == quantity]
        compared = sum(f.compared for f in about)
        agreed = compared - sum(f.undecided + f.wrong + f.inaccurate for f in about)
        if compared and agreed >= ENOUGH * compared and not any(f.uncovered for f in about):
            return True
    return False


def _accused(wrong: Sequence[Finding]) -> Finding:
    """The finding that shows the fault best: of the party blamed most often, the one furthest outside its bars."""
    who = _shared_blame(wrong)
    among = [f for f in wrong if f.blame == who] or list(wrong)
    derivative = [f for f in among if f.mode in DERIVATIVE_MODES] or among
    return max(derivative, key=lambda f: (f.mode == MODE, f.mode == "reverse", f.worst.error if f.worst else 0.0))


def _shared_blame(wrong: Sequence[Finding]) -> str:
    """Who is blamed: the most frequent name, where somebody could be named at all."""
    named = Counter(f.blame for f in wrong if f.blame not in ("", "undetermined"))
    return named.most_common(1)[0][0] if named else "undetermined"


def _unwitnessed(quantities: Sequence[str], findings: Sequence[Finding], independent: frozenset[str]) -> str:
    what = f"the claimed {', '.join(quantities)}" if quantities else "any derivative: none is claimed"
    heard = {f.witness: f.reason for f in findings if f.witness in independent and f.verdict is not Verdict.AGREES}
    why = "; ".join(f"{w}: {r}" for w, r in sorted(heard.items())) or "no independent witness was asked"
    return f"no independent witness agrees with {what} ({why})"


def _agreement(findings: Sequence[Finding], independent: frozenset[str]) -> str:
    agreed = [w for w in dict.fromkeys(f.witness for f in findings) if w in independent]
    agreed = [w for w in agreed if witness_verdict([f for f in findings if f.witness == w]) is Verdict.AGREES]
    return f"{_list(agreed)} agree with the claim"


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "nobody"
