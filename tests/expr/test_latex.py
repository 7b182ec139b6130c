"""Does a formula look in mathematics as a reader would write it?"""

from __future__ import annotations

import pytest

from gradcheck.expr import VOCABULARY, parse_code, parse_formula, to_latex
from gradcheck.expr.latex import symbol

NAMES = ("x", "y", "z", "a", "A", "B", "ct", "t_x", "value", "theta", "x_1", "rate", "n")


def latex(text: str) -> str:
    return to_latex(parse_formula(text, NAMES))


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("x + y*2", r"x + y \cdot 2"),
        ("x*y", r"x \, y"),
        ("2*x", r"2 \, x"),
        ("(x + y)*z", r"\left(x + y\right) \, z"),
        ("x - (y - z)", r"x - \left(y - z\right)"),
        ("x - y - z", "x - y - z"),
        ("x - (y + z)", r"x - \left(y + z\right)"),
        ("x + (y - z)", "x + y - z"),
        ("x / y", r"\frac{x}{y}"),
        ("(x + 1) / (y - 1)", r"\frac{x + 1}{y - 1}"),
        ("x**2", "{x}^{2}"),
        ("-x**2", "-{x}^{2}"),
        ("(-x)**2", r"{\left(-x\right)}^{2}"),
        ("(x**2)**3", r"{\left({x}^{2}\right)}^{3}"),
        ("(x*y)**n", r"{\left(x \, y\right)}^{n}"),
        ("x**(y + 1)", "{x}^{y + 1}"),
        ("x**0.5", r"\sqrt{x}"),
        ("sqrt(x**2 + 1)", r"\sqrt{{x}^{2} + 1}"),
        ("-(x + y)", r"-\left(x + y\right)"),
        ("x * -3", r"x \, \left(-3\right)"),
        ("x * (-y)", r"x \, \left(-y\right)"),
        ("x - -y", r"x - \left(-y\right)"),
        ("(-x) + y", "-x + y"),
        ("1e-6**x", r"{\left(1 \cdot 10^{-6}\right)}^{x}"),
        ("1e-6*x", r"1 \cdot 10^{-6} \, x"),
        ("pi*x", r"\pi \, x"),
        ("inf", r"\infty"),
        ("A @ B.T", r"A \, {B}^{\top}"),
        ("x < y", "x < y"),
        ("not x >= y", r"\lnot \left(x \ge y\right)"),
        ("x < 1 and y != 2 or x == y", r"x < 1 \land y \ne 2 \lor x = y"),
        ("(x < 1 or y < 1) and x < y", r"\left(x < 1 \lor y < 1\right) \land x < y"),
        ("x if x > 0 else -x", r"\begin{cases} x & \text{if } x > 0 \\ -x & \text{else} \end{cases}"),
        ("where(x > 0, x, 0)", r"\begin{cases} x & \text{if } x > 0 \\ 0 & \text{else} \end{cases}"),
        ("sum(x, axis=0)", r"\operatorname{sum}\left(x, \mathrm{axis}=0\right)"),
        ("cumulative_sum(x, axis=0)", r"\operatorname{cumulative\_sum}\left(x, \mathrm{axis}=0\right)"),
        ("x[0, 1:]", "{x}_{[0, 1:]}"),
        ("x[None, ..., ::2]", r"{x}_{[\mathrm{new}, \ldots, ::2]}"),
        ("x.shape", r"\mathrm{shape}\left(x\right)"),
        ("concat([x, y])", r"\operatorname{concat}\left(\left[x, y\right]\right)"),
        ("ct * value", r"\bar{v} \, f"),
        ("t_x", r"\dot{x}"),
        ("theta + x_1 + rate", r"\theta + x_{\mathrm{1}} + \mathrm{rate}"),
        ('{"y": x, "z": -x}', r"y = x,\; z = -x"),
        ("sum(x) + y", r"\sum x + y"),
        ("sum(x + y)", r"\sum \left(x + y\right)"),
        ("sum(x) * y", r"\left(\sum x\right) \, y"),
        ("sum(x * y)", r"\sum x \, y"),
        ("x - sum(y)", r"x - \sum y"),
        ("expm1(x) * y", r"\left(e^{x} - 1\right) \, y"),
        ("y - expm1(x)", r"y - \left(e^{x} - 1\right)"),
        ("inv(A + B)", r"\left(A + B\right)^{-1}"),
        ("hypot(x + 1, y)", r"\sqrt{\left(x + 1\right)^2 + y^2}"),
        ("xlogy(x + 1, y)", r"\left(x + 1\right) \ln y"),
        ("outer(x, x + y)", r"x \otimes \left(x + y\right)"),
        ("x % 2", r"x \bmod 2"),
    ],
)
def test_formulas(text: str, want: str) -> None:
    assert latex(text) == want


def test_a_fraction_raised_to_a_power_is_in_parentheses() -> None:
    assert latex("(x/y)**2") == r"{\left(\frac{x}{y}\right)}^{2}"


def test_a_function_raised_to_a_power_says_what_is_raised() -> None:
    assert latex("exp(x)**2") == r"{\left(e^{x}\right)}^{2}"
    assert latex("x.T**2") == r"{\left({x}^{\top}\right)}^{2}"


def test_symbols() -> None:
    assert symbol("sigma_max") == r"\sigma_{\mathrm{max}}"
    assert symbol("t_theta") == r"\dot{\theta}"
    assert symbol("a_b_c") == r"a_{\mathrm{b c}}"


def test_a_code_block_has_no_latex() -> None:
    assert to_latex(parse_code("return x", ["x"])) == ""


@pytest.mark.parametrize("name", sorted(n for n, row in VOCABULARY.items() if row.arity in (1, 2) and not row.params))
def test_every_function_prints_balanced_and_names_its_arguments(name: str) -> None:
    arguments = ["x", "y"][: VOCABULARY[name].arity]
    text = latex(f"{name}({', '.join(arguments)})")
    assert text.count("{") == text.count("}")
    assert text.count(r"\left") == text.count(r"\right")
    assert all(a in text for a in arguments)


@pytest.mark.parametrize(
    "name",
    sorted(
        n
        for n, row in VOCABULARY.items()
        if n != "logical_or" and row.latex and row.arity and len(row.params) == len(row.defaults)
    ),
)
def test_every_function_holds_its_arguments_together(name: str) -> None:
    arity = VOCABULARY[name].arity or 0
    for position in range(arity):
        arguments = ["a"] * arity
        arguments[position] = "x or y"
        text = latex(f"{name}({', '.join(arguments)})")
        before = text[: text.index(r"x \lor y")]
        assert before.endswith((r"\left(", r"\left|", "{", "floor ", "ceil ", "Vert ", ", ", "(")), text
