"""Is every row of the seed notebooks a case, and does every witness agree with it?"""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.cases import build, plans
from gradcheck.judge import judge
from gradcheck.judge.finding import Verdict
from gradcheck.oracles import Hearing, Inquiry
from gradcheck.oracles.behaviours import perform
from gradcheck.spec import Semantics, Spec, load

FOLDER = Path(__file__).parents[2] / "specs" / "seeds"
FILES = [load(str(path)) for path in sorted(FOLDER.glob("*.grad.yaml"))]
FUNCTIONS = [f for file in FILES for f in file.functions]
BEHAVIOURS = [b for file in FILES for b in file.semantics]
WITNESSES = ("engine", "differences", "torch", "jax")

ROWS = {
    "000": "abcdef",
    "001": "acd",  # 001b is wrong and is under specs/planted
    "002": "abcdefg",
    "003": "abcdefg",
    "004": "abcde",
}
# rows that state a function and its derivative; the others state how a tape behaves
OF_FUNCTIONS = "000a 000b 000e 001a 001c 001d 002a 002c 003a 003c 003d 003e 003g 004a 004b 004c 004d 004e".split()
OF_BEHAVIOURS = "000c 000d 000f 002b 002d 002e 002f 002g 003a 003b 003c 003d 003e 003f 004e".split()


def test_five_files_one_a_notebook() -> None:
    assert [Path(file.path).name[:3] for file in FILES] == list(ROWS)


def test_every_row_is_there_and_nothing_else() -> None:
    rows = {f"seed-{notebook}{letter}" for notebook, letters in ROWS.items() for letter in letters}
    assert {tag for entry in (*FUNCTIONS, *BEHAVIOURS) for tag in entry.tags} == rows
    assert {f"seed-{row}" for row in OF_FUNCTIONS} <= {tag for f in FUNCTIONS for tag in f.tags}
    assert {f"seed-{row}" for row in OF_BEHAVIOURS} <= {tag for b in BEHAVIOURS for tag in b.tags}


def test_ids_begin_with_their_row_and_stand_in_their_notebook() -> None:
    for file in FILES:
        notebook = Path(file.path).name[:3]
        for entry in (*file.functions, *file.semantics):
            row = entry.id.partition("_")[0]
            assert row.startswith(f"s{notebook}")
            assert f"seed-{row[1:]}" in entry.tags
            assert entry.summary


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.id)
def test_all_witnesses_agree(spec: Spec) -> None:
    plan = plans(spec, 0, 2, 1)[0]
    case = build(spec, plan, 16)
    findings = judge(case, Hearing(Inquiry(case)).all(WITNESSES))
    said = {w: {f.verdict for f in findings if f.witness == w} for w in WITNESSES}
    assert said == {w: {Verdict.AGREES} for w in WITNESSES}, [f.reason for f in findings]


def test_examples_are_worked_wherever_something_was_printed() -> None:
    assert [f.id for f in FUNCTIONS if not f.examples] == []


@pytest.mark.parametrize("witness", ["engine", "torch"])
@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.id)
def test_tapes_behave_so(behaviour: Semantics, witness: str) -> None:
    said = perform(behaviour, witness)
    assert said.verdict == "AGREES", said.reason
    assert said.checked > 0


def test_jax_agrees_where_it_has_the_notion() -> None:
    said = [perform(behaviour, "jax") for behaviour in BEHAVIOURS]
    assert {p.verdict for p in said} == {"AGREES", "SILENT"}
    assert sum(p.verdict == "AGREES" for p in said) >= 10
    assert all("JAX has no notion of" in p.reason for p in said if p.verdict == "SILENT")
