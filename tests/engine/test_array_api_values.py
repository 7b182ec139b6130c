"""What do the namespace's functions give, and do their derivatives pass through?

A function is written once and called with NumPy, whose namespace is the standard's too, and with ours: the values must
be NumPy's, and the gradient that of differences of NumPy's values.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

import numpy as np
import pytest

from gradcheck.engine import EAGER, no_grad, tensor
from gradcheck.engine import array_api as xp
from gradcheck.engine.array_api import dispatch
from gradcheck.engine.array_api.elementwise import BINARY, FLAT, UNARY
from gradcheck.errors import Unsupported
from gradcheck.expr.primitive import Primitive
from gradcheck.expr.vocabulary import NUMPY, VOCABULARY

Function = Callable[[Any, Any], Any]

X = np.asarray([[0.3, -0.7, 0.45], [0.9, 0.15, -0.25], [-0.55, 0.62, 0.81]])
Y = np.asarray([[0.7, 1.3, -0.4], [0.2, -0.9, 0.5], [1.1, 0.35, 0.65]])
COMPARING = """isfinite isnan logical_not equal not_equal greater greater_equal less less_equal logical_and
    logical_or""".split()
NO_SLOPE = (*FLAT, *COMPARING)
POSITIVE = "log log1p log2 log10 sqrt pow acosh".split()


def within(name: str, x: Any) -> Any:
    """Somewhere in the function's domain."""
    return x * x + (1.5 if name == "acosh" else 0.5) if name in POSITIVE else x


def unary(name: str) -> Function:
    return lambda ns, x: getattr(ns, name)(within(name, x))


def binary(name: str) -> Function:
    return lambda ns, x: (
        getattr(ns, name)(within(name, x), x * 0.5 + ns.asarray(Y))
        + getattr(ns, name)(ns.asarray(Y + 3.0), x) * (0 if name in ("pow", "floor_divide", "remainder") else 1)
    )


FORMULAS: dict[str, Function] = {
    **{name: unary(name) for name in UNARY if name not in (*NO_SLOPE, "conj", "imag", "real")},
    **{name: binary(name) for name in BINARY if name not in (*NO_SLOPE, "nextafter")},
    "clip": lambda ns, x: ns.clip(x, -0.5, 0.5) + ns.clip(x, min=0.1) * ns.clip(x, max=0.2) + ns.clip(x),
    "conj and real": lambda ns, x: ns.conj(x) * ns.real(x),
    "where": lambda ns, x: ns.where(x > 0, x * x, 3.0),
    "sum": lambda ns, x: ns.sum(x * x, axis=0, keepdims=True) + ns.sum(x, dtype=ns.float64),
    "prod": lambda ns, x: ns.prod(x, axis=1),
    "max and min": lambda ns, x: ns.max(x, axis=0) * ns.min(x),
    "mean, var, std": lambda ns, x: ns.mean(x, axis=1) * ns.var(x, axis=0, correction=1.0) + ns.std(x),
    "cumulative_sum": lambda ns, x: ns.cumulative_sum(x * x, axis=1, include_initial=True),
    "cumulative_prod": lambda ns, x: ns.cumulative_prod(x, axis=0, include_initial=True),
    "diff": lambda ns, x: ns.diff(x * x, axis=0, n=2, prepend=x[:1, :], append=x),
    "broadcast": lambda ns, x: ns.broadcast_arrays(x[:1, :], x)[0] * ns.broadcast_to(x[0, :], (3, 3)),
    "concat": lambda ns, x: ns.concat((x, x * x), axis=1) + ns.sum(ns.concat((x, x[0, :]), axis=None)),
    "expand_dims, squeeze": lambda ns, x: ns.squeeze(ns.expand_dims(x * x, axis=1), axis=1),
    "flip": lambda ns, x: x * ns.flip(x, axis=1) + ns.flip(x),
    "moveaxis": lambda ns, x: ns.moveaxis(ns.stack((x, x * x)), (0, 2), (1, 0)),
    "permute_dims, mT": lambda ns, x: ns.permute_dims(x, (1, 0)) * x + x.mT,
    "repeat": lambda ns, x: ns.repeat(x, 2) * 2.0,
    "repeat by counts": lambda ns, x: ns.repeat(x * x, ns.asarray([2, 0, 1]), axis=1),
    "reshape": lambda ns, x: ns.reshape(x * x, (-1, 1), copy=True),
    "roll": lambda ns, x: ns.roll(x, 2) * x + ns.roll(x, (1, -1), axis=(0, 1)) * ns.roll(x, 1, axis=0),
    "stack, unstack": lambda ns, x: ns.stack(ns.unstack(x * x, axis=1), axis=-1),
    "take": lambda ns, x: ns.take(x * x, ns.asarray([2, 0, 2]), axis=1) * ns.take(x[0, :], ns.asarray([1, 1, 0])),
    "tile": lambda ns, x: ns.tile(x * x, (2, 1, 2)),
    "meshgrid": lambda ns, x: ns.meshgrid(x[0, :], x[1, :2])[0] * ns.meshgrid(x[0, :2], x[1, :], indexing="ij")[1],
    "tril, triu": lambda ns, x: ns.tril(x * x, k=1) + ns.triu(x, k=1),
    "matmul": lambda ns, x: ns.matmul(x, ns.matrix_transpose(x)),
    "tensordot": lambda ns, x: ns.tensordot(x, x) + ns.tensordot(x, x, axes=((1,), (0,))) + ns.tensordot(x, x, axes=1),
    "vecdot": lambda ns, x: ns.vecdot(x, x[0, :]) + ns.vecdot(x, x * x, axis=-2),
    "linalg.outer": lambda ns, x: ns.linalg.outer(x[0, :], x[1, :]),
    "linalg.cross": lambda ns, x: ns.linalg.cross(x, ns.flip(x, axis=0)) + ns.linalg.cross(x, x * x, axis=0),
    "linalg.trace": lambda ns, x: ns.linalg.trace(x * x, offset=1) + ns.sum(ns.linalg.diagonal(x)),
    "linalg.det": lambda ns, x: ns.linalg.det(x),
    "linalg.inv": lambda ns, x: ns.linalg.inv(x),
    "linalg.solve": lambda ns, x: ns.linalg.solve(x, x * x) + ns.linalg.solve(x, x[0, :]),
    "linalg.matrix_power": lambda ns, x: ns.linalg.matrix_power(x, 5) + ns.linalg.matrix_power(x, -2),
    "matrix_norm": lambda ns, x: sum(ns.linalg.matrix_norm(x, ord=o) for o in ("fro", 1, -1, np.inf, -np.inf)),
    "vector_norm": lambda ns, x: sum(ns.linalg.vector_norm(x, ord=o, axis=1) for o in (1, 2, 3, -2, np.inf, -np.inf)),
    "fftshift": lambda ns, x: ns.fft.fftshift(x * x) + ns.fft.ifftshift(x, axes=0),
    "astype": lambda ns, x: ns.astype(x * x, ns.float64) * x,
}


def NEXT(ns: Any, x: Any) -> Any:
    return ns.nextafter(x, ns.asarray(Y))


WITHOUT_ROW = {"unique_values", "svd of a wide matrix", "qr with complete columns"}
# What has a derivative that only a row of the vocabulary can give.
WANTING: dict[str, Function] = {
    "sort": lambda ns, x: ns.sort(x, axis=0) * x,
    "take_along_axis": lambda ns, x: ns.take_along_axis(x, ns.argsort(x, axis=1), axis=1) * x,
    "cholesky": lambda ns, x: ns.linalg.cholesky(x @ x.mT + ns.eye(3)),
    "eigh": lambda ns, x: ns.linalg.eigh(x @ x.mT).eigenvectors ** 2,
    "eigvalsh": lambda ns, x: ns.linalg.eigvalsh(x @ x.mT),
    "pinv": lambda ns, x: ns.linalg.pinv(x[:2, :]),
    "qr": lambda ns, x: ns.linalg.qr(x).R ** 2,
    "slogdet": lambda ns, x: ns.linalg.slogdet(x).logabsdet,
    "svd": lambda ns, x: ns.linalg.svd(x).U ** 2,
    "norms by svdvals": lambda ns, x: (
        ns.linalg.matrix_norm(x, ord=2) * ns.linalg.matrix_norm(x, ord="nuc", keepdims=True)
    ),
    "svd of a wide matrix": lambda ns, x: ns.linalg.svd(x[:2, :]).Vh ** 2,
    "qr with complete columns": lambda ns, x: ns.linalg.qr(x[:, :2], mode="complete").Q ** 2,
    "svdvals": lambda ns, x: ns.linalg.svdvals(x),
    "unique_values": lambda ns, x: ns.unique_values(x),
    **{f: lambda ns, x, f=f: ns.abs(getattr(ns.fft, f)(x)) for f in "fft ifft rfft ihfft fftn ifftn rfftn".split()},
    **{f: lambda ns, x, f=f: getattr(ns.fft, f)(x) for f in "irfft hfft irfftn".split()},
}


def differences(function: Function, weights: Any) -> Any:
    """The gradient of the weighted sum of a function of X, by central differences of NumPy's values."""
    slopes, step = np.zeros(X.shape), 1e-6
    for place in np.ndindex(X.shape):
        moved = np.zeros(X.shape)
        moved[place] = step
        slopes[place] = np.sum(weights * (function(np, X + moved) - function(np, X - moved))) / (2 * step)
    return slopes


def agrees(function: Function) -> bool:
    """Whether value and gradient are NumPy's and those of differences of them."""
    x, wanted = tensor(X, requires_grad=True), np.asarray(function(np, X))
    y = function(xp, x)
    weights = np.cos(np.arange(wanted.size)).reshape(wanted.shape)
    assert y.dtype == wanted.dtype and y.shape == wanted.shape
    np.testing.assert_allclose(y.detach().numpy(), wanted, rtol=1e-12, atol=1e-13)
    y.backward(gradient=weights)
    return np.allclose(x.grad.numpy(), differences(function, weights), rtol=1e-6, atol=1e-7)


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("name", FORMULAS)
def test_a_function_of_the_standard_is_differentiable(name: str) -> None:
    assert agrees(FORMULAS[name])


def test_a_wrong_derivative_is_seen() -> None:
    assert not agrees(lambda ns, x: x * (x if ns is np else xp.asarray(x.detach())))


@pytest.mark.parametrize("name", WANTING)
def test_a_derivative_that_only_a_row_can_give_is_given_or_refused(name: str) -> None:
    function = WANTING[name]
    np.testing.assert_allclose(function(xp, tensor(X)).numpy(), function(np, X), rtol=1e-12, atol=1e-13)
    if name.removeprefix("norms by ") not in (*xp.absent(), *WITHOUT_ROW):
        assert agrees(function)
        return
    with pytest.raises(Unsupported, match="the engine has no derivative of"):
        function(xp, tensor(X, requires_grad=True))
    with no_grad():
        assert not function(xp, tensor(X, requires_grad=True)).requires_grad


def test_what_is_absent_is_known() -> None:
    assert set(xp.absent()) <= {*WANTING, "conj", "imag", "real"} - WITHOUT_ROW - {*VOCABULARY}


def test_the_next_number_has_no_derivative() -> None:
    with pytest.raises(Unsupported, match="nextafter"):
        NEXT(xp, tensor(X, requires_grad=True)).sum().backward()
    assert (NEXT(xp, tensor(X)).numpy() == NEXT(np, X)).all()


@pytest.fixture
def nextafter_has_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Primitive("nextafter", 2, np.nextafter, slopes=(1.0, 0.0))
    table = {**VOCABULARY, "nextafter": row}
    monkeypatch.setattr(dispatch, "VOCABULARY", table)
    monkeypatch.setattr(EAGER, "vocabulary", table)
    monkeypatch.setitem(NUMPY.__dict__, "nextafter", row.numpy)
    monkeypatch.setitem(EAGER.__dict__, "nextafter", MethodType(EAGER.lift(row), EAGER))


@pytest.mark.usefixtures("nextafter_has_a_row")
def test_a_new_row_is_picked_up_by_its_name() -> None:
    assert agrees(NEXT)


@pytest.mark.parametrize("name", [*COMPARING, "isinf", "logical_xor", "signbit"])
def test_a_function_without_derivative_takes_any_tensor(name: str) -> None:
    function, x = getattr(xp, name), tensor(X, requires_grad=True)
    assert not (function(x, x) if name in BINARY else function(x)).requires_grad
