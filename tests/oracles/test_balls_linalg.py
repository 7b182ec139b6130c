"""Do the enclosures of the matrix functions hold what mpmath computes, another library, and are they narrow?"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

from gradcheck.expr import NUMPY, VOCABULARY
from gradcheck.expr.rules_matrices import steady_signs
from gradcheck.oracles.balls.flint_library import Undecided, arb, balls, precision
from gradcheck.oracles.balls.linalg import ENCLOSURES

BITS = 106
NARROW = 80  # bits that a result at BITS must have of an exact, well-conditioned argument
DIGITS = 90  # of mpmath's working precision: what it returns is good to 60 at least, however its terms cancel
Holds = Callable[..., bool]
Lie = Callable[[Any], Any]
Matrices = tuple[np.ndarray[Any, Any], ...]


def _array(x: Any) -> Any:
    """mpmath's matrix as an object array."""
    return np.array(x.tolist(), dtype=object).reshape(x.rows, x.cols)


def _flat(x: Any) -> Any:
    return np.array(list(x), dtype=object)


def _numbers(x: Any) -> Any:
    return np.vectorize(float)(x)


def _halves(x: Any) -> Any:
    return (x + x.T) / 2


def _eigh(x: Any) -> tuple[Any, Any]:
    values, vectors = mp.eigsy(_halves(x))
    vectors = _array(vectors)
    return _flat(values), vectors * steady_signs(_numbers(vectors)).astype(int)


def _svd(x: Any) -> tuple[Any, Any, Any]:
    u, s, v = mp.svd_r(x)
    u, v = _array(u), _array(v)
    signs = steady_signs(_numbers(u)).astype(int)
    return u * signs, _flat(s), v * signs.T


def _qr(x: Any) -> tuple[Any, Any]:
    """By Gram and Schmidt, with the signs of LAPACK's R."""
    wide, x = _array(x), _array(x)[:, : x.rows]
    signs = np.sign(np.diagonal(NUMPY.qr_r(_numbers(wide)))).astype(int)
    columns: list[Any] = []
    for j in range(x.shape[1]):
        v = x[:, j]
        for q in columns:
            v = v - q * (q @ v)
        columns.append(v / mp.sqrt(v @ v))
    q = np.stack(columns, axis=1) * signs
    return q, np.triu(q.T @ wide)


def _triangle(a: Any, b: Any) -> Any:
    return _array(mp.inverse(mp.matrix(np.tril(_array(a)).tolist())) * b)


def _pinv(x: Any) -> Any:
    return _array(mp.inverse(x.T * x) * x.T if x.rows >= x.cols else x.T * mp.inverse(x * x.T))


_rng = np.random.default_rng(20)
SQUARE: list[Matrices] = [(_rng.standard_normal((n, n)),) for n in (1, 2, 3, 4)]
SYSTEMS: list[Matrices] = [(_rng.standard_normal((n, n)), _rng.standard_normal((n, 2))) for n in (1, 2, 4)]
OBLONG: list[Matrices] = [(_rng.standard_normal(shape),) for shape in ((3, 3), (4, 2), (2, 4), (3, 1))]
DEFINITE: list[Matrices] = [(x @ x.T + 0.1 * np.eye(len(x)),) for (x,) in SQUARE]
GRADED: list[Matrices] = [(np.diag([1e8, 1.0, 1e-6]) @ _rng.standard_normal((3, 3)),)]
REFERENCE: dict[str, tuple[Callable[..., Any], list[Matrices]]] = {
    "inv": (lambda x: _array(mp.inverse(x)), SQUARE + GRADED),
    "solve": (lambda a, b: _array(mp.inverse(a) * b), SYSTEMS),
    "solve_triangular": (_triangle, SYSTEMS),
    "det": (lambda x: np.asarray(mp.det(x), dtype=object), SQUARE + GRADED),
    "logabsdet": (lambda x: np.asarray(mp.log(abs(mp.det(x))), dtype=object), SQUARE + GRADED),
    "slogdet_sign": (lambda x: np.asarray(mp.sign(mp.det(x)), dtype=object), SQUARE + GRADED),
    "cholesky": (lambda x: _array(mp.cholesky(_halves(x))), DEFINITE),
    "eigvalsh": (lambda x: _eigh(x)[0], SQUARE + DEFINITE),
    "eigh_vectors": (lambda x: _eigh(x)[1], SQUARE + DEFINITE),
    "svdvals": (lambda x: _svd(x)[1], OBLONG + GRADED),
    "svd_u": (lambda x: _svd(x)[0], OBLONG + GRADED),
    "svd_vh": (lambda x: _svd(x)[2], OBLONG + GRADED),
    "qr_q": (lambda x: _qr(x)[0], OBLONG + GRADED),
    "qr_r": (lambda x: _qr(x)[1], OBLONG + GRADED),
    "pinv": (_pinv, OBLONG + GRADED),
    "matrix_exp": (lambda x: _array(mp.expm(x, method="taylor")), [*SQUARE, (np.array([[-30.0, 1.0], [2.0, -40.0]]),)]),
}


def enclosed(name: str, args: Any, bits: int = BITS, **params: Any) -> Any:
    with precision(bits):
        return ENCLOSURES[name](*args, **params)


def value_of(name: str, args: Matrices) -> Any:
    with mp.workdps(DIGITS):
        return REFERENCE[name][0](*[mp.matrix(a.tolist()) for a in args])


@cache
def values_of(name: str) -> list[Any]:
    return [value_of(name, args) for args in REFERENCE[name][1]]


def pairs(y: Any, value: Any) -> list[tuple[Any, Any]]:
    assert np.shape(y) == np.shape(value)
    return list(zip(np.asarray(y).flat, np.asarray(value).flat, strict=True))


def is_narrow(y: Any) -> bool:
    """By the largest element: single zeros have no digits of their own."""
    size = max(abs(b.mid()) for b in y.flat)
    return all(b.rad() * arb(2) ** NARROW <= size for b in y.flat)


def test_every_enclosure_is_a_row_and_is_tested_here() -> None:
    assert set(ENCLOSURES) <= set(VOCABULARY)
    assert set(ENCLOSURES) == set(REFERENCE)


@pytest.mark.parametrize("name", REFERENCE)
def test_the_value_lies_in_narrow_balls(name: str, holds: Holds) -> None:
    for args, value in zip(REFERENCE[name][1], values_of(name), strict=True):
        y = enclosed(name, args)
        assert all(holds(b, v) for b, v in pairs(y, value)), args
        assert is_narrow(y), args


@pytest.mark.parametrize("name", REFERENCE)
def test_wide_matrices_enclose_the_values_inside(name: str, holds: Holds) -> None:
    rng = np.random.default_rng(5)
    for args in REFERENCE[name][1][:4]:
        width = 1e-5
        wide = tuple(balls(a) + np.full(a.shape, arb(0, width), dtype=object) for a in args)
        y = enclosed(name, wide)
        assert all(b.is_finite() for b in y.flat)
        for corner in (True, False):
            moves = [rng.choice([-1.0, 1.0], a.shape) if corner else rng.uniform(-1, 1, a.shape) for a in args]
            inner = tuple(a + 0.999 * width * move for a, move in zip(args, moves, strict=True))
            assert all(holds(b, v) for b, v in pairs(y, value_of(name, inner)))


@pytest.mark.parametrize("name", sorted(set(REFERENCE) - {"slogdet_sign"}))
def test_planted_lies_are_caught(name: str, holds: Holds, too_narrow: Lie, off: Lie) -> None:
    with precision(BITS):
        found = [
            pair
            for args, value in zip(REFERENCE[name][1], values_of(name), strict=True)
            for pair in pairs(ENCLOSURES[name](*args), value)
            if not pair[0].is_exact()
        ]
        assert not all(holds(too_narrow(b), v) for b, v in found)
        assert not any(holds(off(b), v) for b, v in found if b.rel_accuracy_bits() >= NARROW)


def test_stacks_broadcast_and_a_vector_serves_the_whole_stack() -> None:
    rng = np.random.default_rng(8)
    a, b = rng.standard_normal((2, 1, 3, 3)), rng.standard_normal((4, 3, 1))
    assert enclosed("solve", (a, b)).shape == (2, 4, 3, 1)
    assert enclosed("solve", (a, b[0, :, 0])).shape == NUMPY.solve(a, b[0, :, 0]).shape == (2, 1, 3)
    assert enclosed("inv", (np.zeros((0, 3, 3)),)).shape == (0, 3, 3)
    assert enclosed("svd_u", (np.zeros((2, 3, 0)),)).shape == (2, 3, 0)


def test_upper_factors_and_triangles_are_the_row_s() -> None:
    (x,), (a, b) = DEFINITE[2], SYSTEMS[2]
    for name, args in (("cholesky", (x,)), ("solve_triangular", (a, b))):
        y = enclosed(name, args, upper=True)
        expected = getattr(NUMPY, name)(*args, upper=True)
        assert np.max(np.abs(np.vectorize(lambda ball: float(ball.mid()))(y) - expected)) < 1e-12  # float64's rounding


@pytest.mark.parametrize("name", ["inv", "cholesky", "qr_q", "pinv", "eigh_vectors", "svd_u"])
def test_singular_or_equal_leaves_the_answer_open(name: str) -> None:
    x = np.eye(2) if name in ("eigh_vectors", "svd_u") else np.array([[1.0, 2.0], [2.0, 4.0]])
    assert not any(b.is_finite() for b in enclosed(name, (x,)).flat)


def test_equal_values_are_enclosed_though_their_vectors_are_not(holds: Holds) -> None:
    for name in ("eigvalsh", "svdvals"):
        y = enclosed(name, (np.diag([2.0, 2.0, 2.0]),))
        assert all(holds(b, mpmath.mpf(2)) for b in y)
        assert is_narrow(y)
    zero = enclosed("svdvals", (np.array([[1.0, 2.0], [2.0, 4.0]]),))[1]
    assert holds(zero, mpmath.mpf(0)) and zero.rad() < 1e-15


def test_an_open_sign_of_a_determinant_drives_the_precision_up() -> None:
    assert enclosed("slogdet_sign", (np.array([[1.0, 2.0], [2.0, 4.0]]),)) == 0
    wide = np.array([[[arb(1), arb(2)], [arb(2), arb(4, 1e-9)]], [[arb(1), arb(0)], [arb(0), arb(1)]]], dtype=object)
    with pytest.raises(Undecided) as caught:
        enclosed("slogdet_sign", (wide,))
    assert caught.value.mask.tolist() == [True, False]


def test_a_small_singular_value_that_the_row_leaves_out_is_not_inverted() -> None:
    assert not any(b.is_finite() for b in enclosed("pinv", (np.diag([1.0, 1e-16]),)).flat)
    assert all(b.is_finite() for b in enclosed("pinv", (np.diag([1.0, 1e-14]),)).flat)
