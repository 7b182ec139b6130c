"""Of which numbers do the parties say different things? Where numbers are very many, only these are moved alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gradcheck.oracles.evidence import Evidence, Testimony


def doubts(heard: Mapping[str, Testimony]) -> dict[str, NDArray[np.bool_]]:
    """Input -> the numbers (B, *shape) of which somebody says something else than the claim."""
    claim, found = heard["claim"], dict[str, NDArray[np.bool_]]()
    claims = claim.answers if isinstance(claim, Evidence) else {}
    parties = [said for name, said in heard.items() if name != "claim" and isinstance(said, Evidence)]
    for quantity, ours in claims.items():
        kind, _, name = quantity.partition("|")[0].partition(":")
        answers = [p.answers[f"vjp:{name}"] for p in parties if kind == "vjp" and f"vjp:{name}" in p.answers]
        for theirs in [a for a in answers if a.center.shape == ours.center.shape]:
            with np.errstate(all="ignore"):
                off = ~(np.abs(ours.center - theirs.center) <= ours.bar + theirs.bar)
            found[name] = found.get(name, False) | off
    return found
