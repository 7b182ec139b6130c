"""How are sums and products of unknowns compared? As polynomials with exact coefficients.

A monomial counts its atoms: keys of whatever is no sum or product. An atom in a denominator is an atom of its own, so
that `x*y/y` is not `x`: nothing is cancelled that may be zero. A coefficient of zero takes its monomial away only where
all atoms are plain names, which are finite.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

MOST_TERMS = 64
Atom = tuple[str, int]  # a key, and +1 or -1: above or below the fraction's line
Monomial = tuple[tuple[Atom, int], ...]  # sorted, with how often each atom comes


@dataclass(frozen=True, slots=True)
class Polynomial:
    """Coefficients by monomial; no terms: zero."""

    terms: tuple[tuple[Monomial, Fraction], ...] = ()

    @property
    def key(self) -> str:
        """The same text for the same polynomial."""
        return " + ".join(f"{coefficient}{_written(monomial)}" for monomial, coefficient in self.terms) or "0"

    @property
    def content(self) -> Fraction:
        """The coefficient of the first monomial (1 of zero): divided by it, multiples of one another are the same."""
        return next((c for _, c in self.terms if c), Fraction(1))

    def scaled(self, factor: Fraction) -> Polynomial:
        """Times a number."""
        return _collected([(monomial, c * factor) for monomial, c in self.terms])

    @property
    def primitive(self) -> Polynomial:
        """Without its content."""
        return self.scaled(1 / self.content)

    def __add__(self, other: Polynomial) -> Polynomial:
        return _collected([*self.terms, *other.terms])

    def minus(self, other: Polynomial) -> Polynomial:
        """The difference."""
        return self + other.scaled(Fraction(-1))

    def __mul__(self, other: Polynomial) -> Polynomial:
        if len(self.terms) * len(other.terms) > MOST_TERMS:
            return self._bracket() * other._bracket()
        pairs = [(_joined(m, k), c * d) for m, c in self.terms for k, d in other.terms]
        if not pairs and (self.terms or other.terms):  # zero times something that may be infinite
            rest = self if self.terms else other
            pairs = [(m, Fraction(0)) for m, _ in rest.terms]
        return _collected(pairs)

    def reciprocal(self) -> Polynomial:
        """One over it: turned over where it is a single term, else an atom below the line."""
        if len(self.terms) == 1 and self.content and self.terms[0][1]:
            ((monomial, coefficient),) = self.terms
            turned = tuple(sorted(((key, -side), count) for (key, side), count in monomial))
            return Polynomial(((turned, 1 / coefficient),))
        return Polynomial((((((f"({self.primitive.key})", -1), 1),), 1 / self.content),))

    def power(self, exponent: int) -> Polynomial:
        """A whole power of it."""
        if exponent < 0:
            return self.power(-exponent).reciprocal()
        base = self if len(self.terms) == 1 else self._bracket()
        found = number(1)
        for _ in range(exponent):
            found = found * base
        return found

    def _bracket(self) -> Polynomial:
        """The polynomial as one atom, but for its content."""
        return self if len(self.terms) < 2 else atom(f"({self.primitive.key})").scaled(self.content)


def number(value: Fraction | int) -> Polynomial:
    """A number."""
    return Polynomial((((), Fraction(value)),)) if value else Polynomial()


def atom(key: str) -> Polynomial:
    """An unknown."""
    return Polynomial((((((key, 1), 1),), Fraction(1)),))


def _collected(pairs: list[tuple[Monomial, Fraction]]) -> Polynomial:
    found: dict[Monomial, Fraction] = {}
    for monomial, coefficient in pairs:
        found[monomial] = found.get(monomial, Fraction(0)) + coefficient
    return Polynomial(tuple(sorted((m, c) for m, c in found.items() if c or not _finite(m))))


def _finite(monomial: Monomial) -> bool:
    """Whether all atoms are plain names above the line: numbers of the domain."""
    return all(side > 0 and key.isidentifier() for (key, side), _ in monomial)


def _joined(a: Monomial, b: Monomial) -> Monomial:
    counts = dict(a)
    for which, count in b:
        counts[which] = counts.get(which, 0) + count
    return tuple(sorted(counts.items()))


def _written(monomial: Monomial) -> str:
    return "".join(
        f"*{key}" if (side, count) == (1, 1) else f"*{key}^{side * count}" for (key, side), count in monomial
    )
