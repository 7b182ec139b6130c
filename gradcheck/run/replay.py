"""Is a stored failure fixed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases import batch, example_case, example_sizes
from gradcheck.errors import UsageError
from gradcheck.judge import Finding, Verdict, judge
from gradcheck.oracles import Hearing, Inquiry
from gradcheck.run.config import Config
from gradcheck.run.runner import prepare
from gradcheck.run.store import Failure
from gradcheck.spec import Case, Example, Spec, load

Array = NDArray[np.float64]


def replay(failure: Failure, config: Config) -> tuple[bool, list[Finding]]:
    """Judge the stored point again: whether it still fails, and what every witness finds.

    A worked example that stands at this point is heard too. Raises UsageError where the spec is gone or no longer
    takes the point.
    """
    prepare(config)
    spec = _spec(failure)
    case = _case(spec, failure)
    example = _example(spec, case)
    with np.errstate(all="ignore"):
        findings = list(judge(case, Hearing(Inquiry(case), config.allowed).all(config.witnesses, example)))
    return _fails(spec, findings), findings


def _case(spec: Spec, failure: Failure) -> Case:
    inputs, ct, along = (_arrays(failure, kind) for kind in (failure.inputs, failure.cotangent, failure.tangents))
    _same_names(spec, "inputs", inputs, [i.name for i in spec.inputs])
    _same_names(spec, "outputs", ct, spec.outputs)
    for i in spec.inputs:
        shape = inputs[i.name].shape
        if shape != tuple(failure.sizes.get(d, -1) if isinstance(d, str) else d for d in i.shape):
            raise UsageError(f"{spec.id} takes another {i.name} now than the stored one of shape {shape}")
    case = batch(spec, failure.sizes, [inputs], [ct], failure.dtype)
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


def _fails(spec: Spec, findings: Sequence[Finding]) -> bool:
    """Whether anything is wrong that is not a known deviation."""
    known = {(k.witness, k.verdict) for k in spec.known}
    bad = (Verdict.DISAGREES, Verdict.CRASHED)
    return any(f.verdict in bad and (f.witness, f.verdict.value) not in known for f in findings)


def _spec(failure: Failure) -> Spec:
    for spec in load(failure.file).functions:
        if spec.id == failure.spec:
            return spec
    raise UsageError(f"{failure.file} has no function {failure.spec!r} any more")
