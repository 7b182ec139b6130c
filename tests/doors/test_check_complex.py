"""Are derivatives by complex numbers judged as they deserve, through every door? Right and wrong rules in pairs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from pasting import pasted, shows

from gradcheck import Complex, Real, check
from gradcheck.errors import UsageError
from gradcheck.judge.cells import Kind

POINTS, FEW = 12, 6


@dataclass(frozen=True)
class Pair:
    """A NumPy function with PyTorch's gradient, and one that people write instead."""

    fn: Callable[..., Any]
    inputs: Any
    right: Callable[..., Any]
    wrong: Callable[..., Any]


def holomorphic(slope: Callable[[Any], Any], conjugate: bool) -> Callable[..., Any]:
    """The rule of a complex-analytic function, with its slope conjugated or not."""
    return lambda i, ct: (ct * (np.conj(slope(i[0])) if conjugate else slope(i[0])),)


def unit(z: Any) -> Any:
    return z / np.abs(z)


PAIRS = {
    "the modulus, with the conjugate direction": Pair(
        np.abs, [Complex(2)], lambda i, ct: (ct * unit(i[0]),), lambda i, ct: (ct * unit(i[0]).conj(),),
    ),
    "the modulus, half of it": Pair(
        np.abs, [Complex(2)], lambda i, ct: (ct * unit(i[0]),), lambda i, ct: (ct * unit(i[0]) / 2,),
    ),
    "a square without the conjugate": Pair(
        np.square, [Complex("n")], holomorphic(lambda z: 2 * z, True), holomorphic(lambda z: 2 * z, False),
    ),
    "an exponential without the conjugate": Pair(
        np.exp, [Complex(2)], holomorphic(np.exp, True), holomorphic(np.exp, False),
    ),
    "a product with its conjugate": Pair(
        lambda z: (z * z.conj()).real, [Complex(2)], lambda i, ct: (2 * ct * i[0],), lambda i, ct: (ct * i[0],),
    ),
    "a conjugate that is lost": Pair(
        np.conj, [Complex(2)], lambda i, ct: (ct.conj(),), lambda i, ct: (ct,),
    ),
    "the real part, by the imaginary one": Pair(
        np.real, [Complex(2)], lambda i, ct: (ct + 0j,), lambda i, ct: (ct * (1 + 1j),),
    ),
    "real numbers into complex ones": Pair(
        lambda x: np.exp(1j * x), [Real(2)],
        lambda i, ct: ((ct * np.conj(1j * np.exp(1j * i[0]))).real,),
        lambda i, ct: ((ct * 1j * np.exp(1j * i[0])).real,),
    ),
    "a gradient of a real input that keeps its imaginary part": Pair(
        lambda x: x * (1 + 2j), [Real(2)], lambda i, ct: ((ct * (1 - 2j)).real,), lambda i, ct: (ct * (1 - 2j),),
    ),
}  # fmt: skip


def turned(x: Any) -> Any:
    return x * (1 + 2j)


def turned_back(inputs: Any, ct: Any) -> Any:
    return (ct * (1 - 2j),)


def test_an_imaginary_part_is_told_as_what_it_is() -> None:
    told = str(check(turned, [Real(2)], vjp=turned_back, points=POINTS))
    assert "the gradient of x, a real input, has an imaginary part" in told
    assert '"should be real numbers")' in told and "should have shape" not in told


@pytest.mark.parametrize("name", PAIRS)
def test_numpy_rules(name: str) -> None:
    pair = PAIRS[name]
    right = check(pair.fn, pair.inputs, vjp=pair.right, points=POINTS)
    assert right.passed, str(right)
    assert any(f.cell == "reverse" and f.kind is Kind.RIGHT for f in right.findings)
    wrong = check(pair.fn, pair.inputs, vjp=pair.wrong, points=POINTS)
    assert not wrong.passed, str(wrong)
    assert wrong.checked.standing.decisive is not None
    assert wrong.checked.standing.decisive.cell in ("reverse", "shape")


def test_forward_mode_and_several_inputs() -> None:
    def fn(z: Any, x: Any) -> Any:
        return z * x, np.sum(x)

    def vjp(inputs: Any, cts: Any) -> Any:
        (z, x), (w, c) = inputs, cts
        return w * x, (w * z.conj()).real + c

    def jvp(inputs: Any, tangents: Any) -> Any:
        (z, x), (dz, dx) = inputs, tangents
        return dz * x + z * dx, np.sum(dx)

    inputs = {"z": Complex(2), "x": Real(2)}
    good = check(fn, inputs, vjp=vjp, jvp=jvp, points=POINTS)
    assert good.passed, str(good)
    assert {f.cell for f in good.findings if f.kind is Kind.RIGHT} >= {"reverse", "forward", "adjoint", "linear"}
    bad = check(fn, inputs, vjp=vjp, jvp=lambda i, t: (t[0].conj() * i[1] + i[0] * t[1], np.sum(t[1])), points=POINTS)
    assert not bad.passed
    half = check(fn, inputs, vjp=lambda i, ct: (vjp(i, ct)[0] / 2, vjp(i, ct)[1]), points=POINTS, cells=["reverse"])
    shows(half, pasted(half, vjp=lambda i, ct: (vjp(i, ct)[0] / 2, vjp(i, ct)[1])))


def test_the_snippet_has_complex_numbers() -> None:
    pair = PAIRS["a square without the conjugate"]
    bad = check(pair.fn, [Complex("n")], vjp=pair.wrong, points=POINTS)
    told = str(bad).splitlines()[1]
    assert "[0], its" in told
    assert "j]" in told
    shows(bad, pasted(bad, vjp=pair.wrong))


def test_examples_and_samplers() -> None:
    pair = PAIRS["an exponential without the conjugate"]
    example = [np.array([0.3 + 0.4j, 1 - 1j])]
    for inputs in (example, lambda rng: [rng.normal(size=2) + 1j * rng.normal(size=2)]):
        assert check(pair.fn, inputs, vjp=pair.right, points=POINTS).passed
        assert not check(pair.fn, inputs, vjp=pair.wrong, points=POINTS).passed


def test_a_function_that_ends_the_process_ends_one_of_its_own() -> None:
    def quits(z: Any) -> Any:
        os._exit(3)

    result = check(quits, [Complex(2)], vjp=lambda i, ct: (ct,), points=2)
    assert not result.passed
    assert "process" in str(result)


def test_what_is_for_real_inputs_only() -> None:
    with pytest.raises(UsageError, match="real inputs and outputs only"):
        check(np.exp, [Complex(2)], vjp=lambda i, ct: (ct,), meant=lambda i, ct: (ct,), points=POINTS)
    with pytest.raises(UsageError, match="real inputs only"):
        check(np.abs, [Complex(2)], gradient="x", points=POINTS)
    with pytest.raises(UsageError, match="complex128 or complex64"):
        Complex(2, dtype="float64")


def test_pytorch() -> None:
    torch = pytest.importorskip("torch")

    class Square(torch.autograd.Function):  # type: ignore[misc,name-defined]
        conjugate = True

        @staticmethod
        def forward(ctx: Any, z: Any) -> Any:
            ctx.save_for_backward(z)
            return z * z

        @classmethod
        def backward(cls, ctx: Any, ct: Any) -> Any:
            (z,) = ctx.saved_tensors
            return 2 * ct * (z.conj() if cls.conjugate else z)

    class Forgotten(Square):
        conjugate = False

    assert check(Square.apply, [Complex()], points=FEW, order=2).passed
    forgotten = check(Forgotten.apply, [Complex()], points=FEW)
    assert not forgotten.passed
    shows(forgotten, pasted(forgotten, fn=Forgotten.apply))
    own = check(lambda z: (z.abs() * z).conj(), [Complex()], backend="torch", points=FEW)
    assert own.passed, str(own)
    assert {f.cell for f in own.findings if f.kind is Kind.RIGHT} >= {"reverse", "forward", "adjoint"}


def test_jax() -> None:
    pytest.importorskip("jax")
    from gradcheck.oracles.with_jax.library import jax, jnp

    def square(conjugate: bool) -> Any:
        rule = jax.custom_vjp(lambda z: z * z)
        rule.defvjp(lambda z: (z * z, z), lambda z, ct: (2 * ct * (jnp.conj(z) if conjugate else z),))
        return rule

    assert check(square(False), [Complex()], points=FEW).passed  # JAX's convention does not conjugate
    bad = check(square(True), [Complex()], points=FEW)
    assert not bad.passed
    shows(bad, pasted(bad, fn=square(True)))
    assert check(lambda x: jnp.exp(1j * x), [Real()], backend="jax", points=FEW).passed


def test_a_region_keeps_to_where_a_rule_is_right():
    def straight(inputs, ct):
        return (ct,)

    def through_a_square(z):
        return np.sqrt(z**2)

    assert check(through_a_square, [Complex("n", region="re > 0.1")], vjp=straight, points=POINTS).passed
    assert not check(through_a_square, [Complex("n", region="re < -0.1")], vjp=straight, points=POINTS).passed
