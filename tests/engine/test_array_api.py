"""Is the engine's namespace the array API standard's, 2024.12, as far as it says so?

The names and parameters are the standard's; promotions are its tables. The public test suite runs in
`tests/conformance/run.py`; here stands what must hold without it, and that its list of failures gives reasons.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from inspect import Parameter, signature
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from gradcheck.engine import array_api as xp
from gradcheck.engine import tensor
from gradcheck.errors import TapeError

CONFORMANCE = Path(__file__).parent.parent / "conformance"

# Parameters of the standard -> the functions that have them: `/` ends those by position, `*` begins those by name.
MAIN = {
    "x /": """abs acos acosh asin asinh atan atanh bitwise_invert ceil conj cos cosh exp expm1 floor imag isfinite isinf
        isnan log log1p log2 log10 logical_not negative positive real reciprocal round sign signbit sin sinh square
        sqrt tan tanh trunc matrix_transpose nonzero unique_all unique_counts unique_inverse unique_values""",
    "x1 x2 /": """add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign divide
        equal floor_divide greater greater_equal hypot less less_equal logaddexp logical_and logical_or logical_xor
        maximum minimum multiply nextafter not_equal pow remainder subtract matmul""",
    "x / min max": "clip",
    "x / * axis keepdims": "all any argmax argmin count_nonzero max mean min",
    "x / * axis dtype keepdims": "prod sum",
    "x / * axis correction keepdims": "std var",
    "x / * axis dtype include_initial": "cumulative_prod cumulative_sum",
    "x / * axis n prepend append": "diff",
    "x / * axis descending stable": "argsort sort",
    "x / * axis": "flip unstack",
    "x / shape": "broadcast_to",
    "x / shape * copy": "reshape",
    "x / axis": "expand_dims squeeze",
    "x / axes": "permute_dims",
    "x / shift * axis": "roll",
    "x repeats / * axis": "repeat",
    "x repetitions /": "tile",
    "x source destination /": "moveaxis",
    "x indices / * axis": "take take_along_axis",
    "arrays / * axis": "concat stack",
    "condition x1 x2 /": "where",
    "x1 x2 / * side sorter": "searchsorted",
    "x1 x2 / * axes": "tensordot",
    "x1 x2 / * axis": "vecdot",
    "x dtype / * copy device": "astype",
    "from_ to /": "can_cast",
    "type /": "finfo iinfo",
    "dtype kind": "isdtype",
    "obj / * dtype device copy": "asarray",
    "start / stop step * dtype device": "arange",
    "start stop / num * dtype device endpoint": "linspace",
    "shape * dtype device": "empty ones zeros",
    "shape fill_value * dtype device": "full",
    "x / * dtype device": "empty_like ones_like zeros_like",
    "x / fill_value * dtype device": "full_like",
    "n_rows n_cols / * k dtype device": "eye",
    "x / * k": "tril triu",
    "x / * device copy": "from_dlpack",
    "": "__array_namespace_info__",
}
LINALG = {
    "x /": "det eigh eigvalsh inv matrix_transpose slogdet svdvals",
    "x1 x2 /": "matmul outer solve",
    "x n /": "matrix_power",
    "x / * upper": "cholesky",
    "x1 x2 / * axis": "cross vecdot",
    "x1 x2 / * axes": "tensordot",
    "x / * offset": "diagonal",
    "x / * offset dtype": "trace",
    "x / * keepdims ord": "matrix_norm",
    "x / * axis keepdims ord": "vector_norm",
    "x / * rtol": "matrix_rank pinv",
    "x / * mode": "qr",
    "x / * full_matrices": "svd",
}
FFT = {
    "x / * n axis norm": "fft ifft rfft irfft hfft ihfft",
    "x / * s axes norm": "fftn ifftn rfftn irfftn",
    "n / * d dtype device": "fftfreq rfftfreq",
    "x / * axes": "fftshift ifftshift",
}
FUNCTIONS = [
    (space, name, form)
    for space, forms in ((xp, MAIN), (xp.linalg, LINALG), (xp.fft, FFT))
    for form, names in forms.items()
    for name in names.split()
]


def fits(function: Callable[..., Any], form: str) -> bool:
    """Whether a function can be called in every way that the standard's form allows."""
    have = list(signature(function).parameters.values())
    if not form:
        return not have
    words = form.split()
    by_name = words[words.index("*") + 1 :] if "*" in words else []
    placed = words[: words.index("*")] if "*" in words else words
    first = placed.index("/") if "/" in placed else 0
    either = placed[first + 1 :] if "/" in placed else placed
    front = have[: first + len(either)]
    return (
        [p.name for p in front[first:]] == either
        and all(p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD) for p in front)
        and all(p.kind is Parameter.POSITIONAL_OR_KEYWORD for p in front[first:])
        and all(any(p.name == name and p.kind is Parameter.KEYWORD_ONLY for p in have) for name in by_name)
    )


@pytest.mark.parametrize(("space", "name", "form"), FUNCTIONS, ids=[f"{s.__name__[24:]}.{n}" for s, n, _ in FUNCTIONS])
def test_every_function_of_the_standard_is_there_with_its_parameters(space: ModuleType, name: str, form: str) -> None:
    assert fits(getattr(space, name), form)


def test_a_wrong_signature_is_seen() -> None:
    def good(x: Any, /, shape: Any, *, copy: Any = None) -> None: ...
    def renamed(x: Any, /, size: Any, *, copy: Any = None) -> None: ...
    def by_name(x: Any, /, *, shape: Any, copy: Any = None) -> None: ...
    def without(x: Any, /, shape: Any) -> None: ...

    assert [fits(f, "x / shape * copy") for f in (good, renamed, by_name, without)] == [True, False, False, False]


def test_as_many_functions_as_the_standard_names() -> None:
    assert [sum(s is space for s, _, _ in FUNCTIONS) for space in (xp, xp.linalg, xp.fft)] == [131, 23, 14]
    assert callable(xp.meshgrid) and callable(xp.broadcast_arrays) and callable(xp.result_type)  # the 3 of any arrays


def test_the_namespace_of_a_tensor() -> None:
    x = tensor([1.0], requires_grad=True)
    assert x.__array_namespace__() is xp is x.__array_namespace__(api_version="2024.12")
    assert xp.__array_api_version__ == "2024.12"
    with pytest.raises(ValueError, match="1999.01"):
        x.__array_namespace__(api_version="1999.01")
    with pytest.raises(AttributeError, match="has no 'fromfile'"):
        _ = xp.fromfile


def test_constants() -> None:
    assert (round(xp.e, 12), round(xp.pi, 12), xp.inf, xp.newaxis) == (
        2.718281828459,
        3.14159265359,
        float("inf"),
        None,
    )
    assert xp.nan != xp.nan


SIGNED, UNSIGNED = ["int8", "int16", "int32", "int64"], ["uint8", "uint16", "uint32", "uint64"]
REAL, COMPLEX = ["float32", "float64"], ["complex64", "complex128"]


def expected(a: str, b: str) -> str | None:
    """The standard's promotion of two dtypes; None where it leaves it open."""
    for ladder in (["bool"], SIGNED, UNSIGNED, REAL, COMPLEX):
        if a in ladder and b in ladder:
            return max(a, b, key=ladder.index)
    if a in UNSIGNED and b in SIGNED:
        a, b = b, a
    if a in SIGNED and b in UNSIGNED:
        wider = UNSIGNED.index(b) + 1
        return None if wider == len(SIGNED) else SIGNED[max(SIGNED.index(a), wider)]
    if {a, b} <= {*REAL, *COMPLEX}:
        return "complex64" if {a, b} == {"float32", "complex64"} else "complex128"
    return None


ALL = ["bool", *SIGNED, *UNSIGNED, *REAL, *COMPLEX]
PAIRS = [(a, b, wanted) for a, b in product(ALL, ALL) if (wanted := expected(a, b))]


@pytest.mark.parametrize(("a", "b", "wanted"), PAIRS)
def test_promotion(a: str, b: str, wanted: str) -> None:
    x, y = xp.ones(2, dtype=getattr(xp, a)), xp.ones(2, dtype=getattr(xp, b))
    dtype = getattr(xp, wanted)
    assert xp.result_type(x, y) == xp.result_type(x.dtype, getattr(xp, b)) == dtype
    assert xp.where(xp.asarray([True, False]), x, y).dtype == dtype
    if "bool" not in (a, b):
        assert (x + y).dtype == xp.multiply(x, y).dtype == dtype
        assert (x + 1).dtype == (1 * x).dtype == x.dtype  # a Python number never widens
    assert xp.can_cast(getattr(xp, a), dtype)


def test_dtypes() -> None:
    assert xp.result_type(xp.float32, 1.0) == xp.float32
    with pytest.raises(ValueError, match="needs an array or a dtype"):
        xp.result_type(1, 2.0)
    assert not xp.can_cast(xp.float64, xp.float32) and not xp.can_cast(xp.asarray(1), xp.int8)
    assert xp.isdtype(xp.int8, "integral") and xp.isdtype(xp.int8, ("bool", "signed integer"))
    assert xp.isdtype(xp.float32, xp.float32) and not xp.isdtype(xp.float32, "complex floating")
    with pytest.raises(ValueError, match="no kind of dtypes 'float'"):
        xp.isdtype(xp.int8, "float")
    half = xp.finfo(xp.complex64)
    assert (half.bits, half.eps, half.dtype) == (32, 2.0**-23, xp.float32) and type(half.max) is float
    assert (xp.iinfo(xp.asarray([1], dtype=xp.uint8)).max, xp.iinfo(xp.int64).min) == (255, -(2**63))
    assert not any(getattr(xp, name) == None for name in ALL)  # noqa: E711 - NumPy's dtype objects fail this


def test_inspection() -> None:
    info = xp.__array_namespace_info__()
    assert info.devices() == [info.default_device()] == [xp.ones(1).device]
    assert info.capabilities()["boolean indexing"] is True
    for kind, function in {"real floating": xp.ones, "integral": lambda _: xp.asarray(1)}.items():
        assert info.default_dtypes()[kind] == function(1).dtype
    assert list(info.dtypes(kind=("bool", "real floating"))) == ["bool", "float32", "float64"]
    assert list(info.dtypes()) == ALL and len(info.dtypes(kind="numeric")) == 12
    for ask in (lambda: info.dtypes(device="gpu"), lambda: info.dtypes(kind="float"), lambda: xp.ones(1, device="gpu")):
        with pytest.raises(ValueError, match="there is no"):
            ask()


def skips() -> ModuleType:
    spec = importlib.util.spec_from_file_location("conformance_run", CONFORMANCE / "run.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_line_of_the_skip_list_has_its_reason() -> None:
    tests = skips().listed((CONFORMANCE / "skips.txt").read_text())
    assert 0 < len(tests) < 40
    assert all(test.startswith("array_api_tests/test_") and "::" in test for test in tests)
    assert not any("fail" in reason for reason in tests.values())


@pytest.mark.parametrize("line", ["a::b", "a::b  # fails", "a::b # one space is no mark of a reason"])
def test_a_line_without_a_reason_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="line 2 of the skip list gives no reason"):
        skips().listed(f"a::a  # because NumPy follows Python\n{line}\n")


def test_a_value_of_another_tape_is_refused() -> None:
    from gradcheck.engine import Reverse
    from gradcheck.expr.vocabulary import NUMPY

    x = Reverse(NUMPY).leaf(np.ones(2))
    for ask in (x.__array_namespace__, lambda: xp.sin(x), lambda: xp.sort(x), lambda: xp.asarray(x)):
        with pytest.raises(TapeError, match="eager tensors"):
            ask()
