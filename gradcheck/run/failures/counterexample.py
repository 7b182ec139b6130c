"""At which small and simple point does a claim, or a witness, fail?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases import only, shortest, shrink
from gradcheck.judge import Finding, Number, Verdict, Whole, judge, wrong_numbers
from gradcheck.judge.proofs import MODE
from gradcheck.judge.telling import in_words
from gradcheck.oracles import Hearing, Inquiry
from gradcheck.run.config import Config
from gradcheck.run.failures.as_example import as_example
from gradcheck.run.failures.as_python import Shown, as_python
from gradcheck.run.failures.truth import Truth
from gradcheck.run.outcome import Counterexample
from gradcheck.run.plain import plain
from gradcheck.spec import Case
from gradcheck.spec.case import Layout


def counterexample(
    heard: Sequence[tuple[Case, Finding]], whole: Whole, config: Config, deciding: Case
) -> Counterexample | None:
    """The shrunk point; None where nothing was measured. `heard`: every finding with its case."""
    finding = _cheapest(heard, whole)
    if finding is None or finding.worst is None:
        return None
    case = next((c for c, f in heard if f is finding), deciding)
    quantity, witness, proven = finding.worst.quantity, finding.witness, finding.mode == MODE
    if witness == "example":
        return _told(case, finding, config)

    beside = [w for w in config.witnesses if w == "differences" and w != witness]  # they tell a fault from a kink

    def fails(candidate: Case, layout: Layout | None = None) -> NDArray[np.intp]:
        said = _ask(laid_out(candidate, layout), config, [witness, *beside])
        return wrong_numbers(candidate, said, witness, quantity, proven)

    layout, row = case.layout(finding.worst.point), finding.worst.point
    if layout is not None and fails(only(case, row)).any():
        layout = None  # it fails when given plainly, too
    small = shrink(case, row, lambda candidate: fails(candidate, layout), _directions(quantity))
    small = laid_out(small, layout)
    tested = [f"implementation:{i.backend}" for i in small.spec.implementations]
    everybody = judge(small, _ask(small, config, [*config.witnesses, *tested]))
    again = [f for f in everybody if f.verdict is Verdict.DISAGREES and f.worst and f.worst.quantity == quantity]
    best = next((f for f in again if f.witness == witness), again[0] if again else finding)
    return _told(case if best is finding else small, best, config)


def laid_out(case: Case, layout: Layout | None) -> Case:
    """The case with every point given in one layout."""
    return case if layout is None else replace(case, layouts=(layout,) * case.points)


def _ask(case: Case, config: Config, witnesses: Sequence[str]) -> dict[str, Any]:
    """What the claim and the named witnesses say, implementations among them."""
    names = [w.removesuffix(f" {case.dtype}") for w in witnesses]
    return Hearing(Inquiry(case), config.allowed).all(names, implementations=False)


def _directions(quantity: str) -> frozenset[str]:
    """Which directions a quantity is taken along."""
    if quantity.startswith("value"):
        return frozenset()
    if quantity.startswith("jvp"):
        return frozenset({"tangents"})
    return frozenset({"cotangents", "tangents"} if _directed(quantity) else {"cotangents"})


def _cheapest(heard: Sequence[tuple[Case, Finding]], whole: Whole) -> Finding | None:
    """The finding to shrink with: the engine's where the claim is blamed (it is quick), else the deciding one."""
    if whole.blame != "claim" or whole.finding is None or whole.finding.worst is None:
        return whole.finding
    engines = [f for _, f in heard if f.verdict is Verdict.DISAGREES and f.witness == "engine" and f.blame == "claim"]
    same = [f for f in engines if f.worst and f.worst.quantity == whole.finding.worst.quantity]
    return next(iter(same or [f for f in engines if f.mode == "reverse"]), whole.finding)


def _told(case: Case, finding: Finding, config: Config) -> Counterexample:
    worst = finding.worst
    assert worst is not None
    numbers = tuple(dict(plain(n)) for n in worst.numbers)
    inputs, cotangent, tangents = (_short(arrays, worst.point, case.dtype)
                                    for arrays in (case.inputs, case.cotangents, case.tangents))  # fmt: skip
    along = tangents if _directed(worst.quantity) else {}
    layout = case.layout(worst.point)
    return Counterexample(
        dict(case.sizes), plain(inputs), plain(cotangent), worst.quantity, worst.index,
        numbers, sentence(inputs, cotangent, worst.quantity, worst.index, worst.numbers, along, layout),
        plain(along), case.dtype, *_pasted(laid_out(only(case, worst.point), layout), finding, config), finding.witness,
        "" if layout is None else layout.written(),
    )  # fmt: skip


def _pasted(case: Case, finding: Finding, config: Config) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """The point as an example and as lines of Python, and whose the right numbers are."""
    worst = finding.worst
    assert worst is not None
    kinds = (case.inputs, case.cotangents, case.tangents)
    if any(not array.size for arrays in kinds for array in arrays.values()):
        return (), (), ""  # a list of nothing does not tell its shape
    inputs, cotangents, tangents = (
        {n: np.asarray(v)[None] for n, v in _short(arrays, 0, case.dtype).items()} for arrays in kinds
    )
    short = replace(case, inputs=inputs, cotangents=cotangents, tangents=tangents)
    truth = Truth(replace(short, dtype="float64"))
    entry = as_example(truth.case, worst.quantity, truth)
    python: list[str] = []
    if finding.blame.partition(" ")[0].partition(":")[0] in ("claim", "implementation", "undetermined"):
        who = finding.blame if finding.blame.startswith("implementation") else "claim"
        wrong = next((n.center for n in worst.numbers if n.witness == who), None)
        right, kink = truth.answer(worst.quantity, worst.index), any(n.kink for n in worst.numbers)
        shown = Shown(worst.quantity, worst.index, who, wrong, right, kink)
        python = as_python(short, shown, config.python_path)
    return tuple(entry.lines()), tuple(python), entry.word


def _short(arrays: Mapping[str, Any], row: int, dtype: str) -> dict[str, Any]:
    """Nested lists of the numbers at one point, each with as few digits as the dtype needs to hold it."""
    return {n: np.vectorize(lambda v: shortest(v, dtype), otypes=[float])(a[row]).tolist() for n, a in arrays.items()}


def _directed(quantity: str) -> bool:
    """Whether a quantity is taken along the tangents."""
    return quantity.startswith(("jvp", "hvp", "hess", "pairing"))


def sentence(
    inputs: Mapping[str, Any], cotangent: Mapping[str, Any], quantity: str, index: tuple[int, ...],
    numbers: Sequence[Number], tangents: Mapping[str, Any] | None = None, layout: Layout | None = None,
) -> str:  # fmt: skip
    """The counterexample in words: where, along which direction, and who says what."""
    where = ", ".join(f"{name} = {_listed(value)}" for name, value in inputs.items())
    where += "".join(f", t_{name} = {_listed(value)}" for name, value in (tangents or {}).items())
    if _some(cotangent):
        where += "".join(f", {_ct(name, cotangent)} = {_listed(value)}" for name, value in cotangent.items())
    where += "" if layout is None else f", {layout}"
    element = in_words(quantity) + (f", element [{', '.join(map(str, index))}]," if index else "")
    groups: list[list[Number]] = []
    for n in numbers:
        for group in groups:
            if abs(group[0].center - n.center) <= group[0].bar + n.bar:
                group.append(n)
                break
        else:
            groups.append([n])
    texts = [f"{group[0].center:.12g}" for group in groups]
    if len(set(texts)) < len(texts):  # they differ further on
        texts = [f"{group[0].center:.17g}" for group in groups]
    said = [f"{text} by {', '.join(n.witness for n in group)}" for text, group in zip(texts, groups, strict=True)]
    return f"at {where}: {element} is {'; '.join(said)}"


def _ct(name: str, cotangent: Mapping[str, Any]) -> str:
    return "ct" if len(cotangent) == 1 else f"ct_{name}"


def _some(cotangent: Mapping[str, Any]) -> bool:
    """Whether the cotangent says anything beyond ones."""
    return any(np.any(np.asarray(v, dtype=float) != 1.0) for v in cotangent.values())


def _listed(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_listed(v) for v in value) + "]"
    return f"{value:.6g}"
