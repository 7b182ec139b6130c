"""What does an author claim? Frozen values, with the place in the file each came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from gradcheck.expr import Program


class ClaimKind(Enum):
    """What kind of derivative a claim states."""

    GRADIENT = "gradient"  # of a scalar output
    DERIVATIVE = "derivative"  # elementwise: the Jacobian's diagonal
    JACOBIAN = "jacobian"  # shape: output's + input's
    VJP = "vjp"  # in the cotangent `ct` (several outputs: `ct_<name>`)
    JVP = "jvp"  # in the tangents `t_<input>`
    HESSIAN = "hessian"  # of a scalar output, shape: input's + input's
    HVP = "hvp"  # of a scalar output, in the tangents `t_<input>`


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written: 1-based line and column."""

    file: str
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Domain:
    """Where an input may lie: a box (elementwise), a structure, and a predicate over all inputs.

    kind: "real" (a box), "integer", "boolean", or a structure: "simplex", "sphere", "orthogonal", "symmetric",
    "spd", "triangular", "sorted", "permutation", "probability".
    log: its numbers are spread by their logarithms. condition: of an "spd" matrix, at most (0: as it comes).
    below: the dimension whose size an integer stays below; `at` puts the end in.
    """

    kind: str = "real"
    low: float = float("-inf")
    high: float = float("inf")
    low_open: bool = True
    high_open: bool = True
    predicate: Program | None = None
    text: str = "real"
    log: bool = False
    condition: float = 0.0
    below: str = ""

    def at(self, sizes: Mapping[str, int]) -> Domain:
        """The domain where the dimensions have these sizes: an index ends with its dimension."""
        known = self.below in sizes
        return replace(self, high=float(sizes[self.below] - 1), high_open=False, below="") if known else self


@dataclass(frozen=True, slots=True)
class Input:
    """One argument of the function: `shape` holds dimension names and fixed sizes."""

    name: str
    shape: tuple[str | int, ...] = ()
    dtype: str = "float64"
    domain: Domain = field(default_factory=Domain)
    differentiable: bool = True


@dataclass(frozen=True, slots=True)
class Claim:
    """One claimed derivative. `of` is the input it is taken by (of a jvp: "", or the output where these are named)."""

    kind: ClaimKind
    of: str
    program: Program
    place: Place


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: inputs as nested tuples of numbers, and what is printed for them.

    expected: "value" and "<claim kind>:<input>" (e.g. "gradient:x", "vjp:x"), nested tuples of numbers; "jvp" as it
    is; with several outputs "value" is a mapping of outputs to such, and there is a "jvp:<output>" each.
    cotangent: numbers, or a mapping of outputs to numbers. tangents: by input, written as `t_<input>`.
    decimals: the expected numbers were rounded to that many decimals (None: they are exact up to rounding).
    """

    inputs: Mapping[str, Any]
    expected: Mapping[str, Any]
    cotangent: Any | None
    decimals: int | None
    place: Place
    tangents: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KinkConvention:
    """Where `condition` holds, the derivative by each named input is expected to be the given formula."""

    condition: Program
    values: Mapping[str, Program]
    place: Place


@dataclass(frozen=True, slots=True)
class Implementation:
    """People's own code under test: "module:qualified.name" references."""

    backend: str  # "torch", "jax" or "numpy"
    value: str
    vjp: str | None
    jvp: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class Known:
    """A known deviation of one witness: it must show, else the entry is stale."""

    witness: str
    verdict: str
    reason: str
    place: Place


@dataclass(frozen=True, slots=True)
class Expect:
    """For a spec that is wrong on purpose: the verdict and the blame it must get."""

    verdict: str
    blame: str
    place: Place


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What accuracy is asked of whoever computes the function: one of the two is given.

    ulp: no number may be further from the truth than so many units in its last place (of the dtype judged).
    absolute: an error of rounding that is no larger than this is none (inf: however large).
    """

    ulp: float | None
    absolute: float | None
    place: Place


@dataclass(frozen=True, slots=True)
class Spec:
    """One function and what is claimed of it. `text` is its YAML as written."""

    id: str
    summary: str
    tags: tuple[str, ...]
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]  # ("value",) unless several are named
    function: Program  # returns the value, or a dict of the named outputs
    claims: tuple[Claim, ...]
    examples: tuple[Example, ...]
    kinks: tuple[KinkConvention, ...]
    implementations: tuple[Implementation, ...]
    known: tuple[Known, ...]
    expect: Expect | None
    place: Place
    text: str
    dtypes: tuple[str, ...] = ("float64",)  # what frameworks and implementations are asked to compute in
    accuracy: Accuracy | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a behaviour: the action's name, its arguments, the error or warning it must give.

    arguments, by action (numbers are nested tuples):
    tensor, constant: name -> numbers; let, no_grad: name -> Program over the names so far; detach: name -> name;
    requires_grad: name -> bool; backward: {of, gradient (numbers or None), retain_graph (bool or None), create_graph};
    zero_grad: tuple of names; sgd: {lr, of (tuple of names)}; repeat: {times, steps (tuple of Step)};
    expect: {value, grad (numbers or None), requires_grad, is_leaf, node, nodes (tuples), decimals}, each name -> what.
    """

    action: str
    arguments: Any
    raises: str | None  # a part of the message of the RuntimeError that must be raised
    warns: str | None  # a part of the warning that must be given
    place: Place


@dataclass(frozen=True, slots=True)
class Semantics:
    """How a tape must behave: steps with expected gradients or errors."""

    id: str
    summary: str
    tags: tuple[str, ...]
    steps: tuple[Step, ...]
    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class SpecFile:
    """One file: its functions and behaviours in the order written."""

    path: str
    functions: tuple[Spec, ...]
    semantics: tuple[Semantics, ...]
