"""Are small planted errors caught and blamed? A sample; `benchmarks.verdicts.sensitivity` measures them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.verdicts import sensitivity
from gradcheck.spec import load_many

ROOT = Path(__file__).parents[2] / "specs" / "hard"
SAMPLE = ("gaussian_to_its_tails", "sixteen_powers_of_ten", "chirp", "narrow_clamp", "logarithm_of_a_huge_sum")


@pytest.fixture(scope="module")
def specs():
    return {spec.id: spec for file in load_many([str(ROOT)]) for spec in file.functions}


@pytest.mark.parametrize("name", SAMPLE)
def test_a_millionth_in_an_element_or_a_region_is_caught_and_blamed(name, specs):
    for (liar, place), found in sensitivity.trials(specs[name], 1, 1000, 1e-6).items():
        if place != "one number":
            assert found == (True, True), (liar, place)


@pytest.mark.parametrize("name", SAMPLE)
def test_without_an_error_nobody_is_accused(name, specs):
    found = sensitivity.trials(specs[name], 1, 200, 0.0)
    assert len(found) == 6
    assert not any(caught for caught, _ in found.values())


def test_a_claim_off_by_a_millionth_of_a_millionth_is_disproved(specs):
    assert sensitivity.disproved(specs["chirp"], 0, 32, 1e-12) == "an error"
    assert sensitivity.disproved(specs["chirp"], 0, 32, 0.0) == "missed"  # a right one


def test_an_error_below_the_claims_own_rounding_is_an_error(specs):
    assert sensitivity.disproved(specs["beats"], 0, 32, 1e-12) == "an error"
