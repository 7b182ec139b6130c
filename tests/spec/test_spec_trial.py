"""Does trying out a function find what reading it cannot?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradcheck.errors import EvaluationError, FuelExhausted, SizeExceeded, SpecErrors
from gradcheck.expr import parse_code, parse_formula
from gradcheck.spec import Input, lint, load
from gradcheck.spec.domains import parse_domain
from gradcheck.spec.membership import within_box
from gradcheck.spec.meter import Meter
from gradcheck.spec.sample import interior_point, shape_at, sizes_of
from gradcheck.spec.words import WORDS

Write = Callable[..., str]


def anywhere(*_: object) -> bool:
    return True


def nowhere(*_: object) -> bool:
    return False


def spec(inputs: str, value: str, claims: str) -> str:
    return f"gradcheck: 1\nfunctions:\n  f:\n    inputs: {inputs}\n    value: {value}\n    {claims}\n"


@pytest.mark.parametrize(
    ("inputs", "value", "claims"),
    [
        ("{x: {shape: [n]}}", "sum(x)", "gradient: {x: 1 + 0*x}"),
        ("{x: {shape: [n]}}", "x**2", "derivative: {x: 2*x}"),
        ("{x: {shape: [n]}}", "x**2", "jacobian: {x: '2*x[:, None]*eye(n)'}"),
        ("{x: {shape: [n, m]}, y: {shape: [m, 3]}}", "x @ y", "vjp: {x: ct @ y.T, y: x.T @ ct}"),
        ("{x: {shape: [n, m]}, y: {shape: [m, 3]}}", "x @ y", "jvp: t_x @ y + x @ t_y"),
        ("{x: {shape: [n]}}", "sum(x**2)", "hessian: {x: 2*eye(n)}"),
        ("{x: {shape: [n]}}", "sum(x**2)", "hvp: {x: 2*t_x}"),
        ("{x: {shape: [n]}}", "sum(abs(x))", "gradient: {x: sign(x)}\n    at_kinks: {x == 0: {x: 0}}"),
        ("{x: {shape: [a, b, c, d]}, y: {shape: [k, l, m, o]}}", "sum(x) + sum(y)", "hvp: {x: 0*x, y: 0*y}"),
    ],
)
def test_good(write: Write, inputs: str, value: str, claims: str) -> None:
    assert lint(write(spec(inputs, value, claims))).errors == ()


@pytest.mark.parametrize(
    ("inputs", "value", "claims", "complaint"),
    [
        ("{x: {shape: [n]}}", "sum(x)", "gradient: {x: 1}", "6:19: f.gradient.x: this has shape [] with n=2"),
        ("{x: {shape: [n]}}", "x", "gradient: {x: x}", "6:16: f.gradient.x: a gradient is of a scalar"),
        ("{x: {shape: [n]}}", "sum(x)", "derivative: {x: x}", "6:18: f.derivative.x: a derivative is elementwise"),
        ("{x: {shape: [n]}, y: }", "x*y", "vjp: {x: ct*y, y: ct*x}", "6:23: f.vjp.y: this has shape [2] with n=2"),
        (
            "{x: {shape: [n, m]}, y: {shape: [m, k]}}",
            "x @ y",
            "jvp: t_x @ y.T",
            "6:10: f.jvp: this cannot be evaluated",
        ),
        ("{x: {shape: [n, m]}}", "x @ x", "vjp: {x: ct}", "5:12: f.value: this cannot be evaluated with n=2, m=3: "),
        ("{x: {shape: [n]}}", "x[3]", "gradient: {x: x}", "5:12: f.value: this cannot be evaluated with n=2: index 3"),
        ("{x: {shape: [n]}}", "x > 0", "vjp: {x: ct}", "5:12: f.value: the output 'value' is truth values"),
        ("{x: {shape: [n]}}", "'x, x'", "vjp: {x: ct}", "5:12: f.value: the output 'value' is several values at once"),
        ("{x: {shape: [n]}}", "sum(x)", "gradient: {x: x}\n    at_kinks: {x: {x: 0}}", "7:16: f.at_kinks.x: this cond"),
        (
            "{x: {shape: [n]}}",
            "sum(x)",
            "gradient: {x: x}\n    at_kinks: {x > 0: {x: 'ones(3)'}}",
            "7:27: f.at_kinks.x ",
        ),
        ("{x: {shape: [n], domain: 'x @ x[0]'}}", "sum(x)", "gradient: {x: x}", "4:38: f.inputs.x.domain: this cannot"),
        ("{x: {shape: [n], domain: 'x + 1'}}", "sum(x)", "gradient: {x: x}", "4:38: f.inputs.x.domain: this predicate"),
    ],
)
def test_refused(write: Write, inputs: str, value: str, claims: str, complaint: str) -> None:
    with pytest.raises(SpecErrors) as refusal:
        load(write(spec(inputs, value, claims)))
    assert str(refusal.value).startswith(f"a.grad.yaml:{complaint}"), str(refusal.value)
    assert len(refusal.value.errors) == 1


def test_an_endless_loop_is_told_at_its_line(write: Write) -> None:
    text = spec("{x: }", "0", "vjp: {x: ct}").replace(
        "value: 0", "code: |\n      y = x\n\n      while y == y:\n        y = y\n      return y"
    )
    with pytest.raises(
        SpecErrors, match=r"8:7: f.code: a loop did not end within 10000 steps; expected a loop that ends"
    ):
        load(write(text))


def test_notes(write: Write) -> None:
    unmet = lint(write(spec("{x: {domain: 'x*x < 0'}}", "x", "gradient: {x: 1}")))
    assert [str(note) for note in unmet.notes] == [
        "a.grad.yaml:3:3: note: no point of the domain was found, the function was tried at its examples only"
    ]
    infinite = lint(write(spec("{x: {domain: positive}}", "log(-x)", "gradient: {x: 1/x}")))
    assert [note.message for note in infinite.notes] == ["value is not finite at an interior point of the domain"]
    assert unmet.file is not None
    assert infinite.file is not None


def test_the_work_of_a_file_is_bounded(write: Write) -> None:
    function = "  f{0}:\n    inputs: {{x: }}\n    value: {1}\n    gradient: {{x: 1}}\n"
    heavy = " + ".join(["sum(ones(2000000))"] * 4) + " + x"
    text = "gradcheck: 1\nfunctions:\n" + "".join(function.format(i, heavy) for i in range(20))
    with pytest.raises(SpecErrors) as refusal:
        load(write(text))
    (error,) = refusal.value.errors
    assert error.message == "trying out this file takes too many operations"


class TestMeter:
    def test_counts(self) -> None:
        meter = Meter(1000)
        assert meter.evaluate(parse_formula("x + 1", ["x"]), {"x": np.zeros(2)}).tolist() == [1, 1]
        assert 0 < 1000 - meter.left < 10
        meter.evaluate(parse_formula("ones(1000)", []), {})
        assert 20 < 1000 - meter.left < 40

    def test_loops_are_charged_by_their_size(self) -> None:
        small, large = (
            parse_code("y = x\nfor i in range(10):\n" + "    y = y + i\n" * lines + "return y", ["x"])
            for lines in (1, 50)
        )
        spent = []
        for program in (small, large):
            meter = Meter()
            start = meter.left
            meter.evaluate(program, {"x": 1})
            spent.append(start - meter.left)
        assert spent[1] > 5 * spent[0] > 0

    def test_limit(self) -> None:
        program = parse_formula(" + ".join(["sum(ones(1000000))"] * 12), [])
        with pytest.raises(SizeExceeded, match="the work of one evaluation"):
            Meter().evaluate(program, {})
        meter = Meter(100)
        with pytest.raises(SizeExceeded):
            meter.evaluate(program, {})
        assert meter.spent

    def test_fuel(self) -> None:
        with pytest.raises(FuelExhausted):
            Meter().evaluate(parse_code("while 1 > 0:\n    y = 1\nreturn 1", []), {})

    @pytest.mark.parametrize("text", ["x[7]", "x @ ones(3)", "reshape(x, (7,))", "1 if x else 2"])
    def test_whatever_goes_wrong(self, text: str) -> None:
        with pytest.raises(EvaluationError):
            Meter().evaluate(parse_formula(text, ["x"]), {"x": np.ones(2)})


class TestSample:
    def test_sizes_differ(self) -> None:
        inputs = (Input("x", ("n", "m")), Input("y", ("m", 7)))
        assert sizes_of(inputs) == {"n": 2, "m": 3}
        assert shape_at(("m", 7), {"m": 3}) == (3, 7)

    def test_sizes_stay_small(self) -> None:
        names = [f"d{i}" for i in range(24)]
        inputs = tuple(Input(f"x{i}", tuple(names[6 * i : 6 * i + 6])) for i in range(4))
        assert max(sizes_of(inputs).values()) == 3
        wide = (Input("x", ("a", "b", "c", "d", "e", 5000)),)
        assert set(sizes_of(wide).values()) == {1}

    @pytest.mark.parametrize(
        "word",
        [*(w for w in WORDS if w not in ("index", "log_uniform")), "index(n)", "log_uniform(1e-9, 1e-3)", "spd(1e8)",
         "(0, 1e-9)", "[-1, inf)", "(-inf, -5]", "integer [3, 3]", "integer [7, inf)"],
    )  # fmt: skip
    def test_points_lie_in_the_domain(self, word: str) -> None:
        inputs = (Input("x", ("n", "n"), domain=parse_domain(word, "x", ["x", "n"])),)
        point = interior_point(inputs, {"n": 3}, anywhere)
        assert point is not None
        assert point["x"].shape == (3, 3)
        assert point["x"].dtype == np.float64
        assert within_box(inputs[0].domain.at({"n": 3}), point["x"]).all()

    @pytest.mark.parametrize(
        ("word", "residual"),
        [
            ("simplex", lambda x: x.sum(axis=-1) - 1),
            ("sphere", lambda x: (x**2).sum(axis=-1) - 1),
            ("orthogonal", lambda x: x @ x.T - np.eye(3)),
            ("symmetric", lambda x: x - x.T),
            ("spd", lambda x: np.minimum(np.linalg.eigvalsh(x), 0)),
            ("triangular", lambda x: np.triu(x, 1)),
            ("sorted", lambda x: np.minimum(np.diff(x), 0)),
            ("permutation", lambda x: np.sort(x) - np.arange(3)),
            ("integer", lambda x: x - np.round(x)),
        ],
    )
    def test_structures(self, word: str, residual: Callable[[np.ndarray], np.ndarray]) -> None:
        inputs = (Input("x", ("n", "n"), domain=parse_domain(word, "x", ["x", "n"])),)
        point = interior_point(inputs, {"n": 3}, anywhere)
        assert point is not None
        assert np.abs(residual(point["x"])).max() < 1e-12

    def test_predicates_are_met(self) -> None:
        domain = parse_domain("x > 4", "x", ["x"])
        inputs = (Input("x", (), domain=domain),)

        def holds(name: str, predicate: object, env: object) -> bool:
            return bool(env["x"] > 4)  # type: ignore[index]

        point = interior_point(inputs, {}, holds)
        assert point is not None
        assert point["x"] > 4
        assert interior_point(inputs, {}, nowhere) is None
