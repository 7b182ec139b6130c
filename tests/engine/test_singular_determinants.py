"""Are the derivatives of a determinant right where the matrix is singular, exactly or but for rounding?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.engine import hvp, vjp
from gradcheck.expr.vocabulary import NUMPY

SINGULAR = (
    *([[1, 2], [2, 4]], [[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 0, 0], [0, 0, 0], [0, 0, 0]], np.zeros((3, 3))),
    *(np.outer(u, v) + np.outer(v, w) for u, v, w in np.random.default_rng(8).integers(-9, 9, (20, 3, 3))),
)


@pytest.mark.parametrize("matrix", SINGULAR)
def test_singular_determinants_to_second_order(matrix: Any) -> None:
    """Exact differences: a determinant is linear in each element, and of three rows no more than a cubic in all."""
    a = np.array(matrix, dtype=float)
    direction = np.random.default_rng(7).integers(-2, 3, a.shape).astype(float)
    first, second = np.empty(a.shape), np.empty(a.shape)
    for where in np.ndindex(a.shape):
        unit = np.zeros(a.shape)
        unit[where] = 1.0
        first[where] = _whole_determinant(a + unit) - _whole_determinant(a)
        corners = [s * h * _whole_determinant(a + s * unit + h * direction) for s in (1, -1) for h in (1, -1)]
        second[where] = sum(corners) / 4
    _, (pulled,) = vjp(lambda xp, x: xp.det(x), NUMPY, [a], np.ones(()))
    _, (moved,) = hvp(lambda xp, x: xp.det(x), NUMPY, [a], np.ones(()), [direction])
    assert np.allclose(pulled, first, rtol=0, atol=1e-12 * (1 + np.max(np.abs(a)) ** 2))
    assert np.allclose(moved, second, rtol=0, atol=1e-12 * (1 + np.max(np.abs(a)) ** 2))


def _whole_determinant(a: Any) -> float:
    """Of a matrix of whole numbers, exactly."""
    if len(a) == 1:
        return float(a[0, 0])
    minors = (np.delete(a[1:], k, axis=1) for k in range(len(a)))
    return float(sum((-1) ** k * a[0, k] * _whole_determinant(m) for k, m in enumerate(minors)))
