"""Is code judged on a device as beside it, and is a device that is not there a silence and no pass?"""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from pasting import pasted, shows

from gradcheck import Real, check, cli
from gradcheck.errors import UsageError
from gradcheck.judge.cells import Kind
from gradcheck.report.checked import Result

torch: Any = pytest.importorskip("torch")
POINTS = 8
NONE = "cuda" if not torch.cuda.is_available() else "xpu"  # a device that this machine has not


class Doubled(torch.autograd.Function):  # type: ignore[misc]
    """Reads its cotangent as if it lay in one piece: right but where it does not."""

    @staticmethod
    def forward(_ctx: Any, x: Any) -> Any:
        return 2 * x

    @staticmethod
    def backward(_ctx: Any, ct: Any) -> Any:
        return 2 * torch.as_strided(ct, ct.shape, torch.empty(ct.shape).stride())


class Greedy(torch.autograd.Function):  # type: ignore[misc]
    """Writes to its cotangent."""

    @staticmethod
    def forward(_ctx: Any, x: Any) -> Any:
        return 2 * x

    @staticmethod
    def backward(_ctx: Any, ct: Any) -> Any:
        return ct.mul_(2)


def cells(result: Result) -> list[str]:
    return [f.cell for f in result.findings if f.kind in (Kind.WRONG, Kind.CRASHED)]


def test_a_copy_on_a_device_is_judged_like_the_array_itself() -> None:
    """With its layout and what is written to it: `cpu` goes the way of every device, over copies."""
    good = check(torch.sin, {"x": Real(2, 3)}, device="cpu", points=POINTS)
    assert good.passed, str(good)
    assert {f.cell for f in good.findings if f.kind is Kind.RIGHT} >= {"reverse", "forward", "layout", "mutation"}
    strided = check(Doubled.apply, {"x": Real(2, 3)}, device="cpu", points=POINTS)
    assert set(cells(strided)) == {"layout"}
    told = str(strided)
    assert "torch.set_default_device('cpu')" in told
    shows(strided, pasted(strided))
    assert "mutation" in cells(check(Greedy.apply, {"x": Real(2)}, device="cpu", points=POINTS))
    layer = torch.nn.Linear(2, 2)
    assert check(layer, [Real(1, 2)], device="cpu", points=4, cells=["reverse", "repeat"]).passed


def test_a_device_that_is_not_there_is_a_stated_silence() -> None:
    result = check(Doubled.apply, {"x": Real(2)}, device=NONE, points=POINTS)
    assert (result.verdict, result.passed, bool(result)) == ("SILENT", False, False)
    assert str(result).startswith(f"Doubled.apply: SILENT: torch has no device '{NONE}' here (")
    assert str(result).endswith("; nothing was judged")
    assert "SILENT" in result._repr_html_()
    command = CliRunner().invoke(cli.main, ["check", "torch:sin", "--input", "x", "--device", NONE])
    assert command.exit_code == 5
    assert "nothing was judged" in command.stdout


def test_what_is_no_device_is_refused() -> None:
    with pytest.raises(UsageError, match="device 'cudda': "):
        check(torch.sin, {"x": Real(2)}, device="cudda")
    with pytest.raises(UsageError, match="NumPy has none"):
        check(lambda x: 2 * x, {"x": Real(2)}, vjp=lambda i, ct: (2 * ct,), device="cuda")


def test_devices_of_jax() -> None:
    pytest.importorskip("jax")
    from gradcheck.oracles.with_jax.library import jnp

    assert check(jnp.sin, {"x": Real(2)}, device="cpu", points=4, cells=["reverse", "forward"]).passed
    silent = check(jnp.sin, {"x": Real(2)}, device="tpu")
    assert silent.verdict == "SILENT"
    assert "jax has no device 'tpu' here" in str(silent)
    with pytest.raises(UsageError, match="device 'gpus'.*did you mean 'gpu'"):
        check(jnp.sin, {"x": Real(2)}, device="gpus")
