"""Does a function pass only where somebody independent agrees and nobody disagrees?"""

from __future__ import annotations

from typing import Any

import pytest

from gradcheck.judge import Finding, Verdict, Worst, overall, witness_verdict
from gradcheck.judge.whole import mode_verdict

INDEPENDENT = frozenset({"engine", "differences", "torch"})


def finding(
    witness: str = "engine", mode: str = "reverse", verdict: str = "AGREES", quantity: str = "vjp:x", blame: str = "",
    compared: int = 10, undecided: int = 0, error: float = 1.0, reason: str = "because",
    inaccurate: int = 0, uncovered: int = 0,
) -> Finding:  # fmt: skip
    worst = Worst(quantity, (), 0, "drawn", {}, {}, (), error, 0.0) if mode else None
    return Finding(
        witness, mode, Verdict(verdict), reason, compared, undecided, 0, blame, worst,
        inaccurate=inaccurate, uncovered=uncovered,
    )  # fmt: skip


def whole(*findings: Finding, quantities: Any = ("vjp:x",)) -> tuple[str, bool, str]:
    result = overall(findings, INDEPENDENT, quantities)
    return result.verdict.value, result.passed, result.blame


def test_agreement_passes() -> None:
    assert whole(finding(), finding("differences")) == ("AGREES", True, "")
    assert overall([finding(), finding("differences")], INDEPENDENT, ["vjp:x"]).sentence == (
        "engine and differences agree with the claim"
    )


def test_one_disagreement_fails_whatever_the_others_say() -> None:
    wrong = finding("torch", verdict="DISAGREES", blame="torch reverse")
    assert whole(finding(), finding("differences"), wrong) == ("DISAGREES", False, "torch reverse")
    assert whole(finding(mode="value", verdict="DISAGREES", blame="engine value"), finding()) == (
        "DISAGREES", False, "engine value",
    )  # fmt: skip


def test_the_one_blamed_most_often_is_blamed() -> None:
    wrong = [finding(w, verdict="DISAGREES", blame=b) for w, b in (("engine", "claim"), ("torch", "torch reverse"))]
    assert whole(*wrong, finding("differences", verdict="DISAGREES", blame="claim"))[2] == "claim"
    assert whole(finding(verdict="DISAGREES", blame="undetermined")) == ("DISAGREES", False, "undetermined")
    undetermined = [finding(verdict="DISAGREES", blame="undetermined") for _ in range(3)]
    assert whole(*undetermined, wrong[0])[2] == "claim"


def test_the_finding_shown_is_of_the_blamed_and_the_worst() -> None:
    findings = [
        finding("torch", verdict="DISAGREES", blame="torch reverse", error=1e9),
        finding("engine", verdict="DISAGREES", blame="claim", error=5.0),
        finding("engine", verdict="DISAGREES", blame="claim", error=7.0),
        finding("engine", mode="forward", verdict="DISAGREES", blame="claim", error=1e6),
    ]
    assert overall(findings, INDEPENDENT, ["vjp:x"]).finding is findings[2]


def test_a_crash_fails() -> None:
    crash = finding("torch", "", "CRASHED")
    assert whole(finding(), crash) == ("CRASHED", False, "torch")
    assert whole(crash, finding("engine", verdict="DISAGREES", blame="claim"))[0] == "DISAGREES"


@pytest.mark.parametrize(
    "findings",
    [
        [],
        [finding("example")],
        [finding("planted:zeros")],
        [finding(mode="value", quantity="value")],
        [finding("engine", "", "SILENT")],
        [finding(verdict="UNDECIDED", undecided=10)],
        [finding(quantity="vjp:y")],
        [finding(compared=10, undecided=6)],
    ],
)
def test_nothing_unchecked_looks_like_a_pass(findings: list[Finding]) -> None:
    assert whole(*findings) == ("UNWITNESSED", False, "")


def test_of_a_function_that_nothing_is_claimed_of_that_is_said() -> None:
    sentence = overall([finding(mode="value", quantity="value")], INDEPENDENT, ()).sentence
    assert sentence.startswith("no independent witness agrees with any derivative: none is claimed (")


def test_every_claimed_derivative_needs_its_witness() -> None:
    both = ("vjp:x", "vjp:y")
    assert whole(finding(), quantities=both)[0] == "UNWITNESSED"
    sentence = overall([finding()], INDEPENDENT, both).sentence
    assert sentence.startswith("no independent witness agrees with the claimed vjp:y")
    assert whole(finding(), finding("torch", quantity="vjp:y"), quantities=both)[0] == "AGREES"


def test_where_nothing_is_claimed_nothing_is_witnessed() -> None:
    assert whole(finding(), quantities=())[:2] == ("UNWITNESSED", False)


def test_lost_digits_pass_and_are_said() -> None:
    assert whole(finding(), finding("torch", verdict="INACCURATE", blame="torch reverse")) == (
        "INACCURATE", True, "torch reverse",
    )  # fmt: skip


def test_lost_digits_witness_nothing() -> None:
    assert whole(finding("torch", verdict="INACCURATE", inaccurate=2))[:2] == ("UNWITNESSED", False)
    assert whole(finding("torch", verdict="INACCURATE", inaccurate=1))[:2] == ("INACCURATE", True)


def test_a_component_that_is_never_decided_is_not_witnessed() -> None:
    assert whole(finding(uncovered=1))[0] == "UNWITNESSED"
    assert whole(finding(uncovered=1), finding("torch"))[0] == "AGREES"


def test_too_many_undecided_numbers_are_no_agreement() -> None:
    assert whole(finding(compared=100, undecided=11))[0] == "UNWITNESSED"
    assert whole(finding(compared=100, undecided=10))[0] == "AGREES"


def test_a_mode_over_several_cases() -> None:
    undecided = finding(verdict="UNDECIDED", compared=4, undecided=4)
    assert mode_verdict([finding(), undecided]) is Verdict.AGREES
    assert mode_verdict([finding(compared=3), undecided]) is Verdict.UNDECIDED
    assert mode_verdict([undecided]) is Verdict.UNDECIDED
    assert mode_verdict([finding(), finding(verdict="DISAGREES")]) is Verdict.DISAGREES
    assert mode_verdict([finding(mode="", verdict="SILENT")]) is Verdict.SILENT


@pytest.mark.parametrize(
    ("verdicts", "want"),
    [
        ({"value": "AGREES"}, "UNDECIDED"),
        ({"value": "AGREES", "reverse": "AGREES"}, "AGREES"),
        ({"reverse": "AGREES", "forward": "DISAGREES"}, "DISAGREES"),
        ({"value": "DISAGREES", "reverse": "AGREES"}, "DISAGREES"),
        ({"reverse": "UNDECIDED", "forward": "AGREES"}, "AGREES"),
        ({"reverse": "UNDECIDED"}, "UNDECIDED"),
        ({"second": "AGREES"}, "AGREES"),
        ({"": "SILENT"}, "SILENT"),
        ({"": "CRASHED"}, "CRASHED"),
    ],
)
def test_a_witness_over_its_modes(verdicts: dict[str, str], want: str) -> None:
    found = [finding(mode=m, verdict=v, undecided=10 * (v == "UNDECIDED")) for m, v in verdicts.items()]
    assert witness_verdict(found).value == want
