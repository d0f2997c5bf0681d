"""Steps that overlap: iterators read in threads of their own, and stages that are timed.

A chain of generators becomes a pipeline by wrapping its links: `ahead` keeps every item in order,
for files; `latest` keeps only the newest, for what is live. `Stages` clocks what the links compute
and bounds how many compute at once; `share_threads` says who gets how many threads.
"""

from ampose.flow.background import ahead, latest
from ampose.flow.series import Series
from ampose.flow.stages import At, Stages, StageTime, made_at, untimed
from ampose.flow.threads import Threads, processors, share_threads

__all__ = [
    "At",
    "Series",
    "StageTime",
    "Stages",
    "Threads",
    "ahead",
    "latest",
    "made_at",
    "processors",
    "share_threads",
    "untimed",
]
