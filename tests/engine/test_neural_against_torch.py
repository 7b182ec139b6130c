"""Are the functions of networks PyTorch's, in value, gradient and second order, and would we notice if they were not?

Every function is asked at random points, by all of its arrays at once, weights and biases included; the second order is
the gradient of the gradient along a direction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gradcheck.engine import Reverse, vjp
from gradcheck.expr.vocabulary import NUMPY, VOCABULARY

torch = pytest.importorskip("torch")
F = torch.nn.functional

Function = Callable[..., Any]
LABELS = np.array([2, 0, 3, 1])
SEEN = np.tril(np.ones((4, 5))) > 0


@dataclass(frozen=True)
class Asked:
    """The same function in our words and in PyTorch's, and the shapes of its arrays."""

    ours: Function
    theirs: Function
    shapes: tuple[tuple[int, ...], ...]
    low: float = -3.0
    high: float = 3.0
    close: float = 1e-11
    twice: bool = True  # whether PyTorch has a second derivative


def same(name: str, other: str = "", **params: Any) -> Asked:
    """An elementwise function of one matrix that both call the same, or nearly."""
    return Asked(
        lambda xp, x: getattr(xp, name)(x, **params), lambda x: getattr(F, other or name)(x, **params), ((4, 6),)
    )


def loss(name: str, low: float = -3.0, high: float = 3.0, **params: Any) -> Asked:
    """A loss of two matrices."""
    return Asked(
        lambda xp, x, y: getattr(xp, name)(x, y, **params),
        lambda x, y: getattr(F, name)(x, y, **params),
        ((4, 3), (4, 3)),
        low,
        high,
    )


def conv(name: str, *shapes: tuple[int, ...], **params: Any) -> Asked:
    return Asked(
        lambda xp, x, w, b: getattr(xp, name)(x, w, b, **params),
        lambda x, w, b: getattr(F, name)(x, w, b, **params),
        shapes,
    )


def pool(name: str, shape: tuple[int, ...], size: Any, **params: Any) -> Asked:
    return Asked(
        lambda xp, x: getattr(xp, name)(x, size=size, **params),
        lambda x: getattr(F, name)(x, size, **params),
        (shape,),
    )


FUNCTIONS: dict[str, Asked] = {
    **{name: same(name) for name in "selu mish softsign relu6 tanhshrink silu softplus glu".split()},
    "leaky_relu": same("leaky_relu", negative_slope=0.2),
    "elu": same("elu", alpha=0.7),
    "celu": same("celu", alpha=2.0),
    "celu of 0.7": replace(same("celu", alpha=0.7), close=1e-7),  # PyTorch's 1/alpha has single precision
    "gelu": same("gelu"),
    "gelu_tanh": Asked(lambda xp, x: xp.gelu_tanh(x), lambda x: F.gelu(x, approximate="tanh"), ((4, 6),)),
    "hardtanh": same("hardtanh", min_val=-1.5, max_val=0.5),
    "hard_sigmoid": replace(same("hard_sigmoid", "hardsigmoid"), close=1e-7, twice=False),  # so has its 1/6
    "hard_swish": same("hard_swish", "hardswish"),
    "softshrink": same("softshrink", lambd=0.75),
    "hardshrink": same("hardshrink", lambd=0.75),
    "layer_norm": Asked(
        lambda xp, x, g, b: xp.layer_norm(x, g, b), lambda x, g, b: F.layer_norm(x, (5,), g, b), ((3, 5), (5,), (5,))
    ),
    "layer_norm of two axes": Asked(
        lambda xp, x: xp.layer_norm(x, axis=(1, 2), eps=0.1), lambda x: F.layer_norm(x, (3, 4), eps=0.1), ((2, 3, 4),)
    ),
    "rms_norm": Asked(
        lambda xp, x, g: xp.rms_norm(x, g), lambda x, g: F.rms_norm(x, (5,), g, eps=1e-5), ((3, 5), (5,))
    ),
    "batch_norm": Asked(
        lambda xp, x, g, b: xp.batch_norm(x, g, b),
        lambda x, g, b: F.batch_norm(x, None, None, g, b, training=True),
        ((4, 3, 2), (3,), (3,)),
    ),
    "group_norm": Asked(
        lambda xp, x, g, b: xp.group_norm(x, 2, g, b), lambda x, g, b: F.group_norm(x, 2, g, b), ((2, 4, 3), (4,), (4,))
    ),
    "instance_norm": Asked(
        lambda xp, x, g, b: xp.instance_norm(x, g, b),
        lambda x, g, b: F.instance_norm(x, None, None, g, b),
        ((2, 3, 4), (3,), (3,)),
    ),
    "conv1d": conv("conv1d", (2, 4, 9), (6, 4, 3), (6,)),
    "conv1d in groups": conv("conv1d", (4, 9), (6, 2, 3), (6,), stride=2, padding=2, dilation=2, groups=2),
    "conv2d": conv("conv2d", (2, 2, 5, 6), (3, 2, 2, 3), (3,)),
    "conv2d in groups": conv(
        "conv2d", (2, 4, 5, 6), (4, 2, 2, 3), (4,), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2
    ),
    "max_pool1d": pool("max_pool1d", (2, 3, 9), 3, stride=2, padding=1),
    "max_pool1d dilated": pool("max_pool1d", (3, 9), 3, stride=1, dilation=2),
    "max_pool2d": pool("max_pool2d", (2, 5, 6), (2, 3), stride=1, padding=(1, 0)),
    "avg_pool1d": pool("avg_pool1d", (2, 9), 3, stride=2, padding=1),
    "avg_pool2d": pool("avg_pool2d", (2, 5, 6), 2),
    "cross_entropy": loss("cross_entropy", 0.0, 1.0),
    "cross_entropy of labels": Asked(
        lambda xp, z: xp.cross_entropy(z, LABELS), lambda z: F.cross_entropy(z, torch.tensor(LABELS)), ((4, 5),)
    ),
    "cross_entropy, classes first": Asked(
        lambda xp, z: xp.cross_entropy(z, LABELS[None, :3] % 2, axis=1, reduction="none"),
        lambda z: F.cross_entropy(z, torch.tensor(LABELS[None, :3] % 2), reduction="none"),
        ((1, 2, 3),),
    ),
    "nll_loss": Asked(
        lambda xp, z: xp.nll_loss(z, LABELS, reduction="sum"),
        lambda z: F.nll_loss(z, torch.tensor(LABELS), reduction="sum"),
        ((4, 5),),
    ),
    # PyTorch's second derivative adds 1e-12 to p (1 - p)
    "binary_cross_entropy": replace(loss("binary_cross_entropy", 0.05, 0.95), close=1e-9),
    "binary_cross_entropy_with_logits": loss("binary_cross_entropy_with_logits", 0.0, 1.0),
    **{name: loss(name) for name in "mse_loss l1_loss huber_loss smooth_l1_loss".split()},
    "huber_loss summed": loss("huber_loss", delta=0.4, reduction="sum"),
    "smooth_l1_loss apart": loss("smooth_l1_loss", beta=0.4, reduction="none"),
    "kl_div": loss("kl_div", 0.1, 2.0, reduction="batchmean"),
    "kl_div of logarithms": loss("kl_div", log_target=True, reduction="sum"),
    "cosine_similarity": Asked(
        lambda xp, x, y: xp.cosine_similarity(x, y, axis=0),
        lambda x, y: F.cosine_similarity(x, y, dim=0),
        ((4, 3), (4, 3)),
    ),
    "linear": Asked(
        lambda xp, x, w, b: xp.linear(x, w, b), lambda x, w, b: F.linear(x, w, b), ((2, 4, 3), (5, 3), (5,))
    ),
    "embedding": Asked(
        lambda xp, w: xp.embedding(w, [[2, 0], [2, 2]]) ** 2,
        lambda w: F.embedding(torch.tensor([[2, 0], [2, 2]]), w) ** 2,
        ((4, 3),),
    ),
    "attention": Asked(
        lambda xp, q, k, v: xp.attention(q, k, v),
        F.scaled_dot_product_attention,
        ((2, 4, 3), (2, 5, 3), (2, 5, 2)),
    ),
    "attention, masked": Asked(
        lambda xp, q, k, v: xp.attention(q, k, v, mask=SEEN, scale=0.3),
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=torch.tensor(SEEN), scale=0.3),
        ((4, 3), (5, 3), (5, 2)),
    ),
    "attention, biased": Asked(
        lambda xp, q, k, v, b: xp.attention(q, k, v, bias=b),
        lambda q, k, v, b: F.scaled_dot_product_attention(q, k, v, attn_mask=b),
        ((4, 3), (5, 3), (5, 2), (4, 5)),
    ),
}

AT_KINKS: dict[str, tuple[Function, Function, list[float]]] = {
    name: (asked.ours, asked.theirs, points)
    for name, asked, points in (
        ("leaky_relu", FUNCTIONS["leaky_relu"], [0.0]),
        ("elu", FUNCTIONS["elu"], [0.0]),
        ("selu", FUNCTIONS["selu"], [0.0]),
        ("celu", FUNCTIONS["celu"], [0.0]),
        ("hardtanh", FUNCTIONS["hardtanh"], [-1.5, 0.5]),
        ("relu6", FUNCTIONS["relu6"], [0.0, 6.0]),
        ("hard_sigmoid", FUNCTIONS["hard_sigmoid"], [-3.0, 3.0]),
        ("hard_swish", FUNCTIONS["hard_swish"], [-3.0, 3.0]),
        ("softshrink", FUNCTIONS["softshrink"], [-0.75, 0.0, 0.75]),
        ("hardshrink", FUNCTIONS["hardshrink"], [-0.75, 0.75]),
        ("softsign", FUNCTIONS["softsign"], [0.0]),
    )
}


def of_ours(function: Function, arrays: list[Any], ct: Any, along: list[Any], base: Any = NUMPY) -> list[Any]:
    """Value, gradients, and the gradients of their sum along a direction."""

    def pulled(xp: Any, *x: Any) -> Any:
        parts = vjp(function, xp, x, ct)[1]
        products = [xp.sum(xp.multiply(p, t)) for p, t in zip(parts, along, strict=True)]
        return sum(products[1:], products[0])

    value, first = vjp(function, base, arrays, ct)
    _, second = vjp(pulled, base, arrays, np.ones(()))
    return [value, *first, *second]


def of_theirs(function: Function, arrays: list[Any], ct: Any, along: list[Any], twice: bool) -> list[Any]:
    leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    value = function(*leaves)
    first = torch.autograd.grad(value, leaves, torch.tensor(ct), create_graph=True, materialize_grads=True)
    total = sum((p * torch.tensor(t)).sum() for p, t in zip(first, along, strict=True))
    parts = [torch.zeros_like(leaf) for leaf in leaves]
    if twice and total.requires_grad:
        parts = torch.autograd.grad(total, leaves, materialize_grads=True)
    return [t.detach().numpy(force=True) for t in (value, *first, *(parts if twice else ()))]


def complaints(asked: Asked, base: Any = NUMPY, points: int = 3) -> list[str]:
    """Where the two differ, at some random points; an empty list where nowhere."""
    rng = np.random.default_rng(7)
    found = []
    for _ in range(points):
        arrays = [rng.uniform(asked.low, asked.high, shape) for shape in asked.shapes]
        along = [rng.uniform(-1, 1, shape) for shape in asked.shapes]
        ct = rng.uniform(-1, 1, np.shape(asked.ours(NUMPY, *arrays)))
        mine = of_ours(asked.ours, arrays, ct, along, base)
        other = of_theirs(asked.theirs, arrays, ct, along, asked.twice)
        for k, (a, b) in enumerate(zip(mine, other, strict=asked.twice)):
            if np.shape(a) != b.shape or np.any(np.abs(a - b) > asked.close * (1 + np.abs(b))):
                found.append(f"part {k}: {a} against {b}")
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_value_gradient_and_second_order_are_pytorchs(name: str) -> None:
    assert complaints(FUNCTIONS[name]) == []


@pytest.mark.parametrize("name", AT_KINKS)
def test_kinks_take_pytorchs_side(name: str) -> None:
    ours, theirs, points = AT_KINKS[name]
    ct = np.ones(len(points))
    value, (slope,) = vjp(ours, NUMPY, [np.array(points)], ct)
    leaf = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    result = theirs(leaf)
    result.sum().backward()
    assert value.tolist() == result.tolist()
    assert np.allclose(slope, leaf.grad.numpy(), rtol=FUNCTIONS[name].close, atol=0)


@pytest.mark.parametrize(
    ("name", "shape", "size", "params"),
    [
        ("max_pool1d", (2, 8), 3, {"stride": 1}),
        ("max_pool1d", (2, 8), 4, {"stride": 2, "padding": 2}),
        ("max_pool2d", (2, 4, 6), 2, {}),
        ("max_pool2d", (2, 4, 6), 3, {"stride": 1, "padding": 1}),
    ],
)
def test_of_equal_largest_elements_the_first_takes_the_slope(name: str, shape: Any, size: Any, params: Any) -> None:
    x = np.random.default_rng(3).integers(-2, 1, shape).astype(float)
    leaf = torch.tensor(x, requires_grad=True)
    y = getattr(F, name)(leaf, size, **params)
    ct = np.arange(1.0, y.numel() + 1).reshape(y.shape)
    y.backward(torch.tensor(ct))
    value, (slope,) = vjp(lambda xp, x: getattr(xp, name)(x, size=size, **params), NUMPY, [x], ct)
    assert value.tolist() == y.tolist()
    assert slope.tolist() == leaf.grad.tolist()
    shared = np.asarray(vjp(lambda xp, x: xp.max(x), NUMPY, [np.zeros(4)], np.ones(()))[1][0])
    assert shared.tolist() == [0.25] * 4  # the other convention is told apart


@pytest.mark.parametrize("name", FUNCTIONS)
def test_single_precision_stays_single(name: str) -> None:
    asked = FUNCTIONS[name]
    rng = np.random.default_rng(11)
    arrays = [rng.uniform(asked.low, asked.high, shape).astype(np.float32) for shape in asked.shapes]
    xp = Reverse(NUMPY)
    with np.errstate(all="ignore"):  # norm compares with thresholds past the range of single precision
        y = asked.ours(xp, *[xp.leaf(a) for a in arrays])
        _, pulled = vjp(asked.ours, NUMPY, arrays, np.ones(y.shape, np.float32))
    assert y.dtype == np.float32
    assert [part.dtype for part in pulled] == [np.float32] * len(arrays)


def lying(name: str, **lie: Any) -> Any:
    row = replace(VOCABULARY[name], **lie)
    return SimpleNamespace(**{**vars(NUMPY), "vocabulary": {**VOCABULARY, name: row}})


def test_a_fused_rule_without_its_last_term_is_caught() -> None:
    """The layer norm's most common bug: the variance is held constant on the way back."""

    def forgetful(xp: Any, ct: Any, y: Any, args: Any, params: Any) -> Any:
        spread = xp.sqrt(xp.add(xp.var(args[0], axis=-1, correction=0, keepdims=True), params["eps"]))
        return (xp.divide(xp.subtract(ct, xp.mean(ct, axis=-1, keepdims=True)), spread),)

    assert complaints(FUNCTIONS["layer_norm"], lying("standardize", vjp=forgetful))
    assert complaints(FUNCTIONS["layer_norm"], lying("standardize")) == []


def test_windows_put_back_one_place_too_far_are_caught() -> None:
    honest = VOCABULARY["sliding_windows"].vjp
    assert honest is not None

    def shifted(xp: Any, *args: Any) -> Any:
        return (xp.roll(honest(xp, *args)[0], shift=1, axis=-1),)

    assert complaints(FUNCTIONS["conv1d"], lying("sliding_windows", vjp=shifted))
    assert complaints(FUNCTIONS["avg_pool2d"], lying("sliding_windows", vjp=shifted))


def test_a_slope_a_millionth_too_steep_is_caught() -> None:
    slopes = VOCABULARY["sigmoid_cross_entropy"].slopes
    assert slopes is not None

    def steep(xp: Any, *args: Any) -> Any:
        return xp.multiply(1.000001, slopes[0](xp, *args))  # type: ignore[operator, misc]

    liar = lying("sigmoid_cross_entropy", slopes=(steep, slopes[1]))
    told = complaints(FUNCTIONS["binary_cross_entropy_with_logits"], liar)
    assert any("part 1" in line for line in told)
    assert not any("part 0" in line for line in told)
