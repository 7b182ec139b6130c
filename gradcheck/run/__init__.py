"""Doing it: the one runner, its records, the failure store and the gate."""

from gradcheck.run.config import PROFILES, WITNESSES, Config, Profile, demanded
from gradcheck.run.function import heard_of
from gradcheck.run.gate import exit_code
from gradcheck.run.outcome import Outcome, Run, Summary, WitnessResult
from gradcheck.run.record import document, json_line, read_json, run_of, write_json
from gradcheck.run.runner import Entry, entries, outcomes

__all__ = [
    "PROFILES",
    "WITNESSES",
    "Config",
    "Entry",
    "Outcome",
    "Profile",
    "Run",
    "Summary",
    "WitnessResult",
    "demanded",
    "document",
    "entries",
    "exit_code",
    "heard_of",
    "json_line",
    "outcomes",
    "read_json",
    "run_of",
    "write_json",
]
