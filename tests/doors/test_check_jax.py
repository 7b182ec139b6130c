"""Are JAX's custom rules judged as they were written?"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from pasting import pasted, shows

pytest.importorskip("jax")

from jax.custom_derivatives import SymbolicZero

from gradcheck import Integer, Real, check
from gradcheck.judge.cells import Kind
from gradcheck.oracles.blackbox.asked import NotOffered
from gradcheck.oracles.with_jax.door import JaxCode
from gradcheck.oracles.with_jax.library import jax, jnp

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


def scaled_by_its_sum(method: str, axis: Any) -> Any:
    """x over its sum, by a callback that is handed whole batches."""

    @jax.custom_vjp
    def share(x: Any) -> Any:
        shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
        return jax.pure_callback(lambda x: x / np.sum(x, axis=axis, keepdims=True), shape, x, vmap_method=method)

    share.defvjp(lambda x: (share(x), x), lambda x, ct: ((ct - jnp.sum(ct * x) / x.sum()) / x.sum(),))
    return share


def test_a_callback_that_sums_over_the_batch() -> None:
    cells = ["value", "reverse", "vmap", "compiled"]
    inputs = [Real(3, low=1, high=2)]
    assert wrong_cells(check(scaled_by_its_sum("broadcast_all", None), inputs, points=POINTS, cells=cells)) == ["vmap"]
    good = check(scaled_by_its_sum("broadcast_all", -1), inputs, points=POINTS, cells=cells)
    assert good.passed, str(good)
    assert {f.cell for f in good.findings if f.kind is Kind.RIGHT} == set(cells)


def test_zeros_that_jax_knows_of_are_zeros() -> None:
    """Rules may ask which tangents and cotangents are zeros: an input that is not moved, an output that is not used."""

    @jax.custom_jvp
    def product(x: Any, y: Any) -> Any:
        return x * y

    def pushed(at: Any, along: Any) -> Any:
        (x, y), (dx, dy) = at, along
        if isinstance(dy, SymbolicZero):
            return x * y, dx  # wrong: y is missing
        return x * y, x * dy + (0 if isinstance(dx, SymbolicZero) else dx * y)

    product.defjvp(pushed, symbolic_zeros=True)
    cells = ["value", "reverse", "subsets", "undefined", "detached", "primal", "mixed"]
    assert wrong_cells(check(product, [Real(2), Real(2)], points=POINTS, cells=cells)) == ["subsets"]

    @jax.custom_vjp
    def both(x: Any) -> Any:
        return 2 * x, 3 * x

    def pulled(_: Any, cts: Any) -> Any:
        one, two = (None if isinstance(ct, SymbolicZero) else ct for ct in cts)
        return ((0 if one is None else 2 * one) + (one if two is None else 3 * two),)

    both.defvjp(lambda x: (both(x.value), None), pulled, symbolic_zeros=True)
    assert wrong_cells(check(both, [Real(2)], points=POINTS, cells=cells)) == ["undefined"]


LEAVING = """
import os
import jax, jax.numpy as jnp, numpy as np
from gradcheck import Integer, Real, check

@jax.custom_vjp
def sine(x):
    return jnp.sin(x)

def left(ct):
    if not np.any(ct):
        os._exit(3)
    return np.asarray(ct)

def backward(x, ct):
    return (jax.pure_callback(left, jax.ShapeDtypeStruct(ct.shape, ct.dtype), ct) * jnp.cos(x),)

sine.defvjp(lambda x: (sine(x), x), backward)
cells = ["value", "reverse", "zero"]
print(check(sine, [Real(2)], points=8, cells=cells))
jnp.ones(3)  # from here on JAX has threads in this process
print(check(jnp.sin, [Real(2)], points=8, cells=cells))
print(check(lambda x: np.asarray(jnp.sin(x)), [Real(2)], vjp=lambda i, ct: (ct * np.cos(i[0]),), points=8, cells=cells))
print(check(np.sin, [Real(2)], vjp=lambda i, ct: os._exit(4), points=8, cells=["reverse"]))
"""


def test_a_rule_that_ends_the_process_costs_its_cell_unless_jax_was_used_before() -> None:
    done = subprocess.run([sys.executable, "-c", LEAVING], capture_output=True, text=True, timeout=120, check=True)
    dying, used, beside, numpy = done.stdout.split("\n\n")[0:1] + re.split(r"\n(?=\S+: [A-Z]{5,})", done.stdout)[1:]
    assert dying.startswith("sine: CRASHED in zero: the vjp ended the process (exit code 3)")
    why = "it was not called in a process of its own: JAX was used in this process before"
    assert used.startswith("sin: AGREES") and why in used
    assert beside.startswith("<lambda>: AGREES") and why in beside  # a NumPy rule that calls JAX
    assert numpy.startswith("sin: CRASHED in reverse: the vjp ended the process (exit code 4)") and why not in numpy


def test_code_that_wants_labels_as_plain_numbers_is_compiled_for_them() -> None:
    runs = []

    def picked(x: Any, labels: Any) -> Any:
        runs.append(1)
        return jnp.sum(x[jnp.arange(3), np.asarray(labels)] ** 2)  # np.asarray: no tracer will do

    code, rng = JaxCode(picked, (0,)), np.random.default_rng(0)
    some, others, third = np.array([0, 1, 2]), np.array([2, 2, 0]), np.array([1, 1, 1])
    for k in range(20):
        x, labels = rng.standard_normal((3, 4)), (some, others, third)[k % 3]
        wanted = np.zeros((3, 4))
        wanted[np.arange(3), labels] = 2 * x[np.arange(3), labels]
        np.testing.assert_allclose(code.value((x, labels))[0], np.sum(wanted**2) / 4, rtol=1e-14)
        np.testing.assert_allclose(code.vjp((x, labels), (np.ones(()),))[0], wanted, rtol=1e-14)
    assert len(runs) <= 2 * (1 + 3 * 2)  # of each question: tried whole; with each labels once as it is, once compiled
    points = rng.standard_normal((5, 3, 4))
    found = code.values([points, np.stack([some] * 5)])
    np.testing.assert_allclose(found[:, 0], [np.sum(x[np.arange(3), some] ** 2) for x in points], rtol=1e-14)
    with pytest.raises(NotOffered):  # points with labels of their own have no batch
        code.values([points, np.stack([some, some, others, some, some])])
    result = check(picked, [Real(3, 4), Integer(3, low=0, high=3)], "jax", points=POINTS)
    assert result.passed, str(result)
