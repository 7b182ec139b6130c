"""Which functions does the language know, and what is known about each? The table of docs/primitives.md.

Everything comes from the rows and from the witnesses' namespaces, which are asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from gradcheck.errors import Unsupported
from gradcheck.expr import ALIASES, VOCABULARY, Batching, Primitive
from gradcheck.expr.unknown import Unknown
from gradcheck.oracles.hearing import installed
from gradcheck.report.written import NAMES, arguments

TESTED_ORDER = 4  # tests/engine/test_rows_orders.py compares derivatives with PyTorch up to this order
WITHOUT_TORCH = 2  # tests/engine/test_rules.py and test_rows_agree.py: differences, JAX
FIRST_ORDER = frozenset({"hard_sigmoid"})  # rows that PyTorch differentiates once only
COMMAND = "gradcheck vocabulary --markdown > docs/primitives.md"
NONE = "–"

PREFACE = f"""\
# The primitives

Every function of the language, made from the code by `{COMMAND}`.
`gradcheck vocabulary NAME` tells all of one, its derivative among it.

- **function**: its arguments are arrays, behind them parameters with their defaults; below it, its other names.
- **rule**: how it is differentiated. *slopes*: one slope an argument, elementwise; *linear*: a linear map, which is its
  own forward rule, and its transpose; *rule*: one for each mode; *composition*: a formula in other functions, from
  which all else follows; *flat*: the derivative is zero wherever there is one; *none*: no derivative passes through;
  *refused*: asking for one raises Unsupported.
- **modes** that the engine has; all of them may be nested in each other.
- **order** to which the tests compare derivatives with PyTorch's ({TESTED_ORDER}) or, where PyTorch lacks the function,
  with differences and JAX's ({WITHOUT_TORCH}). The engine itself has no highest order.
- **numbers**: *complex* where the derivative holds for complex numbers too: the function is analytic wherever it is
  differentiable, or its rule says how it moves with the conjugate.
- **where**: the domain, if it is not all real numbers, and the kinks, where it is continuous but has no derivative.
- **certified**: whether the witness of that name proves it, by balls that enclose every value and derivative;
  *formula*: by those of the functions it is made of; *exact*: nothing is rounded; *open where*: no proof there.
- **witnesses** that have the function; *(formula)* where a library has none of that name and computes the formula in
  its own functions: it is then a witness of the derivative, not of the formula. Differences need the value alone.

"""


@dataclass(frozen=True)
class Facts:
    """What is to be told about one row, in words."""

    name: str
    signature: str
    aliases: tuple[str, ...]
    rule: str
    modes: str
    numbers: str
    domain: str
    kinks: str
    note: str


def facts(row: Primitive) -> Facts:
    """What the row itself says."""
    return Facts(
        row.name,
        signature(row),
        tuple(sorted(alias for alias, name in ALIASES.items() if name == row.name)),
        rule(row),
        "forward, reverse" if row.differentiable and rule(row) != "refused" else NONE,
        numbers(row),
        domain(row),
        _named(row, row.kinks),
        _named(row, row.note),
    )


def _named(row: Primitive, words: str) -> str:
    """A condition with the names of the arguments in the places of their numbers."""
    for i, name in enumerate(NAMES[: row.arity or 0]):
        words = words.replace(f"{{{i}}}", name)
    return words


def domain(row: Primitive) -> str:
    """Where it is defined, as a phrase: `x positive`, `x in (-1, 1)`, `y != 0`; nothing for all real numbers."""
    words = _named(row, row.domain)
    if words == "real":
        return ""
    return f"x {words}" if words.isalpha() else f"x in {words}" if words[0] in "[(" else words


def signature(row: Primitive) -> str:
    """How it is called: `sum(x, axis=None, keepdims=False)`."""
    params = [f"{p}={row.defaults[p]!r}" if p in row.defaults else p for p in row.params]
    return f"{row.name}({', '.join([*arguments(row), *params])})"


def rule(row: Primitive) -> str:
    """How it is differentiated, in one word (see the preface)."""
    if row.batching is Batching.CONSTANT or not row.differentiable:
        return "none"
    if row.compose is not None:
        return "composition"
    if row.slopes is not None and all(isinstance(slope, Unknown) for slope in row.slopes):
        return "refused"
    if row.slopes is not None:
        return "flat" if all(slope is None or slope == 0.0 for slope in row.slopes) else "slopes"
    return "linear" if row.linear else "rule"


def numbers(row: Primitive) -> str:
    """Whether its derivative holds for complex numbers too."""
    by_conjugate = getattr(row, "wirtinger", None)  # how it moves with its argument and with the conjugate
    return "complex" if row.analytic or by_conjugate is not None else "real"


def namespaces() -> Mapping[str, Any]:
    """The witnesses that may lack a function, those of them that are installed."""
    from gradcheck.oracles.rounding.running import BOUNDED

    found: dict[str, Any] = {"bounds": BOUNDED}
    if installed("torch"):
        from gradcheck.oracles.with_torch.names import TorchNamespace

        found["torch"] = TorchNamespace()
    if installed("jax"):
        from gradcheck.oracles.with_jax.names import JaxNamespace

        found["jax"] = JaxNamespace()
    return found


def witnesses(row: Primitive, spaces: Mapping[str, Any]) -> dict[str, str]:
    """The witnesses that have a row, and "formula" where that is the row's own formula in their functions."""
    found = {"engine": ""}
    for name, space in spaces.items():
        try:
            function = getattr(space, row.name)
        except Unsupported:
            continue
        by_formula = isinstance(function, partial) and function.func is row.compose
        found[name] = "formula" if by_formula and name != "bounds" else ""
    return found


def order(row: Primitive, heard: Mapping[str, str]) -> str:
    """To which order the tests compare its derivatives."""
    if rule(row) in ("none", "flat", "refused"):
        return NONE
    return str(TESTED_ORDER if "torch" in heard and row.name not in FIRST_ORDER else WITHOUT_TORCH)


def certified(row: Primitive) -> str:
    """Whether ball arithmetic encloses it, and where not."""
    if not installed("certified"):
        return NONE
    from gradcheck.oracles.balls.reach import reach

    return reach(row)


def heard_in_words(heard: Mapping[str, str]) -> str:
    return ", ".join(name + (f" ({how})" if how else "") for name, how in heard.items())


def markdown() -> str:
    """The whole of docs/primitives.md."""
    spaces = namespaces()
    lines = ["| function | rule | modes | order | numbers | where | certified | witnesses | note |", "| --- " * 9 + "|"]
    for name in sorted(VOCABULARY):
        row = VOCABULARY[name]
        told, heard = facts(row), witnesses(row, spaces)
        function = f"`{told.signature}`" + (f"<br>{', '.join(f'`{a}`' for a in told.aliases)}" if told.aliases else "")
        where = "; ".join(filter(None, [told.domain, told.kinks and f"kink: {told.kinks}"]))
        cells = [
            function, told.rule, told.modes, order(row, heard), told.numbers, where, certified(row),
            heard_in_words(heard), told.note,
        ]  # fmt: skip
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return f"{PREFACE}{len(VOCABULARY)} functions.\n\n" + "\n".join(lines) + "\n"
