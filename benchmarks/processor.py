"""How much of the processor was used? Seconds of this process and of the ones that it has waited for.

`gradcheck.check` asks code in a fork of its own; `time.process_time` does not see what is computed there.
"""

from __future__ import annotations

import os


def seconds() -> float:
    """Seconds of the processor since the start, user and system, with those of ended children (to 0.01 s there)."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
