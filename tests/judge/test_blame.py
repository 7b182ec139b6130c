"""Is the one named who is wrong, and nobody where that cannot be known?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradcheck.judge import Number
from gradcheck.judge.blame import blame


def who(**said: float | tuple[float, float]) -> str:
    pairs = [(k.replace("_", " "), v if isinstance(v, tuple) else (v, 1e-9)) for k, v in said.items()]
    return blame([Number(name, center, bar) for name, (center, bar) in pairs]).who


def test_a_lying_claim() -> None:
    assert who(claim=2.0, engine_reverse=1.0, differences=1.0) == "claim"
    assert who(claim=2.0, engine_reverse=1.0, differences=(1.0, 0.1), torch_reverse=1.0, jax_reverse=1.0) == "claim"
    assert who(claim=np.nan, engine_reverse=1.0, differences=1.0) == "claim"
    assert who(claim=np.inf, engine_reverse=1.0, differences=1.0) == "claim"


@pytest.mark.parametrize("liar", ["engine_reverse", "differences", "torch_reverse", "jax_forward"])
@pytest.mark.parametrize("lie", [2.0, -1.0, np.nan, -np.inf])
def test_a_lying_witness(liar: str, lie: float) -> None:
    said = dict.fromkeys(["claim", "engine_reverse", "differences", "torch_reverse", "jax_forward"], 1.0)
    assert who(**{**said, liar: lie}) == liar.replace("_", " ")


def test_nobody_where_all_are_of_one_mind() -> None:
    assert who(claim=1.0, engine_reverse=1.0, differences=(1.05, 0.1)) == ""


def test_two_against_two() -> None:
    assert who(claim=2.0, torch_reverse=2.0, engine_reverse=1.0, jax_reverse=1.0) == "undetermined"


def test_one_against_one_and_three_of_three_minds() -> None:
    assert who(claim=2.0, engine_reverse=1.0) == "undetermined"
    assert who(claim=2.0, engine_reverse=1.0, torch_reverse=3.0) == "undetermined"


def test_two_modes_of_one_witness_are_one_party() -> None:
    assert who(claim=2.0, torch_reverse=1.0, torch_forward=1.0) == "undetermined"
    assert who(claim=2.0, torch_reverse=1.0, torch_forward=1.0, engine_reverse=2.0, jax_reverse=2.0) == "torch reverse"


def test_who_could_not_measure_supports_nobody() -> None:
    assert who(claim=2.0, engine_reverse=1.0, differences=(1.0, np.inf)) == "undetermined"
    assert who(claim=1.0, engine_reverse=1.0, differences=(np.nan, np.inf)) == ""


def test_a_wide_bar_supports_both_sides_and_decides_nothing() -> None:
    assert who(claim=2.0, engine_reverse=1.0, differences=(1.5, 1.0)) == "undetermined"


def test_two_wrong_ones_of_different_minds() -> None:
    said = {"claim": 5.0, "engine_reverse": 1.0, "differences": 1.0, "torch_reverse": 7.0}
    assert who(**said) == "claim"


@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_blame_has_no_scale(scale: float) -> None:
    bar = 1e-9 * scale
    assert who(claim=(2 * scale, bar), engine_reverse=(scale, bar), differences=(scale, bar)) == "claim"


def test_the_sentence_names_both_sides() -> None:
    names: Callable[[str, float], Number] = lambda name, x: Number(name, x, 0.0)  # noqa: E731
    sentence = blame([names("claim", 2.0), names("engine reverse", 1.0), names("differences", 1.0)]).sentence
    assert sentence == "engine reverse and differences agree, claim contradicts them"
