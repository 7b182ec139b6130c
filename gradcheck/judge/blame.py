"""Who is wrong? The parties that contradict the largest group of parties that are of one mind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gradcheck.judge.finding import Number

PROVEN = "certified"  # its bars are proofs
HONEST = frozenset({PROVEN, "differences"})  # they say nan with an infinite bar where they know nothing


@dataclass(frozen=True, slots=True)
class Blame:
    """Who is wrong ("" for nobody, "undetermined" where the parties are too few to say) and why, in one sentence."""

    who: str
    sentence: str


def blame(numbers: Sequence[Number]) -> Blame:
    """Judge one element from what every party says about it; bars are already widened to the parties' budgets.

    Two modes of one witness share their faults, so groups are counted in witnesses ("torch reverse" and "torch
    forward" are one). The examples' printed numbers are a party of their own.
    """
    if all(not math.isfinite(x.center) for x in numbers if x.witness not in HONEST):
        return Blame("undetermined", "f or its derivative is not finite at a point of its stated domain: state another")
    speaking = [x for x in numbers if not math.isinf(x.bar) or (math.isnan(x.center) and x.witness not in HONEST)]
    if all(_compatible(a, b) for a in speaking for b in speaking if a is not b):
        return Blame("", "all parties are of one mind")
    proof = next((x for x in speaking if x.witness == PROVEN), None)
    if proof is not None:
        return _by_proof(proof, speaking)
    groups = _cliques(speaking)
    groups.sort(key=lambda group: (-_weight(group), -len(group)))
    best = groups[0]
    if (len(groups) > 1 and _weight(groups[1]) == _weight(best)) or _weight(best) < 2:
        return Blame("undetermined", f"{_names(speaking)} contradict one another and none has a second beside it")
    outside = [x for x in speaking if not all(_compatible(x, y) for y in best)]
    accused = next((x for x in outside if x.witness == "claim"), outside[0])
    return Blame(accused.witness, f"{_names(best)} agree, {_names(outside)} {_contradicts(outside)} them")


def _by_proof(proof: Number, speaking: Sequence[Number]) -> Blame:
    """What is proven is right, however many contradict it alike."""
    outside = [x for x in speaking if not (x is proof or _compatible(x, proof))]
    if not outside:
        return Blame("undetermined", f"{_names(speaking)} contradict one another, none of them what is proven")
    accused = next((x for x in outside if x.witness == "claim"), outside[0])
    beside = [x for x in speaking if x is not proof and x not in outside]
    also = f", and {_names(beside)} {'agrees' if len(beside) == 1 else 'agree'}" if beside else ""
    return Blame(accused.witness, f"{proof.witness} is proven{also}; {_names(outside)} {_contradicts(outside)} it")


def _contradicts(outside: Sequence[Number]) -> str:
    return "contradicts" if len(outside) == 1 else "contradict"


def _compatible(a: Number, b: Number) -> bool:
    return abs(a.center - b.center) <= a.bar + b.bar  # False for NaN


def _cliques(numbers: Sequence[Number]) -> list[list[Number]]:
    """For each party, the group of those compatible with it and with one another, built in order of their bars."""
    order = sorted(numbers, key=lambda x: x.bar)
    found: list[list[Number]] = []
    for seed in numbers:
        if math.isnan(seed.center):
            found.append([seed])
            continue
        group = [seed]
        for other in order:
            if other is not seed and all(_compatible(other, member) for member in group):
                group.append(other)
        if not any({id(x) for x in group} == {id(x) for x in known} for known in found):
            found.append(group)
    return found


def _weight(group: Sequence[Number]) -> int:
    """How many independent parties a group holds."""
    return len({x.witness.split()[0] for x in group})


def _names(group: Sequence[Number]) -> str:
    names = [x.witness for x in group]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
