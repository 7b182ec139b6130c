"""What is each door's Python for a gradient? Expressions over `inputs` (a list), `ct` and the names of the code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.report.naming import Code
from gradcheck.report.reproduce_numpy import NumpyDoor
from gradcheck.report.reproduce_words import BETWEEN, Door, Steps, called, number


class TorchDoor(Door):
    """Tensors of float64 that require a gradient where they move."""

    imports: tuple[str, ...] = ("import torch",)

    def placed(self, device: str) -> str:
        return f"torch.set_default_device({device!r})"

    def array(self, value: Any) -> str:
        kinds = {"f": ", dtype=torch.float64", "c": ", dtype=torch.complex128"}
        real = kinds.get(np.asarray(value).dtype.kind, "")
        return f"torch.tensor({number(value, 'torch.nan', 'torch.inf')}{real})"

    def given(self, array: str) -> str:
        return f"torch.tensor({array})"

    def sequence(self, items: Sequence[str], moving: Sequence[int]) -> str:
        marked = [f"{item}.requires_grad_()" if k in moving else item for k, item in enumerate(items)]
        return f"[{', '.join(marked)}]"

    def of(self, code: Code, arguments: str) -> str:
        if not code.parameters:
            return called(code, code.fn, arguments)
        count = len(code.parameters)
        own = ", ".join(f"{n!r}: inputs[{k - count}]" for k, n in enumerate(code.parameters))
        module = f"torch.func.functional_call({code.fn}.double(), {{{own}}}"
        if code.form.plain:
            call = f"{module}, tuple(inputs[:-{count}]))"
        else:
            call = f"(lambda *args, **words: {module}, args, words))({code.form.text()})"
        return call if arguments == "*inputs" else f"(lambda *inputs: {call})({arguments})"

    def gradient(self, code: Code, which: int, nothing: bool) -> str:
        missing = ", materialize_grads=True" if nothing else ""
        if not code.several:
            return f"torch.autograd.grad({self.call(code)}, inputs[{which}], ct{missing})[0]"
        return f"torch.autograd.grad({self._weighed(code)}, inputs[{which}]{missing})[0]"

    def _several(self, code: Code, found: str) -> str:
        """The outputs that have a derivative, of several."""
        outputs = code.learnt.outputs
        if isinstance(outputs, tuple) and all(real is True for real in outputs):
            return found
        some = "torch.is_tensor(o) and (o.is_floating_point() or o.is_complex())"
        return f"[o for o in torch.utils._pytree.tree_leaves({found}) if {some}]"

    def _weighed(self, code: Code) -> str:
        each = "(o * c.conj()).sum().real" if code.complex else "(o * c).sum()"
        cts = "ct if isinstance(ct, tuple) else (ct,)"
        return f"sum({each} for o, c in zip({self._several(code, self.call(code))}, {cts}))"

    def twice(self, code: Code, which: int) -> tuple[str, str]:
        weighed = "ct.conj()).sum().real" if code.complex else "ct).sum()"
        out = self._weighed(code) if code.several else f"({self.call(code)} * {weighed}"
        call = f"torch.autograd.grad(out, inputs[{which}], retain_graph=True)[0]"
        return f"out = {out}; first, again = ({call} for _ in 'ab')", "again"

    def pushed(self, code: Code, along: Steps) -> tuple[list[str], str]:
        tangents = ", ".join(f"{k}: {step}" for k, step in along)
        duals = "[ad.make_dual(x.detach(), ts[k]) if k in ts else x for k, x in enumerate(inputs)]"
        before = f"import torch.autograd.forward_ad as ad; ts = {{{tangents}}}; ad.enter_dual_level()"
        out = self.of(code, f"*{duals}")
        if not code.several:
            return [before], f"ad.unpack_dual({out}).tangent"
        return [before], f"torch.cat([ad.unpack_dual(o).tangent.reshape(-1) for o in {self._several(code, out)}])"

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


class JaxDoor(Door):
    """Arrays of float64, and pullbacks."""

    imports: tuple[str, ...] = ("import jax, jax.numpy as jnp", "jax.config.update('jax_enable_x64', True)")

    def placed(self, device: str) -> str:
        platform, _, index = device.partition(":")
        return f"jax.config.update('jax_default_device', jax.devices({platform!r})[{index or 0}])"

    def array(self, value: Any) -> str:
        return f"jnp.array({number(value, 'jnp.nan', 'jnp.inf')})"

    def given(self, array: str) -> str:
        return f"jnp.array({array})"

    def sequence(self, items: Sequence[str], moving: Sequence[int]) -> str:
        return f"[{', '.join(items)}]"

    def of(self, code: Code, arguments: str) -> str:
        found = called(code, code.fn, arguments)
        if not code.several:
            return found
        numbers = "jnp.issubdtype(jnp.asarray(v).dtype, jnp.inexact)"
        return f"[v for v in jax.tree_util.tree_leaves({found}) if {numbers}]"

    def _by(self, code: Code, which: int) -> str:
        before = "".join(f"inputs[{k}], " for k in range(which))
        return f"lambda x: {self.of(code, f'{before}x, *inputs[{which + 1}:]')}"

    def gradient(self, code: Code, which: int, nothing: bool) -> str:
        ct = "[*ct] if isinstance(ct, tuple) else [ct]" if code.several else "ct"
        pull = f"jax.vjp({self._by(code, which)}, inputs[{which}])[1]"
        if not code.complex:
            return f"{pull}({ct})[0]"
        turned = f"[jnp.conj(c) for c in ({ct})]" if code.several else "jnp.conj(ct)"
        return f"jnp.conj({pull}({turned})[0])"  # PyTorch's convention is the conjugate of JAX's

    def twice(self, code: Code, which: int) -> tuple[str, str]:
        call = self.gradient(code, which, False)
        return f"first = {call}; again = {call}", "again"

    def pushed(self, code: Code, along: Steps) -> tuple[list[str], str]:
        ts = dict(along)
        arguments = ", ".join(f"x[{list(ts).index(k)}]" if k in ts else f"inputs[{k}]" for k in range(max(ts) + 1))
        rest = f"{arguments}, *inputs[{max(ts) + 1}:]"
        points = ", ".join(f"inputs[{k}]" for k in ts)
        steps = ", ".join(ts.values())
        out = f"jax.jvp(lambda *x: {self.of(code, rest)}, ({points},), ({steps},))[1]"
        return [], f"jnp.concatenate([v.reshape(-1) for v in {out}])" if code.several else out

    def second(self, code: Code, which: int, count: int) -> str:
        place = len(code.moving) if which == count else code.moving.index(which)
        names = [f"x[{code.moving.index(k)}]" if k in code.moving else f"inputs[{k}]" for k in range(count)]
        points = "".join(f"inputs[{k}], " for k in code.moving)
        inner = f"jax.vjp(lambda *x: {self.of(code, ', '.join(names))}, *x[:-1])[1](x[-1])"
        return f"jax.vjp(lambda *x: {inner}, {points}ct)[1](u if isinstance(u, tuple) else (u,))[{place}]"

    def laid(self, kind: str, name: str, shape: tuple[int, ...]) -> str:
        return f"jnp.array({name})"


DOORS: Mapping[str, Door] = {"numpy": NumpyDoor(), "torch": TorchDoor(), "jax": JaxDoor()}
