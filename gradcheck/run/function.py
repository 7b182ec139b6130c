"""What comes of one function? Cases are made, witnesses heard, findings joined to one outcome."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from types import MappingProxyType

import numpy as np

from gradcheck.cases import PHASES, Tally, empty_cases, neighbours
from gradcheck.expr import to_latex
from gradcheck.judge import Finding, Power, Verdict, Whole, conventions, judge, overall, power, witness_verdict
from gradcheck.judge.budgets import dtype_of
from gradcheck.judge.whole import mode_verdict
from gradcheck.oracles import INDEPENDENT, Evidence, Hearing, Inquiry, Silence, Testimony
from gradcheck.oracles.hearing import COMPUTING, titled
from gradcheck.oracles.inquiry import claimed
from gradcheck.oracles.tremor import tremors
from gradcheck.run.cases import cases_of, dtypes_of
from gradcheck.run.config import Config
from gradcheck.run.failures.counterexample import counterexample
from gradcheck.run.failures.store import failure_id
from gradcheck.run.outcome import ClaimText, Outcome, WitnessResult
from gradcheck.run.pictures import graph_of, plot_of
from gradcheck.run.plain import plain
from gradcheck.run.statistics import nothing_found, statistics_of
from gradcheck.spec import Case, Example, Spec
from gradcheck.spec.dims import written
from gradcheck.spec.words import DTYPES

NEARBY = 6  # neighbours of a case at which it is seen whether an error is one of rounding


@dataclass(frozen=True, slots=True)
class Heard:
    """A case, what everybody said of it, and what came of comparing."""

    case: Case
    said: dict[str, Testimony]
    findings: tuple[Finding, ...]


def judge_function(spec: Spec, config: Config, lost: Mapping[str, str] = MappingProxyType({})) -> Outcome:
    """The outcome of one function, whatever happens on the way. lost: what of it was the end of a process before."""
    start = time.perf_counter()
    ended = dict(lost)
    tally = Tally()
    heard = [hear(case, config, example, ended) for case, example in cases_of(spec, config, tally, ended)]
    heard += _of_nothing(spec, config, tally, ended) if config.profile.empty else []
    findings = [f for h in heard for f in h.findings]
    known, stale = known_deviations(spec, findings)
    counted = [f for f in findings if (f.witness, f.verdict.value) not in known]
    whole = overall(counted, _independent(config), claimed_quantities(spec))
    if not heard:
        whole = Whole(Verdict.UNWITNESSED, False, nothing_found(tally), "", None)
    pairs = [(h.case, f) for h in heard for f in h.findings]
    example = counterexample(pairs, whole, config, heard[0].case) if whole.verdict is Verdict.DISAGREES else None
    passed, sentence = _passed(spec, whole, stale)
    outcome = Outcome(
        id=spec.id, kind="function", file=spec.place.file, line=spec.place.line, summary=spec.summary, tags=spec.tags,
        passed=passed, verdict=whole.verdict.value, sentence=sentence, blame=whole.blame,
        expected=None if spec.expect is None else {"verdict": spec.expect.verdict, "blame": spec.expect.blame},
        witnesses=_witnesses(spec, findings, heard, config), cases=len(heard), points=sum(h.case.points for h in heard),
        rejected=sum(h.case.rejected for h in heard),
        worst=plain(whole.finding.worst) if whole.finding and whole.finding.worst else None,
        counterexample=example, power=_power(heard, config),
        replay=_replay(spec, config), text=spec.text, formula=spec.function.text, latex=to_latex(spec.function),
        claims=tuple(ClaimText(c.kind.value, c.of, c.program.text, to_latex(c.program)) for c in spec.claims),
        domains={i.name: _domain_text(i.shape, i.domain.text) for i in spec.inputs},
        plot=plot_of(spec), graph=graph_of(heard[0].case) if heard else None,
        notes=(*(f"known deviation of {k.witness}: {k.reason}" for k in spec.known), *_noted(heard)),
        seconds=time.perf_counter() - start,
        seconds_in_witnesses=sum(t.seconds for h in heard for t in h.said.values()),
        statistics=statistics_of(spec, [h.case for h in heard], tally, any(map(_moves, heard))),
    )  # fmt: skip
    return outcome if example is None or passed or config.store is None else _stored(outcome)


def _noted(heard: Sequence[Heard]) -> list[str]:
    """What witnesses note beside their numbers, each once, and what every party answers at the first kink."""
    evidence = [said for h in heard for said in h.said.values() if isinstance(said, Evidence)]
    kinks = (conventions(h.case, h.said) for h in heard)
    notes = [f"{said.witness}: {note}" for said in evidence for note in said.notes]
    return [*dict.fromkeys(notes), *(told for told in [next((k for k in kinks if k), "")] if told)]


def _moves(heard: Heard) -> bool:
    """Whether any derivative that a party gives is something else than 0."""
    evidence = [said for said in heard.said.values() if isinstance(said, Evidence)]
    answers = [(name, m.center) for said in evidence for name, m in said.answers.items()]
    return any(np.nan_to_num(numbers).any() for name, numbers in answers if not name.startswith("value"))


def claimed_quantities(spec: Spec) -> list[str]:
    """The derivatives that an independent witness must agree with."""
    return [quantity for _, quantity in claimed(spec)]


def hear(
    case: Case, config: Config, example: Example | None, lost: dict[str, str], implementations: bool = True
) -> Heard:  # fmt: skip
    """A case before all witnesses, and what comes of comparing them. lost: takes down what was a process's end."""
    computes = case.dtype in dtypes_of(case.spec, config)
    names = [w for w in config.witnesses if computes or w not in COMPUTING]
    said = Hearing(Inquiry(case), config.allowed, lost).all(
        names, example, implementations=computes and implementations
    )
    findings = judge(case, said)
    wrong = [f.witness for f in findings if f.verdict is Verdict.DISAGREES and f.worst is not None]
    if case.dtype != "float64" and wrong:
        nearby = neighbours(case, NEARBY)
        findings = judge(case, said, tremors(nearby, list(dict.fromkeys(wrong)), config.allowed))
    return Heard(case, said, findings)


def _of_nothing(spec: Spec, config: Config, tally: Tally, lost: dict[str, str]) -> Iterator[Heard]:
    """What is said where a dimension has size 0: nobody has to answer there, but who does must be right.

    A gradient without numbers agrees by its shape. Code under test is not called: it may ask for one number at least.
    """
    for name, case in empty_cases(spec):
        if isinstance(case, str):
            tally.empty[name] = f"not asked: {case}"
            continue
        heard = hear(case, config, None, lost, implementations=False)
        silent = {who: said.message for who, said in heard.said.items() if isinstance(said, Silence)}
        if "claim" in silent:
            tally.empty[name] = f"not asked: the claim gives no numbers ({silent['claim']})"
            continue
        tally.empty[name] = "judged" + (f"; no answer of {', '.join(silent)}" if silent else "")
        yield replace(heard, findings=tuple(f for f in heard.findings if f.compared))


def _independent(config: Config) -> frozenset[str]:
    return INDEPENDENT & frozenset(config.witnesses)


def known_deviations(spec: Spec, findings: Sequence[Finding]) -> tuple[set[tuple[str, str]], list[str]]:
    """The (witness, verdict) pairs that are known deviations, and sentences on those that do not show any more."""
    known, stale = set(), []
    for entry in spec.known:
        about = [f for f in findings if f.witness == entry.witness]
        shown = witness_verdict(about).value if about else "SILENT"
        if shown == entry.verdict:
            known.add((entry.witness, entry.verdict))
            known |= {(titled(entry.witness, dtype), entry.verdict) for dtype in DTYPES}
        elif shown != "SILENT":
            stale.append(f"the known deviation of {entry.witness} ({entry.verdict}) is stale: it is {shown} now")
    return known, stale


def _passed(spec: Spec, whole: Whole, stale: Sequence[str]) -> tuple[bool, str]:
    """Whether the function passes, and why: what is wrong on purpose must get exactly its verdict and blame."""
    if spec.expect is not None:
        as_planted = (whole.verdict.value, whole.blame) == (spec.expect.verdict, spec.expect.blame)
        if as_planted:
            return True, whole.sentence
        wanted = f"{spec.expect.verdict} with blame on {spec.expect.blame or 'nobody'}"
        return False, f"wrong on purpose, but {whole.verdict.value} ({whole.sentence}); it must get {wanted}"
    if stale:
        return False, "; ".join([*stale] if whole.passed else [*stale, whole.sentence])
    return whole.passed, whole.sentence


def _witnesses(
    spec: Spec, findings: Sequence[Finding], heard: Sequence[Heard], config: Config
) -> dict[str, WitnessResult]:
    dtypes = dtypes_of(spec, config)
    names = dict.fromkeys([*config.witnesses, *heard_of(spec, config), *(f.witness for f in findings)])
    return {name: _result(name, [f for f in findings if f.witness == name], heard, dtypes) for name in names}


def heard_of(spec: Spec, config: Config) -> list[str]:
    """Who is asked about a function, each by the name of its result: "engine", "torch", "torch float32" …"""
    tested = [f"implementation:{i.backend}" for i in spec.implementations]
    dtypes, computing = dtypes_of(spec, config), [w for w in config.witnesses if w in COMPUTING]
    found = [w for w in config.witnesses if w not in COMPUTING or "float64" in dtypes]
    found += tested if "float64" in dtypes else []
    return found + [titled(w, d) for d in dtypes if d != "float64" for w in [*computing, *tested]]


def _result(name: str, about: Sequence[Finding], heard: Sequence[Heard], dtypes: Sequence[str]) -> WitnessResult:
    seconds = sum(h.said[name].seconds for h in heard if name in h.said)
    if not about:
        why = _not_heard(name, heard, dtypes)
        return WitnessResult("SILENT", f"it was not heard: {why}", {}, seconds=seconds)
    verdict = witness_verdict(about)
    order = [f for f in about if f.verdict is verdict]
    telling = max(order or about, key=lambda f: (f.mode == "reverse", f.worst.error if f.worst else 0.0))
    names = dict.fromkeys(f.mode for f in about if f.mode)
    modes = {mode: mode_verdict([f for f in about if f.mode == mode]).value for mode in names}
    return WitnessResult(
        verdict.value, telling.reason, modes, sum(f.compared for f in about), sum(f.undecided for f in about),
        sum(f.wrong for f in about), seconds,
    )  # fmt: skip


def _not_heard(name: str, heard: Sequence[Heard], dtypes: Sequence[str]) -> str:
    """Why nothing came of a witness."""
    dtype = dtype_of(name)
    if not heard:
        return "no point of the domain was found"
    if dtype not in dtypes and name in COMPUTING:
        return f"asked in {', '.join(dtypes)} only"
    if not any(h.case.dtype == dtype for h in heard):
        return f"no point of the domain was found in {dtype}"
    return "the claim itself could not be evaluated"


def _power(heard: Sequence[Heard], config: Config) -> dict[str, object] | None:
    """The power over the cases of several points (an example alone says little): the middle case, the worst element."""
    found: list[Power] = []
    for h in heard:
        one = power(h.said, _independent(config)) if h.case.points > 1 and h.case.dtype == "float64" else None
        if one is not None:
            found.append(one)
    if not found:
        return None
    return dict(plain({"median": median(p.median for p in found), "worst": max(p.worst for p in found)}))


def _replay(spec: Spec, config: Config) -> str:
    dtypes = "".join(f" --dtype {name}" for name in config.dtypes)
    phases = "" if config.phases == PHASES else f" --phases {','.join(config.phases)}"
    how = f"{dtypes}{phases} --seed {config.seed} --profile {config.profile.name}"
    return f"gradcheck run {spec.place.file} -k {spec.id}{how}"


def _stored(outcome: Outcome) -> Outcome:
    return replace(outcome, replay=f"gradcheck replay {failure_id(outcome)}")


def _domain_text(shape: Sequence[str | int], text: str) -> str:
    return f"shape ({', '.join(map(str, written(shape)))}{',' if len(shape) == 1 else ''}), {text}" if shape else text
