"""Which files must be refused, and how is it seen that they were?"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from gradcheck.errors import InputError, SpecErrors
from gradcheck.spec import load, load_many

FOLDER = Path(__file__).parent / "hostile"
MARKER = "PWNED"  # what the injections try to create


def manifest() -> dict[str, list[str]]:
    """File name -> every complaint it must get, without the file's name in front."""
    text = (FOLDER / "manifest.yaml").read_text(encoding="utf-8")
    expected: dict[str, list[str]] = yaml.safe_load(text)
    return expected


def matches(found: list[str], expected: list[str]) -> bool:
    """Whether these are the complaints expected; an expected "..." stands for any number more."""
    if "..." not in expected:
        return found == expected
    split = expected.index("...")
    head, tail = expected[:split], expected[split + 1 :]
    return len(found) >= len(head) + len(tail) and found[:split] == head and found[len(found) - len(tail) :] == tail


def assert_refused(path: str, expected: list[str]) -> None:
    """`path` must be refused with exit code 2 and these complaints, and nothing in it may have run."""
    for read in (lambda: load(path), lambda: load_many([path])):
        refusal = _refusal(read)
        assert isinstance(refusal, SpecErrors), f"{path} was accepted"
        assert refusal.exit_code == 2
        assert_complaints(path, str(refusal), expected)
    assert_nothing_ran()


def _refusal(read: Callable[[], object]) -> InputError | None:
    try:
        read()
    except InputError as refusal:
        return refusal
    return None


def assert_complaints(path: str, text: str, expected: list[str]) -> None:
    """The complaints in `text` must be those expected."""
    found = [line.removeprefix(f"{path}:") for line in text.splitlines()]
    assert matches(found, expected), f"expected {expected}\nfound {found}"


def assert_nothing_ran() -> None:
    """No injection may have left its mark in the current directory or beside the files."""
    for folder in (os.curdir, FOLDER):
        assert not os.path.exists(os.path.join(folder, MARKER)), "an injection ran"


def _huge(path: Path) -> None:
    line = b"# " + b"x" * 997 + b"\n"
    with path.open("wb") as file:
        for _ in range(50_000):
            file.write(line)


def _long(path: Path) -> None:
    path.write_text("gradcheck: 1\nfunctions: " + "[" * 400_000 + "{" * 400_000, encoding="utf-8")


def _wide(path: Path) -> None:
    path.write_text("gradcheck: 1\n" + "".join(f"k{i}: 1\n" for i in range(24_000)), encoding="utf-8")


def _long_key(path: Path) -> None:
    path.write_text("gradcheck: 1\n? " + "k" * 900_000 + "\n: 1\n", encoding="utf-8")


# name -> how it is made, what it must be told
MADE: Mapping[str, tuple[Callable[[Path], object], list[str]]] = {
    "huge.grad.yaml": (_huge, ["1:1: the file has 50000000 bytes, at most 1000000 are read"]),
    "long.grad.yaml": (_long, ["2:36: nested more than 24 levels deep"]),
    "wide.grad.yaml": (
        _wide,
        ["2:1: unknown key 'k0'; expected one of gradcheck, functions, semantics", "...",
         "52:1: and at least 950 more complaints in this file"],
    ),
    "long_key.grad.yaml": (
        _long_key,
        ["2:3: unknown key '" + "k" * 59 + "…'; expected one of gradcheck, functions, semantics"],
    ),
    "missing.grad.yaml": (str, ["1:1: the file cannot be read: No such file or directory"]),
    "dangling.grad.yaml": (
        lambda path: path.symlink_to("nowhere"),
        ["1:1: the file cannot be read: No such file or directory"],
    ),
    "empty.grad.yaml": (
        lambda path: path.write_bytes(b""),
        ["1:1: the file is empty; expected 'gradcheck: 1' and functions"],
    ),
    "blank.grad.yaml": (
        lambda path: path.write_bytes(b" \n\n"),
        ["1:1: the file is empty; expected 'gradcheck: 1' and functions"],
    ),
    "latin1.grad.yaml": (
        lambda path: path.write_bytes("gradcheck: 1\n# Länge\n".encode("latin-1")),
        ["2:4: the file is not UTF-8: byte 0xe4 cannot stand here"],
    ),
    "utf16.grad.yaml": (
        lambda path: path.write_bytes("gradcheck: 1\n".encode("utf-16")),
        ["1:1: the file is not UTF-8: byte 0xff cannot stand here"],
    ),
    "zeros.grad.yaml": (
        lambda path: path.write_bytes(b"gradcheck: 1\n" + bytes(1000)),
        ["2:1: the control character '\\x00' must not stand in a spec file"],
    ),
    "random.grad.yaml": (
        lambda path: path.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 40),
        ["2:118: the file is not UTF-8: byte 0x80 cannot stand here"],
    ),
    "pipe.grad.yaml": (os.mkfifo, ["1:1: this is not a regular file; expected a spec file"]),
}  # fmt: skip
