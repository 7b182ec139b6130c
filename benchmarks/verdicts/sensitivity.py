"""Is a small error planted in a derivative caught, and the right party blamed?

    python -m benchmarks.verdicts.sensitivity [--error 1e-6] [--seeds 20] [--points 1000] [--only TEXT] [PATHS]
    python -m benchmarks.verdicts.sensitivity --certified [--error 1e-12] …
    python -m benchmarks.verdicts.sensitivity --dtype float32 [--error 1e-3] …

For every function of the paths (specs/seeds and specs/hard but its tails where none are given) and every seed, one case
is heard; then a relative error is planted in what one party says: in one element of a gradient at all points; at all
elements in a region of the domain that holds one point in a hundred; in one number alone. It is planted once in the
claim and once in a framework (our engine's numbers under a framework's budget). With --dtype it is planted in the
numbers that PyTorch itself gives at that dtype; a claim is judged in float64 whatever frameworks compute in. Prints the
share caught (the function's verdict is DISAGREES) and the share with the right blame; exit code 1 where less than 99 %
of elements or regions are caught.
The differences that a running bound of rounding cannot see are left to the proofs: with --certified, every claim's
formula is multiplied by one plus the error, and the share is told in which its enclosure is disjoint from the truth's.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.verdicts.rewritten import Wrapped
from benchmarks.verdicts.trial import shaken, verdict
from gradcheck.cases import build, narrowed, plans
from gradcheck.judge import Verdict
from gradcheck.oracles import Evidence, Hearing, Inquiry, Silence, Testimony, engine
from gradcheck.oracles.hearing import titled
from gradcheck.spec import Case, Spec, load_many

ROOT = Path(__file__).parents[2]
WITNESSES = ("certified", "engine", "differences", "torch")
LIARS = ("claim", "torch")
BEYOND = {  # functions whose derivative no framework can be held to within a millionth: counted apart for "torch"
    "hyperbola_under_its_asymptote": "x/sqrt(x² + 1) - 1 cancels: far out a framework has seven digits or fewer",
    "logistic_map_twelve_times": "the running bound of rounding takes 4**12 for the growth of errors, which is 4096",
    "inverse_near_rank_one": "the bound of an inverse's rounding grows with the square of its condition, 1e6",
}
ERRORS = {"float64": 1e-6, "float32": 1e-3}
REGION = 0.01
ENOUGH = 0.99
Places = Callable[[Case, str, tuple[int, ...], np.random.Generator], np.ndarray]


def as_given(xp: object, env: dict[str, object], control: object) -> dict[str, object]:
    """Names as they are."""
    return env


def heard(case: Case) -> dict[str, Testimony]:
    """The claim, proofs, the engine, differences, and the engine once more under a framework's budget, as "torch".

    Below float64 PyTorch itself is heard.
    """
    if case.dtype != "float64":
        return dict(Hearing(Inquiry(case)).all(WITNESSES))
    said = dict(Hearing(Inquiry(case)).all(WITNESSES[:3]))
    honest = said["engine"]
    if isinstance(honest, Evidence):
        losses = engine.losses(Inquiry(case))
        said["torch"] = replace(
            honest, witness="torch", answers={q: replace(m, loss=losses[q]) for q, m in honest.answers.items()}
        )
    return said


def element(case: Case, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """One element of the gradient, at every point."""
    chosen = np.zeros(int(np.prod(shape[1:], dtype=int)), dtype=bool)
    chosen[rng.integers(chosen.size)] = True
    return np.broadcast_to(chosen.reshape(shape[1:]), shape)


def region(case: Case, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """All elements, where one coordinate of the input lies in an interval with a hundredth of the points."""
    x = case.inputs[name].reshape(case.points, -1)
    coordinate = x[:, rng.integers(x.shape[1])]
    order, width = np.argsort(coordinate, kind="stable"), max(int(REGION * case.points), 1)
    start = rng.integers(case.points - width)
    inside = np.isin(np.arange(case.points), order[start : start + width])
    return np.broadcast_to(inside.reshape(-1, *(1,) * (len(shape) - 1)), shape)


def number(case: Case, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """One number of all."""
    chosen = np.zeros(int(np.prod(shape)), dtype=bool)
    chosen[rng.integers(chosen.size)] = True
    return chosen.reshape(shape)


PLACES: dict[str, Places] = {"one element": element, "a region": region, "one number": number}


def gradients_of(said: Mapping[str, Testimony]) -> list[str]:
    """The gradients of the claim that are not zero everywhere: zero is not off by any relative error."""
    claim = said["claim"]
    assert isinstance(claim, Evidence)
    return sorted(q for q, m in claim.answers.items() if q.startswith("vjp:") and m.center.any() and "|" not in q)


def planted(
    case: Case, said: dict[str, Testimony], liar: str, where: Places, error: float, rng: np.random.Generator
) -> dict[str, Testimony]:
    """What everybody says, the liar with one gradient off."""
    told = said[liar]
    assert isinstance(told, Evidence)
    claim = said["claim"]
    assert isinstance(claim, Evidence)
    gradients = gradients_of(said)
    quantity = gradients[rng.integers(len(gradients))]
    honest = told.answers[quantity]
    mask = np.zeros(honest.center.shape, dtype=bool)
    while not (mask & (claim.answers[quantity].center != 0)).any():  # zero is not off by any relative error
        mask = where(case, quantity.partition(":")[2], honest.center.shape, rng)
    lie = replace(honest, center=np.where(mask, honest.center * (1 + error), honest.center))
    return {**said, liar: replace(told, answers={**told.answers, quantity: lie})}


def trials(
    spec: Spec, seed: int, points: int, error: float, dtype: str = "float64"
) -> dict[tuple[str, str], tuple[bool, bool]]:
    """(liar, place) -> whether the lie was caught, and blamed on the liar.

    Empty where nothing can be planted: no case was found, a gradient of zeros, a framework without the function there.
    """
    plan = plans(spec, seed, 1, 1)[0]
    case = build(spec, plan, points)
    if case is not None and dtype != "float64":
        case = narrowed(case, dtype)
    if case is None:
        return {}
    said, found = heard(case), {}
    for liar in LIARS if dtype == "float64" else (titled("torch", dtype),):
        if isinstance(said[liar], Silence) or not gradients_of(said):
            continue
        trembling = None if dtype == "float64" else shaken(case, [liar])
        for place, where in PLACES.items():
            rng = np.random.default_rng([seed, len(found)])
            whole, _ = verdict(spec, [(case, planted(case, said, liar, where, error, rng))], WITNESSES, trembling)
            caught = whole.verdict is Verdict.DISAGREES
            found[liar, place] = caught, caught and whole.blame.startswith(liar)
    return found


def disproved(spec: Spec, seed: int, points: int, error: float) -> str:
    """What comes of the claims of a spec, all times 1 + error: "an error", "told only" or "missed".

    Told only: the enclosures are disjoint, by less than float64 can hold, or than what excuses a claim
    (docs/decisions/0010).
    """
    lying = replace(
        spec, claims=tuple(replace(c, program=Wrapped(c.program, as_given, 1 + error)) for c in spec.claims)
    )
    case = build(lying, plans(spec, seed, 1, 1)[0], points)
    assert case is not None, f"no point of the domain of {spec.id} was found"
    said = Hearing(Inquiry(case)).all(("engine", "certified"))
    whole, _ = verdict(lying, [(case, said)], ("engine", "certified"))
    if whole.verdict is Verdict.DISAGREES and whole.blame == "claim":
        return "an error"
    proofs = getattr(said["certified"], "proofs", ())
    return "told only" if any(p.disproved.any() for p in proofs) else "missed"


def certified(specs: Sequence[Spec], seeds: int, points: int, error: float) -> int:
    """How often claims are disproved, printed; exit code 1 where one was not."""
    found = {(s.id, seed): disproved(s, seed, points, error) for s in specs for seed in range(seeds)}
    print(f"{len(specs)} functions, {seeds} seeds, {points} points: claims times 1 + {error:g}")
    for kind in ("an error", "told only", "missed"):
        names = Counter(name for (name, _), what in found.items() if what == kind)
        shown = "" if kind == "an error" else "".join(f"; {n} {k}" for n, k in names.most_common())
        print(f"  {kind}: {sum(names.values())} of {len(found)}{shown}")
    return 1 if "missed" in found.values() else 0


def measured(
    specs: Sequence[Spec], seeds: int, points: int, error: float, dtype: str
) -> dict[tuple[str, str], list[str]]:
    """(liar, place) -> for every trial "caught", "misblamed" or the name of a function where it was missed."""
    results: dict[tuple[str, str], list[str]] = {}
    for spec in specs:
        for seed in range(seeds):
            for (liar, place), (caught, blamed) in trials(spec, seed, points, error, dtype).items():
                apart = " beyond" if liar != "claim" and spec.id in BEYOND else ""
                results.setdefault((liar + apart, place), []).append(
                    "caught" if blamed else "misblamed" if caught else spec.id
                )
    return results


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", default=[str(ROOT / "specs" / s) for s in ("seeds", "hard")])
    parser.add_argument("--certified", action="store_true", help="are false claims disproved?")
    parser.add_argument("--dtype", choices=ERRORS, default="float64", help="what the framework at fault computes in")
    parser.add_argument("--error", type=float, help="1e-6 (float32: 1e-3), with --certified 1e-12")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--only", default="", help="functions whose names hold this")
    options = parser.parse_args(words)
    warnings.simplefilter("ignore")
    files = load_many(options.paths)
    specs = [s for f in files for s in f.functions if options.only in s.id and "tail" not in s.tags]
    error = options.error or (1e-12 if options.certified else ERRORS[options.dtype])
    if options.certified:
        return certified(specs, options.seeds, options.points, error)
    results = measured(specs, options.seeds, options.points, error, options.dtype)
    print(f"{len(specs)} functions, {options.seeds} seeds, {options.points} points, relative error {error:g}")
    low = False
    for (liar, place), outcomes in results.items():
        missed = Counter(o for o in outcomes if o not in ("caught", "misblamed"))
        share = 1 - sum(missed.values()) / len(outcomes)
        low |= share < ENOUGH and place != "one number" and "beyond" not in liar
        blamed = outcomes.count("caught") / len(outcomes)
        print(f"{liar:12} {place:12} caught {share:.2%}, blamed {blamed:.2%} of {len(outcomes)}", end="")
        print("".join(f"; {name} missed {times}" for name, times in missed.most_common(6)))
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
