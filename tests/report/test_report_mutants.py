"""Are the counts of mutants told so that nothing looks better than it is?"""

from __future__ import annotations

import pytest

from gradcheck.report.mutants import described, footnotes, headline, percent
from gradcheck.run.mutants.fates import Fate as F
from gradcheck.run.mutants.fates import Mutated, Mutation


def counted(**counts: int) -> Mutation:
    return Mutation("f", "a.grad.yaml", 1, counts=counts)


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({"killed": 3, "survived": 1}, "75.0 %"), ({"killed": 5}, "100.0 %"), ({"survived": 2}, "0.0 %"),
        ({"killed": 9999, "survived": 1}, "> 99.9 %"), ({"equivalent": 2, "malformed": 4}, "–"),
        ({"unwitnessed": 1, "survived": 1}, "50.0 %"),
    ],
)  # fmt: skip
def test_a_hundred_is_said_where_none_survived_only(counts: dict[str, int], text: str) -> None:
    assert percent(counted(**counts)).strip() == text


def test_what_is_not_counted_is_told() -> None:
    reasons = ["the same by algebra", "equal to 100 bits (32 points)", "equal to 100 bits (48 points)"]
    same = [Mutated("gradient of x", "sign", "x", "-x", "column 1", "-x", F.EQUIVALENT, reason) for reason in reasons]
    whole = Mutation(
        "all", "", 0, counts={"killed": 4, "equivalent": 3, "malformed": 2, "unwitnessed": 1}, mutants=tuple(same)
    )
    assert headline(whole, 1) == "5 of 5 wrong claims of 1 function are caught: 100.0 %; none survived"
    assert footnotes(whole, 2) == [
        "10 mutants, judged at 0 points of 0 cases in 0 s",
        "3 mean the same and are not counted: 2 equal to 100 bits; 1 the same by algebra",
        "2 are malformed (shapes that do not fit) and not counted",
        "1 of those caught is contradicted by nobody, but nobody agrees",
        "2 functions that are wrong on purpose were not mutated",
    ]


def test_a_long_formula_is_cut() -> None:
    text = described(Mutated("vjp of A", "transposed", "x" * 300, "y", "line 2, column 3", "y", F.SURVIVED))
    assert text.startswith("transposed: xxx") and "… → y in vjp of A, line 2, column 3" in text and len(text) < 130
