"""Is this callable's own derivative right? Points, cells and shapes for one function under test, and one answer.

A door (NumPy, and whatever else can be turned into a `Subject`) comes here with its subject and its declared inputs.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradcheck.cases.given import Given, Sampler, dimensions, settled
from gradcheck.cases.large import large_points, refusal
from gradcheck.cases.plans import digest
from gradcheck.cases.planting import Tried, points, sampled
from gradcheck.errors import UsageError, did_you_mean
from gradcheck.judge.cells import CELLS, CellFinding, Standing, Tally
from gradcheck.judge.finding import Verdict
from gradcheck.oracles.blackbox.asked import Asked, Learnt, NotOffered, Second, Subject, flat, learnt
from gradcheck.oracles.blackbox.paired import join
from gradcheck.oracles.isolation.watch import Fatal, Watch
from gradcheck.run.check.batch import judge_batch
from gradcheck.run.check.forward import judge_forward
from gradcheck.run.check.isolated import Ward, kept_apart
from gradcheck.run.check.judging import Judging, tallies
from gradcheck.run.check.kinks import judge_kinks
from gradcheck.run.check.large_cells import is_large, judge_large
from gradcheck.run.check.large_state import power_of
from gradcheck.run.check.shape import judge_shape
from gradcheck.run.check.shrink import shrunk
from gradcheck.run.check.stated import SLOPES, Stated, judge_stated
from gradcheck.run.check.structure import QUESTIONS, chosen, judge_structure
from gradcheck.run.check.surroundings import Surroundings
from gradcheck.run.check.tape import judge_refusals
from gradcheck.run.check.verdict import verdict_of, with_ends, without_echoes
from gradcheck.spec.model import Domain

SIZES = (3, 2, 4, 5)  # of named dimensions in the first shape, in turn
SHARES = (0.4, 0.2, 0.2, 0.2)  # of the points that each shape gets
SECOND = 48  # points at which second order is judged: the first ones, and some of the rest
TIME_LIMIT = 20.0  # seconds that one call may take


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked: how many points, from which seed, to which order, which cells."""

    points: int = 256
    seed: int = 0
    cells: frozenset[str] = frozenset(CELLS)
    strict: bool = False
    time_limit: float = TIME_LIMIT
    together: str = ""  # why it is judged in this very process; "" where it is not
    outputs: int = 1  # numbers that the function gives, as far as they are known: with many, no Jacobian is formed
    simpler: bool = True  # whether a number that is wrong is looked for at simpler points


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of it.

    power: the smallest relative error that would have been caught, median and worst. learnt: what calls have shown.
    """

    standing: Standing
    findings: tuple[CellFinding, ...]
    power: Mapping[str, float] | None
    points: int
    shapes: tuple[Mapping[str, int], ...]
    calls: int
    seconds: float
    dropped: int
    notes: tuple[str, ...]
    learnt: Learnt = field(default_factory=Learnt)


def not_judged(why: str) -> Checked:
    """A stated silence: nothing was asked, and nothing passes."""
    return Checked(Standing(Verdict.SILENT, False, why, None), (), None, 0, (), 0, 0.0, 0, ())


def chosen_cells(cells: Sequence[str] | None, skip: Sequence[str]) -> frozenset[str]:
    """The cells that are asked. Raises UsageError for a name that is none."""
    for name in (*(cells or ()), *skip):
        if name not in CELLS:
            raise UsageError(f"there is no cell {name!r}; there are {', '.join(CELLS)}", did_you_mean(name, [*CELLS]))
    return frozenset(cells if cells is not None else CELLS) - frozenset(skip)


def check_subject(
    subject: Subject, inputs: tuple[Given, ...] | Sampler, names: Sequence[str], wanted: Wanted,
    second: Callable[..., Any] | None = None, stated: Stated | None = None,
) -> Checked:  # fmt: skip
    """Judge a subject in all wanted cells, over all shapes. Warnings of the code under test are its own affair."""
    ward = Ward(tuple(CELLS), wanted.time_limit, wanted.together)

    large = is_large(inputs, wanted.seed, wanted.outputs)
    why = "" if callable(inputs) or not large else refusal(inputs)
    if large and (why or stated is not None):
        return not_judged(why or "what is stated beside the code is not asked of so many numbers")

    def judge(watch: Watch) -> Checked:
        with _undisturbed(watch) as around:
            if large:
                checked = _checked_large(subject, inputs, names, wanted, watch)
            else:
                checked = _checked(subject, inputs, names, wanted, second, stated, watch)
        return replace(checked, notes=(*checked.notes, *around.notes()))

    checked = kept_apart(judge, ward)
    return replace(checked, notes=(*checked.notes, *ward.notes()))


@contextmanager
def _undisturbed(watch: Watch) -> Iterator[Surroundings]:
    """Without warnings; what the code changes for everybody is set back between questions and at the end."""
    around = Surroundings()
    watch.between = around.restore
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield around
    finally:
        around.restore()


def _checked(
    subject: Subject, inputs: tuple[Given, ...] | Sampler, names: Sequence[str], wanted: Wanted,
    second: Callable[..., Any] | None, stated: Stated | None, watch: Watch,
) -> Checked:  # fmt: skip
    board = tallies()
    asked = Asked(subject, watch)
    shapes = [dict[str, int]()] if callable(inputs) else sizes_of(inputs, wanted.seed)
    all_of_it: list[Judging] = []
    notes: list[str] = []
    for number, sizes in enumerate(shapes):
        count = _share(wanted.points, number, len(shapes))
        seed = digest(f"{subject.name}:{number}", wanted.seed)
        all_of_it.append(_one_shape(asked, inputs, names, sizes, count, seed, board, wanted, second, stated))
    _silences(board, wanted.cells, all_of_it, second)
    meant = stated is not None and stated.meant
    for cell in SLOPES if meant else ():
        board[cell].declare()
    covered = {k for j in all_of_it for k in j.covered}
    asked_of = {k for j in all_of_it if j.points for k in subject.moving if np.size(j.points[0].inputs[k])}
    bare = [names[k] for k in subject.moving if k in asked_of - covered]
    witnessing = "stated" if meant else "reverse"  # the cell that says whether the gradient is right
    if bare and len(bare) < len(subject.moving):
        board[witnessing].uncovered = f"no number of the gradient of {', '.join(bare)} could be decided"
    dropped = sum(j.dropped for j in all_of_it)
    notes += left_out(dropped, next((j.raised for j in all_of_it if j.raised), ""))
    put = wanted.cells if stated else wanted.cells - {"stated"}  # nothing is stated beside the code mostly
    findings = without_echoes([f for cell in CELLS if cell in put for f in board[cell].findings()])
    findings = with_ends([shrunk(f, all_of_it) if wanted.simpler else f for f in findings], watch)
    return Checked(
        verdict_of(findings, witnessing, wanted.cells, wanted.strict), tuple(findings), _power(all_of_it),
        sum(len(j.points) for j in all_of_it), tuple(shapes), watch.calls, watch.seconds, dropped, tuple(notes),
        learnt(subject, stated.by if stated else None),
    )  # fmt: skip


def _checked_large(
    subject: Subject, inputs: tuple[Given, ...] | Sampler, names: Sequence[str], wanted: Wanted, watch: Watch
) -> Checked:
    """The same where inputs have very many numbers: few points, and no Jacobian."""
    board = tallies()
    seed = digest(f"{subject.name}:large", wanted.seed)
    large = judge_large(Asked(subject, watch), inputs, names, seed, board, wanted.cells)
    power, notes = power_of(large)
    notes += left_out(large.dropped, large.raised)
    if not large.points:
        board["reverse"].silence = no_value(large.raised)
    put = [cell for cell in CELLS if cell in wanted.cells and cell != "stated"]
    findings = with_ends(without_echoes([f for cell in put for f in board[cell].findings()]), watch)
    return Checked(
        verdict_of(findings, "reverse", wanted.cells, wanted.strict), tuple(findings), power, len(large.points), ({},),
        watch.calls, watch.seconds, large.dropped, tuple(notes), learnt(subject),
    )  # fmt: skip


def left_out(points: int, raised: str) -> list[str]:
    """A note on points at which the function has no value. raised: what it raised at the first, if it did."""
    told = "1 point has no finite value and was" if points == 1 else f"{points} points have no finite value and were"
    return [f"{told} left out" + (f" ({raised})" if raised else "")] if points else []


def no_value(raised: str) -> str:
    """Why nothing was asked of a function that has no value anywhere."""
    return f"the function has no finite value at any point ({raised or 'it is NaN or infinite'})"


def sizes_of(givens: Sequence[Given], seed: int) -> list[dict[str, int]]:
    """The sizes of named dimensions for each shape: different ones, all 1, all 2, and drawn ones."""
    names = dimensions(givens)
    if not names:
        return [{}]
    rng = np.random.default_rng(seed)
    first = {n: SIZES[k % len(SIZES)] for k, n in enumerate(names)}
    drawn = {n: int(rng.choice([1, 2, 3, 5, 8])) for n in names}
    found = [first, dict.fromkeys(names, 1), dict.fromkeys(names, 2), drawn]
    return [s for k, s in enumerate(found) if s not in found[:k]]


def first_outputs(
    subject: Subject, inputs: tuple[Given, ...] | Sampler, pairs: frozenset[int], wanted: Wanted
) -> tuple[tuple[bool, ...], int]:
    """Which outputs are complex, and how many numbers they have, at the first point that there is.

    None and 1 where the function has no value there.

    pairs: which inputs are pairs of real numbers, of which the subject expects complex ones.
    """

    def look(watch: Watch) -> tuple[tuple[bool, ...], int]:
        with _undisturbed(watch):
            try:
                if callable(inputs):
                    first = sampled(inputs, 1, wanted.seed)[0].inputs
                elif is_large(inputs, wanted.seed) and not refusal(inputs):
                    first = large_points(inputs, wanted.seed)[0].make()
                else:
                    sizes = sizes_of(inputs, wanted.seed)[0]
                    first = points([settled(g, sizes) for g in inputs], 1, wanted.seed)[0].inputs
                given = [join(np.array(x)) if k in pairs else x for k, x in enumerate(first)]
                found = Asked(subject, watch).value(given)
                return tuple(np.iscomplexobj(v) for v in found), sum(v.size for v in found)
            except Exception:  # whatever it raises is told when it is judged
                return (), 1

    return kept_apart(look, Ward(("value",), wanted.time_limit, wanted.together))


def _share(points: int, number: int, shapes: int) -> int:
    return points if shapes == 1 else max(8, int(points * SHARES[number] / sum(SHARES[:shapes])))


def _one_shape(
    asked: Asked, inputs: tuple[Given, ...] | Sampler, names: Sequence[str], sizes: Mapping[str, int], count: int,
    seed: int, board: Mapping[str, Tally], wanted: Wanted, second: Callable[..., Any] | None,
    stated: Stated | None,
) -> Judging:  # fmt: skip
    if callable(inputs):
        try:
            tried = sampled(lambda rng: asked.call("", lambda: inputs(rng)), count, seed)
        except Fatal as error:
            raise UsageError(f"the sampler {error}") from None
        givens = _plain(tried[0])
    else:
        givens = [settled(g, sizes) for g in inputs]
        tried = points(givens, count, seed)
    judging = Judging(asked, givens, names, seed, board, wanted.cells)
    judge_shape(judging, tried)
    if not judging.points:
        return judging
    idle = judge_stated(judging, stated) if stated is not None and "stated" in wanted.cells else frozenset[str]()
    if "kinks" in wanted.cells:
        asked.turn("kinks")
        judge_kinks(judging)
    judge_structure(judging, (wanted.cells & frozenset(QUESTIONS)) - idle)
    if wanted.cells & {"forward", "adjoint"}:
        judge_forward(judging)
    if wanted.cells & {"primal"}:
        judge_refusals(judging)
    if wanted.cells & {"vmap"}:
        judge_batch(judging, chosen(judging))
    if second is not None and wanted.cells & {"second", "mixed"}:
        _second(judging, second, wanted.cells)
    return judging


def _plain(tried: Tried) -> list[Given]:
    """Inputs of a sampler: free, and moving where they are real."""
    return [Given(x.shape, Domain(), dtype=str(x.dtype), differentiable=x.dtype.kind == "f") for x in tried.inputs]


def _second(judging: Judging, rule: Callable[..., Any], cells: frozenset[str]) -> None:
    """The gradient as a function of its own, (inputs, ct) -> vjp, judged by the rule for its adjoint, and forward."""
    if len(judging.values[0]) != 1:
        for cell in ("second", "mixed"):
            judging.tallies[cell].silence = "a second-order rule is judged for one output only"
        return
    judging.asked.turn("second")
    shape = np.shape(judging.values[0][0])
    rng = np.random.default_rng([judging.seed, 19])
    last = len(judging.givens)
    try:
        _probe(judging, rule, shape)
    except NotOffered as silence:
        judging.tallies["second"].silence = str(silence)
        judging.tallies["mixed"].silence = f"no reverse over reverse to begin with: {silence}"
        return
    derived = Second(judging.asked.subject, rule, (*judging.moving, last))
    ct = Given(shape, Domain(), (-2.0, 2.0), name="ct")
    tried = [
        Tried((*p.inputs, np.round(rng.normal(0.0, 1.0, shape), 2)), p.origin, p.outside, p.extreme)
        for p in judging.points
    ]
    board = tallies()
    inner = Judging(
        Asked(derived, judging.asked.watch, "second"),
        [*judging.givens, ct],
        [*judging.names, "ct"],
        judging.seed + 1,
        board,
    )
    judge_shape(inner, tried[:SECOND] + tried[SECOND :: max(1, len(tried) // SECOND)])
    if "second" in cells:
        judge_structure(inner, frozenset(QUESTIONS) - {"float32", "broadcast"})
    if "mixed" in cells and inner.points:
        inner.asked.within = "mixed"
        judge_forward(inner)
    _of_gradient(judging, board, "second", frozenset(CELLS) - {"forward", "adjoint"}, "reverse")
    _of_gradient(judging, board, "mixed", frozenset({"forward", "adjoint"}), "forward")


def _of_gradient(judging: Judging, board: Mapping[str, Tally], into: str, cells: frozenset[str], counting: str) -> None:
    """Enter what was found of the gradient as a function of its own into one cell."""
    tally = judging.tallies[into]
    tally.add(board[counting].compared, board[counting].undecided)
    tally.silence = board[counting].silence
    for cell, one in board.items():
        for kind, (seen, sentence) in one.shown.items() if cell in cells else ():
            tally.counts[kind] = tally.counts.get(kind, 0) + one.counts[kind]
            plain = into == "second" and seen is not None and not seen.way
            here = seen and replace(seen, way="second" if plain else "of second order")
            tally.shown.setdefault(kind, (here, f"{cell} of the gradient: {sentence}"))


def _probe(judging: Judging, rule: Callable[..., Any], shape: tuple[int, ...]) -> None:
    """Call the second-order rule once: NotOffered where there is none. Whatever else it raises is told later."""
    inputs = tuple(np.array(x) for x in judging.points[0].inputs)
    us = tuple(np.ones(np.shape(inputs[k])) for k in judging.moving)
    try:
        judging.asked.call("second", lambda: rule(inputs, np.ones(shape), us if len(us) > 1 else us[0]))
    except NotOffered:
        raise
    except Exception:  # the code under test may raise anything: judged like every other call
        return


def _silences(
    board: Mapping[str, Tally], cells: frozenset[str], judged: Sequence[Judging], second: Callable[..., Any] | None
) -> None:
    if second is None:
        board["second"].silence = board["mixed"].silence = "first order was asked for"
    silent = next((j.court.silence for j in judged if j.points and j.court.silence), "")
    board["precision"].silence = silent or "every number was decided without it"
    board["nonfinite"].silence = "all numbers were finite"
    if not any(j.points for j in judged):
        board["reverse"].silence = no_value(next((j.raised for j in judged if j.raised), ""))
    if not cells & {"forward", "adjoint"}:
        return
    for cell in ("forward", "adjoint"):
        board[cell].silence = board[cell].silence or "no point was fit for it"


def _power(judged: Sequence[Judging]) -> Mapping[str, float] | None:
    some = np.array([r for j in judged for r in j.relative])
    if not some.size:
        return None
    return {"median": float(np.median(some)), "worst": float(np.quantile(some, 0.99))}


def sizes_text(shapes: Sequence[Mapping[str, int]]) -> str:
    """The shapes that were tried, as people read them."""
    named = [", ".join(f"{n} = {k}" for n, k in s.items()) for s in shapes if s]
    return "; ".join(named)


__all__ = ["Checked", "Wanted", "check_subject", "chosen_cells", "flat", "sizes_of", "sizes_text"]
