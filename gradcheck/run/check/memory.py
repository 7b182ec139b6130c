"""Does the rule care where its numbers lie in memory, and does it leave what it is handed alone?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from gradcheck.judge.cells import Kind
from gradcheck.oracles.blackbox.asked import Array, flat
from gradcheck.run.check.asking import apart, ask, told
from gradcheck.run.check.judging import Judging, Row, seen
from gradcheck.run.check.suspects import Ruling, unflattened
from gradcheck.run.check.tape import after_question

Layout = Callable[[Array], Array]


def layouts() -> Iterator[tuple[str, str, Layout]]:
    """The same numbers, otherwise in memory: a word, the words, the way."""
    yield "strided", "every second number of a longer array", strided
    yield "transposed", "a transposed array", lambda a: np.asfortranarray(a) if a.ndim > 1 else strided(a)
    yield "reversed", "a reversed view", lambda a: np.ascontiguousarray(a[..., ::-1])[..., ::-1] if a.ndim else a.copy()


def strided(a: Array) -> Array:
    """The same numbers as every second one of a longer array."""
    if not a.ndim:
        return a.copy()
    room = np.full((*a.shape[:-1], 2 * a.shape[-1]), 7.25, a.dtype)
    room[..., ::2] = a
    return room[..., ::2]


def repeated(a: Array) -> tuple[Array, Array]:
    """An array whose first axis (or only number) has stride 0, and the same numbers laid out one by one."""
    first = np.array(a[:1]) if a.ndim else a.copy()
    strides = (0, *first.strides[1:]) if a.ndim else ()
    view = np.lib.stride_tricks.as_strided(first, a.shape, strides)
    return view, np.array(view)


def layout_question(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    inputs, cts = judging.points[p].inputs, unflattened(ct, judging.values[p])
    plain = ask(judging, p, ct)
    for kind, name, lay in layouts():
        copies = [np.array(x) for x in inputs]
        found = judging.asked.vjp_as_is(copies, [lay(c) for c in cts])
        how = f"where the cotangent is not {name}"
        laid = {"of": "cotangent", "kind": kind}
        told(judging, "layout", p, ct, apart(judging, p, ct, found, plain), how, "layout", laid)
        moved = [lay(np.array(x)) for x in inputs]
        found = judging.asked.vjp_as_is(moved, [np.array(c) for c in cts])
        how = f"where the inputs are not {name}"
        laid = {"of": "inputs", "kind": kind}
        told(judging, "layout", p, ct, apart(judging, p, ct, found, plain), how, "layout", laid)
    views = [repeated(c) for c in cts]
    same = flat([copy for _, copy in views])
    found = judging.asked.vjp_as_is([np.array(x) for x in inputs], [view for view, _ in views])
    told(judging, "layout", p, same, apart(judging, p, same, found, ask(judging, p, same)),
          "where the cotangent is not one number repeated with stride 0",
          "layout", {"of": "cotangent", "kind": "repeated"})  # fmt: skip
    ones = [np.lib.stride_tricks.as_strided(np.ones(1), c.shape, (0,) * c.ndim) for c in cts]
    found = judging.asked.vjp_as_is([np.array(x) for x in inputs], ones)
    one = np.ones_like(ct)
    told(judging, "layout", p, one, apart(judging, p, one, found, ask(judging, p, one)),
          "where the cotangent of ones is not expanded from one number",
          "layout", {"of": "cotangent", "kind": "expanded"})  # fmt: skip


def mutation_question(judging: Judging, p: int, ct: Row, rng: np.random.Generator) -> None:
    inputs = [np.array(x) for x in judging.points[p].inputs]
    cts = unflattened(ct, judging.values[p])
    before = [a.tobytes() for a in (*inputs, *cts)]
    tally = judging.tallies["mutation"]
    judging.asked.value_as_is(inputs)
    _unchanged(judging, p, ct, before, (*inputs, *cts), "the function")
    inputs = [np.array(x) for x in judging.points[p].inputs]
    judging.asked.vjp_as_is(inputs, cts)
    _unchanged(judging, p, ct, before, (*inputs, *cts), "the vjp")
    after_question(judging, p, ct)
    tally.add(2)


def _unchanged(judging: Judging, p: int, ct: Row, before: Sequence[bytes], after: Sequence[Array], who: str) -> None:
    for k, (old, new) in enumerate(zip(before, after, strict=True)):
        if old != new.tobytes():
            what = judging.names[k] if k < len(judging.points[p].inputs) else "the cotangent"
            was = np.frombuffer(old, new.dtype)
            now = np.ascontiguousarray(new).reshape(-1)
            i = next(j for j in range(was.size) if was[j].tobytes() != now[j].tobytes())
            text = f"{who} writes to {what}: element {i} was {was[i]:.6g} and is {now[i]:.6g} afterwards"
            ruling = Ruling(Kind.WRONG, float(was[i]), 0.0, "what was handed in")
            here = replace(seen(judging, p, 0, ct, float(now[i]), ruling), way="wrote")
            here = replace(here, beside={"by": who, "place": k, "element": i})
            judging.tallies["mutation"].show(Kind.WRONG, text, here)
            return
