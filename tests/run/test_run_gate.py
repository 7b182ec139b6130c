"""May a run go through?"""

from __future__ import annotations

import pytest

from gradcheck.run import Outcome, exit_code


def outcome(passed: bool, verdict: str = "AGREES", blame: str = "") -> Outcome:
    return Outcome("f", "function", "a.grad.yaml", 1, "", (), passed, verdict, "", blame, None, {})


RIGHT = outcome(True)
PLANTED = outcome(True, "DISAGREES", "claim")
WRONG = outcome(False, "DISAGREES", "claim")
UNWITNESSED = outcome(False, "UNWITNESSED")
STALE = outcome(False, "AGREES")
LOST = outcome(False, "CRASHED", "worker")
OURS = outcome(False, "CRASHED", "gradcheck")


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([], 5),
        ([RIGHT], 0),
        ([RIGHT, PLANTED], 0),
        ([RIGHT, WRONG], 1),
        ([UNWITNESSED], 1),
        ([STALE], 1),
        ([WRONG, LOST], 2),
        ([LOST, OURS, WRONG], 3),
    ],
)
def test_exit_codes(found: list[Outcome], code: int):
    assert exit_code(found) == code
