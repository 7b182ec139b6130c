"""At which small and simple point does a claim, or a witness, fail?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases import shrink
from gradcheck.judge import Finding, Number, Verdict, Whole, judge, wrong_points
from gradcheck.judge.telling import in_words
from gradcheck.oracles import Hearing, Inquiry
from gradcheck.run.config import Config
from gradcheck.run.outcome import Counterexample
from gradcheck.run.plain import plain
from gradcheck.spec import Case


def counterexample(
    heard: Sequence[tuple[Case, Finding]], whole: Whole, config: Config, deciding: Case
) -> Counterexample | None:
    """The shrunk point; None where nothing was measured. `heard`: every finding with its case."""
    finding = _cheapest(heard, whole)
    if finding is None or finding.worst is None:
        return None
    case = next((c for c, f in heard if f is finding), deciding)
    quantity, witness = finding.worst.quantity, finding.witness
    if witness == "example":
        return _told(case, finding)

    beside = [w for w in config.witnesses if w == "differences" and w != witness]  # they tell a fault from a kink

    def fails(candidate: Case) -> NDArray[np.bool_]:
        said = _ask(candidate, config, [witness, *beside])
        return wrong_points(candidate, said, witness, quantity)

    small = shrink(case, finding.worst.point, fails)
    everybody = judge(small, _ask(small, config, config.witnesses))
    again = [f for f in everybody if f.verdict is Verdict.DISAGREES and f.worst and f.worst.quantity == quantity]
    best = next((f for f in again if f.witness == witness), again[0] if again else finding)
    return _told(case if best is finding else small, best)


def _ask(case: Case, config: Config, witnesses: Sequence[str]) -> dict[str, Any]:
    hearing = Hearing(Inquiry(case), config.allowed)
    named = (w.removesuffix(f" {case.dtype}") for w in witnesses)
    names = [w for w in named if not w.startswith("implementation:")]
    return hearing.all(names)


def _cheapest(heard: Sequence[tuple[Case, Finding]], whole: Whole) -> Finding | None:
    """The finding to shrink with: the engine's where the claim is blamed (it is quick), else the deciding one."""
    if whole.blame == "claim":
        for _, f in heard:
            if f.verdict is Verdict.DISAGREES and f.witness == "engine" and f.mode == "reverse" and f.blame == "claim":
                return f
    return whole.finding


def _told(case: Case, finding: Finding) -> Counterexample:
    worst = finding.worst
    assert worst is not None
    numbers = tuple(dict(plain(n)) for n in worst.numbers)
    along = {n: t[worst.point].tolist() for n, t in case.tangents.items()} if _directed(worst.quantity) else {}
    return Counterexample(
        dict(case.sizes), plain(dict(worst.inputs)), plain(dict(worst.cotangent)), worst.quantity, worst.index,
        numbers, sentence(worst.inputs, worst.cotangent, worst.quantity, worst.index, worst.numbers, along),
        plain(along), case.dtype, finding.witness,
    )  # fmt: skip


def _directed(quantity: str) -> bool:
    """Whether a quantity is taken along the tangents."""
    return quantity.startswith(("jvp", "hvp", "hess", "pairing"))


def sentence(
    inputs: Mapping[str, Any], cotangent: Mapping[str, Any], quantity: str, index: tuple[int, ...],
    numbers: Sequence[Number], tangents: Mapping[str, Any] | None = None,
) -> str:  # fmt: skip
    """The counterexample in words: where, along which direction, and who says what."""
    where = ", ".join(f"{name} = {_listed(value)}" for name, value in inputs.items())
    where += "".join(f", t_{name} = {_listed(value)}" for name, value in (tangents or {}).items())
    if _some(cotangent):
        where += "".join(f", {_ct(name, cotangent)} = {_listed(value)}" for name, value in cotangent.items())
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
