"""How is the answer about somebody's callable told? In eight lines: what, where, the right number, how to see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from gradcheck.cases.arguments import PLAIN, Form
from gradcheck.judge.cells import FAILING, REMARKS, CellFinding, Kind, Seen
from gradcheck.judge.finding import Verdict
from gradcheck.run.check import Checked, sizes_text

LONG = 200  # characters of an array above which its snippet takes a line of its own


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """What `gradcheck.check` found. `bool(result)` and `.passed` say whether the derivative passes; `str(result)` why.

    findings: one or more a cell. power: the smallest relative error of a gradient that would have been caught
    ("median" over all numbers, "worst": all but the widest 1 %), None where no slope was measured. complex_inputs: the
    names of those whose last index is 0 for a real part and 1 for an imaginary one; complex_outputs: as cotangents are.
    """

    name: str
    checked: Checked
    door: str = "numpy"
    form: Form = PLAIN  # how its arrays lie in its arguments
    complex_inputs: frozenset[str] = frozenset()

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong, and something was witnessed."""
        return self.checked.standing.passed

    @property
    def verdict(self) -> Verdict:
        """AGREES, INACCURATE, DISAGREES, CRASHED or UNWITNESSED."""
        return self.checked.standing.verdict

    @property
    def findings(self) -> tuple[CellFinding, ...]:
        """Everything found, cell by cell."""
        return self.checked.findings

    @property
    def power(self) -> Mapping[str, float] | None:
        """The smallest relative errors that would have been caught."""
        return self.checked.power

    @property
    def remarks(self) -> tuple[CellFinding, ...]:
        """Findings that do not fail by default: lost digits, NaN at kinks, faults outside the limits, what is meant."""
        return tuple(f for f in self.findings if f.kind in (*REMARKS, Kind.MEANT))

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(f.cell)}</td><td>{escape(f.kind)}</td><td>{f.compared}</td>"
            f"<td>{escape(f.sentence)}</td></tr>"
            for f in self.findings
        )
        head = "<tr><th>cell</th><th></th><th>compared</th><th></th></tr>"
        return f"<pre>{escape(str(self))}</pre><table>{head}{rows}</table>"


def _lines(result: Result) -> list[str]:
    standing = result.checked.standing
    finding = standing.decisive
    if not result.passed and finding is not None:
        lines = [f"{result.name}: {result.verdict} in {finding.cell}: {finding.sentence}"]
        if finding.seen is not None:
            lines += _shown(result, finding.seen)
    else:
        lines = [f"{result.name}: {_headline(result)}"]
    lines += ["", f"{_counts(result)}"]
    told = None if result.passed else finding
    lines += [f"  {f.cell}: {f.kind}: {f.sentence}" for f in result.findings if _worth(f, told)]
    silent = [f for f in result.findings if f.kind in (Kind.SILENT, Kind.UNMEASURED)]
    if silent:
        lines.append("not asked or not decided: " + "; ".join(f"{f.cell} ({f.sentence})" for f in silent))
    return lines + [f"note: {n}" for n in result.checked.notes]


def _worth(finding: CellFinding, told: CellFinding | None) -> bool:
    return finding is not told and finding.kind in FAILING | {*REMARKS, Kind.MEANT}


def _headline(result: Result) -> str:
    if not result.passed:
        return f"{result.verdict}: {result.checked.standing.sentence}"
    power = result.power
    caught = f"; a relative error of {power['median']:.1g} would have been seen" if power else ""
    remarks = len(result.remarks)
    more = f", with {remarks} {'remark' if remarks == 1 else 'remarks'}" if remarks else ""
    meant = any(f.kind is Kind.MEANT for f in result.findings)
    passes = "the gradient is the one that was meant" if meant else "the derivative passes"
    return f"{result.verdict}: {passes}{more}{caught}"


def _counts(result: Result) -> str:
    checked = result.checked
    right = [f.cell for f in result.findings if f.kind is Kind.RIGHT]
    sizes = f" ({sizes_text(checked.shapes)})" if sizes_text(checked.shapes) else ""
    return f"{checked.points} points{sizes}, {checked.calls} calls; right: {', '.join(right) or 'nothing'}"


def _shown(result: Result, seen: Seen) -> list[str]:
    """Where, the two numbers, and a snippet."""
    index, part = _indexed(result, seen)
    where = f"{seen.input}{list(index)}, its {part} part" if part else seen.place
    inputs, cotangents = _complexed(result, seen)
    at = ", ".join(f"{n} = {_text(v)}" for n, v in inputs.items())
    lines = [f"  at {where}, point {at} ({seen.origin})"]
    lines.append(f"  cotangent {_text(cotangents if seen.several else cotangents[0])}")
    if seen.whose:
        lines.append(f"  got {seen.got!r}; right: {seen.right!r} ± {seen.bar:.1g} by {seen.whose}")
    return lines + _snippet(result, seen)


def _text(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONG else text[: LONG - 3] + "..."


def _snippet(result: Result, seen: Seen) -> list[str]:
    """Python that shows the number, with the caller's own function or rule."""
    if result.door not in SNIPPETS:  # the caller's own objects, of which no text can be made
        return []
    which = list(seen.inputs).index(seen.input)
    inputs, cotangents = _complexed(result, seen)
    lines = SNIPPETS[result.door](list(inputs.values()), cotangents, which, result.form)
    whose = "with your vjp" if result.door == "numpy" else "with your function as fn"
    return [f"  to see it, {whose}:", *(f"    {line}" for line in [*lines[:-1], *_printed(result, lines[-1], seen)])]


def _printed(result: Result, gradient: str, seen: Seen) -> list[str]:
    """Python that prints the number, given what computes the gradient."""
    places, part = _indexed(result, seen)
    if part:
        return [f"print({gradient}{list(places) or ''}.{part[:4]})"]  # .real or .imag
    if not seen.along:
        return [f"print({seen.terms(gradient)})"]
    return [f"g = {gradient}; print({seen.terms('g')})"]


def _indexed(result: Result, seen: Seen) -> tuple[tuple[int, ...], str]:
    """The element, and which part of it where it is complex."""
    if seen.input not in result.complex_inputs or not seen.index:
        return seen.index, ""
    return seen.index[:-1], ("real", "imaginary")[seen.index[-1]]


def _complexed(result: Result, seen: Seen) -> tuple[dict[str, Any], list[Any]]:
    """The point, and the cotangent of each output, with complex numbers instead of pairs."""
    inputs = {n: _joined_pairs(x) if n in result.complex_inputs else x for n, x in seen.inputs.items()}
    cotangents = list(seen.cotangent) if seen.several else [seen.cotangent]
    kinds = result.checked.complex_outputs or (False,) * len(cotangents)
    return inputs, [_joined_pairs(c) if k else c for c, k in zip(cotangents, kinds, strict=True)]


def _joined_pairs(nested: Any) -> Any:
    pairs = np.asarray(nested, dtype=float)
    return (pairs[..., 0] + 1j * pairs[..., 1]).tolist()


def _numpy(inputs: list[Any], cts: list[Any], which: int, form: Form) -> list[str]:
    comma = "," if len(inputs) == 1 else ""
    arguments = "inputs" if form.plain else f"({form.text(words=False)},)"
    return [
        f"import numpy as np; inputs = ({', '.join(map(_array, inputs))}{comma})",
        f"vjp({arguments}, {_joined([_array(c) for c in cts])}){f'[{which}]' if form.plain else form.path(which)}",
    ]


def _torch(inputs: list[Any], cts: list[Any], which: int, form: Form) -> list[str]:
    numbers = [f"torch.tensor({_number(c)}{_real(c)})" for c in cts]
    tensors = ", ".join(f"torch.tensor({_number(x)}{_real(x)})" for x in inputs)
    return [
        f"import torch; inputs = [{tensors}]; x = inputs[{which}].requires_grad_()",
        f"torch.autograd.grad(fn({form.text()}), x, {_joined(numbers)})[0]",
    ]


def _jax(inputs: list[Any], cts: list[Any], which: int, form: Form) -> list[str]:
    before, after = "".join(f"inputs[{k}], " for k in range(which)), f", *inputs[{which + 1}:]"
    numbers = [f"jnp.array({_number(c)})" for c in cts]
    arrays = ", ".join(f"jnp.array({_number(x)})" for x in inputs)
    call = f"fn({before}x{after})" if form.plain else f"(lambda *inputs: fn({form.text()}))({before}x{after})"
    return [
        f"import jax; import jax.numpy as jnp; jax.config.update('jax_enable_x64', True); inputs = [{arrays}]",
        _conjugated(f"jax.vjp(lambda x: {call}, inputs[{which}])[1]", numbers, inputs, cts),
    ]


def _conjugated(pull: str, numbers: list[str], inputs: list[Any], cts: list[Any]) -> str:
    """The pullback's answer; for complex numbers in PyTorch's convention, the conjugate of JAX's."""
    if not any(np.iscomplexobj(v) for v in (*inputs, *cts)):
        return f"{pull}({_joined(numbers)})[0]"
    return f"jnp.conj({pull}({_joined([f'jnp.conj({n})' for n in numbers])})[0])"


SNIPPETS: Mapping[str, Callable[[list[Any], Any, int, Form], list[str]]] = {
    "numpy": _numpy,
    "torch": _torch,
    "jax": _jax,
}


def _joined(texts: list[str]) -> str:
    """One, or a tuple of several."""
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _real(x: Any) -> str:
    return {"f": ", dtype=torch.float64", "c": ", dtype=torch.complex128"}.get(np.asarray(x).dtype.kind, "")


def _number(x: Any) -> str:
    return repr(x).replace("nan", "float('nan')").replace("inf", "float('inf')")


def _array(value: Any) -> str:
    text = repr(value)
    return f"np.array({text.replace('nan', 'np.nan').replace('inf', 'np.inf')})"
