"""What becomes of the lines that a failure offers to paste? They are run, and held to the finding."""

from __future__ import annotations

import io
import re
import warnings
from contextlib import redirect_stdout
from typing import Any

from gradcheck.report.checked import Result


def snippet(result: Result) -> str:
    """The lines under "to see it", as somebody pastes them. They end within the first eight lines."""
    lines = str(result).splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("  to see it, "))
    end = lines.index("", start)
    assert end <= 8
    return "\n".join(line.strip() for line in lines[start + 1 : end])


def pasted(result: Result, **names: Any) -> str:
    """What they print here, with the code under test by name; of one that raises, what it says."""
    said = io.StringIO()
    with redirect_stdout(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the code under test warns of is its own affair
        try:
            exec(snippet(result), dict(names))
        except Exception as error:  # as the code under test does
            return f"{type(error).__name__}: {error}"
    return said.getvalue()


def shows(result: Result, said: str) -> None:
    """That the number that was got stands before the one that is right."""
    told = result.checked.standing.decisive
    assert told is not None
    seen = told.seen
    assert seen is not None
    if not seen.whose:  # no number is wrong, but a shape, or there is none
        assert str(told.sentence).partition("raises ")[2] in said
        return
    found = re.fullmatch(r"(\S+) should (?:be|lie from) (\S+)(?: to (\S+))?\n", said)
    assert found, said
    assert repr(float(found[1])) == repr(seen.got)
    low, high = float(found[2]), float(found[3] or found[2])
    slack = 2 * seen.bar + 1e-8 * abs(seen.right)  # printed to nine digits
    assert abs(low - (seen.right - (seen.bar if found[3] else 0))) <= slack
    assert abs(high - (seen.right + (seen.bar if found[3] else 0))) <= slack
