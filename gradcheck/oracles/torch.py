"""What does PyTorch say? Reverse and forward mode through `torch.func`, vmapped over the points of a case.

The only file that imports torch. Points that take different branches are evaluated a branch at a time: the path found
in NumPy is followed, PyTorch's own conditions are returned beside the numbers and compared with it, and points where
they differ are evaluated once more by themselves.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from gradcheck.errors import Unsupported
from gradcheck.expr import VOCABULARY, Control, Primitive, Program
from gradcheck.expr.rules import one_axis
from gradcheck.oracles.evidence import Array
from gradcheck.oracles.frameworks import Framework, gather
from gradcheck.oracles.inquiry import Inquiry
from gradcheck.spec.model import Step

torch.set_num_threads(1)


def testify(inquiry: Inquiry) -> dict[str, Array]:
    """Value, vjp and jvp (and what second order is claimed) at every point, in float64 on the CPU."""
    return gather(inquiry, FRAMEWORK)


def _array(values: Array) -> torch.Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float64))


def _vmapped(f: Callable[..., Any], compiled: bool) -> Callable[..., Any]:
    batched = torch.func.vmap(f)

    def quietly(*args: Any) -> Any:
        with warnings.catch_warnings():  # it warns where it loops over the points, which is slow but right
            warnings.filterwarnings("ignore", message="There is a performance drop")
            return batched(*args)

    return quietly


def _vjp(f: Callable[..., Any], args: tuple[Any, ...], ct: tuple[Any, ...]) -> Any:
    asked: Any = torch.func.vjp(f, *args, has_aux=True)
    values, pull, conditions = asked
    return values, pull(ct), conditions


def _jvp(f: Callable[..., Any], args: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
    return _pushed(lambda *a: f(*a)[0], args, tangents)


def _hvp(f: Callable[..., Any], args: tuple[Any, ...], ct: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
    return _pushed(lambda *a: _vjp(f, a, ct)[1], args, tangents)


def _pushed(f: Callable[..., Any], args: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
    with warnings.catch_warnings():  # its first use loads parts of PyTorch that PyTorch itself deprecates
        warnings.filterwarnings("ignore", message=".*torch.jit.script", category=DeprecationWarning)
        return torch.func.jvp(f, args, tangents)[1]


class TorchNamespace:
    """The vocabulary on PyTorch tensors, one point at a time (vmap adds the batch)."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        row = VOCABULARY.get(name)
        if row is None:
            raise AttributeError(name)
        special = globals().get(f"_op_{name}")
        function = special if special is not None else _elementwise(row)
        self.__dict__[name] = function
        return function


def _elementwise(row: Primitive) -> Callable[..., Any]:
    function: Any = torch
    for part in (row.torch.removeprefix("torch.") or row.name).split("."):
        if not hasattr(function, part):
            raise Unsupported("PyTorch", row.name)
        function = getattr(function, part)

    def call(*args: Any, **params: Any) -> Any:
        return function(*[_tensor(a) for a in args], **params)

    return call


def _tensor(value: Any) -> torch.Tensor:
    if isinstance(value, torch.Tensor):
        return value
    array = np.asarray(value)
    return torch.as_tensor(array if array.dtype == bool else array.astype(np.float64))


def _condition(value: Any) -> torch.Tensor:
    return _tensor(value).to(torch.bool)


def _dims(x: torch.Tensor, axis: Any) -> tuple[int, ...]:
    """The axes a row means; None stands for all axes of the point."""
    if axis is None:
        return tuple(range(x.ndim))
    return axis if isinstance(axis, tuple) else (axis,)


def _op_where(condition: Any, a: Any, b: Any) -> Any:
    return torch.where(_condition(condition), _tensor(a), _tensor(b))


def _op_logical_and(a: Any, b: Any) -> Any:
    return torch.logical_and(_condition(a), _condition(b))


def _op_logical_or(a: Any, b: Any) -> Any:
    return torch.logical_or(_condition(a), _condition(b))


def _op_logical_not(a: Any) -> Any:
    return torch.logical_not(_condition(a))


def _op_clip(x: Any, low: Any, high: Any) -> Any:
    return torch.clamp(_tensor(x), _tensor(low), _tensor(high))


def _op_relu(x: Any) -> Any:
    return torch.relu(_tensor(x))


def _op_stop_gradient(x: Any) -> Any:
    return _tensor(x).detach()


def _op_cbrt(x: Any) -> Any:
    x = _tensor(x)
    return torch.sign(x) * torch.abs(x) ** (1.0 / 3.0)


def _op_logaddexp(a: Any, b: Any) -> Any:
    return torch.logaddexp(*torch.broadcast_tensors(_tensor(a), _tensor(b)))  # type: ignore[no-untyped-call]


def _op_polygamma(n: Any, x: Any) -> Any:
    return torch.special.polygamma(int(n), _tensor(x))


def _op_sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = _tensor(x)
    dims = _dims(x, axis)
    return torch.sum(x, dim=dims, keepdim=keepdims) if dims else x


def _op_mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = _tensor(x)
    dims = _dims(x, axis)
    return torch.mean(x, dim=dims, keepdim=keepdims) if dims else x


def _op_prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = _tensor(x)
    for dim in sorted((d % x.ndim for d in _dims(x, axis)), reverse=True):
        x = torch.prod(x, dim=dim, keepdim=keepdims)
    return x


def _op_max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = _tensor(x)
    return torch.amax(x, dim=_dims(x, axis), keepdim=keepdims) if x.ndim else x


def _op_min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = _tensor(x)
    return torch.amin(x, dim=_dims(x, axis), keepdim=keepdims) if x.ndim else x


def _op_var(x: Any, axis: Any = None, correction: Any = 0, keepdims: bool = False) -> Any:
    x = _tensor(x)
    return torch.var(x, dim=_dims(x, axis), correction=correction, keepdim=keepdims)


def _op_std(x: Any, axis: Any = None, correction: Any = 0, keepdims: bool = False) -> Any:
    x = _tensor(x)
    return torch.std(x, dim=_dims(x, axis), correction=correction, keepdim=keepdims)


def _op_any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = _condition(x)
    for dim in sorted((d % x.ndim for d in _dims(x, axis)), reverse=True):
        x = torch.any(x, dim=dim, keepdim=keepdims)
    return x


def _op_all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return torch.logical_not(_op_any(torch.logical_not(_condition(x)), axis, keepdims))


def _op_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    return torch.linalg.vector_norm(_tensor(x), ord=float(ord), dim=_dims(_tensor(x), axis), keepdim=keepdims)


def _op_logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return torch.logsumexp(_tensor(x), dim=_dims(_tensor(x), axis), keepdim=keepdims)


def _op_softmax(x: Any, axis: Any = None) -> Any:
    return _over_axes(torch.softmax, _tensor(x), axis)


def _op_log_softmax(x: Any, axis: Any = None) -> Any:
    return _over_axes(torch.log_softmax, _tensor(x), axis)


def _over_axes(function: Callable[..., Any], x: torch.Tensor, axis: Any) -> torch.Tensor:
    """A function along one axis, over several at once: they are laid in a row and taken apart again."""
    dims = [d % x.ndim for d in _dims(x, axis)]
    if len(dims) == 1:
        return function(x, dim=dims[0])  # type: ignore[no-any-return]
    order = [d for d in range(x.ndim) if d not in dims] + dims
    moved = torch.permute(x, order)
    row = function(torch.reshape(moved, (*moved.shape[: x.ndim - len(dims)], -1)), dim=-1)
    return torch.permute(torch.reshape(row, moved.shape), [order.index(d) for d in range(x.ndim)])


def _one(axis: Any) -> int:
    """The only axis a row works along."""
    return one_axis(axis)


def _op_cumulative_sum(x: Any, axis: Any = None) -> Any:
    return torch.cumsum(_tensor(x), dim=_one(axis))


def _op_cumulative_prod(x: Any, axis: Any = None) -> Any:
    return torch.cumprod(_tensor(x), dim=_one(axis))


def _op_argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return torch.argmax(_tensor(x), dim=None if axis is None else _one(axis), keepdim=keepdims)


def _op_argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return torch.argmin(_tensor(x), dim=None if axis is None else _one(axis), keepdim=keepdims)


def _op_dot(a: Any, b: Any) -> Any:
    return torch.linalg.vecdot(_tensor(a), _tensor(b))


def _op_matmul(a: Any, b: Any) -> Any:
    return torch.matmul(_tensor(a), _tensor(b))


def _op_outer(a: Any, b: Any) -> Any:
    return torch.unsqueeze(_tensor(a), -1) * torch.unsqueeze(_tensor(b), -2)


def _op_trace(x: Any) -> Any:
    return torch.diagonal(_tensor(x), dim1=-2, dim2=-1).sum(-1)


def _op_diagonal(x: Any, offset: int = 0) -> Any:
    return torch.diagonal(_tensor(x), offset=offset, dim1=-2, dim2=-1)


def _op_diag(x: Any) -> Any:
    return torch.diag_embed(_tensor(x))


def _op_matrix_transpose(x: Any) -> Any:
    return torch.transpose(_tensor(x), -1, -2)


def _op_permute_dims(x: Any, axes: Any = None) -> Any:
    x = _tensor(x)
    return torch.permute(x, tuple(axes) if axes is not None else tuple(range(x.ndim - 1, -1, -1)))


def _op_det(x: Any) -> Any:
    return torch.linalg.det(_tensor(x))


def _op_inv(x: Any) -> Any:
    return torch.linalg.inv(_tensor(x))


def _op_solve(a: Any, b: Any) -> Any:
    return torch.linalg.solve(_tensor(a), _tensor(b))


def _op_reshape(x: Any, shape: Any) -> Any:
    return torch.reshape(_tensor(x), tuple(shape) if isinstance(shape, tuple | list) else (shape,))


def _op_expand_dims(x: Any, axis: int) -> Any:
    return torch.unsqueeze(_tensor(x), axis)


def _op_squeeze(x: Any, axis: Any = None) -> Any:
    return torch.squeeze(_tensor(x), _dims(_tensor(x), axis))


def _op_flip(x: Any, axis: Any = None) -> Any:
    return torch.flip(_tensor(x), _dims(_tensor(x), axis))


def _op_roll(x: Any, shift: Any, axis: Any = None) -> Any:
    dims = _dims(_tensor(x), axis)
    return torch.roll(_tensor(x), shift if isinstance(shift, tuple) else (shift,) * len(dims), dims)


def _op_broadcast_to(x: Any, shape: Any) -> Any:
    return torch.broadcast_to(_tensor(x), tuple(shape) if isinstance(shape, tuple | list) else (shape,))


def _op_concat(arrays: Any, axis: int = 0) -> Any:
    return torch.cat([_tensor(a) for a in arrays], dim=axis)


def _op_stack(arrays: Any, axis: int = 0) -> Any:
    return torch.stack([_tensor(a) for a in arrays], dim=axis)


def _op_take(x: Any, indices: Any, axis: Any = None) -> Any:
    x, index = _tensor(x), np.asarray(indices)
    dim = _one(axis) % x.ndim
    index = np.where(index < 0, index + x.shape[dim], index)
    taken = torch.index_select(x, dim, torch.as_tensor(index.reshape(-1)))
    return torch.reshape(taken, (*x.shape[:dim], *index.shape, *x.shape[dim + 1 :]))


def _op_scatter(x: Any, index: Any, shape: Any) -> Any:
    """Zeros with the elements of x added at an index; the index is looked up in the numbers of the elements."""
    x, size = _tensor(x), int(np.prod(shape, dtype=int))
    places = np.arange(size).reshape(shape)[index]
    spread = torch.broadcast_to(x, places.shape)
    flat = torch.zeros(size, dtype=x.dtype).index_add(0, torch.as_tensor(places.reshape(-1)), spread.reshape(-1))
    return torch.reshape(flat, tuple(shape))


def _op_getitem(x: Any, index: Any) -> Any:
    """Indexing; PyTorch has no negative steps, so those are taken forwards and flipped."""
    x = _tensor(x)
    flips: list[int] = []
    plain: list[Any] = []
    axis = 0
    for item in index:
        if isinstance(item, slice) and item.step is not None and item.step < 0:
            positions = range(*item.indices(x.shape[axis]))
            item = slice(positions[-1], positions[0] + 1, -item.step) if len(positions) else slice(0, 0)
            flips.append(sum(not isinstance(p, int) for p in plain))
        plain.append(item)
        axis += item is not None
    result = x[tuple(plain)]
    return torch.flip(result, flips) if flips else result


def _op_repeat(x: Any, repeats: int, axis: Any = None) -> Any:
    return torch.repeat_interleave(_tensor(x), repeats, dim=_one(axis))


def _op_softplus(x: Any) -> Any:
    """Past its default threshold of 20 PyTorch's softplus gives x itself; it is asked to compute further out."""
    return torch.nn.functional.softplus(_tensor(x), threshold=700.0)


def _op_tril(x: Any, k: int = 0) -> Any:
    return torch.tril(_tensor(x), k)


def _op_triu(x: Any, k: int = 0) -> Any:
    return torch.triu(_tensor(x), k)


def _constant(name: str) -> Callable[..., Any]:
    def call(*args: Any, **params: Any) -> Any:
        return _tensor(VOCABULARY[name].numpy(*args, **params))

    return call


_op_zeros, _op_ones, _op_full, _op_eye, _op_arange, _op_linspace = (
    _constant(name) for name in ("zeros", "ones", "full", "eye", "arange", "linspace")
)

_COLLECTS = "torch::autograd::AccumulateGrad"  # a node that stands at a leaf and is no operation

FRAMEWORK = Framework(
    name="torch",
    namespace=TorchNamespace(),
    array=_array,
    numpy=lambda value: np.asarray(value.detach()),
    vmapped=_vmapped,
    vjp=_vjp,
    jvp=_jvp,
    hvp=_hvp,
    zeros_like=torch.zeros_like,
    padded=False,
)


def call_backward(
    f: Callable[..., Any], args: list[Array], moving: list[bool], cotangents: list[Array]
) -> tuple[list[Array], list[Array]]:
    """People's own function at one point: its values and the gradients its backward gives for the cotangents."""
    tensors = [_array(a).requires_grad_(m) for a, m in zip(args, moving, strict=True)]
    result = f(*tensors)
    values = list(result) if isinstance(result, tuple | list) else [result]
    wrt = [t for t, m in zip(tensors, moving, strict=True) if m]
    gradients = torch.autograd.grad(values, wrt, [_array(c) for c in cotangents], allow_unused=True)
    zeros = [torch.zeros_like(w) if g is None else g for g, w in zip(gradients, wrt, strict=True)]
    return [v.detach().numpy() for v in values], [g.detach().numpy() for g in zeros]


class TorchTape:
    """PyTorch's autograd, for behaviours."""

    def lacks(self, steps: tuple[Step, ...]) -> str:
        return ""

    def leaf(self, numbers: Array, requires_grad: bool) -> torch.Tensor:
        return _array(numbers).requires_grad_(requires_grad)

    def let(self, formula: Program, env: Mapping[str, torch.Tensor], recording: bool) -> torch.Tensor:
        with torch.set_grad_enabled(recording):
            return _tensor(formula(FRAMEWORK.namespace, env, Control()))

    def detach(self, value: torch.Tensor) -> torch.Tensor:
        return value.detach()

    def switch(self, value: torch.Tensor, requires_grad: bool) -> None:
        value.requires_grad_(requires_grad)

    def backward(self, value: torch.Tensor, gradient: Array | None, retain: bool | None, create: bool) -> None:
        torch.autograd.backward(value, None if gradient is None else _array(gradient), retain, create)

    def zero_grad(self, value: torch.Tensor) -> None:
        value.grad = None

    def sgd(self, value: torch.Tensor, lr: float) -> None:
        torch.optim.SGD([value], lr=lr).step()

    def numbers(self, value: torch.Tensor) -> Array:
        return np.array(value.detach(), dtype=np.float64)

    def grad(self, value: torch.Tensor) -> Array | None:
        grad = value.grad
        return None if grad is None else self.numbers(grad)

    def requires_grad(self, value: torch.Tensor) -> bool:
        return value.requires_grad

    def is_leaf(self, value: torch.Tensor) -> bool:
        return value.is_leaf

    def node(self, value: torch.Tensor) -> str:
        return "none" if value.grad_fn is None else _operation(value.grad_fn)

    def nodes(self, value: torch.Tensor) -> list[str]:
        found, stack = set(), [value.grad_fn]
        while stack:
            node = stack.pop()
            if node is not None and node not in found and node.name() != _COLLECTS:
                found.add(node)
                stack += [parent for parent, _ in node.next_functions]
        return [_operation(node) for node in found]


def _operation(node: Any) -> str:
    """The name of the operation that a node undoes: `mul` for MulBackward0."""
    words = re.sub(r"(Backward)?\d*$", "", node.name().rpartition("::")[2])
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words).lower()
    row = next((r for r in VOCABULARY.values() if name == r.torch.rpartition("torch.")[2].replace(".", "_")), None)
    return row.name if row else name
