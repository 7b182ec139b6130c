"""Does one entry's misfortune stay its own, in this process and in workers?"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gradcheck.oracles import implementations
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


def test_code_that_dies_or_hangs_is_a_crash_of_its_own_witness_only(write, light, fatal, monkeypatch):
    monkeypatch.setattr(implementations, "LIMIT", 1.0)
    monkeypatch.setattr(sys, "path", list(sys.path))
    found = list(outcomes(entries(load_many([write(DYING + SEVERAL)])), light(**fatal)))
    assert [o.verdict for o in found] == ["CRASHED", "CRASHED", "AGREES", "DISAGREES", "AGREES"]
    assert [o.blame for o in found[:2]] == ["implementation:numpy"] * 2
    assert found[0].witnesses["implementation:numpy"].reason == "ended the process (exit code 7) at point 1"
    hung = found[1].witnesses["implementation:numpy"].reason
    assert hung.startswith("does not come back: the limit is 1 s at point 1: File ")
    assert 'fatal.py", line 8 in hangs' in hung
    assert {o.witnesses[w].verdict for o in found[:2] for w in ("engine", "differences")} == {"AGREES"}
    assert exit_code(found) == 1


def test_a_worker_that_dies_or_hangs_costs_peoples_code_only(write, light, fatal, tmp_path: Path):
    """Two modules end or hold up the worker itself, which imports them; the third is called in a fork of its worker."""
    (tmp_path / "dying.py").write_text("import os\nos._exit(7)\n", encoding="utf-8")
    (tmp_path / "hanging.py").write_text("import time\ntime.sleep(600)\n", encoding="utf-8")
    called = DYING.partition("    hangs")[0].replace("dies:\n", "called:\n")
    text = DYING.replace("fatal:dies", "dying:f").replace("fatal:hangs", "hanging:f") + called + SEVERAL
    settings = {**fatal, "allowed": ("dying", "hanging", "fatal")}
    found = list(outcomes(entries(load_many([write(text)])), light(workers=2, timeout=8.0, **settings)))
    assert [o.id for o in found] == ["dies", "hangs", "called", "first", "second", "third"]
    assert [o.verdict for o in found] == ["CRASHED", "CRASHED", "CRASHED", "AGREES", "DISAGREES", "AGREES"]
    assert [o.witnesses["implementation:numpy"].reason for o in found[:3]] == [
        "the worker died (exit code 7)",
        "it took more than 8 s and was stopped",
        "ended the process (exit code 7) at point 1",
    ]
    assert {w.verdict for o in found[:3] for n, w in o.witnesses.items() if ":" not in n} == {"AGREES"}
    assert not any(o.passed for o in found[:3])


def test_a_worker_that_is_stopped_whatever_it_judges_costs_the_entry(write, light, fatal):
    """Where there is people's code, it is judged once more without it."""
    text = DYING.partition("    hangs")[0] + "    sine:\n      inputs: {x: {}}\n      value: sin(x)\n"
    work = entries(load_many([write(text + "      gradient: {x: cos(x)}\n")]))
    found = list(outcomes(work, light(workers=2, timeout=0.01, **fatal)))
    assert [(o.sentence, o.blame) for o in found] == [("it took more than 0.01 s and was stopped", "worker")] * 2
    assert exit_code(found) == 2  # could not judge


def test_one_entry_is_given_to_a_worker_too(write, light, fatal):
    work = entries(load_many([write("sine:\n  inputs: {x: {}}\n  value: sin(x)\n  gradient: {x: cos(x)}\n")]))
    (outcome,) = outcomes(work, light(workers=2, timeout=0.01))
    assert outcome.blame == "worker"


def test_what_numpy_was_told_about_nan_changes_no_verdict(judge):
    pole = "pole:\n  inputs: {x: {domain: '[0, 1]'}}\n  value: log(x)\n  gradient: {x: 1/x}\n"
    with np.errstate(all="raise"):
        strict = judge(pole)
    assert [without_times(o) for o in strict] == [without_times(o) for o in judge(pole)]
    assert strict[0].blame != "gradcheck"


def test_nothing_to_do_with_workers(light):
    assert list(outcomes([], light(workers=2))) == []


def test_code_that_leaves_is_a_crash_of_its_witness(write, light, fatal, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    found = list(
        outcomes(entries(load_many([write(DYING.split("    hangs")[0].replace("dies", "leaves"))])), light(**fatal))
    )
    assert [o.verdict for o in found] == ["CRASHED"]
    assert "raises SystemExit: good-bye" in found[0].sentence
    assert exit_code(found) == 1


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
