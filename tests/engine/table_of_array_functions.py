"""Which calls order, pick, scatter and lay out arrays, and what is each in PyTorch? The table of a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

Case = tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...]]
RNG = np.random.default_rng(20)
VECTORS = [(5,), (1,), (0,), (2, 3), (3, 1), (1, 4), (2, 0), (0, 3), (2, 3, 4)]
FULL = [shape for shape in VECTORS if 0 not in shape]


def draw(*shape: int) -> Any:
    return RNG.uniform(-2, 2, shape)


def whole(high: int, *shape: int) -> Any:
    return RNG.integers(-high, high, shape) if high else np.zeros(shape, dtype=int)


def on(shapes: list[tuple[int, ...]], ours: Any, theirs: Any) -> list[Case]:
    return [(ours, theirs, (draw(*shape),)) for shape in shapes]


def both(name: str, torch_name: str = "", shapes: list[tuple[int, ...]] = VECTORS, **params: Any) -> list[Case]:
    """A row and PyTorch's function along the last axis, and along the first."""
    found: list[Case] = []
    for axis in (-1, 0):
        theirs = getattr(torch, torch_name or name)
        found += on(
            shapes,
            lambda xp, x, a=axis: getattr(xp, name)(x, axis=a, **params),
            lambda x, a=axis, f=theirs: _first(f(x, dim=a, **params)),
        )
    return found


def _first(result: Any) -> Any:
    return result[0] if isinstance(result, tuple) else result


def positive(index: Any, size: int) -> Any:
    return torch.as_tensor(np.where(index < 0, index + size, index))


def gathers() -> list[Case]:
    found: list[Case] = []
    for shape, count, axis in [
        ((5,), 7, -1),
        ((2, 3), 4, -1),
        ((3, 2), 4, 0),
        ((1, 4), 2, 0),
        ((3, 1), 3, 1),
        ((2, 3), 0, 1),
    ]:
        size = shape[axis]
        rows = list(shape)
        rows[axis] = count
        line, table = whole(size, count), whole(size, *rows)
        values = draw(*rows)
        index, places = positive(line, size), positive(table, size)

        def spread(v: Any, p: Any = places, s: Any = shape, a: int = axis) -> Any:
            return torch.zeros(s, dtype=torch.float64).scatter_add(a, p, v)

        found += [
            (lambda xp, x, i=line, a=axis: xp.take(x, i, axis=a),
             lambda x, i=index, a=axis: torch.index_select(x, a, i), (draw(*shape),)),
            (lambda xp, x, i=table, a=axis: xp.take_along_axis(x, i, axis=a),
             lambda x, i=places, a=axis: torch.take_along_dim(x, i, a), (draw(*shape),)),
            (lambda xp, v, i=table, a=axis, n=size: xp.scatter_along_axis(v, i, size=n, axis=a), spread, (values,)),
            (lambda xp, x, v, i=table, a=axis: xp.scatter_add(x, i, v, axis=a),
             lambda x, v, i=places, a=axis: torch.scatter_add(x, a, i, v), (draw(*shape), values)),
            (lambda xp, x, v, i=line, a=axis: xp.index_add(x, i, v, axis=a),
             lambda x, v, i=index, a=axis: torch.index_add(x, a, i, v), (draw(*shape), values)),
        ]  # fmt: skip
    return found


def products() -> list[Case]:
    zeros = [
        np.array([2.0, 0.0, 5.0]), np.array([0.0, 0.0, 3.0, -2.0]), np.zeros(3), np.array([[0.0, 2.0], [3.0, 4.0]]),
        draw(4), np.zeros(1), draw(0), draw(2, 1), draw(2, 0), np.array(3.0), np.array(0.0),
    ]  # fmt: skip
    found: list[Case] = [(lambda xp, x: xp.prod(x), torch.prod, (x,)) for x in zeros]
    for x in zeros[:-2]:
        found += [
            (lambda xp, x: xp.prod(x, axis=-1), lambda x: torch.prod(x, dim=-1), (x,)),
            (lambda xp, x: xp.cumulative_prod(x, axis=0), lambda x: torch.cumprod(x, dim=0), (x,)),
        ]
    start = lambda x: torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(x, 0)])  # noqa: E731
    found += [(lambda xp, x: xp.cumulative_prod(x, include_initial=True), start, (x,)) for x in zeros if x.ndim == 1]
    return found


def statistics() -> list[Case]:
    found: list[Case] = []
    for axis in (None, (0, 1), (0, 2), (1,)):
        over = (0, 1, 2) if axis is None else axis
        for x in (draw(2, 3, 4), draw(1, 3, 2)):
            for name, theirs in {"sum": torch.sum, "mean": torch.mean, "max": torch.amax, "min": torch.amin}.items():
                found.append((lambda xp, x, a=axis, f=name: getattr(xp, f)(x, axis=a),
                              lambda x, a=over, f=theirs: f(x, dim=a), (x,)))  # fmt: skip
            found.append((lambda xp, x, a=axis: xp.var(x, axis=a, correction=0),
                          lambda x, a=over: torch.var(x, dim=a, correction=0), (x,)))  # fmt: skip
    for name in ("sum", "mean", "max", "min", "prod"):  # over no axis at all: every element stands for itself
        found.append((lambda xp, x, f=name: getattr(xp, f)(x, axis=()), lambda x: x, (draw(2, 3),)))
    found.append((lambda xp, x: xp.var(x, axis=()), lambda x: 0 * x, (draw(2, 3),)))
    ties = np.array([[3.0, 1.0, 3.0, 3.0], [0.0, 0.0, -1.0, -1.0]])
    found += [(lambda xp, x, a=a: xp.max(x, axis=a), lambda x, a=a: torch.amax(x, dim=a), (ties,)) for a in (1, (0, 1))]
    found += [(lambda xp, x: xp.min(x, axis=1), lambda x: torch.amin(x, dim=1), (ties,))]
    return found


def laid_out() -> list[Case]:
    cube, table, line, dot = draw(2, 3, 4), draw(2, 3), draw(4), np.array(1.5)
    found: list[Case] = []
    for x in (cube, table, draw(1, 3), draw(0, 3), line):
        found += [
            (lambda xp, x: xp.roll(x, 2), lambda x: torch.roll(x, 2), (x,)),
            (lambda xp, x: xp.roll(x, -1, axis=0), lambda x: torch.roll(x, -1, 0), (x,)),
            (lambda xp, x: xp.flip(x, axis=0), lambda x: torch.flip(x, (0,)), (x,)),
            (lambda xp, x: xp.repeat(x, 2), lambda x: torch.repeat_interleave(x, 2), (x,)),
            (lambda xp, x: xp.repeat(x, 3, axis=0), lambda x: torch.repeat_interleave(x, 3, dim=0), (x,)),
            (lambda xp, x: xp.repeat(x, tuple(range(x.shape[0])), axis=0),
             lambda x: torch.repeat_interleave(x, torch.arange(x.shape[0]), dim=0), (x,)),
            (lambda xp, x: xp.tile(x, (2, 1, 3)), lambda x: torch.tile(x, (2, 1, 3)), (x,)),
            (lambda xp, x: xp.unstack(x, axis=-1)[-1], lambda x: torch.unbind(x, -1)[-1], (x,)),
            (lambda xp, x: xp.moveaxis(x, 0, -1), lambda x: torch.movedim(x, 0, -1), (x,)),
            (lambda xp, x: xp.swapaxes(x, 0, -1), lambda x: torch.swapaxes(x, 0, -1), (x,)),
            (lambda xp, x: xp.diff(x, axis=0, n=2), lambda x: torch.diff(x, dim=0, n=2), (x,)),
            (lambda xp, x: xp.pad(x, 1, constant_values=0.5),
             lambda x: torch.nn.functional.pad(x, (1, 1) * x.ndim, value=0.5), (x,)),
            (lambda xp, x: xp.trapezoid(x, axis=-1), lambda x: torch.trapezoid(x, dim=-1), (x,)),
            (lambda xp, x: xp.einsum("...i,...i", x, x), lambda x: (x * x).sum(-1), (x,)),
        ]  # fmt: skip
    for x, y in ((line, line * 0.5), (table, draw(2, 3))):
        found += [
            (lambda xp, x, y: xp.hstack([x, y]), lambda x, y: torch.hstack([x, y]), (x, y)),
            (lambda xp, x, y: xp.vstack([x, y]), lambda x, y: torch.vstack([x, y]), (x, y)),
            (lambda xp, x, y: xp.diff(x, prepend=y, axis=0), lambda x, y: torch.diff(x, prepend=y, dim=0), (x, y)),
        ]
    for k in range(-1, 4):
        found.append((lambda xp, x, k=k: xp.rot90(x, k=k), lambda x, k=k: torch.rot90(x, k), (cube,)))
    for indexing in ("xy", "ij"):
        found.append((lambda xp, x, y, i=indexing: xp.multiply(*xp.meshgrid(x, y, indexing=i)),
                      lambda x, y, i=indexing: torch.mul(*torch.meshgrid(x, y, indexing=i)),
                      (line, draw(3))))  # fmt: skip
    found += [
        (lambda xp, x, y: xp.multiply(*xp.broadcast_arrays(x, y)), torch.mul, (draw(3, 1), line)),
        (lambda xp, x: xp.roll(x, 1), lambda x: torch.roll(x, 1), (dot,)),
        (lambda xp, x: xp.repeat(x, 3), lambda x: torch.repeat_interleave(x, 3), (dot,)),
        (lambda xp, x: xp.tile(x, 3), lambda x: torch.tile(x, (3,)), (dot,)),
        (lambda xp, x: xp.full((2, 3), x), lambda x: x.expand(2, 3), (dot,)),
        (lambda xp, x: xp.full_like(np.zeros((2, 3)), x), lambda x: x.expand(2, 3), (dot,)),
        (lambda xp, x, y: xp.linspace(x, y, 5), lambda x, y: x + (y - x) * torch.linspace(0, 1, 5, dtype=torch.float64),
         (dot, np.array(-2.0))),
        (lambda xp, x: xp.pad(x, ((1, 2), (0, 1)), mode="reflect"),
         lambda x: torch.nn.functional.pad(x[None], (0, 1, 1, 2), mode="reflect")[0], (draw(3, 4),)),
        (lambda xp, y, x: xp.trapezoid(y, x=x, axis=0), lambda y, x: torch.trapezoid(y, x[:, None], dim=0),
         (draw(4, 2), line)),
        (lambda xp, x, y: xp.fmod(x, y), torch.fmod, (draw(3, 4), np.array([0.3, 0.7, -0.4, 1.1]))),
        (lambda xp, x, y: xp.ldexp(x, y), torch.ldexp, (draw(3, 1), line)),
        (lambda xp, x: xp.deg2rad(x), torch.deg2rad, (table,)),
        (lambda xp, x: xp.rad2deg(x), torch.rad2deg, (table,)),
    ]  # fmt: skip
    return found


def sums_over_names() -> list[Case]:
    shapes = {
        "ij,jk->ik": [(2, 3), (3, 4)], "ij,jk,kl": [(2, 3), (3, 2), (2, 4)], "ii": [(3, 3)], "ii->i": [(3, 3)],
        "iij->j": [(2, 2, 3)], "i,j,k->kji": [(2,), (3,), (1,)], "bij,bjk->bik": [(2, 3, 1), (2, 1, 4)],
        "ij->": [(2, 3)],
        "...ij,jk->...ik": [(2, 2, 3), (3, 2)], "i...,i...->...": [(3, 2), (3, 2)], "ij,ij->ij": [(2, 3), (2, 3)],
        "i,": [(3,), ()], "ij,jk": [(2, 0), (0, 3)], "abc,cd,b->ad": [(2, 3, 4), (4, 2), (3,)],
        "ij,jk->k": [(2, 3), (3, 2)],
    }  # fmt: skip
    return [
        (lambda xp, *arrays, s=text: xp.einsum(s, *arrays), lambda *arrays, s=text: torch.einsum(s, *arrays),
         tuple(draw(*shape) for shape in given))
        for text, given in shapes.items()
    ]  # fmt: skip


def tied() -> list[Case]:
    x = np.array([[2.0, 1.0, 2.0, 0.5, 2.0], [0.0, -1.0, -1.0, 0.0, 0.0]])
    return [
        (lambda xp, x: xp.sort(x), lambda x: torch.sort(x, stable=True).values, (x,)),
        (lambda xp, x: xp.sort(x, descending=True), lambda x: torch.sort(x, stable=True, descending=True).values, (x,)),
        (lambda xp, x: xp.cumulative_max(x, axis=1), lambda x: torch.cummax(x, 1).values, (x,)),
        (lambda xp, x: xp.cumulative_min(x, axis=0), lambda x: torch.cummin(x, 0).values, (x,)),
    ]


CASES: dict[str, list[Case]] = {
    "sort": both("sort") + both("sort", descending=True),
    "ties": tied(),
    "top_k": on(FULL, lambda xp, x: xp.top_k(x, 1), lambda x: torch.topk(x, 1).values)
    + on([(5,), (3, 2)], lambda xp, x: xp.top_k(x, 2, axis=0), lambda x: torch.topk(x, 2, dim=0).values),
    "median": on(FULL, lambda xp, x: xp.median(x, axis=-1), lambda x: torch.quantile(x, 0.5, dim=-1))
    + on(FULL, lambda xp, x: xp.median(x), lambda x: torch.quantile(x, 0.5)),
    "quantile": [
        case
        for q in (0.0, 0.3, 1.0)
        for case in on(FULL, lambda xp, x, q=q: xp.quantile(x, q, axis=0, keepdims=True),
                       lambda x, q=q: torch.quantile(x, q, dim=0, keepdim=True))
    ],
    "cummax": [*both("cumulative_max", "cummax", FULL), *both("cumulative_min", "cummin", FULL)],
    "cumsum": both("cumulative_sum", "cumsum"),
    "logcumsumexp": both("cumulative_logsumexp", "logcumsumexp", FULL),
    "gathers": gathers(),
    "products": products(),
    "statistics": statistics(),
    "layouts": laid_out(),
    "einsum": sums_over_names(),
}  # fmt: skip
