"""What nodes say to each other (moby/swarmkit api/): one file for each .proto, with its messages and its methods.

A method's roles are those of SwarmKit's ``tls_authorization``. Where a message here has less than SwarmKit's, or something
more, its docstring tells. A method without an answer to speak of has the reply ``None``.
"""

LOCAL_SOCKET = "unix:///var/run/docker/swarm/control.sock"
"""Where a manager serves its own engine and agent (daemon/cluster, node/node.go)."""
