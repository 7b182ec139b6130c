"""How is a case put to the witnesses? Each is asked in turn; whatever goes wrong becomes a stated silence."""

from __future__ import annotations

import importlib
import importlib.util
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import EvaluationError, Unsupported, UsageError, did_you_mean
from gradcheck.oracles import planted
from gradcheck.oracles.doubts import doubts
from gradcheck.oracles.evidence import Array, Evidence, Measured, Reason, Silence, Testimony
from gradcheck.oracles.frameworks import TURNED
from gradcheck.oracles.inquiry import Inquiry
from gradcheck.spec.many import is_many
from gradcheck.spec.model import Example, Spec
from gradcheck.spec.precision import FLOAT64, FLUSHED, PRECISIONS

# one line a witness: its name and the library it cannot do without
WITNESSES: Mapping[str, str] = {
    "certified": "flint", "engine": "numpy", "differences": "numpy", "torch": "torch", "jax": "jax",
    "complex_step": "numpy",
}  # fmt: skip
ON_REQUEST = frozenset(
    {"complex_step"}
)  # silent wherever a row is not analytic, and it proves nothing that others do not
INDEPENDENT = frozenset(WITNESSES)
COMPUTING = frozenset({"torch", "jax"})  # whose numbers are of the dtype that is asked for
FLUSHING = frozenset({"jax"})  # XLA computes with subnormal numbers set to zero, also in float64
FAR_MORE = 64.0  # times the bar in float64, in units of roundoff, from which on a bar is one of range
LACKING = re.compile(  # what PyTorch and JAX say of a function that they have not in a dtype
    "not implemented for|[Uu]nsupported dtype|not supported|only supports|of float, double|other than float and double"
)


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
    lost: implementations that were the end of a process, with how: they are not asked (again), and so found here later.
    """

    inquiry: Inquiry
    allowed: Sequence[str] | None = ()
    lost: dict[str, str] = field(default_factory=dict)

    def all(
        self, names: Sequence[str], example: Example | None = None, implementations: bool = True
    ) -> dict[str, Testimony]:
        """What the claim, the named witnesses, the implementations and (for its case) the example say."""
        spec: Spec = self.inquiry.spec
        heard: dict[str, Testimony] = {"claim": self._claim}
        later = {"differences"} if is_many(spec, self.inquiry.case.sizes) else set()  # they settle doubts
        for name in names:
            if name not in later:
                heard[self.title(name)] = self.one(name)
        if example is not None:
            heard["example"] = _measured("example", lambda: self._example(example))
        for implementation in spec.implementations if implementations else ():
            name = f"implementation:{implementation.backend}"
            heard[self.title(name)] = self._implementation(name)
        for name in later.intersection(names):
            heard[name] = self._settling(heard)
        return heard | self._with_pieces(heard) if "differences" in heard else heard

    def _settling(self, heard: Mapping[str, Testimony]) -> Testimony:
        """The differences of very many numbers: along directions, and one by one where the others are in doubt."""
        from gradcheck.oracles import differences

        return _measured("differences", lambda: differences.settling(self.inquiry, doubts(heard)))

    def _with_pieces(self, heard: Mapping[str, Testimony]) -> dict[str, Testimony]:
        """The claim with the pieces that meet at the points, where f has a kink there and the engine knows it."""
        from gradcheck.oracles import pieces

        claim = heard["claim"]
        if isinstance(claim, Silence):
            return {}
        try:
            return {"claim": replace(claim, pieces=pieces.find(self.inquiry, heard))}
        except (Unsupported, EvaluationError):
            return {}

    @property
    def dtype(self) -> str:
        """What frameworks and implementations compute in; the claim, the engine and the differences in float64."""
        return self.inquiry.case.dtype

    def title(self, name: str) -> str:
        """What a witness is called in this case: "torch", or "torch float32"."""
        return titled(name, self.dtype)

    def titled(self, title: str) -> Testimony:
        """What the witness of that title says in this case's dtype: "torch float32", "implementation:numpy float32"."""
        return self.one(title.partition(" ")[0])

    def one(self, name: str) -> Testimony:
        """What one witness says, or the claim."""
        if name == "claim":
            return self._claim
        if name == "engine":
            return self._engine
        if name.startswith("implementation:"):
            return self._implementation(name)
        if name.startswith("planted:"):
            return _measured(name, lambda: planted.testify(self.inquiry, name.partition(":")[2]))
        if not installed(name):
            return Silence(self.title(name), Reason.ABSENT, f"{WITNESSES[name]} is not installed")
        module = importlib.import_module(f"gradcheck.oracles.{name}")
        if name in ("differences", "certified"):
            return _measured(name, lambda: module.testify(self.inquiry))
        said = self._barred(self.title(name), lambda: module.testify(self.inquiry))
        if name != "complex_step":
            return said
        known = self._engine.answers if isinstance(self._engine, Evidence) else {}
        return _undecided_at_nan(said, module.floors(self.inquiry, {q: m.center for q, m in known.items()}))

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
        """What other ways of writing the derivatives may lose, in units of the case's dtype."""
        from gradcheck.oracles import engine

        if not isinstance(self._engine, Evidence):
            return {}
        units = PRECISIONS[self.dtype].unit / FLOAT64.unit
        return {name: units * loss for name, loss in engine.losses(self.inquiry).items()}

    @cached_property
    def _ruler(self) -> Testimony:
        """The engine's answers with what its rules may be off by in the case's dtype."""
        from gradcheck.oracles import engine

        if self.dtype == "float64":
            return self._engine
        return _measured("engine", lambda: engine.bounded(self.inquiry, self.dtype))

    def _barred(self, name: str, ask: Callable[[], Mapping[str, Array]]) -> Testimony:
        """A framework's numbers, with the rounding bound of the engine's rules as their bars, and their losses."""
        ruler = self._ruler
        if self.dtype != "float64" and isinstance(ruler, Silence):
            return replace(ruler, witness=name, message=f"no bound is known at {self.dtype}: {ruler.message}")
        losses = self._losses

        def answers() -> dict[str, Measured]:
            said = dict(ask())
            bars = self._bars(name, said)
            turned = said.pop(TURNED, np.zeros(self.inquiry.case.points)).astype(bool)
            found = {}
            for quantity, center in said.items():
                ruler = bars.get(quantity)
                fits = ruler is not None and ruler.bar.shape == center.shape
                bar = ruler.bar if ruler is not None and fits else np.zeros(center.shape)
                unheld = turned | self._unheld(name)
                if unheld.any():
                    bar = np.where(unheld.reshape(-1, *(1,) * (bar.ndim - 1)), np.inf, bar)
                loss, beyond = losses.get(quantity) if fits else None, self._beyond(quantity, bar)
                found[quantity] = Measured(center, bar, loss=loss, beyond=beyond)
            return found

        return _measured(name, answers, self.dtype)

    def _unheld(self, name: str) -> NDArray[np.bool_]:
        """The points (B,) with a subnormal number, asked of who takes such for zero."""
        found = np.zeros(self.inquiry.case.points, dtype=bool)
        if self._flushes(name):
            for x in self.inquiry.case.inputs.values():
                size = np.abs(x).reshape(len(x), -1)
                found |= ((size > 0) & (size < 2.0**FLOAT64.lowest)).any(axis=1)
        return found

    def _flushes(self, name: str) -> bool:
        return self.dtype == "float64" and name.removeprefix("implementation:") in FLUSHING

    def _bars(self, name: str, said: Mapping[str, Array]) -> Mapping[str, Measured]:
        """The answers whose bars a party's are; of one without subnormal numbers wider ones, where they are needed."""
        ruler = self._ruler
        bars = ruler.answers if isinstance(ruler, Evidence) else {}
        return self._flushed if self._flushes(name) and _outside(said, bars) else bars

    @cached_property
    def _flushed(self) -> Mapping[str, Measured]:
        from gradcheck.oracles import engine

        return engine.bounded(self.inquiry, FLUSHED.name)

    def _beyond(self, quantity: str, bar: Array) -> NDArray[np.bool_] | None:
        """Where the bar at the dtype is far more than its unit of roundoff accounts for: its range ends on the way."""
        own = self._engine.answers.get(quantity) if isinstance(self._engine, Evidence) else None
        if self.dtype == "float64" or own is None or own.bar.shape != bar.shape:
            return None
        with np.errstate(all="ignore"):
            precision = PRECISIONS[self.dtype]
            scaled = own.bar * (precision.unit / FLOAT64.unit) + precision.underflow
            return np.asarray(np.isfinite(own.bar) & (bar > FAR_MORE * scaled))

    def _implementation(self, name: str) -> Testimony:
        from gradcheck.oracles import implementations

        name, plain = self.title(name), name
        backend = plain.partition(":")[2]
        implementation = next(i for i in self.inquiry.spec.implementations if i.backend == backend)
        if self.allowed is None:
            return Silence(name, Reason.DECLINED, "imports are refused (--no-imports)")
        if backend == "numpy" and self.dtype == "bfloat16":
            return Silence(name, Reason.UNSUPPORTED, "NumPy has no bfloat16")
        if backend != "numpy" and not installed(backend):
            return Silence(name, Reason.ABSENT, f"{backend} is not installed")
        if plain in self.lost:
            return Silence(name, Reason.CRASHED, self.lost[plain])
        allowed = self.allowed
        dtypes: dict[str, str] = {}

        def ask() -> Mapping[str, Array]:
            try:
                return implementations.testify(self.inquiry, implementation, allowed, dtypes)
            except implementations.Ended as error:
                self.lost[plain] = str(error)
                raise

        said = self._barred(name, ask)
        if isinstance(said, Evidence):
            said = replace(said, dtypes=dtypes)
        return _unanswered(said, implementations.asked(self.inquiry.case, backend))

    def _example(self, example: Example) -> dict[str, Measured]:
        from gradcheck.oracles import examples

        return examples.testify(self.inquiry, example)


def _outside(said: Mapping[str, Array], bars: Mapping[str, Measured]) -> bool:
    """Whether some number is further from the ruler's than its bar."""
    pairs = [(center, bars[q]) for q, center in said.items() if q in bars and bars[q].bar.shape == center.shape]
    with np.errstate(all="ignore"):
        return any(bool((np.abs(center - own.center) > own.bar).any()) for center, own in pairs)


def _undecided_at_nan(said: Testimony, floors: Mapping[str, float]) -> Testimony:
    """A witness that says nothing of some points by NaN: their bars are infinite; none is below its floor."""
    if isinstance(said, Silence):
        return said
    lost = {q: (m, np.isnan(m.center)) for q, m in said.answers.items()}
    answers = {
        q: Measured(np.where(no, 0.0, m.center), np.where(no, np.inf, m.bar + floors[q])) for q, (m, no) in lost.items()
    }
    return replace(said, answers=answers)


def _unanswered(said: Testimony, points: Sequence[int]) -> Testimony:
    """The other points were not asked: their bars are infinite, so that they count as undecided."""
    if isinstance(said, Silence):
        return said
    asked = {q: (m, np.isin(np.arange(len(m.bar)), points)) for q, m in said.answers.items()}
    bars = {q: np.where(rows.reshape(-1, *(1,) * (m.bar.ndim - 1)), m.bar, np.inf) for q, (m, rows) in asked.items()}
    return replace(said, answers={q: replace(m, bar=bars[q]) for q, m in said.answers.items()})


def titled(name: str, dtype: str) -> str:
    """What a witness is called where it computes in a dtype; those of float64 alone keep their name."""
    computes = name in COMPUTING or name.startswith("implementation:")
    return f"{name} {dtype}" if computes and dtype != "float64" else name


def _measured(name: str, ask: Callable[[], Mapping[str, Measured] | Evidence], dtype: str = "float64") -> Testimony:
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
        if dtype != "float64" and LACKING.search(text):
            said = f"it has not all of this function in {dtype}: {text.splitlines()[0][:200]}"
            return Silence(name, Reason.UNSUPPORTED, said, time.perf_counter() - start)
        return Silence(name, Reason.CRASHED, text.splitlines()[0][:300], time.perf_counter() - start)
    if isinstance(answers, Evidence):
        return replace(answers, seconds=time.perf_counter() - start)
    return Evidence(name, dict(answers), time.perf_counter() - start)
