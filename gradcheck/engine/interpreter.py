"""What do all namespaces of the engine share?

Each is the vocabulary over the values of a `base`. A function is made from its row when it is first asked for, and kept
as a method of the class, so that a new namespace (a new tape, say) costs next to nothing. Rows that only this base's
vocabulary has are methods of the one namespace.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any

from gradcheck.expr.primitive import Namespace, Primitive
from gradcheck.expr.vocabulary import ALIASES, VOCABULARY

Function = Callable[..., Any]


class Interpreter(ABC):
    """The vocabulary over `base`, which may bring a `vocabulary` of its own; else it is the house's."""

    def __init__(self, base: Namespace) -> None:
        self.base = base
        self.vocabulary: Mapping[str, Primitive] = getattr(base, "vocabulary", VOCABULARY)
        for name, row in self.vocabulary.items() if self.vocabulary is not VOCABULARY else ():
            if row is not VOCABULARY.get(name):
                self.__dict__[name] = MethodType(row.compose or self.lift(row), self)

    @abstractmethod
    def lift(self, row: Primitive) -> Function:
        """function(self, *arrays, **params): what one row is here, said with the base's function of that name."""

    def __getattr__(self, name: str) -> Function:
        row = self.vocabulary.get(ALIASES.get(name, name))
        if row is None:
            if name.startswith("_"):
                raise AttributeError(name)
            function: Function = getattr(self.base, name)  # what the base has besides the vocabulary
            return function
        function = row.compose or self.lift(row)
        setattr(type(self), name, function)
        return MethodType(function, self)
