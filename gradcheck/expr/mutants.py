"""Which wrong formulas lie next to a right one? Every formula that differs from it in a single node.

A mutant is what a person, or a rule that was derived in a hurry, gets wrong: a sign, a factor, a term, an axis, a
branch. Whoever judges formulas should tell every mutant from the original, unless the two mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from gradcheck.expr import nodes as n
from gradcheck.expr.mutations import MUTATIONS, Fact, Mutated
from gradcheck.expr.text import to_text
from gradcheck.expr.vocabulary import VOCABULARY

Facts = Callable[[n.Node], Fact]
VALUE, CONDITION, COUNT = "value", "condition", "count"  # what a node is for: numbers, a truth value, whole numbers


@dataclass(frozen=True, slots=True)
class Mutant:
    """A formula with one node changed."""

    kind: str  # a name of MUTATIONS: "sign", "factor", "dropped term" …
    before: str  # the node as it was written
    after: str  # what stands there instead
    at: n.At  # line and column of the node in the original's text
    text: str  # the whole formula

    @property
    def place(self) -> str:
        """Where the node stands in the original's text."""
        line, column = self.at
        return f"column {column}" if line == 1 else f"line {line}, column {column}"


@dataclass(frozen=True, slots=True)
class _Site:
    node: n.Node
    role: str
    rebuilt: Callable[[n.Node], n.Node]  # the whole tree, with another node here


def mutants(tree: n.Node, facts: Facts) -> tuple[Mutant, ...]:
    """Every mutant of a formula, each formula once, in the order of the text and then of MUTATIONS.

    facts(node) tells what is known of a node's value: its shape, and whether it is a truth value.
    """
    found: dict[str, Mutant] = {}
    original = to_text(tree)
    for site in _sites(tree, VALUE, lambda new: new):
        for changed in _changed(site, facts):
            text = to_text(site.rebuilt(changed.node))
            if text != original and text not in found:
                at = getattr(site.node, "at", (1, 1))
                found[text] = Mutant(changed.kind, to_text(site.node), to_text(changed.node), at, text)
    return tuple(found.values())


def _changed(site: _Site, facts: Facts) -> Iterator[Mutated]:
    for mutation in MUTATIONS[site.role]:
        yield from mutation(site.node, facts)


def _sites(node: n.Node, role: str, rebuilt: Callable[[n.Node], n.Node]) -> Iterator[_Site]:
    yield _Site(node, role, rebuilt)
    if role == COUNT and not isinstance(node, n.Sequence):
        return
    for child, child_role, put in _children(node, role):
        yield from _sites(child, child_role, _through(rebuilt, put))


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
