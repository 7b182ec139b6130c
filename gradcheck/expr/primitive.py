"""What does gradcheck know about one primitive function?

A primitive is one row of the vocabulary. Everything else (reverse mode, forward mode, batching, printing, the
PyTorch and JAX namespaces, the documentation table) is read off the row, so adding a function to the language is
adding a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Value = Any  # an array of any namespace: NumPy, an engine Tensor, error-carrying numbers, balls, torch, jax
Namespace = Any  # an object whose attributes are the primitives, by name
Params = Mapping[str, Any]
Slope = Callable[..., Value]  # slope(xp, y, *args) -> dy/darg, broadcastable to y


class Batching(Enum):
    """How a leading batch axis is carried through a primitive (see `gradcheck.expr.batch`)."""

    ELEMENTWISE = "elementwise"  # align ranks, then broadcast
    AXIS = "axis"  # parameter `axis` counted from the end; None means all axes of a point
    SHAPE = "shape"  # parameter `shape` gets the batch size in front
    INDEX = "index"  # parameter `index` gets a full slice in front
    AXES = "axes"  # parameter `axes` is a permutation of a point's axes
    TRAILING = "trailing"  # works on the last one or two axes and broadcasts the leading ones
    JOIN = "join"  # takes a sequence of arrays and an `axis` (concat, stack)
    NEW_AXIS = "new_axis"  # parameter `axis` names a new axis of the result (expand_dims)
    PICK = "pick"  # takes an array and the numbers of the elements to pick along parameter `axis`
    CONSTANT = "constant"  # takes no arrays (zeros, eye, arange): the same for every point


@dataclass(frozen=True, slots=True)
class Primitive:
    """One function of the vocabulary.

    A composition (`compose`) is a formula in other rows and gives no rule; `slopes` of `None` say that no derivative
    passes through any of its arguments.
    An elementwise primitive gives one slope per argument, from which both modes follow; `None` stands for an
    argument that no derivative passes through (a comparison's, `stop_gradient`'s); a function that is flat almost
    everywhere (`floor`, `sign`) has the constant slope 0.0. Any other primitive gives `vjp` and `jvp`, or `linear=True`
    and `vjp` alone (a linear map is its own jvp).

    Rules are written against a namespace `xp` and use only names of the vocabulary, so that the same row runs on
    float arrays, on engine tensors (which gives higher orders) and on numbers that carry error bars.
    Rules hold for complex numbers where a row is `analytic` or linear (transposes, without conjugation: see
    `gradcheck.engine.backward`). A row that is neither, but is defined there, gives its `wirtinger` pairs, or says
    `complex_rule`.
    Axis parameters reach rules and `numpy` counted from the end (negative), never `None`.

    vjp(xp, ct, y, args, params) -> one cotangent per array argument (None where there is none); where an argument was
        broadcast, the cotangent may keep the broadcast shape: the engine sums it back. A tuple of rules, one an
        argument, each giving one cotangent, is asked only for those that are wanted
    jvp(xp, y, args, tangents, params) -> the tangent of y; `tangents[i]` is None where argument i does not move
    """

    name: str
    arity: int | None  # number of array arguments; None: one sequence of arrays
    numpy: Callable[..., Any]  # numpy(*arrays, **params) on float64 arrays
    params: tuple[str, ...] = ()  # keyword parameters, in positional order, behind the arrays
    defaults: Mapping[str, Any] = field(default_factory=dict)  # defaults of those that have one
    batching: Batching = Batching.ELEMENTWISE
    slopes: tuple[Slope | float | None, ...] | None = None  # a plain number is a constant slope
    wirtinger: tuple[tuple[Slope | complex, Slope | complex], ...] | None = None  # by z and by conj(z), for complex z
    vjp: Callable[..., tuple[Value | None, ...]] | tuple[Callable[..., Value], ...] | None = None
    jvp: Callable[..., Value] | None = None
    linear: bool = False
    torch: str = ""  # dotted name in PyTorch where it is not `torch.<name>`
    jax: str = ""  # dotted name in JAX where it is not `jax.numpy.<name>`
    latex: str = ""  # template with {0}, {1}… for the arguments; empty: \operatorname{name}(…)
    domain: str = "real"  # where it is defined
    kinks: str = ""  # where it is continuous but not differentiable, in words or as a condition
    analytic: bool = False  # complex-analytic where real-differentiable
    complex_rule: bool = False  # not analytic, but vjp and jvp hold for complex numbers
    aliases: tuple[str, ...] = ()
    note: str = ""  # accuracy notes; the source of a formula
    compose: Callable[..., Any] | None = None  # formula(xp, *arrays, **params): see `gradcheck.expr.composition`
    short: str = ""  # what a node of the engine's graph is called, where it is not `name`

    @property
    def differentiable(self) -> bool:
        """Whether a derivative passes through (a comparison or `stop_gradient` lets none through)."""
        if self.slopes is not None:
            return any(slope is not None for slope in self.slopes)
        return self.vjp is not None or self.compose is not None

    @property
    def takes_complex(self) -> bool:
        """Whether it can be differentiated at complex numbers."""
        return self.analytic or self.linear or self.complex_rule or self.wirtinger is not None

    @property
    def label(self) -> str:
        """What a node of the engine's graph is called: `mul`, `mean`."""
        return self.short or self.name
