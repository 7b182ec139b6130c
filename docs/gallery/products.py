"""Products of arrays: attention, batches of matrices, convolutions, running sums."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import torch

from docs.gallery.entries import NOTHING, Entry, Mistake
from gradcheck import Real


class Attention(torch.autograd.Function):
    """softmax(q kᵀ/√d) v: Vaswani et al., "Attention is all you need" (2017), eq. 1.

    With p the weights: dv = pᵀ ct, ds = p ⊙ (ct vᵀ − rowsum(ct vᵀ ⊙ p)), dq = ds k/√d, dk = dsᵀ q/√d.
    """

    @staticmethod
    def forward(ctx, q, k, v):
        p = torch.softmax(q @ k.T / q.shape[-1] ** 0.5, -1)
        ctx.save_for_backward(q, k, v, p)
        return p @ v

    @staticmethod
    def scores(p, weighted):
        return p * (weighted - (weighted * p).sum(-1, keepdim=True))

    @staticmethod
    def scales(d):
        return d**-0.5, d**-0.5

    @classmethod
    def backward(cls, ctx, ct):
        q, k, v, p = ctx.saved_tensors
        s = cls.scores(p, ct @ v.T)
        for_q, for_k = cls.scales(q.shape[-1])
        return for_q * s @ k, for_k * s.T @ q, p.T @ ct


class AttentionKeysUnscaled(Attention):
    @staticmethod
    def scales(d):
        return d**-0.5, 1.0


class AttentionSummedOverColumns(Attention):
    @staticmethod
    def scores(p, weighted):
        return p * (weighted - (weighted * p).sum(0, keepdim=True))


def attention_truth(at, ct):
    """Row by row, with the Jacobian diag(p) − ppᵀ of the softmax written out."""
    q, k, v, ct = at["q"], at["k"], at["v"], np.asarray(ct)
    found = {name: np.zeros_like(at[name]) for name in "qkv"}
    for row, c, i in zip(q, ct, range(len(q)), strict=True):
        e = np.exp(k @ row / np.sqrt(row.size))
        p = e / e.sum()
        s = (np.diag(p) - np.outer(p, p)) @ (v @ c) / np.sqrt(row.size)
        found["q"][i] = k.T @ s
        found["k"] += np.outer(s, row)
        found["v"] += np.outer(p, c)
    return found


def product(a, b):
    """A batch of matrices times one matrix."""
    return a @ b


def product_rule(inputs, ct):
    """C = AB: dA = ct Bᵀ, dB = Aᵀ ct, summed over the batch that B was spread over."""
    a, b = inputs
    return ct @ b.T, np.einsum("bij,bik->jk", a, ct)


def product_rule_unreduced(inputs, ct):
    a, b = inputs
    return ct @ b.T, np.swapaxes(a, 1, 2) @ ct


def product_rule_untransposed(inputs, ct):
    a, b = inputs
    return ct @ b, np.einsum("bij,bik->jk", a, ct)


def product_truth(at, ct):
    """Index by index: ∂Cᵇᵢₖ/∂Aᵇᵢⱼ = Bⱼₖ."""
    a, b, ct = at["a"], at["b"], np.asarray(ct)
    found = {"a": np.zeros_like(a), "b": np.zeros_like(b)}
    for n, i, j, k in np.ndindex(*a.shape, b.shape[1]):
        found["a"][n, i, j] += ct[n, i, k] * b[j, k]
        found["b"][j, k] += ct[n, i, k] * a[n, i, j]
    return found


def correlate(x, w):
    """yᵢ = Σⱼ w[j] x[i + j]: what neural networks call a convolution."""
    return np.convolve(x, w[::-1], "valid")


def correlate_rule(inputs, ct):
    """dx = full convolution of ct with w, dw = correlation of x with ct: the kernel is flipped once, not twice."""
    x, w = inputs
    return np.convolve(ct, w, "full"), np.convolve(x, ct[::-1], "valid")


def correlate_rule_flipped(inputs, ct):
    x, w = inputs
    return np.convolve(ct, w[::-1], "full"), np.convolve(x, ct[::-1], "valid")


def correlate_truth(at, ct):
    x, w = at["x"], at["w"]
    found = {"x": np.zeros_like(x), "w": np.zeros_like(w)}
    for i, c in enumerate(ct):
        for j in range(w.size):
            found["x"][i + j] += c * w[j]
            found["w"][j] += c * x[i + j]
    return found


def running_sum_with(adjoint):
    """yᵢ = Σ_{j ≤ i} xⱼ, whose adjoint sums from the other end."""

    @jax.custom_vjp
    def running_sum(x):
        return jnp.cumsum(x)

    running_sum.defvjp(lambda x: (jnp.cumsum(x), None), lambda _, ct: (adjoint(ct),))
    return running_sum


def running_product(x):
    """yᵢ = Π_{j ≤ i} xⱼ."""
    return np.cumprod(x)


def running_product_rule(inputs, ct):
    """∂yᵢ/∂xₖ = Π_{j ≤ i, j ≠ k} xⱼ for k ≤ i, with no division: zeros are numbers too."""
    (x,) = inputs
    g = np.zeros_like(x)
    for k in range(x.size):
        g[k] = ct[k:] @ np.cumprod(np.where(np.arange(x.size) == k, 1.0, x))[k:]
    return (g,)


def running_product_rule_by_division(inputs, ct):
    (x,) = inputs
    return (np.cumsum((ct * np.cumprod(x))[::-1])[::-1] / x,)


def running_product_truth(at, ct):
    x = at["x"]
    pick = [[np.prod(np.delete(x[: i + 1], k)) if k <= i else 0.0 for k in range(x.size)] for i in range(x.size)]
    return {"x": np.asarray(ct) @ np.array(pick)}


ENTRIES = (
    Entry(
        "attention (torch)",
        "three inputs, two softmax axes, one scale that both products owe",
        Attention.apply,
        {"q": Real(2, 2), "k": Real(2, 2), "v": Real(2, 1)},
        attention_truth,
        (
            Mistake("1/√d forgotten for the keys", AttentionKeysUnscaled.apply, "reverse", "k"),
            Mistake("the softmax's sum over the wrong axis", AttentionSummedOverColumns.apply, "reverse", "q"),
        ),
    ),
    Entry(
        "a batch times one matrix (NumPy)",
        "what was spread over a batch is summed over it; transposes of square matrices have no shape to give them away",
        (product, product_rule),
        {"a": Real(2, 2, 2), "b": Real(2, 2)},
        product_truth,
        (
            Mistake("not summed over the batch", (product, product_rule_unreduced), "shape", "b", number=NOTHING),
            Mistake("not transposed", (product, product_rule_untransposed), "reverse", "a"),
        ),
    ),
    Entry(
        "convolution (NumPy)",
        "a kernel is flipped in one direction only",
        (correlate, correlate_rule),
        {"x": Real(4), "w": Real(2)},
        correlate_truth,
        (Mistake("the kernel flipped twice", (correlate, correlate_rule_flipped), "reverse", "x"),),
    ),
    Entry(
        "running sum (jax)",
        "the adjoint of a sum from the left is a sum from the right",
        running_sum_with(lambda ct: jnp.cumsum(ct[::-1])[::-1]),
        {"x": Real(3)},
        lambda at, ct: {"x": np.triu(np.ones((3, 3))) @ np.asarray(ct)},
        (Mistake("summed from the left", running_sum_with(jnp.cumsum), "reverse", "x"),),
    ),
    Entry(
        "running product (NumPy)",
        "dividing by the input is right until the input is zero",
        (running_product, running_product_rule),
        {"x": Real(3)},
        running_product_truth,
        (Mistake("divided by the input", (running_product, running_product_rule_by_division), "nonfinite", "x"),),
        {"points": 12},
    ),
)
