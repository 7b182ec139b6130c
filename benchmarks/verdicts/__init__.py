"""How good are the verdicts? Scale-freeness, sensitivity and specificity, measured over sets of functions."""
