"""How does PyTorch's tape behave? Its autograd, asked in the words of a behaviour's steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcheck.expr import VOCABULARY, Control, Program
from gradcheck.oracles.evidence import Array
from gradcheck.oracles.with_torch.library import torch
from gradcheck.oracles.with_torch.names import TorchNamespace, array
from gradcheck.oracles.with_torch.values import tensor
from gradcheck.spec.model import Step

NAMESPACE = TorchNamespace()
_COLLECTS = "torch::autograd::AccumulateGrad"  # a node that stands at a leaf and is no operation


class TorchTape:
    """PyTorch's autograd, for behaviours."""

    def lacks(self, steps: tuple[Step, ...]) -> str:
        return ""

    def leaf(self, numbers: Array, requires_grad: bool) -> torch.Tensor:
        return array(numbers).requires_grad_(requires_grad)

    def let(self, formula: Program, env: Mapping[str, torch.Tensor], recording: bool) -> torch.Tensor:
        with torch.set_grad_enabled(recording):
            return tensor(formula(NAMESPACE, env, Control()))

    def detach(self, value: torch.Tensor) -> torch.Tensor:
        return value.detach()

    def switch(self, value: torch.Tensor, requires_grad: bool) -> None:
        value.requires_grad_(requires_grad)

    def backward(self, value: torch.Tensor, gradient: Array | None, retain: bool | None, create: bool) -> None:
        torch.autograd.backward(value, None if gradient is None else array(gradient), retain, create)

    def zero_grad(self, value: torch.Tensor) -> None:
        value.grad = None

    def sgd(self, value: torch.Tensor, lr: float) -> None:
        torch.optim.SGD([value], lr=lr).step()

    def numbers(self, value: torch.Tensor) -> Array:
        return np.array(value.detach(), dtype=np.float64)

    def grad(self, value: torch.Tensor) -> Array | None:
        grad = value.grad
        return None if grad is None else self.numbers(grad)

    def requires_grad(self, value: torch.Tensor) -> bool:
        return value.requires_grad

    def is_leaf(self, value: torch.Tensor) -> bool:
        return value.is_leaf

    def node(self, value: torch.Tensor) -> str:
        return "none" if value.grad_fn is None else _operation(value.grad_fn)

    def nodes(self, value: torch.Tensor) -> list[str]:
        found, stack = set(), [value.grad_fn]
        while stack:
            node = stack.pop()
            if node is not None and node not in found and node.name() != _COLLECTS:
                found.add(node)
                stack += [parent for parent, _ in node.next_functions]
        return [_operation(node) for node in found]


def _operation(node: Any) -> str:
    """The name of the operation that a node undoes: `mul` for MulBackward0."""
    words = re.sub(r"(Backward)?\d*$", "", node.name().rpartition("::")[2])
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words).lower()
    row = next((r for r in VOCABULARY.values() if name == r.torch.rpartition("torch.")[2].replace(".", "_")), None)
    return row.name if row else name
