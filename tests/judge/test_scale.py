"""Are verdicts and blame the same in all units? A sample; `python -m benchmarks.verdicts.scale` takes them all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.verdicts import scale
from benchmarks.verdicts.rewritten import scaled_case, scaled_spec
from benchmarks.verdicts.trial import questions
from gradcheck.judge import Verdict, judge
from gradcheck.judge.budgets import BUDGETS
from gradcheck.oracles import Hearing, Inquiry, claim
from gradcheck.spec import load_many

ROOT = Path(__file__).parents[2] / "specs"
WITNESSES = ("engine", "differences")
CORNERS = ((1e-20, 2.0**-66), (1e20, 2.0**66))  # gradients times 1e-40 and 1e40
SAMPLE = {  # file -> functions
    "seeds/001_torch_autograd": ("s001a_euclidean_norm",),
    "seeds/004_getting_familiar": ("s004c_doubled_until_large",),
    "hard/steep": ("gaussian_to_its_tails", "cold_fermi_step"),
    "hard/scales": ("sixteen_powers_of_ten", "attraction_of_masses"),
    "hard/pieces": ("clamped_cube", "weights_by_rank", "middle_of_five"),
    "hard/sums": ("norm_near_its_tip", "cross_entropy_at_the_edge"),
    "hard/nearly_singular": ("determinant_near_rank_one",),
    "planted/formulas": ("planted_small_is_not_zero", "planted_ties", "planted_hvp", "planted_example", "planted_loop"),
    "planted/implementations": ("planted_wrong_value", "planted_stale_accumulation"),
}
NAMES = {name: file for file, names in SAMPLE.items() for name in names}


def spec_named(name):
    file = load_many([str(ROOT / f"{NAMES[name]}.grad.yaml")])[0]
    return next(spec for spec in file.functions if spec.id == name)


@pytest.mark.parametrize("name", NAMES)
def test_no_unit_changes_a_verdict_or_blame(name, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "planted"))
    assert list(scale.changes(spec_named(name), WITNESSES, 32, CORNERS)) == []


def test_what_is_rewritten_is_another_function_with_its_own_claims():
    spec = spec_named("planted_hvp")
    case = questions(spec, 0, 1, 8)[0].case
    other = scaled_case(case, scaled_spec(spec, 4.0, 8.0), 8.0)
    before, after = (claim.testify(Inquiry(c)) for c in (case, other))
    assert np.array_equal(other.inputs["x"] * 8, case.inputs["x"])
    assert np.array_equal(after["value"].center, 4 * before["value"].center)
    assert np.array_equal(after["vjp:x"].center, 32 * before["vjp:x"].center)
    assert np.array_equal(after["hvp:x"].center, 32 * before["hvp:x"].center)  # its tangents are an eighth


def test_a_verdict_with_an_absolute_floor_would_be_seen(monkeypatch):
    """A judge that takes what is below 1e-12 for zero."""
    floored = {"float64": replace(BUDGETS["float64"], underflow=1e-12)}
    monkeypatch.setattr("gradcheck.judge.compare.BUDGETS", floored)
    assert list(scale.changes(spec_named("planted_hvp"), WITNESSES, 32, CORNERS[:1])) != []


def test_who_has_no_subnormal_numbers_is_held_to_what_it_can_hold(spec_of, case_at):
    """XLA sets exp(-740) to zero and then multiplies: 0 for 4e-302. Of PyTorch, which has them, that is wrong."""
    case = case_at(spec_of("inputs: {x: {}}\nvalue: 1e20*exp(x)\nderivative: {x: value}"), ct=[1.0], x=[-740.0])
    hearing = Hearing(Inquiry(case))
    known = dict(hearing.all(["certified", "engine"]))
    told = {}
    for name in ("torch", "jax"):
        zero = hearing._barred(name, lambda: {"vjp:x": np.zeros(1)})
        told[name] = {f.verdict for f in judge(case, known | {name: zero}) if f.witness == name}
    assert told["torch"] == {Verdict.DISAGREES}
    assert Verdict.DISAGREES not in told["jax"]
    assert not hearing.one("jax").answers["vjp:x"].center.any()  # so it is, and not only here


def test_nobody_is_asked_of_a_number_that_it_cannot_hold(spec_of, case_at, judged):
    """To XLA 5e-324 is zero, where relu has another slope; PyTorch is asked as ever."""
    spec = spec_of("inputs: {x: {}}\nvalue: relu(x)\nderivative: {x: 'where(x > 0, 1, 0)'}")
    told = judged(case_at(spec, ct=[1.0, 1.0], x=[5e-324, 2.0]), ["certified", "torch", "jax"])
    assert told["torch", "reverse"].undecided == 0
    assert told["jax", "reverse"].undecided == 1
    assert told["jax", "reverse"].verdict is not Verdict.DISAGREES
