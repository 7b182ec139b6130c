"""Do the error bounds of decompositions and matrix functions hold, and are they narrow enough to be of use?

Truth is mpmath's; where what goes in has errors, it is the same row at matrices within them.
"""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np
import pytest

from gradcheck.expr import NUMPY
from gradcheck.oracles.rounding.linalg import BOUNDS
from gradcheck.oracles.rounding.running import BOUNDED, Bounded, exact

UNIT = 2.0**-53
RNG = np.random.default_rng(21)


def _positive(a: Any) -> Any:
    return a @ np.swapaxes(a, -1, -2) + 0.1 * np.eye(a.shape[-1])


def _points(name: str) -> Any:
    """A stack of matrices, some of them badly scaled or with a small singular value."""
    tall = name in ("svdvals", "svd_u", "svd_vh", "qr_q", "qr_r", "pinv")
    a = RNG.normal(size=(12, 4, 3) if tall else (12, 3, 3))
    a[3:6, :, -1] *= 1e-3
    a[6:9] *= 100.0 if name != "matrix_exp" else 4.0
    return _positive(a) if name == "cholesky" else a


def _rows(matrix: Any) -> Any:
    return np.array([[float(x) for x in matrix[i, :]] for i in range(matrix.rows)])


def _singular(a: Any) -> Any:
    return np.array([float(s) for s in mp.svd_r(a, compute_uv=False)])


def _eigenvalues(a: Any) -> Any:
    return np.array([float(v) for v in mp.eigsy((a + a.T) / 2, eigvals_only=True)])


def _triangular_factor(a: Any) -> Any:
    r = mp.qr(a)[1][: a.cols, :]
    return _rows(r)


TRUTH: dict[str, Any] = {
    "cholesky": lambda a: _rows(mp.cholesky(a)),
    "eigvalsh": _eigenvalues,
    "svdvals": _singular,
    "qr_r": _triangular_factor,
    "logabsdet": lambda a: np.array(float(mp.log(abs(mp.det(a))))),
    "matrix_exp": lambda a: _rows(mp.expm(a)),
    "pinv": lambda a: _rows((a.T * a) ** -1 * a.T),
}


@pytest.mark.parametrize("name", TRUTH)
def test_bounds_hold_the_truth_and_not_much_more(name: str) -> None:
    points = _points(name)
    said = getattr(BOUNDED, name)(exact(points))
    with mp.workdps(50):
        truth = np.stack([TRUTH[name](mp.matrix(point.tolist())) for point in points])
    value = said.value * np.sign(said.value) * np.sign(truth) if name == "qr_r" else said.value  # signs are free there
    error = np.abs(value - truth)
    assert np.all(error <= said.err + 0.5 * UNIT * np.abs(truth))  # mpmath's number is rounded too
    assert np.any(error > 0)
    largest = np.max(np.abs(truth), axis=tuple(range(1, truth.ndim)))
    narrow = np.max(said.err, axis=tuple(range(1, truth.ndim))) / np.maximum(largest, 1.0)
    assert np.median(narrow) <= 1e-12


def _columns_of(name: str) -> Any:
    if name == "solve_triangular":
        return RNG.normal(size=(12, 3, 2))
    return None


@pytest.mark.parametrize("name", sorted(set(BOUNDS) - {"slogdet_sign"}))
def test_errors_that_come_in_go_out_no_larger_than_said(name: str) -> None:
    """The row at random corners of the box of what may have come in: always within the bound, at times far into it."""
    points, size = _points(name), 1e-9
    right = _columns_of(name)
    if name == "solve_triangular":
        points = points + 4.0 * np.eye(3)
    spread = size * np.abs(points)
    others = [] if right is None else [exact(right)]
    said = getattr(BOUNDED, name)(Bounded(points, spread), *others)
    share = np.zeros(said.err.shape)
    for _ in range(60):
        corner = points + spread * RNG.choice([-1.0, 1.0], points.shape)
        moved = np.abs(getattr(NUMPY, name)(corner, *[o.value for o in others]) - said.value)
        share = np.maximum(share, moved / np.where(said.err > 0, said.err, 1.0))
    assert np.max(share) <= 1.0 + 1e-4
    assert np.median(share[said.err > 0]) >= (0.3 if name != "matrix_exp" else 1e-3)
