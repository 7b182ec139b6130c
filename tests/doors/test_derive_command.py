"""Is what `gradcheck derive` writes the derivative, and is nothing called confirmed that balls did not confirm?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gradcheck import cli
from gradcheck.expr import parse_formula
from gradcheck.oracles import symbolic

pytest.importorskip("sympy")
CONFIRMED = "confirmed by ball arithmetic at"


def derive(*words: str) -> Result:
    return CliRunner().invoke(cli.main, ["derive", *words])


def lied(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """SymPy says this, whatever it is asked."""
    monkeypatch.setattr(symbolic, "derivatives", lambda f, names, by: {n: parse_formula(text, names).tree for n in by})


def test_the_entry_passes_where_others_judge_it(tmp_path: Path) -> None:
    path = tmp_path / "made" / "by_hand.grad.yaml"
    result = derive("log(x**2)*sin(x)+1/x", "--name", "lesson", "--out", str(path))
    assert result.exit_code == 0, result.output
    assert result.stderr == f"{CONFIRMED} 128 of 128 points of the domain, to 100 bits\n"
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# The derivative is SymPy's, {CONFIRMED} 128 of 128")
    assert "# Domains that were not given were found by trying" in text
    assert 'inputs: {x: {domain: "nonzero"}}\n    value: "log(x**2)*sin(x)+1/x"\n' in text
    judged = CliRunner().invoke(cli.main, ["run", str(path), "--profile", "quick", "--no-store",
                                           "--witness", "engine", "--witness", "differences"])  # fmt: skip
    assert judged.exit_code == 0, judged.output
    again = derive("x**2", "--out", str(path))
    assert (again.exit_code, path.read_text(encoding="utf-8")) == (2, text)
    assert "is there already; --force writes over it" in again.stderr
    assert derive("x**2", "--out", str(path), "--force").exit_code == 0
    assert 'value: "x**2"' in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        ("-x/(1-x)", '{x: "-x/(1 - x)**2 - 1/(1 - x)"}'),
        ("sqrt(x**2 + y**2) * 0.1", '{x: "x/(10*sqrt(x**2 + y**2))", y: "y/(10*sqrt(x**2 + y**2))"}'),
        ("pi*gamma(x)*erf(x)", "digamma(x)"),
        ("x**x", 'x: "x**x*(log(x) + 1)"'),
    ],
)
def test_formulas_in_the_language(formula: str, shown: str) -> None:
    result = derive(formula)
    assert result.exit_code == 0, result.output
    assert shown in result.stdout


def test_by_some_names_only() -> None:
    result = derive("x*y**2", "--by", "y")
    assert 'gradient: {y: "2*x*y"}' in result.stdout
    assert "# by x nothing is claimed here" in result.stdout


@pytest.mark.parametrize("lie", ["3*x**2 + 1e-25*x", "3*x**2*sign(x)", "-3*x**2"])
def test_a_wrong_derivative_is_confirmed_by_nobody(lie: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lied(monkeypatch, lie)
    out = tmp_path / "lie.grad.yaml"
    result = derive("x**3", "--out", str(out))
    assert (result.exit_code, result.stdout, out.exists()) == (1, "", False)
    assert "NOT CONFIRMED by ball arithmetic: it is wrong by x at x = " in result.stderr
    assert CONFIRMED not in result.output


def test_where_nothing_can_be_confirmed_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = derive("log(x)", "--domain", "x=(-2, -1)")
    assert (nowhere.exit_code, nowhere.stdout) == (1, "")
    assert "NOT CONFIRMED by ball arithmetic: every point stays open" in nowhere.stderr
    kink = derive("abs(x)")  # at zero nothing is proven
    assert kink.exit_code == 0
    assert "stay open" in kink.stderr
    assert "nothing is known: a tie, a kink, or no finite derivative." in kink.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("relu(x)",), "SymPy cannot derive this: SymPy has no relu"),
        (("x if x > 0 else 2*x",), "SymPy cannot derive this: SymPy has no greater"),
        (("sinn(x)",), "column 1 of the formula: unknown function 'sinn'"),
        (("x +",), "column 1 of the formula: this is not a formula of the language"),
        (("3",), "'3' has no name to derive by"),
        (("2*alpha", "--by", "alhpa"), "the formula has no name 'alhpa'; it has alpha; did you mean 'alpha'?"),
        (("x**2", "--domain", "y=real"), "--domain y=real: there is no 'y'; the formula has x"),
        (("x**2", "--domain", "x=positiv"), "--domain x=positiv, column 1 of the domain: unknown domain"),
        (("x**2", "--domain", "positive"), "NAME=DOMAIN is expected"),
        (("sqrt(-1 - x**2)",), "no point was found at which the formula and its derivative have values"),
        (("x**2", "--name", "a b"), "--name 'a b': at most 100 letters"),
        (("x**2", "--out", "x.yaml"), "a spec file's name ends in .grad.yaml"),
        (("ct**2",), "the name 'ct' is reserved"),
    ],
)
def test_what_cannot_be_derived_is_refused(words: tuple[str, ...], message: str) -> None:
    result = derive(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_without_sympy_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, *more: Any) -> None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", missing)
    result = derive("x**2")
    assert (result.exit_code, result.stderr) == (2, "SymPy is not installed; install gradcheck[exact]\n")
