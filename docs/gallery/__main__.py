"""Print the table of docs/gallery.md, made anew."""

from __future__ import annotations

import importlib

from docs.gallery.entries import Entry, Mistake, judged

ROOMS = ("surrogates", "normalisations", "products", "implicit", "selections", "matrices", "tapes")


def entries() -> list[Entry]:
    """Every entry, in the order of the document."""
    return [e for room in ROOMS for e in importlib.import_module(f"docs.gallery.{room}").ENTRIES]


def heading(entry: Entry) -> str:
    """The row of a rule: its name and what it teaches."""
    return f"| **{entry.name}** | | {entry.teaches} |"


def row(mistake: Mistake, result: object) -> str:
    """The row of one of its mistakes: what it is, the cell that catches it, and what gradcheck prints."""
    told = result.checked.standing.decisive
    return f"| {mistake.what} | `{told.cell}` | {told.sentence} |".replace("|x|", "\\|x\\|")


if __name__ == "__main__":
    for entry in entries():
        print(heading(entry))
        for mistake in entry.mistakes:
            print(row(mistake, judged(entry, mistake)))
