"""Which gradients meet at a point where f has a kink or a tie? Those of the pieces around it, found by standing there.

The engine's gradient of <ct, f> is taken at points a hair away in many directions: all sign patterns and orders of a
few elements, random ones, and the directions that the parties' own answers point to (the piece that lies furthest in
the direction of a gradient is the one that could have given it). Where these gradients stand still as the hair
shrinks, their convex hull is, up to directions never taken, Clarke's generalised gradient: any answer in it is a
convention, none outside it is. Unlike the one-sided slopes along each coordinate it knows which go together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from gradcheck.oracles import engine
from gradcheck.oracles.evidence import Array, Evidence, Pieces, Testimony
from gradcheck.oracles.inquiry import Inquiry
from gradcheck.spec.case import Case
from gradcheck.spec.membership import inside

MOST_POINTS = 64  # of a case at which pieces are looked for
MOST_CONTRADICTED = 16  # and of those at which only the differences contradict the claim
LOOKS = 3  # random directions, each both ways, along which a suspect is looked at: of two pieces both are seen
LOOKS_WHERE_CONTRADICTED = 24  # of five that tie for a middle place, one in 10^16 such points shows one piece only
MOST_ELEMENTS = 32  # of all moving inputs together
TOGETHER = 16  # points whose directions, some hundred each, are looked along at once
ALL_SIGNS = 5  # elements up to which every pattern of signs is taken
RANDOM = 48  # directions
FAR, NEAR = 2.0**-30, 2.0**-34  # how far the pieces are looked at, in sizes of each element
TURN = 2.0**-16  # how far a direction is turned to see whether it leads into a piece or along where two meet
MOVED = 1e-3  # a gradient that changes by this share over a hair has jumped; less is curvature
Rows = NDArray[np.intp]


def find(inquiry: Inquiry, said: Mapping[str, Testimony]) -> tuple[Pieces, ...]:
    """The pieces at every suspected point where there is more than one, or where gradients have no limit."""
    case, names = inquiry.case, inquiry.moving
    total = sum(int(np.prod(case.inputs[n].shape[1:], dtype=int)) for n in names)
    off = _contradicted(case, said)
    suspects = _suspects(case, said, off)
    if not 0 < total <= MOST_ELEMENTS or not len(suspects):
        return ()
    rng = np.random.default_rng(case.seed)
    with np.errstate(all="ignore"):
        here = _gradients(inquiry, {n: case.inputs[n][suspects] for n in names}, suspects)[0]
        looks = np.where(off[suspects], LOOKS_WHERE_CONTRADICTED, LOOKS)
        owner = np.repeat(np.arange(len(suspects)), 2 * looks)
        ahead = [rng.normal(size=(many, total)) for many in looks]
        ways = np.concatenate([np.concatenate([d, -d]) for d in ahead])
        there = _displaced(inquiry, list(zip(suspects[owner], ways, strict=True)), FAR)[0]
        jumped = owner[_jumps(here[owner], there).any(axis=1)]
        kinked = suspects[np.unique(jumped)]
        groups = [kinked[k : k + TOGETHER] for k in range(0, len(kinked), TOGETHER)]
        return tuple(p for rows in groups for p in _meeting(inquiry, said, rows, rng, total))


def answers(said: Mapping[str, Testimony], witness: str, names: Sequence[str], row: int) -> tuple[Array, Array] | None:
    """A party's whole gradient at a point and its bar, (N,) each; None where it gives none."""
    told = said.get(witness)
    if not isinstance(told, Evidence) or any(f"vjp:{n}" not in told.answers for n in names):
        return None
    parts = [told.answers[f"vjp:{n}"] for n in names]
    center = np.concatenate([np.ravel(p.center[row]) for p in parts])
    return center, np.concatenate([np.ravel(p.bar[row]) for p in parts])


def _suspects(case: Case, said: Mapping[str, Testimony], off: NDArray[np.bool_]) -> Rows:
    """Points that were planted or given, those where the differences found a kink, or contradict the claim (off).

    Where three numbers tie for the middle one, the differences find slopes of 0 in all coordinates, and no kink.
    """
    found = np.array([origin not in ("drawn", "sweep", "uniform") for origin in case.origins])
    differences = said.get("differences")
    for m in differences.answers.values() if isinstance(differences, Evidence) else ():
        if m.kink is not None:
            found |= m.kink.reshape(case.points, -1).any(axis=1)
    contradicted = np.flatnonzero(off & ~found)[:MOST_CONTRADICTED]
    return np.concatenate([np.flatnonzero(found)[:MOST_POINTS], contradicted])


def _contradicted(case: Case, said: Mapping[str, Testimony]) -> NDArray[np.bool_]:
    """(B,) where the bars of claim and differences are disjoint."""
    claim, differences = said.get("claim"), said.get("differences")
    found = np.zeros(case.points, dtype=bool)
    if isinstance(claim, Evidence) and isinstance(differences, Evidence):
        for name in claim.answers.keys() & differences.answers.keys():
            one, other = claim.answers[name], differences.answers[name]
            if one.center.shape == other.center.shape:
                with np.errstate(invalid="ignore"):
                    off = np.abs(one.center - other.center) > one.bar + other.bar
                found |= off.reshape(case.points, -1).any(axis=1)
    return found


def _meeting(
    inquiry: Inquiry, said: Mapping[str, Testimony], rows: Rows, rng: np.random.Generator, n: int
) -> Iterable[Pieces]:
    """The pieces at some points, whose directions are looked along in one evaluation."""
    ways = [(int(row), d) for row in rows for d in _directions(said, inquiry.moving, int(row), rng, n)]
    turned = [(row, d + TURN * rng.normal(size=n)) for row, d in ways]
    far, _, within = _displaced(inquiry, ways, FAR)
    near, bar, also = _displaced(inquiry, ways, NEAR)
    beside, _, _ = _displaced(inquiry, turned, FAR)
    usable = within & also & np.isfinite(near).all(axis=1)
    settled = usable & ~_jumps(far, near).any(axis=1)
    alone = settled & ~_jumps(far, beside).any(axis=1)  # along a tie it stays one: that is only our own convention
    owner = np.array([row for row, _ in ways])
    for row in rows:
        own = owner == row
        if 2 * settled[own].sum() <= usable[own].sum():  # gradients without a limit: a vertical tangent, a pole
            if usable[own].any():
                yield Pieces(int(row), inquiry.moving, near[:0], np.full(n, np.inf))
            continue
        own &= alone
        if own.any():
            slack = np.max(np.abs(far - near)[own] + 4 * bar[own], axis=0)
            yield Pieces(int(row), inquiry.moving, np.unique(near[own], axis=0), slack)


def _jumps(a: Array, b: Array) -> NDArray[np.bool_]:
    return np.asarray(~(np.abs(a - b) <= MOVED * np.maximum(np.abs(a), np.abs(b))))


def _directions(
    said: Mapping[str, Testimony], names: Sequence[str], row: int, rng: np.random.Generator, n: int
) -> Iterable[Array]:
    ramp = np.arange(1.0, n + 1)
    yield from (ramp, -ramp, ramp[::-1], -ramp[::-1])
    if n <= ALL_SIGNS:
        yield from (np.array(signs) for signs in product((1.0, -1.0), repeat=n))
    yield from np.concatenate([np.eye(n), -np.eye(n)])
    yield from rng.normal(size=(RANDOM, n))
    for party in said:
        told = answers(said, party, names, row)
        fits = told is not None and told[0].shape == (n,)  # what has another shape than the inputs points nowhere
        if told is not None and fits and np.isfinite(told[0]).all() and told[0].any():
            pointed = told[0] / np.max(np.abs(told[0]))
            yield from (pointed, -pointed)
            yield from pointed + 2.0**-6 * rng.normal(size=(4, n))


def _displaced(
    inquiry: Inquiry, ways: Sequence[tuple[int, Array]], by: float
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Gradients and bars (M, N) a hair away from points in directions, and which of these are in the domain."""
    case, names = inquiry.case, inquiry.moving
    rows = np.array([row for row, _ in ways])
    directions = np.stack([d for _, d in ways])
    moved, start = {}, 0
    for name in names:
        x = case.inputs[name]
        size = int(np.prod(x.shape[1:], dtype=int))
        reach = by * _sizes(x)[rows]
        moved[name] = x[rows] + reach * directions[:, start : start + size].reshape(len(rows), *x.shape[1:])
        start += size
    gradients, bars = _gradients(inquiry, moved, rows)
    others = {name: moved.get(name, case.inputs[name][rows]) for name in case.inputs}
    return gradients, bars, inside(case.spec, others, case.sizes)


def _sizes(x: Array) -> Array:
    """The natural length at every element: its own size, at zero that of the largest beside it, or 1."""
    size = np.abs(x)
    beside = size.reshape(len(x), -1).max(axis=1, initial=0.0).reshape(-1, *(1,) * (x.ndim - 1))
    usual = float(np.median(size[size > 0])) if (size > 0).any() else 1.0
    return np.asarray(np.where(size > 0, size, np.where(beside > 0, beside, usual)))


def _gradients(inquiry: Inquiry, moved: Mapping[str, Array], rows: Rows) -> tuple[Array, Array]:
    case = inquiry.case
    there = replace(
        case,
        inputs={name: moved.get(name, x[rows]) for name, x in case.inputs.items()},
        cotangents={o: ct[rows] for o, ct in case.cotangents.items()},
        tangents={n: t[rows] for n, t in case.tangents.items()},
        origins=("given",) * len(rows),
        dtype="float64",
    )
    told = engine.testify(Inquiry(there))
    parts = [told[f"vjp:{name}"] for name in inquiry.moving]
    count = len(rows)
    return (
        np.concatenate([p.center.reshape(count, -1) for p in parts], axis=1),
        np.concatenate([p.bar.reshape(count, -1) for p in parts], axis=1),
    )
