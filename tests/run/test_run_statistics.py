"""Does an outcome say what its points covered, which branches none of them took, and where nothing was tested?"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gradcheck.cases import Tally
from gradcheck.run import json_line, read_json, run_of, write_json
from gradcheck.run.outcome import Branch, Covered
from gradcheck.run.statistics import nothing_found
from tests.run.conftest import config

UNREACHABLE = """
reachable:
  inputs: {x: {shape: [n]}}
  value: where(x > 3, 2*x, x) + abs(x)
  derivative: {x: "where(x > 3, 2, 1) + sign(x)"}
  examples: [{x: [1, 7], value: [2, 21]}]
hidden:
  inputs: {x: {domain: "(-2, 2)"}}
  code: |
    if x > 500:
        return 3*x
    y = x
    while y > 400:
        y = y - 1
    return y if y < 300 else -y
  derivative: {x: "1 if x < 200 else 7"}
"""
UNTESTED = """
flat:
  inputs: {x: {domain: "(1, 2)"}}
  value: floor(x/10)
  derivative: {x: 0*x}
refused:
  inputs: {x: {domain: "(-1, 1), x > 2"}}
  value: 2*x
  derivative: {x: 2*ones_like(x)}
nearly:
  inputs: {x: {shape: [3], domain: "(-1, 1), min(x) > 0.6"}}
  value: sum(x)
  gradient: {x: ones_like(x)}
one_number:
  inputs: {x: {domain: "[2, 2]"}}
  value: x**2
  derivative: {x: 2*x}
"""


def test_a_branch_that_no_point_takes_is_named_with_its_line(judge):
    reachable, hidden = judge(UNREACHABLE)
    assert reachable.statistics.never == () and reachable.statistics.branches == 8
    assert set(hidden.statistics.never) == {
        Branch("", 1, "x > 500"), Branch("", 4, "y > 400"), Branch("", 6, "y >= 300"),
        Branch("derivative of x", 0, "x >= 200"),
    }  # fmt: skip
    assert hidden.statistics.branches == 8 and hidden.passed


def test_the_points_are_counted_by_where_they_came_from(judge):
    found = judge(UNREACHABLE)[0]
    told = found.statistics
    assert told.origins["example"] == 1 and told.origins["landmark"] and told.origins["drawn"]
    assert sum(told.origins.values()) + sum(told.narrow.values()) == found.points
    assert {"n": 2} in told.sizes and told.refused == {}
    covered = told.inputs["x"]
    assert covered.distinct > 20 and covered.low < 0 < 7 <= covered.high


@pytest.fixture(scope="module")
def untested(tmp_path_factory):
    from textwrap import indent

    from gradcheck.run import entries, outcomes
    from gradcheck.spec import load

    path = tmp_path_factory.mktemp("untested") / "a.grad.yaml"
    path.write_text("gradcheck: 1\nfunctions:\n" + indent(UNTESTED.strip("\n"), "  ") + "\n", encoding="utf-8")
    return {o.id: o for o in outcomes(entries([load(str(path))]), config())}


def test_a_function_that_nothing_happens_in_is_warned_of(untested):
    (warning,) = untested["flat"].statistics.warnings
    assert warning == "the function was 0, with no derivative but 0, wherever it was tried"
    assert untested["one_number"].statistics.warnings[0].startswith("x was 2 at every one of")
    assert untested["one_number"].statistics.inputs["x"] == Covered(1, 2.0, 2.0)


def test_a_domain_that_refuses_nearly_all_is_named_with_its_share(untested):
    (warning,) = untested["nearly"].statistics.warnings
    assert re.match(r"(9\d|100)% of the points drawn were refused by '\(-1, 1\), min\(x\) > 0.6' of x: an", warning)
    assert sum(untested["nearly"].statistics.refused.values()) == untested["nearly"].rejected


def test_where_all_points_are_refused_the_verdict_says_by_what(untested):
    refused = untested["refused"]
    assert refused.verdict == "UNWITNESSED" and not refused.passed
    assert refused.sentence == (
        "no point of the domain was found: of 288 drawn were refused 288 by '(-1, 1), x > 2' of x"
    )
    assert refused.statistics.warnings == (refused.sentence,)


def test_where_the_phases_give_no_point_no_domain_is_blamed():
    assert nothing_found(Tally()) == "no point was tried: the phases that are switched on give none"


def test_statistics_are_written_and_read_back_and_an_older_record_has_none(untested, tmp_path):
    run = run_of(list(untested.values()), config(), "gradcheck run", 1.0)
    write_json(run, tmp_path / "run.json")
    assert read_json(tmp_path / "run.json").outcomes[0].statistics == untested["flat"].statistics
    older = json.loads(Path(tmp_path / "run.json").read_text(encoding="utf-8"))
    for function in older["functions"]:
        del function["statistics"]
    (tmp_path / "older.json").write_text(json.dumps(older), encoding="utf-8")
    assert all(outcome.statistics is None for outcome in read_json(tmp_path / "older.json").outcomes)
    assert '"statistics"' in json_line(run.outcomes[0])


def test_a_claim_that_forgets_to_sum_over_repetitions_is_wrong(judge):
    (forgetful,) = judge("""
forgetful:
  inputs: {x: {shape: [n]}, y: {shape: [n or 1]}}
  value: sum(x*y)
  gradient: {x: y + 0*x, y: "x[:1] if y.shape[0] == 1 else x"}
""")
    assert forgetful.verdict == "DISAGREES" and forgetful.blame == "claim"
    sizes = forgetful.counterexample.sizes
    assert sizes["n"] == 2 and sizes["n or 1 of y"] == 1
    assert forgetful.domains["y"] == "shape (n or 1,), real"
