"""How much work is it to evaluate a program once? A count, the same on every machine, and a limit on it.

Loops have their own limit of turns; this one bounds what a turn, or code without loops, may cost, so that a spec file
can be tried out in bounded time and memory whatever is written in it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcheck.errors import EvaluationError, SizeExceeded
from gradcheck.expr import NUMPY, Control, Program
from gradcheck.expr.nodes import walk

EVALUATION = 200_000  # operations, about a microsecond or two each
FILE = 600_000
_ELEMENTS = 50  # elements that count as one operation more


class Meter:
    """Evaluates programs in NumPy; all its evaluations together may take `limit` operations."""

    def __init__(self, limit: int = FILE) -> None:
        self.left = limit

    @property
    def spent(self) -> bool:
        """Whether nothing is left to evaluate with."""
        return self.left <= 0

    def evaluate(self, program: Program, env: Mapping[str, Any]) -> Any:
        """The program's value at one point. Raises EvaluationError for whatever goes wrong within it."""
        account = _Account(min(EVALUATION, max(self.left, 1)), len(walk(program.tree)))
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                return program(_Metered(account), env, account)
        except (EvaluationError, AssertionError):
            raise
        except RecursionError:
            raise EvaluationError("the calls are nested too deeply") from None
        except Exception as error:  # NumPy and Python refuse shapes, types and indices in many ways
            raise EvaluationError(str(error) or type(error).__name__) from None
        finally:
            self.left -= account.done


class _Account(Control):
    """Counts the operations of one evaluation, and its loops' turns."""

    def __init__(self, limit: int, nodes: int) -> None:
        super().__init__()
        self.done = 0
        self._limit = limit
        self._turn = 1 + nodes // 4

    def step(self, line: int) -> None:
        super().step(line)
        self.charge(self._turn)

    def charge(self, operations: int) -> None:
        self.done += operations
        if self.done > self._limit:
            raise SizeExceeded("the work of one evaluation", self.done, self._limit)


class _Metered:
    """The NumPy namespace, every operation charged."""

    def __init__(self, account: _Account) -> None:
        self._account = account

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(NUMPY, name)

        def charged(*args: Any, **params: Any) -> Any:
            result = function(*args, **params)
            size = sum(map(np.size, result)) if isinstance(result, tuple | list) else np.size(result)
            self._account.charge(1 + size // _ELEMENTS)
            return result

        return charged
