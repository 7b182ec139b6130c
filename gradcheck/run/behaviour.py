"""What comes of one behaviour? Its steps are performed on every tape that has the notion."""

from __future__ import annotations

import time

from gradcheck.oracles.behaviours import Performance, perform
from gradcheck.run.config import Config
from gradcheck.run.outcome import Outcome, WitnessResult
from gradcheck.spec import Semantics

TAPES = ("engine", "torch", "jax")


def judge_behaviour(semantics: Semantics, config: Config) -> Outcome:
    """Passes if no tape behaves otherwise and at least one was really seen to behave so."""
    start = time.perf_counter()
    seen = {name: perform(semantics, name) for name in TAPES if name in config.witnesses}
    wrong = [p for p in seen.values() if p.verdict in ("DISAGREES", "CRASHED")]
    held = [p.witness for p in seen.values() if p.verdict == "AGREES"]
    if wrong:
        verdict, sentence, blame = wrong[0].verdict, f"{wrong[0].witness}: {wrong[0].reason}", wrong[0].witness
        if len(wrong) == len([p for p in seen.values() if p.verdict != "SILENT"]) > 1:
            blame = "claim"  # every tape behaves otherwise: the expectation is at fault
    elif held:
        verdict, sentence, blame = "AGREES", f"{' and '.join(held)} behave so", ""
    else:
        verdict, sentence, blame = "UNWITNESSED", "no tape was seen to behave so", ""
    results = {name: _result(name, seen.get(name)) for name in config.witnesses}
    return Outcome(
        id=semantics.id, kind="semantics", file=semantics.place.file, line=semantics.place.line,
        summary=semantics.summary, tags=semantics.tags, passed=verdict == "AGREES", verdict=verdict, sentence=sentence,
        blame=blame, expected=None, witnesses=results,
        replay=f"gradcheck run {semantics.place.file} -k {semantics.id}", text=semantics.text,
        seconds=time.perf_counter() - start, seconds_in_witnesses=sum(p.seconds for p in seen.values()),
    )  # fmt: skip


def _result(name: str, performance: Performance | None) -> WitnessResult:
    if performance is None:
        return WitnessResult("SILENT", f"{name} has no tape: it differentiates nothing", {})
    return WitnessResult(performance.verdict, performance.reason, {}, performance.checked, seconds=performance.seconds)
