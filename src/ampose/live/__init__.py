"""Poses while they happen: a page to watch, the numbers to judge it by, and an end on Ctrl-C.

The steps themselves are those of a file; see `ampose.pipeline.run_live`. What makes them live is
`ampose.flow.latest` between them.
"""

from ampose.live.attended import attended
from ampose.live.meter import Meter, Status
from ampose.live.page import DEFAULT_PORT, Page
from ampose.live.smoothing import Filter, Smoother

__all__ = ["DEFAULT_PORT", "Filter", "Meter", "Page", "Smoother", "Status", "attended"]
