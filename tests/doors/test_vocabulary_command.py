"""Does `gradcheck vocabulary` tell a newcomer which functions there are, and all about one of them?"""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gradcheck import cli
from gradcheck.expr import VOCABULARY


def vocabulary(*words: str) -> Result:
    return CliRunner().invoke(cli.main, ["vocabulary", *words])


def test_every_function_has_a_line_with_its_derivative():
    result = vocabulary()
    assert result.exit_code == 0
    *lines, empty, last = result.stdout.splitlines()
    assert [line.split("(")[0] for line in lines] == sorted(VOCABULARY)
    told = dict(line.split(")", 1) for line in lines if line.startswith(("sin(", "atan(", "sum(", "silu(", "isnan(")))
    assert {head.split("(")[0]: rest.strip() for head, rest in told.items()} == {
        "sin": "dx: cos(x)", "atan": "dx: 1/(1 + x**2)", "sum": "linear",
        "silu": "= x*expit(x)", "isnan": "no derivative",
    }  # fmt: skip
    assert empty == ""
    assert last == f"{len(VOCABULARY)} functions; gradcheck vocabulary NAME tells all of one"
    assert max(map(len, lines)) <= 120
    assert all("  " in line for line in lines)


def test_one_function_is_told_whole():
    pytest.importorskip("torch")
    pytest.importorskip("jax")
    result = vocabulary("lgamma")  # another name of gammaln
    assert result.exit_code == 0
    assert result.stdout == (
        "gammaln(x)\n"
        "  also called lgamma, loggamma\n"
        "  rule        slopes: the derivative by each argument, elementwise; both modes follow\n"
        "  by x        digamma(x)\n"
        "  domain      x positive\n"
        "  numbers     real\n"
        "  witnesses   engine, bounds, torch, jax\n"
        "  tested      its derivatives to order 4\n"
    )


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "det",
            ["  rule        a rule for each mode", "  vjp         def _det_vjp(xp", "  jvp         def _det_jvp(xp"],
        ),
        ("sum", ["  jvp         the function itself"]),
        ("silu", ["  means       x*expit(x)", "  through     expit, multiply"]),
        ("polygamma", ["  by x        refused", "  by y        polygamma(x + 1, y)"]),
        ("maximum", ["  kinks       x == y", "  note        ties share the slope half and half"]),
        ("isnan", ["  rule        no derivative passes through", "  tested      its value"]),
    ],
)
def test_what_is_told_depends_on_the_row(name: str, lines: list[str]):
    told = vocabulary(name).stdout.splitlines()
    for line in lines:
        assert any(is_there.startswith(line) for is_there in told), (line, told)


def test_an_unknown_function_ends_with_2_and_a_suggestion():
    result = vocabulary("sinn")
    assert result.exit_code == 2
    assert result.stderr == "the vocabulary has no function 'sinn'; did you mean 'sin'?\n"
    assert result.stdout == ""


def test_the_table_is_of_all_functions():
    result = vocabulary("sin", "--markdown")
    assert result.exit_code == 2
    assert "give no NAME" in result.stderr
    table = vocabulary("--markdown")
    assert table.exit_code == 0
    assert table.stdout.startswith("# The primitives\n")
    assert table.stdout.endswith("|\n")


def test_the_list_loads_no_framework(python):
    code = (
        "import sys; from click.testing import CliRunner; from gradcheck import cli; "
        "r = CliRunner().invoke(cli.main, ['vocabulary']); assert r.exit_code == 0; "
        "print(sorted({'torch', 'jax'} & set(sys.modules)))"
    )
    result = python("-c", code, cwd=Path(__file__).parents[2])
    assert result.stdout == "[]\n", result.stderr
