"""What engine 20.10.24 says when it refuses or fails: one table.

Each text stands with the file of moby (or of what moby links) that has it at v20.10.24; later versions word several of
them otherwise. ``{…}`` are filled in where it is said. Real engines of that version were heard saying those that
``tests/records/asked`` has.
"""

from __future__ import annotations

from typing import NamedTuple

from swarmsim.apitypes.http import ApiError


class Text(NamedTuple):
    """``status`` is what the API answers with; 0 for what is only shown as the error of a task."""

    status: int
    words: str
    source: str

    def fill(self, **values: object) -> str:
        return self.words.format(**values)

    def refusal(self, **values: object) -> ApiError:
        return ApiError(self.status, self.fill(**values))


class StartFailure(NamedTuple):
    """Why a container did not start; ``exit_code`` is the container's from then on (daemon/errors.go, start.go)."""

    words: str
    exit_code: int
    source: str

    def fill(self, **values: object) -> str:
        return f"starting container failed: {self.words.format(**values)}"


# -- tasks that are rejected before their container is there

NO_SUCH_IMAGE = Text(404, "No such image: {image}", "daemon/images/image.go")
NO_BIND_SOURCE = Text(
    400,
    'invalid mount config for type "bind": bind source path does not exist: {path}',
    "volume/mounts/validate.go",
)
RELATIVE_TARGET = Text(400, "invalid mount target, must be an absolute path: {path}", "executor/container/validate.go")
UNKNOWN_CAPABILITY = Text(400, 'invalid CapAdd: unknown capability: "{name}"', "daemon/oci_linux.go, oci/caps/utils.go")

NO_ATTACHMENTS = Text(
    0, "node is missing network attachments, ip addresses may be exhausted", "executor/container/adapter.go"
)

# -- networks

NETWORK_EXISTS = Text(409, "network with name {name} already exists", "api/server/router/network, libnetwork/error.go")
ON_A_WORKER = Text(
    403,
    "Cannot create a multi-host network from a worker node. Please create the network from a manager node.",
    "libnetwork/controller.go",
)
PREDEFINED_CREATE = Text(403, "{name} is a pre-defined network and cannot be created", "daemon/cluster/networks.go")
PREDEFINED_REMOVE = Text(403, "{name} is a pre-defined network and cannot be removed", "daemon/network.go")
ONE_INSTANCE = Text(403, 'only one instance of "{driver}" network is allowed', "libnetwork/drivers/host, null")
NO_PLUGIN = Text(404, 'plugin "{name}" not found', "pkg/plugins, plugin/store.go")
POOL_OVERLAPS = Text(403, "Pool overlaps with other one on this address space", "libnetwork/ipamapi/contract.go")
ACTIVE_ENDPOINTS = Text(
    403,
    "error while removing network: network {name} id {id} has active endpoints",
    "daemon/network.go, libnetwork/error.go",
)
NETWORK_NOT_FOUND = Text(404, "network {name} not found", "daemon/cluster/helpers.go, libnetwork/error.go")
NOT_FOR_SERVICES = Text(
    403,
    "The network {name} cannot be used with services. Only networks scoped to the swarm can be used, "
    "such as those created with the overlay driver.",
    "daemon/cluster/networks.go",
)

# -- containers that do not start

_RUNC = (
    "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
    'exec: "{program}": '
)
"""containerd 1.6's shim and runc 1.1's words around those of Go's os/exec. Later engines say more before them."""
NOT_IN_PATH = StartFailure(f"{_RUNC}executable file not found in $PATH: unknown", 127, "runc libcontainer")
NO_SUCH_FILE = StartFailure(f"{_RUNC}stat {{program}}: no such file or directory: unknown", 127, "runc libcontainer")
NO_PERMISSION = StartFailure(f"{_RUNC}permission denied: unknown", 126, "runc libcontainer")
NO_SUCH_USER = StartFailure("unable to find user {user}: no matching entries in passwd file", 128, "runc user.go")
SYSCTL = StartFailure(
    "failed to create shim task: OCI runtime create failed: runc create failed: "
    'sysctl "{name}" is not in a separate kernel namespace: unknown',
    128,
    "runc validate.go",
)
NOT_UNDERSTOOD = StartFailure("swarmsim does not model this script: {what}", 127, "swarmsim")
"""Ours: rather no container than one that does something else."""

# -- containers that end

NON_ZERO_EXIT = Text(0, "task: non-zero exit ({code})", "executor/container/controller.go exitError")
UNHEALTHY = Text(0, "dockerexec: unhealthy container", "executor/container/errors.go")
NO_SANDBOX = Text(0, "network sandbox does not exist for container {name}", "daemon/container_operations.go")
NO_SUCH_CONTAINER = Text(404, "No such container: {name}", "daemon/errors.go")
NOT_RUNNING = Text(409, "Cannot kill container: {name}: Container {id} is not running", "daemon/kill.go, errors.go")
