"""Is a stored failure fixed?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcheck.cases import batch
from gradcheck.errors import UsageError
from gradcheck.judge import Finding, Verdict, judge
from gradcheck.oracles import Hearing, Inquiry
from gradcheck.run.config import Config
from gradcheck.run.runner import prepare
from gradcheck.run.store import Failure
from gradcheck.spec import Spec, load


def replay(failure: Failure, config: Config) -> tuple[bool, list[Finding]]:
    """Judge the stored point again: whether it still fails, and what every witness finds.

    Raises UsageError where the spec is gone or no longer takes the point.
    """
    prepare(config)
    spec = _spec(failure)
    inputs = {k: np.asarray(v, dtype=float) for k, v in failure.inputs.items()}
    ct = {k: np.asarray(v, dtype=float) for k, v in failure.cotangent.items()}
    missing = {i.name for i in spec.inputs} ^ set(inputs)
    if missing or set(ct) != set(spec.outputs):
        raise UsageError(f"{failure.spec} has other inputs or outputs now ({', '.join(sorted(missing))})")
    case = batch(spec, failure.sizes, [inputs], [ct])
    if case is None:
        raise UsageError(f"the stored point is not in the domain of {failure.spec} any more")
    findings = list(judge(case, Hearing(Inquiry(case), config.allowed).all(config.witnesses)))
    return _fails(findings), findings


def _fails(findings: Sequence[Finding]) -> bool:
    return any(f.verdict in (Verdict.DISAGREES, Verdict.CRASHED) for f in findings)


def _spec(failure: Failure) -> Spec:
    for spec in load(failure.file).functions:
        if spec.id == failure.spec:
            return spec
    raise UsageError(f"{failure.file} has no function {failure.spec!r} any more")
