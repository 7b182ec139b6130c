"""Does the rule behave, whatever its numbers? Zero, linearity, layout in memory, mutation, repetition, float32."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.judge.budgets import INACCURATE_UNITS, RESTLESS_RANGES, SAME_ANSWER, UNIT
from gradcheck.judge.cells import Kind
from gradcheck.judge.slopes import State, compare_slopes, contract, typical_size
from gradcheck.judge.telling import told_apart
from gradcheck.oracles.blackbox import Array, TooSlow, flat
from gradcheck.run.check_shape import Judging, cotangents, seen
from gradcheck.run.check_suspects import Ruling, component, unflattened

AT_MOST = 16  # points at which these questions are asked
SCALE = 2.0**40
SINGLE_LOSS = 2.0**-10  # a float32 gradient that keeps fewer digits than this is told
Row = NDArray[np.float64]
Gradients = Sequence[Array | None]
Layout = Callable[[Array], Array]


def judge_structure(judging: Judging, cells: frozenset[str]) -> None:
    """Fill the tallies zero, linear, layout, mutation, repeat, float32, and of value its second half."""
    points = _chosen(judging)
    rng = np.random.default_rng([judging.seed, 13])
    for p in points:
        ct = np.round(rng.normal(0.0, 1.0, flat(judging.values[p]).size), 2) + 0.25
        for cell, question in QUESTIONS.items():
            if cell not in cells:
                continue
            try:
                question(judging, p, ct, rng)
            except TooSlow:
                raise
            except Exception as error:  # code under test may raise anything
                text = f"raises {type(error).__name__}: {error}"
                judging.tallies[cell].show(Kind.CRASHED, text, seen(judging, p, 0, ct, float("nan"), None))


def _chosen(judging: Judging) -> list[int]:
    """Points at which the rule agreed, half of them drawn, else any: no question of numbers is asked here."""
    inside = [p for p, x in enumerate(judging.points) if not x.outside and not x.extreme]
    right = [p for p in judging.right if p in set(inside)]
    drawn = [p for p in right if judging.points[p].origin in ("drawn", "sampled")]
    planted = [p for p in right if p not in set(drawn)]
    chosen = [*drawn[: AT_MOST // 2], *planted[:: max(1, len(planted) // (AT_MOST // 2))][: AT_MOST // 2]]
    return chosen or [p for p in inside if judging.points[p].origin in ("drawn", "sampled")][: AT_MOST // 2]


def _ask(judging: Judging, p: int, ct: Row) -> Gradients:
    return judging.asked.vjp(judging.points[p].inputs, unflattened(ct, judging.values[p]))


def _apart(judging: Judging, p: int, ct: Row, one: Gradients, other: Gradients) -> tuple[int, float, float] | None:
    """The direction at which two answers differ by more than rounding of their largest number, and both numbers.

    Where all of them is rounding (a gradient that is zero), what rounding of the values explains is no difference.
    """
    values = float(np.abs(ct * flat(judging.values[p])).sum())
    for k in judging.moving:
        a, b = np.asarray(one[k], dtype=float), np.asarray(other[k], dtype=float)
        if a.shape != b.shape:
            return next((e, np.nan, np.nan) for e, d in enumerate(judging.court.basis) if d.which == k)
        size = max(np.abs(a[np.isfinite(a)]).max(initial=0.0), np.abs(b[np.isfinite(b)]).max(initial=0.0))
        with np.errstate(all="ignore"):
            length = np.abs(np.asarray(judging.points[p].inputs[k], dtype=float))
            usual = float(np.median(length[length > 0])) if (length > 0).any() else 1.0
            unrest = RESTLESS_RANGES * judging.court.unrest.gradients
            allowed = (SAME_ANSWER + unrest) * size + INACCURATE_UNITS * UNIT * values / usual
            differ = ~((np.abs(a - b) <= allowed) | (np.isnan(a) & np.isnan(b)) | (a == b))
        if differ.any():
            where = max(np.argwhere(differ).tolist(), key=lambda i: abs(a[tuple(i)] - b[tuple(i)]))
            for e, d in enumerate(judging.court.basis):
                if d.which == k and (d.element in (tuple(where), None)):
                    return e, float(a[tuple(where)]), float(b[tuple(where)])
    return None


def _told(
    judging: Judging, cell: str, p: int, ct: Row, found: tuple[int, float, float] | None, how: str, way: str = "",
    beside: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    tally = judging.tallies[cell]
    tally.add(1)
    if found is None:
        return
    e, got, right = found
    ruling = Ruling(Kind.WRONG, right, 0.0, how)
    here = replace(seen(judging, p, e, ct, got, ruling), way=way, beside=beside or {})
    one, other = told_apart(got, right)
    text = f"the gradient of {here.input}{list(here.index) or ''} is {one}, but {other} {how}"
    tally.show(Kind.WRONG, text, here)


def _zero(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    found = _ask(judging, p, np.zeros_like(ct))
    nothing = [None if g is None else np.zeros(np.shape(g)) for g in found]
    scaled = [None if g is None else np.where(np.asarray(g) == 0, 0.0, np.where(np.isfinite(g), 1.0, g)) for g in found]
    if _apart(judging, p, np.zeros_like(ct), scaled, nothing) is not None:
        e = next(e for e, d in enumerate(judging.court.basis) if component(found, d) != 0)
        got = component(found, judging.court.basis[e])
        _told(judging, "zero", p, np.zeros_like(ct), (e, got, 0.0), "for a cotangent of zeros")
    else:
        judging.tallies["zero"].add(1)


def _linear(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    other = np.where(ct < 0, -1.0, 1.0) * np.round(rng.uniform(0.25, 2.0, ct.shape), 2)
    one, two, both = (_ask(judging, p, c) for c in (ct, other, ct + other))
    total = [None if a is None or b is None else np.asarray(a) + np.asarray(b) for a, b in zip(one, two, strict=True)]
    _told(
        judging,
        "linear",
        p,
        ct + other,
        _apart(judging, p, ct + other, both, total),
        "by adding the answers for two cotangents",
    )
    for factor in (SCALE, 1 / SCALE):
        scaled = [None if g is None else np.asarray(g) * factor for g in one]
        found = _apart(judging, p, factor * ct, _ask(judging, p, factor * ct), scaled)
        how = f"by scaling the answer for a cotangent {1 / factor:.3g} times it"
        _told(judging, "linear", p, factor * ct, found, how)


def layouts() -> Iterator[tuple[str, str, Layout]]:
    """The same numbers, otherwise in memory: a word, the words, the way."""
    yield "strided", "every second number of a longer array", _strided
    yield "transposed", "a transposed array", lambda a: np.asfortranarray(a) if a.ndim > 1 else _strided(a)
    yield "reversed", "a reversed view", lambda a: np.ascontiguousarray(a[..., ::-1])[..., ::-1] if a.ndim else a.copy()


def _strided(a: Array) -> Array:
    if not a.ndim:
        return a.copy()
    room = np.full((*a.shape[:-1], 2 * a.shape[-1]), 7.25).astype(a.dtype)
    room[..., ::2] = a
    return room[..., ::2]


def repeated(a: Array) -> tuple[Array, Array]:
    """An array whose first axis (or only number) has stride 0, and the same numbers laid out one by one."""
    first = np.array(a[:1]) if a.ndim else a.copy()
    strides = (0, *first.strides[1:]) if a.ndim else ()
    view = np.lib.stride_tricks.as_strided(first, a.shape, strides)
    return view, np.array(view)


def _layout(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    inputs, cts = judging.points[p].inputs, unflattened(ct, judging.values[p])
    plain = _ask(judging, p, ct)
    for kind, name, lay in layouts():
        copies = [np.array(x) for x in inputs]
        found = judging.asked.vjp_as_is(copies, [lay(c) for c in cts])
        laid = {"of": "cotangent", "kind": kind}
        how = f"where the cotangent is not {name}"
        _told(judging, "layout", p, ct, _apart(judging, p, ct, found, plain), how, "layout", laid)
        moved = [lay(np.array(x)) for x in inputs]
        found = judging.asked.vjp_as_is(moved, [np.array(c) for c in cts])
        how = f"where the inputs are not {name}"
        laid = {"of": "inputs", "kind": kind}
        _told(judging, "layout", p, ct, _apart(judging, p, ct, found, plain), how, "layout", laid)
    views = [repeated(c) for c in cts]
    same = flat([copy for _, copy in views])
    found = judging.asked.vjp_as_is([np.array(x) for x in inputs], [view for view, _ in views])
    _told(judging, "layout", p, same, _apart(judging, p, same, found, _ask(judging, p, same)),
          "where the cotangent is not one number repeated with stride 0",
          "layout", {"of": "cotangent", "kind": "repeated"})  # fmt: skip
    ones = [np.lib.stride_tricks.as_strided(np.ones(1), c.shape, (0,) * c.ndim) for c in cts]
    found = judging.asked.vjp_as_is([np.array(x) for x in inputs], ones)
    one = np.ones_like(ct)
    _told(judging, "layout", p, one, _apart(judging, p, one, found, _ask(judging, p, one)),
          "where the cotangent of ones is not expanded from one number",
          "layout", {"of": "cotangent", "kind": "expanded"})  # fmt: skip


def _mutation(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    inputs = [np.array(x) for x in judging.points[p].inputs]
    cts = unflattened(ct, judging.values[p])
    before = [a.tobytes() for a in (*inputs, *cts)]
    tally = judging.tallies["mutation"]
    judging.asked.subject.value(inputs)
    _unchanged(judging, p, ct, before, (*inputs, *cts), "the function")
    inputs = [np.array(x) for x in judging.points[p].inputs]
    judging.asked.vjp_as_is(inputs, cts)
    _unchanged(judging, p, ct, before, (*inputs, *cts), "the vjp")
    tally.add(2)


def _unchanged(judging: Judging, p: int, ct: Row, before: Sequence[bytes], after: Sequence[Array], who: str) -> None:
    for k, (old, new) in enumerate(zip(before, after, strict=True)):
        if old != new.tobytes():
            what = judging.names[k] if k < len(judging.points[p].inputs) else "the cotangent"
            was = np.frombuffer(old, new.dtype)
            now = np.ascontiguousarray(new).reshape(-1)
            i = next(j for j in range(was.size) if was[j].tobytes() != now[j].tobytes())
            text = f"{who} writes to {what}: element {i} was {was[i]:.6g} and is {now[i]:.6g} afterwards"
            ruling = Ruling(Kind.WRONG, float(was[i]), 0.0, "what was handed in")
            here = replace(seen(judging, p, 0, ct, float(now[i]), ruling), way="wrote")
            here = replace(here, beside={"by": who, "place": k, "element": i})
            judging.tallies["mutation"].show(Kind.WRONG, text, here)
            return


def _repeat(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    first = _ask(judging, p, ct)
    other = p
    for how in ("again", "again", "after a call at another point"):
        if how.startswith("after"):
            other = int(rng.choice(judging.right or [p]))
            judging.asked.value(judging.points[other].inputs)
            _ask(judging, other, ct if flat(judging.values[other]).size == ct.size else np.ones_like(ct))
            judging.asked.value(judging.points[p].inputs)
        apart = _apart(judging, p, ct, _ask(judging, p, ct), first)
        way, beside = ("between", judging.named(other)) if how.startswith("after") else ("again", {})
        _told(judging, "repeat", p, ct, apart, f"when it was called before ({how})", way, beside)
    again = getattr(judging.asked.subject, "again", None)
    if again is not None:
        found = again([np.array(x) for x in judging.points[p].inputs], unflattened(ct, judging.values[p]))
        apart = _apart(judging, p, ct, found, first)
        _told(judging, "repeat", p, ct, apart, "by the first of two backward passes through one graph", "twice")
    values = flat(judging.asked.value(judging.points[p].inputs))
    known = flat(judging.values[p])
    same = SAME_ANSWER + RESTLESS_RANGES * judging.court.unrest.values
    if not np.array_equal(values, known) and np.abs(values - known).max() > same * np.abs(known).max():
        worst = int(np.argmax(np.abs(values - known)))
        text = f"the function gives {values[worst]:.6g} at a point where it gave {known[worst]:.6g} before"
        here = replace(seen(judging, p, 0, ct, float(values[worst]), None), way="value")
        judging.tallies["value"].show(Kind.WRONG, text, here)


def _float32(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    """For float32 inputs: as the same rule in float64 at the same numbers, within what float32 may lose."""
    tally = judging.tallies["float32"]
    inputs = judging.points[p].inputs
    single = [np.asarray(x, np.float32) if x.dtype.kind == "f" else np.array(x) for x in inputs]
    double = [np.asarray(x, np.float64) if x.dtype.kind == "f" else np.array(x) for x in single]
    cts = [np.asarray(c, np.float32) for c in unflattened(ct, judging.values[p])]
    there = judging.asked.vjp(double, [np.asarray(c, np.float64) for c in cts])
    try:
        here = judging.asked.vjp(single, cts)
    except TooSlow:
        raise
    except Exception as error:  # the code under test may raise anything
        tally.show(Kind.INACCURATE, f"raises {type(error).__name__} for float32 inputs: {error}")
        return
    for k in judging.moving:
        a, b = np.asarray(here[k], dtype=float), np.asarray(there[k], dtype=float)
        tally.add(1)
        if a.shape != b.shape or not np.isfinite(b).all():
            continue
        size = np.abs(b).max(initial=0.0)
        bad = ~(np.abs(a - b) <= SINGLE_LOSS * np.maximum(np.abs(b), SINGLE_LOSS * size))
        if bad.any() and size > 0:
            i = tuple(np.argwhere(bad)[0].tolist())
            text = f"for float32 inputs the gradient of {judging.names[k]}{list(i) or ''} is {a[i]:.6g}, for the same numbers in float64 {b[i]:.6g}"  # noqa: E501
            tally.show(Kind.INACCURATE, text)


def judge_forward(judging: Judging) -> None:
    """Fill the tallies forward and adjoint, where there is a jvp."""
    rng = np.random.default_rng([judging.seed, 17])
    for p, point in enumerate(judging.points):
        if point.outside or point.extreme or p not in judging.slopes:
            continue
        tangents = [np.round(rng.normal(0.0, 1.0, np.shape(point.inputs[k])), 2) for k in judging.moving]
        try:
            found = judging.asked.jvp(point.inputs, tangents)
        except TooSlow:
            raise
        except Exception as error:  # the code under test may raise anything
            text = f"the jvp raises {type(error).__name__}: {error}"
            judging.tallies["forward"].show(Kind.CRASHED, text)
            return
        if found is None:
            judging.tallies["forward"].silence = judging.tallies["adjoint"].silence = "no jvp is given"
            return
        _pushed(judging, p, tangents, found)


def _pushed(judging: Judging, p: int, tangents: Sequence[Row], found: Sequence[Array]) -> None:
    point, tally = judging.points[p], judging.tallies["forward"]
    shapes = [np.shape(v) for v in judging.values[p]]
    if [np.shape(v) for v in found] != shapes:
        tally.show(Kind.WRONG, f"the jvp has shape {[np.shape(v) for v in found]}, the function {shapes}")
        return
    answer, row = flat(found), flat(judging.values[p])
    by = dict(zip(judging.moving, tangents, strict=True))
    weights = np.array([_weight(by[d.which], d.step) for d in judging.court.basis])
    if any(d.element is None for d in judging.court.basis):
        tally.silence = "inputs with a structure are not pushed forward"
        return
    truth = judging.slopes[p]
    pushed = contract(truth.center.T, truth.bar.T, truth.kink.T, weights)
    lengths = np.array([np.abs(point.inputs[d.which][d.element]) for d in judging.court.basis])
    speed = np.max(np.abs(weights) / np.where(lengths > 0, lengths, np.inf), initial=0.0)
    sizes = np.full(row.shape, 1 / speed if speed > 0 else np.inf)
    typical = typical_size(pushed.center, float(np.abs(row).sum()), sizes)
    states = compare_slopes(answer, pushed, sizes, float(np.abs(row).max(initial=0.0)), typical)
    tally.add(len(states), int((states != State.AGREES).sum()))
    for k in np.flatnonzero((states == State.OFF) & ~pushed.kink):
        hot = np.zeros(row.size)
        hot[k] = 1.0
        steps: list[Any] = [by.get(i) for i in range(len(point.inputs))]
        low, high, torn = judging.court.hull(point.inputs, None, hot, float(answer[k]), steps=steps)
        if torn and low <= answer[k] <= high:
            continue
        ruling = Ruling(Kind.WRONG, float(pushed.center[k]), float(pushed.bar[k]), "differences")
        text = f"the jvp's number {int(k)} is {answer[k]:.6g}, not {pushed.center[k]:.6g}"
        here = replace(
            seen(judging, p, 0, hot, float(answer[k]), ruling), index=(int(k),), way="pushed",
            beside=_named_steps(judging, tangents),
        )  # fmt: skip
        tally.show(Kind.WRONG, text, here)
    _adjoint(judging, p, tangents, found)


def _named_steps(judging: Judging, tangents: Sequence[Row]) -> dict[str, Any]:
    return {judging.names[k]: t.tolist() for k, t in zip(judging.moving, tangents, strict=True)}


def _weight(tangent: Row, step: Row) -> float:
    return float((tangent * step).sum())


def _adjoint(judging: Judging, p: int, tangents: Sequence[Row], pushed: Sequence[Array]) -> None:
    if p in set(judging.kinked) or p not in set(judging.right):
        return
    tally = judging.tallies["adjoint"]
    for ct in list(cotangents(np.random.default_rng([judging.seed, p]), flat(pushed).size))[:2]:
        gradients = _ask(judging, p, ct)
        forward = ct * flat(pushed)
        back = np.concatenate([
            np.ravel(np.asarray(gradients[k], float) * t) for k, t in zip(judging.moving, tangents, strict=True)
        ])  # fmt: skip
        tally.add(1)
        size = np.abs(forward).sum() + np.abs(back).sum()
        unrest = RESTLESS_RANGES * judging.court.unrest.gradients * len(back)
        if not abs(forward.sum() - back.sum()) <= (max(SAME_ANSWER, INACCURATE_UNITS * UNIT) + unrest) * size:
            ruling = Ruling(Kind.WRONG, float(forward.sum()), 0.0, "the jvp")
            text = f"<vjp(ct), t> is {back.sum():.6g}, <ct, jvp(t)> is {forward.sum():.6g}"
            here = seen(judging, p, 0, ct, float(back.sum()), ruling)
            tally.show(Kind.WRONG, text, replace(here, way="paired", beside=_named_steps(judging, tangents)))


QUESTIONS: dict[str, Callable[[Judging, int, Row, np.random.Generator], None]] = {
    "repeat": _repeat,
    "mutation": _mutation,
    "zero": _zero,
    "linear": _linear,
    "layout": _layout,
    "float32": _float32,
}
