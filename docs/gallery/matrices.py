"""Linear algebra: decompositions, whose adjoints are half triangular and half symmetric, and functions of matrices."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from docs.gallery.entries import Entry, Mistake
from gradcheck import SPD, Real, Simplex


def covariance(x):
    """xxᵀ + I: positive definite for every x, so that nothing need be said of symmetric directions."""
    return x @ x.T + np.eye(2)


def cholesky(x):
    """The lower triangular L with LLᵀ = xxᵀ + I."""
    return np.linalg.cholesky(covariance(x))


def cholesky_rule_with(phi):
    """Murray, "Differentiation of the Cholesky decomposition" (2016), eq. 10: Ā = L⁻ᵀ Φ(Lᵀ L̄) L⁻¹, made symmetric.

    Φ keeps the lower triangle and halves its diagonal. Behind it stands xxᵀ, whose adjoint is (Ā + Āᵀ) x.
    """

    def rule(inputs, ct):
        (x,) = inputs
        lower = cholesky(x)
        inverse = np.linalg.inv(lower)
        a = inverse.T @ phi(lower.T @ np.tril(ct)) @ inverse
        return ((a + a.T) @ x,)

    return rule


def halved(m):
    return np.tril(m) - np.diag(np.diag(m)) / 2


def cholesky_truth(at, ct):
    """Two rows by hand: L₀₀ = √a, L₁₀ = b/√a, L₁₁ = √(c − b²/a) of the matrix with a, b, c, and the chain rule."""
    x, ct = at["x"], np.asarray(ct)
    (a, b), (_, c) = covariance(x)
    last = np.sqrt(c - b * b / a)
    for_a = ct[0, 0] / (2 * a**0.5) - ct[1, 0] * b / (2 * a**1.5) + ct[1, 1] * b * b / (2 * a * a * last)
    for_b = ct[1, 0] / a**0.5 - ct[1, 1] * b / (a * last)
    for_c = ct[1, 1] / (2 * last)
    return {"x": [2 * for_a * x[0] + for_b * x[1], 2 * for_c * x[1] + for_b * x[0]]}


def log_determinant_with(adjoint):
    """log det(xxᵀ + I), whose gradient by the symmetric matrix is its inverse: Giles (2008), 2.2.4."""

    @jax.custom_vjp
    def log_determinant(x):
        return jnp.linalg.slogdet(x @ x.T + jnp.eye(len(x), dtype=x.dtype))[1]

    def backward(x, ct):
        return (adjoint(ct, jnp.linalg.inv(x @ x.T + jnp.eye(len(x), dtype=x.dtype)), x),)

    log_determinant.defvjp(lambda x: (log_determinant(x), x), backward)
    return log_determinant


def log_determinant_truth(at, ct):
    """det = ac − b² of two rows, differentiated as it stands."""
    x = at["x"]
    (a, b), (_, c) = covariance(x)
    return {"x": float(ct) * 2 * np.array([c * x[0] - b * x[1], a * x[1] - b * x[0]]) / (a * c - b * b)}


def inverse(x):
    return np.linalg.inv(x + 3 * np.eye(2))


def inverse_rule(inputs, ct):
    """Giles (2008), 2.2.3: −X⁻ᵀ ct X⁻ᵀ."""
    y = inverse(inputs[0]).T
    return (-y @ ct @ y,)


def inverse_rule_untransposed(inputs, ct):
    y = inverse(inputs[0])
    return (-y @ ct @ y,)


def inverse_truth(at, ct):
    """Each element of X moves X⁻¹ by −X⁻¹ E X⁻¹, by the inverse of two rows written out."""
    (p, q), (r, s) = at["x"] + 3 * np.eye(2)
    y = np.array([[s, -q], [-r, p]]) / (p * s - q * r)
    moved = [[-np.outer(y[:, i], y[j]) for j in range(2)] for i in range(2)]
    return {"x": [[np.sum(np.asarray(ct) * m) for m in row] for row in moved]}


def top_eigenvalue(a, b, c):
    """The larger eigenvalue of [[a, b], [b, c]]."""
    return np.linalg.eigvalsh(np.array([[a, b], [b, c]], dtype=float))[-1]


def top_eigenvalue_rule(inputs, ct, off_diagonal=2.0):
    """Hellmann-Feynman: vᵀ (dA) v; an element off the diagonal stands in the matrix twice."""
    a, b, c = inputs
    v = np.linalg.eigh(np.array([[a, b], [b, c]], dtype=float))[1][:, -1]
    return ct * v[0] ** 2, off_diagonal * ct * v[0] * v[1], ct * v[1] ** 2


def top_eigenvalue_truth(at, ct):
    """λ = (a + c)/2 + r with r² = (a − c)²/4 + b²."""
    half = (at["a"] - at["c"]) / 2
    r = np.hypot(half, at["b"])
    return {"a": ct * (1 + half / r) / 2, "b": ct * at["b"] / r, "c": ct * (1 - half / r) / 2}


def log_determinant_of(a):
    """Of a positive definite matrix, by its Cholesky decomposition, which reads one triangle only."""
    return 2 * np.sum(np.log(np.diagonal(np.linalg.cholesky(a))))


def log_determinant_rule(inputs, ct):
    return (ct * np.linalg.inv(inputs[0]),)


def log_determinant_rule_of_one_triangle(inputs, ct):
    return (ct * np.tril(np.linalg.inv(inputs[0])),)


def log_determinant_of_truth(at, ct):
    (a, b), (_, c) = at["a"]
    return {"a": float(ct) * np.array([[c, -b], [-b, a]]) / (a * c - b * b)}


def entropy(p):
    """−Σ p log p of probabilities."""
    return -np.sum(p * np.log(p))


def entropy_rule(inputs, ct):
    """−log p − 1, of which the −1 does not count: along the simplex the changes sum to zero."""
    return (-ct * np.log(inputs[0]),)


def entropy_rule_over_p(inputs, ct):
    return (-ct * (np.log(inputs[0]) + 1 / inputs[0]),)


ENTRIES = (
    Entry(
        "log-determinant of a positive definite matrix (NumPy)",
        "`SPD` moves both triangles together, and a finding says so; either triangle may hold the gradient, or both",
        (log_determinant_of, log_determinant_rule),
        {"a": SPD(2)},
        log_determinant_of_truth,
        (Mistake(
            "one triangle of a symmetric gradient", (log_determinant_of, log_determinant_rule_of_one_triangle),
            "reverse", "a",
        ),),
    ),
    Entry(
        "entropy (NumPy)",
        "on a `Simplex` a gradient may be off by a constant",
        (entropy, entropy_rule),
        {"p": Simplex(3)},
        lambda at, ct: {"p": -float(ct) * (np.log(at["p"]) + 1)},
        (Mistake("1/p for 1", (entropy, entropy_rule_over_p), "reverse", "p"),),
    ),
    Entry(
        "Cholesky decomposition (NumPy)",
        "the triangle's diagonal is halved",
        (cholesky, cholesky_rule_with(halved)),
        {"x": Real(2, 2)},
        cholesky_truth,
        (Mistake("the diagonal not halved", (cholesky, cholesky_rule_with(np.tril)), "reverse", "x"),),
    ),
    Entry(
        "log-determinant (jax)",
        "both factors of xxᵀ move",
        log_determinant_with(lambda ct, y, x: 2 * ct * y @ x),
        {"x": Real(2, 2)},
        log_determinant_truth,
        (Mistake("one factor held fixed", log_determinant_with(lambda ct, y, x: ct * y @ x), "reverse", "x"),),
    ),
    Entry(
        "matrix inverse (NumPy)",
        "transposes that a symmetric example would not miss",
        (inverse, inverse_rule),
        {"x": Real(2, 2, low=-1, high=1)},
        inverse_truth,
        (Mistake("not transposed", (inverse, inverse_rule_untransposed), "reverse", "x"),),
    ),
    Entry(
        "largest eigenvalue (NumPy)",
        "a number that stands in a matrix twice counts twice",
        (top_eigenvalue, top_eigenvalue_rule),
        {"a": Real(), "b": Real(), "c": Real()},
        top_eigenvalue_truth,
        (Mistake(
            "counted once", (top_eigenvalue, lambda inputs, ct: top_eigenvalue_rule(inputs, ct, 1.0)), "reverse", "b"
        ),),
    ),
)  # fmt: skip
