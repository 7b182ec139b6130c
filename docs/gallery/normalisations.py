"""Norms and losses: means that the input moves too, broadcast parameters, fused kernels."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import torch

from docs.gallery.entries import Entry, Mistake
from gradcheck import Integer, Real

EPS = 0.1


class LayerNorm(torch.autograd.Function):
    """y = γ (x − μ)/σ + β over rows: Ba, Kiros & Hinton, "Layer normalization" (2016), eq. 4.

    dx = (ĉ − mean(ĉ) − x̂ mean(ĉ x̂))/σ with ĉ = γ ct: the mean and the deviation move with x.
    """

    through_the_mean = True

    @staticmethod
    def forward(ctx, x, gamma, beta):
        centred = x - x.mean(-1, keepdim=True)
        sigma = (centred.square().mean(-1, keepdim=True) + EPS).sqrt()
        ctx.save_for_backward(centred / sigma, sigma, gamma)
        return gamma * centred / sigma + beta

    @classmethod
    def backward(cls, ctx, ct):
        hat, sigma, gamma = ctx.saved_tensors
        c = ct * gamma
        mean = c.mean(-1, keepdim=True) if cls.through_the_mean else 0
        x = (c - mean - hat * (c * hat).mean(-1, keepdim=True)) / sigma
        return x, (ct * hat).sum(0), ct.sum(0)


class LayerNormMeanForgotten(LayerNorm):
    through_the_mean = False


class LayerNormAveraged(LayerNorm):
    @classmethod
    def backward(cls, ctx, ct):
        x, gamma, beta = super().backward(ctx, ct)
        return x, gamma / len(ct), beta / len(ct)


def layer_norm_truth(at, ct):
    """By the full Jacobian of x ↦ x̂, row by row: ∂x̂ᵢ/∂xⱼ = (δᵢⱼ − 1/n − x̂ᵢx̂ⱼ/n)/σ."""
    x, gamma, ct = at["x"], at["gamma"], np.asarray(ct)
    n = x.shape[1]
    rows, hats = [], []
    for row, c in zip(x, ct, strict=True):
        sigma = np.sqrt(np.mean((row - row.mean()) ** 2) + EPS)
        hat = (row - row.mean()) / sigma
        rows.append((np.eye(n) - 1 / n - np.outer(hat, hat) / n).T @ (gamma * c) / sigma)
        hats.append(hat)
    return {"x": np.array(rows), "gamma": np.sum(ct * np.array(hats), axis=0), "beta": ct.sum(axis=0)}


def rms_norm_with(share):
    """y = x/r with r² = mean(x²) + ε: Zhang & Sennrich, "Root mean square layer normalization" (2019).

    dx = ct/r − x (ct·x)/(n r³); `share` is the 1/n of the second term.
    """

    @jax.custom_vjp
    def rms_norm(x):
        return x / jnp.sqrt(jnp.mean(x * x) + EPS)

    def forward(x):
        r = jnp.sqrt(jnp.mean(x * x) + EPS)
        return x / r, (x, r)

    def backward(saved, ct):
        x, r = saved
        return (ct / r - share(x.size) * x * jnp.sum(ct * x) / r**3,)

    rms_norm.defvjp(forward, backward)
    return rms_norm


def rms_norm_truth(at, ct):
    """By the Jacobian: δᵢⱼ/r − xᵢxⱼ/(n r³)."""
    x = at["x"]
    r = np.sqrt(np.mean(x**2) + EPS)
    return {"x": (np.eye(x.size) / r - np.outer(x, x) / (x.size * r**3)) @ np.asarray(ct)}


class SoftmaxCrossEntropy(torch.autograd.Function):
    """Fused mean over rows of −log softmax(x)[label]: dx = ct (p − onehot)/rows. Bishop, PRML (2006), eq. 4.109."""

    @staticmethod
    def forward(ctx, x, label):
        logits = x - x.max(-1, keepdim=True).values
        log_p = logits - logits.exp().sum(-1, keepdim=True).log()
        ctx.save_for_backward(log_p.exp(), label)
        return -log_p[torch.arange(len(label)), label].mean()

    @staticmethod
    def difference(ctx):
        p, label = ctx.saved_tensors
        hot = torch.nn.functional.one_hot(label, p.shape[-1])
        return p - hot

    @classmethod
    def backward(cls, ctx, ct):
        g = cls.difference(ctx)
        return ct * g / len(g), None


class CrossEntropySummed(SoftmaxCrossEntropy):
    @classmethod
    def backward(cls, ctx, ct):
        return ct * cls.difference(ctx), None


class CrossEntropyCotangentForgotten(SoftmaxCrossEntropy):
    @classmethod
    def backward(cls, ctx, ct):
        g = cls.difference(ctx)
        return g / len(g), None


class CrossEntropyLabelForgotten(SoftmaxCrossEntropy):
    @classmethod
    def backward(cls, ctx, ct):
        p, _ = ctx.saved_tensors
        return ct * p / len(p), None


def cross_entropy_truth(at, ct):
    """One exponential over the sum of the others, number by number."""
    x, label = at["x"], at["label"]
    g = np.empty_like(x)
    for i, row in enumerate(x):
        for j in range(row.size):
            g[i, j] = (1 / np.exp(row - row[j]).sum() - (label[i] == j)) / len(x)
    return {"x": float(ct) * g}


def likelihood(mu, sigma):
    """Of y = 1.5 under a normal distribution, negative and without its constant: (y − μ)²/(2σ²) + log σ."""
    return (1.5 - mu) ** 2 / (2 * sigma**2) + np.log(sigma)


def likelihood_rule(inputs, ct):
    mu, sigma = inputs
    z = (1.5 - mu) / sigma
    return -ct * z / sigma, ct * (1 - z**2) / sigma


def likelihood_rule_without_the_logarithm(inputs, ct):
    mu, sigma = inputs
    z = (1.5 - mu) / sigma
    return -ct * z / sigma, -ct * z**2 / sigma


def cosine(x, y):
    """x·y/(|x||y|)."""
    return x @ y / np.sqrt((x @ x) * (y @ y))


def cosine_rule(inputs, ct):
    x, y = inputs
    lengths = np.sqrt((x @ x) * (y @ y))
    c = x @ y / lengths
    return ct * (y / lengths - c * x / (x @ x)), ct * (x / lengths - c * y / (y @ y))


def cosine_rule_lengths_held(inputs, ct):
    x, y = inputs
    lengths = np.sqrt((x @ x) * (y @ y))
    return ct * y / lengths, ct * x / lengths


def cosine_truth(at, ct):
    """The part of the other direction that is orthogonal to this one, over this one's length."""
    found = {}
    for name, other in (("x", "y"), ("y", "x")):
        a, b = at[name], at[other]
        u, v = a / np.linalg.norm(a), b / np.linalg.norm(b)
        found[name] = float(ct) * (np.eye(a.size) - np.outer(u, u)) @ v / np.linalg.norm(a)
    return found


ENTRIES = (
    Entry(
        "layer norm (torch)",
        "the mean moves with the input; parameters are summed over the rows they were spread over",
        LayerNorm.apply,
        {"x": Real(2, 2), "gamma": Real(2), "beta": Real(2)},
        layer_norm_truth,
        (
            Mistake("the term through the mean forgotten", LayerNormMeanForgotten.apply, "reverse", "x"),
            Mistake("γ and β averaged over the rows, not summed", LayerNormAveraged.apply, "reverse", "beta"),
        ),
    ),
    Entry(
        "RMS norm (jax)",
        "a custom_vjp is judged compiled, as it runs",
        rms_norm_with(lambda n: 1 / n),
        {"x": Real(3)},
        rms_norm_truth,
        (
            Mistake("1/n forgotten", rms_norm_with(lambda n: 1.0), "reverse", "x"),
            Mistake("the length held fixed", rms_norm_with(lambda n: 0.0), "reverse", "x"),
        ),
    ),
    Entry(
        "fused softmax and cross-entropy (torch)",
        "a fused backward still owes the factor of the mean, and its cotangent",
        SoftmaxCrossEntropy.apply,
        {"x": Real(2, 3), "label": Integer(2, high=2)},
        cross_entropy_truth,
        (
            Mistake("not divided by the rows", CrossEntropySummed.apply, "reverse", "x"),
            Mistake("the cotangent forgotten", CrossEntropyCotangentForgotten.apply, "reverse", "x"),
            Mistake("the label not subtracted", CrossEntropyLabelForgotten.apply, "reverse", "x"),
        ),
    ),
    Entry(
        "the same beside PyTorch's own (torch)",
        "`reference=`: the plain implementation says what the fused one must give",
        SoftmaxCrossEntropy.apply,
        {"x": Real(2, 3), "label": Integer(2, high=2)},
        cross_entropy_truth,
        (Mistake("not divided by the rows", CrossEntropySummed.apply, "reverse", "x"),),
        {"reference": torch.nn.functional.cross_entropy},
    ),
    Entry(
        "normal likelihood (NumPy)",
        "a parameter that stands in two places",
        (likelihood, likelihood_rule),
        {"mu": Real(low=-3, high=3), "sigma": Real(low=0.5, high=4)},
        lambda at, ct: {"mu": ct * (at["mu"] - 1.5) / at["sigma"] ** 2,
                        "sigma": ct * (at["sigma"] ** 2 - (1.5 - at["mu"]) ** 2) / at["sigma"] ** 3},
        (Mistake("log σ forgotten", (likelihood, likelihood_rule_without_the_logarithm), "reverse", "sigma"),),
    ),
    Entry(
        "cosine similarity (NumPy)",
        "lengths move with the vectors",
        (cosine, cosine_rule),
        {"x": Real(3, low=0.5, high=3), "y": Real(3, low=0.5, high=3)},
        cosine_truth,
        (Mistake("the lengths held fixed", (cosine, cosine_rule_lengths_held), "reverse", "x"),),
    ),
)  # fmt: skip
