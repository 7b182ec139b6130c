"""What is a tensor, to someone who knows PyTorch's?

A value and, where a derivative is wanted, the memory of how it was computed. The meanings and the errors are PyTorch's:
`backward` adds to the `grad` of the leaves, a graph is freed by the first pass unless it is retained.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.engine.backward import pullback
from gradcheck.engine.in_place import InPlace
from gradcheck.engine.operators import Operators, plain
from gradcheck.engine.pull import Rule
from gradcheck.engine.wirtinger import conjugated
from gradcheck.errors import TapeError
from gradcheck.expr.primitive import Namespace, Value
from gradcheck.expr.rules import is_complex, shape_of

NOT_A_LEAF = (
    "The .grad attribute of a tensor that is not a leaf is being read. It is never filled by backward(); "
    "only the gradients of leaves are kept"
)
NO_GRADIENTS = "only tensors of floating point or complex dtype can require gradients"
ONE = np.ones(())
ONE.flags.writeable = False


@dataclass(frozen=True, slots=True)
class GradFn:
    """The operation a tensor comes from."""

    name: str

    def __repr__(self) -> str:
        return f"<{self.name}>"


class Tensor(InPlace):
    """A value of the namespace `xp`; `data` is a value of the namespace below.

    tracked whether derivatives by it, or through it, are wanted
    rule    how the operation it comes from is undone (None for a leaf)
    raw     the data of that operation's inputs (None once freed)
    parents those of its inputs that want a cotangent, None for the others (all None once freed)
    params  that operation's parameters
    number  tensors are numbered as they are made; one made in inference mode has -1
    """

    __slots__ = ("_grad", "data", "hooks", "number", "params", "parents", "raw", "rule", "tracked", "xp")

    def __init__(self, xp: Namespace, data: Value, tracked: bool = False) -> None:
        self.xp = xp
        self.data = data
        self.tracked = tracked
        self.rule: Rule | None = None
        self.raw: Any = ()
        self.parents: Any = ()
        self.params: Any = None
        self.number = -1 if xp.inference else xp.next_number()
        self._grad: Any = None
        if is_complex(data):
            xp.complex = True

    def __repr__(self) -> str:
        ending = f", grad_fn={self.grad_fn}" if self.rule else ", requires_grad=True" if self.tracked else ""
        return f"tensor({np.array2string(np.asarray(plain(self)), separator=', ', prefix='tensor(')}{ending})"

    @property
    def is_leaf(self) -> bool:
        """Whether it was given rather than computed from something that requires a gradient."""
        return self.rule is None

    @property
    def grad_fn(self) -> GradFn | None:
        """The operation it comes from; None for a leaf."""
        return None if self.rule is None else GradFn(self.rule.label)

    @property
    def grad(self) -> Any:
        """The sum of all gradients that backward passes brought here; None before the first."""
        known = getattr(self, "_grad", None)
        if self.rule is not None and known is None and not getattr(self, "hooks", None):
            warnings.warn(NOT_A_LEAF, UserWarning, stacklevel=2)
        return known

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None and shape_of(value) != self.shape:
            raise TapeError(f"a gradient of shape {shape_of(value)} was assigned to a tensor of shape {self.shape}")
        self._grad = value if value is None or isinstance(value, Tensor) else Tensor(self.xp, np.asarray(value))

    @property
    def requires_grad(self) -> bool:
        """Whether derivatives by it are wanted."""
        return self.tracked

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    def requires_grad_(self, wanted: bool = True) -> Tensor:
        """Switch whether derivatives by this leaf are wanted."""
        if self.rule is not None and not wanted:
            raise TapeError(
                "you can only change requires_grad flags of leaf variables; "
                "to use a computed tensor where no derivative is wanted, use detach()"
            )
        if wanted and self.number < 0 and not self.xp.inference:
            raise TapeError("Setting requires_grad=True on an inference tensor outside inference() is not allowed")
        if wanted and self.data.dtype.kind not in "fc":
            raise TapeError(NO_GRADIENTS)
        self.tracked = bool(wanted)
        return self

    def detach(self) -> Tensor:
        """The same data, cut off from the graph."""
        return Tensor(self.xp, self.data)

    def clone(self) -> Tensor:
        """A copy, through which derivatives pass."""
        copy: Tensor = self.xp.positive(self)
        return copy

    def numpy(self) -> Any:
        """The NumPy array inside; refused where that would silently leave the graph."""
        if self.tracked:
            raise TapeError("Can't call numpy() on a tensor that requires grad. Use tensor.detach().numpy() instead.")
        return super().numpy()

    def zero_grad(self) -> None:
        """Forget the gradient collected so far."""
        self._grad = None

    def backward(self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
        """Add to the `grad` of every leaf its gradient of this tensor, times the cotangent `gradient`.

        gradient: of this tensor's shape; may be left out where the tensor has one element.
        retain_graph: keep what a second pass needs; the default is `create_graph`.
        create_graph: record the pass itself, so that gradients can be differentiated again.
        """
        if not self.tracked:
            raise TapeError("element 0 of tensors does not require grad and does not have a grad_fn")
        seed = self.seed(gradient)
        if not create_graph and type(seed) is Tensor and seed.xp is self.xp:
            seed = seed.data
        retain = create_graph if retain_graph is None else retain_graph
        recording, self.xp.recording = self.xp.recording, create_graph
        try:
            for leaf, part in _quietly(self.xp, [(self, seed)], retain, create_graph):
                leaf.collect(part)
        finally:
            self.xp.recording = recording

    def seed(self, gradient: Any) -> Any:
        """The cotangent to start from: one for a single number, else as given, of this tensor's shape."""
        if gradient is None:
            if self.data.shape == ():
                return ONE if self.data.dtype == ONE.dtype else np.ones((), self.data.dtype)
            if self.numel() != 1:
                raise TapeError("grad can be implicitly created only for scalar outputs")
            return np.ones(self.data.shape, self.data.dtype)
        if not isinstance(gradient, Operators):
            gradient = np.array(gradient, dtype=self.dtype)
        if shape_of(gradient) != self.shape:
            raise TapeError(
                f"Mismatch in shape: grad_output[0] has a shape of {shape_of(gradient)} "
                f"and output[0] has a shape of {self.shape}."
            )
        return gradient

    def collect(self, part: Any) -> None:
        """Add one pass's gradient to this leaf's."""
        if isinstance(part, np.ndarray) and part.dtype != self.data.dtype:
            part = part.astype(self.data.dtype)
        new = part if type(part) is Tensor and part.xp is self.xp else Tensor(self.xp, part)
        known = getattr(self, "_grad", None)
        self._grad = new if known is None else known + new

    def register_hook(self, hook: Callable[[Any], Any]) -> HookHandle:
        """Have `hook(gradient)` called when a backward pass has this tensor's gradient; what it returns replaces it."""
        if not self.tracked:
            raise TapeError("cannot register a hook on a tensor that doesn't require gradient")
        self.xp.hooked = True
        self.hooks = {**getattr(self, "hooks", {}), (handle := HookHandle(self)): hook}
        return handle

    def retain_grad(self) -> None:
        """Keep this tensor's gradient in `grad` though it is not a leaf."""
        if self.rule is not None and not getattr(self, "retains_grad", False):
            self.register_hook(self.collect)

    def hear(self, rules: Namespace, ct: Value) -> Value:
        """The cotangent as the hooks leave it; they see, and give, what people see: its conjugate."""
        hooks = getattr(self, "hooks", {})
        if hooks and ct.shape != self.shape:
            ct = rules.broadcast_to(ct, shape=self.shape)
        for hook in hooks.values():
            seen = conjugated(rules, ct)
            answer = hook(seen if type(seen) is Tensor and seen.xp is self.xp else Tensor(self.xp, seen))
            if answer is not None:
                given = answer if rules is self.xp else plain(answer)
                if shape_of(given) != self.shape:
                    raise TapeError(f"a hook gave a gradient of shape {shape_of(given)} for a tensor of {self.shape}")
                ct = conjugated(rules, given)
        return ct


class HookHandle:
    """What `register_hook` returns."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def remove(self) -> None:
        """Forget the hook; once more does nothing."""
        self.tensor.hooks = {handle: hook for handle, hook in self.tensor.hooks.items() if handle is not self}


def record(xp: Namespace, data: Value, rule: Rule, raw: Any, parents: Any, params: Any = None) -> Tensor:
    """The result of an operation, remembering it (`Tensor(...)` without its detour, for this is done at every step)."""
    result = _new(Tensor)
    result.xp = xp
    result.data = data
    result.tracked = True
    result.rule = rule
    result.raw = raw
    result.parents = parents
    result.params = params
    result.number = xp.next_number()
    return result


_new = object.__new__
_quietly = np.errstate(all="ignore")(pullback)  # a function made quiet costs half of what `with` does
