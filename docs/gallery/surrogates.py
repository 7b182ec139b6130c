"""Gradients that are meant not to be the derivative: each says what is meant, and is held against that."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import torch

from docs.gallery.entries import Entry, Mistake
from gradcheck import Real


class Sign(torch.autograd.Function):
    """The straight-through estimator of the sign: its gradient is that of hardtanh.

    Hubara et al., "Binarized Neural Networks" (2016), eq. 4: g · 1{|x| ≤ 1}, the ends included.
    """

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sign(x)

    @staticmethod
    def backward(ctx, ct):
        (x,) = ctx.saved_tensors
        return ct * (x.abs() <= 1)


class SignOpenEnds(Sign):
    @staticmethod
    def backward(ctx, ct):
        (x,) = ctx.saved_tensors
        return ct * (x.abs() < 1)


class SignUnmasked(Sign):
    @staticmethod
    def backward(ctx, ct):
        return ct


class Reversal(torch.autograd.Function):
    """Forwards the identity, backwards −λ times it: Ganin & Lempitsky, "Domain-adversarial training" (2015), eq. 14."""

    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, ct):
        return -0.5 * ct


class ReversalWithoutStrength(Reversal):
    @staticmethod
    def backward(ctx, ct):
        return -ct


class Clipped(torch.autograd.Function):
    """Forwards 2x, backwards the cotangent clipped to [−1, 1] times 2: not linear in it, and meant so."""

    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @staticmethod
    def backward(ctx, ct):
        return 2 * ct.clamp(-1, 1)


class ClippedAfterwards(Clipped):
    @staticmethod
    def backward(ctx, ct):
        return (2 * ct).clamp(-1, 1)


def rounded(x):
    """Rounding with the identity's gradient, by the usual idiom: what is stopped moves nothing."""
    return x + jax.lax.stop_gradient(jnp.round(x) - x)


def rounded_with_the_wrong_half_stopped(x):
    return jax.lax.stop_gradient(x) + jnp.round(x) - x


def rounded_with_nothing_stopped(x):
    return x + (jnp.round(x) - x)


def quantised(x):
    """To steps of a quarter between −1 and 1, as weights of few bits are."""
    return np.clip(np.round(4 * x) / 4, -1, 1)


def quantised_rule(inputs, ct):
    """Through the rounding, not through the ends: Bengio, Léonard & Courville (2013)."""
    (x,) = inputs
    return (ct * (np.abs(x) <= 1),)


def quantised_rule_scaled(inputs, ct):
    (x,) = inputs
    return (ct * (np.abs(x) <= 1) / 4,)


ENTRIES = (
    Entry(
        "straight-through sign (torch)",
        "a surrogate is declared with `meant=`, and judged at its ends too",
        Sign.apply,
        {"x": Real(2)},
        lambda at, ct: {"x": np.where(np.abs(at["x"]) <= 1, ct, 0.0)},
        (
            Mistake("the ends left out", SignOpenEnds.apply, "stated", "x"),
            Mistake("no mask", SignUnmasked.apply, "stated", "x"),
        ),
        {"meant": "where(abs(x) <= 1, ct, 0)", "points": 20},
    ),
    Entry(
        "straight-through sign, undeclared (torch)",
        "without the word, a surrogate is a wrong derivative: a sign is flat",
        torch.sign,
        {"x": Real(2)},
        lambda at, ct: {"x": np.zeros(2)},
        (Mistake("a surrogate that nobody declared", Sign.apply, "reverse", "x"),),
    ),
    Entry(
        "straight-through rounding (jax)",
        "`stop_gradient` decides what moves; the values are the same either way",
        rounded,
        {"x": Real(2)},
        lambda at, ct: {"x": np.asarray(ct)},
        (
            Mistake("the wrong half stopped", rounded_with_the_wrong_half_stopped, "stated", "x"),
            Mistake("nothing stopped", rounded_with_nothing_stopped, "stated", "x"),
        ),
        {"meant": "ct"},
    ),
    Entry(
        "quantised weights (NumPy)",
        "beside a rule of NumPy's, `meant=` is what the rule is held against",
        (quantised, quantised_rule),
        {"x": Real(2)},
        lambda at, ct: {"x": np.where(np.abs(at["x"]) > 1, 0.0, ct)},
        (Mistake("scaled by the step", (quantised, quantised_rule_scaled), "stated", "x"),),
        {"meant": {"x": "where(abs(x) <= 1, ct, 0)"}},
    ),
    Entry(
        "gradient reversal (torch)",
        "a surrogate may point away from the derivative",
        Reversal.apply,
        {"x": Real(2)},
        lambda at, ct: {"x": -0.5 * np.asarray(ct)},
        (Mistake("the strength λ forgotten", ReversalWithoutStrength.apply, "stated", "x"),),
        {"meant": "-0.5*ct"},
    ),
    Entry(
        "clipped gradient (torch)",
        "what is meant need not be linear in the cotangent",
        Clipped.apply,
        {"x": Real(2)},
        lambda at, ct: {"x": 2 * np.clip(ct, -1, 1)},
        (Mistake("clipped after the chain rule", ClippedAfterwards.apply, "stated", "x"),),
        {"meant": "2*clip(ct, -1, 1)"},
    ),
    Entry(
        "clipped gradient, undeclared (torch)",
        "without the word, clipping shows at large cotangents",
        lambda x: 2 * x,
        {"x": Real(2)},
        lambda at, ct: {"x": 2 * np.asarray(ct)},
        (Mistake("a clip that nobody declared", Clipped.apply, "reverse", "x"),),
        {"backend": "torch"},
    ),
)
