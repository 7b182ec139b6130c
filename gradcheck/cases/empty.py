"""Does a function take a dimension of size 0, and at which point is it asked there?

Code that is right for one row and for many may still trip over none. A formula that has no value there (the mean, the
largest of nothing) is not asked; why it is not, is told.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck.cases.build import build, outputs
from gradcheck.cases.plans import Plan
from gradcheck.expr import NUMPY, Batch, Batched, Control
from gradcheck.spec.case import Case
from gradcheck.spec.dims import base_of, keys_of, names_of
from gradcheck.spec.model import Claim, Spec

OTHERS = 2  # the size of the other dimensions


def empty_cases(spec: Spec) -> Iterator[tuple[str, Case | str]]:
    """For each dimension in turn: a case of one point where its size is 0, or why the function has none."""
    for name in names_of(i.shape for i in spec.inputs):
        sizes = tuple((key, 0 if base_of(key) == name else OTHERS) for key in keys_of(spec.inputs))
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error")  # NumPy warns of the mean of nothing and gives NaN
            try:
                case = build(spec, Plan(sizes, 0, 1.0), 1)
                yield name, "no point of the domain was found" if case is None else _asked(case)
            except Exception as error:  # NumPy, Python and the language refuse in many ways what they cannot take
                yield name, " ".join(str(error).split()) or type(error).__name__


def _asked(case: Case) -> Case | str:
    """The case, where the function and its claims have numbers there."""
    values = outputs(case.spec, case.inputs, case.sizes)
    if not all(np.isfinite(value).all() for value in values.values()):
        return "the function is not finite there"
    for claim in case.spec.claims:
        if not np.isfinite(_claimed(claim, case, values)).all():
            return f"the {claim.kind.value} is not finite there"
    return case


def _claimed(claim: Claim, case: Case, values: dict[str, Any]) -> Any:
    single = len(case.spec.outputs) == 1
    env = {name: Batched(array) for name, array in {**case.inputs, **values}.items()}
    env |= {f"t_{name}": Batched(t) for name, t in case.tangents.items()}
    env |= {"ct" if single else f"ct_{o}": Batched(ct) for o, ct in case.cotangents.items()}
    found = claim.program(Batch(NUMPY), {**env, **case.sizes}, Control(guard=False))
    return np.asarray(found.data if isinstance(found, Batched) else found, dtype=float)
