"""What comes of one function: verdicts, counterexamples, deviations that are known, errors that are planted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gradcheck.judge import Number
from gradcheck.oracles import hearing
from gradcheck.run.failures.counterexample import sentence
from gradcheck.run.function import claimed_quantities


def test_a_right_function_passes(judge, sine):
    (outcome,) = judge(sine)
    assert (outcome.passed, outcome.verdict, outcome.blame) == (True, "AGREES", "")
    assert outcome.sentence == "engine and differences agree with the claim"
    assert outcome.power is not None
    assert 0 < outcome.power["median"] < 1e-6
    assert outcome.counterexample is None
    assert outcome.claims[0].text == "cos(x)"
    assert outcome.formula == "sin(x)"
    assert "value: sin(x)" in outcome.text


def test_a_wrong_claim_is_blamed_with_a_small_simple_point(judge, wrong_norm):
    (outcome,) = judge(wrong_norm)
    assert (outcome.passed, outcome.verdict, outcome.blame) == (False, "DISAGREES", "claim")
    found = outcome.counterexample
    assert found is not None
    assert found.sizes == {"n": 1}
    assert found.inputs == {"x": [1.0]}
    assert found.quantity == "vjp:x"
    assert found.numbers[0] == {"witness": "claim", "center": 2.0, "bar": found.numbers[0]["bar"], "kink": False}
    assert found.sentence == "at x = [1]: the vjp in x, element [0], is 2 by claim; 1 by engine reverse, differences"
    assert found.tangents == {}


def test_a_counterexample_along_a_direction_says_which(judge):
    (outcome,) = judge(
        """
    product:
      inputs: {x: {}, y: {}}
      value: x * y
      jvp: t_x * y - x * t_y
"""
    )
    found = outcome.counterexample
    assert found is not None
    assert found.quantity == "jvp"
    assert set(found.tangents) == {"x", "y"}
    assert ", t_x = " in found.sentence
    assert ", t_y = " in found.sentence
    x, y, t_x, t_y = (found.inputs["x"], found.inputs["y"], found.tangents["x"], found.tangents["y"])
    assert found.numbers[0]["center"] == t_x * y - x * t_y


def test_the_sentence_says_where_and_who_says_what():
    numbers = (Number("claim", 6.0, 0.0), Number("engine reverse", 1.0, 0.0), Number("differences", 1.0 + 1e-12, 1e-9))
    text = sentence({"x": [3.0, -0.5], "k": 2.0}, {"value": [1.0, 1.0]}, "vjp:x", (1,), numbers)
    assert text == "at x = [3, -0.5], k = 2: the vjp in x, element [1], is 6 by claim; 1 by engine reverse, differences"


@pytest.mark.parametrize(
    ("cotangent", "shown"),
    [({"value": [2.0]}, "ct = [2]"), ({"a": 1.0, "b": 0.5}, "ct_a = 1, ct_b = 0.5")],
)
def test_the_sentence_tells_a_cotangent_that_matters(cotangent, shown):
    text = sentence({"x": 1.0}, cotangent, "vjp:x", (), (Number("claim", float("nan"), 0.0),))
    assert text == f"at x = 1, {shown}: the vjp in x is nan by claim"


def test_a_wrong_worked_example_is_told_as_it_stands(judge):
    (outcome,) = judge(
        """
    printed:
      inputs: {x: {}}
      value: sin(x)
      gradient: {x: cos(x)}
      examples: [{x: 1.0, gradient: {x: 0.5430}, decimals: 4}]
"""
    )
    assert (outcome.verdict, outcome.blame) == ("DISAGREES", "example")
    assert outcome.counterexample is not None
    assert outcome.counterexample.inputs == {"x": 1.0}
    assert outcome.witnesses["example"].verdict == "DISAGREES"
    assert outcome.witnesses["engine"].verdict == "AGREES"


PLANTED = """
    square:
      inputs: {{x: {{}}}}
      value: x**2
      gradient: {{x: {claim}}}
      expect: {{verdict: DISAGREES, blame: {blame}}}
"""


def test_as_planted_passes(judge):
    (outcome,) = judge(PLANTED.format(claim="3*x", blame="claim"))
    assert outcome.passed
    assert (outcome.verdict, outcome.blame) == ("DISAGREES", "claim")
    assert outcome.expected == {"verdict": "DISAGREES", "blame": "claim"}
    assert "gradcheck run" in outcome.replay


@pytest.mark.parametrize(("claim", "blame"), [("2*x", "claim"), ("3*x", "engine")])
def test_not_as_planted_fails_and_says_what_was_wanted(judge, claim, blame):
    (outcome,) = judge(PLANTED.format(claim=claim, blame=blame))
    assert not outcome.passed
    assert outcome.sentence.startswith("wrong on purpose, but ")
    assert outcome.sentence.endswith(f"it must get DISAGREES with blame on {blame}")


KNOWN = """
    square:
      inputs: {x: {}}
      value: x**2
      gradient: {x: CLAIM}
      known: {torch: {verdict: DISAGREES, reason: it says zero to everything}}
"""


@pytest.fixture
def known(judge, monkeypatch):
    """Judges the square with the engine speaking for torch: honestly, or as a planted liar."""

    def known(claim: str, speaker: str):
        honest = hearing.Hearing.one

        def one(self, name: str):
            return replace(honest(self, speaker if name == "torch" else name), witness=name)

        monkeypatch.setattr(hearing.Hearing, "one", one)
        return judge(KNOWN.replace("CLAIM", claim), witnesses=("engine", "differences", "torch"))[0]

    return known


def test_a_known_deviation_that_shows_is_let_pass_and_noted(known):
    outcome = known("2*x", "planted:zeros")
    assert outcome.witnesses["torch"].verdict == "DISAGREES"
    assert (outcome.passed, outcome.verdict) == (True, "AGREES")
    assert outcome.notes == ("known deviation of torch: it says zero to everything",)


def test_a_known_deviation_that_does_not_show_is_stale(known):
    outcome = known("2*x", "engine")
    assert not outcome.passed
    assert outcome.verdict == "AGREES"
    assert outcome.sentence == "the known deviation of torch (DISAGREES) is stale: it is AGREES now"


def test_a_known_deviation_excuses_nobody_else(known):
    outcome = known("3*x", "planted:zeros")
    assert (outcome.passed, outcome.verdict, outcome.blame) == (False, "DISAGREES", "claim")


def test_a_known_deviation_of_a_witness_that_was_not_heard_is_not_stale(judge):
    (outcome,) = judge(KNOWN.replace("CLAIM", "2*x"))
    assert outcome.passed


def test_unwitnessed_where_all_independent_witnesses_are_silent(judge, sine, monkeypatch):
    monkeypatch.setattr(hearing, "installed", lambda name: False)
    (outcome,) = judge(sine, witnesses=("torch", "jax"))
    assert (outcome.passed, outcome.verdict) == (False, "UNWITNESSED")
    absent = "jax: jax is not installed; torch: torch is not installed"
    assert outcome.sentence == f"no independent witness agrees with the claimed vjp:x ({absent})"
    assert {w.verdict for w in outcome.witnesses.values()} == {"SILENT"}


def test_a_liar_is_no_independent_witness(judge, sine):
    (outcome,) = judge(sine, witnesses=("planted:mutates",))
    assert not outcome.passed


def test_the_right_claim_is_not_accused_where_one_witness_lies(judge, sine):
    (outcome,) = judge(sine, witnesses=("engine", "differences", "planted:sign"))
    assert (outcome.verdict, outcome.passed) == ("DISAGREES", False)
    assert outcome.blame.startswith("planted:sign")


def test_an_implementation_that_may_not_be_imported_crashes_and_fails(judge):
    (outcome,) = judge(
        """
    square:
      inputs: {x: {}}
      value: x**2
      gradient: {x: 2*x}
      implementations: {numpy: {value: "antigravity:geohash"}}
"""
    )
    assert outcome.verdict == "CRASHED"
    assert "is not in allow-imports" in outcome.witnesses["implementation:numpy"].reason


def test_refused_imports_are_a_stated_silence(judge):
    (outcome,) = judge(
        """
    square:
      inputs: {x: {}}
      value: x**2
      gradient: {x: 2*x}
      implementations: {numpy: {value: "antigravity:geohash"}}
""",
        allowed=None,
    )
    assert outcome.passed
    result = outcome.witnesses["implementation:numpy"]
    assert (result.verdict, result.reason) == ("SILENT", "imports are refused (--no-imports)")


@pytest.mark.parametrize(
    ("body", "quantities"),
    [
        ("inputs: {x: {}, y: {}}\nvalue: x*y\ngradient: {x: y, y: x}", ["vjp:x", "vjp:y"]),
        ("inputs: {x: {}}\nvalue: x**2\njvp: 2*x*t_x", ["jvp"]),
        (
            "inputs: {x: {}}\nvalue: {a: x**2, b: sin(x)}\njvp: {a: 2*x*t_x, b: cos(x)*t_x}",
            ["jvp[a]", "jvp[b]"],
        ),
        (
            "inputs: {x: {shape: [n]}}\nvalue: sum(x**2)\ngradient: {x: 2*x}\nhvp: {x: 2*t_x}",
            ["vjp:x", "hvp:x"],
        ),
    ],
)
def test_every_claimed_derivative_needs_a_witness(spec_of, body, quantities):
    assert claimed_quantities(spec_of(body)) == quantities
