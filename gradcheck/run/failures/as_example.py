"""How is a point with the right numbers written as a worked example? An entry of a spec's `examples:`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.oracles.inquiry import claimed, key
from gradcheck.run.failures.truth import Right, Truth
from gradcheck.spec import Case

Array = NDArray[np.float64]
LINE = 100  # characters of an entry that stands on one line
MOST_DECIMALS = 17  # that an example may have
EXPECTED = frozenset({"value", "gradient", "vjp", "jvp", "hessian", "hvp"})
Words = list[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One worked example. keys: in the order written; word: whose the expected numbers are, "" where nobody's."""

    keys: Mapping[str, Any]
    word: str

    @property
    def expects(self) -> frozenset[str]:
        """What it expects anything of: "value", "vjp" …"""
        return frozenset(self.keys) & EXPECTED

    def flow(self) -> str:
        """On one line, in braces."""
        return _written(dict(self.keys))

    def lines(self) -> list[str]:
        """As an item of a list: on one line where that is short."""
        flow = self.flow()
        if len(flow) <= LINE:
            return [f"- {flow}"]
        rows = [f"{name}: {_written(value)}" for name, value in self.keys.items()]
        return [f"{'  ' if k else '- '}{row}" for k, row in enumerate(rows)]


def as_example(case: Case, quantity: str, truth: Truth) -> Entry:
    """The point of a case of one point, with what is right there of a quantity, and of what belongs to it."""
    quantity = quantity.partition("|")[0]
    given = _given(case, quantity)
    named = [(q, truth.right(q)) for q in _asked(case, quantity)]
    known = {q: r for q, r in named if r is not None}
    decimals = _decimals(list(known.values()))
    if not known or len(known) < len(named) or (decimals is not None and decimals < 0):
        return Entry(dict(given), "")
    expected = dict(_expected(case, known, decimals))
    values = {key("value", o, case.spec.outputs): o for o in case.spec.outputs}
    right = {o: truth.right(q) for q, o in values.items()}
    if not quantity.startswith("value") and all(r is not None and _fits(r, decimals) for r in right.values()):
        numbers = {o: _rounded(r, decimals) for o, r in right.items() if r is not None}
        expected = {"value": numbers if len(numbers) > 1 else numbers[case.spec.outputs[0]]} | expected
    words = list(dict.fromkeys(r.word for r in known.values()))
    end = [] if decimals is None else [("decimals", decimals)]
    return Entry(dict([*given, *expected.items(), *end]), " and ".join(words))


def _given(case: Case, quantity: str) -> Words:
    """The inputs, the tangents where they count, and the cotangent where it does."""
    found: Words = [(i.name, case.inputs[i.name][0]) for i in case.spec.inputs]
    if quantity.startswith(("jvp", "hvp", "pairing")):
        found += [(f"t_{name}", array[0]) for name, array in case.tangents.items()]
    if not quantity.startswith(("jvp", "value")) and not _plain(case):
        single = len(case.cotangents) == 1
        found += [("ct", next(iter(case.cotangents.values()))[0])] if single else [("ct", _rows(case.cotangents))]
    return found


def _rows(arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {name: array[0] for name, array in arrays.items()}


def _plain(case: Case) -> bool:
    """Whether the value is one number and the cotangent is 1: then the cotangent need not be told."""
    cts = list(case.cotangents.values())
    return len(cts) == 1 and cts[0].shape == (1,) and cts[0][0] == 1.0


def _asked(case: Case, quantity: str) -> list[str]:
    """The quantities that an entry tells: those of the same kind, of all that is claimed."""
    stated = list(dict.fromkeys(name.partition("|")[0] for _, name in claimed(case.spec)))
    kind = quantity.partition(":")[0].partition("[")[0]
    if kind == "pairing":
        kind = "vjp" if any(q.startswith("vjp") for q in stated) else "jvp"
    if kind == "value":
        return [key("value", o, case.spec.outputs) for o in case.spec.outputs]
    same = [q for q in stated if q.startswith(kind)]
    return same if quantity in same or quantity == "pairing" else [quantity]


def _decimals(known: Sequence[Right]) -> int | None:
    """To how many decimals all are known; None: to the nearest float64; -1: not even to none."""
    if all(r.nearest for r in known):
        return None
    return next((k for k in range(MOST_DECIMALS, -1, -1) if all(_fits(r, k) for r in known)), -1)


def _fits(right: Right, decimals: int | None) -> bool:
    return right.nearest if decimals is None else right.known_to(decimals)


def _rounded(right: Right, decimals: int | None) -> Array:
    return right.center if decimals is None else np.round(right.center, decimals) + 0.0


def _expected(case: Case, known: Mapping[str, Right], decimals: int | None) -> Iterator[tuple[str, Any]]:
    """The expected numbers by their keys."""
    groups: dict[str, dict[str, Array]] = {}
    for quantity, right in known.items():
        name, _, of = quantity.partition(":")
        kind, _, output = name.rstrip("]").partition("[")
        groups.setdefault(kind, {})[of or output] = _rounded(right, decimals)
    for kind, numbers in groups.items():
        if kind in ("value", "jvp"):
            yield kind, numbers if len(case.spec.outputs) > 1 else next(iter(numbers.values()))
        elif kind == "vjp":
            yield "gradient" if _plain(case) else "vjp", numbers
        else:
            yield {"hess": "hessian"}.get(kind, kind), numbers


def _written(value: Any) -> str:
    """Numbers, nested lists and mappings as YAML writes them on one line, every number in full."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_written(item)}" for name, item in value.items()) + "}"
    if isinstance(value, int):
        return str(value)
    array = np.asarray(value)
    if array.ndim:
        return "[" + ", ".join(map(_written, array)) + "]"
    return repr(float(array)).removesuffix(".0") if array != 0 or not np.signbit(array) else "-0.0"
