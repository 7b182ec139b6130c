"""Are there all the small mistakes, each with its place, and no other formulas?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from gradcheck.expr import NUMPY, VOCABULARY, Batch, Batched, Control, Program, parse_formula
from gradcheck.expr.mutants import Mutant, mutants
from gradcheck.expr.mutations import COMMUTATIVE, REDUCTIONS, SIBLINGS, Fact
from gradcheck.expr.nodes import Node

RANKS = {"x": 1, "y": 1, "s": 0, "n": 0, "A": 2, "B": 2}
MutantsOf = Callable[..., tuple[Mutant, ...]]


def facts(node: Node) -> Fact:
    """What nodes come to, by evaluating them at one point."""
    from gradcheck.expr.evaluate import State, compile_expression

    env = {name: Batched(np.full((1, *(3,) * rank), 0.7)) for name, rank in RANKS.items() if name != "n"}
    try:
        value = compile_expression(node)(State(Batch(NUMPY), {**env, "n": 3}, Control()))
    except Exception:
        return Fact(None)
    if isinstance(value, tuple):
        return Fact(None)
    shape = value.shape if isinstance(value, Batched) else np.shape(value)
    return Fact(shape, np.asarray(getattr(value, "data", value)).dtype == bool)


def mutants_of(text: str) -> tuple[Mutant, ...]:
    return mutants(parse_formula(text, RANKS).tree, facts)  # type: ignore[arg-type]


def texts(text: str, kind: str) -> list[str]:
    return [m.text for m in mutants_of(text) if m.kind == kind]


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("cos(s)", "sign", ["-cos(s)", "cos(-s)"]),
        ("-s", "sign", ["s", "--s"]),
        ("2*s", "sign", ["-(2*s)", "-2*s", "2*-s"]),
        ("s", "factor", ["1.000001*s", "0.999999*s"]),
        ("x + s", "dropped term", ["x", "s"]),
        ("x - s", "dropped term", ["x", "-s"]),
        ("x*s", "dropped factor", ["x", "s"]),
        ("x/s", "dropped factor", ["x", "1/s"]),
        ("s**3", "dropped factor", ["s"]),
        ("x - s", "swapped", ["s - x"]),
        ("A @ x", "swapped", ["x @ A"]),
        ("s**n", "swapped", ["n**s"]),
        ("where(s > 0, s, n)", "branch", ["where(s > 0, n, s)", "s", "n"]),
        ("s if s > 0 else n", "branch", ["n if s > 0 else s", "s", "n"]),
        ("where(s > 0, s, 1)", "comparison", ["where(s >= 0, s, 1)"]),
        ("where(s <= 0, s, 1)", "comparison", ["where(s < 0, s, 1)"]),
        ("where(not s > 0, s, 1)", "comparison", ["where(s > 0, s, 1)", "where(not s >= 0, s, 1)"]),
        ("sum(A, axis=0)", "axis", ["sum(A, axis=1)"]),
        ("sum(A, axis=-1)", "axis", ["sum(A, axis=-2)"]),
        ("sum(A)", "axis", ["sum(A, axis=0)", "sum(A, axis=1)"]),
        ("softmax(A, axis=0)", "axis", ["softmax(A, axis=1)"]),
        ("A.T @ x", "transposed", ["A @ x", "matrix_transpose(A).T @ x"]),
        ("A @ x", "transposed", ["matrix_transpose(A) @ x"]),
        ("sum(x*s)", "unreduced", ["x*s"]),
        ("x*s", "detached", ["zeros_like(x*s)", "zeros_like(x)*s", "x*0"]),
        ("2*x", "constant", ["ones_like(2*x)", "0*x", "1*x", "2*ones_like(x)"]),
        ("sin(s)", "sibling", ["cos(s)"]),
        ("max(x)", "sibling", ["min(x)"]),
        ("x[0]", "index", ["x[1]", "x[-1]"]),
        ("x[n - 1]", "index", ["x[n - 1 + 1]", "x[n - 1 - 1]"]),
        ("x[1:]", "index", ["x[2:]", "x[0:]"]),
        ("arange(n)", "index", ["arange(start=n + 1)", "arange(start=n - 1)"]),
        ("sum(x, keepdims=True)", "parameter", ["sum(x, keepdims=False)"]),
    ],
)  # fmt: skip
def test_each_kind_of_mistake(text: str, kind: str, expected: list[str]) -> None:
    assert texts(text, kind) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x*s + s*x", "swapped"), ("x", "transposed"), ("sum(x)", "axis"), ("s > 0", "comparison-less"),
        ("maximum(x, s)", "swapped"), ("0*s", "factor-of-zero"),
    ],
)  # fmt: skip
def test_what_would_change_nothing_is_not_proposed(text: str, kind: str) -> None:
    assert texts(text, kind) == []


def test_a_mutant_tells_its_place_and_its_formula() -> None:
    text = "(s*s +\n  cos(x)*s)"
    (cosine,) = [m for m in mutants_of(text) if m.kind == "sibling"]
    assert (cosine.before, cosine.after, cosine.text) == ("cos(x)", "sin(x)", "s*s + sin(x)*s")
    assert cosine.place == "line 2, column 3"
    assert [m.place for m in mutants_of("1 + cos(x)") if m.kind == "sibling"] == ["column 5"]


def test_the_same_formula_gives_the_same_mutants_in_the_same_order_and_each_once() -> None:
    text = "where(x > 0, sin(x)*A[0], sum(A @ x)/n)"
    first, second = mutants_of(text), mutants_of(text)
    assert first == second
    assert len({m.text for m in first}) == len(first)
    assert text not in {m.text for m in first}


def test_the_mutants_of_a_product_counted_by_hand() -> None:
    """Three nodes with a sign, two factors, a zero and a one each; and either factor dropped."""
    assert len(mutants_of("x*s")) == 3 * (1 + 2 + 2) + 2


def test_every_mutant_differs_from_the_original_in_value_or_is_known_not_to() -> None:
    """At x = 0.3 and s = 1.7 no two formulas of this one's mutants agree by chance."""
    text = "exp(s)*x/s + x**3 - 2"
    env: Mapping[str, float] = {"x": 0.3, "s": 1.7}
    original = Program(text, env, code=False)(NUMPY, env)
    found = mutants(parse_formula(text, env).tree, lambda node: Fact(()))  # type: ignore[arg-type]
    assert len(found) > 60
    assert [m.text for m in found if Program(m.text, env, code=False)(NUMPY, env) == original] == []


def test_the_tables_name_functions_of_the_vocabulary() -> None:
    for name in {*COMMUTATIVE, *REDUCTIONS, *SIBLINGS, *SIBLINGS.values()}:
        assert name in VOCABULARY, name
    for name, other in SIBLINGS.items():
        assert name != other and VOCABULARY[name].arity == VOCABULARY[other].arity
