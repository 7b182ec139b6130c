"""What does PyTorch call the functions of the vocabulary? Where name and signature fit, the row says it; else here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradcheck.errors import Unsupported
from gradcheck.expr import VOCABULARY, Primitive
from gradcheck.expr.rules import one_axis
from gradcheck.oracles.evidence import Array
from gradcheck.oracles.with_torch import arrays as torch_arrays
from gradcheck.oracles.with_torch import neural as torch_neural
from gradcheck.oracles.with_torch import reductions as torch_reductions
from gradcheck.oracles.with_torch.library import torch
from gradcheck.oracles.with_torch.names_linalg import OPERATIONS
from gradcheck.oracles.with_torch.values import alike, tensor
from gradcheck.oracles.with_torch.values import condition as _condition
from gradcheck.oracles.with_torch.values import dims as _dims

UNDIFFERENTIABLE = frozenset(
    f"torch.special.{name}"
    for name in "bessel_j0 bessel_j1 bessel_y0 bessel_y1 modified_bessel_k0 modified_bessel_k1 "
    "scaled_modified_bessel_k0 scaled_modified_bessel_k1".split()
)  # functions of values only: torch.func.vjp gives their gradient as 0, without a word


class TorchNamespace:
    """The vocabulary on PyTorch tensors, one point at a time (vmap adds the batch)."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        row = VOCABULARY.get(name)
        if row is None:
            raise AttributeError(name)
        special = globals().get(f"_op_{name}") or getattr(torch_arrays, f"op_{name}", None)
        special = special or getattr(torch_reductions, f"op_{name}", None)
        special = special or vars(torch_neural).get(f"_op_{name}")
        if name in OPERATIONS:
            special = _lifted(OPERATIONS[name])
        if special is None and row.compose is not None and not row.torch:
            return partial(row.compose, self)
        function = special if special is not None else _elementwise(row)
        self.__dict__[name] = function
        return function


def _elementwise(row: Primitive) -> Callable[..., Any]:
    function: Any = torch
    if row.torch in UNDIFFERENTIABLE:
        raise Unsupported("PyTorch", f"{row.name} that lets a derivative through")
    for part in (row.torch.removeprefix("torch.") or row.name).split("."):
        if not hasattr(function, part):
            raise Unsupported("PyTorch", row.name)
        function = getattr(function, part)
    return _lifted(function)


def _lifted(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of tensors as one of anything that can be a tensor."""

    def call(*args: Any, **params: Any) -> Any:
        return function(*[tensor(a) for a in args], **params)

    return call


def _op_where(condition: Any, a: Any, b: Any) -> Any:
    return torch.where(_condition(condition), tensor(a), tensor(b))


def _op_logical_and(a: Any, b: Any) -> Any:
    return torch.logical_and(_condition(a), _condition(b))


def _op_logical_or(a: Any, b: Any) -> Any:
    return torch.logical_or(_condition(a), _condition(b))


def _op_logical_not(a: Any) -> Any:
    return torch.logical_not(_condition(a))


def _op_clip(x: Any, low: Any, high: Any) -> Any:
    return torch.clamp(tensor(x), tensor(low), tensor(high))


def _op_relu(x: Any) -> Any:
    return torch.relu(tensor(x))


def _op_stop_gradient(x: Any) -> Any:
    return tensor(x).detach()


def _op_cbrt(x: Any) -> Any:
    x = tensor(x)
    return torch.sign(x) * torch.abs(x) ** (1.0 / 3.0)


def _op_logaddexp(a: Any, b: Any) -> Any:
    return torch.logaddexp(*torch.broadcast_tensors(tensor(a), tensor(b)))  # type: ignore[no-untyped-call]


def _op_polygamma(n: Any, x: Any) -> Any:
    if isinstance(n, torch.Tensor):
        raise Unsupported("PyTorch", "polygamma whose order is an input")
    return torch.special.polygamma(int(n), tensor(x))


def _op_dot(a: Any, b: Any) -> Any:
    a, b = alike(a, b)
    return torch.linalg.vecdot(torch.conj(a), b)  # which conjugates its first


def _op_matmul(a: Any, b: Any) -> Any:
    return torch.matmul(*alike(a, b))


def _op_outer(a: Any, b: Any) -> Any:
    return torch.unsqueeze(tensor(a), -1) * torch.unsqueeze(tensor(b), -2)


def _op_trace(x: Any) -> Any:
    return torch.diagonal(tensor(x), dim1=-2, dim2=-1).sum(-1)


def _op_diagonal(x: Any, offset: int = 0) -> Any:
    return torch.diagonal(tensor(x), offset=offset, dim1=-2, dim2=-1)


def _op_diag(x: Any) -> Any:
    return torch.diag_embed(tensor(x))


def _op_matrix_transpose(x: Any) -> Any:
    return torch.transpose(tensor(x), -1, -2)


def _op_permute_dims(x: Any, axes: Any = None) -> Any:
    x = tensor(x)
    return torch.permute(x, tuple(axes) if axes is not None else tuple(range(x.ndim - 1, -1, -1)))


def _op_det(x: Any) -> Any:
    return torch.linalg.det(tensor(x))


def _op_inv(x: Any) -> Any:
    return torch.linalg.inv(tensor(x))


def _op_solve(a: Any, b: Any) -> Any:
    return torch.linalg.solve(tensor(a), tensor(b))


def _op_reshape(x: Any, shape: Any) -> Any:
    return torch.reshape(tensor(x), tuple(shape) if isinstance(shape, tuple | list) else (shape,))


def _op_expand_dims(x: Any, axis: int) -> Any:
    return torch.unsqueeze(tensor(x), axis)


def _op_squeeze(x: Any, axis: Any = None) -> Any:
    return torch.squeeze(tensor(x), _dims(tensor(x), axis))


def _op_flip(x: Any, axis: Any = None) -> Any:
    return torch.flip(tensor(x), _dims(tensor(x), axis))


def _op_broadcast_to(x: Any, shape: Any) -> Any:
    return torch.broadcast_to(tensor(x), tuple(shape) if isinstance(shape, tuple | list) else (shape,))


def _op_concat(arrays: Any, axis: int = 0) -> Any:
    return torch.cat([tensor(a) for a in arrays], dim=axis)


def _op_stack(arrays: Any, axis: int = 0) -> Any:
    return torch.stack([tensor(a) for a in arrays], dim=axis)


def _op_scatter(x: Any, index: Any, shape: Any) -> Any:
    """Zeros with the elements of x added at an index; the index is looked up in the numbers of the elements."""
    x, size = tensor(x), int(np.prod(shape, dtype=int))
    places = np.arange(size).reshape(shape)[index]
    spread = torch.broadcast_to(x, places.shape)
    flat = torch.zeros(size, dtype=x.dtype).index_add(0, torch.as_tensor(places.reshape(-1)), spread.reshape(-1))
    return torch.reshape(flat, tuple(shape))


def _op_getitem(x: Any, index: Any) -> Any:
    """Indexing; PyTorch has no negative steps, so those are taken forwards and flipped."""
    x = tensor(x)
    flips: list[int] = []
    plain: list[Any] = []
    axis = 0
    for item in _spelled_out(index, x.ndim):
        if isinstance(item, slice) and item.step is not None and item.step < 0:
            positions = range(*item.indices(x.shape[axis]))
            item = slice(positions[-1], positions[0] + 1, -item.step) if len(positions) else slice(0, 0)
            flips.append(sum(not isinstance(p, int) for p in plain))
        elif (
            isinstance(item, torch.Tensor) and item.ndim == 0
        ):  # a computed number, which vmap does not let be looked at
            x, item = torch_arrays.op_take(x, item.reshape(1), axis), 0
        plain.append(item.to(torch.int64) if isinstance(item, torch.Tensor) else item)
        axis += item is not None
    result = x[tuple(plain)]
    return torch.flip(result, flips) if flips else result


def _spelled_out(index: Any, rank: int) -> tuple[Any, ...]:
    """An index with the slices that its `...` stands for."""
    parts = index if isinstance(index, tuple) else (index,)
    dots = [k for k, part in enumerate(parts) if part is Ellipsis]
    if not dots:
        return parts
    named = sum(part is not None and part is not Ellipsis for part in parts)
    return (*parts[: dots[0]], *(slice(None),) * (rank - named), *parts[dots[0] + 1 :])


def _op_softplus(x: Any) -> Any:
    """Past its default threshold of 20 PyTorch's softplus gives x itself; it is asked to compute further out."""
    return torch.nn.functional.softplus(tensor(x), threshold=700.0)


def _op_tril(x: Any, k: int = 0) -> Any:
    return torch.tril(tensor(x), k)


def _op_triu(x: Any, k: int = 0) -> Any:
    return torch.triu(tensor(x), k)


def _constant(name: str) -> Callable[..., Any]:
    def call(*args: Any, **params: Any) -> Any:
        return tensor(VOCABULARY[name].numpy(*args, **params))

    return call


_op_zeros, _op_ones, _op_eye, _op_arange, _op_empty, _op_tri = (
    _constant(name) for name in ("zeros", "ones", "eye", "arange", "empty", "tri")
)


def array(values: Array) -> torch.Tensor:
    """Numbers as a float64 or complex128 tensor of its own memory."""
    kind = np.complex128 if np.asarray(values).dtype.kind == "c" else np.float64
    return torch.from_numpy(np.array(values, dtype=kind))


def _op_imag(x: Any) -> Any:
    x = tensor(x)  # it has none of a real tensor, and no batch of one that is conjugated only in name
    return torch.imag(x.clone().resolve_conj() if x.is_complex() else x.to(torch.complex128))


def _fourier(name: str) -> Callable[..., Any]:
    function = getattr(torch.fft, name)

    def call(x: Any, n: Any = None, axis: Any = -1, norm: str = "backward") -> Any:
        return function(tensor(x), n=n, dim=one_axis(axis), norm=norm)

    return call


_op_fft, _op_ifft, _op_rfft, _op_irfft = _fourier("fft"), _fourier("ifft"), _fourier("rfft"), _fourier("irfft")


def _op_sign(x: Any) -> Any:
    x = tensor(x)
    return torch.sgn(x) if x.is_complex() else torch.sign(x)


def _op_betaln(a: Any, b: Any) -> Any:
    """PyTorch has no logarithm of the beta function; people write the three it is made of."""
    a, b = tensor(a), tensor(b)
    return torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b)


def _op_beta(a: Any, b: Any) -> Any:
    return torch.exp(_op_betaln(a, b))


def _op_multigammaln(a: Any, d: int) -> Any:
    return torch.special.multigammaln(tensor(a), int(d))


def _op_gammainc(a: Any, x: Any) -> Any:
    return _incomplete(torch.special.gammainc, a, x)


def _op_gammaincc(a: Any, x: Any) -> Any:
    return _incomplete(torch.special.gammaincc, a, x)


def _incomplete(function: Callable[..., Any], a: Any, x: Any) -> Any:
    return function(*torch.broadcast_tensors(tensor(a), tensor(x)))  # type: ignore[no-untyped-call]


def _op_rel_entr(x: Any, y: Any) -> Any:
    """PyTorch has the sum over x ln(x/y) as a loss only; element by element people write it so."""
    x, y = tensor(x), tensor(y)
    return torch.special.xlogy(x, x / y)


def _op_kl_terms(x: Any, y: Any) -> Any:
    x, y = tensor(x), tensor(y)
    return torch.special.xlogy(x, x / y) - x + y
