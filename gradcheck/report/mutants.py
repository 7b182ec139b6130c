"""What does a person at a terminal see of mutants? A line a function, every survivor with its reason, the score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.text import Text

from gradcheck.run.mutants.fates import Fate, Mutated, Mutation

COLUMNS: tuple[tuple[str, Callable[[Mutation], int]], ...] = (
    ("mutants", lambda m: m.total), ("killed", lambda m: m.count(Fate.KILLED)),
    ("unwitnessed", lambda m: m.count(Fate.UNWITNESSED)), ("equivalent", lambda m: m.count(Fate.EQUIVALENT)),
    ("malformed", lambda m: m.count(Fate.MALFORMED)), ("survived", lambda m: m.count(Fate.SURVIVED)),
)  # fmt: skip
LONGEST = 80  # characters of either side of a mutant's description


class Telling:
    """Listens to a run of mutants: `function` for each as it comes, `finish` with all."""

    def __init__(self, console: Console, names: Sequence[str], survivors_only: bool = False) -> None:
        self.console = console
        self.width = max(map(len, names), default=0)
        self.survivors_only = survivors_only
        self._headed = False

    def function(self, one: Mutation) -> None:
        """One more is done."""
        if one.planted or (self.survivors_only and not one.count(Fate.SURVIVED) and not one.skipped):
            return
        if not self._headed:
            head = "  ".join(name for name, _ in COLUMNS)
            self._line(f"{'function'.ljust(self.width)}  {head}   score", "dim")
            self._headed = True
        if one.skipped:
            self._line(f"{one.id.ljust(self.width)}  not mutated: {one.skipped}", "yellow")
            return
        cells = "  ".join(str(count(one)).rjust(len(name)) for name, count in COLUMNS)
        survived = one.count(Fate.SURVIVED)
        self._line(f"{one.id.ljust(self.width)}  {cells}  {percent(one)}", "bold red" if survived else "")
        for mutant in one.mutants:
            if mutant.fate is Fate.SURVIVED:
                self._line(f"  {described(mutant)}")
                self._line(f"    {mutant.reason}", "dim")

    def finish(self, whole: Mutation, functions: int, planted: int) -> None:
        """The sums."""
        if not whole.total:
            self._line("nothing ran: no claim was mutated", "bold")
            return
        survived = whole.count(Fate.SURVIVED)
        self._line("")
        self._line(headline(whole, functions), "bold red" if survived else "bold green")
        for line in footnotes(whole, planted):
            self._line(line, "dim")

    def _line(self, words: str, style: str = "") -> None:
        encoding = self.console.encoding or "utf-8"
        self.console.print(
            Text(words.encode(encoding, "replace").decode(encoding), style=style), soft_wrap=True, highlight=False
        )


def described(mutant: Mutated) -> str:
    """The mutant in one line, cut where it is long."""
    before, after = (_cut(text) for text in (mutant.before, mutant.after))
    return f"{mutant.kind}: {before} → {after} in {mutant.claim}, {mutant.place}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def percent(one: Mutation) -> str:
    """The score as people read it; it is 100 % only where nothing survived."""
    if one.score is None:
        return "     –"
    text = f"{100 * one.score:.1f} %"
    return (text if one.score == 1 or not text.startswith("100") else "> 99.9 %").rjust(7)


def headline(whole: Mutation, functions: int) -> str:
    """How many mutants that mean something else were caught, in one sentence."""
    survived = whole.count(Fate.SURVIVED)
    of = whole.caught + survived
    rest = "none survived" if not survived else f"{survived} survived"
    said = f"{whole.caught} of {of} wrong claims of {_functions(functions)} are caught"
    return f"{said}: {percent(whole).strip()}; {rest}"


def _are(whole: Mutation, fate: Fate) -> str:
    count = whole.count(fate)
    return f"{count} {'is' if count == 1 else 'are'}"


def _functions(count: int) -> str:
    return f"{count} function" + "s" * (count != 1)


def footnotes(whole: Mutation, planted: int) -> list[str]:
    """What else there was, so that nothing is left out of the counts."""
    why = Counter(mutant.reason.partition(" (")[0] for mutant in whole.mutants if mutant.fate is Fate.EQUIVALENT)
    equivalent = "; ".join(f"{count} {reason}" for reason, count in why.most_common())
    lines = [f"{whole.total} mutants, judged at {whole.points} points of {whole.cases} cases in {whole.seconds:.0f} s"]
    if equivalent:
        count = whole.count(Fate.EQUIVALENT)
        mean = "means the same and is" if count == 1 else "mean the same and are"
        lines.append(f"{count} {mean} not counted: {equivalent}")
    if whole.count(Fate.MALFORMED):
        lines.append(f"{_are(whole, Fate.MALFORMED)} malformed (shapes that do not fit) and not counted")
    if whole.count(Fate.UNWITNESSED):
        one = "is" if whole.count(Fate.UNWITNESSED) == 1 else "are"
        lines.append(f"{whole.count(Fate.UNWITNESSED)} of those caught {one} contradicted by nobody, but nobody agrees")
    if planted:
        are, were = ("is", "was") if planted == 1 else ("are", "were")
        lines.append(f"{_functions(planted)} that {are} wrong on purpose {were} not mutated")
    return lines
