"""Is docs/primitives.md the vocabulary as it is now, and are the formulas that are shown the rows' own derivatives?"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from gradcheck.errors import Unsupported
from gradcheck.expr import NUMPY, VOCABULARY, Primitive, parse_formula
from gradcheck.report import vocabulary_table, written
from gradcheck.report.vocabulary_table import COMMAND, domain, facts, markdown, order, rule, signature, witnesses

ROOT = Path(__file__).parents[2]
CUBE = Primitive("cube", 1, lambda x: x**3, slopes=(lambda xp, y, x: xp.multiply(3.0, xp.square(x)),))
POINTS = (np.array([0.3, 2.0, -0.75, 1.0]), np.array([0.6, 0.25, 1.5, 1.0]), np.array([0.9, 3.0, 0.5, 2.0]))


@pytest.fixture
def with_cube(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row more in the vocabulary."""
    more = MappingProxyType({**VOCABULARY, "cube": CUBE})
    spaces = (
        "gradcheck.oracles.balls.vocabulary",
        "gradcheck.oracles.with_torch.names",
        "gradcheck.oracles.with_jax.names",
    )
    for module in ("gradcheck.report.vocabulary_table", *spaces):
        monkeypatch.setattr(f"{module}.VOCABULARY", more)
    monkeypatch.setattr("gradcheck.oracles.rounding.running.VOCABULARY", more)


def stale() -> str:
    """What is to be done about docs/primitives.md, or nothing."""
    there = (ROOT / "docs" / "primitives.md").read_text(encoding="utf-8")
    return "" if there == markdown() else f"docs/primitives.md is not up to date; make it anew: {COMMAND}"


def test_the_document_is_up_to_date() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("jax")
    assert stale() == ""


def test_a_row_that_is_added_makes_it_stale(with_cube: None) -> None:
    pytest.importorskip("torch")
    assert "gradcheck vocabulary --markdown > docs/primitives.md" in stale()
    assert (
        "| `cube(x)` | slopes | forward, reverse | 2 | real |  | no: it has no enclosure | engine, bounds |  |"
        in markdown()
    )


def test_every_row_has_a_line_of_nine_cells() -> None:
    lines = [line for line in markdown().splitlines() if line.startswith("| `")]
    assert len(lines) == len(VOCABULARY)
    assert all(line.replace("\\|", "").count("|") == 10 for line in lines)


class Space:
    """A witness's namespace that has what it is told to have."""

    def __init__(self, **functions: Any) -> None:
        self.functions = functions

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in self.functions:
            raise Unsupported("it", name)
        return self.functions[name]  # type: ignore[no-any-return]


def test_witnesses_are_asked() -> None:
    silu, sine = VOCABULARY["silu"], VOCABULARY["sin"]
    spaces = {
        "torch": Space(sin=np.sin, silu=np.sin),
        "jax": Space(silu=partial(silu.compose, NUMPY)),  # type: ignore[arg-type]
    }
    assert witnesses(sine, spaces) == {"engine": "", "torch": ""}
    assert witnesses(silu, spaces) == {"engine": "", "torch": "", "jax": "formula"}
    assert order(sine, witnesses(sine, spaces)) == "4"
    assert order(sine, {"engine": ""}) == "2"
    assert order(VOCABULARY["floor"], {"torch": ""}) == order(VOCABULARY["isnan"], {"torch": ""}) == "–"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("sin", "slopes"), ("copysign", "slopes"), ("floor", "flat"), ("isnan", "none"), ("stop_gradient", "none"),
     ("zeros", "none"), ("argmax", "none"), ("sum", "linear"), ("det", "rule"), ("silu", "composition")],
)  # fmt: skip
def test_kinds_of_rules(name: str, kind: str) -> None:
    assert rule(VOCABULARY[name]) == kind


def test_words() -> None:
    assert signature(VOCABULARY["sum"]) == "sum(x, axis=None, keepdims=False)"
    assert signature(VOCABULARY["concat"]) == "concat([x, y], axis=0)"
    assert [domain(VOCABULARY[name]) for name in ("sin", "log", "asin", "divide", "xlogy")] == [
        "", "x positive", "x in [-1, 1]", "y != 0", "y > 0, or x == 0",
    ]  # fmt: skip
    assert facts(VOCABULARY["clip"]).kinks == "x == y or x == z"
    assert facts(VOCABULARY["gammaln"]).aliases == ("lgamma", "loggamma")
    assert facts(VOCABULARY["abs"]).numbers == "real" or hasattr(VOCABULARY["abs"], "wirtinger")


WRITTEN = [
    (name, i)
    for name, row in VOCABULARY.items()
    for i, text in enumerate(written.slopes(row))
    if text not in ("", written.UNWRITTEN, written.UNREADABLE, written.REFUSED)
]


def evaluated(text: str, row: Primitive) -> tuple[Any, Any, tuple[Any, ...]]:
    """A written formula at some points; the value there, and the arguments."""
    args = POINTS[: row.arity]
    if row.name in ("polygamma", "expn"):  # of whole orders
        args = (np.ones(4), POINTS[1])
    with np.errstate(all="ignore"):
        value = row.numpy(*args)
        env = {**dict(zip(written.NAMES, args, strict=False)), "value": value}
        return parse_formula(text, env)(NUMPY, env), value, args


@pytest.mark.parametrize(("name", "i"), WRITTEN)
def test_a_written_slope_reads_back_as_the_slope_itself(name: str, i: int) -> None:
    row = VOCABULARY[name]
    got, value, args = evaluated(written.slopes(row)[i], row)
    slope = (row.slopes or ())[i]
    with np.errstate(all="ignore"):
        want = np.asarray(slope(NUMPY, value, *args) if callable(slope) else slope, dtype=float)
    assert np.allclose(got, want, rtol=1e-14, atol=0, equal_nan=True), (written.slopes(row)[i], got, want)
    assert np.any(np.isfinite(want))


def test_a_series_is_too_long_to_be_written_and_nothing_else_is() -> None:
    series = {name for name, row in VOCABULARY.items() if written.UNREADABLE in written.slopes(row)}
    assert series == {"erfcx", "lambertw", "ive", "kve", "i0e", "i1e", "k0e", "k1e"}


def test_another_slope_is_another_text() -> None:
    text = written.slopes(replace(CUBE, slopes=(lambda xp, y, x: xp.multiply(3.001, xp.square(x)),)))
    assert written.slopes(CUBE) == ("3*x**2",)
    assert text == ("3.001*x**2",)


@pytest.mark.parametrize(
    ("slope", "text"),
    [
        (lambda xp, y, x: xp.subtract(x, xp.subtract(y, x)), "x - (value - x)"),
        (lambda xp, y, x: xp.divide(x, xp.multiply(y, x)), "x/(value*x)"),
        (lambda xp, y, x: xp.multiply(xp.add(x, 1.0), xp.negative(x)), "(x + 1)*(-x)"),
        (lambda xp, y, x: xp.pow(xp.negative(x), -2.0), "(-x)**-2"),
        (lambda xp, y, x: xp.square(xp.square(x)), "(x**2)**2"),
        (lambda xp, y, x: xp.reciprocal(xp.reciprocal(x)), "1/(1/x)"),
        (lambda xp, y, x: xp.negative(xp.add(x, y)), "-(x + value)"),
        (lambda xp, y, x: xp.multiply(-1.0, xp.cos(x)), "-cos(x)"),
        (lambda xp, y, x: 2 * x - x.sin(), "2*x - sin(x)"),
        (lambda xp, y, x: xp.where(xp.less(x, -1.0), 0.1, np.pi), "where(x < -1, 0.1, pi)"),
        (lambda xp, y, x: xp.reshape(x, shape=x.shape), written.UNWRITTEN),
        (lambda xp, y, x: x if x > 0 else y, written.UNWRITTEN),
        (None, ""),
        (-1.0, "-1"),
    ],
)
def test_parentheses_and_signs(slope: Any, text: str) -> None:
    assert written.slopes(replace(CUBE, slopes=(slope,))) == (text,)


def test_a_composition_is_told_by_its_formula_and_the_rows_it_uses() -> None:
    assert written.meaning(VOCABULARY["silu"]) == ("x*expit(x)", ("expit", "multiply"))
    assert written.meaning(VOCABULARY["sin"]) == ("", ())
    shaped = replace(VOCABULARY["silu"], compose=lambda xp, x: xp.divide(x, float(len(x.shape))))
    assert written.meaning(shaped) == ("", ())
    bound = replace(VOCABULARY["silu"], compose=lambda xp, x, width: x)
    assert written.meaning(bound) == ("", ())


def test_a_rule_is_told_by_its_source() -> None:
    assert written.source(VOCABULARY["det"].jvp).startswith("def _det_jvp(xp")
    assert written.source(lambda xp: xp) == ""
    assert written.source(None) == ""
    assert inspect.getsource(vocabulary_table.rule) == written.source(vocabulary_table.rule) + "\n"
