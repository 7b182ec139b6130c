"""What is differentiated? Functions written once against `xp`, with arguments of stated sizes.

Each `f(xp, *args)` returns one number; the gradient is wanted by its first `moving` arguments. The Gaussian mixture,
the long short-term memory and the bundle adjustment are after the problems of ADBench (Šrajer, Kukelova, Fitzgibbon:
A benchmark of selected algorithmic differentiation tools, 2018), written for whole arrays and down to one number; the
fourth is a block of a transformer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Problem:
    """A function, its arguments, and how many of them (from the first) the gradient is wanted by."""

    name: str
    size: str
    function: Callable[..., Any]
    arguments: list[Any]
    moving: int


def chain(xp: Any, x: Any) -> Any:
    """Six operations on an array, down to one number."""
    return xp.sum(xp.tanh(x * 1.5 + 0.25) * xp.sin(x))


def chain_of(n: int) -> Problem:
    return Problem("chain", f"{n:,}", chain, [np.random.default_rng(n).standard_normal(n)], 1)


def long_chain(xp: Any, x: Any, length: int) -> Any:
    """`length` operations, one behind the other, on a single number."""
    for _ in range(length // 2):
        x = xp.sin(x) * 1.01
    return x


def long_chain_of(length: int) -> Problem:
    return Problem("long chain", f"{length:,}", long_chain, [np.array(0.5), length], 1)


def six(xp: Any, x: Any) -> Any:
    """The chain, said in functions of the vocabulary (a batch's values have no operators)."""
    return xp.sum(xp.multiply(xp.tanh(xp.add(xp.multiply(x, 1.5), 0.25)), xp.sin(x)))


def valley(xp: Any, x: Any) -> Any:
    """Rosenbrock's function of n variables, said in functions of the vocabulary."""
    here, there = xp.getitem(x, index=slice(None, -1)), xp.getitem(x, index=slice(1, None))
    uphill = xp.square(xp.subtract(there, xp.square(here)))
    return xp.sum(xp.add(xp.multiply(100.0, uphill), xp.square(xp.subtract(1.0, here))))


def mixture(xp: Any, alphas: Any, means: Any, diagonals: Any, lower: Any, x: Any) -> Any:
    """The log-likelihood of points under a mixture of Gaussians, with the Wishart prior of ADBench (gamma 1, m 0).

    alphas [K], means [K, D]; the inverse square roots of the covariances are lower triangular: the logarithms of
    their diagonals [K, D], and matrices [K, D, D] of which the part below the diagonal counts; x [N, D].
    """
    below = xp.tril(lower, -1)
    widths = xp.exp(diagonals)
    centred = x[None, :, :] - means[:, None, :]
    scaled = centred * widths[:, None, :] + centred @ xp.permute_dims(below, (0, 2, 1))
    inner = (alphas + xp.sum(diagonals, axis=-1))[:, None] - 0.5 * xp.sum(scaled * scaled, axis=-1)
    prior = 0.5 * (xp.sum(widths * widths) + xp.sum(below * below))
    return xp.sum(xp.logsumexp(inner, axis=0)) - x.shape[0] * xp.logsumexp(alphas, axis=0) - prior


def mixture_of(points: int, dimensions: int, components: int) -> Problem:
    rng = np.random.default_rng(1)
    k, d = components, dimensions
    arguments = [
        rng.standard_normal(k), rng.random((k, d)), 0.1 * rng.standard_normal((k, d)),
        0.3 * rng.standard_normal((k, d, d)), rng.random((points, d)),
    ]  # fmt: skip
    return Problem("Gaussian mixture", f"N {points:,} D {d} K {k}", mixture, arguments, 4)


def recurrent(xp: Any, weights: Any, back: Any, bias: Any, readout: Any, sequence: Any, rest: Any) -> Any:
    """How badly a long short-term memory foretells the next input: mean cross-entropy over a sequence.

    weights [D, 4 H], back [H, 4 H], bias [4 H], readout [H, D]; sequence [T, B, D] of one-hot inputs;
    rest [B, H] is the state and the cell at the start.
    """
    h = readout.shape[0]
    state, cell, loss = rest, rest, 0.0
    for t in range(sequence.shape[0] - 1):
        gates = sequence[t] @ weights + state @ back + bias
        opened = xp.expit(gates[:, : 3 * h])
        cell = opened[:, h : 2 * h] * cell + opened[:, :h] * xp.tanh(gates[:, 3 * h :])
        state = opened[:, 2 * h :] * xp.tanh(cell)
        scores = state @ readout
        loss = loss + xp.sum(xp.logsumexp(scores, axis=-1)) - xp.sum(scores * sequence[t + 1])
    return loss / (sequence.shape[1] * (sequence.shape[0] - 1))


def recurrent_of(steps: int, batch: int, inputs: int, hidden: int) -> Problem:
    rng = np.random.default_rng(2)
    d, h = inputs, hidden
    arguments = [
        rng.standard_normal((d, 4 * h)) / sqrt(d), rng.standard_normal((h, 4 * h)) / sqrt(h),
        0.1 * rng.standard_normal(4 * h), rng.standard_normal((h, d)) / sqrt(h),
        np.eye(d)[rng.integers(0, d, (steps + 1, batch))], np.zeros((batch, h)),
    ]  # fmt: skip
    return Problem("LSTM", f"T {steps} B {batch} D {d} H {h}", recurrent, arguments, 4)


def bundle(xp: Any, cameras: Any, points: Any, weights: Any, features: Any, camera: Any, point: Any) -> Any:
    """The squared reprojection errors of points seen by cameras, and the weights' own errors, summed up.

    cameras [C, 11]: rotation vector, centre, focal length, principal point, two coefficients of radial distortion;
    points [P, 3], weights [O], features [O, 2]; camera and point say what observation each belongs to.
    """
    seen = cameras[camera]
    rotation = seen[:, :3]
    moved = points[point] - seen[:, 3:6]
    angle = xp.sqrt(xp.sum(rotation * rotation, axis=-1, keepdims=True))
    axis = rotation / angle
    cosine = xp.cos(angle)
    a, b, c = axis[:, 0], axis[:, 1], axis[:, 2]
    x, y, z = moved[:, 0], moved[:, 1], moved[:, 2]
    cross = xp.stack([b * z - c * y, c * x - a * z, a * y - b * x], axis=-1)
    along = xp.sum(axis * moved, axis=-1, keepdims=True)
    turned = moved * cosine + cross * xp.sin(angle) + axis * (along * (1.0 - cosine))
    flat = turned[:, :2] / turned[:, 2:]
    radius = xp.sum(flat * flat, axis=-1, keepdims=True)
    lens = 1.0 + radius * (seen[:, 9:10] + radius * seen[:, 10:])
    errors = weights[:, None] * (flat * lens * seen[:, 6:7] + seen[:, 7:9] - features)
    doubt = 1.0 - weights * weights
    return xp.sum(errors * errors) + xp.sum(doubt * doubt)


def bundle_of(cameras: int, points: int, observations: int) -> Problem:
    rng = np.random.default_rng(3)
    intrinsic = np.array([0, 0, 0, 0, 0, 8.0, 1.0, 0, 0, 0.1, 0.01])
    arguments = [
        intrinsic + 0.1 * rng.standard_normal((cameras, 11)), rng.random((points, 3)),
        1 + 0.1 * rng.random(observations), rng.standard_normal((observations, 2)),
        rng.integers(0, cameras, observations), rng.integers(0, points, observations),
    ]  # fmt: skip
    return Problem("bundle adjustment", f"C {cameras} P {points:,} O {observations:,}", bundle, arguments, 3)


def attention(
    xp: Any, qkv: Any, out: Any, up: Any, down: Any, gains: Any, shifts: Any, x: Any, aim: Any, heads: int
) -> Any:
    """One block of a transformer (norms first, exact GELU), and its mean squared distance from an aim.

    qkv [D, 3 D], out [D, D], up [D, 4 D], down [4 D, D], gains and shifts [2, D]; x and aim [B, T, D].
    """
    batch, steps, d = x.shape
    mixed = xp.reshape(norm(xp, x, gains[0], shifts[0]) @ qkv, (batch, steps, 3, heads, d // heads))
    mixed = xp.permute_dims(mixed, (2, 0, 3, 1, 4))
    queries, keys, values = mixed[0], mixed[1], mixed[2]
    scores = queries @ xp.permute_dims(keys, (0, 1, 3, 2)) / sqrt(d // heads)
    attended = xp.permute_dims(xp.softmax(scores, axis=-1) @ values, (0, 2, 1, 3))
    x = x + xp.reshape(attended, (batch, steps, d)) @ out
    wide = norm(xp, x, gains[1], shifts[1]) @ up
    x = x + (0.5 * wide * (1.0 + xp.erf(wide / sqrt(2.0)))) @ down
    return xp.mean((x - aim) * (x - aim))


def norm(xp: Any, x: Any, gain: Any, shift: Any) -> Any:
    """Each row with mean 0 and variance 1, then scaled and shifted."""
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    return centred / xp.sqrt(xp.mean(centred * centred, axis=-1, keepdims=True) + 1e-5) * gain + shift


def attention_of(batch: int, steps: int, width: int, heads: int) -> Problem:
    rng = np.random.default_rng(4)
    b, t, d = batch, steps, width
    arguments = [
        rng.standard_normal((d, 3 * d)) / sqrt(d), rng.standard_normal((d, d)) / sqrt(d),
        rng.standard_normal((d, 4 * d)) / sqrt(d), rng.standard_normal((4 * d, d)) / sqrt(4 * d),
        1 + 0.1 * rng.standard_normal((2, d)), 0.1 * rng.standard_normal((2, d)), rng.standard_normal((b, t, d)),
        rng.standard_normal((b, t, d)), heads,
    ]  # fmt: skip
    return Problem("attention block", f"B {b} T {t} D {d} H {heads}", attention, arguments, 6)


def problems(quick: bool) -> list[Problem]:
    """The four real objectives: tiny ones to see that all agree, else a small and a medium size of each."""
    if quick:
        return [mixture_of(50, 3, 4), recurrent_of(3, 2, 5, 8), bundle_of(3, 20, 60), attention_of(2, 6, 8, 2)]
    return [
        mixture_of(1_000, 2, 5), mixture_of(1_000, 10, 25),
        recurrent_of(20, 1, 32, 64), recurrent_of(20, 16, 64, 128),
        bundle_of(21, 1_000, 5_000), bundle_of(49, 7_776, 31_843),
        attention_of(1, 32, 64, 4), attention_of(4, 64, 128, 8),
    ]  # fmt: skip
