"""The record of a run: JSON Lines while it runs, Parquet and data frames for study."""

from swarmsim.trace.reader import Trace, TraceError, load_trace
from swarmsim.trace.writer import TraceWriter

__all__ = ["Trace", "TraceError", "TraceWriter", "load_trace"]
