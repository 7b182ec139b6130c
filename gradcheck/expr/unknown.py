"""What stands where a derivative exists but nobody can write it down?

The incomplete gamma function has a derivative by its first argument, a Bessel function one by its order; neither has a
closed form in functions of the vocabulary. Such a slope refuses: nothing is said, and above all no zero.
"""

from __future__ import annotations

from dataclasses import dataclass

from gradcheck.errors import Unsupported
from gradcheck.expr.primitive import Namespace, Value


@dataclass(frozen=True, slots=True)
class Unknown:
    """The slope of `function` by its argument `by`: asking for it raises Unsupported.

    whole: the function is defined for whole numbers of that argument only, which move by no small steps.
    why: why there is none, where it is neither that nor a missing formula.
    """

    function: str
    by: str
    whole: bool = False
    why: str = ""

    def __call__(self, xp: Namespace, y: Value, *args: Value) -> Value:
        why = self.why or ("it takes whole numbers only" if self.whole else "no closed form of it is known")
        raise Unsupported("gradcheck's engine", f"derivative of {self.function} by {self.by}: {why}")
