"""Does a stored failure become an example with the right numbers, and does all else in the file stay as it is?"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from gradcheck.errors import UsageError
from gradcheck.run.failures.promote import promote
from gradcheck.run.failures.store import Failure, load, save
from gradcheck.spec import load as load_file

FILE = Path("a.grad.yaml")


def kept(outcome, tmp_path: Path) -> Failure:
    path = save(outcome, tmp_path / "store")
    assert path is not None
    return load(path.stem, tmp_path / "store")


def test_the_right_numbers_are_written_and_the_wrong_claim_fails_at_them(judge, wrong_norm, light, tmp_path: Path):
    (outcome,) = judge(wrong_norm)
    before = FILE.read_text(encoding="utf-8")
    assert promote(kept(outcome, tmp_path), light()) == len(before.splitlines()) + 3
    after = FILE.read_text(encoding="utf-8")
    comment = "the vjp in x, element [0], is 2 by claim; 1 by engine reverse, differences"
    assert after == (
        f"{before}    examples:\n      # found by gradcheck, expected by certified: {comment}\n"
        "      - {x: [1], value: 1, gradient: {x: [1]}}\n"
    )
    (again,) = judge("\n".join(line[2:] for line in after.splitlines()[2:]))
    assert again.blame == "claim"
    assert again.witnesses["example"].verdict == "DISAGREES"
    (fixed,) = judge("\n".join(line[2:] for line in after.splitlines()[2:]).replace("2*x", "x / value"))
    assert (fixed.passed, fixed.witnesses["example"].verdict) == (True, "AGREES")


def test_how_the_numbers_lay_is_said_beside_the_example(judge, wrong_norm, light, tmp_path: Path):
    failure = dataclasses.replace(kept(judge(wrong_norm)[0], tmp_path), layout="gaps: x")
    promote(failure, light())
    assert "; with x given as every second number of a longer array, as an example is not\n" in FILE.read_text()


def test_it_is_written_once(judge, wrong_norm, light, tmp_path: Path):
    failure = kept(judge(wrong_norm)[0], tmp_path)
    promote(failure, light())
    once = FILE.read_bytes()
    with pytest.raises(UsageError, match=r"an example stands at this point already, in a\.grad\.yaml:9"):
        promote(failure, light())
    assert FILE.read_bytes() == once
    assert [path.name for path in Path().iterdir() if path.suffix == ".part"] == []


MANY = {
    "several outputs": (
        "inputs: {x: {shape: [n]}, y: {shape: [n]}}\nvalue: {a: x*y, b: x}\nvjp: {x: ct_a*y + ct_b, y: ct_a*x + ct_b}",
        "vjp",
    ),
    "a jvp": ("inputs: {x: {shape: [n]}}\nvalue: exp(x)\njvp: t_x", "jvp"),
    "a hessian": (
        "inputs: {x: {shape: [2]}}\nvalue: sum(x**3)\ngradient: {x: 3*x**2}\nhessian: {x: 'x*x[:, None]'}",
        "hessian",
    ),
    "an hvp": ("inputs: {x: {}}\nvalue: x**3\ngradient: {x: 3*x**2}\nhvp: {x: 5*x*t_x}", "hvp"),
    "a jacobian": ("inputs: {x: {shape: [2]}}\nvalue: x**2\njacobian: {x: 'x*ones((2, 2))'}", "vjp"),
    "a long number": ("inputs: {x: {domain: '(1, 2)'}}\nvalue: sin(x)\nderivative: {x: sin(x)}", "gradient"),
}


@pytest.mark.parametrize("body, key", MANY.values(), ids=MANY)  # noqa: PT006
def test_every_kind_of_claim_gets_an_example_that_is_judged(judge, light, tmp_path: Path, body: str, key: str):
    (outcome,) = judge("f:\n" + "\n".join(f"  {line}" for line in body.splitlines()))
    assert not outcome.passed
    line = promote(kept(outcome, tmp_path), light())
    assert FILE.read_text(encoding="utf-8").splitlines()[line - 1].startswith("      - {x: ")
    (spec,) = load_file(FILE).functions
    assert any(name.partition(":")[0] == key for name in spec.examples[0].expected)
    text = FILE.read_text(encoding="utf-8").splitlines()[2:]
    assert judge("\n".join(line[2:] for line in text))[0].witnesses["example"].verdict == "DISAGREES"


def test_numbers_that_are_not_known_to_the_last_bit_say_their_decimals(judge, light, tmp_path: Path, monkeypatch):
    """Without the certified witness the engine's bars are what is known."""
    from gradcheck.oracles import Hearing, Reason, Silence

    one = Hearing.one
    gone = Silence("certified", Reason.ABSENT, "gone")
    monkeypatch.setattr(Hearing, "one", lambda self, name: gone if name == "certified" else one(self, name))
    (outcome,) = judge("f:\n  inputs: {x: {domain: '(1, 2)'}}\n  value: exp(sin(x))\n  derivative: {x: sin(x)}\n")
    promote(kept(outcome, tmp_path), light())
    (example,) = load_file(FILE).functions[0].examples
    assert example.decimals is not None
    assert 12 <= example.decimals <= 15
    x = example.inputs["x"]
    assert abs(example.expected["gradient:x"] - np.exp(np.sin(x)) * np.cos(x)) <= 0.5 * 10.0**-example.decimals


def test_where_nobody_knows_what_is_right_nothing_is_written(judge, light, tmp_path: Path):
    """At a tie there are several derivatives; the claim is none of them."""
    (outcome,) = judge("f:\n  inputs: {x: {}}\n  value: abs(x)\n  derivative: {x: 3 + 0*x}\n")
    failure = kept(outcome, tmp_path)
    path = tmp_path / "store" / f"{failure.id}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "inputs": {"x": 0.0}}), encoding="utf-8")
    before = FILE.read_bytes()
    with pytest.raises(UsageError, match="nobody knows what is right at the point of f-"):
        promote(load(failure.id, path.parent), light())
    assert FILE.read_bytes() == before


def test_where_the_file_would_not_load_it_is_left_alone(judge, write, wrong_norm, light, tmp_path: Path, monkeypatch):
    failure = kept(judge(wrong_norm)[0], tmp_path)
    before = FILE.read_bytes()
    monkeypatch.setattr("gradcheck.run.failures.as_example.Entry.lines", lambda self: ["- {x: [1], values: 1}"])
    monkeypatch.setattr("gradcheck.run.failures.as_example.Entry.flow", lambda self: "{x: [1], values: 1}")
    with pytest.raises(UsageError, match="the spec would not load with the example: .*'values' is neither an input"):
        promote(failure, light())
    monkeypatch.setattr(
        "gradcheck.run.failures.as_example.Entry.lines", lambda self: ["- {x: [1], gradient: {x: [7]}}"]
    )
    monkeypatch.setattr("gradcheck.run.failures.as_example.Entry.flow", lambda self: "{x: [1], gradient: {x: [7]}}")
    write(wrong_norm.replace("2*x", "x / value"))
    before = FILE.read_bytes()
    with pytest.raises(UsageError, match="the example would hold norm to nothing"):
        promote(failure, light())
    assert FILE.read_bytes() == before
    assert {path.name for path in Path().iterdir()} == {"a.grad.yaml", "store"}


def test_a_mark_at_the_beginning_and_the_rights_of_the_file_stay(judge, wrong_norm, light, tmp_path: Path):
    failure = kept(judge(wrong_norm)[0], tmp_path)
    FILE.write_bytes(b"\xef\xbb\xbf" + FILE.read_bytes())
    FILE.chmod(0o600)
    promote(failure, light())
    assert FILE.read_bytes().startswith(b"\xef\xbb\xbfgradcheck")
    assert FILE.stat().st_mode & 0o777 == 0o600


def test_a_failure_of_a_narrow_dtype_is_found_again_by_its_example_alone(judge, light, tmp_path: Path, monkeypatch):
    rules = tmp_path / "gradcheck_tests_run_promoted_rules.py"
    rules.write_text("def f(x):\n    return x * x\n\ndef f_vjp(x, ct):\n    return ct * x * 3\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    text = (
        "f:\n  inputs: {x: {shape: [n]}}\n  dtypes: [float32]\n  value: x**2\n  derivative: {x: 2*x}\n"
        f"  implementations: {{numpy: {{value: '{rules.stem}:f', vjp: '{rules.stem}:f_vjp'}}}}\n"
    )
    (outcome,) = judge(text, allowed=(rules.stem,))
    promote(kept(outcome, tmp_path), light(allowed=(rules.stem,)))
    monkeypatch.setattr("gradcheck.run.cases.plans", lambda *words: [])
    text = FILE.read_text(encoding="utf-8").splitlines()[2:]
    (again,) = judge("\n".join(line[2:] for line in text), allowed=(rules.stem,))
    assert (again.cases, again.blame) == (2, "implementation:numpy float32 reverse")
