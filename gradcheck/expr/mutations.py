"""What may be wrong about one node of a formula? One function a kind of mistake: `node -> what may stand there`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from types import MappingProxyType

from gradcheck.expr import nodes as n

UP, DOWN = 1.000001, 0.999999  # factors of 1 + 1e-6 and 1 - 1e-6


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of a node's value at one point: its shape (None: it is no array), and if it is a truth value."""

    shape: tuple[int, ...] | None
    boolean: bool = False

    @property
    def rank(self) -> int | None:
        """How many axes it has."""
        return None if self.shape is None else len(self.shape)


@dataclass(frozen=True, slots=True)
class Mutated:
    """One kind of mistake, the node that it leaves, and the condition under which that differs (None: always)."""

    kind: str
    node: n.Node
    when: n.Node | None = None


Facts = Callable[[n.Node], Fact]
COMMUTATIVE = frozenset(
    "add multiply equal not_equal logical_and logical_or logical_xor maximum minimum hypot logaddexp dot vecdot beta "
    "betaln bitwise_and bitwise_or bitwise_xor".split()
)
STRICT = {"less": "less_equal", "greater": "greater_equal"}
STEPS = frozenset(
    "less less_equal greater greater_equal equal not_equal sign signbit copysign floor ceil round trunc floor_divide "
    "remainder fmod argmax argmin argsort searchsorted nextafter isnan isinf isfinite top_k_indices".split()
)  # functions that jump: a small change of what they are given shows at few points, or at none
BOUNDARY = {**STRICT, **{loose: strict for strict, loose in STRICT.items()}}
REDUCTIONS = frozenset("sum mean prod max min norm var std logsumexp any all argmax argmin trace median".split())
PAIRS = (
    "sin cos, sinh cosh, tan tanh, asin acos, atan atanh, asinh acosh, exp expm1, exp2 exp, log log1p, log2 log10, "
    "sqrt cbrt, sqrt square, abs sign, floor ceil, round trunc, maximum minimum, max min, sum mean, prod sum, var std, "
    "any all, argmax argmin, cumulative_max cumulative_min, cumulative_sum cumulative_prod, logical_and logical_or, "
    "equal not_equal, zeros ones, tril triu, triu tril, softmax log_softmax, erf erfc, expit tanh, ndtr erf, "
    "gammaln gamma, digamma gammaln, j0 j1, y0 y1, i0 i1, k0 k1, jv yv, iv kv, fft ifft, real imag, svd_u svd_vh, "
    "det trace, inv matrix_transpose, floor_divide remainder, flip sort, atan2 hypot, exp1 expi"
)
# either way round, where no other sibling is told: a function and what it is taken for
_TOLD = [(pair.split()[0], pair.split()[1]) for pair in PAIRS.split(", ")]
SIBLINGS: Mapping[str, str] = MappingProxyType({b: a for a, b in reversed(_TOLD)} | dict(reversed(_TOLD)))


def sign(node: n.Node, facts: Facts) -> Iterator[Mutated]:
    """The node with its sign flipped."""
    if not _number(node, facts):
        return
    if isinstance(node, n.Const) and not node.name:
        if node.value:
            yield Mutated("sign", n.Const(-node.value))
    elif isinstance(node, n.Call) and node.primitive == "negative":
        yield Mutated("sign", node.args[0])
    else:
        boolean = facts(node).boolean
        yield Mutated("sign", n.Call("multiply", (n.Const(-1), node)) if boolean else n.Call("negative", (node,)))


def factor(node: n.Node, facts: Facts) -> Iterator[Mutated]:
    """The node, larger and smaller by one part in a million."""
    if not _number(node, facts) or (isinstance(node, n.Const) and not isfinite(node.value)):
        return
    for scale in (UP, DOWN):
        if not (isinstance(node, n.Const) and not node.name):
            yield Mutated("factor", n.Call("multiply", (n.Const(scale), node)))
        elif node.value:
            yield Mutated("factor", n.Const(node.value * scale))


def constant(node: n.Node, facts: Facts) -> Iterator[Mutated]:
    """The node taken as zero (which detaches what hangs on it) and as one."""
    if not _number(node, facts):
        return
    for value, filled in ((0, "zeros_like"), (1, "ones_like")):
        if isinstance(node, n.Const) and node.value == value:
            continue
        kind = "constant" if value or isinstance(node, n.Const) else "detached"
        yield Mutated(kind, n.Call(filled, (node,)) if facts(node).rank else n.Const(value))


def dropped(node: n.Node, facts: Facts) -> Iterator[Mutated]:
    """A term or a factor left out."""
    if not isinstance(node, n.Call) or len(node.args) != 2:
        return
    a, b = node.args
    if node.primitive in ("add", "subtract", "logical_and", "logical_or"):
        yield Mutated("dropped term", a)
        yield Mutated("dropped term", n.Call("negative", (b,)) if node.primitive == "subtract" else b)
    elif node.primitive in ("multiply", "matmul"):
        yield Mutated("dropped factor", a)
        yield Mutated("dropped factor", b)
    elif node.primitive == "divide":
        yield Mutated("dropped factor", a)
        yield Mutated("dropped factor", n.Call("divide", (n.Const(1), b)))
    elif node.primitive == "pow":
        yield Mutated("dropped factor", a)


def swapped(node: n.Node, facts: Facts) -> Iterator[Mutated]:
    """The two operands the wrong way round, where that matters."""
    if isinstance(node, n.Call) and len(node.args) == 2 and node.primitive not in COMMUTATIVE:
        yield Mutated("swapped", replace(node, args=node.args[::-1]))


def branch(node: n.Node, facts: Facts) -> Iterator[Mutated]:
    """The other branch, or always the same one."""
    if isinstance(node, n.Choice):
        yield Mutated("branch", replace(node, then=node.otherwise, otherwise=node.then))
        yield Mutated("branch", node.then, denied(node.condition))
        yield Mutated("branch", node.otherwise, node.condition)
    elif isinstance(node, n.Call) and node.primitive == "where":
        condition, then, otherwise = node.args
        yield Mutated("branch", replace(node, args=(condition, otherwise, then)))
        yield Mutated("branch", then, denied(condition))
        yield Mutated("branch", otherwise, condition)


def comparison(node: n.Node, facts: Facts) -> Iterator[Mutated]:
    """`<` for `<=`: the boundary on the other side; and a truth value denied no longer."""
    if isinstance(node, n.Call) and node.primitive in BOUNDARY:
        yield Mutated("comparison", replace(node, primitive=BOUNDARY[node.primitive]))
    elif isinstance(node, n.Call) and node.primitive == "logical_not":
        yield Mutated("comparison", node.args[0])


def sibling(node: n.Node, facts: Facts) -> Iterator[Mutated]:
    """The function that it is easily taken for."""
    if isinstance(node, n.Call) and node.primitive in SIBLINGS:
        yield Mutated("sibling", replace(node, primitive=SIBLINGS[node.primitive]))


def axis(node: n.Node, facts: Facts) -> Iterator[Mutated]:
    """Another axis: every other one that the operand has."""
    if not isinstance(node, n.Call) or len(node.args) != 1:
        return
    given = dict(node.params).get("axis")
    rank = facts(node.args[0]).rank
    if isinstance(node.args[0], n.Sequence) and node.args[0].items:  # joined: the axis is one of the parts'
        rank = facts(node.args[0].items[0]).rank
    now = _whole(given)
    if rank is None or (now is None if given is not None else node.primitive not in REDUCTIONS or rank < 2):
        return
    for other in range(rank):
        here = other - rank if now is not None and now < 0 else other
        if now != here:
            params = {**dict(node.params), "axis": n.Const(here)}
            yield Mutated("axis", replace(node, params=tuple(sorted(params.items()))))


def transposed(node: n.Node, facts: Facts) -> Iterator[Mutated]:
    """A matrix transposed, or not transposed where it should be."""
    if isinstance(node, n.Call) and node.primitive in ("permute_dims", "matrix_transpose"):
        yield Mutated("transposed", node.args[0])
    elif _number(node, facts) and (facts(node).rank or 0) >= 2:
        yield Mutated("transposed", n.Call("matrix_transpose", (node,)))


def unreduced(node: n.Node, facts: Facts) -> Iterator[Mutated]:
    """A sum that is not taken: broadcasting not undone."""
    if isinstance(node, n.Call) and node.primitive in REDUCTIONS and len(node.args) == 1 and facts(node.args[0]).rank:
        yield Mutated("unreduced", node.args[0])


def counted(node: n.Node, facts: Facts) -> Iterator[Mutated]:
    """A whole number off by one; a switch the other way."""
    if isinstance(node, n.Const) and isinstance(node.value, bool):
        yield Mutated("parameter", n.Const(not node.value))
    elif (now := _whole(node)) is not None:
        yield from (Mutated("index", n.Const(now + step)) for step in (1, -1))
    elif isinstance(node, n.Name | n.Call | n.Index):
        yield Mutated("index", n.Call("add", (node, n.Const(1))))
        yield Mutated("index", n.Call("subtract", (node, n.Const(1))))


def denied(condition: n.Node) -> n.Node:
    """The condition that holds where this one does not."""
    return n.Call("logical_not", (condition,))


def _number(node: n.Node, facts: Facts) -> bool:
    """Whether a node is a number or an array of numbers."""
    if isinstance(node, n.Const):
        return not isinstance(node.value, bool)
    return isinstance(node, n.Name | n.Call | n.Index | n.Choice) and facts(node).rank is not None


def _whole(node: n.Node | None) -> int | None:
    """The whole number that a node is written as."""
    plain = isinstance(node, n.Const) and isinstance(node.value, int) and not isinstance(node.value, bool)
    return int(node.value) if plain and isinstance(node, n.Const) else None


_NUMERIC = (sign, factor, constant)
_LOGICAL = (dropped, swapped, branch, comparison, sibling)
_ARRAYS = (axis, transposed, unreduced)
# role of the node -> the mistakes that may be made there
MUTATIONS: Mapping[str, tuple[Callable[[n.Node, Facts], Iterator[Mutated]], ...]] = MappingProxyType(
    {"value": (*_NUMERIC, *_LOGICAL, *_ARRAYS), "condition": (*_LOGICAL, *_ARRAYS), "count": (counted,)}
)
