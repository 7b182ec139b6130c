"""What do the worked examples print? Numbers that an author copied from elsewhere, with the digits they were given."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.oracles.evidence import Array, Measured
from gradcheck.oracles.inquiry import Inquiry, key
from gradcheck.spec.model import Example

EXACT = 2.0**-52  # a printed number without `decimals` is the nearest float64


def testify(inquiry: Inquiry, example: Example) -> dict[str, Measured]:
    """The example's numbers as answers to a case of that one point (cotangent: the example's, else ones)."""
    case = inquiry.case
    output = inquiry.spec.outputs[0]
    ct = case.cotangents[output][0]
    answers: dict[str, Measured] = {}
    for name, printed in example.expected.items():
        kind, _, of = name.partition(":")
        if kind == "value":
            pairs = printed if isinstance(printed, dict) else {output: printed}
            many = len(inquiry.spec.outputs) > 1
            for o, numbers in pairs.items():
                answers[f"value[{o}]" if many else "value"] = _numbers(numbers, example.decimals)
        else:
            quantity, measured = _derivative(inquiry, kind, of, _numbers(printed, example.decimals), ct)
            answers[quantity] = measured
    return answers


def _numbers(printed: Any, decimals: int | None) -> Measured:
    center = np.asarray(printed, dtype=float)[None]
    bar = np.full(center.shape, 0.5 * 10.0**-decimals) if decimals is not None else EXACT * np.abs(center)
    return Measured(center, bar)


def _derivative(inquiry: Inquiry, kind: str, of: str, printed: Measured, ct: Array) -> tuple[str, Measured]:
    """A printed derivative in the form in which claims answer: applied to the cotangent or the tangents."""
    if kind in ("gradient", "derivative"):
        return f"vjp:{of}", _times(printed, ct)
    if kind == "jacobian":
        rank = ct.ndim
        shape = (1, *printed.center.shape[1 + rank :])
        center = np.tensordot(ct, printed.center[0], axes=rank).reshape(shape)
        return f"vjp:{of}", Measured(center, np.tensordot(np.abs(ct), printed.bar[0], axes=rank).reshape(shape))
    if kind == "jvp":
        return key("jvp", of, inquiry.spec.outputs), printed
    if kind == "hessian":
        t = inquiry.case.tangents[of][0]
        center = np.tensordot(printed.center[0], t, axes=t.ndim)[None]
        bar = np.tensordot(printed.bar[0], np.abs(t), axes=t.ndim)[None]
        return f"hess:{of}", Measured(center * ct, bar * np.abs(ct))
    return f"{kind}:{of}", printed


def _times(printed: Measured, ct: Array) -> Measured:
    return Measured(printed.center * ct, printed.bar * np.abs(ct))
