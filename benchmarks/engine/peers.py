"""How does each library get at the gradient of `f(xp, *args)`, in the way its own users would write it?

Each namespace holds the library's own functions, so no peer pays for an adapter. `prepare` makes the library's arrays
once (and compiles) and returns what is timed: one forward and one backward pass, or for `VALUE` the plain NumPy value
alone. A peer that is not installed is left out. Everything is float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import numpy as np
import scipy.special

from benchmarks.engine.measure import Work
from gradcheck import engine
from gradcheck.expr.vocabulary import NUMPY

Function = Callable[..., Any]  # f(xp, *args) -> one number
Arrays = Sequence[Any]


@dataclass(frozen=True)
class Peer:
    """A way to gradients: `prepare(f, args, moving)` for the gradient by the first `moving` arguments."""

    name: str
    prepare: Callable[[Function, Arrays, int], Work]


def numbers(result: Any) -> list[Any]:
    """The gradients that a peer returned, as NumPy arrays (None stands for an argument that has none)."""
    return [np.asarray(part.numpy() if hasattr(part, "numpy") else part) for part in result if part is not None]


def value(f: Function, args: Arrays, moving: int) -> Work:
    return lambda: f(PLAIN, *args)


def ours_eager(f: Function, args: Arrays, moving: int) -> Work:
    leaves = [engine.tensor(x, requires_grad=True) for x in args[:moving]]
    rest, xp = args[moving:], engine.EAGER

    def work() -> list[Any]:
        for leaf in leaves:
            leaf.grad = None
        f(xp, *leaves, *rest).backward()
        return [leaf.grad for leaf in leaves]

    return work


def ours_functional(f: Function, args: Arrays, moving: int) -> Work:
    wrt = [i < moving for i in range(len(args))]
    return lambda: engine.grad(f, NUMPY, args, wrt=wrt)


def ours_compiled(f: Function, args: Arrays, moving: int) -> Work:
    wrt = [i < moving for i in range(len(args))]
    gradient = engine.compiled(lambda xp, *args: engine.grad(f, xp, args, wrt=wrt))
    gradient(*args)  # writes the program
    return lambda: gradient(*args)


def in_torch(f: Function, args: Arrays, moving: int) -> Work:
    import torch

    torch.set_num_threads(1)
    leaves = [torch.tensor(x, requires_grad=True) for x in args[:moving]]
    rest, xp = [torch.tensor(x) if isinstance(x, np.ndarray) else x for x in args[moving:]], torch_namespace()

    def work() -> list[Any]:
        for leaf in leaves:
            leaf.grad = None
        f(xp, *leaves, *rest).backward()
        return [leaf.grad for leaf in leaves]

    return work


def in_autograd(f: Function, args: Arrays, moving: int) -> Work:
    import autograd

    xp = autograd_namespace()
    gradient = autograd.grad(lambda *xs: f(xp, *xs), tuple(range(moving)))
    return lambda: gradient(*args)


def in_jax(f: Function, args: Arrays, moving: int, jit: bool = False) -> Work:
    import jax

    jax.config.update("jax_enable_x64", True)
    xp = jax_namespace()
    gradient = jax.grad(lambda *xs: f(xp, *xs), tuple(range(moving)))
    if jit:
        fixed = [i for i, x in enumerate(args) if not isinstance(x, np.ndarray)]
        gradient = jax.jit(gradient, static_argnums=fixed)
    arrays = [jax.numpy.asarray(x) if isinstance(x, np.ndarray) else x for x in args]
    if jit:
        gradient(*arrays)  # compiles
    return lambda: jax.block_until_ready(gradient(*arrays))


def in_jax_jit(f: Function, args: Arrays, moving: int) -> Work:
    return in_jax(f, args, moving, jit=True)


EAGER, FUNCTIONAL, COMPILED, VALUE = "ours", "ours grad()", "ours compiled", "numpy value"
OURS = {
    EAGER: Peer(EAGER, ours_eager),
    FUNCTIONAL: Peer(FUNCTIONAL, ours_functional),
    COMPILED: Peer(COMPILED, ours_compiled),
}
PEERS = {
    "torch": Peer("torch", in_torch),
    "autograd": Peer("autograd", in_autograd),
    "jax": Peer("jax", in_jax),
    "jax jit": Peer("jax jit", in_jax_jit),
}
PLAIN_VALUE = Peer(VALUE, value)


def missing() -> list[str]:
    """The libraries of peers that are not installed."""
    return sorted({name.partition(" ")[0] for name in PEERS if not find_spec(name.partition(" ")[0])})


def ways(leave_out: Sequence[str] = ()) -> dict[str, Peer]:
    """Every way to a gradient that is installed, ours first."""
    gone = {*leave_out, *(name for name in PEERS if name.partition(" ")[0] in missing())}
    return {name: peer for name, peer in {**OURS, **PEERS}.items() if name not in gone}


def _logsumexp(x: Any, axis: int) -> Any:
    top = np.max(x, axis=axis, keepdims=True)
    return np.log(np.sum(np.exp(x - top), axis=axis)) + np.squeeze(top, axis=axis)


def _softmax(x: Any, axis: int) -> Any:
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


COMMON = "exp log sin cos tanh sqrt sum mean stack concatenate tril reshape"
PLAIN = SimpleNamespace(
    **{name: getattr(np, name) for name in COMMON.split()},
    concat=np.concatenate, permute_dims=np.transpose, expit=scipy.special.expit, erf=scipy.special.erf,
    logsumexp=_logsumexp, softmax=_softmax,
)  # fmt: skip


def torch_namespace() -> Any:
    import torch

    return SimpleNamespace(
        **{name: getattr(torch, name) for name in COMMON.split()},
        concat=torch.concat, permute_dims=torch.permute, expit=torch.sigmoid, erf=torch.erf,
        logsumexp=torch.logsumexp, softmax=torch.softmax,
    )  # fmt: skip


def autograd_namespace() -> Any:
    import autograd.numpy as anp
    import autograd.scipy.special as special

    def softmax(x: Any, axis: int) -> Any:
        e = anp.exp(x - anp.max(x, axis=axis, keepdims=True))
        return e / anp.sum(e, axis=axis, keepdims=True)

    return SimpleNamespace(
        **{name: getattr(anp, name) for name in COMMON.split()},
        concat=anp.concatenate, permute_dims=anp.transpose, expit=special.expit, erf=special.erf,
        logsumexp=special.logsumexp, softmax=softmax,
    )  # fmt: skip


def jax_namespace() -> Any:
    import jax

    return SimpleNamespace(
        **{name: getattr(jax.numpy, name) for name in COMMON.split()},
        concat=jax.numpy.concatenate, permute_dims=jax.numpy.permute_dims, expit=jax.nn.sigmoid,
        erf=jax.scipy.special.erf, logsumexp=jax.scipy.special.logsumexp, softmax=jax.nn.softmax,
    )  # fmt: skip
