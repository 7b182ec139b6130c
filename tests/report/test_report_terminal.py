"""Does a person read the right words in a terminal, and the same ones in a log?"""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from gradcheck.report import Progress, explain, print_run

SMALL = """\
1 of 2 functions are right; 1 claim is disproved; no witness is silent

function         result           engine     differences  torch      jax
norm_by_mistake  claim disproved  disagrees  disagrees    disagrees  disagrees

norm_by_mistake: the claim is wrong
  at specs/seeds/demo.grad.yaml:12
  the claim is outside the bars of all four witnesses in 611 of 640 numbers
  in the vjp in x, element [0] at x = [3, 4]
  wrong: 6 (claim)
  right: 0.6000000000000000 ± 1e-16 (engine reverse, differences, torch reverse, jax reverse)
  engine disagrees: 0.6 against a claim of 6 (value agrees, reverse disagrees, forward disagrees, 640 numbers compared, 611 wrong)
  replay: gradcheck replay specs/seeds/demo.grad.yaml::norm_by_mistake --seed 0

16 cases, 1,024 points, 2.2 s in all, 1.5 s in witnesses; seed 0, profile default
"""  # noqa: E501


def printed(run, verbose=False, **options):
    file = io.StringIO()
    print_run(run, Console(file=file, **{"width": 60, **options}), verbose)
    return file.getvalue()


def test_plain_output_word_for_word(make, make_run, false_claim):
    assert printed(make_run(make("right_one"), false_claim)) == SMALL


def test_clean_run_is_two_lines(make, make_run):
    assert printed(make_run(make("f"))).split("\n\n") == [
        "1 of 1 function is right; no witness is silent",
        "8 cases, 512 points, 2.2 s in all, 1.5 s in witnesses; seed 0, profile default\n",
    ]


def test_first_line_counts_silences_and_verbose_shows_every_row(run):
    lines = printed(run, verbose=True).splitlines()
    assert "5 of 40 answers are silent" in lines[0]
    assert [line.split()[0] for line in lines[3:13]] == [
        "norm_by_mistake",
        "cholesky_trace",
        "steep_sigmoid",
        "log_times_sin",
        "quadratic_form",
        "digamma_sum",
        "expm1_tail",
        "accumulates",
        "zeroed",
        "norm_as_printed",
    ]


def test_a_lying_summary_is_told(run):
    assert "caution: the summary says 0 silent, the outcomes say 5" in printed(
        replace(run, summary=replace(run.summary, silent=0))
    )


def test_no_colour_code_in_a_log_and_some_in_a_terminal(run):
    assert "\x1b" not in printed(run)
    assert "\x1b" in printed(run, force_terminal=True, color_system="standard", legacy_windows=False, _environ={})


def test_every_explanation_fits_eight_lines_and_names_its_place(run):
    for outcome in run.outcomes:
        lines = explain(outcome).split("\n")
        assert len(lines) <= 8
        assert lines[0].startswith(outcome.id)
        assert lines[1] == f"  at {outcome.file}:{outcome.line}"
        assert lines[-1] == f"  replay: {outcome.replay}"


def test_the_cotangent_is_told_where_it_is_not_one(false_claim):
    def text(cotangent):
        found = replace(false_claim.counterexample, cotangent=cotangent)
        return explain(replace(false_claim, counterexample=found))

    assert "at x = [3, 4]\n" in text({"value": 1.0}) and "at x = [3, 4]\n" in text({})
    assert "at x = [3, 4], cotangent [1, 0]\n" in text({"value": [1.0, 0.0]})
    assert "at x = [3, 4], cotangent s = 0, t = [2]\n" in text({"s": 0.0, "t": [2.0]})


def test_a_witness_that_is_wrong_stands_against_the_rest(false_claim):
    numbers = [
        {"witness": "claim", "center": 0.6, "bar": 1e-16, "kink": False},
        {"witness": "torch reverse", "center": "NaN", "bar": 0.0, "kink": False},
        {"witness": "differences", "center": 0.61, "bar": "Infinity", "kink": False},
        {"witness": "jax reverse", "center": 0.6, "bar": 4e-16, "kink": False},
    ]
    found = replace(false_claim.counterexample, numbers=tuple(numbers))
    text = explain(replace(false_claim, blame="torch", counterexample=found))
    assert "norm_by_mistake: torch is wrong" in text
    assert "  wrong: NaN (torch reverse)" in text
    assert "  right: 0.6000000000000000 ± 1e-16 (claim, jax reverse)" in text


def test_without_blame_all_numbers_are_shown_and_none_called_right(false_claim):
    text = explain(replace(false_claim, blame="undetermined"))
    assert "contradict each other" in text
    assert "right:" not in text
    assert "claim 6, engine reverse 0.6" in text


def test_a_planted_error_that_was_missed(caught_lie):
    text = explain(replace(caught_lie, passed=False, verdict="AGREES", blame=""))
    assert "planted so that it gets DISAGREES blaming claim, but the verdict is AGREES" in text


def test_a_name_cannot_steer_the_terminal(make, make_run):
    evil = make("f\x1b[2J\r", passed=False, verdict="CRASHED", sentence="[red]boo[/red]\x07\nnext")
    text = printed(make_run(evil))
    assert not {"\x1b", "\r", "\x07"} & set(text)
    assert "[red]boo[/red]\ufffd\ufffdnext" in text


def test_an_output_that_cannot_hold_the_signs(make_run, false_claim):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    print_run(make_run(false_claim), Console(file=file, width=60))
    file.flush()
    assert b"right: 0.6000000000000000 ? 1e-16" in raw.getvalue()


def test_progress_in_a_log_tells_failures_as_they_come(run):
    file = io.StringIO()
    progress = Progress(Console(file=file, width=60))
    progress.start(len(run.outcomes))
    for outcome in run.outcomes:
        progress.outcome(outcome)
    assert file.getvalue().splitlines() == [
        "[5/10] steep_sigmoid: undecided",
        "[6/10] cholesky_trace: crashed",
        "[8/10] norm_by_mistake: claim disproved",
    ]
    progress.finish(run)
    assert file.getvalue().splitlines()[3].startswith("4 of 7 functions are right")


def test_progress_bar_in_a_terminal_ends(run):
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=80, _environ={"TERM": "xterm"})
    with pytest.raises(KeyboardInterrupt):
        interrupted(Progress(console), run)
    assert "1/10" in file.getvalue()
    assert file.getvalue().count("\x1b[?25l") == file.getvalue().count("\x1b[?25h") == 1  # the cursor is back


def interrupted(progress, run):
    with progress:
        progress.start(len(run.outcomes))
        progress.outcome(run.outcomes[0])
        raise KeyboardInterrupt
