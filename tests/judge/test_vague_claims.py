"""Can a claim pass by being vague? Wrong claims that hide in their own rounding, in at_kinks, or in one component."""

from __future__ import annotations

import pytest

from gradcheck.run import Config, Profile
from gradcheck.run.function import judge_function

CONFIG = Config(witnesses=("engine", "differences"), profile=Profile("test", 2, 1, 128), store=None)

WRONG = {
    "a component whose claim has an unbounded bar": (
        'inputs: {x: {shape: [2], domain: "(1, 2)"}}\n'
        "value: concat([x[:1]**2, x[1:]**2], axis=0)\n"
        "derivative: {x: 'concat([2*x[:1], 5*x[1:] + sqrt(1.1*x[1:] - 1.1*x[1:])], axis=0)'}"
    ),
    "a region whose claim has an unbounded bar": (
        "inputs: {x: {}}\nvalue: x**2\nderivative: {x: 'where(x > 1, 3*x + sqrt(x*1.1 - x*1.1), 2*x)'}"
    ),
    "a claim that has lost all digits": (
        'inputs: {x: {domain: "(0, 10)"}}\nvalue: x**2\n'
        "derivative: {x: '2*x + where(x < 4, 1, 0)*x*((x + 1e17) - 1e17 - x)'}"
    ),
    "a convention that holds everywhere": (
        "inputs: {x: {}}\nvalue: x**2\nderivative: {x: 7*x}\nat_kinks: {'x == x': {x: 2*x}}"
    ),
    "an overflow far out": "inputs: {x: {}}\nvalue: softplus(x)\nderivative: {x: exp(x)/(1 + exp(x))}",
    "a threshold among many numbers": (
        "inputs: {x: {}}\nvalue: 1.1*x + 1.2*x**2 + 1.3*x**3 + 1.4*x**4 + 0.7*sin(x) + 0.6*cos(x)\n"
        "derivative: {x: '1.1 + 2.4*x + 3.9*x**2 + 5.6*x**3 + 0.7*cos(x) - 0.6*sin(x) + where(x > 1000, 1, 0)*x'}"
    ),
    "size one only": "inputs: {x: {shape: [n]}}\nvalue: sum(x**2)\ngradient: {x: '2*x if n > 1 else 3*x'}",
    "a tie counted twice": "inputs: {x: {shape: [3]}}\nvalue: max(x)\ngradient: {x: 'where(x == value, 1, 0)'}",
    "a tie counted twice in a vjp": "inputs: {x: {shape: [3]}}\nvalue: max(x)\nvjp: {x: 'ct*where(x == value, 1, 0)'}",
}

RIGHT = {
    "the determinant of singular matrices": (
        "inputs: {A: {shape: [2, 2]}}\nvalue: det(A)\n"
        "gradient: {A: 'stack([stack([A[1, 1], -A[1, 0]], axis=0), stack([-A[0, 1], A[0, 0]], axis=0)], axis=0)'}"
    ),
    "a derivative that is zero everywhere but for rounding": (
        "inputs: {x: {shape: [1]}}\nvalue: sum(softmax(x, axis=0))\ngradient: {x: 0*x}"
    ),
    "conventions inside the hull": "inputs: {x: {}}\nvalue: abs(x)\nderivative: {x: 'where(x < 0, -1, 1)'}",
    "digits lost at a few points": (
        'inputs: {x: {domain: "(-3, 3)"}}\nvalue: cosh(x)\nderivative: {x: (exp(x) - exp(-x))/2}'
    ),
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG.keys())
def test_no_wrong_claim_passes_by_being_vague(body, spec_of):
    outcome = judge_function(spec_of(body), CONFIG)
    assert not outcome.passed, outcome.sentence


@pytest.mark.parametrize("body", RIGHT.values(), ids=RIGHT.keys())
def test_right_claims_pass_beside_them(body, spec_of):
    outcome = judge_function(spec_of(body), CONFIG)
    assert outcome.passed, outcome.sentence
