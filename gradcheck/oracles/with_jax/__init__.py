"""How is JAX spoken to? Its names for the rows, the callables that people bring, tapes and probes."""
