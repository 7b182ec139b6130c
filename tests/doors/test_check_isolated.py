"""Does code that crashes, hangs or leaves cost its own cell only? Whatever else is asked must be answered as before."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from typing import Any

import hostile
import numpy as np
import pytest

from gradcheck import Real, check
from gradcheck.judge.cells import CellFinding, Kind
from gradcheck.report.checked import Result

OPTIONS: dict[str, Any] = {"points": 8, "time_limit": 1.0}


def judged(vjp: Callable[..., Any], fn: Callable[..., Any] = hostile.sine, **options: Any) -> Result:
    return check(fn, [Real(2)], vjp=vjp, **(OPTIONS | options))


def without(cell: str, result: Result) -> list[CellFinding]:
    return [f for f in result.findings if f.cell != cell]


def of(cell: str, result: Result) -> CellFinding:
    return next(f for f in result.findings if f.cell == cell)


@pytest.fixture(scope="module")
def honest() -> Result:
    result = judged(hostile.rule())
    assert result.passed and result.checked.notes == ()
    return result


def called(deed: Callable[[], None]) -> str:
    return deed.__name__


@pytest.mark.parametrize("deed", hostile.CRASHING, ids=called)
def test_a_crash_costs_its_cell_and_no_other(deed: Callable[[], None], honest: Result) -> None:
    result = judged(hostile.rule(deed))
    assert not result.passed and result.verdict == "CRASHED"
    assert of("zero", result).kind is Kind.CRASHED
    assert hostile.CRASHING[deed] in of("zero", result).sentence
    assert without("zero", result) == without("zero", honest)  # the same cells, the same numbers


@pytest.mark.parametrize("deed", hostile.HARMLESS, ids=called)
def test_what_spoils_no_number_is_noted_and_nothing_else(deed: Callable[[], None], honest: Result) -> None:
    before = state()
    result = judged(hostile.rule(deed))
    assert result.findings == honest.findings
    assert any(hostile.HARMLESS[deed] in note for note in result.checked.notes) == bool(hostile.HARMLESS[deed])
    assert state() == before


def state() -> tuple[object, ...]:
    return os.getcwd(), random.getstate(), np.random.get_state()[1].tobytes(), np.geterr(), threading.active_count()
