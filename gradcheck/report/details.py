"""What does a report say of one function or behaviour? Its numbers, who is right, and every sentence about it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradcheck.report.numbers import (
    assignments,
    brief,
    cotangents,
    count,
    digits,
    digits_text,
    duration,
    real,
    with_bar,
)
from gradcheck.report.rows import Row
from gradcheck.report.standing import Standing, label
from gradcheck.run.outcome import ClaimText, Graph, Outcome
from gradcheck.spec.case import read_layout

LARGEST_GRAPH = 120  # nodes; a larger one is told in words
MOST_PICTURES = 300  # outcomes of a run that get pictures though they are right: more would make a page of many MB


@dataclass(frozen=True, slots=True)
class NumberRow:
    """One party's number at the point in question."""

    witness: str
    number: str  # with its error bar
    bar: float
    digits: str  # shared with the claim
    note: str  # "one-sided limits differ" …
    blamed: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where numbers were compared: the element, the point, and what came with it."""

    element: str
    point: str
    cotangent: str
    numbers: tuple[NumberRow, ...]
    remark: str


def quantity(name: str, index: Sequence[int]) -> str:
    """The element in words: "vjp:x" at (2,) is "the vjp in x, element [2]"."""
    what, _, of = name.partition(":")
    words = f"the {what} in {of}" if of else f"the {what}"
    return words + (f", element [{', '.join(map(str, index))}]" if index else "")


def number_rows(numbers: Sequence[Mapping[str, Any]], blame: str) -> tuple[NumberRow, ...]:
    """Every party's number, the claim first, with the digits it shares with the claim."""
    return tuple(_number_row(number, numbers[0] if i else None, blame) for i, number in enumerate(numbers))


def counterexample(outcome: Outcome) -> Place | None:
    """The smallest point at which something is wrong."""
    found = outcome.counterexample
    if found is None:
        return None
    sizes = ", ".join(f"{name} = {size}" for name, size in found.sizes.items())
    layout = read_layout(found.layout)
    return Place(
        element=quantity(found.quantity, found.index),
        point=assignments(found.inputs) + ("" if layout is None else f", {layout}"),
        cotangent=cotangents(found.cotangent),
        numbers=number_rows(found.numbers, outcome.blame),
        remark=f"sizes {sizes}" if sizes else "",
    )


def worst_point(outcome: Outcome) -> Place | None:
    """The element at which the parties are furthest apart, for the size of their bars."""
    worst = outcome.worst
    if worst is None:
        return None
    remarks = [f"{brief(worst['error'])} joint error bars apart"] if worst.get("error") is not None else []
    remarks += [f"{brief(worst['ulp'])} ulp"] if worst.get("ulp") is not None else []
    remarks += [f"{worst['lost']:.0f} of 16 digits"] if isinstance(worst.get("lost"), float) else []
    remarks += [f"origin: {worst['origin']}"] if worst.get("origin") else []
    remarks += [worst["layout"]] if worst.get("layout") else []
    return Place(
        element=quantity(str(worst["quantity"]), tuple(worst.get("index", ()))),
        point=assignments(worst.get("inputs", {})),
        cotangent=cotangents(worst.get("cotangent", {})),
        numbers=number_rows(worst.get("numbers", ()), outcome.blame),
        remark=", ".join(remarks),
    )


def verdict_sentence(outcome: Outcome) -> str:
    """Why the outcome is what it is; for a planted error, against what it had to be."""
    said = outcome.sentence.rstrip(".")
    if outcome.expected is None:
        return said
    planted = _expectation(outcome.expected)
    if outcome.passed:
        return f"as planted, it {planted}: {said}" if said else f"as planted, it {planted}"
    return f"planted so that it {planted}, but the verdict is {outcome.verdict}{_blaming(outcome.blame)}: {said}"


def blame_sentence(outcome: Outcome) -> str:
    """Who is wrong, in one clause: "the claim is wrong"."""
    if outcome.verdict != "DISAGREES":
        return outcome.verdict.lower() if outcome.expected else label(outcome)
    if outcome.blame in ("", "undetermined"):
        return "the parties contradict each other and nobody can be blamed"
    return "the claim is wrong" if outcome.blame == "claim" else f"{outcome.blame} is wrong"


def wrong_and_right(place: Place) -> tuple[str, str]:
    """The wrong numbers with their authors, and the right number with its witnesses; empty where nobody is blamed."""
    wrong = [row for row in place.numbers if row.blamed]
    right = [row for row in place.numbers if not row.blamed and row.bar < math.inf and row.number != "NaN"]
    if not wrong or not right:
        return "", ""
    says = ", ".join(f"{row.number} ({row.witness})" for row in wrong)
    best = min(right, key=lambda row: row.bar)
    return says, f"{best.number} ({', '.join(row.witness for row in right)})"


def claim_name(claim: ClaimText) -> str:
    """Which derivative a claim states: "gradient in x"."""
    return f"{claim.kind} in {claim.of}" if claim.of else claim.kind


def power_sentence(outcome: Outcome) -> str:
    """The stated power: "would have caught a relative error of 3e-12 (median), 2e-9 (worst)"."""
    power = outcome.power
    if not power or power.get("median") is None:
        return ""
    worst = f", {brief(power['worst'])} (worst)" if power.get("worst") is not None else ""
    return f"would have caught a relative error of {brief(power['median'])} (median){worst}"


def effort_sentence(outcome: Outcome) -> str:
    """How much was tried: "24 cases, 1,536 points, 12 rejected, 35 ms"."""
    parts = [_many(outcome.cases, "case"), _many(outcome.points, "point")] if outcome.cases else []
    parts += [f"{count(outcome.rejected)} rejected"] if outcome.rejected else []
    return ", ".join([*parts, duration(outcome.seconds)])


def reason(outcome: Outcome, witness: str) -> str:
    """Why a witness got its verdict, with its modes and counts; empty where it was not asked."""
    result = outcome.witnesses.get(witness)
    return _reason(result.reason, result.modes, result.compared, result.wrong) if result else ""


def search_text(outcome: Outcome) -> str:
    """What the page's search looks through."""
    return " ".join((outcome.id, outcome.file, *outcome.tags)).lower()


def graph_sentence(graph: Graph) -> str:
    """The graph in words: "7 nodes: 1 input, 1 constant, 5 operations (log, mul, sin …)"."""
    kinds = Counter(node.kind for node in graph.nodes)
    inputs, constants = kinds.pop("input", 0), kinds.pop("constant", 0)
    names = Counter(node.label for node in graph.nodes if node.kind not in ("input", "constant"))
    listed = ", ".join(f"{n} {name}" if n > 1 else name for name, n in names.most_common(12))
    more = ", …" if len(names) > 12 else ""
    parts = [_many(inputs, "input")] + ([_many(constants, "constant")] if constants else [])
    parts += [f"{_many(sum(kinds.values()), 'operation')} ({listed}{more})"] if names else []
    return ", ".join(parts)


def is_drawable(graph: Graph) -> bool:
    """Whether a picture of the graph would still be read."""
    return 0 < len(graph.nodes) <= LARGEST_GRAPH


def left_out(row: Row, outcomes: int) -> str:
    """Why a row's pictures are left out, or "": in a large run, those of functions that are right are."""
    has_pictures = row.outcome.plot is not None or row.outcome.graph is not None
    if not has_pictures or row.standing is not Standing.RIGHT or outcomes <= MOST_PICTURES:
        return ""
    return f"Pictures of functions that are right are left out of a run of {count(outcomes)}; a run of fewer has them."


def numbered_lines(outcome: Outcome) -> tuple[tuple[int, str], ...]:
    """The spec's lines with their numbers in the file."""
    return tuple(enumerate(outcome.text.rstrip("\n").split("\n"), start=outcome.line)) if outcome.text else ()


def _number_row(number: Mapping[str, Any], claim: Mapping[str, Any] | None, blame: str) -> NumberRow:
    witness = str(number["witness"])
    shared = "" if claim is None else digits_text(digits(number["center"], claim["center"]))
    note = "one-sided limits" if number.get("kink") else ""
    bar = real(number.get("bar"))
    return NumberRow(witness, with_bar(number["center"], bar), bar, shared, note, is_blamed(witness, blame))


def is_blamed(witness: str, blame: str) -> bool:
    """Whether `blame` ("claim", "torch", "torch reverse, jax") names this witness or all of its modes."""
    parties = [party.strip() for party in blame.replace(" and ", ",").split(",") if party.strip()]
    return any(witness == party or witness.startswith(f"{party} ") for party in parties)


def _expectation(expected: Mapping[str, str]) -> str:
    return f"gets {expected.get('verdict', '')}{_blaming(expected.get('blame', ''))}"


def _blaming(blame: str) -> str:
    return f" blaming {blame}" if blame else ""


def _reason(reason: str, modes: Mapping[str, str], compared: int, wrong: int) -> str:
    verdicts = Counter(modes.values())
    parts = [", ".join(modes)] if len(verdicts) == 1 else [f"{mode} {v.lower()}" for mode, v in modes.items()]
    numbers = [f"{_many(compared, 'number')} compared"] if compared else []
    numbers += [f"{count(wrong)} wrong"] if wrong else []
    told = ", ".join([part for part in parts if part] + numbers)
    return f"{reason.rstrip('.')} ({told})" if told else reason


def _many(number: int, noun: str) -> str:
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"
