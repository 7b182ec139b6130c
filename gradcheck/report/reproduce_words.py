"""What do all doors' words for a gradient have in common? Expressions over `inputs`, `ct` and the names of the code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from gradcheck.report.naming import Code

BETWEEN = 7.25  # lies between the numbers of a strided array, as where it was judged
Steps = Sequence[tuple[int, str]]  # (which input, what it moves by)


class Door(Protocol):
    """The words of one door, with those that most doors share."""

    imports: tuple[str, ...]

    def placed(self, device: str) -> str:
        """A statement after which arrays are made on a device."""

    def array(self, value: Any) -> str:
        """An array of these numbers."""

    def given(self, array: str) -> str:
        """An array of the numbers of a NumPy expression."""

    def many(self, values: Sequence[Any], moving: Sequence[int]) -> str:
        """The inputs."""
        return self.sequence([self.array(v) for v in values], moving)

    def sequence(self, items: Sequence[str], moving: Sequence[int]) -> str:
        """The inputs made anew."""

    def cotangent(self, code: Code, texts: Sequence[str]) -> str:
        """The cotangents of all outputs with a derivative, as a gradient is asked with them."""
        return joined(texts)

    def cotangent_names(self, code: Code, count: int) -> list[str]:
        """The expression of each of them."""
        return ["ct"] if count == 1 else [f"ct[{k}]" for k in range(count)]

    def call(self, code: Code) -> str:
        """The function's value."""
        return self.of(code, "*inputs")

    def of(self, code: Code, arguments: str) -> str:
        """The same for other arrays."""

    def gradient(self, code: Code, which: int, nothing: bool) -> str:
        """The gradient by one input; nothing: it may be missing, which counts as zeros."""

    def twice(self, code: Code, which: int) -> tuple[str, str]:
        """A statement that makes `first` and `again` by two passes through one graph; the name of the later."""

    def pushed(self, code: Code, along: Steps) -> tuple[list[str], str]:
        """Statements and the expression of the derivative along tangents."""

    def second(self, code: Code, which: int, count: int) -> str:
        """The gradient of <u, gradient>; `which` is the number of inputs where it is the one by ct."""

    def laid(self, kind: str, name: str, shape: tuple[int, ...]) -> str:
        """The same numbers, otherwise in memory."""


def number(value: Any, nan: str, inf: str) -> str:
    """Nested lists as they are written."""
    return repr(value).replace("nan", nan).replace("inf", inf)


def joined(texts: Sequence[str]) -> str:
    """One, or a tuple of several."""
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def called(code: Code, fn: str, arguments: str) -> str:
    """A call of a function with the arrays of `arguments`, wherever they lie in its own arguments."""
    if code.form.plain:
        return f"{fn}({arguments})"
    nested = f"{fn}({code.form.text()})"
    return nested if arguments == "*inputs" else f"(lambda *inputs: {nested})({arguments})"
