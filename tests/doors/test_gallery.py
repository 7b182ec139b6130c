"""Is the gallery judged as it deserves? Right rules pass, wrong ones fail in their cell with the number worked out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("jax")

from docs.gallery.__main__ import ROOMS, entries, heading, row
from docs.gallery.entries import NOTHING, Entry, Mistake, judged
from gradcheck.judge.cells import CELLS, Kind, Seen

TEXT = (Path(__file__).parents[2] / "docs" / "gallery.md").read_text(encoding="utf-8")
ALL = entries()
ROUNDING = 64 * 2.0**-53  # of the truth's own arithmetic
REPEATED = 2.0**-30  # what two answers of one rule may differ by, where one of them is the right number


def named(entry: Entry, mistake: Mistake | None = None) -> str:
    return entry.name if mistake is None else f"{entry.name}: {mistake.what}"


@pytest.mark.parametrize("entry", ALL, ids=named)
def test_a_right_rule_passes(entry: Entry) -> None:
    result = judged(entry)
    assert result.passed, str(result)
    assert not [f for f in result.remarks if f.kind is not Kind.MEANT], str(result)
    assert heading(entry) in TEXT


@pytest.mark.parametrize(("entry", "mistake"), [pytest.param(e, m, id=named(e, m)) for e in ALL for m in e.mistakes])
def test_a_wrong_rule_fails_in_its_cell_with_the_right_number(entry: Entry, mistake: Mistake) -> None:
    result = judged(entry, mistake)
    told = result.checked.standing.decisive
    assert not result.passed
    assert told is not None and told.seen is not None
    assert told.cell == mistake.cell, str(result)
    assert told.seen.input == mistake.input, str(result)
    assert worded(row(mistake, result)) in worded(TEXT)
    if mistake.number is not NOTHING:
        right = truth(entry, mistake, told.seen)
        slack = told.seen.bar + ROUNDING * abs(right) + (REPEATED * abs(right) if told.seen.bar == 0 else 0)
        assert abs(told.seen.right - right) <= slack
        assert not abs(told.seen.got - right) <= slack  # also where it is NaN


def worded(text: str) -> str:
    """A text with its numbers left out: which of the wrong ones is found first is nobody's promise."""
    return re.sub(r"-?\d+(\.\d+)?(e-?\d+)?", "#", text)


def truth(entry: Entry, mistake: Mistake, seen: Seen) -> float:
    """The right number at the point found, by the entry's own arithmetic."""
    at = {name: np.asarray(value) for name, value in seen.inputs.items()}
    ct = np.asarray(seen.cotangent)
    if mistake.number is not None:
        return float(mistake.number(at, ct))
    gradient = np.asarray(entry.truth(at, ct)[seen.input])
    return float(sum(w * gradient[i] for i, w in seen.along) if seen.along else gradient[seen.index])


def test_the_gallery_is_as_large_and_as_wide_as_it_says() -> None:
    """Rules for all three, mistakes in most cells, no row in the document that no entry has."""
    codes = [e.code for e in ALL] + [m.code for e in ALL for m in e.mistakes]
    assert len(codes) >= 60
    for library in ("torch", "jax", "NumPy"):
        assert sum(f"({library}" in e.name for e in ALL) >= 5
    assert {m.cell for e in ALL for m in e.mistakes} >= {
        "reverse", "stated", "shape", "kinks", "nonfinite", "mutation", "repeat", "layout", "second"
    } and {m.cell for e in ALL for m in e.mistakes} <= set(CELLS)  # fmt: skip
    shown = [line for line in TEXT.splitlines() if line.startswith("| ")]
    assert len(shown) == len(codes) + 2  # the head of the table
    files = {p.stem for p in (Path(__file__).parents[2] / "docs" / "gallery").glob("*.py")}
    assert files == {*ROOMS, "__init__", "__main__", "entries"}


def test_the_truth_is_not_gradchecks() -> None:
    """Every closed form beside plain differences over one step: coarse, but of another kind."""
    rng = np.random.default_rng(0)
    coarse = 1e-5
    seen_any: dict[str, Any] = {}
    for entry in ALL:
        if (
            isinstance(entry.code, tuple)
            and "meant" not in entry.options
            and all(g.domain.kind == "real" for g in entry.inputs.values())
        ):
            fn = entry.code[0]
            at = {n: np.asarray(rng.uniform(0.6, 0.9, g.shape)) for n, g in entry.inputs.items()}
            ct = np.asarray(rng.normal(size=np.shape(fn(*at.values()))))
            found = entry.truth(at, ct if ct.ndim else float(ct))
            for name, x in at.items():
                direction = rng.normal(size=x.shape)
                up, down = (fn(*(at | {name: x + s * coarse * direction}).values()) for s in (1, -1))
                slope = np.sum(ct * (up - down)) / (2 * coarse)
                assert abs(slope - np.sum(np.asarray(found[name]) * direction)) < 1e-6, (entry.name, name)
                seen_any[entry.name] = True
    assert len(seen_any) >= 10
