"""Are JAX's custom rules judged as they were written?"""

from __future__ import annotations

from typing import Any

import pytest
from pasting import pasted, shows

pytest.importorskip("jax")

from gradcheck import Real, check
from gradcheck.judge.cells import Kind
from gradcheck.oracles.jax_library import jax, jnp

POINTS = 10


def softsign_with(power: int) -> Any:
    @jax.custom_vjp
    def softsign(x: Any) -> Any:
        return x / (1 + jnp.abs(x))

    softsign.defvjp(lambda x: (softsign(x), x), lambda x, ct: (ct / (1 + jnp.abs(x)) ** power,))
    return softsign


def cube_with(factor: float) -> Any:
    @jax.custom_jvp
    def cube(x: Any) -> Any:
        return x**3

    cube.defjvp(lambda at, along: (cube(*at), factor * at[0] ** 2 * along[0]))
    return cube


def wrong_cells(result: Any) -> list[str]:
    return [f.cell for f in result.findings if f.kind in (Kind.WRONG, Kind.CRASHED)]


def test_a_custom_vjp() -> None:
    good = check(softsign_with(2), [Real(2)], points=POINTS)
    assert good.passed, str(good)
    assert any(f.cell == "forward" and f.kind is Kind.SILENT for f in good.findings)  # a custom_vjp has none
    bad = check(softsign_with(1), [Real(2)], points=POINTS)
    assert wrong_cells(bad) == ["reverse"]
    shows(bad, pasted(bad, fn=softsign_with(1)))


def test_a_custom_jvp_and_second_order() -> None:
    good = check(cube_with(3.0), [Real(2)], points=POINTS, order=2)
    assert good.passed, str(good)
    assert {f.cell for f in good.findings if f.kind is Kind.RIGHT} >= {"reverse", "forward", "adjoint", "second"}
    bad = check(cube_with(2.0), [Real(2)], points=POINTS)
    assert {"reverse", "forward"} <= set(wrong_cells(bad))
    forward = check(cube_with(2.0), [Real(2)], points=POINTS, cells=["forward"])
    shows(forward, pasted(forward, fn=cube_with(2.0)))


def test_branches_on_numbers_and_trees() -> None:
    def branching(x: Any) -> Any:
        return {"a": jnp.sin(x) if x.sum() > 0 else 2 * x, "b": x.sum()}

    assert check(branching, [Real(2)], backend="jax", points=POINTS).passed


def test_a_forward_mode_that_breaks_is_not_one_that_is_missing() -> None:
    @jax.custom_jvp
    def doubled(x: Any) -> Any:
        return 2 * x

    def rule(at: Any, along: Any) -> Any:
        raise ValueError("this jvp is not written yet")

    doubled.defjvp(rule)
    broken = check(doubled, [Real(2)], points=POINTS)
    assert not broken.passed
    assert any(f.cell == "forward" and f.kind is Kind.CRASHED for f in broken.findings), str(broken)
