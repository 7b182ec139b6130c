"""Are formulas called the same by algebra exactly where they are?"""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.expr import NUMPY, Program, parse_formula
from gradcheck.expr.mutants import mutants
from gradcheck.expr.normal import same, same_but_for
from tests.expr.test_mutants import RANKS, facts

SAME = [
    ("x*y", "y*x"), ("2*x + y*3", "3*y + x + x"), ("(x + y)*s", "x*s + y*s"), ("-x/s", "x/-s"), ("x - x", "0*y"),
    ("(x - y)**2", "(y - x)**2"), ("cos(-x)", "cos(x)"), ("abs(2*x)", "2*abs(x)"), ("sin(-x)", "-sin(x)"),
    ("sum(-x)**2", "sum(x)**2"), ("norm(-3*x)", "3*norm(x)"), ("x > 0", "2*x > 0"), ("x > y", "-x < -y"),
    ("where(x > 0, s, s)", "s"), ("sign(1.000001*x)", "sign(x)"), ("(A @ -x)*(A @ x)", "(A @ x)*(A @ -x)"),
    ("eye(n).T", "eye(n)"), ("(2*eye(n)).T", "2*eye(n)"), ("outer(x, x).T", "outer(x, x)"), ("diag(x).T", "diag(x)"),
    ("200 + 0*y", "200"), ("maximum(x, y)", "maximum(y, x)"), ("x/(2*s)", "0.5*x/s"), ("1/(x + y)", "2/(2*x + 2*y)"),
    ("inv(2*A)", "inv(A)/2"), ("eigh_vectors(3*A)", "eigh_vectors(A)"), ("zeros_like(x)*y", "0*x"),
    ("square(-x)", "x**2"), ("x == s", "s == x"), ("where(x > 0, 1/where(x > 0, x, 1), 0)", "where(x > 0, 1/x, 0)"),
    ("where(x > 0, s, where(x > 0, y, -s))", "where(x > 0, s, -s)"),
    ("where(x > 0 and y > 0, where(x > 0, s, y), 1)", "where(x > 0 and y > 0, s, 1)"),
    ("where(1 > 0, s, y)", "s"), ("where(2 < 1.5, s, y)", "y"), ("where(x - x == 0, s, y)", "s"),
    ("where(not x > 0, where(x > 0, s, y), 1)", "where(not x > 0, y, 1)"),
]  # fmt: skip
DIFFERENT = [
    ("x", "-x"), ("x", "1.000001*x"), ("x*y/y", "x"), ("0/x", "0"), ("0*log(x)", "0"), ("sin(x)", "cos(x)"),
    ("cos(2*x)", "2*cos(x)"), ("x > 0", "x >= 0"), ("x > 0", "x < 0"), ("x > 1", "2*x > 1"), ("sum(0*x + 1)", "1"),
    ("sum(ones_like(x))", "sum(ones_like(A))"), ("A @ x", "x @ A"), ("A.T", "A"), ("outer(x, y).T", "outer(x, y)"),
    ("x - y", "y - x"), ("x/y", "y/x"), ("x**3", "(-x)**3"), ("sign(-x)", "sign(x)"), ("max(-x)", "-max(x)"),
    ("eigh_vectors(-A)", "eigh_vectors(A)"), ("where(x > 0, s, y)", "where(x > 0, y, s)"), ("x[0]", "x[1]"),
    ("sqrt(-x)", "sqrt(x)"), ("(x + eye(n)).T", "x + eye(n)"), ("x**s", "x**y"), ("sum(A, axis=0)", "sum(A, axis=1)"),
    ("where(x > 0, sum(where(x > 0, x, 1)), 0)", "where(x > 0, sum(x), 0)"),
    ("where(x > 0, where(x > 0, x, 1)[0], 0)", "where(x > 0, x[0], 0)"),
    ("where(x > 0 or y > 0, where(x > 0, s, y), 1)", "where(x > 0 or y > 0, s, 1)"),
    ("where(x > 0, s, 1) + where(x > 0, s, 2)", "2*s"), ("where(1/x - 1/x == 0, s, y)", "s"),
    ("where(x > 0, A @ where(x > 0, x, 1), 0)", "where(x > 0, A @ x, 0)"),
    ("0*inf", "0"), ("abs(x - 1)", "abs(x + 1)"), ("exp(-x)", "exp(x)"), ("1/(x + y)", "1/(x - y)"),
]  # fmt: skip


def told(a: str, b: str) -> bool:
    trees = [parse_formula(text, RANKS).tree for text in (a, b)]
    return same(trees[0], trees[1], facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(("a", "b"), SAME)
def test_formulas_that_mean_the_same(a: str, b: str) -> None:
    assert told(a, b)


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_formulas_that_do_not(a: str, b: str) -> None:
    assert not told(a, b)


@pytest.mark.parametrize(
    ("a", "b", "holding", "expected"),
    [
        ("x > 0", "x >= 0", "x != 0", True), ("x > 0", "x >= 0", "x*y != 0", True),
        ("x > 0", "x >= 0", "y != 0", False), ("x > 1", "x >= 1", "abs(x - 1) > 0.25", True),
        ("x > 1", "x >= 1", "x - 1 > -0.25", False),
        ("x <= s", "x < s", "abs(x - s) > 0", True), ("x < -1", "x <= -1", "abs(x + 1)*abs(x - 2) > 0", True),
        ("x < 1", "x <= 1", "abs(x + 1)*abs(x - 2) > 0", False), ("x < 0", "x > 0", "x != 0", False),
        ("x < y", "x <= y", "x < y and s > 0", True), ("x < s", "x <= s", "x < s or y > 0", False),
        ("x < s", "x <= s", "x <= s", False),
    ],
)  # fmt: skip
def test_what_the_domain_forbids_makes_no_difference(a: str, b: str, holding: str, expected: bool) -> None:
    first, second, condition = (parse_formula(text, RANKS).tree for text in (a, b, holding))
    assert same_but_for(first, second, [condition], facts) is expected  # type: ignore[arg-type,list-item]


@pytest.mark.parametrize(
    "text",
    [
        "x*cos(-x)/s + (x - y)**2", "sum(A @ x)*sign(x - s)*abs(y)", "where(x > s, x/norm(x), -y)/(x + 2*y)",
        "inv(A) @ (x - y)*3 + max(x)", "-x/(s*s) - outer(x, x) @ y", "tanh(x*s)**2*sum(x, keepdims=True)",
        "A.T @ A @ x + x[1:2]*diag(y) @ x", "std(x)*mean(y) - var(x - y)",
    ],
)  # fmt: skip
def test_no_mutant_that_gives_other_numbers_is_called_the_same(text: str) -> None:
    """Numbers at one point decide against algebra: where they differ, the forms must."""
    env = {"x": np.array([0.31, -1.7, 2.3]), "y": np.array([1.1, 0.6, -0.8]), "s": np.array(1.9), "n": 3}
    env["A"] = np.array([[2.0, 0.3, -0.4], [0.1, 1.5, 0.2], [-0.7, 0.5, 3.0]])
    names = [name for name in RANKS if name != "B"]
    original = parse_formula(text, names)
    right = np.asarray(original(NUMPY, env))
    called_same = 0
    for mutant in mutants(original.tree, facts):  # type: ignore[arg-type]
        program = Program(mutant.text, names, code=False)
        try:
            with np.errstate(all="ignore"):
                value = np.asarray(program(NUMPY, env))
                gap = np.max(np.abs(value - right), initial=0.0)
        except (ValueError, TypeError, np.linalg.LinAlgError):
            continue  # shapes do not fit
        told_same = same(original.tree, program.tree, facts)  # type: ignore[arg-type]
        called_same += told_same
        assert not (told_same and gap > 1e-9 * np.max(np.abs(right))), mutant  # a mutant's factor is 1e-6 at least
    assert called_same < 20
