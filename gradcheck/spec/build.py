"""What does a function's entry mean? Its names, formulas and claims checked, and put into a `Spec`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from gradcheck.errors import did_you_mean
from gradcheck.expr import Program, parse_formula
from gradcheck.spec import schema
from gradcheck.spec.claims import build_claims
from gradcheck.spec.dims import base_of, keyed, names_of
from gradcheck.spec.domains import DISCRETE, wrong_shape
from gradcheck.spec.entry import Entry
from gradcheck.spec.examples import build_examples
from gradcheck.spec.model import Accuracy, Expect, Implementation, Input, KinkConvention, Known, Spec
from gradcheck.spec.outputs import outputs_of
from gradcheck.spec.words import CLAIMS, WITNESSES, why_not_an_input

VALUE = ("value",)


@dataclass(frozen=True, slots=True)
class _Function:
    """The function's program and the names of its outputs."""

    program: Program
    outputs: tuple[str, ...]


def build_function(entry: Entry, form: schema.Function) -> Spec | None:
    """The spec of one function; None, with complaints, where something in it is wrong."""
    before = len(entry.complaints)
    inputs = _inputs(entry, form)
    if len(entry.complaints) > before:
        return None  # without sound names every further complaint would be an echo
    names = {i.name for i in inputs} | _dims(inputs)
    function = _function(entry, form, names)
    outputs = function.outputs if function else tuple(form.value) if isinstance(form.value, dict) else VALUE
    claimed = build_claims(entry, form, inputs, outputs, names) if function or form.code is None else ()
    kinks = _kinks(entry, form, inputs, names | set(outputs))
    examples = build_examples(entry, form, inputs, outputs)
    implementations = _implementations(entry, form)
    known = _known(entry, form)
    for index, dtype in enumerate(form.dtypes):
        if dtype in form.dtypes[:index]:
            entry.complain(("dtypes", index), f"{dtype} is written twice", "each dtype once")
    if not any(getattr(form, claim) for claim in CLAIMS) and not implementations:
        entry.complain_missing((), "nothing is claimed of this function", "one of " + ", ".join(CLAIMS))
    if function is None or len(entry.complaints) > before:
        return None
    return Spec(
        id=entry.id,
        summary=form.summary,
        tags=tuple(form.tags),
        inputs=inputs,
        outputs=outputs,
        function=function.program,
        claims=claimed,
        examples=examples,
        kinks=kinks,
        implementations=implementations,
        known=known,
        expect=Expect(form.expect.verdict, form.expect.blame, entry.at_key("expect")) if form.expect else None,
        place=entry.at_key(),
        text=entry.document.text(entry.path),
        dtypes=tuple(form.dtypes),
        accuracy=_accuracy(entry, form),
    )


def _accuracy(entry: Entry, form: schema.Function) -> Accuracy | None:
    given = form.accuracy
    if given is None:
        return None
    if isinstance(given, str):
        return Accuracy(None, float("inf"), entry.at_key("accuracy"))
    return Accuracy(given.ulp, given.absolute, entry.at_key("accuracy"))


def _dims(inputs: tuple[Input, ...]) -> set[str]:
    return set(names_of(i.shape for i in inputs))


def _inputs(entry: Entry, form: schema.Function) -> tuple[Input, ...]:
    if not form.inputs:
        entry.complain(("inputs",), "a function without inputs has no derivative", "at least one input")
    for name in form.inputs:
        reason = why_not_an_input(name)
        if reason:
            entry.complain_key(("inputs", name), f"{name[:60]!r} {reason}")
    _check_dims(entry, form)
    dims = set(names_of(keyed(i.shape, name) for name, i in form.inputs.items()))
    inputs = tuple(_input(entry, name, i, {*form.inputs, *dims}, form.inputs) for name, i in form.inputs.items())
    if inputs and not any(i.differentiable for i in inputs):
        entry.complain_key(("inputs",), "no input is differentiable, so there is nothing to judge")
    return inputs


def _check_dims(entry: Entry, form: schema.Function) -> None:
    for name, i in form.inputs.items():
        for index, size in enumerate(keyed(i.shape, name)):
            reason = why_not_an_input(base_of(size)) if isinstance(size, str) else ""
            if isinstance(size, str) and base_of(size) in form.inputs:
                reason = "is an input, it cannot be a dimension too"
            if reason and " or " in base_of(str(size)):
                reason = "is no size; of two sizes the second is 1, as in 'n or 1'"
            if reason:
                entry.complain(("inputs", name, "shape", index), f"{base_of(str(size))[:60]!r} {reason}")


def _input(
    entry: Entry, name: str, form: schema.Input, names: Collection[str], form_inputs: Collection[str]
) -> Input:  # fmt: skip
    steps = ("inputs", name, "domain")
    domain = entry.domain(steps, form.domain, name, names)
    wanted = wrong_shape(domain, form.shape)
    if wanted:
        entry.complain(("inputs", name, "shape"), "this shape does not fit the domain", wanted)
    if domain.below in form_inputs:
        entry.complain(steps, f"{domain.below!r} is an input", "a dimension, as in index(n)")
    discrete = domain.kind in DISCRETE
    if discrete and form.differentiable:
        entry.complain(("inputs", name, "differentiable"), f"an input of domain {domain.kind!r} has no derivative")
    differentiable = not discrete if form.differentiable is None else form.differentiable
    return Input(name, keyed(form.shape, name), form.dtype, domain, differentiable)


def _function(entry: Entry, form: schema.Function, names: set[str]) -> _Function | None:
    if form.value is not None and form.code is not None:
        entry.complain_key(("code",), "both a value and code are given", "one of them")
        return None
    if form.code is not None:
        return _from_code(entry, form.code, names)
    if isinstance(form.value, dict):
        return _from_many(entry, form.value, names)
    if form.value is None:
        entry.complain_missing((), "neither a value nor code is given", "one of them")
        return None
    program = entry.formula(("value",), form.value, names)
    return _Function(program, VALUE) if program else None


def _from_code(entry: Entry, text: str, names: set[str]) -> _Function | None:
    program = entry.code(("code",), text, names)
    if program is None:
        return None
    outputs, reason, line = outputs_of(program)
    if reason:
        entry.complain_inside(("code",), line, reason)
        return None
    good = [_check_output(entry, ("code",), name, names) for name in outputs if outputs != VALUE]
    return _Function(program, outputs) if all(good) else None


def _from_many(entry: Entry, formulas: dict[str, str], names: set[str]) -> _Function | None:
    if not formulas:
        entry.complain(("value",), "no output is named", "at least one")
        return None
    good = [_check_output(entry, ("value", name), name, names) for name in formulas]
    parts = [entry.formula(("value", name), text, names) for name, text in formulas.items()]
    if not all(good) or not all(parts):
        return None
    text = "{" + ", ".join(f'"{name}": ({formula.strip()}\n)' for name, formula in formulas.items()) + "}"
    return _Function(parse_formula(text, names), tuple(formulas))


def _check_output(entry: Entry, steps: tuple[str, ...], name: str, names: set[str]) -> bool:
    reason = "is an input or a dimension already" if name in names else why_not_an_input(name)
    if reason:
        entry.complain_key(steps, f"the output name {name[:60]!r} {reason}")
    return not reason


def _kinks(
    entry: Entry, form: schema.Function, inputs: tuple[Input, ...], names: set[str]
) -> tuple[KinkConvention, ...]:
    kinks = []
    known = [i.name for i in inputs if i.differentiable]
    for text, formulas in form.at_kinks.items():
        condition = entry.condition(("at_kinks", text), names)
        values = {}
        for name, formula in formulas.items():
            if name not in known:
                entry.complain_key(
                    ("at_kinks", text, name), f"{name[:60]!r} is not a differentiable input",
                    "one of " + ", ".join(known), did_you_mean(name, known),
                )  # fmt: skip
            values[name] = entry.formula(("at_kinks", text, name), formula, names)
        sound = {name: value for name, value in values.items() if value is not None}
        if condition and len(sound) == len(values):
            kinks.append(KinkConvention(condition, sound, entry.at_key("at_kinks", text)))
    return tuple(kinks)


def _implementations(entry: Entry, form: schema.Function) -> tuple[Implementation, ...]:
    given = form.implementations
    if given is None:
        return ()
    found = []
    for backend in ("torch", "jax", "numpy"):
        code = getattr(given, backend)
        place = entry.at_key("implementations", backend)
        if isinstance(code, str):
            found.append(Implementation(backend, code, None, None, place))
        elif code is not None:
            found.append(Implementation(backend, code.value, code.vjp, code.jvp, place))
    if not found:
        entry.complain_missing(("implementations",), "no implementation is named", "one of torch, jax, numpy")
    return tuple(found)


def _known(entry: Entry, form: schema.Function) -> tuple[Known, ...]:
    found = []
    for witness, deviation in form.known.items():
        if not any(witness == word or witness.startswith(word + " ") for word in WITNESSES):
            entry.complain_key(
                ("known", witness), f"{witness[:60]!r} is not a witness", "one of " + ", ".join(WITNESSES),
                did_you_mean(witness, WITNESSES),
            )  # fmt: skip
        found.append(Known(witness, deviation.verdict, deviation.reason, entry.at_key("known", witness)))
    return tuple(found)
