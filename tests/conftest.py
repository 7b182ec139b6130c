"""The tests' way to a question: a spec from YAML text, a case at given points, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import numpy as np
import pytest

from gradcheck.cases.build import finish
from gradcheck.judge import Finding, judge
from gradcheck.oracles import Hearing, Inquiry
from gradcheck.spec import Case, Spec, load

pytest_plugins = "pytester"  # the pytest plugin is tried in pytest runs of its own
collect_ignore = ["spec/hostile"]  # broken on purpose: the plugin would rightly call each an error of collection
SpecOf = Callable[..., Spec]
CaseAt = Callable[..., Case]
Judged = Callable[..., dict[tuple[str, str], Finding]]


@pytest.fixture(scope="session")
def spec_of(tmp_path_factory: pytest.TempPathFactory) -> SpecOf:
    """Reads the body of one function (YAML text) into its Spec."""
    folder: Path = tmp_path_factory.mktemp("specs-from-text")
    count = iter(range(10**6))

    def spec_of(body: str, name: str = "f") -> Spec:
        path = folder / f"{next(count)}.grad.yaml"
        entry = indent(dedent(body).strip("\n"), "    ")
        path.write_text(f"gradcheck: 1\nfunctions:\n  {name}:\n{entry}\n", encoding="utf-8")
        return load(str(path)).functions[0]

    return spec_of


@pytest.fixture(scope="session")
def case_at() -> CaseAt:
    """Makes a case of given points: inputs (and `ct`, one output; `t`, by input) with a leading axis of points."""

    def case_at(spec: Spec, ct: Any = None, t: Mapping[str, Any] | None = None, **points: Any) -> Case:
        inputs = {name: np.array(points[name], dtype=float) for name in (i.name for i in spec.inputs)}
        sizes = {
            d: n
            for i in spec.inputs
            for d, n in zip(i.shape, inputs[i.name].shape[1:], strict=True)
            if isinstance(d, str)
        }
        count = len(next(iter(inputs.values())))
        given = None if ct is None else {spec.outputs[0]: np.array(ct, dtype=float)}
        along = {k: np.array(v, dtype=float) for k, v in (t or {}).items()}
        rng = np.random.default_rng(0)
        return finish(spec, inputs, sizes, ("given",) * count, 0, rng, cotangents=given, given=along)

    return case_at


@pytest.fixture(scope="session")
def judged() -> Judged:
    """Puts a case to witnesses and judges: (witness, mode) -> finding; the mode is "" where there was no answer."""

    def judged(
        case: Case, names: Sequence[str] = ("engine", "differences"), allowed: Sequence[str] | None = ()
    ) -> dict[tuple[str, str], Finding]:
        findings = judge(case, Hearing(Inquiry(case), allowed).all(names))
        return {(f.witness, f.mode): f for f in findings}

    return judged
