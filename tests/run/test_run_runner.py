"""Does one entry's misfortune stay its own, in this process and in workers?"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gradcheck.run import entries, exit_code, function, outcomes
from gradcheck.run.plain import plain
from gradcheck.run.runner import prepare
from gradcheck.spec import load_many

SEVERAL = """
    first:
      inputs: {x: {}}
      value: x**2
      gradient: {x: 2*x}
    second:
      inputs: {x: {}}
      value: sin(x)
      gradient: {x: sin(x)}
    third:
      inputs: {x: {shape: [n]}}
      value: exp(x)
      derivative: {x: value}
"""
DYING = """
    dies:
      inputs: {x: {}}
      value: x**2
      gradient: {x: 2*x}
      implementations: {numpy: {value: "fatal:dies"}}
    hangs:
      inputs: {x: {}}
      value: x**2
      gradient: {x: 2*x}
      implementations: {numpy: {value: "fatal:hangs"}}
"""
MODULE = """
import os, sys, time

def dies(x):
    os._exit(7)

def hangs(x):
    time.sleep(600)

def leaves(x):
    sys.exit("good-bye")
"""


def without_times(outcome):
    record = plain(outcome)
    return {**record, "seconds": 0, "seconds_in_witnesses": 0, "witnesses": _untimed(record["witnesses"])}


def _untimed(witnesses):
    return {name: {**result, "seconds": 0} for name, result in witnesses.items()}


@pytest.fixture
def fatal(tmp_path: Path) -> dict[str, object]:
    """A module under test that takes its process with it."""
    (tmp_path / "fatal.py").write_text(MODULE, encoding="utf-8")
    return {"allowed": ("fatal",), "python_path": (str(tmp_path),)}


def test_entries_stand_in_the_order_of_files_and_lines(write):
    write(SEVERAL, "b.grad.yaml")
    Path("a.grad.yaml").write_text(
        "gradcheck: 1\nsemantics:\n  behaves:\n    steps:\n      - tensor: {w: [1.0]}\n"
        "      - expect: {requires_grad: {w: true}}\n"
        "functions:\n  late:\n    inputs: {x: {}}\n    value: x\n    gradient: {x: 1}\n",
        encoding="utf-8",
    )
    assert [e.id for e in entries(load_many(["."]))] == ["behaves", "late", "first", "second", "third"]


def test_outcomes_come_in_order_and_as_soon_as_they_are_there(write, light):
    stream = outcomes(entries(load_many([write(SEVERAL)])), light())
    assert next(stream).id == "first"
    assert [o.id for o in stream] == ["second", "third"]


def test_a_fault_of_our_own_is_an_outcome_and_the_run_goes_on(judge, monkeypatch):
    honest = function.plot_of

    def broken(spec):
        if spec.id == "second":
            raise ZeroDivisionError("a bug")
        return honest(spec)

    monkeypatch.setattr(function, "plot_of", broken)
    found = judge(SEVERAL)
    assert [o.verdict for o in found] == ["AGREES", "CRASHED", "AGREES"]
    assert found[1].sentence == "gradcheck failed: ZeroDivisionError: a bug"
    assert (found[1].blame, found[1].passed) == ("gradcheck", False)
    assert set(found[1].witnesses) == {"engine", "differences"}
    assert exit_code(found) == 3


def test_workers_give_the_same_outcomes_in_the_same_order(write, light):
    work = entries(load_many([write(SEVERAL)]))
    alone = [without_times(o) for o in outcomes(work, light())]
    assert [without_times(o) for o in outcomes(work, light(workers=2))] == alone
    assert [o["passed"] for o in alone] == [True, False, True]


def test_a_worker_that_dies_or_hangs_costs_its_own_entry_only(write, light, fatal):
    work = entries(load_many([write(DYING + SEVERAL)]))
    found = list(outcomes(work, light(workers=2, timeout=8.0, **fatal)))
    assert [o.id for o in found] == ["dies", "hangs", "first", "second", "third"]
    assert [o.verdict for o in found] == ["CRASHED", "CRASHED", "AGREES", "DISAGREES", "AGREES"]
    assert found[0].sentence == "the worker died (exit code 7)"
    assert found[1].sentence == "it took more than 8 s and was stopped"
    assert {o.blame for o in found[:2]} == {"worker"}
    assert "implementation:numpy" in found[0].witnesses
    assert exit_code(found) == 2  # outranks the wrong claim of `second`


def test_one_entry_is_given_to_a_worker_too(write, light, fatal):
    work = entries(load_many([write(DYING.split("    hangs")[0])]))
    (outcome,) = outcomes(work, light(workers=2, **fatal))
    assert outcome.blame == "worker"


def test_what_numpy_was_told_about_nan_changes_no_verdict(judge):
    pole = "pole:\n  inputs: {x: {domain: '[0, 1]'}}\n  value: log(x)\n  gradient: {x: 1/x}\n"
    with np.errstate(all="raise"):
        strict = judge(pole)
    assert [without_times(o) for o in strict] == [without_times(o) for o in judge(pole)]
    assert strict[0].blame != "gradcheck"


def test_nothing_to_do_with_workers(light):
    assert list(outcomes([], light(workers=2))) == []


def test_code_that_ends_the_process_is_lost_without_workers_too(write, light, fatal, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    found = list(
        outcomes(entries(load_many([write(DYING.split("    hangs")[0].replace("dies", "leaves"))])), light(**fatal))
    )
    assert [o.verdict for o in found] == ["CRASHED"]
    assert exit_code(found) == 2


def test_folders_of_modules_are_found_first_where_something_may_be_imported(light, monkeypatch, tmp_path: Path):
    monkeypatch.setattr(sys, "path", ["elsewhere"])
    monkeypatch.setattr(os, "environ", dict(os.environ))
    folders = (str(tmp_path / "a"), str(tmp_path / "b"))
    for nothing in (None, ()):  # refused, or nothing named: no folder may take a library's place
        prepare(light(python_path=folders, allowed=nothing))
        assert sys.path == ["elsewhere"]
    for _ in range(2):  # twice is once
        prepare(light(python_path=folders, allowed=("mypkg",)))
        assert sys.path == [*folders, "elsewhere"]


def test_failures_are_kept_where_the_run_is_told_to(write, light, tmp_path: Path):
    work = entries(load_many([write(SEVERAL)]))
    kept = list(outcomes(work, light(store=str(tmp_path / "kept"))))
    (path,) = (tmp_path / "kept").iterdir()
    assert kept[1].replay == f"gradcheck replay {path.stem}"
    unkept = list(outcomes(work, light()))
    assert unkept[1].replay == "gradcheck run a.grad.yaml -k second --seed 0 --profile light"
    assert without_times(replace(kept[1], replay="")) == without_times(replace(unkept[1], replay=""))
