"""Which suspicions are heard, where there are many? The worst of every element of every point."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from gradcheck.judge.slopes import Contracted, State
from gradcheck.run.check.compare import Suspect
from gradcheck.run.check.hearing import EXCUSED, REMARKED, _spread_out


def suspect(point: int, way: int, off: float) -> Suspect:
    """A number that lies so many bars off."""
    measured = Contracted(np.zeros(1), np.ones(1), np.zeros(1, dtype=bool), np.ones(1))
    return Suspect(point, way, np.ones(1), off, measured, State.OFF)


def judging(*extreme: bool) -> Any:
    return SimpleNamespace(points=[SimpleNamespace(extreme=e) for e in extreme])


def test_one_number_far_off_is_heard_first_among_many_that_are_excused() -> None:
    many = [suspect(0, way, 1.5) for way in range(100)] + [suspect(0, 50, 1e6), suspect(1, 3, 2.0)]
    heard = _spread_out(judging(False, False), many, undecided=False)
    assert [(s.point, s.way, s.answer) for s in heard[:2]] == [(0, 50, 1e6), (1, 3, 2.0)]
    assert len(heard) == EXCUSED + 1


def test_of_elements_that_are_all_far_off_the_first_is_named() -> None:
    many = [suspect(0, way, 1e5 + way) for way in range(5)]
    assert [s.way for s in _spread_out(judging(False), many, undecided=False)] == [0, 1, 2, 3, 4]


def test_the_worst_of_more_flagrant_ones_than_are_heard_is_among_them() -> None:
    many = [suspect(0, way, 1e5) for way in range(40)] + [suspect(0, 40, 1e9)]
    heard = _spread_out(judging(False), many, undecided=False)
    assert len(heard) == EXCUSED and heard[-1].way == 40


def test_every_element_is_heard_before_any_is_heard_twice() -> None:
    many = [suspect(0, 0, 10.0 + k) for k in range(40)] + [suspect(0, way, 1.5) for way in range(1, EXCUSED)]
    heard = _spread_out(judging(False), many, undecided=False)
    assert {s.way for s in heard} == set(range(EXCUSED))


def test_few_are_heard_where_nothing_can_be_more_than_a_remark() -> None:
    many = [suspect(0, way, float("nan") if way == 70 else 2.0) for way in range(100)]
    heard = _spread_out(judging(True), many, undecided=False)
    assert len(heard) == REMARKED and heard[0].way == 70


def test_undecided_numbers_are_all_put_to_the_precise_witness_in_turn() -> None:
    many = [suspect(p, way, 2.0) for p in range(2) for way in range(30)]
    heard = _spread_out(judging(False, True), many, undecided=True)
    assert len(heard) == 60 and [s.point for s in heard[:4]] == [0, 1, 0, 1]
