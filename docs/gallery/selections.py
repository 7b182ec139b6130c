"""Picking numbers out, and pieces that meet: gathering, sorting, the largest, kinks, lengths."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import torch

from docs.gallery.entries import Entry, Mistake
from gradcheck import Integer, Real


class Gather(torch.autograd.Function):
    """Rows of a table: each cotangent is added to the row that it came from, however often that was taken."""

    @staticmethod
    def forward(ctx, table, rows):
        ctx.save_for_backward(rows)
        ctx.shape = table.shape
        return table[rows]

    @staticmethod
    def backward(ctx, ct):
        (rows,) = ctx.saved_tensors
        return torch.zeros(ctx.shape, dtype=ct.dtype).index_add_(0, rows, ct), None


class GatherOverwriting(Gather):
    @staticmethod
    def backward(ctx, ct):
        (rows,) = ctx.saved_tensors
        g = torch.zeros(ctx.shape, dtype=ct.dtype)
        g[rows] = ct
        return g, None


def gather_truth(at, ct):
    return {"table": [[sum(c[j] for c, row in zip(ct, at["rows"], strict=True) if row == i) for j in range(2)]
                      for i in range(3)]}  # fmt: skip


def sort_rule(inputs, ct):
    """y = x[order], so the vjp puts ct back where its number came from."""
    (x,) = inputs
    g = np.empty_like(x)
    g[np.argsort(x, kind="stable")] = ct
    return (g,)


def sort_rule_permuted_again(inputs, ct):
    (x,) = inputs
    return (ct[np.argsort(x, kind="stable")],)


def sort_truth(at, ct):
    """Each number's rank: how many are smaller (no two are equal where a finding is shown, or it says so)."""
    x = at["x"]
    return {"x": [ct[int(np.sum(x < v) + np.sum(x[:i] == v))] for i, v in enumerate(x)]}


class Largest(torch.autograd.Function):
    """The largest number; equal ones share the cotangent, in any shares."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.max()

    @staticmethod
    def backward(ctx, ct):
        (x,) = ctx.saved_tensors
        top = (x == x.max()).to(x.dtype)
        return ct * top / top.sum()


class LargestCountedTwice(Largest):
    @staticmethod
    def backward(ctx, ct):
        (x,) = ctx.saved_tensors
        return ct * (x == x.max())


def softplus_with(slope):
    """log(1 + eˣ), written so that it does not overflow; its slope is 1/(1 + e⁻ˣ)."""

    @jax.custom_jvp
    def softplus(x):
        return jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x)))

    softplus.defjvp(lambda at, along: (softplus(*at), slope(at[0]) * along[0]))
    return softplus


def softplus_truth(at, ct):
    x = at["x"]
    e = np.exp(-np.abs(x))
    return {"x": np.asarray(ct) * np.where(x > 0, 1.0, e) / (1 + e)}


def hard_swish_with(middle):
    """x·relu6(x + 3)/6: Howard et al., "Searching for MobileNetV3" (2019). Slope x/3 + 1/2 between the kinks at ±3."""

    @jax.custom_jvp
    def hard_swish(x):
        return x * jnp.clip(x + 3, 0, 6) / 6

    def rule(at, along):
        (x,) = at
        return hard_swish(x), jnp.where(x <= -3, 0.0, jnp.where(x >= 3, 1.0, middle(x))) * along[0]

    hard_swish.defjvp(rule)
    return hard_swish


def hard_swish_truth(at, ct):
    x = at["x"]
    return {"x": np.asarray(ct) * np.where(x <= -3, 0.0, np.where(x >= 3, 1.0, (2 * x + 3) / 6))}


def length(x):
    return np.sqrt(np.sum(x * x))


def length_rule(inputs, ct):
    """x/|x|; at the origin zero, one of the slopes that meet there."""
    (x,) = inputs
    r = length(x)
    return (ct * (x / r if r > 0 else np.zeros_like(x)),)


def length_rule_guarded(inputs, ct):
    (x,) = inputs
    return (ct * x / (length(x) + 1e-6),)


def modulus(re, im):
    """|z| of z = re + i·im."""
    return np.hypot(re, im)


def modulus_rule(inputs, ct):
    re, im = inputs
    r = np.hypot(re, im)
    safe = np.where(r > 0, r, 1.0)
    return ct * re / safe, ct * im / safe


def modulus_rule_conjugated(inputs, ct):
    re, im = modulus_rule(inputs, ct)
    return re, -im


def modulus_truth(at, ct):
    angle = np.arctan2(at["im"], at["re"])
    return {"re": np.asarray(ct) * np.cos(angle), "im": np.asarray(ct) * np.sin(angle)}


ENTRIES = (
    Entry(
        "sparse gather (torch)",
        "a row that was taken twice gets both cotangents",
        Gather.apply,
        {"table": Real(3, 2), "rows": Integer(4, high=2)},
        gather_truth,
        (Mistake("the last cotangent wins", GatherOverwriting.apply, "reverse", "table"),),
    ),
    Entry(
        "sort (NumPy)",
        "the adjoint of a permutation is its inverse; for two numbers nobody would notice",
        (lambda x: np.sort(x), sort_rule),
        {"x": Real(3)},
        sort_truth,
        (Mistake("permuted again, not back", (lambda x: np.sort(x), sort_rule_permuted_again), "reverse", "x"),),
    ),
    Entry(
        "largest number (torch)",
        "at ties any share is right, but not twice the whole",
        Largest.apply,
        {"x": Real(2)},
        lambda at, ct: {"x": ct * (at["x"] == at["x"].max()) / np.sum(at["x"] == at["x"].max())},
        (Mistake("each of equal numbers gets all", LargestCountedTwice.apply, "kinks", "x", number=lambda at, ct: ct),),
    ),
    Entry(
        "softplus (jax)",
        "a slope that overflows where the function does not",
        softplus_with(lambda x: jax.nn.sigmoid(x)),
        {"x": Real(1)},
        softplus_truth,
        (Mistake("eˣ/(1 + eˣ)", softplus_with(lambda x: jnp.exp(x) / (1 + jnp.exp(x))), "nonfinite", "x"),),
        {"points": 32},
    ),
    Entry(
        "hard swish (jax)",
        "three pieces, each with its own slope; at the kinks either side is right",
        hard_swish_with(lambda x: x / 3 + 0.5),
        {"x": Real(1)},
        hard_swish_truth,
        (Mistake("x/6 + 1/2 in the middle", hard_swish_with(lambda x: x / 6 + 0.5), "reverse", "x"),),
    ),
    Entry(
        "length (NumPy)",
        "a guard against dividing by zero that bends every other slope",
        (length, length_rule),
        {"x": Real(2)},
        lambda at, ct: {"x": ct * at["x"] / np.linalg.norm(at["x"])},
        (Mistake("|x| + 10⁻⁶ in the denominator", (length, length_rule_guarded), "reverse", "x"),),
    ),
    Entry(
        "complex modulus, as a real pair (NumPy)",
        "the sign of the imaginary part",
        (modulus, modulus_rule),
        {"re": Real(2), "im": Real(2)},
        modulus_truth,
        (Mistake("the conjugate's gradient", (modulus, modulus_rule_conjugated), "reverse", "im"),),
    ),
)
