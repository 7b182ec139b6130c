"""Does `gradcheck init` write down what it saw, and claim nothing that it did not see?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gradcheck import cli
from gradcheck.spec import Spec, load

OPS = """
import numpy as np


def logarithm(x):
    return np.log(x)


def centred(x):
    return np.mean(x), x - np.mean(x)


def product(a, b):
    return (a @ b)[:, :1]


def inverse(a):
    return np.linalg.inv(a)


def picked(x, i):
    return x[i]


def scaled(value, rate=0.5):
    return rate * value


def never(x):
    raise ValueError("this is not written yet")


def anything(*xs):
    return xs[0]
"""


@pytest.fixture
def drafts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with a module of functions in it that the project allows."""
    (tmp_path / "drafted_ops.py").write_text(OPS, encoding="utf-8")
    allowed = '[tool.gradcheck]\nallow-imports = ["drafted_ops"]\npython-path = ["."]\n'
    (tmp_path / "pyproject.toml").write_text(allowed, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("drafted_ops", None)


def init(name: str, *words: str) -> Result:
    return CliRunner().invoke(cli.main, ["init", "--from", f"drafted_ops:{name}", *words])


def made(name: str, *words: str) -> Spec:
    """The spec that was written; reading it is what lint does."""
    result = init(name, *words)
    assert result.exit_code == 0, result.output
    return load(f"{name}.grad.yaml").functions[0]


def taken(spec: Spec) -> dict[str, tuple[tuple[str | int, ...], str]]:
    return {i.name: (i.shape, i.domain.text) for i in spec.inputs}


def test_what_is_written_is_what_was_seen(drafts: Path) -> None:
    spec = made("logarithm")
    assert taken(spec) == {"x": (("n",), "positive")}
    assert [(i.backend, i.value) for i in spec.implementations] == [("numpy", "drafted_ops:logarithm")]
    assert len(spec.examples) == 2
    assert spec.claims == ()
    text = Path("logarithm.grad.yaml").read_text(encoding="utf-8")
    assert "looked at no derivative" in text
    assert text.count("TO FILL IN") == 3
    assert "no proof that it is right, and nothing of its derivative" in text
    again = init("logarithm", "--input", "x=3")
    assert (again.exit_code, Path("logarithm.grad.yaml").read_text(encoding="utf-8")) == (2, text)
    assert "logarithm.grad.yaml is there already; --force writes over it" in again.stderr
    assert init("logarithm", "--input", "x=3", "--force").exit_code == 0
    assert taken(load("logarithm.grad.yaml").functions[0]) == {"x": ((3,), "positive")}


def test_a_draft_as_it_stands_does_not_pass(drafts: Path) -> None:
    """Its formula is none, and it claims nothing: whoever runs it before filling it in is told."""
    made("logarithm")
    judged = CliRunner().invoke(
        cli.main, ["run", "logarithm.grad.yaml", "--profile", "quick", "--witness", "engine", "--no-store",
                   "--json", "run.json"]
    )  # fmt: skip
    assert judged.exit_code == 1
    assert json.loads(Path("run.json").read_text(encoding="utf-8"))["summary"]["failed_functions"] == 1


def test_shapes_are_found_by_trying(drafts: Path) -> None:
    assert taken(made("product")) == {"a": (("n", "n"), "real"), "b": (("n", "n"), "real")}  # the first that goes
    assert taken(made("inverse"))["a"][0] == ("n", "n")
    assert load("product.grad.yaml").functions[0].function.text.endswith(", 1])")
    spec = made("centred")
    assert spec.outputs == ("y0", "y1")
    assert [e.expected["value"].keys() for e in spec.examples] == [{"y0", "y1"}] * 2
    assert taken(made("scaled")) == {"x0": (("n",), "real")}  # `value` is no name for an input; rate has a default
    spec = made("picked", "--input", "x=n", "--input", "i=2", "--domain", "i=integer [0, 0]")
    assert taken(spec)["i"] == ((2,), "integer [0, 0]")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("never",), "no shapes were found with which x can be called (ValueError: this is not written yet)"),
        (("never", "--input", "x=n"), "no call was found that gives finite numbers (ValueError: this is not written"),
        (("anything",), "the arguments cannot be read from the function: give --input NAME=SHAPE for each"),
        (("logarithm", "--domain", "x=positive"), "--domain is said of an --input"),
        (("logarithm", "--name", "a b"), "--name 'a b': at most 100 letters"),
        (("logarithm", "--out", "x.yaml"), "a spec file's name ends in .grad.yaml"),
        (("logarithmm",), "did you mean 'logarithm'?"),
        (("logarithm", "--no-imports"), "--no-imports refuses all"),
    ],
)
def test_what_cannot_be_begun_is_refused(drafts: Path, words: tuple[str, ...], message: str) -> None:
    result = init(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert list(Path().glob("*.yaml")) == []
    if "--no-imports" in words:
        assert "drafted_ops" not in sys.modules


def test_a_function_of_torch_is_read_by_its_forward(drafts: Path) -> None:
    pytest.importorskip("torch")
    text = """
import torch


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(weight)
        return x.log() * weight

    @staticmethod
    def backward(ctx, ct):
        return ct, None
"""
    Path("drafted_ops.py").write_text(text, encoding="utf-8")
    assert init("Scaled.apply").exit_code == 0
    spec = load("Scaled.grad.yaml").functions[0]
    assert taken(spec) == {"x": (("n",), "positive"), "weight": (("n",), "real")}
    assert [(i.backend, i.value) for i in spec.implementations] == [("torch", "drafted_ops:Scaled.apply")]
