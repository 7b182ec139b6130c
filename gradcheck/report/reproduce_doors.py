"""What is each door's Python for a gradient? Expressions over `inputs` (a list), `ct` and the names of the code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from gradcheck.report.naming import Code

BETWEEN = 7.25  # lies between the numbers of a strided array, as where it was judged
Steps = Sequence[tuple[int, str]]  # (which input, what it moves by)


class Door(Protocol):
    """The words of one door."""

    imports: tuple[str, ...]

    def placed(self, device: str) -> str:
        """A statement after which arrays are made on a device."""

    def array(self, value: Any) -> str:
        """An array of these numbers."""

    def many(self, values: Sequence[Any], moving: Sequence[int]) -> str:
        """The inputs."""

    def sequence(self, items: Sequence[str], moving: Sequence[int]) -> str:
        """The inputs made anew."""

    def call(self, code: Code) -> str:
        """The function's value."""

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


class NumpyDoor:
    """Arrays, and a rule beside the function."""

    imports: tuple[str, ...] = ("import numpy as np",)

    def placed(self, device: str) -> str:
        raise AssertionError("NumPy has no devices")

    def array(self, value: Any) -> str:
        return f"np.array({number(value, 'np.nan', 'np.inf')})"

    def many(self, values: Sequence[Any], moving: Sequence[int]) -> str:
        return self.sequence([self.array(v) for v in values], moving)

    def sequence(self, items: Sequence[str], moving: Sequence[int]) -> str:
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"

    def call(self, code: Code) -> str:
        return f"{code.fn}(*inputs)"

    def gradient(self, code: Code, which: int, nothing: bool) -> str:
        place = code.moving.index(which) if code.answer == "moving" and which in code.moving else which
        found = "" if code.answer == "bare" else f"[{place}]"
        if code.rule("gradient"):
            return f"(ct * {code.rule('gradient')}(inputs){found})"
        return f"{code.rule('vjp')}(inputs, ct){found}"

    def twice(self, code: Code, which: int) -> tuple[str, str]:
        call = self.gradient(code, which, False)
        return f"first = {call}; again = {call}", "again"

    def pushed(self, code: Code, along: Steps) -> tuple[list[str], str]:
        tangents = self.sequence([step for _, step in along], ())
        found = f"{code.rule('jvp')}(inputs, {tangents})"
        flat = f"np.concatenate([np.ravel(v) for v in {found}])" if code.several else f"np.asarray({found})"
        return [], flat

    def second(self, code: Code, which: int, count: int) -> str:
        place = len(code.moving) if which == count else code.moving.index(which)
        return f"{code.rule('second')}(inputs, ct, u)[{place}]"

    def laid(self, kind: str, name: str, shape: tuple[int, ...]) -> str:
        if not shape:
            return f"np.array({name})"
        room = (*shape[:-1], 2 * shape[-1])
        strided = f"np.stack([{name}, np.full_like({name}, {BETWEEN})], -1).reshape({room})[..., ::2]"
        return {
            "strided": strided,
            "transposed": f"np.asfortranarray({name})" if len(shape) > 1 else strided,
            "reversed": f"np.flip(np.flip({name}, -1).copy(), -1)",
            "repeated": f"np.broadcast_to({name}[:1], {shape})",
            "expanded": f"np.broadcast_to(1.0, {shape})",
        }[kind]


class TorchDoor:
    """Tensors of float64 that require a gradient where they move."""

    imports: tuple[str, ...] = ("import torch",)

    def placed(self, device: str) -> str:
        return f"torch.set_default_device({device!r})"

    def array(self, value: Any) -> str:
        real = ", dtype=torch.float64" if np.asarray(value).dtype.kind == "f" else ""
        return f"torch.tensor({number(value, 'torch.nan', 'torch.inf')}{real})"

    def many(self, values: Sequence[Any], moving: Sequence[int]) -> str:
        return self.sequence([self.array(v) for v in values], moving)

    def sequence(self, items: Sequence[str], moving: Sequence[int]) -> str:
        marked = [f"{item}.requires_grad_()" if k in moving else item for k, item in enumerate(items)]
        return f"[{', '.join(marked)}]"

    def call(self, code: Code) -> str:
        return self._of(code, "*inputs")

    def _of(self, code: Code, arguments: str) -> str:
        if not code.parameters:
            return f"{code.fn}({arguments})"
        own = ", ".join(f"{n!r}: inputs[{k - len(code.parameters)}]" for k, n in enumerate(code.parameters))
        return f"torch.func.functional_call({code.fn}.double(), {{{own}}}, tuple(inputs[:-{len(code.parameters)}]))"

    def gradient(self, code: Code, which: int, nothing: bool) -> str:
        missing = ", materialize_grads=True" if nothing else ""
        if not code.several:
            return f"torch.autograd.grad({self.call(code)}, inputs[{which}], ct{missing})[0]"
        return f"torch.autograd.grad({self._weighed(code)}, inputs[{which}]{missing})[0]"

    def _weighed(self, code: Code) -> str:
        real = f"[o for o in {self.call(code)} if o.is_floating_point()]"
        return f"sum((o * c).sum() for o, c in zip({real}, ct if isinstance(ct, tuple) else (ct,)))"

    def twice(self, code: Code, which: int) -> tuple[str, str]:
        out = self._weighed(code) if code.several else f"({self.call(code)} * ct).sum()"
        call = f"torch.autograd.grad(out, inputs[{which}], retain_graph=True)[0]"
        return f"out = {out}; first, again = ({call} for _ in 'ab')", "again"

    def pushed(self, code: Code, along: Steps) -> tuple[list[str], str]:
        tangents = ", ".join(f"{k}: {step}" for k, step in along)
        duals = "[ad.make_dual(x.detach(), ts[k]) if k in ts else x for k, x in enumerate(inputs)]"
        before = f"import torch.autograd.forward_ad as ad; ts = {{{tangents}}}; ad.enter_dual_level()"
        out = self._of(code, f"*{duals}")
        if not code.several:
            return [before], f"ad.unpack_dual({out}).tangent"
        real = f"[o for o in {out} if o.is_floating_point()]"
        return [before], f"torch.cat([ad.unpack_dual(o).tangent.reshape(-1) for o in {real}])"

    def second(self, code: Code, which: int, count: int) -> str:
        moving = f"[{', '.join(f'inputs[{k}]' for k in code.moving)}]"
        gradients = f"torch.autograd.grad({self.call(code)}, {moving}, ct.requires_grad_(), create_graph=True)"
        target = "ct" if which == count else f"inputs[{which}]"
        return f"torch.autograd.grad({gradients}, {target}, u, materialize_grads=True)[0]"

    def laid(self, kind: str, name: str, shape: tuple[int, ...]) -> str:
        plain = f"{name}.detach()" if name.startswith("inputs") else name
        if not shape:
            return f"{plain}.clone()"
        room = (*shape[:-1], 2 * shape[-1])
        strided = f"torch.stack([{plain}, torch.full_like({plain}, {BETWEEN})], -1).reshape({room})[..., ::2]"
        turned = f".permute({', '.join(map(str, reversed(range(len(shape)))))})"
        return {
            "strided": strided,
            "transposed": f"{plain}{turned}.contiguous(){turned}" if len(shape) > 1 else strided,
            "reversed": f"{plain}.clone()",
            "repeated": f"{plain}[:1].expand({shape})",
            "expanded": f"torch.ones((), dtype=torch.float64).expand({shape})",
        }[kind]


class JaxDoor:
    """Arrays of float64, and pullbacks."""

    imports: tuple[str, ...] = ("import jax, jax.numpy as jnp", "jax.config.update('jax_enable_x64', True)")

    def placed(self, device: str) -> str:
        platform, _, index = device.partition(":")
        return f"jax.config.update('jax_default_device', jax.devices({platform!r})[{index or 0}])"

    def array(self, value: Any) -> str:
        return f"jnp.array({number(value, 'jnp.nan', 'jnp.inf')})"

    def many(self, values: Sequence[Any], moving: Sequence[int]) -> str:
        return self.sequence([self.array(v) for v in values], moving)

    def sequence(self, items: Sequence[str], moving: Sequence[int]) -> str:
        return f"[{', '.join(items)}]"

    def call(self, code: Code) -> str:
        return self._of(code, "*inputs")

    def _of(self, code: Code, arguments: str) -> str:
        if not code.several:
            return f"{code.fn}({arguments})"
        leaves = f"jax.tree_util.tree_leaves({code.fn}({arguments}))"
        return f"[v for v in {leaves} if jnp.issubdtype(jnp.asarray(v).dtype, jnp.floating)]"

    def _by(self, code: Code, which: int) -> str:
        before = "".join(f"inputs[{k}], " for k in range(which))
        return f"lambda x: {self._of(code, f'{before}x, *inputs[{which + 1}:]')}"

    def gradient(self, code: Code, which: int, nothing: bool) -> str:
        ct = "[*ct] if isinstance(ct, tuple) else [ct]" if code.several else "ct"
        return f"jax.vjp({self._by(code, which)}, inputs[{which}])[1]({ct})[0]"

    def twice(self, code: Code, which: int) -> tuple[str, str]:
        call = self.gradient(code, which, False)
        return f"first = {call}; again = {call}", "again"

    def pushed(self, code: Code, along: Steps) -> tuple[list[str], str]:
        ts = dict(along)
        arguments = ", ".join(f"x[{list(ts).index(k)}]" if k in ts else f"inputs[{k}]" for k in range(max(ts) + 1))
        rest = f"{arguments}, *inputs[{max(ts) + 1}:]"
        points = ", ".join(f"inputs[{k}]" for k in ts)
        steps = ", ".join(ts.values())
        out = f"jax.jvp(lambda *x: {self._of(code, rest)}, ({points},), ({steps},))[1]"
        return [], f"jnp.concatenate([v.reshape(-1) for v in {out}])" if code.several else out

    def second(self, code: Code, which: int, count: int) -> str:
        place = len(code.moving) if which == count else code.moving.index(which)
        names = [f"x[{code.moving.index(k)}]" if k in code.moving else f"inputs[{k}]" for k in range(count)]
        points = "".join(f"inputs[{k}], " for k in code.moving)
        inner = f"jax.vjp(lambda *x: {self._of(code, ', '.join(names))}, *x[:-1])[1](x[-1])"
        return f"jax.vjp(lambda *x: {inner}, {points}ct)[1](u if isinstance(u, tuple) else (u,))[{place}]"

    def laid(self, kind: str, name: str, shape: tuple[int, ...]) -> str:
        return f"jnp.array({name})"


DOORS: Mapping[str, Door] = {"numpy": NumpyDoor(), "torch": TorchDoor(), "jax": JaxDoor()}
