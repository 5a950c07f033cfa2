"""The flags of ``docker run``: those that are modelled, and those that say that they are not."""

from __future__ import annotations

from swarmsim.go.pflag import Flag as F

_MODELLED = (
    F("detach", "bool", "Print the container's id and leave it alone", "d"),
    F("env", "env", "Set an environment variable", "e"),
    F("hostname", "string", "Host name of the container", "h"),
    F("interactive", "bool", "Keep its input open", "i"),
    F("ip", "string", "Address on the network"),
    F("label", "label", "Label of the container", "l"),
    F("name", "string", "Name of the container"),
    F("network", "string", "Attachable network of the swarm to be on"),
    F("network-alias", "list", "Another name on the network"),
    F("quiet", "bool", "Do not tell of pulling", "q"),
    F("rm", "bool", "Remove the container when it has ended"),
    F("tty", "bool", "Give it a terminal", "t"),
)
_NOT_YET = {
    "list": "add-host attach blkio-weight-device cap-add cap-drop device device-cgroup-rule device-read-bps device-read-iops "
    "device-write-bps device-write-iops dns dns-option dns-search env-file expose group-add label-file link link-local-ip log-opt "
    "mount publish security-opt storage-opt tmpfs ulimit volume volumes-from",
    "string": "cgroup-parent cgroupns cidfile cpuset-cpus cpuset-mems detach-keys domainname entrypoint gpus health-cmd ip6 ipc "
    "isolation log-driver mac-address pid platform pull restart runtime stop-signal user userns uts volume-driver workdir",
    "int": "cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares health-retries memory-swappiness oom-score-adj pids-limit "
    "stop-timeout",
    "duration": "health-interval health-start-period health-timeout",
    "bytes": "memory memory-reservation memory-swap shm-size",
    "decimal": "cpus",
    "map": "sysctl",
    "bool": "init no-healthcheck oom-kill-disable privileged publish-all read-only sig-proxy use-api-socket",
}
_SHORT = {
    "attach": "a",
    "cpu-shares": "c",
    "memory": "m",
    "publish": "p",
    "publish-all": "P",
    "user": "u",
    "volume": "v",
    "workdir": "w",
}

RUN: tuple[F, ...] = (
    *_MODELLED,
    *(
        F(name, kind, "Real, but not modelled yet", _SHORT.get(name, ""), modelled=False)
        for kind, names in _NOT_YET.items()
        for name in names.split()
    ),
)
CREATE: tuple[F, ...] = tuple(flag for flag in RUN if flag.name not in ("detach", "detach-keys", "sig-proxy"))
"""``docker create`` has them but for those of whoever waits for its end."""
