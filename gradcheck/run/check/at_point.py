"""Is a rule right at the one point that its caller gives? A quick look first; who does not plainly agree is judged.

The quick look costs about what differentiating costs. It only ever says that all is well: a rule that it has doubts of
goes to the same court as everybody's (`run/check/callable.py`), which measures every number and tells what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from zlib import crc32

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gradcheck.judge.first_look import Limits, plain, plainly
from gradcheck.oracles.blackbox.asked import Array, Inputs
from gradcheck.oracles.blackbox.local import (
    EACH,
    Local,
    Part,
    Reading,
    Row,
    Table,
    climb,
    dense,
    elements,
    read,
    sizes_of,
)
from gradcheck.run.check.callable import Checked, Wanted, check_subject
from gradcheck.run.check.isolated import ASKED

AT_A_POINT = frozenset({"value", "reverse", "kinks", "nonfinite", "precision"})
FORWARD = frozenset({"forward", "adjoint"})
ROUNDS = 2  # cotangents at a quick look
UNEVEN = 10  # octaves that slopes of outputs may span before cotangents even them out
SINGLY = 64  # numbers up to which every one of them has to be witnessed before a court; else, some of each input
LARGEST = 300  # binary exponents that outputs of different sizes are evened out by, at most


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller of a one-point check asks for.

    backward, forward: which modes. points: at how many points, the given one first.
    """

    backward: bool = True
    forward: bool = False
    points: int = 1
    seed: int = 0


def fine_at_first_look(local: Local, asked: Asked) -> bool:
    """Whether all that is asked of the rule at its point plainly holds, by few calls. False is no verdict."""
    if not np.isfinite(local.x).all() or not len(local.x):
        return False
    look = _Look(local, asked, np.random.default_rng(crc32(local.x.tobytes(), asked.seed)))
    ways = look.ways()
    return look.agrees(read(local, ways)) or look.agrees(climb(local, ways, asked.seed))


@dataclass
class _Look:
    """One look: what was asked of the rule so far is not asked again."""

    local: Local
    asked: Asked
    rng: Generator
    known: list[tuple[Row, Row]] = field(default_factory=list)  # cotangents and their gradients

    @property
    def count(self) -> int:
        """How many numbers the outputs have."""
        return int(self.local.outputs[-1].place.stop)

    def gradient(self, cotangent: Row) -> Row:
        """The gradient, and it is kept."""
        found = self.local.vjp(self.local.x, cotangent)
        self.known.append((cotangent, found))
        return found

    def ways(self) -> Table:
        """Along which directions slopes are read."""
        sizes = sizes_of(self.local.x, self.local.inputs)
        if len(sizes) <= EACH:
            return elements(sizes)
        if not self.asked.backward:
            return dense(self.local, sizes, sizes, self.rng)
        return dense(self.local, sizes, np.abs(self.gradient(_signed(self.rng, (self.count,)))) * sizes, self.rng)

    def agrees(self, reading: Reading) -> bool:
        """Whether all modes that are asked for plainly agree with these slopes."""
        if not np.isfinite(reading.bar).all() or (self.asked.backward and not self._backward(reading)):
            return False
        return not self.asked.forward or self._forward(reading)

    def _backward(self, reading: Reading) -> bool:
        """The vjp for cotangents that make all outputs count about alike; of one number, any is as good."""
        rounds = min(ROUNDS, self.local.directions) if self.count > 1 else 1
        octaves = _octaves(reading)
        if len(self.known) < rounds or (self.count > 1 and np.ptp(octaves) > UNEVEN):
            for cotangent in _even(octaves, self.rng)[: max(1, rounds - len(self.known))]:
                self.gradient(cotangent)
        cotangents, answers = (np.array(column) for column in zip(*self.known, strict=True))
        if not np.isfinite(answers).all():
            return False
        along, own = answers @ reading.ways.T, np.abs(answers) @ np.abs(reading.ways).T
        found = plain(along, own, reading.center, reading.bar, reading.reach, cotangents, self.local.dtype)
        return bool(found.all())

    def _forward(self, reading: Reading) -> bool:
        """Forward mode along all ways; along one over all numbers where reverse mode is asked too."""
        some = 1 if self.asked.backward and len(self.local.x) > EACH else len(reading.ways)
        pushed = [self.local.jvp(self.local.x, way) for way in reading.ways[:some]]
        if any(p is None for p in pushed):
            return False
        center, bar, reach = (column[:some] for column in (reading.center, reading.bar, reading.reach))
        return bool(plainly(np.array(pushed), center, bar, reach, self.local.dtype).all())


def _octaves(reading: Reading) -> NDArray[np.int64]:
    """The largest slope of each output (K,), in binary exponents below the largest of all (no slope counts as 1)."""
    size = np.abs(reading.center).max(axis=0)
    octave = np.where(size > 0, np.frexp(size)[1], 0)
    found: NDArray[np.int64] = np.clip(octave - np.max(octave, initial=0), -LARGEST, LARGEST)
    return found


def _even(octaves: NDArray[np.int64], rng: Generator) -> Table:
    """Random cotangents (C, K), in the inverse sizes of the outputs' slopes, so that none drowns another."""
    count = len(octaves)
    if count == 1:
        return _signed(rng, (1, 1))
    found: Table = np.ldexp(_signed(rng, (ROUNDS, count)), -octaves)
    return found


def _signed(rng: Generator, shape: tuple[int, ...]) -> Row:
    """Random numbers of sizes from 1/2 to 1."""
    found: Row = rng.uniform(0.5, 1.0, shape) * (2.0 * rng.integers(0, 2, shape) - 1.0)
    return found


def missed(local: Local, limits: Limits) -> str:
    """A sentence on the number that misses the caller's own limits; empty where none does."""
    sizes = sizes_of(local.x, local.inputs)
    reading = read(local, elements(sizes))
    count = reading.center.shape[1]
    answers = np.array([local.vjp(local.x, hot) for hot in np.eye(count)]).T  # (n, K)
    off = limits.missed(answers, reading.center / sizes[:, None], reading.bar / sizes[:, None])
    if not off.any():
        return ""
    i, k = (int(v) for v in np.argwhere(off)[0])
    right = reading.center[i, k] / sizes[i]
    return f"the slope of {_place(local.outputs, k)} by {_place(local.inputs, i)} is {answers[i, k]:.17g}, not {right:.17g}: beyond the stated limit"  # noqa: E501


def _place(parts: Sequence[Part], number: int) -> str:
    part = next(p for p in parts if p.place.start <= number < p.place.stop)
    index = np.unravel_index(number - part.place.start, part.real_shape)
    return f"{part.name}{[int(i) for i in index] if index else ''}"


@dataclass
class AsArrays:
    """A `Local` as a subject of the court: arrays of real numbers for its moving inputs, complex ones with pairs."""

    local: Local
    moving: tuple[int, ...]
    name: str
    forward: bool
    backward: bool
    inputs: tuple[Part, ...]

    def value(self, inputs: Inputs) -> tuple[Array, ...]:
        """All outputs."""
        row = self.local.values(_joined(inputs)[None])[0]
        return tuple(_cut(row, self.local.outputs))

    def vjp(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """The gradient of each; put together of forward mode's answers where that alone is judged."""
        if not self.backward:
            pushed = [self.local.jvp(_joined(inputs), way) for way in np.eye(len(self.local.x))]
            row = np.array([0.0 if p is None else p @ _joined(cotangents) for p in pushed])
            return tuple(_cut(row, self.inputs))
        return tuple(_cut(self.local.vjp(_joined(inputs), _joined(cotangents)), self.inputs))

    def jvp(self, inputs: Inputs, tangents: Sequence[Array]) -> tuple[Array, ...] | None:
        """Forward mode, where it is asked for."""
        found = self.local.jvp(_joined(inputs), _joined(tangents)) if self.forward else None
        return None if found is None else tuple(_cut(found, self.local.outputs))


def judged(local: Local, asked: Asked, name: str) -> Checked:
    """The verdict of the court, at the point itself, and at points around it where more are asked for."""
    both = asked.forward and asked.backward
    parts = _singly(local.inputs) if len(local.x) <= SINGLY else local.inputs
    subject = AsArrays(local, tuple(range(len(parts))), name, both, asked.backward, parts)
    cells = AT_A_POINT | (FORWARD if both else frozenset())
    given = cycle(_points(local, asked))

    def sampler(rng: Generator) -> list[Array]:
        return _cut(next(given), parts)

    wanted = Wanted(asked.points, asked.seed, cells, simpler=False, together=ASKED)  # in the process that has looked
    return check_subject(subject, sampler, [part.name for part in parts], wanted)


def _singly(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Every number as an input of its own: each is then to be witnessed."""
    count = parts[-1].place.stop
    return tuple(Part(_place(parts, k), (), False, slice(k, k + 1)) for k in range(count))


def _points(local: Local, asked: Asked) -> list[Row]:
    """The given point, and others inside each input's own range of numbers."""
    rng = np.random.default_rng(crc32(local.x.tobytes(), asked.seed))
    found = [local.x]
    for _ in range(asked.points - 1):
        row = local.x.copy()
        for part in local.inputs:
            here = local.x[part.place]
            if here.size:
                row[part.place] = rng.uniform(here.min(), here.max(), here.shape)
        found.append(row)
    return found


def _joined(arrays: Sequence[Array]) -> Row:
    return np.concatenate([np.asarray(a, dtype=np.float64).reshape(-1) for a in arrays] or [np.zeros(0)])


def _cut(row: Row, parts: Sequence[Part]) -> list[Array]:
    return [row[part.place].reshape(part.real_shape).copy() for part in parts]
