"""Are behaviours really performed: kept ones agree, planted lies do not, and what a library lacks is said?"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gradcheck.oracles import behaviours
from gradcheck.oracles.behaviours import Performance, differ, label, perform
from gradcheck.spec import load

WITH_TORCH = pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="torch")
TAPES = ["engine", pytest.param("torch", marks=WITH_TORCH)]
WITH_JAX = pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="jax")
Play = Callable[..., Performance]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Performs steps, each a line of YAML; the first is on line 5."""
    monkeypatch.chdir(tmp_path)

    def play(witness: str, *steps: str) -> Performance:
        lines = ["gradcheck: 1", "semantics:", "  b:", "    steps:", *(f"      - {step}" for step in steps)]
        Path("b.grad.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return perform(load("b.grad.yaml").semantics[0], witness)

    return play


KEPT = [
    ["tensor: {x: [1, 2]}", "let: {y: sum(x*x)}", "backward: y", "expect: {value: {y: 5}, grad: {x: [2, 4]}}"],
    ["tensor: {x: 2}", "let: {y: x**3}", "backward: {of: y, create_graph: true}", "expect: {grad: {x: 12}}"],
    ["tensor: {x: 2}", "let: {y: x*x}", "backward: {of: y, retain_graph: true}", "backward: y",
     "expect: {grad: {x: 8}}"],
    ["tensor: {x: 2}", "let: {y: x*x}", "backward: y", "{backward: y, raises: second time}"],
    ["tensor: {x: 2}", "let: {y: x + 1}", "backward: y", "backward: y", "expect: {grad: {x: 2}}"],
    ["tensor: {x: [1, 2]}", "{backward: {of: x, gradient: [1, 1, 1]}, raises: Mismatch in shape}"],
    ["constant: {c: 2}", "{backward: c, raises: does not require grad}", "expect: {requires_grad: {c: false}}"],
    ["tensor: {x: 2}", "let: {y: x*x}", "{requires_grad: {y: false}, raises: leaf variables}"],
    ["tensor: {x: 2}", "let: {y: x*x}", "{expect: {grad: {y: null}}, warns: not a leaf}"],
    ["tensor: {x: [1, 2]}", "let: {y: norm(x) + max(x) - erf(sum(x))}",
     "expect: {nodes: {y: [add, erf, max, norm, sub, sum]}}"],
    ["tensor: {x: 2}", "let: {y: x*x}", "expect: {node: {x: none, y: multiply}, nodes: {y: [mul], x: []}}"],
    ["tensor: {x: 2}", "detach: {u: x}", "let: {y: u*x}", "backward: y",
     "expect: {grad: {x: 2, u: null}, is_leaf: {u: true}}"],
    ["tensor: {x: 1}", "let: {y: 3*x}", "backward: y", "sgd: {lr: 0.1, of: [x]}",
     "expect: {value: {x: 0.7}, grad: {x: 3}}"],
    ["tensor: {x: 1}", "sgd: {lr: 0.1, of: [x]}", "expect: {value: {x: 1}, grad: {x: null}}"],
    ["tensor: {x: 1}", "repeat: {times: 3, steps: [{let: {y: 2*x}}, {backward: y}]}", "expect: {grad: {x: 6}}"],
    ["tensor: {x: 1, w: 1}", "let: {y: 2*x}", "backward: y", "expect: {grad: {w: null}}"],
    ["tensor: {x: 1}", "no_grad: {y: 2*x}", "let: {z: x*y}", "backward: z", "expect: {grad: {x: 2, y: null}}"],
    ["tensor: {x: [1, 2]}", "let: {y: 100*x if sum(x) < 0 else stop_gradient(x)*x, s: sum(y)}", "backward: s",
     "expect: {grad: {x: [1, 2]}}"],
    ["tensor: {x: 2}", "let: {k: 2 + 3, y: k*x}", "backward: y",
     "expect: {value: {k: 5}, requires_grad: {k: false}, grad: {x: 5}}"],
]  # fmt: skip


@pytest.mark.parametrize("witness", TAPES)
@pytest.mark.parametrize("steps", KEPT, ids=lambda steps: steps[-1][:40])
def test_kept(play: Play, witness: str, steps: list[str]) -> None:
    said = play(witness, *steps)
    assert (said.witness, said.verdict) == (witness, "AGREES"), said.reason
    assert said.checked > 0
    assert said.seconds > 0


LIES = [
    (["tensor: {x: [1, 2]}", "let: {y: sum(x*x)}", "backward: y", "expect: {grad: {x: [2, 5]}}"],
     "8: grad of x [1] is 4.0, expected 5.0"),
    (["tensor: {x: 3}", "let: {y: x*x}", "backward: y", "{let: {z: x*x}, raises: second time}"],
     "8: no error was raised, expected a RuntimeError with 'second time'"),
    (["tensor: {x: 3}", "let: {y: x*x}", "backward: y", "{backward: y, raises: only for scalar}"],
     "8: the error says 'Trying to backward through the graph a second time"),
    (["tensor: {x: 3}", "let: {y: x*x}", "{expect: {grad: {x: null}}, warns: not a leaf}"],
     "7: no warning was given, expected one with 'not a leaf'"),
    (["tensor: {x: 3}", "let: {y: x*x}", "{expect: {grad: {y: null}}, warns: deprecated}"],
     "7: the warning says "),
    (["tensor: {x: [1, 2]}", "let: {y: x*x}", "backward: y", "expect: {grad: {x: [2, 4]}}"],
     "7: an error was raised: grad can be implicitly created only for scalar outputs"),
    (["tensor: {x: 3}", "let: {y: x*x}", "expect: {grad: {x: 0}}"], "7: grad of x is none, expected 0."),
    (["tensor: {x: 3}", "let: {y: x*x}", "backward: y", "expect: {grad: {x: null}}"],
     "8: grad of x is 6., expected none"),
    (["tensor: {x: 3}", "let: {y: x*x}", "expect: {value: {y: [9]}}"], "7: value of y has shape (), expected (1,)"),
    (["tensor: {x: 3}", "expect: {requires_grad: {x: false}}"], "6: requires_grad of x is True, expected False"),
    (["tensor: {x: 3}", "expect: {is_leaf: {x: false}}"], "6: is_leaf of x is True, expected False"),
    (["tensor: {x: 3}", "let: {y: x*x}", "expect: {node: {y: add}}"], "7: node of y is mul, expected add"),
    (["tensor: {x: 3}", "let: {y: x*x}", "expect: {nodes: {y: [mul, mul]}}"],
     "7: nodes of y is ['mul'], expected ['mul', 'mul']"),
    (["tensor: {w: 1}", "repeat: {times: 3, steps: [{let: {z: 2*w}}, {backward: z}, {expect: {grad: {w: 2}}}]}"],
     "6 (turn 2): grad of w is 4.0, expected 2.0"),
    (["tensor: {x: 1}", "let: {y: 3*x}", "backward: y", "sgd: {lr: 0.1, of: [x]}", "expect: {value: {x: 1.3}}"],
     "9: value of x is 0.7, expected 1.3"),
    (["tensor: {x: 1}", "expect: {value: {x: 1.00006}, decimals: 4}"], "6: value of x is 1.0, expected 1.00006"),
    (["tensor: {x: 1}", "expect: {value: {x: 1.000000000000002}}"], "6: value of x is 1.0, expected 1.000000000000002"),
    (["tensor: {x: 1}", "let: {y: log(-x)}", "expect: {value: {y: 0}}"], "7: value of y is nan, expected 0.0"),
]  # fmt: skip


@pytest.mark.parametrize("witness", TAPES)
@pytest.mark.parametrize(("steps", "reason"), LIES, ids=lambda part: part if isinstance(part, str) else "")
def test_lies(play: Play, witness: str, steps: list[str], reason: str) -> None:
    said = play(witness, *steps)
    assert (said.verdict, said.checked > 0 or "an error" in reason) == ("DISAGREES", True), said.reason
    assert said.reason.startswith(f"b.grad.yaml:{reason}")


@pytest.mark.parametrize("witness", TAPES)
def test_only_a_runtime_error_is_a_refusal(play: Play, witness: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tape = behaviours._tape(witness)

    def broken(*args: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(type(tape), "detach", broken)
    steps = ["tensor: {x: 3}", "detach: {u: x}", "expect: {value: {u: 3}}"]
    said = play(witness, *steps)
    assert (said.verdict, said.reason) == ("CRASHED", "b.grad.yaml:6: KeyError: 'surprise'")
    said = play(witness, steps[0], "{detach: {u: x}, raises: surprise}")
    assert said.reason == "b.grad.yaml:6: a KeyError was raised, expected a RuntimeError: 'surprise'"


@pytest.mark.parametrize("witness", TAPES)
def test_endless_or_huge_formulas_are_refused(play: Play, witness: str) -> None:
    for formula, reason in [("ones([3000, 3000])", "the result of ones"), ("outer(x, x)", "the result of outer")]:
        said = play(witness, f"tensor: {{x: {[1.0] * 2001}}}", f"let: {{y: '{formula}'}}", "expect: {value: {y: 1}}")
        assert said.verdict == "DISAGREES"
        assert reason in said.reason


def test_a_missing_library_is_a_silence(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behaviours, "installed", lambda witness: witness == "engine")
    for witness in ("torch", "jax"):
        said = play(witness, *KEPT[0])
        assert (said.verdict, said.reason, said.checked) == ("SILENT", f"{witness} is not installed", 0)


@WITH_JAX
def test_jax_where_one_pass_is_all(play: Play) -> None:
    said = play("jax", *KEPT[0])
    assert (said.verdict, said.checked) == ("AGREES", 2), said.reason
    said = play(
        "jax", "tensor: {x: [0, 1, 2]}", "constant: {c: [3, 3, 3]}", "let: {y: x*x}", "detach: {u: y}",
        "let: {x: 2*x, z: u*x*c}", "backward: {of: z, gradient: [1, 1, 10]}", "expect: {value: {z: [0, 6, 48]}}",
    )  # fmt: skip
    assert said.verdict == "AGREES", said.reason
    steps = ["tensor: {x: [0, 1, 2]}", "let: {y: x*x}", "detach: {u: y}", "let: {s: sum(u*x)}", "backward: s"]
    assert play("jax", *steps, "expect: {grad: {x: [0, 1, 4]}}").verdict == "AGREES"
    said = play("jax", *steps, "expect: {grad: {x: [0, 3, 12]}}")
    assert (said.verdict, said.reason) == ("DISAGREES", "b.grad.yaml:10: grad of x [1] is 1.0, expected 3.0")


@WITH_JAX
@pytest.mark.parametrize(
    ("step", "notion"),
    [
        ("zero_grad: [x]", "a tape that accumulates: zero_grad"),
        ("backward: y", "a tape that accumulates: a second backward"),
        ("repeat: {times: 2, steps: [{let: {z: x}}]}", "a tape that accumulates: repeat"),
        ("no_grad: {z: x}", "a tape that is switched off: no_grad"),
        ("requires_grad: {x: false}", "arrays that do or do not require a gradient: requires_grad"),
        ("expect: {requires_grad: {x: true}}", "arrays that do or do not require a gradient: requires_grad"),
        ("sgd: {lr: 1.0, of: [x]}", "arrays that change: sgd"),
        ("{let: {z: x}, raises: no}", "a tape's errors and warnings"),
        ("{let: {z: x}, warns: no}", "a tape's errors and warnings"),
        ("expect: {grad: {x: null}}", "a gradient that is none"),
        ("expect: {node: {y: mul}}", "a graph to look at: node"),
        ("expect: {is_leaf: {x: true}}", "a graph to look at: is_leaf"),
    ],
)
def test_jax_says_what_it_lacks(play: Play, step: str, notion: str) -> None:
    said = play("jax", "tensor: {x: 3}", "let: {y: x*x}", "backward: y", step, "expect: {value: {y: 9}}")
    assert (said.verdict, said.reason, said.checked) == ("SILENT", f"JAX has no notion of {notion}", 0)


@pytest.mark.parametrize(
    ("found", "told", "decimals", "same"),
    [
        (0.1 + 0.2, 0.3, None, True),
        (1.0 + 1e-15, 1.0, None, False),
        (1e-20, 0.0, None, False),
        (4.15084, 4.1508, 4, True),
        (4.15086, 4.1508, 4, False),
        (np.inf, np.inf, None, True),
        (np.inf, -np.inf, None, False),
        (np.inf, 1e308, None, False),
        (np.nan, np.nan, 4, False),
    ],
)
def test_numbers(found: float, told: float, decimals: int | None, same: bool) -> None:
    assert (differ(np.asarray(found), told, decimals) == "") is same


def test_labels() -> None:
    assert [label(word) for word in ("multiply", "mul", "add", "amax", "other")] == [
        "mul",
        "mul",
        "add",
        "max",
        "other",
    ]
