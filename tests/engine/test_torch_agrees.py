"""Do values and gradients agree with PyTorch's on a sample of the vocabulary?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.engine import grad
from gradcheck.expr.vocabulary import NUMPY

torch = pytest.importorskip("torch")

SAMPLE: dict[str, tuple[Any, Any]] = {
    "sin": (lambda xp, x: xp.sin(x), torch.sin),
    "tanh": (lambda xp, x: xp.tanh(x), torch.tanh),
    "erf": (lambda xp, x: xp.erf(x), torch.erf),
    "lgamma": (lambda xp, x: xp.gammaln(x), torch.lgamma),
    "log_ndtr": (lambda xp, x: xp.log_ndtr(x), torch.special.log_ndtr),
    "pow": (lambda xp, x: x**2.5, lambda x: x**2.5),
    "xlogy": (lambda xp, x: xp.xlogy(x, x), lambda x: torch.xlogy(x, x)),
    "max": (lambda xp, x: xp.max(x, axis=-1), lambda x: torch.amax(x, -1)),
    "var": (lambda xp, x: xp.var(x, axis=0, correction=1), lambda x: torch.var(x, 0)),
    "norm": (lambda xp, x: xp.norm(x, axis=-1), lambda x: torch.linalg.vector_norm(x, dim=-1)),
    "cumprod": (lambda xp, x: xp.cumulative_prod(x, axis=-1), lambda x: torch.cumprod(x, -1)),
    "softmax": (lambda xp, x: xp.softmax(x, axis=-1), lambda x: torch.softmax(x, -1)),
    "logsumexp": (lambda xp, x: xp.logsumexp(x, axis=-1), lambda x: torch.logsumexp(x, -1)),
    "matmul": (lambda xp, x: x @ x, lambda x: x @ x),
    "det": (lambda xp, x: xp.det(x), torch.linalg.det),
    "inv": (lambda xp, x: xp.inv(x), torch.linalg.inv),
    "index": (lambda xp, x: x[np.array([0, 0, 2])], lambda x: x[[0, 0, 2]]),
    "where": (lambda xp, x: xp.where(x > 1, x * x, 3 * x), lambda x: torch.where(x > 1, x * x, 3 * x)),
    "concat": (lambda xp, x: xp.concat([x, x * x], axis=0), lambda x: torch.cat([x, x * x])),
    "trace": (lambda xp, x: xp.trace(x) * x[0], lambda x: torch.trace(x) * x[0]),
}


@pytest.mark.parametrize("name", SAMPLE)
def test_value_and_gradient_are_pytorchs(name: str) -> None:
    ours, theirs = SAMPLE[name]
    start = np.random.default_rng(3).uniform(0.2, 2.0, (3, 3))
    weights = np.cos(np.arange(100.0))

    def weighted(xp: Any, x: Any) -> Any:
        y = ours(xp, x)
        return xp.sum(xp.reshape(y, shape=(-1,)) * weights[: int(np.prod(y.shape))])

    leaf = torch.tensor(start, requires_grad=True)
    y = theirs(leaf).reshape(-1)
    (y * torch.tensor(weights[: y.numel()])).sum().backward()
    (mine,) = grad(weighted, NUMPY, [start])
    assert np.allclose(mine, leaf.grad.numpy(), rtol=1e-12, atol=1e-12)
