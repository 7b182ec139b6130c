"""What does PyTorch call the decompositions, functions and norms of matrices? Each takes tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradcheck.expr.rules_matrices import LARGE
from gradcheck.oracles.with_torch.library import torch


def _halves(x: Any) -> Any:
    """The symmetric part, which is what our rows decompose; PyTorch reads one triangle."""
    return 0.5 * x + 0.5 * x.mH


def _signs(vectors: Any) -> Any:
    """As `gradcheck.expr.rules_matrices.steady_signs`."""
    if vectors.is_complex():
        return torch.ones_like(vectors[..., :1, :])
    size = vectors.detach().abs()
    large = size > LARGE * size.amax(dim=-2, keepdim=True)
    first = torch.take_along_dim(vectors.detach(), torch.argmax(large.to(torch.int8), dim=-2, keepdim=True), dim=-2)
    return torch.where(first < 0, -1.0, 1.0)


def _eigh_vectors(x: Any) -> Any:
    vectors = torch.linalg.eigh(_halves(x)).eigenvectors
    return vectors * _signs(vectors)


def _svd_u(x: Any) -> Any:
    left = torch.linalg.svd(x, full_matrices=False).U
    return left * _signs(left)


def _svd_vh(x: Any) -> Any:
    left, _, right = torch.linalg.svd(x, full_matrices=False)
    return right * _signs(left).mT


def _cholesky(x: Any, upper: bool = False) -> Any:
    return torch.linalg.cholesky_ex(_halves(x), upper=upper).L


def _cholesky_solve(factor: Any, b: Any, upper: bool = False) -> Any:
    factor = torch.triu(factor) if upper else torch.tril(factor)  # its gradient would fill the other triangle too
    if b.ndim == 1:
        return torch.cholesky_solve(b.unsqueeze(-1), factor, upper=upper).squeeze(-1)
    return torch.cholesky_solve(b, factor, upper=upper)


def _solve_triangular(a: Any, b: Any, upper: bool = False) -> Any:
    if b.ndim == 1:
        return torch.linalg.solve_triangular(a, b.unsqueeze(-1), upper=upper).squeeze(-1)
    return torch.linalg.solve_triangular(a, b, upper=upper)


def _lstsq(a: Any, b: Any) -> Any:
    a, b = a.contiguous(), b.contiguous()
    if b.ndim == 1:
        return torch.linalg.lstsq(a, b.unsqueeze(-1)).solution.squeeze(-1)
    return torch.linalg.lstsq(a, b).solution


def _pinv(x: Any) -> Any:
    return torch.linalg.pinv(x, rtol=max(x.shape[-2:]) * 2.0**-52)


def _vector_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Any:
    if ord == 0:  # PyTorch's count has no gradient at all
        return torch.sum(torch.sign(torch.abs(x)), dim=axis, keepdim=keepdims)
    return torch.linalg.vector_norm(x, ord=float(ord), dim=axis, keepdim=keepdims)


def _matrix_norm(x: Any, keepdims: bool = False, ord: Any = "fro") -> Any:
    return torch.linalg.matrix_norm(x, ord=ord if isinstance(ord, str) else float(ord), keepdim=keepdims)


def _cond(x: Any, ord: Any = 2) -> Any:
    if ord in (2, -2):
        return torch.linalg.cond(x, p=float(ord))
    return _matrix_norm(x, ord=ord) * _matrix_norm(torch.linalg.inv(x), ord=ord)  # its own has no backward pass


def _cross(a: Any, b: Any, axis: int = -1) -> Any:
    a, b = torch.broadcast_tensors(a, b)  # type: ignore[no-untyped-call]
    return torch.linalg.cross(a, b, dim=axis)


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    if not isinstance(axes, Sequence):
        return torch.tensordot(a, b, dims=int(axes))
    return torch.tensordot(a, b, dims=[[p] if isinstance(p, int) else list(p) for p in axes])


OPERATIONS: dict[str, Callable[..., Any]] = {
    "cholesky": _cholesky,
    "cholesky_solve": _cholesky_solve,
    "solve_triangular": _solve_triangular,
    "eigvalsh": lambda x: torch.linalg.eigvalsh(_halves(x)),
    "eigh_vectors": _eigh_vectors,
    "svdvals": torch.linalg.svdvals,
    "svd_u": _svd_u,
    "svd_vh": _svd_vh,
    "qr_q": lambda x: torch.linalg.qr(x).Q,
    "qr_r": lambda x: torch.linalg.qr(x).R,
    "slogdet_sign": lambda x: torch.linalg.slogdet(x).sign,
    "logabsdet": lambda x: torch.linalg.slogdet(x).logabsdet,
    "logdet": torch.logdet,
    "matrix_exp": lambda x: torch.linalg.matrix_exp(x.contiguous()),  # its derivatives want views of it
    "pinv": _pinv,
    "lstsq": _lstsq,
    "matrix_power": lambda x, n: torch.linalg.matrix_power(x, int(n)),
    "vector_norm": _vector_norm,
    "matrix_norm": _matrix_norm,
    "cond": _cond,
    "cross": _cross,
    "tensordot": _tensordot,
    "kron": torch.kron,
}
