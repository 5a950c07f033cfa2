"""A scenario of somebody's own cluster, from what docker prints about it.

:mod:`~swarmsim.importer.outputs` tells what a text has (``node ls``, ``node inspect``, ``service inspect``, ``stack config``, …),
:mod:`~swarmsim.importer.commands` makes the command that would create a service as it is,
:mod:`~swarmsim.importer.cluster` writes the scenario, and what had to be assumed.
"""

from swarmsim.importer.cluster import Imported, import_cluster
from swarmsim.importer.outputs import ImportFailed, Outputs, read_outputs

__all__ = ["ImportFailed", "Imported", "Outputs", "import_cluster", "read_outputs"]
