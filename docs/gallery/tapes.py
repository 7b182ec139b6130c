"""What only a tape can do wrong: detached paths, stale and overwritten memory, layouts, second order; and modules."""

from __future__ import annotations

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from docs.gallery.entries import NOTHING, Entry, Mistake
from gradcheck import Real


def layer(x, w):
    return torch.sin(x @ w)


def layer_truth(at, ct):
    """sin' = cos, number by number."""
    x, w, ct = at["x"], at["w"], np.asarray(ct)
    found = {"x": np.zeros_like(x), "w": np.zeros_like(w)}
    for k in range(w.shape[1]):
        s = ct[k] * np.cos(sum(x[j] * w[j, k] for j in range(x.size)))
        for j in range(x.size):
            found["x"][j] += s * w[j, k]
            found["w"][j, k] += s * x[j]
    return found


class Checkpoint(torch.autograd.Function):
    """Keeps the inputs only and computes again on the way back: Chen et al., "Sublinear memory cost" (2016)."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return layer(x, w)

    @staticmethod
    def again(x, w):
        return x.detach().requires_grad_(), w.detach().requires_grad_()

    @classmethod
    @once_differentiable
    def backward(cls, ctx, ct):
        x, w = cls.again(*ctx.saved_tensors)
        with torch.enable_grad():
            y = layer(x, w)
        return torch.autograd.grad(y, (x, w), ct, allow_unused=True, materialize_grads=True)


class CheckpointOneDetached(Checkpoint):
    @classmethod
    @once_differentiable
    def backward(cls, ctx, ct):
        x, w = cls.again(*ctx.saved_tensors)
        with torch.enable_grad():
            y = layer(x, w.detach())
        return torch.autograd.grad(y, (x, w), ct, allow_unused=True, materialize_grads=True)


class CheckpointOfTheLastCall(Checkpoint):
    """Keeps its inputs in the class, where the next call overwrites them before this one's backward pass."""

    @staticmethod
    def forward(ctx, x, w):
        CheckpointOfTheLastCall.kept = (x, w)
        return layer(x, w)

    @classmethod
    @once_differentiable
    def backward(cls, ctx, ct):
        x, w = cls.again(*cls.kept)
        with torch.enable_grad():
            y = layer(x, w)
        return torch.autograd.grad(y, (x, w), ct)


class Relu(torch.autograd.Function):
    """max(x, 0): the cotangent where x is positive."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, ct):
        (x,) = ctx.saved_tensors
        return torch.where(x > 0, ct, torch.zeros_like(ct))


class ReluInPlace(Relu):
    @staticmethod
    def backward(ctx, ct):
        (x,) = ctx.saved_tensors
        ct[x <= 0] = 0
        return ct


class ReluOverwritingItsInput(Relu):
    @staticmethod
    @once_differentiable
    def backward(ctx, ct):
        (x,) = ctx.saved_tensors
        return ct * x.sign_().clamp(min=0)


class ReluInMemoryOrder(Relu):
    """Reads the cotangent's memory as if it lay in one piece."""

    @staticmethod
    @once_differentiable
    def backward(ctx, ct):
        (x,) = ctx.saved_tensors
        return torch.as_strided(ct, ct.shape, torch.empty(ct.shape).stride()) * (x > 0)


class Cube(torch.autograd.Function):
    """x³ with the slope 3x², whose own slope is 6x."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, ct):
        (x,) = ctx.saved_tensors
        return ct * 3 * x**2


class CubeOnce(Cube):
    """Right at first order; its slope is a number to the tape, that does not move with x."""

    @staticmethod
    def backward(ctx, ct):
        (x,) = ctx.saved_tensors
        return ct * 3 * x.detach() ** 2


@torch.library.custom_op("gradcheck_gallery::swish", mutates_args=())
def swish(x: torch.Tensor) -> torch.Tensor:
    """x·s(x) with the logistic function s: Ramachandran et al., "Searching for activation functions" (2017)."""
    return x * torch.sigmoid(x)


@torch.library.custom_op("gradcheck_gallery::swish_of_output", mutates_args=())
def swish_of_output(x: torch.Tensor) -> torch.Tensor:
    """The same, registered with the wrong tensor saved."""
    return x * torch.sigmoid(x)


def swish_backward(ctx, ct):
    (x,) = ctx.saved_tensors
    s = torch.sigmoid(x)
    return ct * s * (1 + x * (1 - s))


swish.register_autograd(swish_backward, setup_context=lambda ctx, inputs, output: ctx.save_for_backward(inputs[0]))
swish_of_output.register_autograd(
    swish_backward, setup_context=lambda ctx, inputs, output: ctx.save_for_backward(output)
)


def swish_truth(at, ct):
    x = at["x"]
    return {"x": np.asarray(ct) * (1 + np.exp(-x) * (1 + x)) / (1 + np.exp(-x)) ** 2}


class WeightNorm(torch.nn.Module):
    """y = x·(g v/|v|): Salimans & Kingma, "Weight normalization" (2016), eq. 2; v moves its own length."""

    def __init__(self):
        super().__init__()
        self.v = torch.nn.Parameter(torch.tensor([0.6, -1.2]))
        self.g = torch.nn.Parameter(torch.tensor(1.5))

    def length(self):
        return self.v.norm()

    def forward(self, x):
        return x @ (self.g * self.v / self.length())


class WeightNormDetached(WeightNorm):
    def length(self):
        return self.v.detach().norm()


def weight_norm_truth(at, ct):
    v, g, ct = at["v"], at["g"], np.asarray(ct)
    r = np.sqrt(np.sum(v * v))
    pulled = at["x"].T @ ct
    return {
        "x": np.outer(ct, g * v / r),
        "g": pulled @ v / r,
        "v": g / r * (np.eye(2) - np.outer(v, v) / r**2) @ pulled,
    }


ENTRIES = (
    Entry(
        "checkpointing (torch)",
        "what is computed again must be computed from the same inputs, all of them on the tape",
        Checkpoint.apply,
        {"x": Real(2), "w": Real(2, 2)},
        layer_truth,
        (
            Mistake("one input detached the second time", CheckpointOneDetached.apply, "reverse", "w"),
            Mistake("inputs kept where another call overwrites them", CheckpointOfTheLastCall.apply, "repeat", "x"),
        ),
    ),
    Entry(
        "ReLU (torch)",
        "what is handed in is not the rule's own",
        Relu.apply,
        {"x": Real(2, 2)},
        lambda at, ct: {"x": np.where(at["x"] > 0, ct, 0.0)},
        (
            Mistake("the cotangent overwritten", ReluInPlace.apply, "mutation", "x", number=NOTHING),
            Mistake("the saved input overwritten", ReluOverwritingItsInput.apply, "mutation", "x", number=NOTHING),
            Mistake("the cotangent read in memory order", ReluInMemoryOrder.apply, "layout", "x"),
        ),
    ),
    Entry(
        "cube, twice (torch)",
        "a rule that is right once and detached the second time",
        Cube.apply,
        {"x": Real(2)},
        lambda at, ct: {"x": 6 * at["x"] * at["ct"] * np.asarray(ct)},
        (Mistake("the slope detached", CubeOnce.apply, "second", "x"),),
        {"order": 2},
    ),
    Entry(
        "swish, a library operation (torch.library)",
        "an operation with `register_autograd` is judged like any function",
        swish,
        {"x": Real(2)},
        swish_truth,
        (Mistake("the output saved, not the input", swish_of_output, "reverse", "x"),),
    ),
    Entry(
        "weight norm, a module (torch)",
        "a module's parameters are inputs too",
        WeightNorm(),
        {"x": Real(1, 2)},
        weight_norm_truth,
        (Mistake("the length detached", WeightNormDetached(), "reverse", "v"),),
    ),
)
