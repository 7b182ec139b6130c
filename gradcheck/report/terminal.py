"""What does a person at a terminal see? A bar while it runs, then the verdict, and eight lines for each failure.

Where the output is no terminal (a file, a CI log) the same words come as plain lines, without a bar or colours.
"""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.text import Text

from gradcheck.report import details, rows, tried
from gradcheck.report.standing import label
from gradcheck.run.outcome import Outcome, Run

MOST_LINES = 8  # of one explanation
MOST_REMARKS = 10  # on what was hardly tried
LONGEST = 200  # characters of one line of an explanation
BAR_FROM = 5  # outcomes; fewer are over before a bar is read
# By the style of a sign, as the page has classes.
STYLES = {
    "good": "green",
    "bad": "bold red",
    "crash": "magenta",
    "warn": "yellow",
    "open": "cyan",
    "silent": "dim",
    "none": "",
}


def print_run(run: Run, console: Console, verbose: bool = False) -> None:
    """The run's verdict on the first line, the matrix (only failed rows, unless `verbose`), every failure explained."""
    everything, broken = rows.matrix(run), rows.failed(run)
    _say(console, rows.headline(run), "bold red" if broken else "bold green" if everything else "bold")
    for problem in rows.discrepancies(run):
        _say(console, f"caution: {problem}", "bold yellow")
    shown = everything if verbose else broken
    if shown:
        _say(console, "")
        _table(console, rows.columns(run), shown)
    for row in broken:
        _say(console, "")
        _explanation(console, row.outcome)
    _remarks(console, tried.remarks(run, verbose), verbose)
    if everything:
        _say(console, "")
        _say(console, _effort(run), "dim")


def explain(outcome: Outcome) -> str:
    """Why an outcome failed, within eight lines: what is wrong, where, the right number, how to replay."""
    lines = [f"{outcome.id}: {details.blame_sentence(outcome)}", f"  at {outcome.file}:{outcome.line}"]
    if outcome.expected is not None or outcome.sentence:
        lines.append(f"  {details.verdict_sentence(outcome)}")
    lines += _where(outcome)
    replay = [*_example(outcome), *([f"  replay: {outcome.replay}"] if outcome.replay else [])]
    lines += _complaints(outcome)[: MOST_LINES - len(lines) - len(replay)]
    return "\n".join(_cut(_clean(line)) for line in lines + replay)


class Progress:
    """Listens to a run: `start`, `outcome` for each as it comes, `finish`. Usable in a `with`, which ends the bar."""

    def __init__(self, console: Console, verbose: bool = False) -> None:
        self.console = console
        self.verbose = verbose
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._total = 0
        self._done = 0

    def start(self, total: int) -> None:
        """Begin a run of `total` outcomes."""
        self._total, self._done = total, 0
        if self.console.is_terminal and total >= BAR_FROM:
            parts = (BarColumn(bar_width=32), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Bar(*parts, TextColumn("{task.description}"), console=self.console, transient=True)
            self._task = self._bar.add_task("", total=total)
            self._bar.start()

    def outcome(self, outcome: Outcome) -> None:
        """One more is done; a failure is told at once."""
        self._done += 1
        if not outcome.passed:
            place = f"[{self._done}/{self._total}]"
            _say(self.console, f"{place} {outcome.id}: {label(outcome)}", STYLES["bad"])
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self._done, description=_clean(outcome.id).replace("[", "\\["))

    def finish(self, run: Run) -> None:
        """The bar goes, the result comes."""
        self.close()
        print_run(run, self.console, self.verbose)

    def close(self) -> None:
        """End the bar, whatever came."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _where(outcome: Outcome) -> list[str]:
    place = details.counterexample(outcome) or details.worst_point(outcome)
    if place is None or outcome.verdict not in ("DISAGREES", "INACCURATE", "UNDECIDED"):
        return []
    pulled = f", cotangent {place.cotangent}" if place.cotangent else ""
    lines = [f"  in {place.element}" + (f" at {place.point}" if place.point else "") + pulled]
    wrong, right = details.wrong_and_right(place)
    if wrong:
        return [*lines, f"  wrong: {wrong}", f"  right: {right}"]
    return [*lines, "  " + ", ".join(f"{row.witness} {row.number}" for row in place.numbers)]


def _example(outcome: Outcome) -> list[str]:
    """The point as an entry of `examples:`, where that is one line that is shown whole."""
    found = outcome.counterexample
    lines = [f"  example: {line}" for line in found.example] if found else []
    return lines if len(lines) == 1 and len(lines[0]) <= LONGEST else []


def _complaints(outcome: Outcome) -> list[str]:
    """What the witnesses that do not simply agree have to say."""
    return [
        f"  {name} {result.verdict.lower()}: {details.reason(outcome, name)}"
        for name, result in outcome.witnesses.items()
        if result.verdict != "AGREES"
    ]


def _explanation(console: Console, outcome: Outcome) -> None:
    first, *rest = explain(outcome).split("\n")
    _say(console, first, "bold")
    for line in rest:
        _say(console, line)


def _remarks(console: Console, remarks: tuple[str, ...], verbose: bool) -> None:
    """What was hardly tried; of many remarks the first few, unless `verbose`."""
    if remarks:
        _say(console, "")
    most = len(remarks) if verbose or len(remarks) <= MOST_REMARKS else MOST_REMARKS - 1
    for remark in remarks[:most]:
        _say(console, remark if verbose else _cut(remark), "yellow")
    if remarks[most:]:
        _say(console, f"{len(remarks) - most} more such remarks: --verbose shows all", "yellow")


def _table(console: Console, columns: tuple[str, ...], shown: tuple[rows.Row, ...]) -> None:
    """The matrix in words and in columns, so that it reads the same in a log."""
    body = [[row.outcome.id, row.label, *(cell.verdict.lower() for cell in row.cells)] for row in shown]
    head = ["function", "result", *columns]
    widths = [max(len(_clean(line[i])) for line in [head, *body]) for i in range(len(head))]
    _say(console, "  ".join(_clean(word).ljust(w) for word, w in zip(head, widths, strict=True)), "dim")
    for row, words in zip(shown, body, strict=True):
        styles = ["", "", *(STYLES[cell.sign.style] for cell in row.cells)]
        line = Text()
        for word, width, style in zip(words, widths, styles, strict=True):
            line.append(_clean(word).ljust(width + 2), style=style)
        _write(console, line)


def _effort(run: Run) -> str:
    facts = ", ".join(f"{number} {name}" for number, name in rows.facts(run))
    return f"{facts}; seed {run.seed}, profile {run.profile}"


def _say(console: Console, words: str, style: str = "") -> None:
    _write(console, Text(_clean(words), style=style))


def _write(console: Console, line: Text) -> None:
    """One line as it is: no markup, no wrapping, and nothing that the output's encoding cannot hold."""
    line.rstrip()
    encoding = console.encoding or "utf-8"
    if line.plain.encode(encoding, "replace").decode(encoding) != line.plain:
        line = Text(line.plain.encode(encoding, "replace").decode(encoding), style=line.style)
    console.print(line, soft_wrap=True, highlight=False)


def _clean(words: str) -> str:
    """Without control characters: a name in a spec must not steer the terminal."""
    return "".join(c if c.isprintable() or c == " " else "\ufffd" for c in words)


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
