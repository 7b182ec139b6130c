"""Are bugs found that show in one region of the points only? Planted ones, each right everywhere else."""
