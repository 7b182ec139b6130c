"""What becomes of a failure? The smallest point that shows it, how it is written, kept, replayed and promoted."""
