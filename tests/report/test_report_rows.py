"""Does a report count right, and does it notice a run that does not?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from gradcheck.report import headline, rows, sentence
from gradcheck.report.standing import Standing, label, standing
from gradcheck.run import WitnessResult


def test_verdict_sentence_of_a_mixed_run(run):
    assert sentence(run) == (
        "4 of 7 functions are right; 1 claim is disproved; 1 function crashed; 1 function is undecided; "
        "2 of 2 behaviours hold; 1 of 1 planted error is caught as stated"
    )


def test_silences_are_on_the_first_line(run):
    assert headline(run).endswith("; 5 of 40 answers are silent (differences 2, jax 3)")


def test_no_silence_is_said_too(make, make_run):
    assert headline(make_run(make("f"))) == "1 of 1 function is right; no witness is silent"


def test_nothing_checked_is_no_success(make_run):
    empty = make_run()
    assert headline(empty) == "Nothing was checked"
    assert rows.tone(empty) == "open"


@pytest.mark.parametrize(
    ("changes", "clause"),
    [
        ({"verdict": "DISAGREES", "blame": "claim"}, "1 claim is disproved"),
        ({"verdict": "DISAGREES", "blame": "torch reverse"}, "1 function has a witness that is wrong"),
        ({"verdict": "DISAGREES", "blame": "undetermined"}, "1 function is disputed with nobody to blame"),
        ({"verdict": "UNWITNESSED"}, "1 function is unwitnessed"),
        ({"verdict": "SILENT"}, "1 function is unwitnessed"),
        ({"verdict": "UNDECIDED"}, "1 function is undecided"),
        ({"verdict": "INACCURATE"}, "1 function is inaccurate"),
        ({"verdict": "CRASHED"}, "1 function crashed"),
        ({"verdict": "AGREES"}, "1 function failed"),
    ],
)
def test_each_way_to_fail_has_its_words(make, make_run, changes, clause):
    assert sentence(make_run(make("f"), make("g", passed=False, **changes))) == f"1 of 2 functions are right; {clause}"


def test_a_function_let_pass_without_agreement_is_not_called_right(make, make_run):
    odd = make("f", verdict="UNDECIDED", passed=True)
    assert standing(odd) is Standing.OPEN
    assert sentence(make_run(odd)) == "0 of 1 function is right; 1 function is undecided"
    assert rows.tone(make_run(odd)) == "open"


def test_planted_errors_pass_only_as_stated(caught_lie, make_run):
    assert (standing(caught_lie), label(caught_lie)) == (Standing.PLANTED, "as planted")
    missed = replace(caught_lie, passed=False, verdict="AGREES", blame="")
    assert (standing(missed), label(missed)) == (Standing.FAILED, "not as planted")
    assert sentence(make_run(caught_lie, missed)) == "1 of 2 planted errors are caught as stated"


def test_a_broken_behaviour(make, make_run):
    broken = make("accumulates", kind="semantics", passed=False, verdict="DISAGREES", blame="engine")
    assert label(broken) == "behaviour broken"
    assert sentence(make_run(broken)) == "0 of 1 behaviour holds"


def test_failed_first_then_right_then_planted(run):
    assert [(row.outcome.id, row.standing.value) for row in rows.matrix(run)] == [
        ("norm_by_mistake", "failed"),
        ("cholesky_trace", "failed"),
        ("steep_sigmoid", "failed"),
        ("log_times_sin", "right"),
        ("quadratic_form", "right"),
        ("digamma_sum", "right"),
        ("expm1_tail", "right"),
        ("accumulates", "right"),
        ("zeroed", "right"),
        ("norm_as_printed", "planted"),
    ]


def test_anchors_are_unique(run):
    anchors = [row.anchor for row in rows.matrix(run)]
    assert len(set(anchors)) == len(run.outcomes)


def test_cell_counts(run):
    assert [(tally.number, tally.name) for tally in rows.cell_counts(run)] == [
        ("24", "✓ agrees"),
        ("8", "✗ disagrees, 4 as planted"),
        ("1", "≈ inaccurate"),
        ("1", "? undecided"),
        ("5", "– silent"),
        ("1", "! crashed"),
    ]


def test_an_honest_summary_has_no_discrepancy(run):
    assert rows.discrepancies(run) == ()


def test_a_summary_over_functions_alone_is_honest_too(make, make_run):
    behaviour = make("b", kind="semantics")
    alone = make_run(make("f"))
    assert rows.discrepancies(replace(make_run(make("f"), behaviour), summary=alone.summary)) == ()


def test_planted_lie_a_silence_dropped_from_the_summary(run):
    lying = replace(run, summary=replace(run.summary, silent=4))
    assert rows.discrepancies(lying) == ("the summary says 4 silent, the outcomes say 5",)
    assert rows.tone(lying) == "failed"


@pytest.mark.parametrize(
    "key", ["functions", "cases", "points", "agrees", "disagrees", "inaccurate", "undecided", "crashed", "unwitnessed"]
)
def test_planted_lie_in_any_count(run, key):
    lying = replace(run, summary=replace(run.summary, **{key: getattr(run.summary, key) + 1}))
    assert len(rows.discrepancies(lying)) == 1


def test_planted_lie_a_failure_dropped(run):
    lying = replace(run, summary=replace(run.summary, failed_functions=0))
    assert rows.discrepancies(lying) == ("the summary says 0 failed functions, the outcomes say 3",)


def test_planted_lie_a_silent_witness_dropped_from_an_outcome(make, make_run):
    """The summary agrees with what is left, but the matrix has a hole: it is counted and shown."""
    whole = make("f")
    without = replace(whole, witnesses={k: v for k, v in whole.witnesses.items() if k != "jax"})
    hole = make_run(without)
    assert headline(hole) == "1 of 1 function is right; 1 of 4 answers was not asked for (jax 1)"
    assert rows.matrix(hole)[0].cells[-1].verdict == rows.NOT_ASKED
    assert [t.number for t in rows.cell_counts(hole) if t.name == "· not asked"] == ["1"]


def test_a_dtype_is_a_column_and_no_hole_where_a_spec_does_not_name_it(make, make_run):
    narrow, plain = make("narrow"), make("plain")
    told = WitnessResult("INACCURATE", "the value: 3 of 8 numbers lose digits", {"value": "INACCURATE"})
    narrow = replace(narrow, witnesses={**narrow.witnesses, "torch float32": told})
    run = make_run(narrow, plain)
    assert rows.columns(run)[-1] == "torch float32"
    cells = {row.outcome.id: row.cells[-1] for row in rows.matrix(run)}
    assert (cells["narrow"].verdict, cells["plain"].verdict) == ("INACCURATE", "")
    assert "not asked" not in headline(run)


def test_a_witness_that_the_run_does_not_name_is_seen(make, make_run):
    assert rows.columns(make_run(make("f"), witnesses=("torch",))) == ("torch", "engine", "differences", "jax")


def test_an_unknown_verdict_is_counted_and_not_good(make, make_run):
    odd = make("f")
    odd = replace(odd, witnesses={**odd.witnesses, "jax": replace(odd.witnesses["jax"], verdict="MAYBE")})
    tally = rows.cell_counts(make_run(odd))[-1]
    assert (tally.number, tally.name, tally.style) == ("1", "? maybe", "open")
