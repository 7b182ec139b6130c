"""Is the rule right at the points of one shape? Values, slopes, cotangents, suspicions, one tally a cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases.given import Given
from gradcheck.cases.planting import Tried
from gradcheck.judge.budgets import RESTLESS, UNIT
from gradcheck.judge.cells import CELLS, Kind, Seen, Tally
from gradcheck.judge.slopes import Contracted, State, compare_slopes, contract, typical_size
from gradcheck.judge.telling import told_apart
from gradcheck.oracles.blackbox import Array, Asked, BadAnswer, TooSlow, flat
from gradcheck.oracles.blackbox_slopes import Direction, Truth, jacobian
from gradcheck.run.check_basis import basis, screens
from gradcheck.run.check_suspects import Court, Ruling, components, unflattened
from gradcheck.run.check_unrest import PROBED, Apart, Unrest, most_apart
from gradcheck.spec.model import Domain

HOT = 6  # one-hot cotangents at a point
FEW = 0.05  # share of those numbers in which the ladder may have erred
CONFIRMING = 6  # ordinary points at which the precise witness must agree with the ladder before it is heard
SUSPECTS = 120  # suspicions examined of each group; the rest stay undecided
SHOWN = 2  # wrong numbers, after which no further suspicion is examined
PRECISE = 60  # undecided numbers that are put to the precise witness
BUDGET = 30_000  # calls of the function, about, that measuring every element may cost; the rest is screened
EACH = 30  # calls for one element, about
FEWEST = 24  # points at which every element is measured all the same
PROMOTED = 12  # screened points at which every element is looked at after all
Row = NDArray[np.float64]


@dataclass
class Judging:
    """One subject at one shape: its points, what is known of each, and the tallies that are being filled."""

    asked: Asked
    givens: Sequence[Given]
    names: Sequence[str]
    seed: int
    tallies: Mapping[str, Tally]
    cells: frozenset[str] = frozenset(CELLS)  # what is asked
    points: list[Tried] = field(default_factory=list)
    values: list[tuple[Array, ...]] = field(default_factory=list)
    dropped: int = 0
    raised: str = ""
    slopes: dict[int, Truth] = field(default_factory=dict)  # (E, K) each, of the points where every element is known
    court: Court = field(init=False)
    right: list[int] = field(default_factory=list)  # points at which all of the vjp agreed, for the structural cells
    kinked: list[int] = field(default_factory=list)
    covered: set[int] = field(default_factory=set)  # inputs of whose gradient some number was decided
    accused: bool = False  # whether something is wrong at this shape already
    relative: list[float] = field(default_factory=list)  # bars over numbers, for the stated power

    @property
    def domains(self) -> list[Domain]:
        """Where each input may lie."""
        return [g.domain for g in self.givens]

    def named(self, p: int) -> dict[str, Any]:
        """The inputs at a point as nested lists."""
        return {n: np.asarray(x).tolist() for n, x in zip(self.names, self.points[p].inputs, strict=True)}

    @property
    def moving(self) -> tuple[int, ...]:
        """The inputs that derivatives are taken by."""
        return self.asked.subject.moving


def judge_shape(judging: Judging, tried: Sequence[Tried]) -> None:
    """Fill the tallies of value, shape, reverse, kinks, nonfinite and precision."""
    _evaluate(judging, tried)
    if not judging.points:
        return
    shapes = [np.shape(x) for x in judging.points[0].inputs]
    ways = basis(judging.givens, shapes, judging.moving)
    judging.court = Court(judging.asked, ways, judging.domains, judging.moving, judging.seed)
    full, screened = _split(judging, len(ways))
    _listen(judging)
    _measure(judging, full)
    known = np.array([np.abs(judging.slopes[p].center).max(axis=1, initial=0.0) for p in full])
    judging.court.usual = np.median(known, axis=0)
    _confirm(judging)
    rng = np.random.default_rng([judging.seed, 7])
    suspects = [s for p in full for s in _at(judging, p, rng)]
    _hear(judging, suspects)
    if not judging.accused:
        _screen(judging, screened, rng)


def _listen(judging: Judging) -> None:
    """Whether repeated calls give the same: a difference that may be is told, and allowed for; more is wrong."""
    rng = np.random.default_rng([judging.seed, 29])
    drawn = [p for p, x in enumerate(judging.points) if x.origin in ("drawn", "sampled") and not x.outside][:PROBED]
    cts = [np.round(rng.normal(0.0, 1.0, flat(judging.values[p]).size), 2) + 0.25 for p in drawn]
    here = [(judging.points[p].inputs, unflattened(ct, judging.values[p])) for p, ct in zip(drawn, cts, strict=True)]
    values = most_apart([partial(judging.asked.value, inputs) for inputs, _ in here])
    gradients = most_apart([partial(judging.asked.vjp, inputs, ct) for inputs, ct in here])
    judging.court.unrest = Unrest(values.share, gradients.share).excused
    for cell, what, found in (("value", "the function", values), ("repeat", "the gradient", gradients)):
        if 0 < found.share <= RESTLESS:
            share = f"{found.share:.1g} of its largest number"
            text = f"{what} differs from call to call by up to {share}, as float32's rounding may"
            judging.tallies[cell].show(Kind.RESTLESS, text)
        elif found.share > RESTLESS:
            _unruly(judging, cell, drawn[found.point], cts[found.point], found)
            judging.accused |= cell == "repeat" and cell in judging.cells  # nobody can say which number is right


def _unruly(judging: Judging, cell: str, p: int, ct: Row, found: Apart) -> None:
    """A number that is another one in another call."""
    judging.tallies[cell].add(1)
    low, high = told_apart(found.low, found.high)
    if cell == "value":
        text = f"the function gives {high} at a point where it gives {low} in another call"
        shown = replace(seen(judging, p, 0, ct, found.high, None), way="value")
    else:
        e = next(
            e for e, d in enumerate(judging.court.basis) if d.which == found.which and d.element in (found.index, None)
        )
        ruling = Ruling(Kind.WRONG, found.low, 0.0, "in another call")
        shown = replace(seen(judging, p, e, ct, found.high, ruling), way="again")
        text = f"the gradient of {shown.input}{list(shown.index) or ''} is {high}, but {low} in another call"
    judging.tallies[cell].show(Kind.WRONG, text, shown)


def _split(judging: Judging, ways: int) -> tuple[list[int], list[int]]:
    """The points at which every element is measured, and those at which directions are, to stay within the budget."""
    count = len(judging.points)
    if screens(judging.givens, judging.points[0].inputs, judging.moving, judging.seed) is None:
        return list(range(count)), []
    most = max(FEWEST, BUDGET // (EACH * max(ways, 1)))
    if most >= count:
        return list(range(count)), []
    head = range(most // 3)
    spread = np.linspace(0, count - 1, most - len(head)).astype(int)
    full = sorted({*head, *(int(p) for p in spread)})
    return full, [p for p in range(count) if p not in set(full)]


def _measure(judging: Judging, points: Sequence[int]) -> None:
    """Measure the slopes along the whole basis at some points."""
    inputs = [judging.points[p].inputs for p in points]
    found = jacobian(judging.asked, inputs, judging.court.basis, judging.domains, judging.seed)
    for row, p in enumerate(points):
        judging.slopes[p] = Truth(found.center[row], found.bar[row], found.kink[row])


def _screen(judging: Judging, points: Sequence[int], rng: np.random.Generator) -> None:
    """Look along directions at the other points; where something is off or open there, look at every element."""
    off: list[int] = []
    unsettled: list[int] = []
    for p, ways, truth in _directions(judging, points):
        states = _along(judging, p, ways, truth, rng)
        if states is None:
            continue
        worst = max(int(s) for s in states)
        (off if worst >= State.OFF else unsettled if worst else judging.right).append(p)
    for group in (off[:PROMOTED], unsettled[:PROMOTED]):
        for p in group:
            _measure(judging, [p])
            _hear(judging, _at(judging, p, rng))
            if judging.accused:
                return


def _directions(judging: Judging, points: Sequence[int]) -> Iterator[tuple[int, list[Direction], Truth]]:
    """Points with the directions to look along and the slopes there; those of equal directions measured together."""
    groups: dict[bytes, tuple[list[Direction], list[int]]] = {}
    for p in points:
        ways = screens(judging.givens, judging.points[p].inputs, judging.moving, judging.seed)
        assert ways is not None, "there is a screen at one point of this shape"
        groups.setdefault(b"|".join(d.step.tobytes() for d in ways), (ways, []))[1].append(p)
    for ways, some in groups.values():
        inputs = [judging.points[p].inputs for p in some]
        found = jacobian(judging.asked, inputs, ways, judging.domains, judging.seed)
        for row, p in enumerate(some):
            yield p, ways, Truth(found.center[row], found.bar[row], found.kink[row])


def _along(
    judging: Judging, p: int, ways: Sequence[Direction], found: Truth, rng: np.random.Generator
) -> NDArray[np.int64] | None:
    """The states of the vjp along some directions at one point; None where it is no answer (told already)."""
    point = judging.points[p]
    if found.kink.any():
        judging.kinked.append(p)
    row = flat(judging.values[p])
    lengths = np.ones(len(ways))
    every: list[NDArray[np.int64]] = []
    for ct in cotangents(rng, row.size):
        gradients = _answered(judging, p, ct)
        if gradients is None:
            return None
        answer = components(gradients, ways, point.inputs)
        unrest = judging.court.unrest.bars(gradients, ways, point.inputs)
        measured = contract(found.center, found.bar, found.kink, ct).blurred(unrest)
        values = float(np.abs(ct).max(initial=0.0) * np.abs(row).max(initial=0.0))
        typical = typical_size(measured.center, values, lengths)
        every.append(compare_slopes(answer, measured, lengths, values, typical))
        if not point.outside:
            undecided = int((every[-1] != State.AGREES).sum())
            judging.tallies["reverse"].add(len(ways), undecided)
            judging.covered |= {d.which for d, state in zip(ways, every[-1], strict=True) if state == State.AGREES}
    return np.concatenate(every)


def _evaluate(judging: Judging, tried: Sequence[Tried]) -> None:
    """Keep the points at which the function gives finite numbers, of one shape."""
    for point in tried:
        try:
            values = judging.asked.value(point.inputs)
            row = flat(values)
        except TooSlow:
            raise
        except Exception as error:  # the code under test may raise anything
            judging.raised = judging.raised or f"{type(error).__name__}: {error}"
            judging.dropped += not point.outside
            continue
        same = not judging.values or [np.shape(v) for v in values] == [np.shape(v) for v in judging.values[0]]
        if same and np.isfinite(row).all():
            judging.points.append(point)
            judging.values.append(values)
            judging.tallies["value"].add(row.size)
        else:
            judging.dropped += not point.outside


@dataclass(frozen=True, slots=True)
class Suspect:
    """A number outside the bars: which point, direction and cotangent, the number, and what was measured."""

    point: int
    way: int
    cotangent: Row
    answer: float
    measured: Contracted
    state: State


def cotangents(rng: np.random.Generator, size: int) -> Iterator[Row]:
    """Ones, random ones of two decimals, and one-hot ones."""
    yield np.ones(size)
    yield np.round(rng.normal(0.0, 1.0, size), 2) + 0.0
    for k in rng.permutation(size)[:HOT] if size > 1 else []:
        hot = np.zeros(size)
        hot[k] = 1.0
        yield hot


def _at(judging: Judging, p: int, rng: np.random.Generator) -> list[Suspect]:
    """Compare the vjp at one point for several cotangents; what is outside the bars is suspect."""
    point, truth = judging.points[p], judging.slopes[p]
    row = flat(judging.values[p])
    sizes = _sizes(judging, p)
    found: list[Suspect] = []
    decided = True
    for ct in cotangents(rng, row.size):
        gradients = _answered(judging, p, ct)
        if gradients is None:
            return []
        answer = components(gradients, judging.court.basis, point.inputs)
        unrest = judging.court.unrest.bars(gradients, judging.court.basis, point.inputs)
        measured = contract(truth.center, truth.bar, truth.kink, ct).blurred(unrest)
        values = float(np.abs(ct).max(initial=0.0) * np.abs(row).max(initial=0.0))
        typical = typical_size(measured.center, values, sizes)
        usual = np.abs(ct).max(initial=0.0) * judging.court.usual
        states = compare_slopes(answer, measured, sizes, values, typical, usual)
        _count(judging, p, states, measured)
        decided &= bool((states == State.AGREES).all())
        for e in np.flatnonzero(states != State.AGREES):
            one = measured.only(int(e))
            found.append(Suspect(p, int(e), ct, float(answer[e]), one, State(int(states[e]))))
    if decided:
        judging.right.append(p)
    if truth.kink.any():
        judging.kinked.append(p)
    return found


def _answered(judging: Judging, p: int, ct: Row) -> tuple[Array | None, ...] | None:
    """The vjp, where it is an answer; else None, and a finding."""
    try:
        gradients = judging.asked.vjp(judging.points[p].inputs, unflattened(ct, judging.values[p]))
    except TooSlow:
        raise
    except Exception as error:  # the code under test may raise anything
        crash(judging, p, ct, error)
        return None
    return gradients if _shapes_fit(judging, p, ct, gradients) else None


def _count(judging: Judging, p: int, states: NDArray[np.int64], measured: Contracted) -> None:
    if judging.points[p].outside:
        return
    judging.tallies["reverse"].add(len(states), int((states != State.AGREES).sum()))
    judging.covered |= {d.which for d, state in zip(judging.court.basis, states, strict=True) if state == State.AGREES}
    finite = np.isfinite(measured.bar) & (np.abs(measured.center) > 0) & ~measured.kink
    judging.relative += list(measured.bar[finite] / np.abs(measured.center[finite]) + 64 * UNIT)


def _sizes(judging: Judging, p: int) -> Row:
    inputs = judging.points[p].inputs
    return np.array([
        float(np.abs(inputs[d.which][d.element]) if d.element is not None else np.abs(inputs[d.which]).max(initial=0.0))
        for d in judging.court.basis
    ])  # fmt: skip


def crash(judging: Judging, p: int, ct: Row, error: Exception) -> None:
    """The rule raised at a point at which the function has a value."""
    outside = judging.points[p].outside
    kind = Kind.OUTSIDE if outside else Kind.WRONG if isinstance(error, BadAnswer) else Kind.CRASHED
    cell = "shape" if isinstance(error, BadAnswer) else "reverse"
    text = str(error) if isinstance(error, BadAnswer) else f"the vjp raises {type(error).__name__}: {error}"
    judging.tallies[cell].show(kind, text, seen(judging, p, 0, ct, float("nan"), None))


def _shapes_fit(judging: Judging, p: int, ct: Row, gradients: Sequence[Array | None]) -> bool:
    """Whether every gradient has the shape of its input and is real; a finding where not."""
    tally = judging.tallies["shape"]
    for k in judging.moving:
        g, x = gradients[k], judging.points[p].inputs[k]
        assert g is not None
        tally.add(1)
        text = ""
        if np.shape(g) != np.shape(x):
            text = f"the gradient of {judging.names[k]} has shape {np.shape(g)}, the input {np.shape(x)}"
        elif g.dtype.kind == "c" and np.abs(np.imag(g)).max(initial=0.0) > 0:
            text = f"the gradient of {judging.names[k]}, a real input, has an imaginary part"
        elif g.dtype.kind == "O":
            text = f"the gradient of {judging.names[k]} is an array of objects"
        if text:
            first = next((e for e, d in enumerate(judging.court.basis) if d.which == k), 0)
            kind = Kind.OUTSIDE if judging.points[p].outside else Kind.WRONG
            tally.show(kind, text, replace(seen(judging, p, first, ct, float("nan"), None), way="shape"))
            return False
    return True


def _confirm(judging: Judging) -> None:
    """Let the precise witness speak where it agreed with the ladder at ordinary points."""
    ordinary = [p for p in judging.slopes if judging.points[p].origin in ("drawn", "sampled")][:CONFIRMING]
    agreed = contradicted = 0
    for p in ordinary:
        some = range(0, len(judging.court.basis), max(1, len(judging.court.basis) // CONFIRMING))
        found = judging.court.digits(judging.points[p].inputs, some)
        known = judging.slopes[p]
        theirs, bars, kinks = (column[some] for column in (known.center, known.bar, known.kink))
        if found is None or found.center[0].shape != theirs.shape:
            return
        both = np.isfinite(bars) & np.isfinite(found.bar[0]) & ~(kinks | found.kink[0])
        gap = np.abs(theirs - found.center[0])[both]
        apart = gap > 16 * bars[both] + 64 * UNIT * np.abs(theirs[both])
        contradicted += int(apart.sum())
        agreed += int((~apart).sum())
    judging.court.trusted = agreed > 0 and contradicted <= FEW * agreed
    if contradicted > FEW * agreed:
        judging.court.silence = "the code rounds inside: at hundreds of bits it contradicts its own slopes"


def _hear(judging: Judging, suspects: Sequence[Suspect]) -> None:
    """Examine the suspicions, those inside the limits first; the sizes that people use before the extreme ones."""
    groups: dict[tuple[bool, bool, bool], list[Suspect]] = {}
    for s in suspects:
        point = judging.points[s.point]
        undecided = s.state is State.UNDECIDED
        groups.setdefault((point.outside, point.extreme, undecided), []).append(s)
    for (_, _, undecided), group in sorted(groups.items()):
        if judging.accused:
            return
        _hear_group(judging, group, undecided)


def _hear_group(judging: Judging, group: Sequence[Suspect], undecided: bool) -> None:
    wrong = 0
    for s in _spread_out(group)[: PRECISE if undecided else SUSPECTS]:
        if wrong >= SHOWN:
            break
        if undecided:
            ruling = judging.court.by_digits(judging.points[s.point], s.way, s.cotangent, s.answer)
            if ruling is not None:
                ruling = judging.court.settled(ruling, judging.points[s.point], s.way, s.cotangent, s.answer)
        else:
            ruling = judging.court.examine(judging.points[s.point], s.way, s.cotangent, s.answer, s.measured)
        if ruling is not None:
            wrong += ruling.kind is Kind.WRONG
            rule(judging, s, ruling)


def _spread_out(group: Sequence[Suspect]) -> list[Suspect]:
    """One suspicion of every point first, then the seconds, and so on."""
    rank: dict[int, int] = {}
    order = []
    for s in group:
        order.append((rank.setdefault(s.point, 0), s))
        rank[s.point] += 1
    return [s for _, s in sorted(order, key=lambda pair: pair[0])]


def rule(judging: Judging, s: Suspect, ruling: Ruling, cell: str = "") -> None:
    """Enter a ruling into the tally of its cell."""
    outside = judging.points[s.point].outside
    tally = judging.tallies["reverse"]
    if ruling.kind is Kind.RIGHT:
        tally.undecided -= not outside
        judging.covered.add(judging.court.basis[s.way].which)
        return
    if ruling.kind is Kind.WRONG and not np.isfinite(s.answer) and not _smooth(judging, s.point):
        ruling = replace(ruling, kind=Kind.NOT_SMOOTH, why="the function is not smooth there")
    if ruling.kind is Kind.UNMEASURED or (outside and ruling.kind is Kind.NOT_SMOOTH):
        return
    name = cell or ("nonfinite" if not np.isfinite(s.answer) else "precision" if "bits" in ruling.whose else "reverse")
    if ruling.kind is Kind.WRONG and name == "precision":
        name = "reverse"
    kind = Kind.OUTSIDE if outside else ruling.kind
    judging.accused |= kind is Kind.WRONG
    what = "the gradient" if not ruling.why else f"the gradient ({ruling.why})"
    here = seen(judging, s.point, s.way, s.cotangent, s.answer, ruling)
    place = f"{here.input}{list(here.index) or ''}"
    got, right = told_apart(s.answer, ruling.center)
    judging.tallies[name].show(kind, f"{what} of {place} is {got}, not {right}", here)


def _smooth(judging: Judging, p: int) -> bool:
    """Whether the function is smooth at a point, in every element and output."""
    known = judging.slopes[p]
    if known.kink.any() or not np.isfinite(known.bar).all():
        return False
    return judging.court.smooth_everywhere(judging.points[p].inputs)


def seen(judging: Judging, p: int, e: int, ct: Row, got: float, ruling: Ruling | None) -> Seen:
    """One number as plain data."""
    point, d = judging.points[p], judging.court.basis[e]
    inputs = judging.named(p)
    cts: Any = [c.tolist() for c in unflattened(ct, judging.values[p])]
    return Seen(
        judging.names[d.which], d.element or (), inputs, cts[0] if len(cts) == 1 else cts, got,
        float("nan") if ruling is None else ruling.center, float("nan") if ruling is None else ruling.bar,
        "" if ruling is None else ruling.whose, point.origin, judging.seed, len(cts) > 1,
    )  # fmt: skip


def tallies() -> dict[str, Tally]:
    """An empty tally for every cell."""
    return {cell: Tally(cell) for cell in CELLS}
