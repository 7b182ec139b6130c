"""What is the derivative of this formula? SymPy derives it, and balls confirm it at points of the domain, or do not."""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gradcheck.cases import build, plans
from gradcheck.cases.trying import domains_found
from gradcheck.errors import EvaluationError, ExpressionError, UsageError, did_you_mean
from gradcheck.expr import NUMPY, Program, parse_formula
from gradcheck.expr.text import to_text
from gradcheck.oracles import Evidence, Hearing, Inquiry, symbolic
from gradcheck.spec import Spec, load
from gradcheck.spec.domains import parse_domain
from gradcheck.spec.words import why_not_an_input

CONSTANTS = ("pi", "e", "inf", "nan")
POINTS = 128


@dataclass(frozen=True, slots=True)
class Derived:
    """A formula with its derivatives, and at how many points balls confirmed them (each number to 100 bits).

    disproved: the first input and point at which the derivative is none, "" where there is no such; silence: why
    balls say nothing.
    """

    value: str
    domains: Mapping[str, str]
    gradients: Mapping[str, str]
    points: int = 0
    confirmed: int = 0
    disproved: str = ""
    silence: str = ""

    @property
    def right(self) -> bool:
        """Whether it was confirmed somewhere, and disproved nowhere."""
        return self.confirmed > 0 and not self.disproved

    def entry(self, name: str, header: Sequence[str] = ()) -> str:
        """The spec file that says so."""
        by = ", ".join(f'{n}: "{text}"' for n, text in self.gradients.items())
        inputs = ", ".join(f'{n}: {{domain: "{text}"}}' for n, text in self.domains.items())
        comments = "".join(f"# {line}\n" for line in header)
        constant = [n for n in self.domains if n not in self.gradients]
        held = "".join(f"    # by {n} nothing is claimed here\n" for n in constant)
        return (
            f'{comments}gradcheck: 1\nfunctions:\n  {name}:\n    inputs: {{{inputs}}}\n    value: "{self.value}"\n'
            f"    gradient: {{{by}}}\n{held}"
        )


def derive(text: str, by: Sequence[str] = (), domains: Mapping[str, str] | None = None, seed: int = 0) -> Derived:
    """Derive a formula of numbers by all its names, or by some, and have balls look at what came of it.

    Raises ExpressionError for what is no formula, UsageError where SymPy cannot derive it.
    """
    names = names_of(text)
    function = parse_formula(text, names)
    for name in by:
        if name not in names:
            raise UsageError(f"the formula has no name {name!r}; it has {', '.join(names)}", did_you_mean(name, names))
    wanted = list(dict.fromkeys(by)) or names
    gradients = {n: to_text(node) for n, node in symbolic.derivatives(function, names, wanted).items()}
    claims = [parse_formula(g, names) for g in gradients.values()]
    given = _given(domains or {}, names)
    found = {} if set(given) == set(names) else _domains(names, [function, *claims])
    stated = Derived(" ".join(text.split()), {n: given.get(n, found.get(n, "real")) for n in names}, gradients)
    return _confirmed(stated, seed)


def names_of(text: str) -> list[str]:
    """The names of a formula that may be inputs, in the order met. Raises ExpressionError for what is no formula."""
    try:
        nodes = list(ast.walk(ast.parse(text.strip(), mode="eval")))
    except (SyntaxError, ValueError):
        parse_formula(text, ())  # complains, in our own words
        return []
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    free = [node for node in nodes if isinstance(node, ast.Name) and id(node) not in called]
    ordered = sorted(free, key=lambda node: (node.lineno, node.col_offset))
    names = list(dict.fromkeys(node.id for node in ordered if node.id not in CONSTANTS))
    for name in names:
        why = why_not_an_input(name)
        if why:
            raise UsageError(f"the name {name!r} {why}")
    if not names:
        parse_formula(text, ())
        raise UsageError(f"{text!r} has no name to derive by")
    return names


def _given(domains: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """The domains that were given, each seen to be one."""
    for name, text in domains.items():
        if name not in names:
            has = f"the formula has {', '.join(names)}"
            raise UsageError(f"--domain {name}={text}: there is no {name!r}; {has}", did_you_mean(name, names))
        try:
            parse_domain(text, name, names)
        except ExpressionError as error:
            raise UsageError(f"--domain {name}={text}, column {error.column} of the domain: {error}") from None
    return dict(domains)


def _domains(names: Sequence[str], programs: Sequence[Program]) -> dict[str, str]:
    """Where the formula and its derivatives have values, by trying."""

    def works(point: Mapping[str, float]) -> bool:
        with np.errstate(all="ignore"):
            try:
                return all(np.isfinite(float(p(NUMPY, {k: np.float64(v) for k, v in point.items()}))) for p in programs)
            except (EvaluationError, TypeError, ValueError, ArithmeticError):
                return False

    found = domains_found(names, works)
    if found is None:
        raise UsageError("no point was found at which the formula and its derivative have values; give its --domain")
    return found


def _confirmed(stated: Derived, seed: int) -> Derived:
    """The same with what the enclosure says of it."""
    spec = _spec(stated)
    (plan,) = plans(spec, seed, 1, 1)
    case = build(spec, plan, POINTS)
    if case is None:
        raise UsageError("no point of the domain was found")
    said = Hearing(Inquiry(case)).one("certified")
    parts = (stated.value, stated.domains, stated.gradients, case.points)
    if not isinstance(said, Evidence):
        return Derived(*parts, silence=said.message)
    proven = np.isfinite(said.answers["value"].center) & np.isfinite(said.answers["value"].bar)
    states = {proof.quantity: proof for proof in said.proofs}
    for name in stated.gradients:
        proof = states.get(f"vjp:{name}")
        if proof is None:
            return Derived(*parts, silence="; ".join(said.notes) or "no enclosure of the claim")
        if proof.disproved.any():
            row = int(np.flatnonzero(proof.disproved.reshape(case.points, -1).any(axis=1))[0])
            point = ", ".join(f"{n} = {x[row].tolist()!r}" for n, x in case.inputs.items())
            return Derived(*parts, disproved=f"by {name} at {point}")
        proven &= proof.proven.reshape(case.points, -1).all(axis=1)
    return Derived(*parts, confirmed=int(proven.sum()))


def _spec(stated: Derived) -> Spec:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "derived.grad.yaml"
        path.write_text(stated.entry("derived"), encoding="utf-8")
        return load(path).functions[0]
