"""In which forms is a function explained? On the terminal, as JSON, as a graph for Graphviz, as a drawing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rich.console import Console

from gradcheck import engine
from gradcheck.errors import UsageError
from gradcheck.report.drawing import drawing
from gradcheck.report.told import formula, print_function, print_trace
from gradcheck.report.trace import Telling, telling
from gradcheck.run.plain import plain
from gradcheck.run.trace import Traced, chosen, point_of, program, trace
from gradcheck.spec import Spec, load_many
from gradcheck.spec.dims import written


@dataclass
class Explained:
    """One function of a file, and what is to be told of it; `traced`: with the numbers of a point."""

    spec: Spec
    at: Sequence[str]
    ct: Sequence[str]
    traced: bool

    @classmethod
    def of(cls, path: str, select: str, at: Sequence[str], ct: Sequence[str], traced: bool) -> Explained:
        """The function that is meant. Raises InputError where there is none; numbers that are given want a trace."""
        return cls(chosen(load_many([path]), select), at, ct, traced or bool(at) or bool(ct))

    @cached_property
    def trace(self) -> Traced:
        """The function recorded at the point."""
        return trace(point_of(self.spec, self.at, self.ct))

    @cached_property
    def telling(self) -> Telling:
        """The trace in words."""
        return telling(self.trace)

    @property
    def exit_code(self) -> int:
        """1 where the claim is wrong at the point that was looked at."""
        return int(self.traced and any(row.verdict == "DISAGREES" for row in self.trace.judged))

    def show(self) -> None:
        """Everything for a person at a terminal."""
        console = Console()
        if self.traced:
            self.telling  # noqa: B018 (what cannot be traced is complained of before anything is shown)
        print_function(self.spec, console, self.traced)
        if self.traced:
            print_trace(self.trace, self.telling, console)

    def json(self) -> str:
        """Everything as one JSON document."""
        spec = self.spec
        told: dict[str, Any] = {
            "gradcheck_explain": 1, "id": spec.id, "file": spec.place.file, "line": spec.place.line,
            "summary": spec.summary, "formula": formula(spec),
            "inputs": [
                {"name": i.name, "shape": written(i.shape), "domain": i.domain.text, "differentiable": i.differentiable}
                for i in spec.inputs
            ],
            "claims": [{"kind": c.kind.value, "of": c.of, "formula": c.program.text} for c in spec.claims],
        }  # fmt: skip
        if self.traced:
            told["trace"] = self._trace()
        return json.dumps(plain(told), indent=2) + "\n"

    def _trace(self) -> dict[str, Any]:
        case, point = self.trace.point.case, self.trace.point
        return {
            "point": {name: array[0].tolist() for name, array in case.inputs.items()},
            "origin": point.origin,
            "cotangent": {name: array[0].tolist() for name, array in case.cotangents.items()},
            "up": self.telling.up,
            "down": self.telling.down,
            "gradients": [
                {"input": row.input, "claim": row.kind, "trace": row.traced.tolist(),
                 "claimed": None if row.claimed is None else row.claimed.tolist(),
                 "verdict": row.verdict, "reason": row.reason}
                for row in self.trace.judged
            ],
        }  # fmt: skip

    def program(self) -> str:
        """The vjp as a straight row of operations, for the shapes and branches of the point."""
        return f"{program(point_of(self.spec, self.at, self.ct))}\n"

    def graph(self) -> engine.Graph:
        """The graph at the point, with its numbers where these are wanted. Raises UsageError where there is none."""
        roots = self.trace.roots
        if not roots:
            raise UsageError(f"{self.spec.id} has no graph: no derivative passes through it")
        return engine.graph_of(
            roots, self.telling.names, values=self.traced, adjoints=self.traced, ct=self.trace.cotangents
        )

    def dot(self) -> str:
        """The graph in Graphviz's language."""
        return engine.dot_source(self.graph())

    def svg(self) -> str:
        """The graph as a drawing of its own."""
        return drawing(self.graph(), self.spec.id)
