"""Is a stored failure fixed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases import batch, example_case, example_sizes
from gradcheck.errors import GradcheckError, UsageError
from gradcheck.judge import Finding, Verdict, judge
from gradcheck.judge.telling import in_words
from gradcheck.oracles import INDEPENDENT, Hearing, Inquiry
from gradcheck.run.config import Config
from gradcheck.run.failures.counterexample import laid_out
from gradcheck.run.failures.store import Failure
from gradcheck.run.runner import prepare
from gradcheck.spec import Case, Example, Spec, load
from gradcheck.spec.case import read_layout

Array = NDArray[np.float64]


class State(StrEnum):
    """What became of a stored failure."""

    FIXED = "FIXED"
    FAILED = "FAILED"
    ERROR = "ERROR"  # it cannot be judged any more, or nobody says that it is right now


@dataclass(frozen=True, slots=True)
class Replayed:
    """The state, why it is not another, and what every witness finds at the point."""

    state: State
    reason: str = ""
    findings: tuple[Finding, ...] = ()


def replay(failure: Failure, config: Config) -> Replayed:
    """Judge the stored point again. A worked example that stands at this point is heard too.

    FIXED only where an independent witness agrees with what failed, and whoever failed was heard.
    """
    prepare(config)
    try:
        spec, case = stored_point(failure)
    except GradcheckError as error:
        return Replayed(State.ERROR, str(error))
    example = _example(spec, case)
    with np.errstate(all="ignore"):
        said = Hearing(Inquiry(case), config.allowed).all(_witnesses(failure, config), example)
        findings = judge(case, said)
    known = {(k.witness, k.verdict) for k in spec.known}
    counted = [f for f in findings if (f.witness, f.verdict.value) not in known]
    if any(f.verdict in (Verdict.DISAGREES, Verdict.CRASHED) for f in counted):
        return Replayed(State.FAILED, failure.sentence, findings)
    reason = _unsure(failure, case, findings, config)
    return Replayed(State.ERROR if reason else State.FIXED, reason or failure.sentence, findings)


def _witnesses(failure: Failure, config: Config) -> list[str]:
    """Those of the run, and the one that found it, which may be one that is heard on request only."""
    name = failure.witness.partition(" ")[0]
    asked = name in INDEPENDENT or name.startswith("planted:")
    return list(dict.fromkeys([*config.witnesses, *([name] if asked else [])]))


def _unsure(failure: Failure, case: Case, findings: Sequence[Finding], config: Config) -> str:
    """Why it cannot be said that the failure is fixed, though nothing is wrong; "" where it is."""
    about = [f for f in findings if f.worst is not None and f.worst.quantity == failure.quantity]
    if not about:
        return f"nothing is claimed of {in_words(failure.quantity)} any more, or nobody could be asked"
    suspect = failure.witness.partition(" ")[0]
    if suspect not in INDEPENDENT and suspect not in ("", "example"):
        silent = [f for f in findings if f.witness == failure.witness and f.verdict is Verdict.SILENT]
        if silent or not any(f.witness == failure.witness for f in about):
            why = silent[0].reason if silent else "it says nothing of what was wrong"
            return f"{failure.witness} is not heard: {why}"
        about = [f for f in about if f.witness == failure.witness]
    if not any(f.verdict in (Verdict.AGREES, Verdict.INACCURATE) for f in about):
        return "; ".join(dict.fromkeys(f"{f.witness}: {f.verdict.value}: {f.reason}" for f in about))
    return ""


def stored_point(failure: Failure) -> tuple[Spec, Case]:
    """The function as its file has it now, and the stored point as a case of it.

    Raises UsageError where the function is gone or does not take the point any more.
    """
    spec, layout = _spec(failure), read_layout(failure.layout)
    if failure.layout and layout is None:
        raise UsageError(f"the numbers were given in a layout that is not known any more: {failure.layout}")
    return spec, laid_out(_case(spec, failure), layout)


def _case(spec: Spec, failure: Failure) -> Case:
    inputs, ct, along = (_arrays(failure, kind) for kind in (failure.inputs, failure.cotangent, failure.tangents))
    _same_names(spec, "inputs", inputs, [i.name for i in spec.inputs])
    _same_names(spec, "outputs", ct, spec.outputs)
    for i in spec.inputs:
        shape = inputs[i.name].shape
        wanted = tuple(failure.sizes.get(d, -1) if isinstance(d, str) else d for d in i.shape)
        if 0 in shape and 0 in wanted:  # a list of nothing does not tell its other sizes
            inputs[i.name] = np.zeros(wanted)
            along |= {i.name: np.zeros(wanted)} if i.name in along else {}
        elif shape != wanted:
            raise UsageError(f"{spec.id} takes another {i.name} now than the stored one of shape {shape}")
    given = [ct] if any(array.size for array in ct.values()) else None  # a cotangent of nothing is the only one
    case = batch(spec, failure.sizes, [inputs], given, failure.dtype)
    if case is None:
        raise UsageError(f"the stored point is not in the domain of {failure.spec} any more")
    if not along:
        return case
    _same_names(spec, "tangents", along, case.tangents)
    return replace(case, tangents={name: t[None] for name, t in along.items()})


def _arrays(failure: Failure, stored: Mapping[str, Any]) -> dict[str, Array]:
    try:
        return {name: np.asarray(value, dtype=float) for name, value in stored.items()}
    except (TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"the stored numbers of {failure.id} cannot be read: {error}") from None


def _same_names(spec: Spec, what: str, stored: Mapping[str, Any], now: Any) -> None:
    if set(stored) != set(now):
        raise UsageError(f"{spec.id} has the {what} {', '.join(now)} now; stored are {', '.join(stored)}")


def _example(spec: Spec, case: Case) -> Example | None:
    """The worked example at the very point of the case."""
    for example in spec.examples:
        there = example_case(spec, example, example_sizes(spec, example))
        if all(np.array_equal(array, there.inputs[name]) for name, array in case.inputs.items()):
            return example
    return None


def _spec(failure: Failure) -> Spec:
    for spec in load(failure.file).functions:
        if spec.id == failure.spec:
            return spec
    raise UsageError(f"{failure.file} has no function {failure.spec!r} any more")
