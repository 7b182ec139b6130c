"""What changes where numbers are complex?

A function that is complex-analytic has the same slope as on the real line. One that is not (conj, abs, real …) moves by
dy = a dz + b conj(dz), with its row's Wirtinger pair (a, b), the partial derivatives by z and by its conjugate; then
Re(ct dy) = Re((ct a + conj(ct b)) dz). A real input takes the real part of what comes to it.
Source: Kreutz-Delgado, "The complex gradient operator and the CR-calculus" (2009).
"""

from __future__ import annotations

from typing import Any

from gradcheck.expr.primitive import Namespace, Value
from gradcheck.expr.rules import is_complex


def settled(rules: Namespace, ct: Value, data: Value) -> Value:
    """The cotangent of the leaf `data` as people see it: conjugated, and complex where the leaf is."""
    if not is_complex(data):
        return ct
    return rules.conj(ct) if is_complex(ct) else rules.add(ct, 0j)


def conjugated(rules: Namespace, ct: Value) -> Value:
    """The conjugate; real numbers as they are."""
    return rules.conj(ct) if is_complex(ct) else ct


def real_part(rules: Namespace, value: Value) -> Value:
    """The real part; real numbers as they are."""
    return rules.real(value) if is_complex(value) else value


def pulled(rules: Namespace, pair: Any, ct: Value, y: Value, raw: Any) -> Value:
    """The cotangent of one complex input."""
    a, b = (part(rules, y, *raw) if callable(part) else part for part in pair)
    return rules.add(rules.multiply(ct, a), rules.conj(rules.multiply(ct, b)))


def pushed(base: Namespace, pair: Any, y: Value, raw: Any, tangent: Value) -> Value:
    """How y moves with one complex input: a dz + b conj(dz), real where y is."""
    a, b = (part(base, y, *raw) if callable(part) else part for part in pair)
    moved = base.add(base.multiply(a, tangent), base.multiply(b, base.conj(tangent)))
    return moved if is_complex(y) else real_part(base, moved)
