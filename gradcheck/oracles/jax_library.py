"""Where is JAX? Here, and nowhere else: the one file that imports it, with float64 on and on the CPU."""

import jax

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
jax.config.update("jax_platforms", "cpu")  # type: ignore[no-untyped-call]

import jax.numpy as jnp  # noqa: E402  (float64 must be on before first use)
import jax.scipy.special  # noqa: E402

__all__ = ["jax", "jnp"]
