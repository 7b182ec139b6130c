"""Does every row that takes complex numbers agree there with PyTorch and with JAX, in both modes and at both orders?"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from agreement import Question, differences, engine_says, jax_says, torch_says
from agreement_questions import LACKING, SAMPLES, as_they_are

from gradcheck.engine import vjp
from gradcheck.errors import Unsupported
from gradcheck.expr import NUMPY, VOCABULARY

UNITS = 256.0  # of roundoff
REAL_ONLY = {  # rows whose functions of complex numbers no library has, or that take real signals by their meaning
    "rfft", "rfftn", "ihfft", "fftshift", "ifftshift", "gamma",
}  # fmt: skip
PHASES = {"eigh_vectors", "svd_u", "svd_vh", "eigh", "svd"}  # free there: see COMPLEX in test_linalg_against_torch.py
LIBRARY_LACKS = {  # PyTorch has complex layers, but not with the real bias of these samples
    "torch": set("erf erfc erfcx digamma softmax log_softmax silu conv1d conv2d linear".split()),
    "jax": set("erf erfc digamma".split()),
}
KNOWN = {("jax", "sign"): "z/|z| has the slope 0, says JAX"}  # where a library is wrong; it must show


def questions(name: str) -> list[Question]:
    """The samples of a row with every real array turned into a complex one."""

    def turned(array: Any) -> Any:
        return np.asarray(array + 1j * (0.25 + 0.5 * np.roll(array, 1))) if array.dtype.kind == "f" else array

    return [asked.changed(turned, "complex") for asked in as_they_are(name) if asked.moving]


TAKES = sorted(n for n in SAMPLES if VOCABULARY[n].takes_complex and n not in REAL_ONLY | PHASES and questions(n))


@pytest.mark.parametrize("library", ["torch", "jax"])
@pytest.mark.parametrize("name", TAKES)
def test_rows_agree_at_complex_numbers(name: str, library: str) -> None:
    pytest.importorskip(library)
    if name in LACKING[library] or name in LIBRARY_LACKS[library]:
        with pytest.raises((RuntimeError, TypeError, ValueError, NotImplementedError, Unsupported)):
            says(library, questions(name))
        return
    asked = questions(name)
    found = []
    for question, theirs in zip(asked, says(library, asked), strict=True):
        found += [f"{question}: {line}" for line in differences(engine_says(question), theirs, UNITS)]
    assert bool(found) == ((library, name) in KNOWN), found


def says(library: str, asked: list[Question]) -> list[Any]:
    return [torch_says(question) for question in asked] if library == "torch" else jax_says(asked)


def test_what_is_not_differentiable_at_complex_numbers_says_so() -> None:
    with pytest.raises(Unsupported, match="logaddexp"):
        vjp(lambda xp, x: xp.real(xp.logaddexp(xp.multiply(x, 1j), 0.5)), fake(), [np.array(0.3)], np.array(1.0))


def fake() -> Any:
    """NumPy, whose logaddexp would take complex numbers."""
    space = {name: getattr(NUMPY, name) for name in VOCABULARY}
    return SimpleNamespace(**{**space, "logaddexp": lambda a, b: np.log(np.exp(a) + np.exp(b))})


@pytest.mark.parametrize(
    "pair", [((0.0, 0.5),), ((0.5, 0.5j),), ((1.0, 0.0),)], ids=["half", "a turn", "as if analytic"]
)
def test_a_wrong_wirtinger_pair_is_caught(pair: Any) -> None:
    pytest.importorskip("torch")
    liar = replace(VOCABULARY["conj"], wirtinger=pair)
    space = {name: getattr(NUMPY, name) for name in VOCABULARY}
    (asked, *_) = questions("conj")
    told = differences(
        engine_says(asked, SimpleNamespace(**space, vocabulary={**VOCABULARY, "conj": liar})), torch_says(asked), UNITS
    )
    assert {line.partition(" [")[0] for line in told} >= {"vjp", "jvp"}
