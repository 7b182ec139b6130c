"""How does a reader see one wrong number of millions? The point is drawn again from its seed, not written out."""

from __future__ import annotations

from typing import Any

from gradcheck.cases.large import Point
from gradcheck.judge.cells import Seen
from gradcheck.report.naming import Code
from gradcheck.report.reproduce_words import Door

Shape = tuple[int, ...]


def drawn(seen: Seen) -> str:
    """Where it is, in words."""
    sizes = ", ".join(f"{name} of {told}" for name, told in seen.inputs.items())
    point: Point = seen.beside["point"]
    return f"  at {seen.place}, {sizes} ({point.origin}, from seed {point.seed}), cotangents of {seen.cotangent}"


def large_lines(door: Door, code: Code, seen: Seen, right: str) -> list[str]:
    """Statements that draw the point and print the number beside the right one; none where no text can be made."""
    point: Point = seen.beside["point"]
    if not point.drawn or code.complex:  # a sampler of the caller's draws it
        return []
    count = len(point.drawn)
    which = [*seen.inputs].index(seen.input)
    lines = ["; ".join(point.text())]
    made = door.sequence([door.given(f"x[{k}]") for k in range(count)], code.moving)
    if seen.beside["rule"] == "jvp":
        if len(code.moving) > 1:
            return []
        index = ", ".join(map(str, seen.index))
        first, tangent = door.pushed(code, [(which, door.given("t"))])
        step = f"t = np.zeros({point.drawn[which].shape}, x[{which}].dtype); t[{index}] = 1"
        lines += [f"inputs = {made}; {step}", *first, f'print(float({tangent}), "should be", {right})']
    else:
        ct = door.cotangent(code, [door.given(_cotangent(seen, k)) for k in range(len(seen.beside["shapes"]))])
        number = f"float({door.gradient(code, which, seen.got == 0)}{list(seen.index) or ''})"
        lines += [f"inputs = {made}; ct = {ct}", f'print({number}, "should be", {right})']
    text = "\n".join(lines)
    place = [door.placed(code.device)] if code.device else []
    imports = "; ".join(dict.fromkeys(["import numpy as np", *door.imports, *code.imports(text), *place]))
    return [f"to see it, {code.where(text)}:", f"  {imports}", *(f"  {line}" for line in lines)]


def _cotangent(seen: Seen, k: int) -> str:
    shape, dtype = seen.beside["shapes"][k], seen.beside["dtypes"][k]
    typed = "" if dtype == "float64" else f", {dtype!r}"
    if seen.beside["tossed"] is None:
        return f"np.ones({shape}{typed})"
    size = 1
    for d in shape:
        size *= d
    seed: Any = [*seen.beside["tossed"], k]
    bits = f"np.unpackbits(np.frombuffer(np.random.default_rng({seed}).bytes({-(-size // 8)}), np.uint8), count={size})"
    return f"(2 * {bits}.astype({dtype!r}) - 1).reshape({shape})"
