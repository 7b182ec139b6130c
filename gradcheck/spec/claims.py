"""What is claimed of a function's derivatives? Every claim's formula, with the names it may use."""

from __future__ import annotations

from gradcheck.errors import did_you_mean
from gradcheck.spec import schema
from gradcheck.spec.entry import Entry
from gradcheck.spec.model import Claim, ClaimKind, Input

_ONE_OUTPUT = (ClaimKind.GRADIENT, ClaimKind.DERIVATIVE, ClaimKind.JACOBIAN, ClaimKind.HESSIAN, ClaimKind.HVP)
_VALUE = ("value",)


def build_claims(
    entry: Entry, form: schema.Function, inputs: tuple[Input, ...], outputs: tuple[str, ...], names: set[str]
) -> tuple[Claim, ...]:
    """Every claim that can be read; `names` are the inputs and dimensions. Complains about the others."""
    found: list[Claim] = []
    for kind in ClaimKind:
        written = getattr(form, kind.value)
        if written is None:
            continue
        if kind in _ONE_OUTPUT and outputs != _VALUE:
            entry.complain_key((kind.value,), f"a {kind.value} is claimed of one unnamed output only", "vjp or jvp")
        elif written == {}:
            entry.complain_missing((kind.value,), "nothing is claimed here", "an input and its formula")
        else:
            found += _of_kind(entry, kind, written, inputs, outputs, names | set(outputs))
    return tuple(found)


def _of_kind(
    entry: Entry,
    kind: ClaimKind,
    written: str | dict[str, str],
    inputs: tuple[Input, ...],
    outputs: tuple[str, ...],
    names: set[str],
) -> list[Claim]:
    names = names | _helpers(kind, inputs, outputs)
    if kind is ClaimKind.JVP:
        return _jvp(entry, written, outputs, names)
    assert isinstance(written, dict)
    known = [i.name for i in inputs if i.differentiable]
    frozen = [i.name for i in inputs if not i.differentiable]
    return _named(entry, kind, written, known, names, frozen)


def _helpers(kind: ClaimKind, inputs: tuple[Input, ...], outputs: tuple[str, ...]) -> set[str]:
    """The cotangents or tangents that a claim of this kind is written in."""
    if kind is ClaimKind.VJP:
        return {"ct"} if outputs == _VALUE else {f"ct_{output}" for output in outputs}
    if kind in (ClaimKind.JVP, ClaimKind.HVP):
        return {f"t_{i.name}" for i in inputs if i.differentiable}
    return set()


def _jvp(entry: Entry, written: str | dict[str, str], outputs: tuple[str, ...], names: set[str]) -> list[Claim]:
    if isinstance(written, str) and outputs == _VALUE:
        program = entry.formula(("jvp",), written, names)
        return [Claim(ClaimKind.JVP, "", program, entry.at("jvp"))] if program else []
    if isinstance(written, str):
        entry.complain(("jvp",), "several outputs need one jvp each", "a mapping of " + ", ".join(outputs))
        return []
    if outputs == _VALUE:
        entry.complain(("jvp",), "a mapping is not the jvp of one output", "one formula in the tangents")
        return []
    for output in outputs:
        if output not in written:
            entry.complain_key(("jvp",), f"the output {output!r} has no jvp", "one for each output")
    return _named(entry, ClaimKind.JVP, written, list(outputs), names, [])


def _named(
    entry: Entry, kind: ClaimKind, written: dict[str, str], known: list[str], names: set[str], frozen: list[str]
) -> list[Claim]:
    found = []
    for name, text in written.items():
        steps = (kind.value, name)
        if name not in known:
            what = "an output" if kind is ClaimKind.JVP else "an input"
            reason = "is not differentiable" if name in frozen else f"is not {what} of this function"
            guess = did_you_mean(name[:60], known)
            entry.complain_key(steps, f"{name[:60]!r} {reason}", "one of " + ", ".join(known), guess)
        program = entry.formula(steps, text, names)
        if program is not None:
            found.append(Claim(kind, name, program, entry.at(*steps)))
    return found
