"""How is PyTorch spoken to? Its names for the rows, the callables that people bring, tapes and probes."""
