"""Protocols, and the files that keep measured numbers with their circumstances."""
