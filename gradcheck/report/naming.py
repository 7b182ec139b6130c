"""By which name does a reader reach a callable in a new Python? By an import, where that leads to it."""

from __future__ import annotations

import builtins
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gradcheck.cases.arguments import PLAIN, Form
from gradcheck.oracles.blackbox.asked import Learnt
from gradcheck.spec.trees import is_nested

TAKEN = frozenset(
    {"np", "torch", "jax", "jnp", "ad", "sys", "inputs", "ct", "got", "along", "x", "k", "t", "fn", *dir(builtins)}
)
LIBRARIES = ("numpy", "torch")  # whose own functions do not say where they live


@dataclass(frozen=True, slots=True)
class Role:
    """One callable: its expression, the statements that make it known; named: whether its own name leads to it."""

    expression: str
    imports: tuple[str, ...] = ()
    named: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """How the code under test is called in a few lines of Python.

    roles: "fn", and the rules beside it ("vjp", "jvp", "gradient", "second"). formula: a rule is one instead.
    learnt: what calls have shown. parameters: the names of a module's own arrays, which stand last among the inputs.
    moving: the inputs that derivatives are taken by. device: where arrays lie, if it was told. form: how arrays lie in
    the arguments. complex_inputs: the names of those that are judged as pairs of real numbers.
    """

    roles: Mapping[str, Role] = field(default_factory=lambda: MappingProxyType({"fn": Role("fn")}))
    formula: bool = False
    learnt: Learnt = field(default_factory=Learnt)
    parameters: tuple[str, ...] = ()
    moving: tuple[int, ...] = (0,)
    device: str | None = None
    form: Form = PLAIN
    complex_inputs: frozenset[str] = frozenset()

    @property
    def several(self) -> bool:
        """Whether the outputs are nested in something."""
        return is_nested(self.learnt.outputs)

    @property
    def complex(self) -> bool:
        """Whether there are complex numbers in it."""
        return bool(self.complex_inputs) or any(self.learnt.complex_outputs)

    @property
    def fn(self) -> str:
        """The function."""
        return self.roles["fn"].expression

    def rule(self, role: str) -> str:
        """A rule beside it, or an empty text."""
        return self.roles[role].expression if role in self.roles else ""

    def used_in(self, text: str) -> list[tuple[str, Role]]:
        """The callables that stand in some lines."""
        return [(n, r) for n, r in self.roles.items() if re.search(rf"(?<![\w.]){re.escape(r.expression)}\b", text)]

    def imports(self, text: str) -> list[str]:
        """The statements that these lines need above them."""
        return list(dict.fromkeys(s for _, role in self.used_in(text) for s in role.imports))

    def where(self, text: str) -> str:
        """The words above the lines: where they run as they stand."""
        used = self.used_in(text)
        unnamed = [name for name, role in used if not role.named]
        if unnamed:
            kinds = {"fn": "your function as fn"}
            return "with " + " and ".join(kinds.get(name, f"your {name}") for name in unnamed)
        if all(role.imports for _, role in used):
            return "paste into Python"
        file = getattr(sys.modules["__main__"], "__file__", None)
        return f"add to {Path(file).name}" if file else "in a cell below your code"


@dataclass(frozen=True, slots=True)
class Named:
    """A callable's home and its name there."""

    module: str
    path: str

    def statement(self) -> tuple[str, str]:
        """How it is imported (nothing, where it is there already), and the expression that it is then."""
        top, dot, rest = self.path.partition(".")
        if self.module == "__main__":
            return "", self.path
        alias = f"my_{top}" if top in TAKEN else top
        renamed = f" as {alias}" if alias != top else ""
        return f"from {self.module} import {top}{renamed}", alias + dot + rest


def code_of(fn: Any, rules: Mapping[str, Any], **facts: Any) -> Code:
    """What a function and its rules are called in a new Python; "fn", "vjp" … where no name leads to them."""
    return Code({role: _role(role, each) for role, each in {"fn": fn, **rules}.items()}, **facts)


def _role(role: str, found: Any) -> Role:
    named = named_as(found)
    if named is None:
        return Role(role)
    statement, expression = named.statement()
    imports = (*_path_to(named.module), statement) if statement else ()
    return Role(expression, imports, named=True)


def named_as(found: Any) -> Named | None:
    """A module and a qualified name that lead to this very object, or None."""
    for module, path in _candidates(found):
        if path and _leads(module, path, found):
            return Named(module, path)
    return None


def _candidates(found: Any) -> Iterator[tuple[str, str]]:
    owner = getattr(found, "__self__", None)
    if isinstance(owner, type):
        yield owner.__module__, f"{owner.__qualname__}.{getattr(found, '__name__', '')}"
    module = str(getattr(found, "__module__", "") or "")
    name = str(getattr(found, "__name__", "") or "")
    yield module, str(getattr(found, "__qualname__", name) or "")
    for library in LIBRARIES:
        yield library, name
    for home in dict.fromkeys((module, type(found).__module__, "__main__")):
        values = dict(vars(sys.modules[home])) if home in sys.modules else {}
        yield from ((home, n) for n, value in values.items() if value is found)


def _leads(module: str, path: str, found: Any) -> bool:
    at: Any = sys.modules.get(module)
    for part in path.split("."):
        at = getattr(at, part, None)
    same_method = getattr(at, "__func__", at) is getattr(found, "__func__", None)
    return at is found or (at is not None and same_method and getattr(at, "__self__", 0) is found.__self__)


def _path_to(module: str) -> Iterator[str]:
    """The statement that lets a new Python find a module, where it would not by itself."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if module == "__main__" or not file:
        return
    path = Path(os.path.abspath(file))
    depth = module.count(".") + (path.name == "__init__.py")
    root = path.parents[depth]
    known = [Path.cwd(), *(Path(os.path.abspath(p)) for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p)]
    installed = any(root.is_relative_to(p) for p in (sys.prefix, sys.base_prefix))
    if root not in known and not installed:
        short = root.relative_to(Path.cwd()) if root.is_relative_to(Path.cwd()) else root
        yield f"import sys; sys.path.append({str(short)!r})"
