"""What can go wrong, and what does gradcheck say about it?

    GradcheckError                      everything a user may see; has an exit code
    ├── InputError                      exit 2: could not judge
    │   ├── ExpressionError             a formula or code block is not in the language
    │   ├── SpecError                   one complaint about one place of a spec file
    │   ├── SpecErrors                  all complaints of a file (or of several) at once
    │   ├── UsageError                  a command line, a name or an id that does not exist
    │   └── BackendMissing              a witness was demanded whose library is not installed
    ├── EvaluationError                 a function of the language could not be evaluated
    │   ├── FuelExhausted               a loop ran past its limit
    │   ├── SizeExceeded                an array, exponent or number past its limit
    │   ├── Unsupported                 a witness's library lacks a function of the vocabulary
    │   └── BranchInBatch               internal: the points of a batch take different branches
    └── TapeError                       the engine's refusals, in PyTorch's meanings (a RuntimeError too)

Each holds facts and makes its own sentence in `__str__`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """The one of `known` that `word` was probably meant to be, or an empty string."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return close[0] if close else ""


class GradcheckError(Exception):
    """Base of everything gradcheck raises on purpose."""

    exit_code = 3


class InputError(GradcheckError):
    """What was asked cannot be judged as it stands."""

    exit_code = 2


@dataclass(eq=False)
class ExpressionError(InputError):
    """A formula or a code block that is not in the language.

    `line` (1-based) and `column` (1-based) are relative to `text`.
    """

    message: str
    text: str = ""
    line: int = 1
    column: int = 1
    expected: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        parts = [self.message]
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.suggestion:
            parts.append(f"did you mean {self.suggestion!r}?")
        return "; ".join(parts)


@dataclass(eq=False)
class SpecError(InputError):
    """One complaint about one place of a spec file: `line` and `column` are 1-based."""

    file: str
    line: int
    column: int
    message: str
    key: str = ""
    value: Any = None
    expected: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: "
        key = f"{self.key}: " if self.key else ""
        parts = [self.message]
        if self.value is not None:
            text = repr(self.value)
            parts.append(f"got {text if len(text) <= 80 else text[:77] + '...'}")
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.suggestion:
            parts.append(f"did you mean {self.suggestion!r}?")
        return where + key + "; ".join(parts)


@dataclass(eq=False)
class SpecErrors(InputError):
    """Every complaint found, in the order of the files and lines."""

    errors: tuple[SpecError, ...]

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


@dataclass(eq=False)
class UsageError(InputError):
    """A command line, a name or an id that does not exist."""

    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        return self.message + (f"; did you mean {self.suggestion!r}?" if self.suggestion else "")


@dataclass(eq=False)
class BackendMissing(InputError):
    """A witness was demanded by name whose library is not installed."""

    witness: str
    library: str

    def __str__(self) -> str:
        return (
            f"witness {self.witness!r} was asked for but {self.library!r} is not installed; "
            f"install gradcheck[{self.witness}]"
        )


class EvaluationError(GradcheckError):
    """A function of the language could not be evaluated at some point."""

    exit_code = 2


@dataclass(eq=False)
class FuelExhausted(EvaluationError):
    """A loop ran past its limit of steps."""

    limit: int
    line: int = 1

    def __str__(self) -> str:
        return f"a loop did not end within {self.limit} steps (line {self.line} of the code)"


@dataclass(eq=False)
class SizeExceeded(EvaluationError):
    """An array, an exponent or an integer grew past its limit."""

    what: str
    size: float
    limit: float

    def __str__(self) -> str:
        return f"{self.what} of {self.size:g} is past the limit of {self.limit:g}"


@dataclass(eq=False)
class Unsupported(EvaluationError):
    """A witness's library has no function for a row of the vocabulary: a silence, not a failure."""

    library: str
    function: str

    def __str__(self) -> str:
        return f"{self.library} has no {self.function}"


@dataclass(eq=False)
class BranchInBatch(EvaluationError):
    """Points of one batch want different branches: `takes` says which point wants the true one."""

    takes: Any

    def __str__(self) -> str:
        return "points of one batch take different branches"


class TapeError(GradcheckError, RuntimeError):
    """The engine's refusals; a RuntimeError too, as in PyTorch."""
