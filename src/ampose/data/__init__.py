"""Files that ship with the package."""

from pathlib import Path

DEMO_CLIP = Path(__file__).parent / "demo.mp4"
"""One athlete, 100 frames at 60 frames/s; see NOTICE.md beside it."""
