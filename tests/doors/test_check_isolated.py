"""Does code that crashes, hangs or leaves cost its own cell only? Whatever else is asked must be answered as before."""

from __future__ import annotations

import importlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import hostile
import numpy as np
import pytest

from gradcheck import Real, check
from gradcheck.errors import UsageError
from gradcheck.judge.cells import FAILING, CellFinding, Kind
from gradcheck.oracles.isolation import forked, waiting
from gradcheck.report.checked import Result
from gradcheck.run.check import isolated
from gradcheck.run.check.reaching import reaches

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
    assert of("zero", result).seen.cotangent == [0.0, 0.0]  # what it was handed there
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


@pytest.mark.parametrize("deed", sorted(hostile.HERE, key=called), ids=called)
def test_what_raises_costs_its_cell_in_this_process_too(deed: Callable[[], None], honest: Result) -> None:
    result = judged(hostile.rule(deed), isolate=False)
    assert of("zero", result).kind is Kind.CRASHED
    assert hostile.CRASHING[deed] in of("zero", result).sentence
    assert without("zero", result) == without("zero", honest)


def test_where_ctrl_c_is_ignored_an_interrupt_is_the_codes_own(honest: Result) -> None:
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a process that a shell started in the background
    try:
        result = judged(hostile.rule(hostile.interrupts), isolate=False)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert of("zero", result).sentence == "the vjp raises KeyboardInterrupt: "
    assert without("zero", result) == without("zero", honest)


@pytest.mark.parametrize("deed", [hostile.prints, hostile.changes_the_folder, hostile.seeds_everything], ids=called)
def test_what_spoils_no_number_is_set_back_in_this_process_too(
    deed: Callable[[], None], honest: Result, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state()
    result = judged(hostile.rule(deed), isolate=False)
    assert result.findings == honest.findings
    assert state() == before
    assert "xxx" not in capsys.readouterr().out


def test_a_call_that_comes_back_late_costs_its_cell_in_this_process_too(honest: Result) -> None:
    result = judged(hostile.rule(lambda: time.sleep(0.6)), isolate=False, time_limit=0.5)
    assert of("zero", result).sentence == "the vjp does not come back: the limit is 0.5 s"
    assert without("zero", result) == without("zero", honest)


def test_a_function_that_dies_at_some_points_is_judged_at_the_others() -> None:
    result = judged(hostile.sine_rule, hostile.sine_but_at_zero, points=16)
    told = of("value", result)
    assert (told.kind, result.verdict) == (Kind.CRASHED, "CRASHED")
    assert told.sentence.startswith("the function ended the process (exit code 9) (at x = [")
    assert of("reverse", result).kind is Kind.RIGHT and result.checked.points > 4


def test_a_function_that_hangs_beside_the_points_costs_the_slopes_only() -> None:
    inputs = [Real(2, usual=(0, 1))]
    result = check(hostile.sine_but_below_zero, inputs, vjp=hostile.sine_rule, **(OPTIONS | {"points": 12}))
    assert not result.passed
    assert {f.cell for f in result.findings if f.kind is Kind.CRASHED} <= {"value", "reverse"}
    assert of("mutation", result).kind is Kind.RIGHT


def test_a_rule_that_always_dies_leaves_a_whole_result(honest: Result) -> None:
    result = judged(hostile.dies_everywhere)
    crashed = {f.cell for f in result.findings if f.kind is Kind.CRASHED}
    assert crashed == {"reverse", "repeat", "mutation", "zero", "linear", "layout", "float32"}
    assert of("value", result).kind is Kind.RIGHT
    assert {f.cell for f in result.findings} == {f.cell for f in honest.findings}  # all that can be asked here
    assert not result.passed


@pytest.mark.parametrize(
    ("vjp", "fn", "cell", "kind"),
    [
        (hostile.strided, hostile.sine, "layout", Kind.CRASHED),
        (hostile.doubles_only, hostile.sine, "float32", Kind.CRASHED),
        (hostile.writes, hostile.sine, "mutation", Kind.WRONG),
    ],
)
def test_each_costs_its_own_cell(vjp: Any, fn: Any, cell: str, kind: Kind) -> None:
    result = judged(vjp, fn)
    assert of(cell, result).kind is kind
    assert {f.cell for f in result.findings if f.kind in FAILING} == {cell}


def test_global_random_numbers_are_noticed_and_left_as_they_were() -> None:
    before = state()
    result = judged(hostile.draws)
    assert of("repeat", result).kind is Kind.WRONG
    assert any("NumPy's global random numbers" in note for note in result.checked.notes)
    assert state() == before


def test_a_jvp_and_a_second_order_rule_that_die_cost_their_cells(honest: Result) -> None:
    result = judged(hostile.rule(), jvp=hostile.dies_everywhere, order=2, second=lambda i, ct, u: os._exit(5))
    crashed = {f.cell: f.sentence for f in result.findings if f.kind is Kind.CRASHED}
    assert set(crashed) == {"forward", "second"}
    assert crashed["forward"] == "the jvp ended the process (exit code 3)"
    assert "exit code 5" in crashed["second"]
    asked = {"forward", "adjoint", "second", "mixed"}  # more than of the honest one
    assert [f for f in result.findings if f.cell not in asked] == [f for f in honest.findings if f.cell not in asked]


def test_code_that_dies_of_precise_numbers_has_no_precise_witness() -> None:
    """Nobody wrote it for them: it is a silence, and no crash."""
    result = check(hostile.no_objects, [Real(2)], vjp=lambda i, ct: (ct * (1 - np.tanh(i[0]) ** 2),), points=24)
    assert result.verdict != "CRASHED", str(result)
    assert of("precision", result).kind is Kind.SILENT
    assert "SIGSEGV" in of("precision", result).sentence


def test_a_crash_is_told_with_the_place_in_the_code() -> None:
    result = judged(hostile.rule(hostile.segfaults))
    assert any("hostile.py" in note and "in segfaults" in note for note in result.checked.notes), result.checked.notes
    printed = judged(hostile.rule(lambda: (print("before it"), os._exit(1))))
    assert "zero: the vjp ended the process (exit code 1): before it" in printed.checked.notes


def test_nothing_is_left_running(tmp_path: Path) -> None:
    def deed() -> None:
        (tmp_path / str(os.getpid())).touch()
        if os.fork() == 0:
            (tmp_path / str(os.getpid())).touch()
        threading.Event().wait()

    result = judged(hostile.rule(deed))
    assert any("test_check_isolated.py" in note and "in deed" in note for note in result.checked.notes)
    pids = [path.name for path in tmp_path.iterdir()]
    assert len(pids) == 4  # two tries, each with a process of its own
    left = subprocess.run(["ps", "-o", "stat=", "-p", ",".join(pids)], capture_output=True, text=True, check=False)
    assert [state for state in left.stdout.split() if not state.startswith("Z")] == []


@pytest.fixture
def listening() -> Iterator[None]:
    """Ctrl-C is heard, also where these tests were started in the background."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("isolate", [True, False])
def test_the_users_own_interruption_ends_the_check(isolate: bool) -> None:
    """Also where the code catches KeyboardInterrupt, or raises one itself."""
    caller = os.getpid()

    def deed() -> None:
        os.kill(caller, signal.SIGINT)
        time.sleep(10)

    with pytest.raises(KeyboardInterrupt):
        judged(hostile.rule(deed), isolate=isolate, time_limit=20.0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_refusal_comes_out_as_it_is() -> None:
    with pytest.raises(UsageError, match=r"isolate is True, False or 'auto', not 'yes'"):
        judged(hostile.rule(), isolate="yes")
    with pytest.raises(ZeroDivisionError):
        check(hostile.sine, lambda rng: (rng.normal(size=2), 1 / 0)[:1] if rng.normal() else None,
              vjp=hostile.sine_rule)  # fmt: skip


def test_where_no_fork_runs_it_is_said(monkeypatch: pytest.MonkeyPatch, honest: Result) -> None:
    def broken(work: Any, slots: Any) -> Any:
        raise forked.NoFork("a fork of this process does not run")

    monkeypatch.setattr(isolated, "forked", broken)
    result = judged(hostile.rule())
    assert result.findings == honest.findings
    told = "it was not called in a process of its own: a fork of this process does not run"
    assert told in str(result)
    assert told not in str(judged(hostile.rule(), isolate=False))  # it was asked so
    monkeypatch.delattr(os, "fork")
    with pytest.raises(UsageError, match="isolate=True cannot be: this system has no fork"):
        judged(hostile.rule(), isolate=True)


def test_a_fork_that_comes_to_nothing_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forked, "_limited", lambda: os._exit(0))
    with pytest.raises(forked.NoFork):
        forked.forked(lambda: 1, forked.shared())


def test_what_is_called_in_a_fork_comes_back_or_raises() -> None:
    assert forked.forked(lambda: {"a": 1}, forked.shared()).answer == {"a": 1}
    with pytest.raises(RuntimeError, match="cannot be pickled here"):
        forked.forked(unpicklable, forked.shared())
    ended = forked.forked(lambda: os._exit(4), forked.shared()).answer
    assert ended == waiting.End("ended the process (exit code 4)", calling=False)


def unpicklable() -> None:
    error = RuntimeError("cannot be pickled here")
    error.held = lambda: None  # type: ignore[attr-defined]
    raise error


ELSEWHERE = ModuleType("elsewhere")  # a library that was used before, as JAX may have been


def named(x: Any) -> Any:
    return elsewhere.sin(x)  # type: ignore[name-defined]  # noqa: F821


class Holding:
    def __init__(self, held: Any) -> None:
        self.held = held

    def __call__(self, x: Any) -> Any:
        return self.held(x)


def test_which_libraries_a_callable_may_use() -> None:
    def closing(x: Any) -> Any:
        return ELSEWHERE.sin(x)  # type: ignore[attr-defined]

    used = [named, closing, Holding(closing), Holding(closing).__call__, partial(closing), lambda x: [closing(x)]]
    assert [reaches([fn], "elsewhere") for fn in used] == [True] * len(used)
    unused = [np.sin, hostile.sine, Holding(np.sin), partial(np.sum, axis=0), lambda x: np.linalg.norm(x)]
    assert [reaches([fn], "elsewhere") for fn in unused] == [False] * len(unused)


def test_what_a_fork_has_to_import_is_there_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch's compiler takes seconds to import; nothing of the code under test is imported here."""
    monkeypatch.delitem(sys.modules, "mpmath.tests", raising=False)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.delitem(sys.modules, "rules_by_hand", raising=False)

    def importing() -> list[bool]:
        found = [name in sys.modules for name in ("mpmath.tests", "rules_by_hand")]
        importlib.import_module("mpmath.tests")
        importlib.import_module("rules_by_hand")
        return found

    assert [forked.forked(importing, forked.shared()).answer for _ in range(2)] == [[False, False], [True, False]]


def test_a_function_is_not_called_outside_of_its_process() -> None:
    """Neither to see whether its numbers are complex: the first call of all ends the process."""
    result = judged(hostile.sine_rule, lambda x: os._exit(6))
    assert of("value", result).kind is Kind.CRASHED
    assert (result.verdict, result.checked.points) == ("CRASHED", 0)
    turned = check(lambda x: x * 1j, [Real(2)], vjp=lambda i, ct: (np.imag(ct),), isolate=True, **OPTIONS)
    assert turned.passed, str(turned)
    assert turned.checked.learnt.complex_outputs == (True,)


def test_what_the_function_itself_changes_is_set_back_in_this_process() -> None:
    """Also by its first call, which only looks whether its numbers are complex."""

    def seeding(x: Any) -> Any:
        hostile.seeds_everything()
        os.chdir("/")
        return np.sin(x)

    before = os.getcwd(), random.getstate(), np.random.get_state()[1].tobytes()
    result = judged(hostile.sine_rule, seeding, isolate=False)
    assert (os.getcwd(), random.getstate(), np.random.get_state()[1].tobytes()) == before
    assert "the code changes the working directory, Python's random numbers, NumPy's global random numbers" in str(
        result
    )
