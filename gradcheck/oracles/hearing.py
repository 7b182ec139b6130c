"""How is a case put to the witnesses? Each is asked in turn; whatever goes wrong becomes a stated silence."""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gradcheck.errors import EvaluationError, Unsupported, UsageError, did_you_mean
from gradcheck.oracles import planted
from gradcheck.oracles.evidence import Array, Evidence, Measured, Reason, Silence, Testimony
from gradcheck.oracles.inquiry import Inquiry
from gradcheck.spec.model import Example, Spec

# one line a witness: its name and the library it cannot do without
WITNESSES: Mapping[str, str] = {
    "certified": "flint", "engine": "numpy", "differences": "numpy", "torch": "torch", "jax": "jax",
}  # fmt: skip
INDEPENDENT = frozenset(WITNESSES)


def installed(witness: str) -> bool:
    """Whether the library of a witness is there (nothing is imported)."""
    return importlib.util.find_spec(WITNESSES[witness]) is not None


def check_names(names: Sequence[str]) -> None:
    """Raise UsageError for a witness that does not exist."""
    known = [*WITNESSES, *(f"planted:{lie}" for lie in [*planted.LIES, "mutates"])]
    for name in names:
        if name not in known:
            message = f"there is no witness {name!r}; there are {', '.join(WITNESSES)}"
            raise UsageError(message, did_you_mean(name, known))


@dataclass(frozen=True)
class Hearing:
    """One case before all witnesses.

    allowed: modules that implementations may be imported from; None refuses all (`--no-imports`).
    """

    inquiry: Inquiry
    allowed: Sequence[str] | None = ()

    def all(self, names: Sequence[str], example: Example | None = None) -> dict[str, Testimony]:
        """What the claim, the named witnesses, the implementations and (for its case) the example say."""
        spec: Spec = self.inquiry.spec
        heard: dict[str, Testimony] = {"claim": self._claim}
        for name in names:
            heard[name] = self.one(name)
        if example is not None:
            heard["example"] = _measured("example", lambda: self._example(example))
        for implementation in spec.implementations:
            name = f"implementation:{implementation.backend}"
            heard[name] = self._implementation(name)
        return heard

    def one(self, name: str) -> Testimony:
        """What one witness says."""
        if name == "engine":
            return self._engine
        if name.startswith("planted:"):
            return _measured(name, lambda: planted.testify(self.inquiry, name.partition(":")[2]))
        if not installed(name):
            return Silence(name, Reason.ABSENT, f"{WITNESSES[name]} is not installed")
        module = importlib.import_module(f"gradcheck.oracles.{name}")
        if name in ("differences", "certified"):
            return _measured(name, lambda: module.testify(self.inquiry))
        return self._barred(name, lambda: module.testify(self.inquiry))

    @cached_property
    def _claim(self) -> Testimony:
        from gradcheck.oracles import claim

        return _measured("claim", lambda: claim.testify(self.inquiry))

    @cached_property
    def _engine(self) -> Testimony:
        from gradcheck.oracles import engine

        return _measured("engine", lambda: engine.testify(self.inquiry))

    @cached_property
    def _losses(self) -> Mapping[str, Array]:
        from gradcheck.oracles import engine

        return engine.losses(self.inquiry) if isinstance(self._engine, Evidence) else {}

    def _barred(self, name: str, ask: Callable[[], Mapping[str, Array]]) -> Testimony:
        """A framework's numbers, with the rounding bound of the engine's rules as their bars, and their losses."""
        bars = self._engine.answers if isinstance(self._engine, Evidence) else {}
        losses = self._losses

        def answers() -> dict[str, Measured]:
            found = {}
            for quantity, center in ask().items():
                ruler = bars.get(quantity)
                fits = ruler is not None and ruler.bar.shape == center.shape
                bar = ruler.bar if ruler is not None and fits else np.zeros(center.shape)
                found[quantity] = Measured(center, bar, loss=losses.get(quantity) if fits else None)
            return found

        return _measured(name, answers)

    def _implementation(self, name: str) -> Testimony:
        from gradcheck.oracles import implementations

        backend = name.partition(":")[2]
        implementation = next(i for i in self.inquiry.spec.implementations if i.backend == backend)
        if self.allowed is None:
            return Silence(name, Reason.DECLINED, "imports are refused (--no-imports)")
        if backend != "numpy" and not installed(backend):
            return Silence(name, Reason.ABSENT, f"{backend} is not installed")
        allowed = self.allowed
        said = self._barred(name, lambda: implementations.testify(self.inquiry, implementation, allowed))
        return _unanswered(said, implementations.MAX_POINTS)

    def _example(self, example: Example) -> dict[str, Measured]:
        from gradcheck.oracles import examples

        return examples.testify(self.inquiry, example)


def _unanswered(said: Testimony, points: int) -> Testimony:
    """Points past the limit were not asked: their bars are infinite, so that they count as undecided."""
    if isinstance(said, Silence):
        return said
    asked = {q: (m, np.arange(len(m.bar)) < points) for q, m in said.answers.items()}
    bars = {q: np.where(rows.reshape(-1, *(1,) * (m.bar.ndim - 1)), m.bar, np.inf) for q, (m, rows) in asked.items()}
    return replace(said, answers={q: replace(m, bar=bars[q]) for q, m in said.answers.items()})


def _measured(name: str, ask: Callable[[], Mapping[str, Measured] | Evidence]) -> Testimony:
    """Ask, take the time, and turn an exception into a silence with its reason."""
    start = time.perf_counter()
    try:
        answers = ask()
    except Unsupported as error:
        return Silence(name, Reason.UNSUPPORTED, str(error), time.perf_counter() - start)
    except (UsageError, EvaluationError) as error:
        return Silence(name, Reason.CRASHED, str(error), time.perf_counter() - start)
    except Exception as error:  # a witness may fail in any way; its failure is a result
        text = f"{type(error).__name__}: {error}"
        return Silence(name, Reason.CRASHED, text.splitlines()[0][:300], time.perf_counter() - start)
    if isinstance(answers, Evidence):
        return replace(answers, seconds=time.perf_counter() - start)
    return Evidence(name, dict(answers), time.perf_counter() - start)
