"""Do the functions of networks read well in formulas: numbers for parameters, lists for labels, arrays for masks?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.expr import NUMPY, Batch, Batched, Control, parse_formula


def value(text: str, **env: Any) -> Any:
    return parse_formula(text, env.keys())(NUMPY, env, Control())


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("leaky_relu(-2, 0.1)", -0.2),
        ("leaky_relu(-2)", -0.02),
        ("hardtanh(5, min_val=-1, max_val=3)", 3),
        ("softshrink(2, lambd=0.25)", 1.75),
        ("gelu(0) + softsign(1)", 0.5),
    ],
)
def test_plain_numbers_keep_their_parameters(text: str, want: float) -> None:
    assert value(text) == pytest.approx(want, rel=1e-15)


def test_labels_are_a_list_or_an_input() -> None:
    z = np.array([[0.0, 0.0], [1.0, 1.0]])
    assert value("cross_entropy(z, [0, 1])", z=z) == pytest.approx(np.log(2))
    assert value("cross_entropy(z, y)", z=z, y=np.array([1.0, 0.0])) == pytest.approx(np.log(2))


def test_every_point_of_a_batch_has_its_own_labels_masks_and_weights() -> None:
    rng = np.random.default_rng(5)
    z, labels = rng.normal(size=(3, 2, 4)), rng.integers(0, 4, (3, 2)).astype(float)
    mask, weights = rng.integers(0, 2, (3, 2, 2)).astype(float), rng.normal(size=(3, 4))
    text = "cross_entropy(z, y) + sum(attention(z, z, z, mask=m)) + sum(layer_norm(z, weight=w)**2)"
    program = parse_formula(text, ("z", "y", "m", "w"))
    env = {"z": Batched(z), "y": Batched(labels), "m": Batched(mask), "w": Batched(weights)}
    together = program(Batch(NUMPY), env, Control()).data
    for k in range(3):
        alone = program(NUMPY, {"z": z[k], "y": labels[k], "m": mask[k], "w": weights[k]}, Control())
        assert together[k] == pytest.approx(float(alone), rel=1e-14)
    assert len(set(together.tolist())) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: NUMPY.glu(x[:, :3]), "must be even, got 3"),
        (lambda x: NUMPY.group_norm(x, 3), "4 channels make no 3 groups"),
        (lambda x: NUMPY.instance_norm(x), "needs an axis behind the channels"),
        (lambda x: NUMPY.batch_norm(x[0]), "examples and channels, got the shape \\(4,\\)"),
        (lambda x: NUMPY.conv1d(x, np.ones((2, 3, 2))), "do not fit 2 channels in 1 groups"),
        (lambda x: NUMPY.conv1d(x, np.ones((2, 2, 5))), "no window of 5 elements"),
        (lambda x: NUMPY.max_pool1d(x, size=2, padding=2), "at most half the window, got 2"),
        (lambda x: NUMPY.overlap_add(x, length=9), "have not 2 windows of 4"),
        (lambda x: NUMPY.overlap_add(x, length=9, axis=-1), "the last axis holds the windows' elements"),
        (lambda x: NUMPY.cross_entropy(x, [0, 4]), "labels of 4 classes are 0 to 3"),
        (lambda x: NUMPY.cross_entropy(x, [0, 0.5]), "labels of 4 classes are 0 to 3"),
        (lambda x: NUMPY.nll_loss(x, [0, 1, 2]), "should have the shape \\(2,\\), got \\(3,\\)"),
        (lambda x: NUMPY.mse_loss(x, x, reduction="avg"), "reduction is 'mean', 'sum' or 'none'"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(np.ones((2, 4)))
