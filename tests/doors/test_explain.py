"""Does `gradcheck explain` tell a function truly: its claims, every step at a point, and who is wrong there?

The worked example is tables 2 and 3 of Baydin, Pearlmutter, Radul and Siskind, JMLR 18 (2018).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from gradcheck import cli, engine
from gradcheck.expr import NUMPY, parse_formula
from gradcheck.report.trace import Telling, telling
from gradcheck.report.written_at import barred
from gradcheck.run import trace as tracing
from gradcheck.run.trace import Traced, point_of, trace
from gradcheck.spec import Spec, load_many

ROOT = Path(__file__).parents[2]
TEXTBOOK = str(ROOT / "specs/programs/textbook.grad.yaml")
PROGRAMS = str(ROOT / "specs/programs/loops.grad.yaml")
SEVERAL = """gradcheck: 1
functions:
  scaled:
    inputs: {x: {shape: [n], domain: "(0, 9)"}, k: {domain: integer}, v1: {domain: "nonzero, x[0] > 0"}}
    value: k*x*v1
    vjp: {x: ct*k*v1, v1: sum(ct*k*x)}
  both:
    inputs: {x: {}, y: {}}
    value: {up: x*y, down: x - y}
    vjp: {x: ct_up*y + ct_down, y: ct_up*x - ct_down}
    jvp: {up: t_x*y + x*t_y, down: t_x - t_y}
  pushed:
    inputs: {x: {}}
    value: x**3
    jvp: 3*x**2*t_x
  weighed:
    inputs: {x: {shape: [3]}}
    value: exp(x)
    derivative: {x: value}
    examples:
      - {x: [0, 1, 2], ct: [1, 0, -1], vjp: {x: [1, 0, -7.389]}, decimals: 3}
  held:
    inputs: {x: {}}
    value: stop_gradient(x) + 1
    gradient: {x: 0*x}
  same:
    inputs: {x: {}}
    value: x
    gradient: {x: 1 + 0*x}
semantics:
  accumulates:
    steps:
      - tensor: {w: [1, 1]}
      - let: {z: sum(3*w)}
      - backward: z
      - expect: {grad: {w: [3, 3]}}
"""


@pytest.fixture
def several(specs: Path) -> str:
    Path("several.grad.yaml").write_text(SEVERAL, encoding="utf-8")
    return "several.grad.yaml"


def explain(*words: str, width: int = 80) -> Result:
    return CliRunner().invoke(cli.main, ["explain", *words], env={"COLUMNS": str(width), "NO_COLOR": "1"})


def told(*words: str) -> dict[str, Any]:
    """The trace of the JSON document."""
    result = explain(*words, "--trace", "--json")
    assert result.exit_code in (0, 1), result.output
    return dict(json.loads(result.stdout)["trace"])


def test_a_function_is_told_in_words():
    result = explain(TEXTBOOK)
    assert result.exit_code == 0
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert lines[0].startswith("two_ways_of_differentiating  The worked example of Baydin")
    assert lines[1].endswith("textbook.grad.yaml:3")
    assert lines[3:8] == [
        "  value    log(x1) + x1*x2 - sin(x2)",
        "  x1       a number, positive",
        "  x2       a number",
        "  claimed  the gradient by x1 is 1/x1 + x2",
        "           the gradient by x2 is x1 - cos(x2)",
    ]
    assert lines[-1] == "--trace shows every step at a point"


def test_the_textbooks_trace():
    result = explain(TEXTBOOK, "--trace")
    assert result.exit_code == 0
    rows = [re.split(r"  +", line.strip()) for line in result.stdout.splitlines() if line.strip()]
    up, down = rows.index(["Up the values"]), rows.index(["Down the adjoints, from ct"])
    assert rows[up - 1] == ["at x1 = 2, x2 = 5", "(the first example)"]
    assert rows[up + 2 : down] == [
        ["x1", "2", "input"], ["x2", "5", "input"], ["v1 = log(x1)", "0.693147", "log"],
        ["v2 = x1*x2", "10", "multiply"], ["v3 = v1 + v2", "10.6931", "add"],
        ["v4 = sin(x2)", "-0.958924", "sin"], ["v5 = v3 - v4", "11.6521", "subtract", "→ value"],
    ]  # fmt: skip
    assert rows[down + 2 : -4] == [
        ["v̄5 = ct", "1"],
        ["v5 = v3 - v4", "v̄3 += v̄5", "1"],
        ["v̄4 += -v̄5", "-1"],
        ["v4 = sin(x2)", "x̄2 += v̄4 · cos(x2)", "-0.283662"],
        ["v3 = v1 + v2", "v̄1 += v̄3", "1"],
        ["v̄2 += v̄3", "1"],
        ["v2 = x1*x2", "x̄1 += v̄2 · x2", "5"],
        ["x̄2 += v̄2 · x1", "2", "x̄2 = 1.71634"],
        ["v1 = log(x1)", "x̄1 += v̄1 · 1/x1", "0.5", "x̄1 = 5.5"],
    ]
    assert rows[-2:] == [["x1", "5.5", "5.5", "agrees"], ["x2", "1.71634", "1.71634", "agrees"]]


@pytest.mark.parametrize("width", [80, 120])
def test_tables_fit_the_terminal(width: int):
    result = explain(str(ROOT / "specs/neural/mixing.grad.yaml"), "-k", "scaled_attention", "--trace", width=width)
    tables = result.stdout[result.stdout.index("\nUp ") :].splitlines()
    assert 60 < max(map(cell_len, tables)) <= width
    rule = "v̄3 += v4*(v̄4 - sum(v4*v̄4, axis=-1, keepdims=True))"
    assert (rule in result.stdout) == (width == 120)  # else it is folded


def test_the_numbers_of_the_trace_are_the_papers():
    found = told(TEXTBOOK)
    values = {row["formula"] or row["name"]: round(row["value"], 3) for row in found["up"]}
    assert values == {
        "x1": 2, "x2": 5, "log(x1)": 0.693, "x1*x2": 10, "v1 + v2": 10.693, "sin(x2)": -0.959, "v3 - v4": 11.652
    }  # fmt: skip
    last = {row["to"]: round(row["total"], 3) for row in found["down"]}
    assert last == {"v5": 1, "v4": -1, "v3": 1, "v2": 1, "v1": 1, "x1": 5.5, "x2": 1.716}
    assert [row["verdict"] for row in found["gradients"]] == ["AGREES", "AGREES"]


def test_a_lie_in_the_adjoints_is_told_and_ends_with_1(monkeypatch: pytest.MonkeyPatch):
    honest = engine.adjoints
    monkeypatch.setattr(tracing.engine, "adjoints", lambda *roots: {t: 1.001 * ct for t, ct in honest(*roots).items()})
    result = explain(TEXTBOOK, "--trace")
    assert result.exit_code == 1
    assert result.stdout.count("differs: 1 of 1 numbers") == 2


def test_a_wrong_claim_differs_and_ends_with_1(specs: Path):
    result = explain("wrong.grad.yaml", "--trace")
    assert result.exit_code == 1
    assert "differs" in result.stdout and "claim contradicts them" in " ".join(result.stdout.split())
    assert explain("wrong.grad.yaml").exit_code == 0  # nothing was looked at


def test_the_branch_that_is_taken_is_shown():
    def branches(income: str) -> list[tuple[str, bool]]:
        found = told(PROGRAMS, "-k", "tax", "--at", f"income={income}")
        return [(row["formula"], row["value"]) for row in found["up"] if row["kind"] == "branch"]

    assert branches("5") == [("income < 10", True)]
    assert branches("20") == [("income < 10", False), ("income < 50", True)]
    assert branches("60") == [("income < 10", False), ("income < 50", False)]
    assert "income < 50 ?     true   branch" in explain(PROGRAMS, "-k", "tax", "--trace").stdout


def test_a_loop_is_told_turn_by_turn():
    found = told(PROGRAMS, "-k", "doubling", "--at", "x=20")
    rows = [(row["kind"], row["formula"], row["value"]) for row in found["up"][1:]]
    assert rows == [
        ("branch", "x < 100", True), ("step", "2*x", 40), ("branch", "v1 < 100", True), ("step", "2*v1", 80),
        ("branch", "v2 < 100", True), ("step", "2*v2", 160), ("branch", "v3 < 100", False),
    ]  # fmt: skip
    assert found["down"][-1]["total"] == 8


def test_a_part_that_is_picked_gets_its_adjoint_back():
    found = told(PROGRAMS, "-k", "horner")
    picked = [(row["to"], row["place"], row["adds"]) for row in found["down"] if row["place"]]
    assert picked[0] == ("c", "[3]", [0, 0, 0, 1])
    assert found["down"][-1]["total"] == 23 or found["gradients"][1]["trace"] == 23
    assert "c̄[3] += v̄11" in explain(PROGRAMS, "-k", "horner", "--trace").stdout


def test_steps_take_a_letter_that_no_input_has(several: str):
    found = told(several, "-k", "scaled", "--at", "x=[1, 2]", "--at", "k=3", "--at", "v1=0.5")
    assert [(row["kind"], row["name"], row["formula"]) for row in found["up"]] == [
        ("input", "x", ""), ("input", "k", ""), ("input", "v1", ""), ("step", "w1", "k*x"), ("step", "w2", "w1*v1"),
    ]  # fmt: skip
    assert [row["rule"] for row in found["down"]] == ["ct", f"{barred('w2')} · v1", f"sum({barred('w2')} · w1)",
                                                      f"{barred('w1')} · k"]  # fmt: skip
    assert [row["input"] for row in found["gradients"]] == ["x", "v1"]  # k is whole: no derivative is by it


def test_the_cotangent_of_a_vector(several: str):
    at = ("-k", "scaled", "--at", "x=[1, 2]", "--at", "k=3", "--at", "v1=0.5")
    assert told(several, *at)["cotangent"] == {"value": [1, 1]}
    found = told(several, *at, "--ct", "[2, -1]")
    assert [row["trace"] for row in found["gradients"]] == [[3, -1.5], 0]
    assert found["gradients"][0]["verdict"] == "AGREES"
    assert "from the ct that was given" in explain(several, *at, "--ct", "[2, -1]").stdout
    assert "from a cotangent ct of ones" in explain(several, *at).stdout


def test_an_examples_cotangent_is_taken(several: str):
    found = told(several, "-k", "weighed")
    assert found["cotangent"] == {"value": [1, 0, -1]}
    assert [round(x, 3) for x in found["gradients"][0]["trace"]] == [1, 0, -7.389]
    assert "from the first example's cotangent ct" in explain(several, "-k", "weighed", "--trace").stdout


def test_named_outputs_are_pulled_back_together(several: str):
    at = ("-k", "both", "--at", "x=2", "--at", "y=3")
    found = told(several, *at, "--ct", "up=10", "--ct", "down=1")
    assert {row["output"]: row["value"] for row in found["up"] if row["output"]} == {"up": 6, "down": -1}
    assert [(row["input"], row["trace"]) for row in found["gradients"]] == [("x", 31), ("y", 19)]
    assert [row["rule"] for row in found["down"][:2]] == ["ct_up", "ct_down"]


def test_what_has_no_claim_of_a_gradient_says_so(several: str):
    found = told(several, "-k", "pushed", "--at", "x=2")
    assert found["gradients"] == [
        {
            "input": "x",
            "claim": "",
            "trace": 12,
            "claimed": None,
            "verdict": "",
            "reason": "no claim tells its gradient",
        }
    ]


def test_what_nothing_passes_through_and_what_is_its_input(several: str):
    result = explain(several, "-k", "held", "--trace")
    assert result.exit_code == 0
    assert "no derivative passes from the value to an input" in result.stdout
    refused = explain(several, "-k", "held", "--dot")
    assert (refused.exit_code, refused.stderr) == (2, "held has no graph: no derivative passes through it\n")
    same = told(several, "-k", "same", "--at", "x=2")
    assert [(row["name"], row["output"]) for row in same["up"]] == [("x", "value")]
    assert [(row["to"], row["total"]) for row in same["down"]] == [("x", 1)]


def test_without_an_example_the_point_is_a_simple_one_of_the_domain(several: str):
    found = told(several, "-k", "scaled")
    assert found["origin"] == "a simple point of the domain"
    assert all(0 < x < 9 for x in found["point"]["x"]) and found["point"]["v1"] != 0
    assert all(round(x, 2) == x for x in found["point"]["x"])
    assert found["point"]["k"] == int(found["point"]["k"])
    assert told(several, "-k", "scaled") == found


SCALED = ("-k", "scaled", "--at", "k=1", "--at", "v1=1")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "several.grad.yaml holds 6 functions; choose one with -k: scaled, both, pushed"),
        (("-k", "scald"), "has no function 'scald'; there is scaled, both"),
        (("-k", "scald"), "did you mean 'scaled'?"),
        (("-k", "e"), "holds 5 functions with 'e' in their names"),
        (("-k", "accumulates"), "'accumulates' is a behaviour; only functions are explained"),
        ((*SCALED,), "--at: 'x' of scaled is missing; write --at x=NUMBERS"),
        ((*SCALED, "--at", "xx=1"), "--at: there is no input 'xx'; there is x, k, v1"),
        ((*SCALED, "--at", "v=1"), "did you mean 'v1'?"),
        ((*SCALED, "--at", "x"), "--at 'x' names no input; write --at x=NUMBERS"),
        ((*SCALED, "--at", "k=2"), "--at: 'k' is given twice"),
        ((*SCALED, "--at", "x="), "--at:1:3: x: nothing is given; expected a number or a list"),
        ((*SCALED, "--at", "x=3"), "--at:1:3: x: the shape is []; expected shape [n]"),
        ((*SCALED, "--at", "x=[]"), "--at:1:3: x: an empty list; expected shape [n]"),
        ((*SCALED, "--at", "x=[1, [2]]"), "--at:1:7: x: the rows of this list differ in length"),
        ((*SCALED, "--at", "x=[1, two]"), "--at:1:7: x: a text is not a number; got 'two'; expected a number"),
        ((*SCALED, "--at", "x=[1, 2"), "--at:1:3: x: not YAML: did not find expected ',' or ']'; expected a number or"),
        ((*SCALED, "--at", "x=[1, 99]"), "--at:1:3: x: this lies outside the domain; got 99.0; expected a number of"),
        ((*SCALED, "--at", "x=[1]", "--ct", "[1, 2]"), "--ct:1:1: value: the shape is [2]; expected shape [1]"),
        (("-k", "both", "--ct", "1"), "--ct '1' names no output; write --ct up=NUMBERS"),
        (("-k", "both", "--ct", "up=1"), "--ct: the output 'down' is missing"),
        (("-k", "weighed", "--ct", "1", "--ct", "2"), "--ct is given 2 times, but the function has one output"),
        (("-k", "both", "--dot", "--json"), "--program, --dot and --json are different answers"),
        (("-k", "both", "--trace", "--program"), "different answers: give one of them"),
        (("-k", "both", "--program", "--at", "x=1"), "--at: 'y' of both is missing"),
        (("-k", "both", "--svg", "several.grad.yaml/x.svg"), "cannot be written"),
    ],
)
def test_what_cannot_be_explained_ends_with_2_and_says_why(several: str, words: tuple[str, ...], message: str):
    result = explain(several, *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_a_predicate_that_fails_is_named(several: str):
    Path("p.grad.yaml").write_text(
        SEVERAL.split("  both:")[0].replace("x[0] > 0", "x[0] > 1"), encoding="utf-8"
    )  # fmt: skip
    result = explain("p.grad.yaml", "--at", "x=[1, 2]", "--at", "k=1", "--at", "v1=1")
    assert (result.exit_code, result.stderr) == (
        2, "--at: this point lies outside the domain 'nonzero, x[0] > 1' of 'v1'\n"
    )  # fmt: skip


def test_a_broken_file_is_told_as_everywhere(specs: Path):
    result = explain("broken.grad.yaml")
    assert result.exit_code == 2
    assert result.stderr.startswith("broken.grad.yaml:5:12: odd.value: unknown function 'sinn'")
    assert explain("none.grad.yaml").exit_code == 2
    behaviours = explain("behaviour.grad.yaml")
    assert (behaviours.exit_code, behaviours.stderr) == (2, "behaviour.grad.yaml holds no function to explain\n")


def test_dot_and_drawing_hold_the_numbers(specs: Path):
    bare, full = explain(TEXTBOOK, "--dot"), explain(TEXTBOOK, "--trace", "--dot")
    assert '[label="v1 = log", shape=ellipse]' in bare.stdout
    assert r'[label="x2\n5\nadjoint 1.716", shape=box]' in full.stdout
    assert bare.stdout.count("->") == full.stdout.count("->") == 8
    result = explain(TEXTBOOK, "--trace", "--svg", "graph.svg")
    assert result.stdout.startswith("drawing: graph.svg\n")
    svg = Path("graph.svg").read_text(encoding="utf-8")
    assert svg.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    for text in ("v4 = sin", "-0.9589", "adjoint 5.5", "adjoint 1.716"):
        assert f">{text}</text>" in svg
    only = explain(TEXTBOOK, "--svg", "bare.svg")
    assert only.stdout == "drawing: bare.svg\n"
    assert "adjoint" not in Path("bare.svg").read_text(encoding="utf-8").partition("</style>")[2]


def test_a_program_of_the_derivative(several: str):
    result = explain(several, "-k", "both", "--program")
    assert result.exit_code == 0
    lines = [" ".join(line.partition("#")[0].split()) for line in result.stdout.splitlines()]
    assert lines == [
        "def program(x, y, ct_up, ct_down):",
        "v0 = multiply(ct_down, -1.0)",
        "v1 = multiply(ct_up, y)",
        "v2 = multiply(ct_up, x)",
        "v3 = add(ct_down, v1)",
        "v4 = add(v0, v2)",
        "return {'x': v3, 'y': v4}",
    ]


def test_a_program_takes_the_branches_of_the_point():
    low, high = (explain(PROGRAMS, "-k", "tax", "--at", f"income={n}", "--program") for n in (5, 40))
    assert low.exit_code == high.exit_code == 0
    assert low.stdout != high.stdout


def test_a_long_trace_is_cut_on_the_terminal_and_whole_in_json(specs: Path):
    code = "    code: |\n      for k in range(200):\n          x = sin(x)\n      return x\n"
    text = f"gradcheck: 1\nfunctions:\n  deep:\n    inputs: {{x: {{}}}}\n{code}    jvp: t_x\n"
    Path("deep.grad.yaml").write_text(text, encoding="utf-8")
    shown = explain("deep.grad.yaml", "--at", "x=1").stdout
    assert shown.count("… 91 more; --json has all …") == 2 and "v200 = sin(v199)" in shown
    assert len(told("deep.grad.yaml", "--at", "x=1")["up"]) == 201


def test_an_output_that_holds_no_bars_gets_question_marks(python, tmp_path: Path):
    result = python("-m", "gradcheck", "explain", TEXTBOOK, "--trace", cwd=ROOT, PYTHONIOENCODING="ascii")
    assert result.returncode == 0, result.stderr
    assert "v?5 = ct" in result.stdout


def test_it_loads_no_framework(python):
    code = (
        "import sys; from click.testing import CliRunner; from gradcheck import cli; "
        "r = CliRunner().invoke(cli.main, ['explain', {words}]); assert r.exit_code == 0, r.output; "
        "print(sorted({{'torch', 'jax', 'numpy'}} & set(sys.modules)))"
    )
    assert python("-c", code.format(words="'--help'"), cwd=ROOT).stdout == "[]\n"
    assert python("-c", code.format(words=f"{TEXTBOOK!r}, '--trace'"), cwd=ROOT).stdout == "['numpy']\n"


def evaluated(text: str, told: Telling, traced: Traced) -> Any:
    """The number that a rule's text stands for, read by the language's own parser; None where it is no formula."""
    plain = {barred(name): f"b_{name}" for name in told.names}
    names = {name: np.asarray(tensor.data) for name, tensor in told.names.items()}
    names |= {row.name: np.asarray(row.value) for row in told.up if row.kind == "constant" and row.name}
    names |= {f"b_{n}": np.asarray(traced.adjoints[t]) for n, t in told.names.items() if t in traced.adjoints}
    for name in sorted(plain, key=len, reverse=True):
        text = text.replace(name, plain[name])
    if "constant (" in text or "index=[" in text:
        return None
    with np.errstate(all="ignore"):
        return parse_formula(text.replace(" · ", "*"), names)(NUMPY, names)


def untrue(spec: Spec) -> tuple[int, list[str]]:
    """How many texts of steps and rules could be read back, and those that do not give the numbers beside them."""
    traced = trace(point_of(spec))
    found, wrong, read = telling(traced), [], 0
    rows = [(row.formula, row.value) for row in found.up if row.kind in ("step", "constant") and np.size(row.value)]
    rows += [(row.rule, row.adds) for row in found.down if row.of and row.rule and not row.place]
    for text, number in rows:
        if np.asarray(number).dtype.kind not in "fi":
            continue
        value = evaluated(text, found, traced)
        if value is None:
            continue
        read += 1
        value = np.broadcast_to(value, np.shape(number)) if text == "0" else np.asarray(value, dtype=float)
        if value.shape != np.shape(number) or not np.allclose(value, number, rtol=1e-10, atol=1e-14, equal_nan=True):
            wrong.append(f"{spec.id}: {text} is {value}, not {number}")
    return read, wrong


def unlike(spec: Spec) -> list[str]:
    """Where a function's program and its trace come to other adjoints of the inputs."""
    point = point_of(spec)
    case, traced = point.case, trace(point)
    found = tracing.program(point)(
        *(np.array(case.inputs[i.name][0]) for i in spec.inputs), *(case.cotangents[o][0] for o in spec.outputs)
    )
    pairs = [(name, part, tracing.gradient(traced, name)) for name, part in found.items()]
    return [f"{spec.id}: {name}" for name, a, b in pairs if not np.allclose(a, b, rtol=1e-12, atol=0, equal_nan=True)]


ROOMS = ["programs", "vectors", "matrices", "reductions", "special", "seeds"]


@pytest.mark.parametrize("room", ROOMS)
def test_every_program_gives_the_adjoints_of_the_trace(room: str):
    specs = [spec for file in load_many([ROOT / "specs" / room]) for spec in file.functions]
    assert [text for spec in specs for text in unlike(spec)] == []
    assert len(specs) >= 5


@pytest.mark.parametrize("room", ROOMS)
def test_every_text_gives_the_number_beside_it(room: str):
    counts = [untrue(spec) for file in load_many([ROOT / "specs" / room]) for spec in file.functions]
    assert [text for _, wrong in counts for text in wrong] == []
    assert sum(read for read, _ in counts) >= 50


def test_a_text_that_is_not_the_rule_is_noticed(monkeypatch: pytest.MonkeyPatch):
    (file,) = load_many([TEXTBOOK])
    assert untrue(file.functions[0]) == (13, [])
    monkeypatch.setattr("gradcheck.report.written_at.TIMES", " + ")
    assert len(untrue(file.functions[0])[1]) == 4
