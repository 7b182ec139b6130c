"""How thoroughly was it tried, in words: points by where they came from, what was refused, branches nobody took."""

from __future__ import annotations

from collections.abc import Sequence

from gradcheck.report.numbers import brief, count
from gradcheck.run.outcome import Branch, Covered, Outcome, Run, Statistics

SHOWN = 6  # branches of one function in one line; the page and the record have all


def facts(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    """What the points of a function covered, as (name, value); nothing where a record does not say."""
    found = outcome.statistics
    if found is None:
        return ()
    rows = [("points", _points(found)), ("refused", _refused(found)), ("sizes", _sizes(found))]
    rows += [(name, _covered(covered)) for name, covered in found.inputs.items()]
    rows.append(("branches", _branches(found)))
    rows += [(f"{name} = 0", words) for name, words in found.empty.items()]
    return tuple((name, value) for name, value in rows if value)


def untaken(outcome: Outcome) -> tuple[str, ...]:
    """The branches that no point took: "x > 800", "n <= 1 (line 3 of the code)", "x < 0 (gradient of x)"."""
    return tuple(map(_branch, outcome.statistics.never)) if outcome.statistics else ()


def warnings(outcome: Outcome) -> tuple[str, ...]:
    """Where little or nothing was really tested."""
    return outcome.statistics.warnings if outcome.statistics else ()


def remarks(run: Run, everything: bool = False) -> tuple[str, ...]:
    """What a reader of a whole run should know: every warning, and the branches that were never taken.

    A planted error is tried to be caught, not to be covered: its branches are told with `everything` only.
    """
    told = [f"{outcome.id}: {warning}" for outcome in run.outcomes for warning in warnings(outcome)]
    for outcome in run.outcomes:
        branches = untaken(outcome) if everything or outcome.expected is None else ()
        if branches:
            told.append(f"{outcome.id}: no point took {_listed(branches, len(branches) if everything else SHOWN)}")
    return tuple(told)


def _points(found: Statistics) -> str:
    parts = [f"{count(number)} {origin}" for origin, number in found.origins.items()]
    narrow = [f"{count(number)} in {dtype} besides" for dtype, number in found.narrow.items()]
    return ", ".join(parts + narrow)


def _refused(found: Statistics) -> str:
    parts = [f"{count(number)} by {reason}" if reason[:1] in "'\"" else f"{count(number)}: {reason}"
             for reason, number in found.refused.items()]  # fmt: skip
    return f"of {count(found.drawn)} drawn, {', '.join(parts)}" if parts else ""


def _sizes(found: Statistics) -> str:
    return "; ".join(", ".join(f"{name} = {size}" for name, size in sizes.items()) for sizes in found.sizes)


def _covered(covered: Covered) -> str:
    if covered.distinct == 0:
        return "no numbers"
    if covered.distinct == 1:
        return f"{brief(covered.low, 4)} only"
    return f"{count(covered.distinct)} numbers from {brief(covered.low, 4)} to {brief(covered.high, 4)}"


def _branches(found: Statistics) -> str:
    if not found.branches:
        return ""
    if not found.never:
        return f"all {count(found.branches)} taken" if found.branches > 1 else "taken"
    taken = found.branches - len(found.never)
    return f"{count(taken)} of {count(found.branches)} taken; never: {_listed([_branch(b) for b in found.never])}"


def _branch(branch: Branch) -> str:
    places = [f"line {branch.line} of the code"] if branch.line else []
    places = ([branch.of] if branch.of else []) + places
    return f"`{branch.text}`" + (f" ({', '.join(places)})" if places else "")


def _listed(branches: Sequence[str], most: int = 10**9) -> str:
    more = f" and {count(len(branches) - most)} more" if len(branches) > most else ""
    return ", ".join(branches[:most]) + more
