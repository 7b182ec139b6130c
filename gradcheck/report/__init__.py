"""How is a run told to people? Rows (every count, sort and wording), then a terminal or a page that lays them out."""

from __future__ import annotations

from collections.abc import Mapping

from gradcheck.report.rows import headline, sentence
from gradcheck.report.terminal import Progress, explain, print_run

# Reports that become a file: the name a user types -> "module:function", a function from a Run to text.
FORMATS: Mapping[str, str] = {"html": "gradcheck.report.html:render"}

__all__ = ["FORMATS", "Progress", "explain", "headline", "print_run", "sentence"]
