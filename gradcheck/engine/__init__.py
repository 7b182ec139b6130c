"""How does gradcheck differentiate by itself?

Forward and reverse mode over the rows of the vocabulary, as namespaces (`Forward`, `Reverse`), as functions of
functions (`vjp`, `jvp`, `grad`, `jacobian`, `hessian`, `hvp`), and as eager tensors with PyTorch's meanings (`tensor`,
`no_grad`). Every function of the vocabulary is here by name for eager tensors: `engine.sin(t)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.engine.cotangents import adjoints, contributions
from gradcheck.engine.eager import EAGER, enable_grad, inference, is_grad_enabled, no_grad, tensor
from gradcheck.engine.forward import Dual, Forward
from gradcheck.engine.functional import grad, hessian, hvp, jacobian, jvp, vjp
from gradcheck.engine.graph import Edge, Graph, Node, graph_of
from gradcheck.engine.graph import dot as dot_source
from gradcheck.engine.operators import plain
from gradcheck.engine.program import Program, compiled, program_of
from gradcheck.engine.pull import unbroadcast
from gradcheck.engine.reverse import Reverse
from gradcheck.engine.tape import GradFn, Tensor
from gradcheck.expr.vocabulary import ALIASES, VOCABULARY

__all__ = [
    "EAGER",
    "Dual",
    "Edge",
    "Forward",
    "GradFn",
    "Graph",
    "Node",
    "Program",
    "Reverse",
    "Tensor",
    "adjoints",
    "compiled",
    "contributions",
    "dot_source",
    "enable_grad",
    "grad",
    "graph_of",
    "hessian",
    "hvp",
    "inference",
    "is_grad_enabled",
    "jacobian",
    "jvp",
    "no_grad",
    "plain",
    "program_of",
    "tensor",
    "unbroadcast",
    "vjp",
]


def __getattr__(name: str) -> Callable[..., Any]:
    """A function of the vocabulary, on eager tensors."""
    if ALIASES.get(name, name) not in VOCABULARY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function: Callable[..., Any] = getattr(EAGER, name)
    return function
