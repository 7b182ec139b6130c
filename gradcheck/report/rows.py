"""What does a report say of a whole run? Every count, sort and wording over all outcomes; other files only lay it out.

Two counts are kept apart: outcomes (a function, a planted error or a behaviour, each right or not) and cells
(what one witness said of one outcome). A cell that a run has no result for is counted too: it is "not asked".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gradcheck.report.numbers import count, duration
from gradcheck.report.standing import Standing, label, standing
from gradcheck.run.outcome import Outcome, Run, WitnessResult

NOT_ASKED = "NOT ASKED"


@dataclass(frozen=True, slots=True)
class Sign:
    """How a cell's verdict is drawn and explained."""

    symbol: str
    style: str  # the class in the page
    meaning: str


# In the order of concern: the worst first.
SIGNS: Mapping[str, Sign] = {
    "DISAGREES": Sign("✗", "bad", "disagrees"),
    "CRASHED": Sign("!", "crash", "crashed"),
    "UNWITNESSED": Sign("∅", "bad", "nobody independent agreed"),
    "INACCURATE": Sign("≈", "warn", "right, but digits are lost"),
    "UNDECIDED": Sign("?", "open", "the error bars are too wide to say"),
    "SILENT": Sign("–", "silent", "gave no answer"),
    NOT_ASKED: Sign("·", "silent", "has no result in this run"),
    "AGREES": Sign("✓", "good", "agrees"),
}
NO_PARTY = Sign("", "none", "is no party here")  # the example or implementation of another function
UNKNOWN = Sign("?", "open", "a verdict this report does not know")
CELL_KEYS = ("agrees", "disagrees", "inaccurate", "undecided", "silent", "crashed")


@dataclass(frozen=True, slots=True)
class Cell:
    """What one witness said of one outcome."""

    witness: str
    verdict: str
    reason: str
    sign: Sign


@dataclass(frozen=True, slots=True)
class Row:
    """One outcome in the matrix; `anchor` names its section in a page."""

    outcome: Outcome
    anchor: str
    standing: Standing
    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """One count with its name, and the verdict it counts."""

    number: str
    name: str
    style: str
    meaning: str


def sentence(run: Run) -> str:
    """The verdict of the whole run: "38 of 39 functions are right; 1 claim is disproved; 12 of 12 behaviours hold"."""
    functions, planted, behaviours = _groups(run.outcomes)
    if not run.outcomes:
        return "Nothing was checked"
    clauses = []
    if functions:
        clauses.append(_share(functions, "function is right", "functions are right"))
    clauses += _failures(functions)
    if behaviours:
        clauses.append(_share(behaviours, "behaviour holds", "behaviours hold"))
    if planted:
        clauses.append(_share(planted, "planted error is caught as stated", "planted errors are caught as stated"))
    return "; ".join(clauses)


def headline(run: Run) -> str:
    """The first line of every report: the verdict sentence, then who said nothing and how often."""
    return f"{sentence(run)}; {silences(run)}" if run.outcomes else sentence(run)


def silences(run: Run) -> str:
    """Who gave no answer: "5 of 190 answers are silent (differences 2, jax 3)", or "no witness is silent"."""
    cells = [cell for row in matrix(run) for cell in row.cells if cell.verdict]
    clauses = []
    wordings = (("SILENT", "is silent", "are silent"), (NOT_ASKED, "was not asked for", "were not asked for"))
    for verdict, one, many in wordings:
        quiet = Counter(cell.witness for cell in cells if cell.verdict == verdict)
        if quiet:
            who = ", ".join(f"{name} {count(quiet[name])}" for name in columns(run) if quiet[name])
            verb = one if quiet.total() == 1 else many
            clauses.append(f"{count(quiet.total())} of {_plural(len(cells), 'answer', 'answers')} {verb} ({who})")
    return "; ".join(clauses) or "no witness is silent"


def columns(run: Run) -> tuple[str, ...]:
    """The witnesses, in the run's order; one that only an outcome names comes last rather than going unseen."""
    named = (name for outcome in run.outcomes for name in outcome.witnesses)
    return tuple(dict.fromkeys((*run.witnesses, *named)))


def matrix(run: Run) -> tuple[Row, ...]:
    """Every outcome with a cell for every witness: failed first, then open, right, planted; behaviours last of each."""
    names = columns(run)
    rows = [
        Row(outcome, f"f{i}", standing(outcome), label(outcome), tuple(_cell(run, outcome, name) for name in names))
        for i, outcome in enumerate(run.outcomes, start=1)
    ]
    return tuple(sorted(rows, key=_concern))  # stable: the order of the files within each group


def failed(run: Run) -> tuple[Row, ...]:
    """The rows that did not pass, the worst first."""
    return tuple(row for row in matrix(run) if row.standing is Standing.FAILED)


def tone(run: Run) -> str:
    """The style of the whole: failed where anything is, open where something passed unproven or nothing was checked."""
    standings = {standing(outcome) for outcome in run.outcomes}
    if Standing.FAILED in standings or discrepancies(run):
        return Standing.FAILED.value
    return Standing.OPEN.value if Standing.OPEN in standings or not standings else Standing.RIGHT.value


def standings(run: Run) -> tuple[tuple[str, str], ...]:
    """(standing, "3 failed") for every standing that occurs, in the order of the page."""
    counted = Counter(standing(outcome) for outcome in run.outcomes)
    words = {Standing.PLANTED: "as planted"}
    return tuple((s.value, f"{count(counted[s])} {words.get(s, s.value)}") for s in Standing if counted[s])


def legend() -> tuple[Sign, ...]:
    """What the signs in the matrix mean; a cell never holds the one of a whole function."""
    return tuple(sign for verdict, sign in SIGNS.items() if verdict != "UNWITNESSED")


def cell_counts(run: Run) -> tuple[Tally, ...]:
    """How many cells got each verdict (one that did not occur is there too), and how many of them as planted."""
    counted = Counter(cell.verdict for row in matrix(run) for cell in row.cells)
    planted = Counter(c.verdict for row in matrix(run) if row.standing is Standing.PLANTED for c in row.cells)
    planted["AGREES"] = planted["SILENT"] = planted[NOT_ASKED] = 0
    always = ("AGREES", "DISAGREES", "INACCURATE", "UNDECIDED", "SILENT", "CRASHED")
    shown = [v for v in (*always, NOT_ASKED, *sorted(set(counted) - {*SIGNS, ""})) if v in always or counted[v]]
    return tuple(_tally(verdict, counted[verdict], planted[verdict]) for verdict in shown)


def facts(run: Run) -> tuple[tuple[str, str], ...]:
    """How much was done and how long it took, as (number, name)."""
    summary = run.summary
    return (
        (count(summary.cases), "case" if summary.cases == 1 else "cases"),
        (count(summary.points), "point" if summary.points == 1 else "points"),
        (duration(summary.seconds), "in all"),
        (duration(summary.seconds_in_witnesses), "in witnesses"),
    )


def provenance(run: Run) -> tuple[tuple[str, str], ...]:
    """What ran where, as (name, value)."""
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    rows = (
        ("command", run.command),
        ("seed", str(run.seed)),
        ("profile", run.profile),
        ("gradcheck", run.version),
        ("versions", versions),
        ("machine", run.machine),
    )
    return tuple((name, value) for name, value in rows if value)


def discrepancies(run: Run) -> tuple[str, ...]:
    """Where the run's own summary contradicts its outcomes; a report shows these before anything else.

    A summary may be over functions alone or over behaviours too, but over the same outcomes throughout.
    """
    everything = _recount(run.outcomes)
    functions = _recount(o for o in run.outcomes if o.kind == "function")
    stated = {key: getattr(run.summary, key) for key in everything}
    if stated == functions:
        return ()
    return tuple(
        f"the summary says {count(stated[key])} {key.replace('_', ' ')}, the outcomes say {count(number)}"
        for key, number in everything.items()
        if stated[key] != number
    )


def _recount(outcomes: Iterable[Outcome]) -> dict[str, int]:
    chosen = list(outcomes)
    cells = Counter(result.verdict.lower() for outcome in chosen for result in outcome.witnesses.values())
    return {
        "functions": len(chosen),
        "cases": sum(outcome.cases for outcome in chosen),
        "points": sum(outcome.points for outcome in chosen),
        **{key: cells[key] for key in CELL_KEYS},
        "unwitnessed": sum(outcome.verdict == "UNWITNESSED" for outcome in chosen),
        "failed_functions": sum(not outcome.passed for outcome in chosen),
    }


def _groups(outcomes: Sequence[Outcome]) -> tuple[list[Outcome], list[Outcome], list[Outcome]]:
    """Functions, errors planted on purpose, and behaviours."""
    planted = [o for o in outcomes if o.expected is not None]
    honest = [o for o in outcomes if o.expected is None]
    functions = [o for o in honest if o.kind != "semantics"]
    return functions, planted, [o for o in honest if o.kind == "semantics"]


def _share(outcomes: Sequence[Outcome], one: str, many: str) -> str:
    good = sum(standing(o) in (Standing.RIGHT, Standing.PLANTED) for o in outcomes)
    return f"{count(good)} of {_plural(len(outcomes), one, many)}"


def _failures(functions: Sequence[Outcome]) -> list[str]:
    """One clause for each way in which functions are not right, in the order of concern."""
    kinds = Counter(_failure(o) for o in functions if standing(o) in (Standing.FAILED, Standing.OPEN))
    wordings = {
        "claim": ("claim is disproved", "claims are disproved"),
        "witness": ("function has a witness that is wrong", "functions have a witness that is wrong"),
        "contradiction": ("function is disputed with nobody to blame", "functions are disputed with nobody to blame"),
        "CRASHED": ("function crashed", "functions crashed"),
        "UNWITNESSED": ("function is unwitnessed", "functions are unwitnessed"),
        "INACCURATE": ("function is inaccurate", "functions are inaccurate"),
        "UNDECIDED": ("function is undecided", "functions are undecided"),
        "other": ("function failed", "functions failed"),
    }
    return [_plural(kinds[kind], *words) for kind, words in wordings.items() if kinds[kind]]


def _failure(outcome: Outcome) -> str:
    if outcome.verdict == "DISAGREES":
        if outcome.blame in ("", "undetermined"):
            return "contradiction"
        return "claim" if outcome.blame == "claim" else "witness"
    if outcome.verdict == "SILENT":
        return "UNWITNESSED"
    return outcome.verdict if outcome.verdict in ("CRASHED", "UNWITNESSED", "INACCURATE", "UNDECIDED") else "other"


def _cell(run: Run, outcome: Outcome, name: str) -> Cell:
    result: WitnessResult | None = outcome.witnesses.get(name)
    if result is None and name not in run.witnesses and _own_party(name):
        return Cell(name, "", f"{outcome.id} has no {name}", NO_PARTY)
    if result is None:
        return Cell(name, NOT_ASKED, f"{name} has no result for {outcome.id}", SIGNS[NOT_ASKED])
    return Cell(name, result.verdict, result.reason, SIGNS.get(result.verdict, UNKNOWN))


def _own_party(name: str) -> bool:
    """Whether a party stands here for some functions only: examples, implementations, a claim that failed itself.

    A framework in a dtype ("torch float32") is one too: specs name the dtypes they are judged in.
    """
    return name in ("example", "claim") or name.startswith("implementation:") or " " in name


def _concern(row: Row) -> tuple[int, int, bool]:
    verdicts = list(SIGNS)
    known = row.outcome.verdict in verdicts and row.standing in (Standing.FAILED, Standing.OPEN)
    worst = verdicts.index(row.outcome.verdict) if known else 0
    return list(Standing).index(row.standing), worst, row.outcome.kind == "semantics"


def _tally(verdict: str, number: int, planted: int) -> Tally:
    sign = SIGNS.get(verdict, UNKNOWN)
    name = f"{sign.symbol} {verdict.lower()}" + (f", {count(planted)} as planted" if planted else "")
    return Tally(count(number), name, sign.style, sign.meaning)


def _plural(number: int, one: str, many: str) -> str:
    return f"{count(number)} {one if number == 1 else many}"
