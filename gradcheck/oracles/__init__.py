"""Who else knows the answer? One file a witness; each says numbers with error bars, or why it is silent."""

from gradcheck.oracles.evidence import Evidence, Measured, Reason, Silence, Testimony
from gradcheck.oracles.hearing import INDEPENDENT, Hearing, installed
from gradcheck.oracles.inquiry import Inquiry

__all__ = [
    "INDEPENDENT",
    "Evidence",
    "Hearing",
    "Inquiry",
    "Measured",
    "Reason",
    "Silence",
    "Testimony",
    "installed",
]
