"""Is a run written without loss, and are its counts those of its outcomes?"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import pytest

from gradcheck.errors import UsageError
from gradcheck.run import document, json_line, read_json, run_of, write_json
from gradcheck.run.plain import plain
from gradcheck.run.record import summary_of, versions

SUMMARY_KEYS = (
    "functions cases points agrees disagrees inaccurate undecided silent crashed unwitnessed failed_functions "
    "seconds seconds_in_witnesses"
).split()
FUNCTION_KEYS = set("id file line passed verdict witnesses worst power replay".split())


class _Colour(Enum):
    RED = "red"


@dataclass
class _Pair:
    a: float
    b: tuple[float, ...]


def test_plain_makes_numbers_strings_lists_and_dicts():
    value = {1: _Pair(1.5, (math.inf, -math.inf)), "c": _Colour.RED, "n": [math.nan, None, True, "x", 3]}
    assert plain(value) == {
        "1": {"a": 1.5, "b": ["Infinity", "-Infinity"]},
        "c": "red",
        "n": ["NaN", None, True, "x", 3],
    }
    json.dumps(plain(value), allow_nan=False)


def test_plain_names_a_class_not_its_fields():
    assert plain(_Pair) is _Pair


@pytest.fixture
def run(judge, light, sine, wrong_norm):
    text = (
        sine
        + wrong_norm
        + """
    logarithm:
      inputs: {x: {domain: "[1, 4]"}}
      value: log(x)
      gradient: {x: 1/x}
      examples: [{x: 1.0, value: 0.0}]
    caught:
      inputs: {x: {shape: [n]}}
      value: x**2
      derivative: {x: x}
      expect: {verdict: DISAGREES, blame: claim}
"""
    )
    return run_of(judge(text), light(), "gradcheck run a.grad.yaml", 1.25)


def test_what_is_written_is_read_back_equal(run, tmp_path: Path):
    path = tmp_path / "new" / "folder" / "run.json"
    write_json(run, path)
    assert read_json(path) == run
    assert [o.counterexample is not None for o in run.outcomes] == [False, True, False, True]
    assert run.outcomes[0].plot and run.outcomes[0].graph  # the richest parts were there to lose


def test_the_document_has_the_keys_that_are_promised(run):
    whole = document(run)
    assert list(whole["summary"]) == SUMMARY_KEYS
    for key in SUMMARY_KEYS[:-2]:
        assert type(whole["summary"][key]) is int, key
    assert all(set(f) >= FUNCTION_KEYS for f in whole["functions"])
    assert set(whole["functions"][0]["witnesses"]["engine"]) >= {"verdict", "reason"}


def test_counts_are_those_of_the_outcomes(run):
    summary = run.summary
    cells = [w.verdict for o in run.outcomes for w in o.witnesses.values()]
    assert summary.functions == 4
    assert summary.failed_functions == 1  # the one caught on purpose does not count
    assert summary.points == sum(o.points for o in run.outcomes) > 0
    assert summary.agrees == cells.count("AGREES") > 0
    assert summary.disagrees == cells.count("DISAGREES") == 4
    assert summary.seconds == 1.25
    assert summary.seconds_in_witnesses > 0
    verdicts = (summary.agrees, summary.disagrees, summary.inaccurate, summary.undecided, summary.silent)
    assert sum(verdicts) + summary.crashed == len(cells)


def test_an_empty_run_counts_nothing():
    assert set(vars_of(summary_of([], 0.0))) == {0}


def vars_of(summary) -> list[float]:
    return [getattr(summary, key) for key in SUMMARY_KEYS]


def test_a_line_is_one_line_and_one_outcome(run):
    lines = [json_line(outcome) for outcome in run.outcomes]
    assert not any("\n" in line for line in lines)
    assert [json.loads(line) for line in lines] == document(run)["functions"]


def test_versions_name_what_is_installed():
    found = versions()
    assert set(found) >= {"gradcheck", "python", "numpy", "scipy", "hypothesis"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not the JSON of a run: Expecting"),
        ("[]", "is not the JSON of a run: it has no 'gradcheck_run': 1"),
        ('{"gradcheck_run": 2}', "it has no 'gradcheck_run': 1"),
        ('{"gradcheck_run": 1}', "is not the JSON of a run: 'version'"),
        ("[" * 100_000, "is not the JSON of a run: "),
    ],
)
def test_what_is_no_run_is_refused(tmp_path: Path, text: str, message: str):
    path = tmp_path / "run.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="run.json") as caught:
        read_json(path)
    assert message in str(caught.value)


def test_a_function_of_the_wrong_form_is_refused(run, tmp_path: Path):
    whole = document(run)
    whole["functions"][0]["witnesses"] = ["engine"]
    path = tmp_path / "run.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(UsageError, match="is not the JSON of a run"):
        read_json(path)


def test_a_missing_file_and_an_impossible_place_are_refused(run, tmp_path: Path):
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_json(tmp_path / "none.json")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be written"):
        write_json(run, tmp_path / "file" / "run.json")
