"""Do reports say how thoroughly a function was tried, and only where there is something to say?"""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from gradcheck.report import print_run, tried
from gradcheck.report.html import render
from gradcheck.run.outcome import Branch, Covered, Statistics

FULL = Statistics(
    origins={"example": 1, "landmark": 40, "drawn": 471}, narrow={"float32": 500}, drawn=600,
    refused={"'norm(x) > 0' of x": 88, "the function overflows": 1}, sizes=({"n": 3}, {"n": 1}),
    inputs={"x": Covered(1204, -9.5, 800.0), "k": Covered(1, 2.0, 2.0)}, branches=4, never=(), warnings=(),
)  # fmt: skip
LACKING = (Branch("", 0, "x > 800"), Branch("gradient of x", 0, "x < 0"), Branch("", 3, "n <= 1"))


def lacking(**changes):
    fields = {name: getattr(FULL, name) for name in FULL.__dataclass_fields__}
    return Statistics(**{**fields, "never": LACKING, **changes})


def printed(run, verbose=False):
    file = io.StringIO()
    print_run(run, Console(file=file, width=60), verbose)
    return file.getvalue()


def test_facts_of_a_function(make):
    assert tried.facts(make("f", statistics=FULL)) == (
        ("points", "1 example, 40 landmark, 471 drawn, 500 in float32 besides"),
        ("refused", "of 600 drawn, 88 by 'norm(x) > 0' of x, 1: the function overflows"),
        ("sizes", "n = 3; n = 1"),
        ("x", "1,204 numbers from -9.5 to 800"),
        ("k", "2 only"),
        ("branches", "all 4 taken"),
    )


def test_branches_that_were_not_taken_are_told_with_their_places(make):
    outcome = make("f", statistics=lacking())
    words = "`x > 800`, `x < 0` (gradient of x), `n <= 1` (line 3 of the code)"
    assert dict(tried.facts(outcome))["branches"] == f"1 of 4 taken; never: {words}"


def test_the_terminal_tells_what_was_not_taken_and_nothing_else(make, make_run):
    assert "no point took" not in printed(make_run(make("f", statistics=FULL)))
    text = printed(make_run(make("f", statistics=lacking(warnings=("x was 2 at every one of 9 points",)))))
    assert "\nf: x was 2 at every one of 9 points\nf: no point took `x > 800`, `x < 0` (gradient of x), " in text


def test_a_planted_error_is_told_of_on_request_only(make, make_run):
    planted = make("f", statistics=lacking(), expected={"verdict": "AGREES", "blame": ""})
    assert "no point took" not in printed(make_run(planted))
    assert "no point took" in printed(make_run(planted), verbose=True)


def test_many_remarks_are_cut_short(make, make_run):
    run = make_run(*[make(f"f{k}", statistics=lacking()) for k in range(14)])
    assert printed(run).count("no point took") == 9 and "5 more such remarks: --verbose shows all" in printed(run)
    assert printed(run, verbose=True).count("no point took") == 14


def test_the_page_tells_what_was_tried(make, make_run):
    pytest.importorskip("jinja2")
    page = render(make_run(make("f", statistics=lacking(warnings=("x was <2> everywhere",))), make("old")))
    assert page.count("<h3>What was tried</h3>") == 1
    assert "X was &lt;2&gt; everywhere." in page and "`x &gt; 800`" in page
