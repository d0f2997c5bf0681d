"""Open motion and the training samples made from it."""
