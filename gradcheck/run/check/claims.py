"""What does a caller say of the gradient: as the rule under test, or beside code that has its own?

A rule is a function of NumPy arrays or formulas of the language, a vjp or the gradient of one number; beside code it
may also be another implementation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradcheck.cases.given import Given, dimensions
from gradcheck.errors import UsageError
from gradcheck.expr import Program, parse_formula
from gradcheck.oracles.balls.stated import Formulas
from gradcheck.oracles.blackbox.asked import Handwritten, Inputs, Subject
from gradcheck.run.check.stated import Stated

Claim = Callable[..., Any] | Mapping[str, str] | str | None
OUTPUTS = 10  # outputs whose cotangents formulas may name, ct_0 … ct_9


@dataclass(frozen=True, slots=True)
class Claims:
    """The inputs that claims are about: their names, those that move, and how they are declared (not a sampler's)."""

    names: Sequence[str]
    moving: tuple[int, ...]
    givens: Sequence[Given]

    def rule(self, vjp: Claim, gradient: Claim) -> Callable[..., Any]:
        """The rule under test, (inputs, ct) -> gradients. Raises UsageError where there is not just one."""
        if vjp is not None and gradient is not None:
            raise UsageError("vjp and gradient are two claims; give one of them")
        if vjp is None and gradient is None:
            raise UsageError("with backend='numpy' the derivative is given: vjp=, or gradient= of a scalar function")
        claim, name = (vjp, "vjp") if vjp is not None else (gradient, "gradient")
        if isinstance(claim, str | Mapping):
            formulas = self._formulas(claim, name, lambda inputs: ())
            return lambda inputs, ct: formulas.vjp(inputs, ct if isinstance(ct, tuple) else (ct,))
        if not callable(claim):
            raise UsageError(f"{name}: a function of the inputs, or formulas, are expected")
        return claim if name == "vjp" else _scaled(claim)

    def beside(
        self, subject: Subject, vjp: Claim, gradient: Claim, meant: Claim, reference: Subject | None
    ) -> Stated | None:
        """What is stated beside a subject, if anything is. Raises UsageError where there are several such things."""
        said = {"vjp": vjp, "gradient": gradient, "meant": meant, "reference": reference}
        given = [name for name, claim in said.items() if claim is not None]
        if not given:
            return None
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)} are {len(given)} claims; give one of them")
        if reference is not None:
            return Stated(reference, meant=False, values=True)
        name, claim = given[0], said[given[0]]
        if isinstance(claim, str | Mapping):
            return Stated(self._formulas(claim, name, subject.value), name == "meant")
        if not callable(claim):
            raise UsageError(f"{name}: a function of NumPy arrays, or formulas, are expected")
        rule = _scaled(claim) if name == "gradient" else claim
        return Stated(_Beside(subject, rule, self.moving, len(self.names), name), name == "meant")

    def _formulas(self, claim: Mapping[str, str] | str, name: str, value: Callable[[Inputs], Any]) -> Formulas:
        texts = {self.names[self.moving[0]]: claim} if isinstance(claim, str) else dict(claim)
        wanted = [self.names[k] for k in self.moving]
        if set(texts) != set(wanted):
            raise UsageError(f"{name}: a formula each for {', '.join(wanted)} is expected, not for {', '.join(texts)}")
        places = {d: self._place(d) for d in dimensions(self.givens) if d not in self.names}
        cotangents = [] if name == "gradient" else ["ct", *(f"ct_{k}" for k in range(OUTPUTS))]
        known = [n for n in (*self.names, *places, *cotangents) if n.isidentifier()]  # not those inside of arguments
        programs: dict[int, Program] = {self.names.index(n): parse_formula(text, known) for n, text in texts.items()}
        called = "the formula" if name == "gradient" else f"the formula of {name}="
        return Formulas(value, programs, self.names, self.moving, name == "gradient", places, called)

    def _place(self, dimension: str) -> tuple[int, int]:
        """The input and axis at which the size of a dimension is read."""
        return next((k, g.shape.index(dimension)) for k, g in enumerate(self.givens) if dimension in g.shape)


class _Beside(Handwritten):
    """A rule of NumPy arrays beside code: the code's values, this rule's gradients."""

    def __init__(self, code: Subject, rule: Callable[..., Any], moving: tuple[int, ...], count: int, name: str) -> None:
        super().__init__(lambda *inputs: _one_or_all(code.value(inputs)), rule, None, moving, count, f"{name}=")


def _one_or_all(values: tuple[Any, ...]) -> Any:
    return values if len(values) > 1 else values[0]


def _scaled(gradient: Callable[..., Any]) -> Callable[..., Any]:
    """The vjp of a function with one number as its value, from its gradient."""

    def scaled(inputs: Any, ct: Any) -> Any:
        found = gradient(inputs)
        if not isinstance(found, tuple | list):
            return None if found is None else ct * found
        return tuple(None if g is None else ct * g for g in found)

    return scaled
