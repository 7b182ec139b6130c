"""How does a reader see a failure with own eyes? A few lines of PyTorch, JAX or NumPy, without gradcheck, as pasted.

They print the wrong number beside the right one: of code under test by calling it, of a claim by its formula, with a
difference quotient of the function below, where a plain one is good enough to side with the right number.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases import outputs
from gradcheck.oracles.inquiry import claimed
from gradcheck.oracles.layouts import Placed, arguments, placed
from gradcheck.run.failures.numpy_words import words_for
from gradcheck.spec import Case, Claim, ClaimKind, Implementation, Input
from gradcheck.spec.domains import DISCRETE

Array = NDArray[np.float64]
STEP = 1e-6  # of a plain difference quotient, in sizes of the number
KINDS = {"vjp", "jvp", "value", "hess", "hvp"}
TAKEN = {"np", "torch", "jax", "jnp", "sys", "f", "got", "value", "step", "h"}


@dataclass(frozen=True, slots=True)
class Shown:
    """What is to be seen at a case of one point.

    witness: who is wrong, "implementation:torch reverse", or any other for the claim. wrong: its number, None where it
    has none there (another shape); right: the right one, None where nobody knows it. kink: whether several derivatives
    meet at the point.
    """

    quantity: str
    index: tuple[int, ...]
    witness: str
    wrong: float | None
    right: float | None
    kink: bool = False


def as_python(case: Case, shown: Shown, path: Sequence[str] = ()) -> list[str]:
    """The lines; none where they would not be few. path: folders that the code under test is imported from."""
    kind = shown.quantity.partition(":")[0].partition("[")[0]
    if kind not in KINDS:
        return []
    name = shown.witness.partition(" ")[0].removeprefix("implementation:")
    tested = next((i for i in case.spec.implementations if shown.witness.startswith("imp") and i.backend == name), None)
    if tested is None:
        return _claim(case, shown)
    made = {"torch": _torch, "jax": _jax, "numpy": _numpy}[tested.backend](case, shown.quantity, tested)
    if made is None:
        return []
    imports, body, got = made
    references = [r for r in (tested.value, tested.vjp, tested.jvp) if r and f"{_called(r)}(" in "\n".join(body)]
    where = [line for reference in references for line in _found(reference, path)]
    head = [*imports, *dict.fromkeys(where), "", *body]
    if shown.wrong is None:
        shape = case.inputs[shown.quantity.partition(":")[2]][0].shape if kind == "vjp" else None
        return [] if shape is None else [*head, f'print(tuple({got}.shape), "should be the shape", {shape})']
    return [*head, _printed(f"{got}{_at(shown.index)}", shown)]


def _printed(number: str, shown: Shown) -> str:
    if shown.right is not None:
        return f'print(float({number}), "should be", {_number(shown.right)})'
    return (
        f'print(float({number}), "belongs to none of the derivatives that meet here")'
        if shown.kink
        else f"print(float({number}))"
    )


def _number(value: float) -> str:
    return repr(float(value)) if np.isfinite(value) else f"float({str(float(value))!r})"


def _at(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]" if index else ""


def _list(array: Any) -> str:
    return repr(np.asarray(array, dtype=float).tolist())


def _written(case: Case, i: Input) -> str:
    """The numbers of an input, whole ones without a point: they may be an index."""
    numbers = case.inputs[i.name][0]
    whole = i.domain.kind in DISCRETE and bool((numbers == np.trunc(numbers)).all())
    return repr(numbers.astype(int).tolist()) if whole else _list(numbers)


def _called(reference: str) -> str:
    """The expression that a reference is once it is imported."""
    name = reference.partition(":")[2]
    top, dot, rest = name.partition(".")
    return (f"my_{top}" if top in TAKEN else top) + dot + rest


def _found(reference: str, path: Sequence[str]) -> list[str]:
    """The statements that import it; before them the folder it lies in, where Python would not look there."""
    module, _, name = reference.partition(":")
    top = name.partition(".")[0]
    alias = f" as my_{top}" if top in TAKEN else ""
    first = module.partition(".")[0]
    homes = [Path(f) for f in path if (Path(f) / f"{first}.py").exists() or (Path(f) / first).is_dir()]
    folder = [os.path.relpath(h) if h.resolve().is_relative_to(Path.cwd()) else str(h) for h in homes[:1]]
    return [*(f"import sys; sys.path.append({f!r})" for f in folder if f != "."), f"from {module} import {top}{alias}"]


def _laid(case: Case) -> tuple[dict[str, Placed], list[Placed]]:
    """The inputs by their names, and the cotangents, as they lie in memory."""
    found = arguments(case, 0)
    count = len(case.inputs)
    return dict(zip(case.inputs, found[:count], strict=True)), found[count:]


def _dense(one: Placed) -> bool:
    """Whether the numbers lie one behind the other, from the first on."""
    return one.strides == placed([one.numbers], [], None)[0].strides and one.buffer.size == one.numbers.size


def _ndarray(one: Placed, case: Case) -> str:
    if one.twin >= 0:
        return list(case.inputs)[one.twin]
    dtype = "" if case.dtype == "float64" or one.dtype else f", dtype=np.{case.dtype}"
    if _dense(one):
        return f"np.array({_numbers(one, one.buffer.reshape(one.numbers.shape))}{dtype})"
    size = np.dtype(one.dtype or case.dtype).itemsize
    strides = tuple(size * s for s in one.strides)
    row = f"np.array({_numbers(one, one.buffer)}{dtype})[{one.offset}:]"
    return f"np.lib.stride_tricks.as_strided({row}, {one.numbers.shape}, {strides})"


def _numbers(one: Placed, array: Any) -> str:
    """Numbers as a list: whole ones and truth values as such."""
    return repr(np.asarray(array).astype(one.dtype).tolist()) if one.dtype else _list(array)


def _tensor(one: Placed, case: Case, grad: str = "") -> str:
    if one.twin >= 0:
        return f"{list(case.inputs)[one.twin]}.detach(){'.requires_grad_()' if grad else ''}"
    dtype = f"dtype=torch.{one.dtype or case.dtype}"
    if any(s < 0 for s in one.strides):
        return f"torch.tensor({_numbers(one, one.numbers)}, {dtype}{grad})"
    if _dense(one):
        return f"torch.tensor({_numbers(one, one.buffer.reshape(one.numbers.shape))}, {dtype}{grad})"
    view = f"as_strided({one.numbers.shape}, {one.strides}, {one.offset})"
    return f"torch.tensor({_numbers(one, one.buffer)}, {dtype}).{view}{'.requires_grad_()' if grad else ''}"


Made = tuple[list[str], list[str], str]  # imports, statements, and the expression of the array that holds the number


def _torch(case: Case, quantity: str, tested: Implementation) -> Made | None:
    kind, _, of = quantity.partition(":")
    inputs, cotangents = _laid(case)
    body = [
        f"{n} = {_tensor(one, case, ', requires_grad=True' if n in case.tangents else '')}" for n, one in inputs.items()
    ]
    body.append(f"value = {_called(tested.value)}({', '.join(case.inputs)})")
    if kind.startswith("value"):
        return ["import torch"], body, f"value{_output(case, quantity)}"
    if kind != "vjp":
        return None
    cts = [_tensor(one, case) for one in cotangents]
    ct = cts[0] if len(cts) == 1 else f"({', '.join(cts)})"
    return ["import torch"], [*body, f"got = torch.autograd.grad(value, {of}, {ct})[0]"], "got"


def _jax(case: Case, quantity: str, tested: Implementation) -> Made | None:
    kind, _, of = quantity.partition(":")
    imports = ["import jax, jax.numpy as jnp", 'jax.config.update("jax_enable_x64", True)']
    inputs, _ = _laid(case)
    body = [
        f'{n} = jnp.array({_numbers(one, one.numbers)}, dtype="{one.dtype or case.dtype}")' for n, one in inputs.items()
    ]
    call = f"{_called(tested.value)}({', '.join(case.inputs)})"
    if kind.startswith("value"):
        return imports, [*body, f"value = {call}"], f"value{_output(case, quantity)}"
    if kind != "vjp":
        return None
    cts = [f'jnp.array({_list(a[0])}, dtype="{case.dtype}")' for a in case.cotangents.values()]
    ct = cts[0] if len(cts) == 1 else f"({', '.join(cts)})"
    return imports, [*body, f"got = jax.vjp(lambda {of}: {call}, {of})[1]({ct})[0]"], "got"


def _numpy(case: Case, quantity: str, tested: Implementation) -> Made | None:
    kind, _, of = quantity.partition(":")
    kind = kind.partition("[")[0]
    inputs, cotangents = _laid(case)
    body = [f"{n} = {_ndarray(one, case)}" for n, one in inputs.items()]
    rule = {"value": tested.value, "vjp": tested.vjp, "jvp": tested.jvp}.get(kind)
    if rule is None:
        return None
    tangents = placed([a[0] for a in case.tangents.values()], [], None)
    more = cotangents if kind == "vjp" else tangents if kind == "jvp" else []
    arguments = [*case.inputs, *(_ndarray(one, case) for one in more)]
    body.append(f"got = {_called(rule)}({', '.join(arguments)})")
    if kind == "value":
        return ["import numpy as np"], body, f"got{_output(case, quantity)}"
    each = list(case.inputs).index(of) if kind == "vjp" and len(case.inputs) > 1 else None
    return ["import numpy as np"], body, "np.asarray(got)" if each is None else f"np.asarray(got[{each}])"


def _output(case: Case, quantity: str) -> str:
    """Which of several outputs a value is."""
    name = re.fullmatch(r"value\[(\w+)\]", quantity)
    return f"[{list(case.cotangents).index(name[1])}]" if name else ""


def _claim(case: Case, shown: Shown) -> list[str]:
    """The claimed number, and a difference quotient of the function, both from the formulas as they are written."""
    spec, plain = case.spec, shown.quantity.partition("|")[0]
    stated = next((claim for claim, name in claimed(spec) if name == shown.quantity), None)
    if (stated is None and plain != "value") or len(spec.outputs) > 1 or (spec.kinks and shown.kink):
        return []  # at a kink a declared convention stands for the formula
    texts = [spec.function.text, *([stated.program.text] if stated else [])]
    words = words_for(texts, [*case.inputs, *case.sizes])
    if words is None or {*case.inputs, *case.sizes} & TAKEN:
        return []
    body = [f"{n} = {size}" for n, size in case.sizes.items() if re.search(rf"\b{n}\b", "\n".join(texts))]
    body += [f"{i.name} = np.array({_written(case, i)})" for i in spec.inputs]
    head = ["import numpy as np", *words, "", *_defined(case), "", *body]
    value = f"value = f({', '.join(case.inputs)})"
    if stated is None:
        return [*head, value, _printed(f"np.asarray(value){_at(shown.index)}", shown)]
    of, ct = plain.partition(":")[2], next(iter(case.cotangents.values()))[0]
    if stated.kind is ClaimKind.DERIVATIVE and case.inputs[of][0].shape != ct.shape:
        return []  # it would have to be summed over what was broadcast
    directions = [f"ct = np.array({_list(ct)})"] if plain.startswith(("vjp", "hvp", "hess")) else []
    if not plain.startswith("vjp"):
        directions += [f"t_{n} = np.array({_list(a[0])})" for n, a in case.tangents.items()]
    number = f"np.asarray({_applied(stated, ' '.join(stated.program.text.split()))}){_at(shown.index)}"
    return [*head, *directions, value, _printed(number, shown), *_quotient(case, shown)]


def _defined(case: Case) -> list[str]:
    """The function as a Python function."""
    text = case.spec.function.text
    lines = text.rstrip().split("\n") if case.spec.function.code else [f"return {' '.join(text.split())}"]
    return [f"def f({', '.join(case.inputs)}):", *(f"    {line}" for line in lines)]


def _applied(claim: Claim, text: str) -> str:
    """A claim's formula, applied to the cotangent or the tangent."""
    if claim.kind in (ClaimKind.GRADIENT, ClaimKind.DERIVATIVE, ClaimKind.HVP):
        return f"ct * ({text})"
    if claim.kind is ClaimKind.JACOBIAN:
        return f"np.tensordot(ct, {text}, ct.ndim)"
    if claim.kind is ClaimKind.HESSIAN:
        return f"ct * np.tensordot({text}, t_{claim.of}, t_{claim.of}.ndim)"
    return text


def _quotient(case: Case, shown: Shown) -> list[str]:
    """A plain difference quotient of the same number, where it is nearer to the right one by far than to the wrong."""
    kind, _, of = shown.quantity.partition("|")[0].partition(":")
    if kind not in ("vjp", "jvp") or shown.right is None or shown.wrong is None:
        return []
    steps = {n: np.zeros_like(a[0]) for n, a in case.inputs.items()}
    if kind == "vjp":
        h = STEP * max(1e-3, abs(float(case.inputs[of][0][shown.index])))
        steps[of][shown.index] = 1.0
        words = f"step = np.zeros({steps[of].shape}); step[{', '.join(map(str, shown.index)) or '()'}] = {h:g}"
        up, down = (", ".join(f"{n} {sign} step" if n == of else n for n in case.inputs) for sign in "+-")
        number = f"(ct * (f({up}) - f({down}))).sum() / {2 * h:g}"
    else:
        h = STEP * max(1e-3, *(float(np.abs(a).max(initial=0.0)) for a in case.inputs.values()))
        steps |= {n: t[0] for n, t in case.tangents.items()}
        words = f"h = {h:g}"
        up, down = (
            ", ".join(f"{n} {sign} h * t_{n}" if n in case.tangents else n for n in case.inputs) for sign in "+-"
        )
        number = f"np.asarray((f({up}) - f({down})) / (2 * h)){_at(shown.index)}"
    found = _measured(case, kind, steps, h, shown.index)
    if not abs(found - shown.right) < 0.25 * abs(shown.wrong - shown.right):
        return []
    return [words, f'print(float({number}), "by a difference quotient")']


def _measured(case: Case, kind: str, steps: dict[str, Array], h: float, index: tuple[int, ...]) -> float:
    """What the quotient gives."""
    up, down = ({n: a + sign * h * steps[n][None] for n, a in case.inputs.items()} for sign in (1, -1))
    with np.errstate(all="ignore"):
        high, low = (outputs(case.spec, moved, case.sizes)[case.spec.outputs[0]][0] for moved in (up, down))
        slope = (high - low) / (2 * h)
        return float((next(iter(case.cotangents.values()))[0] * slope).sum() if kind == "vjp" else slope[index])
