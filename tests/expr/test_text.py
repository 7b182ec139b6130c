"""Is a tree written so that the parser reads the same tree back?"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from gradcheck.expr import parse_formula
from gradcheck.expr.text import to_text
from gradcheck.spec import load_many

SPECS = Path(__file__).parents[2] / "specs"
NAMES = ("x", "y", "A", "n")


def bare(tree: Any) -> Any:
    """The tree without the places of its nodes."""
    if isinstance(tree, tuple):
        return tuple(bare(part) for part in tree)
    if not is_dataclass(tree) or isinstance(tree, type):
        return tree
    parts = {f.name: bare(getattr(tree, f.name)) for f in fields(tree) if f.name != "at"}
    return replace(tree, **parts, **({"at": (1, 1)} if hasattr(tree, "at") else {}))


@pytest.mark.parametrize(
    "text",
    [
        "x + y", "x - (y - x)", "x - y - x", "-x**2", "(-x)**2", "x**-2", "x**y**x", "(x**y)**x", "(-2)**x", "-(x + y)",
        "x*(y + 1)/(x*y)", "x/y*x", "x/(y*x)", "x @ A.T @ y", "x @ (A @ y)", "A.T[0, 1:, ::2, None, ...]", "x[-1]",
        "x if x > 0 and not y <= 1 else (y if x < y else 2.5)", "(x if x > 0 else y) + 1", "(x < y) == (y < x)",
        "0 < x < 1", "x > 0 or y > 0 and x != y", "(x > 0 or y > 0) and x == y", "sum(x, axis=-1, keepdims=True)",
        "stack([x, y], axis=1)", "zeros([n, 2])", "einsum('i,i->', x, y)", "x.shape[0]*pi + inf", "x % 2 + x//2",
        "(2).T", "where(x > 0, 1e-06, -1)", "- -x", "not (not x)", "(x + y).T", "(-x).T", "-x.T", "{'a': x, 'b': y}",
        "(x, y)[0]", "clip(x, -1, 1)", "+x",
    ],
)  # fmt: skip
def test_the_text_of_a_tree_is_read_back_to_that_tree(text: str) -> None:
    tree = parse_formula(text, NAMES).tree
    again = parse_formula(to_text(tree), NAMES).tree  # type: ignore[arg-type]
    assert bare(again) == bare(tree)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("((x)+(y))", "x + y"), ("x-(y-x)", "x - (y - x)"), ("(x*y)*x", "x*y*x"), ("sum(x,axis=0)", "sum(x, axis=0)"),
        ("(-2)**x", "(-2)**x"), ("multiply(x, add(x, 1))", "x*(x + 1)"), ("permute_dims(A)", "A.T"),
    ],
)  # fmt: skip
def test_parentheses_stand_where_they_are_needed_only(text: str, written: str) -> None:
    tree = parse_formula(text, NAMES).tree
    assert to_text(tree) == written  # type: ignore[arg-type]


def test_every_claim_of_the_catalogue_is_read_back() -> None:
    programs = [c.program for file in load_many([str(SPECS)]) for spec in file.functions for c in spec.claims]
    assert len(programs) > 500
    for program in programs:
        again = parse_formula(to_text(program.tree), program.allowed)  # type: ignore[arg-type]
        assert bare(again.tree) == bare(program.tree), program.text
