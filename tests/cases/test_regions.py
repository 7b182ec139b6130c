"""Are bugs found that show in one region only, where uniform points miss them, and is the same rule right without?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from benchmarks.regions.faults import PLANTED
from benchmarks.regions.run import SPECS, configured, shown
from gradcheck.run.config import PROFILES
from gradcheck.spec import Spec, load

BUGS = (
    "ties_of_all", "inputs_alias", "two_zeros", "minus_zero", "subnormals", "end_of_the_domain", "tail_of_blocks_of_32",
    "one_row_of_several_columns", "transposed", "cotangent_tiny", "between_globals", "between_worked_out",
    "between_sums", "claim_of_long_ones",
)  # fmt: skip


@pytest.fixture(scope="module")
def specs() -> Iterator[dict[str, Spec]]:
    with np.errstate(all="ignore"):
        yield {s.id: s for s in load(str(SPECS)).functions}


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_in_one_region_is_found(specs: dict[str, Spec], name: str) -> None:
    assert shown(specs[name], configured(specs[name], PROFILES["default"], 7, ())) is not None


def test_uniform_points_miss_nearly_all_of_them(specs: dict[str, Spec]) -> None:
    found = [n for n in BUGS[1:6] if shown(specs[n], configured(specs[n], PROFILES["quick"], 7, ("uniform",)))]
    assert found == []


def test_each_phase_finds_its_own(specs: dict[str, Spec]) -> None:
    for name, phases in (("zero", ("landmarks",)), ("beyond_20", ("sweep",)), ("gaps", ("explore", "layouts"))):
        for asked, there in ((phases, True), (("explore",), name == "beyond_20")):
            finding = shown(specs[name], configured(specs[name], PROFILES["quick"], 7, asked))
            assert (finding is not None) is there, (name, asked)


def test_the_same_rules_are_right_without_their_faults(specs: dict[str, Spec], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PLANTED, "in", False)
    for name in ("two_zeros", "transposed", "between_sums"):
        assert shown(specs[name], configured(specs[name], PROFILES["quick"], 7, ())) is None
