"""Do the functions of functions give values, cotangents and tangents in the structure that was asked for?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.engine import Forward, Reverse, grad, hessian, hvp, jacobian, jvp, vjp
from gradcheck.errors import TapeError
from gradcheck.expr.batch import Batch, Batched
from gradcheck.expr.vocabulary import NUMPY

X, Y = np.array([2.0, 3.0]), np.array([6.0, 4.0])


def cubic(xp: Any, x: Any, y: Any) -> Any:
    return 3 * x**3 - y**2


def rosenbrock(xp: Any, x: Any) -> Any:
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def test_jacobian_of_the_notebook_000b() -> None:
    by_x, by_y = jacobian(cubic, NUMPY, [X, Y])
    assert by_x.tolist() == [[36, 0], [0, 81]]
    assert by_y.tolist() == [[-12, 0], [0, -8]]


def test_vjp_and_jvp_of_several_outputs() -> None:
    def f(xp: Any, x: Any) -> dict[str, Any]:
        return {"double": 2 * x, "total": xp.sum(x * x), "nothing": np.ones(3)}

    value, (pulled,) = vjp(f, NUMPY, [X], {"total": 1.0, "double": [1.0, 0.0], "nothing": [0.0, 0.0, 0.0]})
    assert value["double"].tolist() == [4, 6]
    assert value["total"] == 13
    assert pulled.tolist() == [2 + 4, 6]
    value, moved = jvp(f, NUMPY, [X], [np.array([1.0, 0.0])])
    assert moved["double"].tolist() == [2, 0]
    assert moved["total"] == 4
    assert moved["nothing"].tolist() == [0, 0, 0]


def test_arguments_outside_wrt_are_passed_through() -> None:
    seen: list[Any] = []

    def f(xp: Any, x: Any, n: Any) -> Any:
        seen.append(n)
        return xp.sum(x) * n

    _, (by_x, by_n) = vjp(f, NUMPY, [X, 3], 1.0, wrt=[True, False])
    assert seen == [3]
    assert by_x.tolist() == [3, 3]
    assert by_n is None
    assert grad(f, NUMPY, [X, 3], wrt=[False, True])[1] == 5


def test_an_argument_that_does_not_matter_gets_zeros() -> None:
    _, (by_x, by_y) = vjp(lambda xp, x, y: x, NUMPY, [X, Y], np.ones(2))
    assert by_x.tolist() == [1, 1]
    assert by_y.tolist() == [0, 0]
    _, moved = jvp(lambda xp, x, y: x, NUMPY, [X, Y], [None, np.ones(2)])
    assert moved.tolist() == [0, 0]
    assert jacobian(lambda xp, x, y: x, NUMPY, [X, Y])[1].tolist() == [[0, 0], [0, 0]]


def test_shapes_are_compared_and_never_broadcast() -> None:
    with pytest.raises(TapeError, match=r"cotangent of shape \(\) .* shape \(2,\)"):
        vjp(cubic, NUMPY, [X, Y], 1.0)
    with pytest.raises(TapeError, match=r"tangent of shape \(\) .* shape \(2,\)"):
        jvp(cubic, NUMPY, [X, Y], [1.0, None])
    with pytest.raises(TapeError, match="one number as its result"):
        grad(cubic, NUMPY, [X, Y])


def test_hessian_and_hvp() -> None:
    x = np.array([0.7, -0.4])
    want = np.array([[2 - 400 * (x[1] - 3 * x[0] ** 2), -400 * x[0]], [-400 * x[0], 200.0]])
    ((block,),) = hessian(rosenbrock, NUMPY, [x])
    assert np.allclose(block, want, rtol=1e-14)
    t = np.array([0.3, -1.1])
    value, (moved,) = hvp(rosenbrock, NUMPY, [x], 1.0, [t])
    assert value == rosenbrock(NUMPY, x)
    assert np.allclose(moved, want @ t, rtol=1e-14)
    blocks = hessian(lambda xp, a, b: xp.sum(a * a) * b, NUMPY, [X, np.array(5.0)])
    assert [[np.asarray(b).tolist() for b in row] for row in blocks] == [[[[10, 0], [0, 10]], [4, 6]], [[4, 6], 0]]


def test_every_stacking_of_modes_gives_the_fourth_derivative() -> None:
    def forward(f: Any) -> Any:
        return lambda xp, x: jvp(f, xp, [x], [np.ones(())])[1]

    def reverse(f: Any) -> Any:
        return lambda xp, x: grad(f, xp, [x])[0]

    def wave(xp: Any, x: Any) -> Any:
        return xp.sin(2 * x)

    x = np.array(0.8)
    for modes in ((forward, forward, forward, forward), (reverse, reverse, reverse, reverse),
                  (reverse, forward, reverse, forward), (forward, reverse, reverse, forward)):  # fmt: skip
        f: Any = wave
        for mode in modes:
            f = mode(f)
        assert f(NUMPY, x) == pytest.approx(16 * np.sin(1.6), rel=1e-14)


def test_nested_derivatives_are_not_confused() -> None:
    """d/dx (x * d/dy (x + y)) = 1: the inner derivative must not see the outer movement."""

    def outer(xp: Any, x: Any) -> Any:
        return x * jvp(lambda inner, y: inner.add(x, y), xp, [np.ones(())], [np.ones(())])[1]

    assert jvp(outer, NUMPY, [np.ones(())], [np.ones(())])[1] == 1
    assert grad(outer, NUMPY, [np.ones(())])[0] == 1


def test_values_of_another_namespace_are_constants() -> None:
    mine, other = Reverse(NUMPY), Reverse(NUMPY)
    x = mine.leaf(X)
    assert type(other.sum(X)) is np.float64
    with pytest.raises(TypeError):
        other.multiply(x, 2.0)  # not a NumPy value, so nothing other's base could take
    forward = Forward(NUMPY)
    assert forward.sin(X).tolist() == np.sin(X).tolist()


def test_a_thousand_points_in_one_pass() -> None:
    points = np.random.default_rng(0).normal(size=(1000, 2))

    def batched(xp: Any, x: Any) -> Any:
        at = Batch(xp)
        p = Batched(x)
        a, b = at.getitem(p, index=(0,)), at.getitem(p, index=(1,))
        bent = at.subtract(b, at.square(a))
        return at.add(at.square(at.subtract(1.0, a)), at.multiply(100.0, at.square(bent))).data

    value, (pulled,) = vjp(batched, NUMPY, [points], np.ones(1000))
    assert value.shape == (1000,)
    for k in range(0, 1000, 97):
        assert np.allclose(pulled[k], grad(rosenbrock, NUMPY, [points[k]])[0], rtol=1e-13)
