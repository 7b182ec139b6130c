"""Do cells add up to the verdict that they deserve, and does nothing unchecked look like a pass?"""

from __future__ import annotations

from dataclasses import replace

from gradcheck.judge.cells import CellFinding, Kind, Seen, Tally, standing
from gradcheck.judge.finding import Verdict
from gradcheck.judge.telling import ONE_SIDED, interval, told_apart, told_wrong


def seen(numbers: int) -> Seen:
    return Seen("x", (0,), {"x": [1.0] * numbers}, [1.0], 2.0, 1.0, 0.0, "differences")


def finding(cell: str, kind: Kind) -> CellFinding:
    return CellFinding(cell, kind, "so it is")


def test_a_cell_is_right_only_where_something_was_decided() -> None:
    asked = Tally("reverse")
    assert asked.findings()[0].kind is Kind.SILENT
    asked.add(5, 5)
    assert asked.findings()[0].kind is Kind.UNMEASURED
    asked.add(5)
    assert asked.findings()[0].kind is Kind.RIGHT
    asked.uncovered = "no number of the gradient of y could be decided"
    assert asked.findings()[0].kind is Kind.UNMEASURED
    assert standing(asked.findings(), ["reverse"]).verdict is Verdict.UNWITNESSED


def test_what_is_wrong_hides_that_the_rest_is_right_and_is_shown_at_its_smallest() -> None:
    tally = Tally("reverse")
    tally.add(100)
    tally.show(Kind.WRONG, "at three", seen(3))
    tally.show(Kind.WRONG, "at one", seen(1))
    tally.show(Kind.WRONG, "at two", seen(2))
    (found,) = tally.findings()
    assert (found.kind, found.sentence, found.wrong, found.compared) == (Kind.WRONG, "at one", 3, 100)
    assert found.verdict is Verdict.DISAGREES


def test_remarks_fail_only_where_that_was_asked() -> None:
    for kind, verdict in (
        (Kind.INACCURATE, Verdict.INACCURATE), (Kind.NOT_SMOOTH, Verdict.AGREES), (Kind.OUTSIDE, Verdict.AGREES),
    ):  # fmt: skip
        findings = [finding("reverse", Kind.RIGHT), finding("precision", kind)]
        assert standing(findings, ["reverse"]).passed
        assert standing(findings, ["reverse"]).verdict is verdict
        assert not standing(findings, ["reverse"], strict=True).passed
    for kind, verdict in ((Kind.WRONG, Verdict.DISAGREES), (Kind.CRASHED, Verdict.CRASHED)):
        findings = [finding("reverse", Kind.RIGHT), finding("zero", kind)]
        assert standing(findings, ["reverse"]).verdict is verdict
        assert not standing(findings, ["reverse"]).passed


def test_a_skipped_question_is_no_answer() -> None:
    assert standing([finding("zero", Kind.RIGHT)], ["reverse"]).verdict is Verdict.UNWITNESSED
    for idle in ([], [finding("zero", Kind.SILENT)], [finding("zero", Kind.UNMEASURED)]):
        assert standing(idle, []).verdict is Verdict.UNWITNESSED and not standing(idle, []).passed
    assert standing([finding("zero", Kind.RIGHT), finding("kinks", Kind.SILENT)], []).passed
    assert standing([finding("reverse", Kind.SILENT)], ["reverse"]).verdict is Verdict.UNWITNESSED


def test_what_is_meant_is_told_and_fails_nothing() -> None:
    tally = Tally("reverse")
    tally.add(10)
    tally.show(Kind.WRONG, "the gradient of x[0] is 1, not 0", seen(1))
    tally.show(Kind.INACCURATE, "digits are lost", seen(1))
    tally.declare()
    (found,) = tally.findings()
    assert (found.kind, found.wrong) == (Kind.MEANT, 2)
    assert found.sentence == "the gradient of x[0] is 1, not 0 (the slope of the function's own values)"
    agreed = CellFinding("stated", Kind.RIGHT, "10 numbers agree")
    assert standing([found, agreed], ["stated"], strict=True).passed
    untold = Tally("reverse")
    untold.declare()
    assert [f.kind for f in untold.findings()] == [Kind.SILENT]


def test_numbers_and_places_as_people_read_them() -> None:
    assert told_apart(0.5, 0.25) == ("0.5", "0.25")
    assert told_apart(-0.0, 1e-14, 1e-12) == ("0", "0")
    assert told_apart(1.0, -2e-12, 1e-12) == ("1", "-2e-12")
    assert told_apart(float("nan"), 1.0, 1.0)[0] == "nan"
    assert told_apart(1.0, 1.0000000001) == ("1", "1.0000000001")
    assert seen(1).place == "x[0]"
    assert replace(seen(1), index=()).place == "x"
    assert replace(seen(1), along=(((0, 1), 1.0), ((1, 0), 1.0))).place == "x[0, 1] + x[1, 0]"
    assert replace(seen(1), along=(((1,), 0.5), ((0,), -1.0))).terms("g") == "0.5*g[1] - g[0]"


def test_at_a_kink_a_wrong_number_is_told_with_all_that_would_be_right() -> None:
    assert told_wrong(5.0, 0.5, 0.5 + 1e-12, ONE_SIDED) == "5, not 0 to 1"
    assert told_wrong(-2.0, 0.0, 1.0, ONE_SIDED) == "-2, not -1 to 1"
    assert told_wrong(1.0000001, 0.5, 0.5, ONE_SIDED) == "1.0000001, not 0 to 1"
    assert told_wrong(5.0, 3.0, 1e-9, ONE_SIDED) == "5, not 3"  # the pieces agree
    assert told_wrong(1.00001, 0.5, 0.5, ONE_SIDED) == "1.00001, not 0 to 1"
    assert told_wrong(5.0, 0.5, 0.5, "differences") == "5, not 0"
    assert told_wrong(float("nan"), 0.5, 0.5, ONE_SIDED) == "nan, not 0 to 1"
    assert interval(1.5, 1.5 + 1e-12) == ("0", "3")
    assert interval(0.25, 0.0) == ("0.25",)
