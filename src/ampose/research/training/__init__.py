"""Training runs: the loop, checkpoints, and a recipe put together with its data."""
