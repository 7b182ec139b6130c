"""Do the rules of matrices agree with PyTorch's, first and second order, on random, stacked and nearly degenerate
matrices; and would a wrong rule be noticed?

Eigenvectors and singular vectors are compared through functions that no choice of signs changes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gradcheck.engine import hvp, vjp
from gradcheck.expr.primitive import Primitive
from gradcheck.expr.rows_decompositions import from_eigenvalues
from gradcheck.expr.vocabulary import NUMPY, VOCABULARY

torch = pytest.importorskip("torch")
linalg = torch.linalg

CLOSE = 1e-11  # of the largest number, or of 1, for matrices far from any degeneracy
Pair = tuple[Callable[..., Any], Callable[..., Any]]
Arrays = tuple[Any, ...]


def _halves(x: Any) -> Any:
    return 0.5 * (x + x.mH)


def _roots(xp: Any, a: Any) -> Any:
    values, vectors = xp.eigh(a)
    return from_eigenvalues(xp, xp.sin(values), vectors)


def _torch_roots(a: Any) -> Any:
    values, vectors = linalg.eigh(_halves(a))
    return vectors * torch.sin(values).unsqueeze(-2) @ vectors.mH


def _damped(xp: Any, a: Any) -> Any:
    u, s, vh = xp.svd(a)
    return xp.matmul(xp.multiply(u, xp.expand_dims(xp.tanh(s), axis=-2)), vh)


def _torch_damped(a: Any) -> Any:
    u, s, vh = linalg.svd(a, full_matrices=False)
    return u * torch.tanh(s).unsqueeze(-2) @ vh


def _product(xp: Any, a: Any) -> Any:
    q, r = xp.qr(a)
    return xp.matmul(xp.square(q), xp.sin(r))


def _torch_product(a: Any) -> Any:
    q, r = linalg.qr(a)
    return q**2 @ torch.sin(r)


def _determinant(xp: Any, a: Any) -> Any:
    sign, size = xp.slogdet(a)
    return xp.multiply(sign, xp.exp(size))


FUNCTIONS: dict[str, Pair] = {
    "cholesky": (lambda xp, a: xp.cholesky(a), lambda a: linalg.cholesky(_halves(a))),
    "cholesky upper": (lambda xp, a: xp.cholesky(a, upper=True), lambda a: linalg.cholesky(_halves(a), upper=True)),
    "eigvalsh": (lambda xp, a: xp.eigvalsh(a), lambda a: linalg.eigvalsh(_halves(a))),
    "eigh_vectors": (lambda xp, a: xp.square(xp.eigh_vectors(a)), lambda a: linalg.eigh(_halves(a)).eigenvectors ** 2),
    "eigh": (_roots, _torch_roots),
    "svdvals": (lambda xp, a: xp.svdvals(a), linalg.svdvals),
    "svd_u": (lambda xp, a: xp.square(xp.svd_u(a)), lambda a: linalg.svd(a, full_matrices=False).U ** 2),
    "svd_vh": (lambda xp, a: xp.square(xp.svd_vh(a)), lambda a: linalg.svd(a, full_matrices=False).Vh ** 2),
    "svd": (_damped, _torch_damped),
    "qr_q": (lambda xp, a: xp.qr_q(a), lambda a: linalg.qr(a).Q),
    "qr_r": (lambda xp, a: xp.qr_r(a), lambda a: linalg.qr(a).R),
    "qr": (_product, _torch_product),
    "logabsdet": (lambda xp, a: xp.logabsdet(a), lambda a: linalg.slogdet(a).logabsdet),
    "slogdet": (_determinant, linalg.det),
    "logdet": (lambda xp, a: xp.logdet(a), torch.logdet),
    "matrix_exp": (lambda xp, a: xp.matrix_exp(a), linalg.matrix_exp),
    "pinv": (lambda xp, a: xp.pinv(a), linalg.pinv),
    "lstsq": (lambda xp, a, b: xp.lstsq(a, b), lambda a, b: linalg.lstsq(a, b).solution),
    "solve_triangular": (
        lambda xp, a, b: xp.solve_triangular(a, b), lambda a, b: linalg.solve_triangular(a, b, upper=False)
    ),
    "solve_triangular upper": (
        lambda xp, a, b: xp.solve_triangular(a, b, upper=True), lambda a, b: linalg.solve_triangular(a, b, upper=True)
    ),
    "cholesky_solve": (lambda xp, a, b: xp.cholesky_solve(xp.cholesky(a), b), lambda a, b: linalg.solve(_halves(a), b)),
    "matrix_power 5": (lambda xp, a: xp.matrix_power(a, n=5), lambda a: linalg.matrix_power(a, 5)),
    "matrix_power -3": (lambda xp, a: xp.matrix_power(a, n=-3), lambda a: linalg.matrix_power(a, -3)),
    "cond": (lambda xp, a: xp.cond(a), linalg.cond),
    "det": (lambda xp, a: xp.det(a), linalg.det),
    "inv": (lambda xp, a: xp.inv(a), linalg.inv),
    "solve": (lambda xp, a, b: xp.solve(a, b), linalg.solve),
    "cross": (lambda xp, a, b: xp.cross(a, b), linalg.cross),
    **{
        f"matrix_norm {p}": (
            lambda xp, a, p=p: xp.matrix_norm(a, ord=p),
            lambda a, p=p: linalg.matrix_norm(a, p if isinstance(p, str) else float(p)),
        )
        for p in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
    },
    **{
        f"vector_norm {p}": (
            lambda xp, a, p=p: xp.vector_norm(a, axis=-1, ord=p), lambda a, p=p: linalg.vector_norm(a, float(p), dim=-1)
        )
        for p in (0, 0.5, 1, 1.5, 2, 3, 7.5, -1, -2, np.inf, -np.inf)
    },
}  # fmt: skip

POSITIVE = {"cholesky", "cholesky upper", "logdet", "cholesky_solve"}
RECTANGULAR = {"svdvals", "svd_u", "svd_vh", "svd", "qr_q", "qr_r", "qr", "pinv"}
SYSTEMS = {"solve", "solve_triangular", "solve_triangular upper", "cholesky_solve"}


def _shapes(name: str) -> list[tuple[tuple[int, ...], ...]]:
    if name in RECTANGULAR or name.startswith(("matrix_norm", "vector_norm")):
        return [((4, 4),), ((5, 3),), ((3, 5),), ((2, 3, 4, 3),)]
    if name in SYSTEMS:
        return [((3, 3), (3, 2)), ((2, 4, 4), (2, 4, 1))]
    if name == "lstsq":
        return [((5, 3), (5, 2)), ((2, 4, 4), (2, 4, 1))]  # PyTorch's own says nothing sure of wide ones' second order
    if name == "cross":
        return [((3,), (3,)), ((4, 3), (4, 3))]
    return [((3, 3),), ((2, 2, 4, 4),), ((1, 1),)]


def _draw(name: str, shapes: Sequence[tuple[int, ...]]) -> Arrays:
    rng = np.random.default_rng(zlib.crc32(f"{name} {shapes}".encode()))
    first, *rest = (rng.normal(size=shape) for shape in shapes)
    if name in POSITIVE:
        first = first @ np.swapaxes(first, -1, -2) + np.eye(first.shape[-1])
    elif name in SYSTEMS or name in ("logabsdet", "inv", "cond") or name.startswith("matrix_power"):
        first = first + 3.0 * np.eye(first.shape[-1])
    return (first, *rest)


def _ours(namespace: Any) -> Callable[..., tuple[Any, Any, Any]]:
    def answers(f: Any, arrays: Arrays, ct: Any, tangents: Arrays) -> tuple[Any, Any, Any]:
        value, pulled = vjp(f, namespace, arrays, ct)
        return value, pulled, hvp(f, namespace, arrays, ct, tangents)[1]

    return answers


def _theirs(f: Any, arrays: Arrays, ct: Any, tangents: Arrays) -> tuple[Any, Any, Any]:
    leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    value = f(*leaves)
    found = torch.autograd.grad(value, leaves, torch.tensor(ct), create_graph=True, allow_unused=True)
    pulled = [torch.zeros_like(x) if g is None else g for x, g in zip(leaves, found, strict=True)]
    along = sum(torch.sum(torch.real(g.conj() * torch.tensor(t))) for g, t in zip(pulled, tangents, strict=True))
    moved = torch.autograd.grad(along, leaves, allow_unused=True) if along.requires_grad else [None] * len(leaves)
    second = [np.zeros(a.shape) if h is None else h.numpy(force=True) for a, h in zip(arrays, moved, strict=True)]
    return value.detach().numpy(), [g.detach().numpy(force=True) for g in pulled], second


def complaints(
    pair: Pair, arrays: Arrays, namespace: Any = NUMPY, first: float = CLOSE, second: float = CLOSE
) -> list[str]:
    """Where value, vjp and second derivative differ from PyTorch's by more than a share of the largest, or of 1."""
    rng = np.random.default_rng(5)
    with np.errstate(all="ignore"):
        y = pair[0](namespace, *arrays)
        ct, *tangents = (rng.normal(size=np.shape(x)) * (1 + 0.5j if np.iscomplexobj(x) else 1) for x in (y, *arrays))
        mine, theirs = (
            f(g, arrays, ct, tuple(tangents)) for f, g in zip((_ours(namespace), _theirs), pair, strict=True)
        )
    found = []
    budgets = {"value": CLOSE, "vjp": first, "second order": second}
    for (what, close), got, want in zip(budgets.items(), mine, theirs, strict=True):
        for a, b in zip(got, want, strict=True) if isinstance(got, tuple) else [(got, want)]:
            error = np.max(np.abs(a - b), initial=0.0) / np.max(np.abs(b), initial=1.0)
            if np.shape(a) != np.shape(b) or not error <= close:
                found.append(f"{what} off by {error:.1e}")
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_both_orders_are_pytorchs(name: str) -> None:
    for shapes in _shapes(name):
        assert complaints(FUNCTIONS[name], _draw(name, shapes)) == [], shapes


@pytest.mark.parametrize("gap", [1e-2, 1e-4])
@pytest.mark.parametrize("name", ["eigvalsh", "eigh", "svdvals", "svd", "pinv", "cholesky", "qr"])
def test_nearly_degenerate_matrices(name: str, gap: float) -> None:
    """Two eigenvalues or singular values that lie `gap` apart, or, of the others, one that is nearly zero.

    What is divided by a gap loses as many digits at each order.
    """
    rng = np.random.default_rng(6)
    q, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    p, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    meeting = name in ("eigvalsh", "eigh", "svdvals", "svd")
    values = np.array([2.0, 2.0 - gap, 1.0, 0.5]) if meeting else np.array([2.0, 1.5, 1.0, gap])
    a = (q * values) @ (q if name in ("eigvalsh", "eigh", "cholesky") else p).T
    assert complaints(FUNCTIONS[name], (a,), first=1e-13 / gap, second=1e-12 / gap**2) == []


@pytest.mark.parametrize("name", ["eigh_vectors", "svd_u", "svd_vh"])
def test_vectors_of_equal_values_have_no_derivative(name: str) -> None:
    """Nothing finite is said where nothing is true; values alone keep theirs."""
    a = np.diag([2.0, 2.0, 1.0])
    _, (pulled,) = vjp(lambda xp, x: getattr(xp, name)(x), NUMPY, [a], np.ones((3, 3)))
    assert np.isnan(pulled).any()
    _, (pulled,) = vjp(lambda xp, x: xp.sum(xp.square(xp.eigvalsh(x))), NUMPY, [a], np.ones(()))
    assert np.allclose(pulled, 2 * a, rtol=1e-15)


def _liar(name: str, change: Callable[..., Any]) -> Any:
    """NumPy with one rule told wrong."""
    row: Primitive = VOCABULARY[name]
    honest = row.vjp
    assert callable(honest)

    def told(xp: Any, ct: Any, y: Any, args: Any, params: Any) -> Any:
        (right,) = honest(xp, ct, y, args, params)
        return (change(xp, right, ct, y, args),)

    liar = replace(row, vjp=told)
    return SimpleNamespace(**vars(NUMPY), vocabulary={**VOCABULARY, name: liar})


def _t(xp: Any, x: Any) -> Any:
    return xp.matrix_transpose(x)


LIES: dict[str, tuple[str, Callable[..., Any]]] = {
    "cholesky": ("the lower triangle alone", lambda xp, right, ct, y, args: xp.tril(right)),
    "eigvalsh": ("a permille", lambda xp, right, ct, y, args: xp.multiply(right, 1.001)),
    "eigh_vectors": ("the other sign of the gaps", lambda xp, right, ct, y, args: xp.negative(right)),
    "svdvals": ("transposed", lambda xp, right, ct, y, args: _t(xp, right)),
    "svd_u": (
        "within the span alone",
        lambda xp, right, ct, y, args: xp.matmul(y, xp.matmul(_t(xp, y), right)),
    ),
    "qr_q": ("within the span alone", lambda xp, right, ct, y, args: xp.matmul(y, xp.matmul(_t(xp, y), right))),
    "qr_r": ("as if Q did not turn", lambda xp, right, ct, y, args: xp.matmul(xp.qr_q(args[0]), ct)),
    "logabsdet": ("the inverse not transposed", lambda xp, right, ct, y, args: _t(xp, right)),
    "matrix_exp": ("as if everything commuted", lambda xp, right, ct, y, args: xp.matmul(_t(xp, y), ct)),
    "pinv": (
        "as if it were the inverse",
        lambda xp, right, ct, y, args: xp.negative(xp.matmul(_t(xp, y), xp.matmul(ct, _t(xp, y)))),
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_a_wrong_rule_is_noticed(name: str) -> None:
    shape = (4, 4) if name == "svdvals" else (5, 3) if name in RECTANGULAR else (3, 3)
    arrays = _draw(name, (shape,))
    assert complaints(FUNCTIONS[name], arrays) == []
    told = complaints(FUNCTIONS[name], arrays, _liar(name, LIES[name][1]))
    assert any(line.startswith("vjp") for line in told), LIES[name][0]
    assert any(line.startswith("second") for line in told), LIES[name][0]


COMPLEX = (
    "cholesky", "cholesky upper", "eigvalsh", "eigh", "svdvals", "svd", "qr_q", "qr_r", "qr", "logabsdet", "slogdet",
    "matrix_exp", "pinv", "lstsq", "solve_triangular", "solve_triangular upper", "cholesky_solve", "matrix_power 5",
    "matrix_power -3", "cond", "det", "inv", "solve", "cross", "matrix_norm nuc", "matrix_norm 1", "matrix_norm -inf",
    "matrix_norm 2", "vector_norm 3", "vector_norm 0.5", "vector_norm inf",
)  # fmt: skip


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_gradients_are_pytorchs(name: str) -> None:
    """In PyTorch's convention, at both orders; of eigenvectors and singular vectors where no phase matters."""
    for shapes in _shapes(name):
        arrays = tuple(a + 0.5j * b for a, b in zip(_draw(name, shapes), _draw(f"turned {name}", shapes), strict=True))
        if name in POSITIVE:
            a = arrays[0]
            arrays = (a @ np.conj(np.swapaxes(a, -1, -2)) + np.eye(a.shape[-1]), *arrays[1:])
        assert complaints(FUNCTIONS[name], arrays) == [], shapes
