"""Does the clouded namespace know what textbook slopes lose, and nothing more?"""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.oracles import Inquiry, engine

UNIT = 2.0**-53
NAIVE = {  # value -> (a framework's way of writing its slope, where it loses digits, and a way that keeps them)
    "tanh(x)": (lambda x: 1 - np.tanh(x) ** 2, (11.0, 13.0), lambda x: 1 / np.cosh(x) ** 2),
    "expm1(x)": (lambda x: np.expm1(x) + 1, (-26.0, -24.0), np.exp),
    "expit(x)": (lambda x: 1 / (1 + np.exp(-x)) * (1 - 1 / (1 + np.exp(-x))), (24.0, 26.0), lambda x: np.exp(-x)),
    "acosh(x)": (lambda x: 1 / np.sqrt(x * x - 1), (1 + 2e-8, 1 + 4e-8), lambda x: 1 / np.sqrt((x - 1) * (x + 1))),
    "asin(x)": (lambda x: 1 / np.sqrt(1 - x * x), (1 - 4e-8, 1 - 2e-8), lambda x: 1 / np.sqrt((1 - x) * (1 + x))),
}


def loss(case) -> np.ndarray:
    return engine.losses(Inquiry(case))["vjp:x"]


@pytest.mark.parametrize("value", NAIVE)
def test_a_naive_slope_loses_no_more_than_is_said_and_about_that(value, spec_of, case_at):
    naive, ends, right = NAIVE[value]
    x = np.random.default_rng(1).uniform(*ends, 50)
    spec = spec_of(f"inputs: {{x: {{domain: 'x > -90'}}}}\nvalue: {value}\ngradient: {{x: 0*x}}")
    said = loss(case_at(spec, ct=np.ones(50), x=x))
    seen = np.abs(naive(x) - right(x))
    assert (seen <= 16 * said).all()  # the judge's LOSS_UNITS
    assert seen.max() > said.max() / 64


@pytest.mark.parametrize(
    "value", ["sin(x)", "exp(x)", "x**3", "log(x)", "tanh(x)", "sqrt(x)*exp(-x)", "expn(3, x)", "polygamma(2, x)"]
)
def test_elsewhere_nothing_is_excused(value, spec_of, case_at):
    """Three digits above rounding at most, so that an error of 1e-6 stays an error."""
    spec = spec_of(f"inputs: {{x: {{domain: positive}}}}\nvalue: {value}\ngradient: {{x: 0*x}}")
    case = case_at(spec, ct=np.ones(6), x=[0.1, 0.4, 0.9, 1.3, 2.1, 3.7])
    slopes = engine.testify(Inquiry(case))["vjp:x"]
    assert (loss(case) <= 1000 * UNIT * np.abs(slopes.center)).all()


def test_its_numbers_are_the_engines(spec_of, case_at):
    spec = spec_of("inputs: {x: {shape: [3]}}\nvalue: sum(tanh(x)*exp(x))/norm(x)\ngradient: {x: x}\nhvp: {x: x}")
    inquiry = Inquiry(case_at(spec, x=[[0.3, -1.0, 2.0], [1.0, 5.0, 9.0]]))
    bars, losses = engine.testify(inquiry), engine.losses(inquiry)
    assert set(bars) == set(losses)
    for name, measured in bars.items():
        assert losses[name].shape == measured.bar.shape
        assert (losses[name] >= measured.bar * (1 - 1e-9)).all()  # what loses more than our rules, less a rounding
