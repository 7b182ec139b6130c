"""How is a rule made wrong in its region only, and how is the fault taken out again, to see that it matters?"""

from __future__ import annotations

from typing import Any

import numpy as np

PLANTED = {"in": True}  # whether the faults are in; without them every rule is right


def fault(right: Any, where: Any, wrong: Any) -> Any:
    """The right numbers, and the wrong ones where the region is. `where`: a mask, or a truth value for all."""
    return np.where(where, wrong, right).astype(right.dtype) if PLANTED["in"] else right


def fault_in(right: Any, where: Any, wrong: Any) -> Any:
    """The same for tensors of PyTorch. `where`: a mask, or a truth value for all."""
    if not PLANTED["in"]:
        return right
    if isinstance(where, bool):
        return wrong if where else right
    return where.to(right.dtype) * wrong + (~where).to(right.dtype) * right
