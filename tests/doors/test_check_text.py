"""Would a new user know what is wrong, where, what is right and how to see it, from the first eight lines?"""

from __future__ import annotations

import importlib
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pasting import pasted, shows, snippet

from gradcheck import Real, Symmetric, check
from gradcheck.report.checked import Result

SOURCES = {
    "numpy": """
import numpy as np

def softsign(x):
    return x / (1 + np.abs(x))

def softsign_vjp(inputs, ct):
    return (ct / (1 + np.abs(inputs[0])),)
""",
    "torch": """
import torch

class Softsign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x / (1 + x.abs())

    @staticmethod
    def backward(ctx, ct):
        return ct / (1 + ctx.saved_tensors[0].abs())

softsign = Softsign.apply
""",
    "jax": """
import jax
import jax.numpy as jnp

@jax.custom_vjp
def softsign(x):
    return x / (1 + jnp.abs(x))

softsign.defvjp(lambda x: (softsign(x), x), lambda x, ct: (ct / (1 + jnp.abs(x)),))
""",
}
NAMES = {"numpy": "softsign", "torch": "Softsign.apply", "jax": "softsign"}


def judged(door: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    """A rule that forgets a square, in a module of its own, judged where a user would."""
    if door != "numpy":
        pytest.importorskip(door)
    name = f"pasted_{door}"
    (folder / "src").mkdir()
    (folder / "src" / f"{name}.py").write_text(SOURCES[door], encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder / "src")])
    module: Any = importlib.import_module(name)
    rule = {"vjp": module.softsign_vjp} if door == "numpy" else {}
    return check(module.softsign, {"x": Real(2)}, points=8, cells=["reverse"], **rule)


@pytest.mark.parametrize("door", SOURCES)
def test_what_is_offered_runs_as_pasted(
    door: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: Any
) -> None:
    """In a new process, in the folder where it was told, which knows nothing of gradcheck nor of the module's place."""
    result = judged(door, tmp_path, monkeypatch)
    lines = str(result).splitlines()
    assert lines[:2] == [
        f"{NAMES[door]}: DISAGREES in reverse: the gradient of x[0] is 0.5, not 0.25",
        "  at x[0], point x = [1.0, 0.0] (shrunk), cotangent [1.0, 1.0]",
    ]
    assert re.fullmatch(r"  got 0\.5; right: 0\.25 ± \de-\d\d by .*", lines[2])
    assert lines[3] == "  to see it, paste into Python:"
    assert lines[7] == ""
    ran = python("-c", snippet(result))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "0.5 should be 0.25\n"
    with pytest.raises(AssertionError, match=r"(?s)is 0\.5, not 0\.25.*to see it.*should be"):
        assert result, str(result)


ASSERTED = """
import numpy as np
from gradcheck import Real, Symmetric, check

def judged(factor):
    return check(np.sin, [Real(2)], vjp=lambda i, ct: (factor * ct * np.cos(i[0]),), points=8, cells=["reverse"])

def test_plain():
    assert judged(2)

def test_passed():
    assert judged(2).passed

def test_told():
    result = judged(2)
    assert result, str(result)

def test_right():
    assert judged(1)
    assert 1 + 1 == 3
"""


def test_a_failed_assertion_tells_it_whole(pytester: pytest.Pytester) -> None:
    """However it is written; pytest alone shows a cut line of it. An answer that passes is not shown."""
    pytester.makepyfile(ASSERTED)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    text, _ = "\n".join(result.outlines).split("short test summary info")  # which, under CI, says failures once more
    parts = re.split(r"^_+ test_(\w+) _+$", text, flags=re.MULTILINE)
    tests = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert list(tests) == ["plain", "passed", "told", "right"]
    for name in ("plain", "passed", "told"):
        assert tests[name].count("to see it, ") == 1, name
        assert "should be" in tests[name]
    assert "reverse" not in tests["right"]


def test_a_number_that_is_nearly_right_is_told_with_the_digits_that_differ() -> None:
    result = check(np.sin, {"x": Real(2)}, vjp=lambda i, ct: (ct * np.cos(i[0]) * (1 + 1e-7),), points=8)
    first = str(result).splitlines()[0]
    found = re.search(r"is (\S+), not (\S+)$", first)
    assert found is not None
    assert found[1] != found[2]


def test_a_formula_is_shown_beside_a_difference_quotient() -> None:
    result = check(np.sum, {"a": Real(2)}, gradient="2*ones_like(a)", points=8)
    said = pasted(result)
    got, right = (float(v) for v in said.strip().split(" should be "))
    assert got == 2.0
    assert abs(right - 1.0) < 1e-6


def test_a_claim_that_is_wrong_is_shown_and_not_the_code_beside_it() -> None:
    torch = pytest.importorskip("torch")

    def claim(inputs: Any, ct: Any) -> Any:
        return ct * np.sin(inputs[0])

    result = check(torch.sin, {"x": Real(2)}, vjp=claim, points=6, cells=["reverse", "stated"])
    assert "by vjp= the gradient of x[0]" in str(result).splitlines()[0]
    shows(result, pasted(result, vjp=claim))


def test_elements_that_moved_together_are_shown_as_their_sum() -> None:
    def rule(inputs: Any, ct: Any) -> Any:
        return ct * np.array([[2.0, 3.0], [3.0, 2.0]]) * inputs[0]

    result = check(lambda a: (a * a).sum(), {"a": Symmetric(2)}, vjp=rule, points=6, cells=["reverse"])
    assert "a[0, 1] + a[1, 0]" in str(result).splitlines()[0]
    shows(result, pasted(result, vjp=rule))


def test_a_constant_among_the_inputs_is_one_in_the_snippet_too() -> None:
    torch = pytest.importorskip("torch")

    class Product(torch.autograd.Function):  # type: ignore[misc, name-defined]
        """Gives no gradient by x where y wants none."""

        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx: Any, ct: Any) -> Any:
            x, y = ctx.saved_tensors
            return ct * y * ctx.needs_input_grad[1], ct * x

    result = check(Product.apply, {"x": Real(2), "y": Real(2)}, points=6, cells=["reverse", "subsets"])
    assert "subsets" in str(result).splitlines()[0]
    shows(result, pasted(result, fn=Product.apply))


def cached(x: Any) -> Any:
    return x**2


def cached_vjp(inputs: Any, ct: Any, calls: list[Any] = []) -> Any:  # noqa: B006 (the fault that is looked for)
    """Right, but where it comes back to a point from another."""
    came_back = len(calls) > 1 and np.array_equal(calls[-2], inputs[0]) and not np.array_equal(calls[-1], inputs[0])
    calls.append(inputs[0].copy())
    return (2 * ct * (calls[-2] if came_back else inputs[0]),)


def test_what_a_rule_remembers_is_shown_by_calls_in_a_row() -> None:
    result = check(cached, {"x": Real(2)}, vjp=cached_vjp, points=8, cells=["repeat"])
    assert result.checked.standing.decisive is not None, str(result)
    way = result.checked.standing.decisive.seen
    assert way is not None
    assert way.way == "between"
    got, right = (float(v) for v in pasted(result).strip().split(" should be "))
    assert got != right


def test_an_argument_that_is_written_to_is_shown_before_and_after() -> None:
    def greedy(x: Any) -> Any:
        y = np.sin(x)
        x[0] = 7.0
        return y

    result = check(greedy, {"x": Real(2)}, vjp=lambda i, ct: (ct * np.cos(i[0]),), points=8, cells=["mutation"])
    shows(result, pasted(result, fn=greedy))


class Marked(HTMLParser):
    """The text of a page, and whether every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        assert not {"src", "href", "onclick"} & {name for name, _ in attrs}
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_notebook_shows_the_same_and_can_be_copied_from() -> None:
    wrong = check(np.sin, [Real(2)], vjp=cached_vjp, points=8, cells=["reverse"])
    marked = Marked()
    marked.feed(wrong._repr_html_())
    assert marked.open == []
    lines = str(wrong).splitlines()
    assert lines[0].partition(": DISAGREES ")[2] in marked.text
    assert lines[2].strip() in marked.text
    assert snippet(wrong) in marked.text  # line by line, without indentation
    assert "b3261e" in wrong._repr_html_()
    right = check(np.sin, {"x": Real(2)}, vjp=lambda i, ct: (ct * np.cos(i[0]),), points=8)
    assert "2b7a3e" in right._repr_html_()
    assert "not asked or not decided" in right._repr_html_()
