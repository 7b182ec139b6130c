"""Do PyTorch's gradcheck calls keep passing with our import line, and is seen what PyTorch's own lets through?"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calls import under_line

pytest.importorskip("torch")

import torch
from torch.autograd import Function
from torch.autograd import gradcheck as theirs
from torch.autograd import gradgradcheck as theirs_twice

from gradcheck.errors import UsageError
from gradcheck.torch import GradcheckError, gradgradcheck
from gradcheck.torch import gradcheck as ours

pytestmark = pytest.mark.filterwarnings(  # of itself, at the first use of forward mode
    "ignore:.torch.jit.script. is deprecated:DeprecationWarning"
)
CALLS = Path(__file__).with_name("calls_in_torch_style.py")
LINE = "from torch.autograd import Function, gradcheck, gradgradcheck"
OURS = "from torch.autograd import Function; from gradcheck.torch import gradcheck, gradgradcheck"


def calls(line: str) -> dict[str, Callable[[], None]]:
    return under_line(CALLS, LINE, line)


@pytest.mark.parametrize("line", [LINE, OURS], ids=["theirs", "ours"])
@pytest.mark.parametrize("name", calls(LINE))
def test_right_ones_keep_passing(name: str, line: str) -> None:
    torch.manual_seed(1)
    calls(line)[name]()


def at(*numbers: float, dtype: Any = torch.float64) -> Any:
    return torch.tensor(numbers, dtype=dtype, requires_grad=True)


def ruled(forward: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., Any]:
    """A function of one tensor with a backward pass written by hand: backward(x, ct)."""

    class Ruled(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx: Any, ct: Any) -> Any:
            return backward(*ctx.saved_tensors, ct)

    return Ruled.apply  # type: ignore[no-any-return]


torch.manual_seed(0)
MAP = torch.randn(100, 100, dtype=torch.float64)
BENT = MAP.clone()
BENT[17, 42] += 0.5

UNSEEN: dict[str, tuple[Callable[..., Any], Any, dict[str, Any], str]] = {
    "a gradient of zeros, of a small function": (
        ruled(lambda x: 1e-6 * x.sin(), lambda x, ct: 0 * ct), at(0.3, 1.0), {}, "the input[0] is 0",
    ),
    "nine parts in ten thousand": (
        ruled(torch.exp, lambda x, ct: 1.0009 * x.exp() * ct), at(0.3, 1.0), {}, "the input",
    ),
    "one entry of a large map, in fast mode": (
        ruled(lambda x: MAP @ x, lambda x, ct: BENT.T @ ct), at(*range(1, 101)), {"fast_mode": True}, "the input[42]",
    ),
    "a part in a thousand where the tolerance is absolute": (
        ruled(lambda x: 1e-3 * x**2, lambda x, ct: 2.002e-3 * x * ct), at(2.0, 3.0), {}, "the input",
    ),
    "a cotangent that lies every second place": (
        ruled(lambda x: 2 * x, lambda x, ct: 2 * torch.as_strided(ct, ct.shape, (1,) * ct.dim())), at(1.0, 2.0), {},
        "every second number",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSEEN)
def test_what_theirs_lets_through(name: str) -> None:
    rule, x, options, words = UNSEEN[name]
    assert theirs(rule, (x,), **options)
    with pytest.raises(GradcheckError) as told:
        ours(rule, (x,), **options)
    assert words in str(told.value)
    assert ours(rule, (x,), raise_exception=False, **options) is False


FALSE_ALARMS: dict[str, tuple[Callable[..., Any], Any]] = {
    "relu at 0": (torch.relu, at(0.0)),
    "abs near 0": (torch.abs, at(3e-7)),
    "log near 0": (torch.log, at(1e-7)),
    "a square at 1e12": (torch.square, at(1e12)),
    "lgamma near 0": (torch.lgamma, at(1e-8)),
    "the largest of a tie": (lambda x: x.max(dim=0).values, at(1.0, 2.0, 2.0)),
}


@pytest.mark.parametrize("name", FALSE_ALARMS)
def test_what_theirs_accuses_and_is_right(name: str) -> None:
    f, x = FALSE_ALARMS[name]
    assert theirs(f, (x,), raise_exception=False) is False
    assert ours(f, (x,)) is True


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
def test_float32(dtype: Any) -> None:
    torch.manual_seed(2)
    x = torch.randn(6, dtype=dtype, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert theirs(torch.tanh, (x,), raise_exception=False) is False
    assert ours(torch.tanh, (x,)) is True
    wrong = ruled(torch.tanh, lambda x, ct: ct * (1 - 0.99 * x.tanh() ** 2).conj())
    assert ours(wrong, (x,), raise_exception=False) is False


def test_what_computes_in_float32_only_is_judged_in_it() -> None:
    torch.manual_seed(4)
    layer, x = torch.nn.Linear(3, 2), torch.randn(4, 3, requires_grad=True)
    assert ours(lambda x: layer(x).tanh(), (x,)) is True
    turned = ruled(lambda x: layer(x).tanh(), lambda x, ct: 1.01 * (ct * (1 - layer(x).tanh() ** 2)) @ layer.weight)
    with pytest.raises(GradcheckError, match="note: judged in float32"):
        ours(turned, (x,))


def test_a_write_to_an_input_is_called_one() -> None:
    def shifted(x: Any) -> Any:
        x.data.add_(1.0)
        return x.sin()

    x = at(0.3, 1.0)
    with pytest.raises(Exception, match="Jacobian mismatch"):
        theirs(shifted, (x,))
    x = at(0.3, 1.0)
    with pytest.raises(GradcheckError, match="the function writes to the input: element 0 was 0.3 and is 1.3"):
        ours(shifted, (x,))
    assert x.tolist() == [0.3, 1.0]


def test_the_element_is_named_with_the_right_number() -> None:
    wrong = ruled(torch.exp, lambda x, ct: torch.where(x > 1, 2.0, 1.0) * x.exp() * ct)
    with pytest.raises(GradcheckError, match=r"DISAGREES in reverse: the gradient of the input\[2\] is"):
        ours(wrong, (at(0.1, 0.2, 1.5),))


def test_the_second_order_of_a_number_kept_by_hand() -> None:
    class Cube(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.slope = 3 * x.detach() ** 2  # depends on x, and the tape does not know
            return x**3

        @staticmethod
        def backward(ctx: Any, ct: Any) -> Any:
            return ct * ctx.slope

    assert ours(Cube.apply, (at(0.5, 2.0),))
    with pytest.raises(GradcheckError, match="the gradient of"):
        gradgradcheck(Cube.apply, (at(0.5, 2.0),))
    small = ruled(lambda x: 1e-6 * x.sin(), lambda x, ct: (1e-6 * x.cos()).detach() * ct)
    assert theirs_twice(small, (at(0.5, 2.0),), (at(0.7, 0.6),))
    assert gradgradcheck(small, (at(0.5, 2.0),), (at(0.7, 0.6),), raise_exception=False) is False


def test_forward_mode_alone() -> None:
    class Double(Function):
        factor = 2.0

        @staticmethod
        def forward(_ctx: Any, x: Any) -> Any:
            return 2 * x

        @classmethod
        def jvp(cls, _ctx: Any, tangent: Any) -> Any:
            return cls.factor * tangent

    class Wrong(Double):
        factor = 2.0001

    options = {"check_forward_ad": True, "check_backward_ad": False, "check_undefined_grad": False}
    assert ours(Double.apply, (at(1.0, 2.0, 3.0),), **options)
    assert theirs(Wrong.apply, (at(1.0, 2.0, 3.0),), **options)
    with pytest.raises(GradcheckError):
        ours(Wrong.apply, (at(1.0, 2.0, 3.0),), **options)


def test_limits_add_and_never_excuse() -> None:
    off = ruled(torch.exp, lambda x, ct: (1 + 1e-6) * x.exp() * ct)
    assert ours(off, (at(0.5),), atol=1.0, rtol=1.0, raise_exception=False) is False
    lossy = ruled(torch.exp, lambda x, ct: (1 + 1e-14) * x.exp() * ct)
    assert ours(lossy, (at(0.5),))  # within what the slopes show
    assert ours(lossy, (at(0.5),), atol=0.0, rtol=0.0)  # and not beyond it for certain
    rough = ruled(torch.square, lambda x, ct: 2 * ((x + 1e6) - 1e6) * ct)  # digits cancel: told, no failure
    assert ours(rough, (at(0.3),))
    with pytest.raises(GradcheckError, match="beyond the stated limit"):
        ours(rough, (at(0.3),), atol=0.0, rtol=1e-12)


def test_nondeterminism_is_allowed_by_its_caller_only() -> None:
    torch.manual_seed(3)
    shaky = ruled(torch.sin, lambda x, ct: ct * x.cos() * (1 + 1e-13 * torch.rand((), dtype=x.dtype)))
    with pytest.raises(GradcheckError, match="when it is asked for again"):
        ours(shaky, (at(0.5, 1.0),))
    assert ours(shaky, (at(0.5, 1.0),), nondet_tol=1e-10)


def test_what_a_tape_asks_besides() -> None:
    class Strict(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return 2 * x

        @staticmethod
        def backward(_ctx: Any, ct: Any) -> Any:
            return ct * 2  # None * 2

    with pytest.raises(GradcheckError, match="raises TypeError where the gradient of an output is undefined"):
        ours(Strict.apply, (at(1.0),))
    assert ours(Strict.apply, (at(1.0),), check_undefined_grad=False)
    unbatched = ruled(torch.sin, lambda x, ct: ct * x.cos() * (1.0 if ct.sum() > -1e9 else 2.0))
    assert ours(unbatched, (at(1.0, 2.0),))
    with pytest.raises(GradcheckError, match="cannot be batched by vmap"):
        ours(unbatched, (at(1.0, 2.0),), check_batched_grad=True)
    unasked = ruled(torch.sin, lambda x, ct: ct * x.cos() + 1e-9)
    with pytest.raises(GradcheckError):
        ours(unasked, (at(1.0, 2.0),))


def test_more_points_stay_in_the_range_of_the_inputs() -> None:
    seen: list[float] = []

    def watched(x: Any, ct: Any) -> Any:
        seen.extend(x.detach().tolist())
        return ct / x

    assert ours(ruled(torch.log, watched), (at(0.5, 2.0, 4.0),), points=8)
    assert 0.5 <= min(seen) < 1 < 3 < max(seen) <= 4
    assert len(set(seen)) >= 24
    only_there = ruled(torch.exp, lambda x, ct: torch.where(x == x.round(), 1.0, 1.1) * x.exp() * ct)
    assert ours(only_there, (at(1.0, 2.0, 4.0),))
    assert ours(only_there, (at(1.0, 2.0, 4.0),), points=3, raise_exception=False) is False


@pytest.mark.parametrize(
    ("inputs", "options", "error", "words"),
    [
        (torch.ones(2), {}, ValueError, "no input tensor requires a gradient"),
        (at(1.0, dtype=torch.float16), {}, UsageError, "cast it to float64"),
        (at(1.0).expand(3), {}, UsageError, "repeats its numbers in memory"),
        (torch.eye(2).to_sparse().requires_grad_(), {}, UsageError, "dense"),
        (at(1.0), {"eps": 0.0}, UsageError, "no step"),
        (at(1.0), {"atol": -1.0}, UsageError, "not negative"),
        (at(1.0), {"points": 0}, UsageError, "asks for nothing"),
        (at(1.0), {"nondet_tol": -1.0}, UsageError, "no distance"),
        (at(1.0), {"check_backward_ad": False}, AssertionError, "to be True"),
        (at(1.0), {"check_batched_forward_grad": True}, AssertionError, "needs check_forward_ad"),
    ],
)
def test_what_is_refused_says_why(inputs: Any, options: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        ours(torch.sin, (inputs,), **options)


def test_errors_of_the_function_are_its_own() -> None:
    def broken(x: Any) -> Any:
        raise LookupError("no such table")

    with pytest.raises(LookupError, match="no such table"):
        ours(broken, (at(1.0),), raise_exception=False)
    x = at(1.0, 2.0)

    def later(x: Any) -> Any:
        if x.detach()[0] != 1.0:
            raise LookupError("not here")
        return x.sin()

    with pytest.raises(GradcheckError, match="UNWITNESSED"):  # beside the point there is no value, so no slope
        ours(later, (x,))
    assert x.tolist() == [1.0, 2.0]


def test_the_benchmark_measures_both_and_says_what_is_missed() -> None:
    from benchmarks.doors.single import Row, line, rows

    found = next(rows("torch", (1,), seconds=0.0))
    assert found.name == "sin" and found.theirs > 0 and found.ours > 0
    assert Row("torch", "sin", 10, 1.0, 2.0).kept
    assert line(Row("torch", "sin", 10, 1.0, 2.1)).endswith("more than is wanted")
    assert line(Row("torch", "sin", 100, 1.0, 1.0)).endswith("more than is wanted")
    assert Row("torch", "sin", 50, 1.0, 9.0).kept  # nothing is said of sizes between
