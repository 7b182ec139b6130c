"""What can be asked of PyTorch code that only a tape can do wrong? Which leaves want gradients, what `.grad` holds
already, which outputs were used, batches under `vmap`, compiled calls, forward mode over reverse mode.

Every question is a method of the subject that takes and gives arrays at one point; `run/check/tape.py` knows what the
answers must be. `NotOffered` is raised where PyTorch or the code says that it has no such thing.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradcheck.oracles.blackbox.asked import Answers, Array, BadAnswer, Batched, Inputs, NotOffered
from gradcheck.oracles.with_torch.library import torch

COMPILER = "aot_eager"  # traces a call and its backward as every compiler of PyTorch's does, and builds no kernels
NO_BATCH = ("setup_context", "vmap", "functorch", "functionalization", "Batching rule")  # words of PyTorch's refusals
LONGEST = 160  # characters of a library's words that a report takes
NO_FORWARD = ("forward AD", "forward mode AD")
STRIDED = torch.strided


class TorchProbes:
    """The questions, for a class that knows how to call the code (`TorchCode`)."""

    fn: Callable[..., Any]
    moving: tuple[int, ...]
    _compiled: Any = None

    @abstractmethod
    def vjp(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """The gradients, asked plainly."""

    @abstractmethod
    def _outputs(self, tensors: Sequence[Any]) -> list[Any]: ...

    @abstractmethod
    def _tensor(self, x: Array) -> Any:
        """An array as a tensor, where it shall lie."""

    def _leaves(self, inputs: Inputs, live: Sequence[int]) -> list[Any]:
        """The inputs as tensors, of which some require gradients."""
        tensors = [self._tensor(x) for x in inputs]
        return [t.requires_grad_() if k in live else t for k, t in enumerate(tensors)]

    def _pull(self, outputs: Sequence[Any], wrt: Sequence[Any], cotangents: Sequence[Array]) -> Sequence[Any]:
        """The gradients of the outputs that require any; None for inputs that none of them depends on."""
        live = [(o, self._tensor(c)) for o, c in zip(outputs, cotangents, strict=True) if o.requires_grad]
        if not live:
            return [None] * len(wrt)
        return gradients_of([o for o, _ in live], wrt, [c for _, c in live])

    def some(self, inputs: Inputs, cotangents: Sequence[Array], live: Sequence[int]) -> tuple[Array | None, ...]:
        """The gradients by the inputs in `live`, where only these require any."""
        tensors = self._leaves(inputs, live)
        outputs = self._outputs(tensors)
        return placed(inputs, live, tensors, self._pull(outputs, [tensors[k] for k in live], cotangents))

    def used(self, inputs: Inputs, cotangents: Sequence[Array], which: int) -> tuple[Array | None, ...]:
        """The gradients where only one output was used, so that no cotangent arrives for the others."""
        tensors = self._leaves(inputs, self.moving)
        outputs = self._outputs(tensors)
        found = self._pull([outputs[which]], [tensors[k] for k in self.moving], [cotangents[which]])
        return placed(inputs, self.moving, tensors, found)

    def undefined(self, inputs: Inputs) -> tuple[Array | None, ...]:
        """The gradients where what follows gives no cotangent at all (None), as another rule may: zeros, or none."""
        tensors = self._leaves(inputs, self.moving)
        live = [o for o in self._outputs(tensors) if o.requires_grad]
        if not live:
            raise NotOffered("no output requires a gradient")
        cut = Undefined.apply(*live)  # type: ignore[no-untyped-call]
        found = self._pull(cut, [tensors[k] for k in self.moving], [number(torch.ones_like(o)) for o in cut])
        return placed(inputs, self.moving, tensors, found)

    def accumulated(
        self, inputs: Inputs, cotangents: Sequence[Array], before: Sequence[Array | None]
    ) -> tuple[Array | None, ...]:
        """What `.grad` holds after two calls with their `.backward()`s, where it held `before`."""
        tensors = self._leaves(inputs, self.moving)
        for k in self.moving:
            tensors[k].grad = self._tensor(np.array(before[k]))
        for _ in range(2):
            live = [
                (o, self._tensor(c)) for o, c in zip(self._outputs(tensors), cotangents, strict=True) if o.requires_grad
            ]
            if live:
                torch.autograd.backward([o for o, _ in live], [c for _, c in live])
        return placed(inputs, self.moving, tensors, [tensors[k].grad for k in self.moving])

    def interleaved(self, inputs: Inputs, cotangents: Sequence[Array], others: Inputs) -> tuple[Array | None, ...]:
        """The gradients where another call was made, and not yet pulled back, between the call and its backward."""
        tensors = self._leaves(inputs, self.moving)
        outputs = self._outputs(tensors)
        self._outputs(self._leaves(others, self.moving))
        return placed(inputs, self.moving, tensors, self._pull(outputs, [tensors[k] for k in self.moving], cotangents))

    def detached(self, inputs: Inputs, cotangents: Sequence[Array], k: int) -> tuple[Array | None, ...]:
        """What arrives at an input of which the code was given a detached copy, after a call with the input itself."""
        tensors = self._leaves(inputs, self.moving)
        self._outputs(tensors)
        given = list(tensors)
        given[k] = tensors[k].detach()
        return placed(inputs, (k,), tensors, self._pull(self._outputs(given), [tensors[k]], cotangents))

    def primal(self, inputs: Inputs) -> tuple[Array, ...]:
        """All real outputs, while a derivative is recorded."""
        return tuple(number(o) for o in self._outputs(self._leaves(inputs, self.moving)))

    def after(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Answers, Answers]:
        """The outputs before and after the backward pass through them."""
        tensors = self._leaves(inputs, self.moving)
        outputs = self._outputs(tensors)
        before = tuple(number(o) for o in outputs)
        self._pull(outputs, [tensors[k] for k in self.moving], cotangents)
        return before, tuple(number(o) for o in outputs)

    def batched(
        self, points: Sequence[Inputs], cotangents: Sequence[Sequence[Array]], axes: Sequence[int | None]
    ) -> Batched:
        """Values and gradients of a batch under `torch.vmap`.

        axes: of each input, where the batch goes (0 or -1), or None where all points have the same.
        """
        stacked = [
            self._tensor(np.array(points[0][k]) if a is None else np.stack([np.asarray(p[k]) for p in points], axis=a))
            for k, a in enumerate(axes)
        ]
        cts = [torch.stack([self._tensor(np.array(c[j])) for c in cotangents]) for j in range(len(cotangents[0]))]

        def one(inputs: Sequence[Any], many: Sequence[Any]) -> tuple[Any, Any]:
            def moved(*some: Any) -> tuple[Any, ...]:
                rest = dict(zip(self.moving, some, strict=True))
                return tuple(self._outputs([rest.get(k, x) for k, x in enumerate(inputs)]))

            values, pull = torch.func.vjp(moved, *[inputs[k] for k in self.moving])[:2]
            return values, pull(tuple(many))

        with batching():
            values, gradients = torch.vmap(one, in_dims=(list(axes), 0))(stacked, cts)
        found = dict(zip(self.moving, gradients, strict=True))
        return [
            (tuple(number(v[i]) for v in values),
             tuple(number(found[k][i]) if k in found else None for k in range(len(stacked))))
            for i in range(len(points))
        ]  # fmt: skip

    def values(self, stacked: Sequence[Array]) -> Array:
        """All real outputs at many points (points, numbers) by one call under `torch.vmap`, as an economy."""

        def one(*tensors: Any) -> tuple[Any, ...]:
            return tuple(self._outputs(tensors))

        with torch.no_grad(), batching():
            return rows_of(torch.vmap(one)(*map(self._tensor, stacked)))

    def gradients(self, stacked: Sequence[Array], cotangents: Array) -> Array:
        """The gradients by the moving inputs of one output at many points (points, numbers), in the same way."""
        return rows_of(self._pulled_together(stacked, [cotangents]))

    def pulled(self, stacked: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
        """The gradients by each moving input at many points, for cotangents of all outputs (points first, each)."""
        return [number(g) for g in self._pulled_together(stacked, cotangents)]

    def _pulled_together(self, stacked: Sequence[Array], cotangents: Sequence[Array]) -> Sequence[Any]:
        with batching():
            found: Sequence[Any] = torch.vmap(self._pull_once)(
                [self._tensor(x) for x in stacked], tuple(self._tensor(c) for c in cotangents)
            )
        return found

    def _pull_once(self, inputs: Sequence[Any], cotangents: tuple[Any, ...]) -> Any:
        def moved(*some: Any) -> tuple[Any, ...]:
            rest = dict(zip(self.moving, some, strict=True))
            return tuple(self._outputs([rest.get(k, x) for k, x in enumerate(inputs)]))

        return torch.func.vjp(moved, *[inputs[k] for k in self.moving])[1](cotangents)

    def pulled_twice(self, stacked: Sequence[Array], cotangents: Array, us: Sequence[Array]) -> list[Array]:
        """What `second` gives at many points: by each moving input, and by the cotangent of the one output."""

        def one(inputs: Sequence[Any], ct: Any, many: tuple[Any, ...]) -> Any:
            def gradient(*some: Any) -> Any:
                rest = dict(zip(self.moving, some, strict=False))
                return self._pull_once([rest.get(k, x) for k, x in enumerate(inputs)], (some[-1],))

            return torch.func.vjp(gradient, *[inputs[k] for k in self.moving], ct)[1](many)

        with batching():
            given = [self._tensor(x) for x in stacked], self._tensor(cotangents), tuple(map(self._tensor, us))
            return [number(g) for g in torch.vmap(one)(*given)]

    def compiled_and_eager(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Answers, Answers]:
        """Values and then gradients, by `torch.compile` and without."""
        if self._compiled is None:
            torch.compiler.reset()  # what was compiled for others counts against PyTorch's limit of recompilations
            self._compiled = torch.compile(self.fn, backend=COMPILER, dynamic=False)
        plain, found = self.fn, []
        for call in (self._compiled, plain):
            tensors = self._leaves(inputs, self.moving)
            self.fn = call
            try:
                with torch._dynamo.config.patch(fail_on_recompile_limit_hit=True):  # else it goes on without compiling
                    outputs = self._outputs(tensors)
            except torch._dynamo.exc.TorchDynamoException as error:
                raise NotOffered(f"torch.compile refuses it: {first_line(error)}") from None
            finally:
                self.fn = plain
            gradients = self._pull(outputs, [tensors[k] for k in self.moving], cotangents)
            some = placed(inputs, self.moving, tensors, gradients)
            found.append((*(number(o) for o in outputs), *(g for g in some if g is not None)))
        return found[0], found[1]

    def mixed(self, inputs: Inputs, cotangent: Array, tangents: Sequence[Array]) -> tuple[Array, ...]:
        """The derivative of the vjp along tangents of the moving inputs and the cotangent: forward over reverse."""
        ad: Any = torch.autograd.forward_ad
        with ad.dual_level(), forward_mode():
            tensors = self._leaves(inputs, self.moving)
            for k, t in zip(self.moving, tangents, strict=False):
                tensors[k] = ad.make_dual(tensors[k], self._tensor(np.asarray(t, np.asarray(inputs[k]).dtype)))
            outputs = self._outputs(tensors)
            ct = ad.make_dual(self._tensor(cotangent), self._tensor(np.asarray(tangents[-1])))
            wrt = [tensors[k] for k in self.moving]
            found = torch.autograd.grad(outputs, wrt, [ct], allow_unused=True, create_graph=True)
            parts = [None if g is None else ad.unpack_dual(g).tangent for g in found]
            return tuple(number(torch.zeros_like(w) if t is None else t) for w, t in zip(wrt, parts, strict=True))


class Undefined(torch.autograd.Function):
    """Hands its inputs on, and gives None for their gradients."""

    @staticmethod
    def forward(_ctx: Any, *tensors: Any) -> Any:
        return tuple(t.clone() for t in tensors)

    @staticmethod
    def backward(_ctx: Any, *cotangents: Any) -> Any:
        return tuple(None for _ in cotangents)


def tensor(x: Array) -> Any:
    """A tensor over the same memory; a copy where PyTorch has no such layout (reversed views)."""
    if x.dtype == object:
        raise TypeError("PyTorch has no tensors of precise numbers")
    if min(x.strides, default=0) < 0 or not x.flags.writeable:
        return torch.from_numpy(np.array(x))
    return torch.from_numpy(x)


def number(t: Any) -> Array:
    """A tensor's numbers, in memory of their own, wherever it lies; those of a sparse one with its zeros."""
    dense = t.detach() if t.layout is STRIDED else t.detach().to_dense()
    return np.array(dense.resolve_conj().resolve_neg().cpu().numpy())


def on_device(device: str, tensor: Any) -> Any:
    """A copy on a device with the very same strides: all that lies between the numbers is copied too."""
    if not tensor.numel():
        return tensor.to(device, copy=True)
    span = 1 + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride(), strict=True))
    return tensor.as_strided((span,), (1,)).to(device, copy=True).as_strided(tensor.shape, tensor.stride())


def rows_of(tensors: Sequence[Any]) -> Array:
    """Tensors with the points first, side by side in rows."""
    return np.concatenate([number(t).reshape(len(t), -1) for t in tensors], axis=1)


def gradients_of(ends: Sequence[Any], wrt: Sequence[Any], cts: Sequence[Any], retain: bool = False) -> Sequence[Any]:
    """`torch.autograd.grad`; BadAnswer where PyTorch refuses the shape of what a Function's backward gives."""
    try:
        found: Sequence[Any] = torch.autograd.grad(ends, wrt, cts, allow_unused=True, retain_graph=retain)
    except RuntimeError as error:
        if "returned an invalid gradient" in str(error):
            raise BadAnswer(first_line(error)) from None
        raise
    return found


def placed(inputs: Inputs, live: Sequence[int], tensors: Sequence[Any], found: Sequence[Any]) -> Answers:
    """One gradient for each input: zeros for None, and None for those that were not asked for."""
    answers: list[Array | None] = [None] * len(inputs)
    for k, g in zip(live, found, strict=True):
        answers[k] = number(torch.zeros_like(tensors[k]) if g is None else g)
    return tuple(answers)


@contextmanager
def forward_mode() -> Iterator[None]:
    """PyTorch's own words for a missing forward rule, as NotOffered."""
    try:
        yield
    except NotImplementedError as error:  # PyTorch says so of a Function without jvp, and of its own operations
        if not any(word in str(error) for word in NO_FORWARD):
            raise
        raise NotOffered(first_line(error)) from None


@contextmanager
def batching() -> Iterator[None]:
    """PyTorch's own words for what `vmap` cannot do, as NotOffered."""
    try:
        yield
    except RuntimeError as error:
        if not any(word in str(error) for word in NO_BATCH):
            raise
        raise NotOffered(first_line(error)) from None


def first_line(error: Exception) -> str:
    """The first sentence of what a library says."""
    line = str(error).strip().partition("\n")[0]
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
