"""What can be asked of code that is only called? Values and derivatives, along lines, in batches, at many bits."""
