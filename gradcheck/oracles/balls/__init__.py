"""What is proven? Numbers with radii (Arb balls): the vocabulary over them, what it proves of a claim and of code."""
