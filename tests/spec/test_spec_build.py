"""Is an entry put into a Spec as it was meant?"""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from gradcheck.errors import SpecErrors
from gradcheck.expr import NUMPY
from gradcheck.spec import ClaimKind, Place, Spec, load

Write = Callable[..., str]

GOOD = """gradcheck: 1
functions:
  norm:
    summary: Length of a vector.
    tags: [norm, seed-001]
    inputs:
      x: {shape: [n], domain: "norm(x) > 0"}
      k: {domain: "integer [0, 5]"}
    value: sqrt(sum(x**2))
    gradient: {x: x / value}
    vjp:
      x: ct * x / value
    hvp: {x: (t_x - x*sum(x*t_x)/value**2) / value}
    at_kinks: {"norm(x) == 0": {x: 0}}
    examples:
      - {x: [3.0, 4], k: 1, value: 5.0, gradient: {x: [0.6, 0.8]}, decimals: 3}
      - {x: [1], k: 0, ct: 2, vjp: {x: [2]}, t_x: [1], hvp: {x: [0]}}
    implementations:
      torch: mypkg.ops:Norm.apply
      numpy: {value: mypkg.ref:norm, vjp: mypkg.ref:norm_vjp}
    known: {torch forward: {verdict: SILENT, reason: not written}}
    expect: {verdict: DISAGREES, blame: claim}

  # the next one
  polar:
    inputs: {r: {domain: positive}, a: }
    value: {u: r*cos(a), v: "r*sin(a)  # down"}
    vjp: {r: ct_u*cos(a) + ct_v*sin(a), a: ct_v*u - ct_u*v}
    jvp: {u: t_r*cos(a) - t_a*v, v: t_r*sin(a) + t_a*u}
    examples: [{r: 1, a: 0, value: {u: 1, v: 0}, ct: {u: 1, v: 2}, vjp: {r: 1, a: 2}}]
  both:
    inputs: {x: {shape: [n, 2]}}
    code: |
      def g(a):
          return a + 1
      if sum(x) > 0:
          return {"p": g(x), "q": x}
      return {"p": x, "q": x}
    vjp: {x: ct_p + ct_q}
"""


@pytest.fixture
def specs(write: Write) -> tuple[Spec, ...]:
    return load(write(GOOD)).functions


def refused(write: Write, old: str, new: str) -> list[str]:
    assert GOOD.count(old) == 1
    with pytest.raises(SpecErrors) as refusal:
        load(write(GOOD.replace(old, new)))
    return [str(error).removeprefix("a.grad.yaml:") for error in refusal.value.errors]


def test_names(specs: tuple[Spec, ...]) -> None:
    norm = specs[0]
    assert [spec.id for spec in specs] == ["norm", "polar", "both"]
    assert norm.summary == "Length of a vector."
    assert norm.tags == ("norm", "seed-001")
    assert [(i.name, i.shape, i.differentiable) for i in norm.inputs] == [("x", ("n",), True), ("k", (), False)]
    assert norm.inputs[1].domain.kind == "integer"
    assert (norm.place, specs[1].place.line) == (Place("a.grad.yaml", 3, 3), 25)


def test_claims(specs: tuple[Spec, ...]) -> None:
    found = [(claim.kind, claim.of, claim.place.line, claim.place.column) for claim in specs[0].claims]
    assert found == [
        (ClaimKind.GRADIENT, "x", 10, 19), (ClaimKind.VJP, "x", 12, 10), (ClaimKind.HVP, "x", 13, 14),
    ]  # fmt: skip
    assert [(claim.kind.value, claim.of) for claim in specs[1].claims] == [
        ("vjp", "r"), ("vjp", "a"), ("jvp", "u"), ("jvp", "v"),
    ]  # fmt: skip


def test_examples(specs: tuple[Spec, ...]) -> None:
    first, second = specs[0].examples
    assert first.inputs == {"x": (3.0, 4.0), "k": 1.0}
    assert first.expected == {"value": 5.0, "gradient:x": (0.6, 0.8)}
    assert (first.cotangent, first.decimals, first.place) == (None, 3, Place("a.grad.yaml", 16, 9))
    assert second.expected == {"vjp:x": (2.0,), "hvp:x": (0.0,)}
    assert (second.cotangent, second.tangents) == (2.0, {"x": (1.0,)})
    (third,) = specs[1].examples
    assert third.expected == {"value": {"u": 1.0, "v": 0.0}, "vjp:r": 1.0, "vjp:a": 2.0}
    assert third.cotangent == {"u": 1.0, "v": 2.0}


def test_the_rest(specs: tuple[Spec, ...]) -> None:
    norm = specs[0]
    (kink,) = norm.kinks
    assert (kink.condition.text, kink.values["x"].text, kink.place.line) == ("norm(x) == 0", "0", 14)
    assert [(i.backend, i.value, i.vjp, i.jvp) for i in norm.implementations] == [
        ("torch", "mypkg.ops:Norm.apply", None, None), ("numpy", "mypkg.ref:norm", "mypkg.ref:norm_vjp", None),
    ]  # fmt: skip
    assert [(k.witness, k.verdict, k.reason) for k in norm.known] == [("torch forward", "SILENT", "not written")]
    assert norm.expect is not None
    assert (norm.expect.verdict, norm.expect.blame) == ("DISAGREES", "claim")


def test_outputs(specs: tuple[Spec, ...]) -> None:
    assert [spec.outputs for spec in specs] == [("value",), ("u", "v"), ("p", "q")]
    assert specs[1].function(NUMPY, {"r": 2.0, "a": 0.0}) == {"u": 2.0, "v": 0.0}


def test_text_is_as_written(specs: tuple[Spec, ...]) -> None:
    lines = GOOD.split("\n")
    assert specs[0].text.split("\n") == lines[2:22]
    assert specs[1].text.split("\n") == lines[24:30]
    assert specs[2].text.split("\n") == lines[30:-1]


def test_specs_can_be_pickled(specs: tuple[Spec, ...]) -> None:
    assert pickle.loads(pickle.dumps(specs)) == specs


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("value: sqrt(sum(x**2))", "value: sqrt(sum(xx**2))", "9:21: norm.value: unknown name 'xx'"),
        ("{x: x / value}", "{x: x / valeu}", "10:23: norm.gradient.x: unknown name 'valeu'"),
        (
            "{x: x / value}",
            "{x: x / value, k: 0}",
            "10:30: norm.gradient.k: 'k' is not differentiable; expected one of x",
        ),
        ("{x: x / value}", "{y: x / value}", "10:16: norm.gradient.y: 'y' is not an input of this function"),
        ("      x: ct * x", "      x: cta * x", "12:10: norm.vjp.x: unknown name 'cta'"),
        ("hvp: {x: (t_x -", "hvp: {x: (t_k -", "13:15: norm.hvp.x: unknown name 't_k'"),
        ('"norm(x) == 0"', '"norm(q) == 0"', "14:22: norm.at_kinks: unknown name 'q'"),
        ('== 0": {x: 0}}', '== 0": {k: 0}}', "14:33: norm.at_kinks.norm(x) == 0.k: 'k' is not a differentiable input"),
        ("mypkg.ops:Norm.apply", "Norm.apply", "19:14: norm.implementations.torch: this names no function"),
        ("torch forward:", "trch:", "21:13: norm.known.trch: 'trch' is not a witness"),
        ("DISAGREES", "WRONG", "22:23: norm.expect.verdict: 'WRONG' is not a verdict"),
        ("blame: claim", "blame: nobody", "22:41: norm.expect.blame: 'nobody' is not a party to blame"),
        ("value: {u: r*cos(a)", "value: {ct: r*cos(a)", "27:13: polar.value.ct: the output name 'ct' is reserved"),
        ("value: {u: r*cos(a)", "value: {r: r*cos(a)", "27:13: polar.value.r: the output name 'r' is an input"),
        ("value: {u: r*cos(a)", "value: {u: r*cso(a)", "27:18: polar.value.u: unknown function 'cso'"),
        ("vjp: {r: ct_u", "vjp: {r: ct", "28:14: polar.vjp.r: unknown name 'ct'"),
        ("jvp: {u: t_r*cos(a) - t_a*v,", "jvp: {", "29:5: polar.jvp: the output 'u' has no jvp"),
        (
            "jvp: {u: t_r*cos(a) - t_a*v, v: t_r*sin(a) + t_a*u}",
            "jvp: t_r",
            "29:10: polar.jvp: several outputs need one",
        ),
        ('    return {"p": x, "q": x}', '    return {"p": x}', "38:7: both.code: this return gives the outputs p"),
        ('    return {"p": x, "q": x}', "    return x", "38:7: both.code: this return gives one value"),
        (
            "    vjp: {x: ct_p + ct_q}",
            "    gradient: {x: x}",
            "39:5: both.gradient: a gradient is claimed of one unnamed",
        ),
        ("          return a + 1", "          return a + b", "35:22: both.code: unknown name 'b'"),
    ],
)
def test_refused(write: Write, old: str, new: str, complaint: str) -> None:
    found = refused(write, old, new)
    assert [line for line in found if line.startswith(complaint)], found


@pytest.mark.parametrize(
    ("inputs", "complaint"),
    [
        ("{}", "4:13: f.inputs: a function without inputs has no derivative"),
        ("{x: {domain: boolean}}", "4:5: f.inputs: no input is differentiable"),
        ("{x: {differentiable: false}}", "4:5: f.inputs: no input is differentiable"),
        ("{x: {shape: [x]}}", "4:26: f.inputs.x.shape[0]: 'x' is an input, it cannot be a dimension too"),
        ("{x: {shape: [sum]}}", "4:26: f.inputs.x.shape[0]: 'sum' is a function of the vocabulary"),
        ("{x: , if: }", "4:19: f.inputs.if: 'if' is a keyword of the language"),
        ("{x: {shape: [n, m], domain: spd}}", "4:25: f.inputs.x.shape: this shape does not fit the domain"),
        ("{x: {domain: 'q > 0'}}", "4:27: f.inputs.x.domain: unknown name 'q'"),
        ('{x: {domain: "real, q > 0"}}', "4:33: f.inputs.x.domain: unknown name 'q'"),
    ],
)
def test_inputs_refused(write: Write, inputs: str, complaint: str) -> None:
    text = f"gradcheck: 1\nfunctions:\n  f:\n    inputs: {inputs}\n    value: x\n    vjp: {{x: ct}}\n"
    with pytest.raises(SpecErrors) as refusal:
        load(write(text))
    assert str(refusal.value).startswith("a.grad.yaml:" + complaint)


def test_implementations_without_claims(write: Write) -> None:
    text = "gradcheck: 1\nfunctions:\n  f: {inputs: {x: }, value: x, implementations: {torch: 'a:b'}}\n"
    assert load(write(text)).functions[0].claims == ()


def test_a_number_is_a_formula(write: Write) -> None:
    text = "gradcheck: 1\nfunctions:\n  f: {inputs: {x: }, value: 017 , gradient: {x: -0x0}}\n"
    with pytest.raises(SpecErrors, match=r"unknown|formula"):
        load(write(text.replace("017", "0x")))
    spec = load(write(text.replace("-0x0", ".5e-3"))).functions[0]
    assert spec.function(NUMPY, {"x": 1.0}) == 17
    assert spec.claims[0].program(NUMPY, {}) == 0.0005
