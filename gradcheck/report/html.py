"""What does one self-contained page look like? A run goes in, HTML comes out; rows and details hold the words.

The page asks the network for nothing, and its security policy forbids it to: one style sheet, one small script (known
to the policy by its hash), no image, no font. It reads the same for the same run.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck.errors import UsageError
from gradcheck.report import details, rows, tried
from gradcheck.report.layout import draw
from gradcheck.report.mathml import mathml
from gradcheck.report.svg import Line, line_plot
from gradcheck.run.outcome import ClaimText, Outcome, Plot, Run

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

TEMPLATES = "templates"


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim with its formula set."""

    name: str
    formula: Markup


@dataclass(frozen=True, slots=True)
class Section:
    """One outcome, drawn."""

    row: rows.Row
    formula: Markup | None
    claims: tuple[ClaimView, ...]
    plots: tuple[Markup, ...]
    graph: Markup | None
    graph_words: str
    places: tuple[tuple[str, details.Place], ...]
    omitted: str  # why there are no pictures, where there could be


def render(run: Run) -> str:
    """The page of a run, as text. Raises UsageError where Jinja2 is not installed."""
    environment = _environment()
    ordered = rows.matrix(run)
    script = _source(environment, "page.js")
    return environment.get_template("page.html.j2").render(
        run=run,
        rows=rows,
        details=details,
        tried=tried,
        matrix=ordered,
        sections=[_section(row, details.left_out(row, len(ordered))) for row in ordered],
        columns=rows.columns(run),
        style=_safe(_source(environment, "page.css")),
        script=_safe(script),
        script_hash=_safe(base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()),
    )


def _environment() -> Environment:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as missing:
        raise UsageError("the HTML page needs Jinja2, which is not installed; install gradcheck[report]") from missing
    loader = PackageLoader("gradcheck.report", TEMPLATES)
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["capital"] = lambda words: words[:1].upper() + words[1:]
    return made


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _safe(markup: str) -> Markup:
    """Markup that this package made and escaped itself."""
    from markupsafe import Markup

    return Markup(markup)


def _section(row: rows.Row, omitted: str) -> Section:
    outcome = row.outcome
    drawable = outcome.graph is not None and details.is_drawable(outcome.graph) and not omitted
    places = (("Counterexample", details.counterexample(outcome)), ("Worst point", details.worst_point(outcome)))
    return Section(
        row=row,
        formula=_formula(outcome),
        claims=tuple(_claim(claim) for claim in outcome.claims),
        plots=tuple(map(_safe, _plots(outcome.plot))) if outcome.plot and not omitted else (),
        graph=_safe(draw(outcome.graph)) if drawable and outcome.graph else None,
        graph_words=details.graph_sentence(outcome.graph) if outcome.graph else "",
        places=tuple((title, place) for title, place in places if place is not None),
        omitted=omitted,
    )


def _claim(claim: ClaimText) -> ClaimView:
    return ClaimView(details.claim_name(claim), _safe(mathml(claim.latex, claim.text, display=True)))


def _formula(outcome: Outcome) -> Markup | None:
    if not (outcome.latex or outcome.formula):
        return None
    return _safe(mathml(outcome.latex, outcome.formula, display=True))


def _plots(plot: Plot) -> list[str]:
    """f, then f' twice over: the claim as a thick pale line, autodiff as a thin dashed one on top of it."""
    value = (Line("f", "value", plot.value),)
    slopes = (Line("f′ as claimed", "claim", plot.claim), Line("f′ by autodiff", "auto", plot.autodiff))
    both = (line_plot("f", plot.input, plot.x, value), line_plot("f′", plot.input, plot.x, slopes))
    return [drawn for drawn in both if drawn]
