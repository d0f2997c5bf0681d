"""Reports of finished results: one page that needs nothing else, and the same on paper."""

from ampose.report.assembly import report_of
from ampose.report.contents import Report

__all__ = ["Report", "report_of"]
