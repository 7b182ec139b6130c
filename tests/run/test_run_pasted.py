"""Do the lines that a failure offers run as pasted, and show the wrong number beside the right one?"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gradcheck.cases import batch
from gradcheck.expr.vocabulary import lookup
from gradcheck.run import outcome as outcomes
from gradcheck.run.failures.as_python import Shown, as_python
from gradcheck.run.failures.numpy_words import DEFINED, HOMES, words_for
from gradcheck.spec import load
from gradcheck.spec.case import Layout

MODULE = "gradcheck_tests_run_pasted_rules"
CODE = """
import numpy as np

def times(x, y):
    return x * y

def times_vjp(x, y, ct):
    return ct * y, ct * x * 1.5

def times_jvp(x, y, t_x, t_y):
    return t_x * y

def shapeless_vjp(x, y, ct):
    return ct * y, np.stack([ct * x, ct * x])

def f(x):
    return x * x * x

def f_vjp(x, ct):
    return 3 * ct * x * x * (1.001 if x.dtype == np.float32 else 1)

def viewed_vjp(x, ct):
    return 3 * ct * x * x * (1 if x.flags.c_contiguous else 1.5)

def twins_vjp(x, y, ct):
    return ct * y, ct * x * (1.5 if x is y else 1)

class Cube:
    @staticmethod
    def viewed(x):
        import torch

        class Rule(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x**3

            @staticmethod
            def backward(ctx, ct):
                (x,) = ctx.saved_tensors
                return (3 if x.is_contiguous() else 2) * ct * x**2

        return Rule.apply(x)

    @staticmethod
    def torch(x):
        import torch

        class Rule(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x**3

            @staticmethod
            def backward(ctx, ct):
                return 2 * ct * ctx.saved_tensors[0] ** 2

        return Rule.apply(x)

    @staticmethod
    def jax(x):
        import jax

        rule = jax.custom_vjp(lambda x: x**3)
        rule.defvjp(lambda x: (x**3, x), lambda x, ct: (2 * ct * x**2,))
        return rule(x)
"""
TIMES = "  inputs: {x: {shape: [n]}, y: {shape: [n]}}\n  value: x*y\n  vjp: {x: ct*y, y: ct*x}\n"
CUBE = "  inputs: {x: {shape: [n]}}\n  value: x**3\n  derivative: {x: 3*x**2}\n"
CLAIMS = {
    "a gradient": "  inputs: {x: {shape: [n]}}\n  value: sum(exp(x))\n  gradient: {x: 2*exp(x)}\n",
    "a derivative": "  inputs: {x: {shape: [n]}}\n  value: softplus(x)\n  derivative: {x: expit(-x)*expit(x)}\n",
    "a jacobian": "  inputs: {x: {shape: [2]}}\n  value: x**2\n  jacobian: {x: 'x*ones((2, 2))'}\n",
    "a jvp": "  inputs: {x: {shape: [n]}, y: {}}\n  value: x*y\n  jvp: t_x*y - x*t_y\n",
    "a hessian": "  inputs: {x: {shape: [n]}}\n  value: sum(x**3)\n  gradient: {x: 3*x**2}\n  hessian: {x: 'eye(n)'}\n",
    "a program": "  inputs: {x: {shape: [n]}}\n  code: |\n    y = x\n    for k in range(2):\n"
    "        y = y * x\n    return y\n  derivative: {x: 2*x**2}\n",
    "an index": "  inputs: {x: {shape: [n]}, i: {shape: [k], domain: index(n)}}\n  value: x[i]**2\n"
    "  jvp: x[i]*t_x[i]\n",
    "a size": "  inputs: {x: {shape: [n]}}\n  value: sum(x) / n**2\n  gradient: {x: 1/n + 1 + 0*x}\n",
}


@pytest.fixture
def allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, ...]]:
    """The module, in a folder that Python does not search by itself."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / f"{MODULE}.py").write_text(CODE, encoding="utf-8")
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield (MODULE,)
    sys.modules.pop(MODULE, None)


def pasted(lines: tuple[str, ...]) -> list[str]:
    """What they print, one text a line."""
    said = io.StringIO()
    sys.modules.pop(MODULE, None)
    with redirect_stdout(said):
        exec("\n".join(lines), {})
    return said.getvalue().splitlines()


def number(found: outcomes.Counterexample, witness: str) -> float:
    return next(float(n["center"]) for n in found.numbers if n["witness"].startswith(witness))


@pytest.mark.parametrize("body", CLAIMS.values(), ids=CLAIMS)
def test_of_a_claim_by_its_formula(judge, body: str):
    (outcome,) = judge(f"g:\n{body}")
    found = outcome.counterexample
    first, *rest = pasted(found.python)
    wrong, right = (float(word) for word in first.split(" should be "))
    assert wrong == pytest.approx(number(found, "claim"), rel=1e-12)
    assert right == pytest.approx(number(found, "engine"), rel=1e-12)
    assert abs(wrong - right) > 1e-3
    assert [pytest.approx(right, rel=1e-6)] * len(rest) == [float(line.split()[0]) for line in rest]
    assert bool(rest) == ("hessian" not in body)
    assert found.example[0].startswith("- {x: ")
    assert found.right == "certified"


@pytest.mark.parametrize(
    ("body", "backend", "reference"),
    [
        (TIMES, "numpy", f"{{value: '{MODULE}:times', vjp: '{MODULE}:times_vjp'}}"),
        (TIMES.replace("vjp: {x: ct*y, y: ct*x}", "jvp: t_x*y + x*t_y"), "numpy",
         f"{{value: '{MODULE}:times', jvp: '{MODULE}:times_jvp'}}"),
        (CUBE + "  dtypes: [float32]\n", "numpy", f"{{value: '{MODULE}:f', vjp: '{MODULE}:f_vjp'}}"),
        (CUBE, "torch", f"'{MODULE}:Cube.torch'"),
        (CUBE.replace("[n]", "[n, 2]"), "torch", f"'{MODULE}:Cube.viewed'"),
        (CUBE.replace("[n]", "[n, 2]"), "numpy", f"{{value: '{MODULE}:f', vjp: '{MODULE}:viewed_vjp'}}"),
        (CUBE, "jax", f"'{MODULE}:Cube.jax'"),
    ],
    ids=["vjp", "jvp", "float32", "torch", "a view in torch", "a view", "jax"],
)  # fmt: skip
def test_of_code_under_test_by_calling_it(judge, allowed, body: str, backend: str, reference: str):
    if backend != "numpy":
        pytest.importorskip(backend)
    (outcome,) = judge(
        f"g:\n{body}  implementations: {{{backend}: {reference}}}\n", allowed=allowed, python_path=("lib",)
    )
    found = outcome.counterexample
    assert "import sys; sys.path.append('lib')" in found.python
    (said,) = pasted(found.python)
    wrong, right = (float(word) for word in said.split(" should be "))
    assert wrong == pytest.approx(number(found, "implementation"), rel=1e-12)
    assert right == pytest.approx(number(found, "engine"), rel=1e-6)
    assert abs(wrong - right) > 1e-4


def test_of_one_array_given_twice_the_same_array(judge, allowed):
    rules = f"{{value: '{MODULE}:times', vjp: '{MODULE}:twins_vjp'}}"
    judge(f"g:\n{TIMES}  implementations: {{numpy: {rules}}}\n", allowed=allowed, python_path=("lib",))
    (spec,) = load("a.grad.yaml").functions
    case = batch(spec, {"n": 1}, [{"x": np.array([2.0]), "y": np.array([2.0])}], None)
    assert case is not None
    twins = replace(case, layouts=(Layout("same", ("x", "y")),))
    shown = Shown("vjp:y", (0,), "implementation:numpy reverse", 3.0, 2.0)
    assert pasted(tuple(as_python(twins, shown, ["lib"]))) == ["3.0 should be 2.0"]


def test_of_another_shape_the_shapes(judge, allowed):
    rules = f"{{value: '{MODULE}:times', vjp: '{MODULE}:shapeless_vjp'}}"
    (outcome,) = judge(f"g:\n{TIMES}  implementations: {{numpy: {rules}}}\n", allowed=allowed, python_path=("lib",))
    assert pasted(outcome.counterexample.python) == ["(2, 1) should be the shape (1,)"]


def test_where_several_derivatives_meet_no_number_is_called_right(judge):
    (outcome,) = judge("g:\n  inputs: {x: {}}\n  value: abs(x)\n  derivative: {x: 'where(x == 0, 2, sign(x))'}\n")
    found = outcome.counterexample
    assert pasted(found.python) == ["2.0 belongs to none of the derivatives that meet here"]
    assert (found.example, found.right) == (("- {x: 0}",), "")


@pytest.mark.parametrize(
    "body",
    [
        "  inputs: {x: {}}\n  value: x * stop_gradient(x)\n  derivative: {x: 2*x}\n",
        "  inputs: {x: {domain: '(1, 2)'}, gamma: {}}\n  value: gamma(x) * gamma\n"
        "  derivative: {x: gamma, gamma: gamma(x)}\n",
        "  inputs: {x: {}, np: {}}\n  value: x * np\n  derivative: {x: x, np: x}\n",
    ],
    ids=["a word of its own", "a number and a function", "a name that the lines need"],
)
def test_where_plain_python_would_mean_something_else_there_is_none(judge, body: str):
    (outcome,) = judge(f"g:\n{body}")
    assert (outcome.counterexample.python, outcome.counterexample.example != ()) == ((), True)


POINTS = {"asin": 0.3, "acos": 0.3, "atanh": 0.3, "arcsin": 0.3, "arccos": 0.3, "arctanh": 0.3, "logit": 0.3}
SHAPED = {"eye": (2,), "zeros": ((2,),), "ones": ((2,),), "arange": (3,)}
MATRICES = {"inv", "det", "solve", "trace", "tril", "triu", "matmul"}
LISTED = {"concat", "stack"}


@pytest.mark.parametrize(
    "name", sorted({*DEFINED, *(n for names in HOMES.values() for n in names)} - {"pi", "e", "inf"})
)
def test_a_name_means_in_python_what_it_means_in_the_language(name: str):
    row, env = lookup(name), {"np": np}
    exec("\n".join(words_for([f"{name}(x)"], [])), env)
    x = (
        np.array([[2.5, 1.0], [0.5, 3.0]])
        if name in MATRICES
        else np.array([POINTS.get(name, 1.5), POINTS.get(name, 1.25)])
    )
    arrays = SHAPED.get(name, ([x, x + 1],) if name in LISTED else (x, x + 0.25, x + 0.5)[: row.arity])
    more = {"where": (x > 1.3, x, -x), "reshape": (x, (2, 1))}.get(name, arrays)
    assert np.array_equal(np.asarray(env[name](*more)), np.asarray(row.numpy(*more)))


def test_a_name_that_is_not_known_is_refused():
    assert words_for(["stop_gradient(x)"], []) is None
    assert words_for(["exp(x)"], ["exp"]) is None
    assert words_for(["y = sin(x)\nreturn y + pi\n"], []) == ["from numpy import pi, sin"]
