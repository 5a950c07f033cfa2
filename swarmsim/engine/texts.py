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


# -- the swarm itself

NO_SWARM = Text(503, "This node is not part of a swarm", "daemon/cluster/errors.go")
SWARM_EXISTS = Text(
    503,
    'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.',
    "daemon/cluster/errors.go",
)
JOIN_TIMEOUT = Text(
    503,
    "Timeout was reached before node joined. The attempt to join the swarm will continue in the background. "
    'Use the "docker info" command to see the current swarm status of your node.',
    "daemon/cluster/errors.go",
)
BAD_TOKEN = Text(400, "invalid join token", "swarmkit ca/config.go")
SWARM_LOCKED = Text(
    503,
    'Swarm is encrypted and needs to be unlocked before it can be used. Please use "docker swarm unlock" to unlock it.',
    "daemon/cluster/errors.go",
)
NOT_LOCKED = Text(409, "swarm is not locked", "daemon/cluster/errors.go")
BAD_UNLOCK_KEY = Text(400, "invalid key string", "swarmkit manager/encryption")
WRONG_UNLOCK_KEY = Text(401, "swarm could not be unlocked: invalid key provided", "daemon/cluster/errors.go")
NOT_STARTED = Text(500, "swarm component could not be started: {error}", "daemon/cluster/swarm.go")
LEAVING_LOCKED = Text(
    503,
    "Swarm is encrypted and locked. Please unlock it first or use `--force` to ignore this message.",
    "daemon/cluster/swarm.go",
)
FIPS_TOKEN = Text(503, "node is not FIPS-enabled but cluster requires FIPS", "swarmkit node/node.go ErrMandatoryFIPS")
NOT_IN_SWARM = Text(
    503,
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node '
    "to swarm and try again.",
    "daemon/cluster/errors.go",
)
NOT_A_MANAGER = Text(
    503,
    "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. "
    "Please run this command on a manager node or promote the current node to a manager.",
    "daemon/cluster/cluster.go",
)
MANAGER_NOT_READY = Text(
    503,
    "This node is not a swarm manager. Manager is being prepared or has trouble connecting to the cluster.",
    "daemon/cluster/cluster.go",
)
LEAVING_MANAGER = Text(
    503,
    "You are attempting to leave the swarm on a node that is participating as a manager. ",
    "daemon/cluster/swarm.go",
)
LOSES_CONSENSUS = Text(503, "Doing so may lose the consensus of your cluster. ", "daemon/cluster/swarm.go")
LEAVES_MANAGERS = Text(
    503,
    "Removing this node leaves {left} managers out of {all}. Without a Raft quorum your swarm will be inaccessible. ",
    "daemon/cluster/swarm.go",
)
LAST_MANAGER = Text(
    503,
    "Removing the last manager erases all current state of the swarm. Use `--force` to ignore this message. ",
    "daemon/cluster/swarm.go",
)
NO_OTHER_WAY = Text(
    503,
    "The only way to restore a swarm that has lost consensus is to reinitialize it with `--force-new-cluster`. "
    "Use `--force` to suppress this message.",
    "daemon/cluster/swarm.go",
)
AMBIGUOUS = Text(400, "{kind} {reference} is ambiguous ({matches} matches found)", "daemon/cluster/helpers.go")
NOT_FOUND = Text(404, "{kind} {reference} not found", "daemon/cluster/helpers.go")

SUBNET_SIZE = Text(400, "subnet size is out of range: {size}", "daemon/cluster/swarm.go")
SUBNET_TOO_BIG = Text(
    400, 'invalid CIDR: "{pool}". Subnet size is too small for pool: {size}', "daemon/cluster/swarm.go"
)

# -- volumes

NO_VOLUME_DRIVER = Text(
    404,
    'create {volume}: error looking up volume plugin {name}: plugin "{name}" not found',
    "volume/service/store.go, volume/drivers/extpoint.go",
)
VOLUME_IN_USE = Text(409, "remove {name}: volume is in use - [{users}]", "volume/service/errors.go, service.go")
NO_SUCH_VOLUME = Text(404, "get {name}: no such volume", "volume/service/errors.go")

# -- tasks that are rejected before their container is there

NO_SUCH_IMAGE = Text(404, "No such image: {image}", "daemon/images/image.go")
NO_BIND_SOURCE = Text(
    400,
    'invalid mount config for type "bind": bind source path does not exist: {path}',
    "volume/mounts/validate.go",
)
RELATIVE_TARGET = Text(400, "invalid mount target, must be an absolute path: {path}", "executor/container/validate.go")

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
PREDEFINED_REMOVE = Text(403, "{name} is a pre-defined network and cannot be removed", "daemon/network.go")
ONE_INSTANCE = Text(403, 'only one instance of "{driver}" network is allowed', "libnetwork/drivers/host, null")
NO_PLUGIN = Text(404, 'plugin "{name}" not found', "pkg/plugins, plugin/store.go")
POOL_OVERLAPS = Text(403, "Pool overlaps with other one on this address space", "libnetwork/ipamapi/contract.go")
BAD_SUBNET = Text(400, "Invalid subnet {subnet} : invalid CIDR address: {subnet}", "daemon/network.go")
DOWNGRADE = Text(403, "cannot downgrade network scope for {driver} networks", "libnetwork/controller.go")
LOCAL_INGRESS = Text(403, "Ingress network can only be global scope network", "libnetwork/controller.go")
ALREADY_ATTACHED = Text(403, "{name} is already attached to network {network}", "daemon/container_operations.go")
HOST_CONNECT = Text(
    403,
    "container cannot be disconnected from host network or connected to host network",
    "daemon/container_operations.go",
)
NOT_CONNECTED = Text(403, "container {id} is not connected to network {network}", "daemon/container_operations.go")
ACTIVE_ENDPOINTS = Text(
    403,
    "error while removing network: network {name} id {id} has active endpoints",
    "daemon/network.go, libnetwork/error.go",
)
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
NOT_UNDERSTOOD = StartFailure("swarmsim does not model this script: {what}", 127, "swarmsim")
"""Ours: rather no container than one that does something else."""

# -- programs that do not start in a container that runs

_RUNC_EXEC = 'OCI runtime exec failed: exec failed: unable to start container process: exec: "{program}": '
EXEC_NOT_IN_PATH = Text(0, f"{_RUNC_EXEC}executable file not found in $PATH: unknown", "runc libcontainer")
EXEC_NO_SUCH_FILE = Text(0, f"{_RUNC_EXEC}stat {{program}}: no such file or directory: unknown", "runc libcontainer")
EXEC_DENIED = Text(0, f"{_RUNC_EXEC}permission denied: unknown", "runc libcontainer")
EXEC_NO_SUCH_FOLDER = Text(
    0,
    "OCI runtime exec failed: exec failed: unable to start container process: "
    'chdir to cwd ("{folder}") set in config.json failed: no such file or directory: unknown',
    "runc libcontainer",
)
EXEC_NO_SUCH_USER = Text(0, "unable to find user {user}: no matching entries in passwd file", "runc user.go")
CONTAINER_NOT_RUNNING = Text(409, "Container {id} is not running", "daemon/errors.go")
NO_SUCH_EXEC = Text(404, "No such exec instance: {id}", "daemon/errors.go")

# -- plain containers

BAD_NAME = Text(400, "Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", "daemon/names.go")
BAD_ADDRESS = Text(400, "invalid IPv4 address: {address}", "daemon/container_operations.go")
NOT_AN_OVERLAY = Text(
    501, "swarmsim: a container on {network} is real, but not modelled yet: name an attachable overlay", "swarmsim"
)
PULL_DENIED = Text(
    404,
    "pull access denied for {image}, repository does not exist or may require 'docker login': denied: requested access "
    "to the resource is denied",
    "distribution/errors.go",
)
CANNOT_ATTACH = Text(500, "Could not attach to network {network}: {error}", "daemon/container_operations.go")
ATTACH_TIMEOUT = Text(
    500,
    "attaching to network failed, make sure your network options are correct and check manager logs: "
    "context deadline exceeded",
    "daemon/cluster/networks.go",
)
NO_ATTACHER = Text(0, "could not find network attachment for container {id} to network {network}", "daemon/cluster")
STILL_RUNNING = Text(
    409,
    "You cannot remove a running container {id}. Stop the container before attempting removal or force remove",
    "daemon/delete.go",
)
DOES_NOT_START = Text(400, "{problem}", "daemon/start.go")

# -- containers that end

NON_ZERO_EXIT = Text(0, "task: non-zero exit ({code})", "executor/container/controller.go exitError")
UNHEALTHY = Text(0, "dockerexec: unhealthy container", "executor/container/errors.go")
NO_SANDBOX = Text(0, "network sandbox does not exist for container {name}", "daemon/container_operations.go")
NO_SUCH_CONTAINER = Text(404, "No such container: {name}", "daemon/errors.go")
NAME_TAKEN = Text(
    409,
    'Conflict. The container name "/{name}" is already in use by container "{id}". '
    "You have to remove (or rename) that container to be able to reuse that name.",
    "daemon/names.go",
)
RESTART_REFUSED = Text(500, "Cannot restart container {name}: {problem}", "daemon/restart.go")
SAME_NAME = Text(400, "Renaming a container with the same name as its current name", "daemon/rename.go")
NAME_NOT_FREE = Text(409, "Error when allocating new name: {problem}", "daemon/rename.go")
NOT_RUNNING = Text(409, "Cannot kill container: {name}: Container {id} is not running", "daemon/kill.go, errors.go")
