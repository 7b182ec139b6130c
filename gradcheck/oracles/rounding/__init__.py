"""How far may evaluating a formula in floating point be off? A bound that every number carries along."""
