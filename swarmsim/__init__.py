"""swarmsim: a Docker Swarm you can break."""

from swarmsim.trace.reader import Trace, load_trace
from swarmsim.version import VERSION as __version__

__all__ = ["Trace", "__version__", "load_trace"]
