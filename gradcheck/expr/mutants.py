"""Which wrong formulas lie next to a right one? Every formula that differs from it in a single node.

A mutant is what a person, or a rule that was derived in a hurry, gets wrong: a sign, a factor, a term, an axis, a
branch. Whoever judges formulas should tell every mutant from the original, unless the two mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from gradcheck.expr import nodes as n
from gradcheck.expr.mutations import MUTATIONS, STEPS, Facts, Mutated, denied
from gradcheck.expr.text import to_text
from gradcheck.expr.vocabulary import VOCABULARY

VALUE, CONDITION, COUNT = "value", "condition", "count"  # what a node is for: numbers, a truth value, whole numbers


@dataclass(frozen=True, slots=True)
class Mutant:
    """A formula with one node changed."""

    kind: str  # a kind of `mutations`: "sign", "factor", "dropped term" …
    before: str  # the node as it was written
    after: str  # what stands there instead
    at: n.At  # line and column of the node in the original's text
    text: str  # the whole formula
    reach: str  # the condition under which it can show: its branch is taken, a jump falls elsewhere; "" for always

    @property
    def place(self) -> str:
        """Where the node stands in the original's text."""
        line, column = self.at
        return f"column {column}" if line == 1 else f"line {line}, column {column}"


@dataclass(frozen=True, slots=True)
class _Site:
    """A node, what it is for, the whole tree with another node here, and the way down to it.

    guards: conditions that hold where it matters; step: the nearest function above that jumps, with another node here.
    """

    node: n.Node
    role: str
    rebuilt: Callable[[n.Node], n.Node]
    guards: tuple[n.Node, ...] = ()
    step: Callable[[n.Node], n.Node] | None = None


def mutants(tree: n.Node, facts: Facts) -> tuple[Mutant, ...]:
    """Every mutant of a formula, each formula once, in the order of the text and then of MUTATIONS.

    facts(node) tells what is known of a node's value: its shape, and whether it is a truth value.
    """
    found: dict[str, Mutant] = {}
    original = to_text(tree)
    for site in _sites(_Site(tree, VALUE, _itself), facts):
        for changed in _changed(site, facts):
            text = to_text(site.rebuilt(changed.node))
            if text != original and text not in found:
                at = getattr(site.node, "at", (1, 1))
                reach = _reach(site, changed)
                found[text] = Mutant(changed.kind, to_text(site.node), to_text(changed.node), at, text, reach)
    return tuple(found.values())


def _changed(site: _Site, facts: Facts) -> Iterator[Mutated]:
    for mutation in MUTATIONS[site.role]:
        yield from mutation(site.node, facts)


def _reach(site: _Site, changed: Mutated) -> str:
    conditions = [*site.guards, *([] if changed.when is None else [changed.when])]
    if site.step is not None:
        conditions.append(n.Call("not_equal", (site.step(site.node), site.step(changed.node))))
    if not conditions:
        return ""
    whole = conditions[0]
    for condition in conditions[1:]:
        whole = n.Call("logical_and", (whole, condition))
    return to_text(whole)


def _sites(site: _Site, facts: Facts) -> Iterator[_Site]:
    node = site.node
    jumps = isinstance(node, n.Call) and node.primitive in STEPS
    if jumps:
        site = replace(site, step=_itself)
    yield site
    if site.role == COUNT and not isinstance(node, n.Sequence):
        return
    for child, role, put in _children(node, site.role):
        step = None if site.step is None else _through(site.step, put)
        guards = (*site.guards, *_guards(node, child, facts))
        yield from _sites(_Site(child, role, _through(site.rebuilt, put), guards, step), facts)


def _itself(node: n.Node) -> n.Node:
    return node


def _guards(node: n.Node, child: n.Node, facts: Facts) -> Iterator[n.Node]:
    """The conditions under which a child's value matters to the node above it."""
    if isinstance(node, n.Choice) or (isinstance(node, n.Call) and node.primitive == "where"):
        parts = node.args if isinstance(node, n.Call) else (node.condition, node.then, node.otherwise)
        if child is parts[1]:
            yield parts[0]
        elif child is parts[2]:
            yield denied(parts[0])
    elif isinstance(node, n.Call) and node.primitive == "multiply":  # a truth value as a factor
        yield from (other for other in node.args if other is not child and facts(other).boolean)


def _through(rebuilt: Callable[[Any], Any], put: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda new: rebuilt(put(new))


Child = tuple[n.Node, str, Callable[[Any], Any]]  # a node below, its role, and the parent with another node there


def _children(node: n.Node, role: str) -> Iterator[Child]:
    if isinstance(node, n.Call):
        yield from _arguments(node)
    elif isinstance(node, n.Choice):
        for name, child_role in (("condition", CONDITION), ("then", role), ("otherwise", role)):
            yield getattr(node, name), child_role, _field(node, name)
    elif isinstance(node, n.Index):
        yield node.value, VALUE, _field(node, "value")
        for k, item in enumerate(node.items):
            yield from _below_index(item, _item(node, "items", k))
    elif isinstance(node, n.Sequence | n.Outputs):
        for k, item in enumerate(node.items):
            yield item, role, _item(node, "items", k)


def _arguments(node: n.Call) -> Iterator[Child]:
    logical = node.primitive.startswith("logical_")
    for k, arg in enumerate(node.args):
        condition = logical or (node.primitive == "where" and k == 0)
        yield arg, CONDITION if condition else VALUE, _item(node, "args", k)
    for k, (key, value) in enumerate(node.params):
        if key not in ("axis", "axes"):  # these have a mutation of their own
            yield value, _role(node, key, value), _through(_item(node, "params", k), _keyed(key))


def _role(node: n.Call, key: str, value: n.Node) -> str:
    default = VOCABULARY[node.primitive].defaults.get(key)
    numeric = isinstance(default, float) or key == "fill_value" or (isinstance(value, n.Const) and _fraction(value))
    return VALUE if numeric else COUNT


def _keyed(key: str) -> Callable[[Any], Any]:
    return lambda new: (key, new)


def _fraction(node: n.Const) -> bool:
    return isinstance(node.value, float)


def _below_index(item: Any, put: Callable[[Any], Any]) -> Iterator[Child]:
    if isinstance(item, n.Slice):
        for name in ("start", "stop", "step"):
            part = getattr(item, name)
            if part is not None:
                yield part, COUNT, _through(put, _field(item, name))
    elif item is not None and not isinstance(item, n.Dots):
        yield item, COUNT, put


def _field(node: Any, name: str) -> Callable[[Any], Any]:
    return lambda new: replace(node, **{name: new})


def _item(node: Any, name: str, k: int) -> Callable[[Any], Any]:
    items = getattr(node, name)
    return lambda new: replace(node, **{name: (*items[:k], new, *items[k + 1 :])})
