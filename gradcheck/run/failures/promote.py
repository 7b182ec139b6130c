"""How does a stored failure become a worked example of its spec? With the right numbers, as a few lines of the file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np

from gradcheck.cases import example_case, example_sizes
from gradcheck.errors import InputError, UsageError
from gradcheck.judge import Verdict, judge
from gradcheck.oracles import Hearing, Inquiry
from gradcheck.run.config import Config
from gradcheck.run.failures.as_example import Entry, as_example
from gradcheck.run.failures.replay import stored_point
from gradcheck.run.failures.store import Failure
from gradcheck.run.failures.truth import Truth
from gradcheck.run.runner import prepare
from gradcheck.spec import Case, Example, Spec, load
from gradcheck.spec.case import read_layout
from gradcheck.spec.inserting import with_example

MARK = "\ufeff".encode()  # that some editors begin a file with


def promote(failure: Failure, config: Config) -> int:
    """Write the stored point with the right numbers into the `examples:` of its spec: the line in which it stands.

    What is right is asked anew. Raises UsageError where nobody knows it, where the point stands there already, and
    where the file would not load, or not hold the example to anything; the file is left as it is then.
    """
    prepare(config)
    spec, case = stored_point(failure)
    with np.errstate(all="ignore"):
        entry = as_example(case, failure.quantity, Truth(case))
    if not entry.word:
        raise UsageError(f"nobody knows what is right at the point of {failure.id}: there is nothing to expect there")
    _refuse_twice(spec, case, entry)
    path = Path(os.path.realpath(failure.file))
    mark, text = _read(path)
    layout = read_layout(failure.layout)
    note = f"found by gradcheck, expected by {entry.word}: {failure.sentence.partition(': ')[2]}"
    note += "" if layout is None else f"; with {layout}, as an example is not"
    text, line = with_example(text, spec.id, entry.lines(), entry.flow(), " ".join(note.split()))
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(mark + text.encode("utf-8"))
        shutil.copymode(path, part)
        _check(_example_at(part, spec.id), spec.id, config)
        part.replace(path)
    except OSError as error:
        raise UsageError(f"{failure.file} cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    return line


def _read(path: Path) -> tuple[bytes, str]:
    """A mark at the beginning of a file, if there is one, and its text with its own line ends."""
    content = path.read_bytes()
    mark = MARK if content.startswith(MARK) else b""
    return mark, content[len(mark) :].decode("utf-8")


def _refuse_twice(spec: Spec, case: Case, entry: Entry) -> None:
    """Raise UsageError where an example expects the same at this very point."""
    for example in spec.examples:
        there = example_case(spec, example, example_sizes(spec, example))
        pairs = [(case.inputs, there.inputs), (case.cotangents, there.cotangents)]
        pairs += [({n: case.tangents[n] for n in example.tangents}, there.tangents)]
        same = all(np.array_equal(array, b[name]) for a, b in pairs for name, array in a.items())
        told = {name.partition(":")[0] for name in example.expected}
        if same and told >= (entry.expects - {"value"} or entry.expects):
            raise UsageError(f"an example stands at this point already, in {spec.place.file}:{example.place.line}")


def _example_at(path: Path, name: str) -> tuple[Spec, Example]:
    """The function with its new example, as loaded from a file."""
    try:
        spec = next(s for s in load(path).functions if s.id == name)
    except InputError as error:
        raise UsageError(f"the spec would not load with the example: {error}") from None
    return spec, spec.examples[-1]


def _check(found: tuple[Spec, Example], name: str, config: Config) -> None:
    """Raise UsageError where the example would be judged wrong itself, or not at all."""
    spec, example = found
    case = example_case(spec, example, example_sizes(spec, example))
    with np.errstate(all="ignore"):
        findings = judge(case, Hearing(Inquiry(case), config.allowed).all(config.witnesses, example))
    about = [f for f in findings if f.witness == "example"]
    if not about or any(f.verdict is Verdict.DISAGREES and f.blame == "example" for f in about):
        reasons = "; ".join(f.reason for f in about) or "no claim answers it"
        raise UsageError(f"the example would hold {name} to nothing: {reasons}")
