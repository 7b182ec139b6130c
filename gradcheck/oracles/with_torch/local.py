"""How is a function judged at the very tensors that its caller holds? Its numbers are changed in place and put back.

So does `torch.autograd.gradcheck`: a function may read a parameter from its closure instead of its arguments. Layouts,
devices, and inputs that are no tensors stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.oracles.blackbox.local import DENSE, Part, Row, Table, parts_of
from gradcheck.oracles.with_torch.library import torch

REAL = {torch.float64: "float64", torch.float32: "float32", torch.complex128: "float64", torch.complex64: "float32"}


class TorchLocal:
    """A function of tensors at the tensors given, as `oracles/blackbox/local.py` asks.

    given: all arguments; those that require a gradient move. Raises ValueError where none does, as PyTorch's own
    check; UsageError for what cannot be judged in place.
    """

    def __init__(self, fn: Callable[..., Any], given: Sequence[Any]) -> None:
        self.fn, self.given = fn, tuple(given)
        tracked = [k for k, x in enumerate(self.given) if isinstance(x, torch.Tensor) and x.requires_grad]
        self.moving = [k for k in tracked if all(self.given[j] is not self.given[k] for j in tracked if j < k)]
        if not self.moving:
            raise ValueError("no input tensor requires a gradient: there is nothing to judge")
        self.tensors = [self.given[k] for k in self.moving]
        self.names = [f"input {k}" if len(self.given) > 1 else "the input" for k in self.moving]
        for name, x in zip(self.names, self.tensors, strict=True):
            _refuse(name, x)
            if any(step == 0 and n > 1 for step, n in zip(x.stride(), x.shape, strict=True)):
                raise UsageError(f"{name} repeats its numbers in memory: give a copy, and expand it in the function")
        self.dtype = "float32" if "float32" in {REAL[x.dtype] for x in self.tensors} else "float64"
        shapes = [tuple(x.shape) for x in self.tensors]
        self.inputs = parts_of(
            [(n, s, x.is_complex()) for n, s, x in zip(self.names, shapes, self.tensors, strict=True)]
        )
        self.stores = [x.data for x in self.tensors]  # the same memory, without a tape or a count of writes
        self.saved = [store.clone() for store in self.stores]
        self.x = np.concatenate([row_of(s) for s in self.stores] or [np.zeros(0)])
        self.wrote = ""  # what the function or its rule wrote to, in words
        self.directions = DENSE
        self.quiet = True  # whether values are taken without a tape: until that is seen to change them
        self.first: tuple[list[Any], list[Any]] | None = None  # the first cotangents at the point, and their gradients
        self.kept: list[int] = []
        self.outputs: tuple[Part, ...] = ()
        self._here: list[Any] = []  # outputs at x with their tape
        self.graph()

    def graph(self) -> list[Any]:
        """The outputs at the point with their tape, made once."""
        if not self._here:
            with torch.enable_grad():
                many = _tensors(self.fn(*self.given))
            self._look_for_writes("the function")
            live = [k for k, o in enumerate(many) if o.requires_grad]
            self.kept = live or [k for k, o in enumerate(many) if o.is_floating_point() or o.is_complex()]
            if not self.kept:
                raise UsageError("the function gives no tensor of real or complex numbers")
            self._here = [many[k] for k in self.kept]
            for o in self._here:
                _refuse("an output", o)
            self.outputs = parts_of([(f"output {k}", tuple(o.shape), o.is_complex()) for k, o in enumerate(self._here)])
        return self._here

    def values(self, points: Table) -> Table:
        """The outputs (P, K) in float64, without a tape where that changes nothing; NaN where the function raises."""
        if not len(points):
            return np.empty((0, self.outputs[-1].place.stop))
        found = self._values(points)
        if self.quiet and (points[0] == self.x).all():
            with_tape = np.concatenate([row_of(o) for o in self._here])
            if not (found[0] == with_tape).all():
                self.quiet = False
                return self._values(points)
        return found

    def _values(self, points: Table) -> Table:
        nothing = torch.full((self.outputs[-1].place.stop,), float("nan"), dtype=torch.float64)
        rows = []
        columns = [self._typed(points, k) for k in range(len(self.tensors))]
        try:
            with torch.set_grad_enabled(not self.quiet):
                for numbers in zip(*columns, strict=True):
                    for store, new in zip(self.stores, numbers, strict=True):
                        store.copy_(new)
                    try:
                        row = self._flat(self.fn(*self.given))
                    except Exception:  # beside the point it may have no value, and say so as it likes
                        row = nothing
                    rows.append(row if row.shape == nothing.shape else nothing)
                found: Table = torch.stack(rows).numpy()
        finally:
            self._put_back()
        return found

    def _typed(self, points: Table, which: int) -> Any:
        """One input's numbers at every point, as the function takes them."""
        part, store = self.inputs[which], self.stores[which]
        numbers = torch.from_numpy(np.ascontiguousarray(points[:, part.place])).reshape(-1, *part.real_shape)
        numbers = torch.view_as_complex(numbers) if part.paired else numbers
        return numbers.to(store.device, store.dtype).unbind(0)

    def _flat(self, outputs: Any) -> Any:
        """All kept outputs as one row of float64."""
        many = [outputs] if isinstance(outputs, torch.Tensor) else _tensors(outputs)
        rows = [_real(many[k].detach()) for k in self.kept]
        return rows[0] if len(rows) == 1 else torch.cat(rows)

    def vjp(self, x: Row, cotangent: Row) -> Row:
        """What a backward pass gives, zeros where it gives None."""
        return np.concatenate([row_of(g) for g in self.pulled(x, self.shaped(cotangent))])

    def shaped(self, cotangent: Row) -> list[Any]:
        """A row of numbers as tensors of the outputs' shapes and types."""
        found = []
        for part, o in zip(self.outputs, self._here, strict=True):
            numbers = torch.from_numpy(np.array(cotangent[part.place])).reshape(part.real_shape)
            found.append((torch.view_as_complex(numbers) if part.paired else numbers).to(o.device, o.dtype))
        return found

    def pulled(self, x: Row, cotangents: Sequence[Any], **options: Any) -> list[Any]:
        """The gradients as tensors; at another point than the given one by a tape of their own."""
        if x is self.x or np.array_equal(x, self.x):
            found = self._back(self._here, cotangents, **options)
            if self.first is None:
                self.first = [*cotangents], found
                self._look_for_writes("the rule")
            return found
        columns = [self._typed(x[None], k)[0] for k in range(len(self.tensors))]
        try:
            for store, new in zip(self.stores, columns, strict=True):
                store.copy_(new)
            with torch.enable_grad():
                many = _tensors(self.fn(*self.given))
            return self._back([many[k] for k in self.kept], cotangents, **options)
        finally:
            self._put_back()

    def _back(self, outputs: Sequence[Any], cotangents: Sequence[Any], **options: Any) -> list[Any]:
        live = [(o, c) for o, c in zip(outputs, cotangents, strict=True) if o.requires_grad]
        found: Sequence[Any] = [None] * len(self.tensors)
        if live:
            ends, cts = zip(*live, strict=True)
            found = torch.autograd.grad(ends, self.tensors, cts, retain_graph=True, allow_unused=True, **options)
        return [torch.zeros_like(x) if g is None else g for g, x in zip(found, self.tensors, strict=True)]

    def jvp(self, x: Row, tangent: Row) -> Row:
        """The derivative along a tangent, in forward mode. Whatever PyTorch says of a missing one is its caller's."""
        return np.concatenate([row_of(t) for t in self.pushed(x, tangent)])

    def pushed(self, x: Row, tangent: Row) -> list[Any]:
        """The same as tensors, zeros where there is no tangent."""
        ad: Any = torch.autograd.forward_ad
        primals = [self._typed(x[None], k)[0] for k in range(len(self.tensors))]
        tangents = [self._typed(tangent[None], k)[0] for k in range(len(self.tensors))]
        with ad.dual_level():
            duals = [ad.make_dual(p, t) for p, t in zip(primals, tangents, strict=True)]
            many = _tensors(self.fn(*self._with(duals)))
            duals = [ad.unpack_dual(many[k]) for k in self.kept]
            return [torch.zeros_like(d.primal) if d.tangent is None else d.tangent for d in duals]

    def pushed_together(self, rows: Sequence[Row]) -> list[Any]:
        """The same for several tangents in one batch, by `vmap` over forward mode: the batch leads."""
        steps = [torch.stack([self._typed(row[None], k)[0] for row in rows]) for k in range(len(self.tensors))]

        def along(weights: Any) -> tuple[Any, ...]:
            moved = [
                store + torch.tensordot(weights.to(step.dtype), step, dims=1)
                for store, step in zip(self.stores, steps, strict=True)
            ]
            many = _tensors(self.fn(*self._with(moved)))
            return tuple(many[k] for k in self.kept)

        nowhere = torch.zeros(len(rows), dtype=torch.float64, device=self.stores[0].device)
        push: Any = torch.autograd.functional.jacobian
        found = push(along, nowhere, vectorize=True, strategy="forward-mode")
        return [v.movedim(-1, 0) for v in found]

    def _with(self, instead: Sequence[Any]) -> list[Any]:
        """The arguments with others for those that move, wherever these stand."""
        found = list(self.given)
        for x, other in zip(self.tensors, instead, strict=True):
            found = [other if given is x else given for given in found]
        return found

    def _put_back(self) -> None:
        """The caller's tensors hold their own numbers again."""
        for store, old in zip(self.stores, self.saved, strict=True):
            store.copy_(old)

    def _look_for_writes(self, who: str) -> None:
        for name, store, old in zip(self.names, self.stores, self.saved, strict=True):
            if torch.equal(store, old) or self.wrote or bool(torch.isnan(old).any()):
                continue
            where = (store != old).reshape(-1).nonzero()[0].item()
            was, now = old.reshape(-1)[where].item(), store.reshape(-1)[where].item()
            self.wrote = f"{who} writes to {name}: element {where} was {was:.6g} and is {now:.6g} afterwards"
        if self.wrote:
            self._put_back()


def in_float64(local: TorchLocal) -> TorchLocal | None:
    """The same function at the same numbers in float64, where it takes them and then computes in float64."""
    if local.dtype == "float64":
        return None
    given = [_doubled(x) for x in local.given]
    try:
        found = TorchLocal(local.fn, given)
    except Exception:  # it says as it likes that it wants float32
        return None
    wide = all(REAL.get(o.dtype) == "float64" for o in found.graph())
    ones = np.ones(local.outputs[-1].place.stop)
    if not wide or [o.shape for o in found.outputs] != [o.shape for o in local.outputs]:
        return None
    blind = local.vjp(local.x, ones).any() and not found.vjp(local.x, ones).any()  # it does not read its arguments
    return None if blind else found


def _doubled(x: Any) -> Any:
    if not isinstance(x, torch.Tensor) or not (x.is_floating_point() or x.is_complex()):
        return x
    wide = torch.complex128 if x.is_complex() else torch.float64
    return x.detach().to(wide).requires_grad_(x.requires_grad)


def differentiable(outputs: Any) -> list[Any]:
    """The outputs that a gradient can be asked of."""
    return [o for o in _tensors(outputs) if o.requires_grad]


def _tensors(outputs: Any) -> list[Any]:
    many = list(outputs) if isinstance(outputs, tuple | list) else [outputs]
    return [o for o in many if isinstance(o, torch.Tensor)]


def _real(tensor: Any) -> Any:
    """The numbers of a tensor as one row of float64, complex ones as pairs, on the CPU."""
    real = torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor.resolve_neg()
    row = real.reshape(-1)
    return row if row.dtype is torch.float64 and row.device.type == "cpu" else row.to("cpu", torch.float64)


def row_of(tensor: Any) -> Row:
    """The numbers of a tensor as one row, complex ones as pairs."""
    found: Row = np.array(_real(tensor.detach()).numpy())
    return found


def _refuse(name: str, x: Any) -> None:
    if x.layout is not torch.strided:
        raise UsageError(f"{name} is {x.layout}: give its values as a dense tensor and build the sparse one inside")
    if x.dtype not in REAL:
        raise UsageError(f"{name} is {x.dtype}: its values show too little of a slope; cast it to float64 to be judged")
