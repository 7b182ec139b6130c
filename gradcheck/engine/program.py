"""What is left of a function, or of its gradient, when the same shapes come again and again?

A `Program`: the operations it takes, one behind the other, as a Python function of NumPy calls. What nobody needs is
left out, what is computed twice is computed once, and an array that is not needed any more takes the next result of
its size. `str(program)` is that function, to be read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.engine.operators import Operators
from gradcheck.engine.reuse import Memory
from gradcheck.engine.writer import Line, Writer, Written, key, parts
from gradcheck.errors import TapeError
from gradcheck.expr.rows_shape import picks_once

Function = Callable[..., Any]
SHOWN = 12  # elements of a constant that are told to people


def program_of(function: Function, *args: Any, names: Sequence[str] = ()) -> Program:
    """The program of `function(xp, *args)` for arrays of these shapes and dtypes, and for all other arguments as given.

    What Python does around the operations is done now, once: arrays that the function knows from elsewhere are
    constants as they are now. Arguments are arrays, plain numbers, texts, None, and tuples of these last.
    `function` may differentiate: `program_of(lambda xp, x: engine.grad(f, xp, (x,)), x)`. It returns a value, or a
    tuple, list or dict of them. `names` are those of the arguments, for who reads the program.
    Raises TapeError where what it does depends on the numbers of an array, TypeError for an argument of another kind.
    """
    for a in args:
        if _apart(a) is Operators:
            raise TypeError(f"a program is written for plain arrays, got {a!r}")
    xp = Writer()
    given = [Written(xp, a, None) if isinstance(a, np.ndarray | np.generic) else a for a in args]
    with np.errstate(all="ignore"):
        result = function(xp, *given)
    return Program(xp.lines, given, result, names)


def compiled(function: Function) -> Function:
    """`call(*args)` for `function(xp, *args)`, by a program for each combination of shapes, dtypes and other arguments.

    gradient = compiled(lambda xp, x, y: engine.grad(f, xp, (x, y)))

    A number that changes from call to call is best given as an array: for every other argument a program is written.
    Errors as of `program_of`.
    """
    programs: dict[Any, Function] = {}

    def call(*args: Any) -> Any:
        key = tuple([(a.shape, a.dtype) if type(a) is np.ndarray else _apart(a) for a in args])
        run = programs.get(key)
        if run is not None:
            return run(*args)
        for a in args:
            if isinstance(a, Operators):  # a tensor, or another program's value: this one is part of that computation
                return function(a.xp, *args)
        run = programs[key] = program_of(function, *args).run
        return run(*args)

    return call


class Program:
    """A function as a straight row of operations.

    lines  the operations that are needed, in order
    run    the function itself, which does not look at what it is given
    """

    def __init__(self, lines: Sequence[Line], given: Sequence[Any], result: Any, names: Sequence[str] = ()) -> None:
        self.given, self.result = given, result
        self.lines = _needed(lines, result)
        self.names = names
        self.run = self._function()
        for value in (*given, *(line.result for line in self.lines)):
            if type(value) is Written:  # what the arrays were is of no use any more, and they may be large
                value.held = np.broadcast_to(np.zeros((), value.dtype), value.shape)

    def __call__(self, *args: Any) -> Any:
        """The result for other numbers. Raises TapeError for other shapes, dtypes or constants."""
        if len(args) != len(self.given):
            raise TypeError(f"the program takes {len(self.given)} arguments, got {len(args)}")
        for i, (new, old) in enumerate(zip(args, self.given, strict=True)):
            if _kind(new) != _kind(old):
                raise TapeError(f"the program was written for {_told(old)} as argument {i}, got {_told(new)}")
        return self.run(*args)

    def __str__(self) -> str:
        """The function as text, for people."""
        names = Names(self.given, self.lines, self.names)
        body = [f"    {names.of(line.result)} = {names.call(line)}" for line in self.lines]
        width = max(map(len, body), default=0)
        shapes = [f"{code:{width}}  # {_told(line.result)}" for code, line in zip(body, self.lines, strict=True)]
        returned = f"    return {names.told(self.result)}"
        constants = [f"    {name} = {_shown(constant)}" for name, constant in names.constants()]
        return "\n".join([names.head(), *constants, *shapes, returned])

    def _function(self) -> Function:
        """The text made a function: arrays that are not needed any more are used again, nobody else's is returned."""
        names, memory = Names(self.given, self.lines), Memory(self.lines, self.result)
        body = []
        for i, line in enumerate(self.lines):
            body.append(f"    {names.of(line.result)} = {names.call(line, memory.free_for(i))}")
            if gone := memory.let_go(i):
                body.append(f"    del {', '.join(map(names.of, gone))}")
        returned = names.returned(self.result, memory, set())
        source = "\n".join([names.head(), *body, f"    return {returned}"])
        space = {**names.space, "copied": np.array}
        exec(compile(source, "<program>", "exec"), space)
        run: Function = np.errstate(all="ignore")(space["program"])
        return run


class Names:
    """What everything is called in the text; `space` has the objects behind the names of functions and constants."""

    def __init__(self, given: Sequence[Any], lines: Sequence[Line], arguments: Sequence[str] = ()) -> None:
        self.space: dict[str, Any] = {}
        self._arguments = list(arguments) or [f"x{i}" for i in range(len(given))]
        self._values = {id(value): name for value, name in zip(given, self._arguments, strict=True)}
        self._values |= {id(line.result): f"v{i}" for i, line in enumerate(lines)}
        self._constants: dict[Any, str] = {}

    def head(self) -> str:
        """The first line."""
        return f"def program({', '.join(self._arguments)}):"

    def constants(self) -> list[tuple[str, Any]]:
        """Every constant that is too long for the line it is used in, by its name."""
        return [(name, self.space[name]) for name in self._constants.values()]

    def of(self, value: Written) -> str:
        """The name of a value."""
        return self._values[id(value)]

    def call(self, line: Line, into: Written | None = None) -> str:
        """One operation; its result goes `into` another array, where one is given."""
        row = line.row
        if row.name == "getitem" and picks_once(line.params["index"]):
            return f"{self.told(line.arrays[0])}[{self._subscript(line.params['index'])}]"
        self.space[row.name] = row.numpy
        words = [self.told(line.arrays)] if row.arity is None else [self.told(a) for a in line.arrays]
        words += [f"{name}={self.told(value)}" for name, value in line.params.items()]
        return f"{row.name}({', '.join([*words, *([] if into is None else [self.of(into)])])})"

    def told(self, thing: Any) -> str:
        """Anything as text that Python reads as that thing."""
        if type(thing) is Written:
            return self.of(thing)
        if isinstance(thing, tuple | list | dict):
            return _gathered(thing, self.told)
        if isinstance(thing, slice):
            return f"slice({self.told(thing.start)}, {self.told(thing.stop)}, {self.told(thing.step)})"
        if isinstance(thing, np.dtype):
            return repr(thing.str)
        if thing is None or thing is Ellipsis or type(thing) in (bool, int, str):
            return "..." if thing is Ellipsis else repr(thing)
        if type(thing) is float and np.isfinite(thing):
            return repr(thing)
        return self._constant(thing)

    def returned(self, thing: Any, memory: Memory, before: set[int]) -> str:
        """The result as text; what may show another's array (an argument's, a constant's, one `before`) is copied."""
        if isinstance(thing, tuple | list | dict):
            return _gathered(thing, lambda part: self.returned(part, memory, before))
        shared = isinstance(thing, np.ndarray) or (type(thing) is Written and not memory.own(thing))
        if shared or (type(thing) is Written and id(thing) in before):
            return f"copied({self.told(thing)})"
        before.add(id(thing))
        return self.told(thing)

    def _constant(self, thing: Any) -> str:
        name = self._constants.setdefault(key(thing), f"c{len(self._constants)}")
        if name not in self.space:
            self.space[name] = np.array(thing) if isinstance(thing, np.ndarray) else thing
        return name

    def _subscript(self, index: Any) -> str:
        """An index of numbers and slices as it is written between brackets."""
        if isinstance(index, tuple):
            return ", ".join(map(self._subscript, index)) + ("," if len(index) == 1 else "") or "()"
        if isinstance(index, slice):
            ends = ["" if end is None else self.told(end) for end in (index.start, index.stop, index.step)]
            return ":".join(ends if ends[2] else ends[:2])
        return self.told(int(index) if isinstance(index, np.integer) else index)


def _gathered(thing: Any, told: Callable[[Any], str]) -> str:
    """A tuple, list or dict as text."""
    if isinstance(thing, dict):
        return f"{{{', '.join(f'{name!r}: {told(part)}' for name, part in thing.items())}}}"
    inside = ", ".join(map(told, thing))
    if isinstance(thing, list):
        return f"[{inside}]"
    return f"({inside},)" if len(thing) == 1 else f"({inside})"


def _needed(lines: Sequence[Line], result: Any) -> list[Line]:
    """The lines that the result depends on."""
    wanted = {id(part) for part in parts(result)}
    kept = []
    for line in reversed(lines):
        if id(line.result) in wanted:
            kept.append(line)
            wanted.update(map(id, line.operands()))
    return kept[::-1]


def _kind(thing: Any) -> Any:
    """What a program was written for: an array's shape and dtype, anything else as it is."""
    if isinstance(thing, np.ndarray | np.generic | Written):
        return thing.shape, thing.dtype
    if thing is None or type(thing) in (bool, int, float, complex, str):
        return type(thing), repr(thing)
    if type(thing) is tuple and not any(hasattr(part, "shape") for part in parts(thing)):
        return tuple(map(_kind, thing))
    raise TypeError(f"an argument of a program is an array or a plain number, text or tuple of them, got {type(thing)}")


def _apart(thing: Any) -> Any:
    """The kind of an argument, by which tensors are told from arrays."""
    return Operators if isinstance(thing, Operators) else _kind(thing)


def _told(thing: Any) -> str:
    """The kind, in words."""
    return f"{thing.dtype}{list(thing.shape)}" if isinstance(thing, np.ndarray | np.generic | Written) else repr(thing)


def _shown(constant: Any) -> str:
    """A constant as text; of a large array its kind."""
    if isinstance(constant, np.ndarray) and constant.size > SHOWN:
        return f"...  # {_told(constant)}"
    return " ".join(repr(constant).split())
