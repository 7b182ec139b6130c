"""What do the witnesses compute with in JAX? float64 and the CPU, in all the process from this import on."""

from gradcheck.oracles.with_jax.itself import jax, jnp

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
jax.config.update("jax_platforms", "cpu")  # type: ignore[no-untyped-call]

__all__ = ["jax", "jnp"]
