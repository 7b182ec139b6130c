"""Does `gradcheck check` judge what it is told to, with the right exit code, and say what was wrong with a request?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gradcheck import cli

OPS = """
import numpy as np


def root(x, y):
    return np.sqrt(y - x)


def root_vjp(inputs, ct):
    x, y = inputs
    slope = ct / (2 * np.sqrt(y - x))
    return -slope, slope


def signless_vjp(inputs, ct):
    x, y = inputs
    slope = ct / (2 * np.sqrt(y - x))
    return slope, slope


def picked(x, i):
    return x[i]


def picked_vjp(inputs, ct):
    x, i = inputs
    found = np.zeros(x.shape)
    np.add.at(found, i, ct)
    return found, None


def overwritten_vjp(inputs, ct):
    x, i = inputs
    found = np.zeros(x.shape)
    found[i] = ct
    return found, None


def energy(x):
    return np.sum(x**2)


def energy_slope(inputs):
    return (2 * inputs[0],)


class Rules:
    apply = staticmethod(energy)
"""
FEW = ("--points", "24", "--skip", "precision,layout")


@pytest.fixture
def ops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with a package of rules in it."""
    (tmp_path / "typed_pkg").mkdir()
    (tmp_path / "typed_pkg" / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "typed_pkg" / "ops.py").write_text(OPS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("typed_pkg")]:
        del sys.modules[name]


def check(name: str, *words: str) -> Result:
    return CliRunner().invoke(cli.main, ["check", f"typed_pkg.ops:{name}", *words])


def test_a_right_rule_ends_with_0_and_a_wrong_one_with_1(ops: Path) -> None:
    """Inside a domain that only a predicate can say: nowhere else has the root a value."""
    words = ("--input", "x=n", "--input", "y=n", "--domain", "x=x < y", *FEW)
    right = check("root", *words, "--vjp", "typed_pkg.ops:root_vjp", "--json", "out/right.json")
    assert right.exit_code == 0, right.output
    assert right.stdout.startswith("root: AGREES: the derivative passes")
    assert "left out" not in right.stdout
    told = json.loads(Path("out/right.json").read_text(encoding="utf-8"))
    assert (told["gradcheck_check"], told["verdict"], told["passed"]) == (1, "AGREES", True)
    wrong = check("root", *words, "--vjp", "typed_pkg.ops:signless_vjp", "--json", "-")
    assert wrong.exit_code == 1
    found = next(f for f in json.loads(wrong.stdout)["findings"] if f["kind"] == "wrong")
    assert (found["cell"], found["seen"]["input"]) == ("reverse", "x")
    assert found["seen"]["got"] == -found["seen"]["right"] == 0.5
    x, y = (found["seen"]["inputs"][name][0] for name in "xy")
    assert x < y


def test_an_integer_input_may_index_a_named_dimension(ops: Path) -> None:
    words = ("--input", "x=n", "--input", "i=4", "--domain", "i=integer [0, n)", *FEW)
    assert check("picked", *words, "--vjp", "typed_pkg.ops:picked_vjp").exit_code == 0
    wrong = check("picked", *words, "--vjp", "typed_pkg.ops:overwritten_vjp")
    assert wrong.exit_code == 1
    assert "picked: DISAGREES in reverse: the gradient of x[" in wrong.stdout
    fixed = check("picked", "--input", "x=3", "--input", "i=2", "--domain", "i=integer [0, 2]", *FEW,
                  "--vjp", "typed_pkg.ops:picked_vjp")  # fmt: skip
    assert fixed.exit_code == 0, fixed.output


@pytest.mark.parametrize(
    ("gradient", "code"), [("x: 2*x", 0), ("2*x", 0), ("typed_pkg.ops:energy_slope", 0), ("x: 2*x + 1e-6", 1)]
)
def test_a_gradient_is_a_formula_or_a_rule(ops: Path, gradient: str, code: int) -> None:
    assert check("energy", "--input", "x=n", "--gradient", gradient, *FEW).exit_code == code


def test_a_constant_is_not_judged(ops: Path) -> None:
    words = ("--input", "x=2", "--input", "y=2", "--domain", "x=x < y", *FEW)
    wrong = check("root", *words, "--constant", "x", "--vjp", "typed_pkg.ops:signless_vjp")
    assert wrong.exit_code == 0, wrong.output  # only what is said of x is wrong


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("typed_pkg.ops", "--input", "x"), "'typed_pkg.ops': module:qualified.name, such as"),
        (("typed_pkg.ops:enrgy", "--input", "x"), "'typed_pkg.ops' has no 'enrgy'; did you mean 'energy'?"),
        (("typed_pkg.ops:Rules", "--input", "x"), "did you mean 'typed_pkg.ops:Rules.apply'?"),
        (("typed_pkg.opps:energy", "--input", "x"), "cannot be imported: No module named 'typed_pkg.opps'"),
        (("typed_pkg.ops:root", "--input", "x=n"), "--input y=SHAPE is missing: typed_pkg.ops:root takes x, y"),
        (("typed_pkg.ops:energy", "--input", "x=-3"), "--input 'x=-3': '-3' is no size"),
        (("typed_pkg.ops:energy", "--input", "x=n-1"), "the dimension 'n-1' is not a name"),
        (("typed_pkg.ops:energy", "--input", "x=1,2,3,4,5,6,7"), "7 dimensions; at most 6"),
        (("typed_pkg.ops:energy", "--input", "sin=3"), "the name 'sin' is a function of the vocabulary"),
        (("typed_pkg.ops:energy", "--input", "x", "--input", "x=2"), "'x' is given twice"),
        (("typed_pkg.ops:energy", "--input", "x", "--domain", "xx=real"), "no input 'xx'; there is --input x; did you"),
        (("typed_pkg.ops:energy", "--input", "x", "--domain", "x"), "a domain is expected after '='"),
        (("typed_pkg.ops:energy", "--input", "x", "--domain", "x=positiv"), "did you mean 'positive'?"),
        (("typed_pkg.ops:energy", "--input", "x", "--domain", "x=(0, 1"), "column 1 of the domain: this is not an int"),
        (("typed_pkg.ops:energy", "--input", "x=2", "--domain", "x=spd"), "a square shape such as [n, n]"),
        (("typed_pkg.ops:energy", "--input", "x", "--constant", "y"), "--constant 'y': there is no input 'y'"),
        (("typed_pkg.ops:energy", "--input", "x", "--gradient", "2*x", "--cells", "revers"),
         "did you mean 'reverse'?"),
        (("typed_pkg.ops:energy", "--input", "x", "--vjp", "energy"), "--vjp 'energy': module:qualified.name"),
        (("typed_pkg.ops:energy", "--input", "x", "--gradient", "y: 2*x"), "--gradient 'y: 2*x': 'NAME: FORMULA'"),
        (("typed_pkg.ops:energy", "--input", "x", "--gradient", "x: 2*z"), "unknown name 'z'"),
        (("typed_pkg.ops:energy", "--input", "x", "--backend", "tf"), "--backend"),
        (("typed_pkg.ops:energy", "--input", "x", "--points", "0"), "--points"),
    ],
)  # fmt: skip
def test_what_was_wrong_with_a_request_is_said(ops: Path, words: tuple[str, ...], message: str) -> None:
    result = CliRunner().invoke(cli.main, ["check", "--skip", "precision", *words])
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.stderr.split())
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_a_condition_that_nothing_meets_is_no_pass(ops: Path) -> None:
    result = check("energy", "--input", "x", "--domain", "x=x + 1 < x", "--gradient", "2*x", *FEW)
    assert result.exit_code == 2
    assert "no point was found at which 'x + 1 < x' holds" in result.stderr


def test_a_module_that_breaks_when_it_is_imported_is_no_fault_of_ours(ops: Path) -> None:
    for name, text, told in (
        ("raises", "1/0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("ends", "exit(3)", "leaves while it is imported: SystemExit"),
    ):
        (ops / "typed_pkg" / f"{name}.py").write_text(text, encoding="utf-8")
        result = CliRunner().invoke(cli.main, ["check", f"typed_pkg.{name}:f", "--input", "x"])
        assert result.exit_code == 2
        assert f"'typed_pkg.{name}:f' {told}" in result.stderr
