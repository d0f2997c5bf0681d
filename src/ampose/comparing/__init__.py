"""Two finished recordings side by side: a table, curves, a video in step, and a page of them."""
