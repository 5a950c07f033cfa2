"""From a compose file to what a swarm is asked for (docker/cli cli/compose/convert).

Everything a stack makes carries its name: services, networks and volumes are called ``STACK_name`` and labelled with
the stack's namespace.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any

from swarmsim.apitypes.engine import IPAM, IPAMConfig, NetworkCreateRequest
from swarmsim.apitypes.reference import InvalidReference, parse_reference
from swarmsim.apitypes.specs import (
    BindOptions,
    ConfigReference,
    ContainerSpec,
    DNSConfig,
    Driver,
    EndpointSpec,
    FileTarget,
    GlobalJob,
    GlobalService,
    Mode,
    Mount,
    NetworkAttachment,
    Placement,
    Replicated,
    ReplicatedJob,
    Resources,
    RestartPolicy,
    SecretReference,
    SecretSpec,
    ServiceSpec,
    TaskSpec,
    TmpfsOptions,
    VolumeOptions,
)
from swarmsim.docker.compose.load import Loaded
from swarmsim.docker.compose.values import checked_health, pairs, texts
from swarmsim.docker.errors import CommandError
from swarmsim.docker.merges import capability, privileges
from swarmsim.docker.options import OPTIONS, RECORDS
from swarmsim.docker.specs import read_env_file, with_value
from swarmsim.go.units import ram_in_bytes

NAMESPACE = "com.docker.stack.namespace"
IMAGE = "com.docker.stack.image"
BASE = ServiceSpec(
    name="",
    labels={},
    task=TaskSpec(
        container=ContainerSpec(image="", privileges=privileges(None), dns=DNSConfig(), isolation="default"),
        resources=Resources(),
        placement=Placement(),
        force_update=0,
        runtime="container",
    ),
    mode=Mode(replicated=Replicated(replicas=1)),
    endpoint=EndpointSpec(),
)
"""What a service is of which a stack file says nothing."""
Config = dict[str, Any]
Read = Callable[[str], str]


class Stack:
    """A loaded compose file under a stack's name; ``read`` gives the text of files it names, relative to its own."""

    def __init__(self, name: str, loaded: Loaded, folder: str, read: Read) -> None:
        self.name = name
        self.config: Config = loaded.config
        self.at = loaded.at
        self.folder = folder
        self._read = read

    def scope(self, name: str) -> str:
        return f"{self.name}_{name}"

    def labels(self, given: Any) -> dict[str, str]:
        return {**{key: value or "" for key, value in pairs(given).items()}, NAMESPACE: self.name}

    def read(self, path: str) -> str:
        return self._read(posixpath.join(self.folder, path))

    @property
    def services(self) -> dict[str, Config]:
        return self.config.get("services") or {}

    # -- images

    def check_images(self) -> None:
        """Every service needs an image: a stack builds none. Raises :class:`CommandError`."""
        for name, service in self.services.items():
            image = service.get("image", "")
            if not image:
                raise CommandError(
                    f"invalid image reference for service {name}: no image specified{self.at(('services', name))}"
                )
            try:
                parse_reference(image)
            except InvalidReference:
                raise CommandError(
                    f"invalid image reference for service {name}: invalid reference format{self.at(('services', name, 'image'))}"
                ) from None

    # -- networks

    def networks(self) -> tuple[list[NetworkCreateRequest], list[str]]:
        """The networks to make, and the names of external ones that must be there."""
        used: dict[str, None] = {}
        for service in self.services.values():
            used.update(dict.fromkeys(service.get("networks") or ("default",)))
        declared = self.config.get("networks") or {}
        specs, external = [], []
        for name in sorted(used):
            if name not in declared and name != "default":
                continue  # complained of with the service that uses it
            network = declared.get(name) or {}
            if network.get("external"):
                external.append(self.network_name(name))
                continue
            ipam = (network.get("ipam") or {}).get("config") or []
            specs.append(
                NetworkCreateRequest(
                    name=self.network_name(name),
                    labels=self.labels(network.get("labels")),
                    driver=network.get("driver") or "overlay",
                    ipam=IPAM(
                        config=[
                            IPAMConfig(subnet=pool.get("subnet", ""), gateway=pool.get("gateway", "")) for pool in ipam
                        ]
                    ),
                    internal=bool(network.get("internal", False)),
                    attachable=bool(network.get("attachable", False)),
                    options={key: str(value) for key, value in (network.get("driver_opts") or {}).items()} or None,
                )
            )
        return specs, external

    def network_name(self, name: str) -> str:
        network = (self.config.get("networks") or {}).get(name) or {}
        external = network.get("external")
        if isinstance(external, dict) and external.get("name"):
            return str(external["name"])
        if network.get("name"):
            return str(network["name"])
        return name if external else self.scope(name)

    # -- secrets and configs

    def files(self, kind: str) -> list[SecretSpec]:
        """The secrets or configs to make (``kind`` in the plural)."""
        specs = []
        for name, entry in (self.config.get(kind) or {}).items():
            if entry.get("external"):
                continue
            data = self.read(entry["file"]) if entry.get("file") else ""
            specs.append(
                SecretSpec(name=self.file_name(kind, name), labels=self.labels(entry.get("labels")), data=data.encode())
            )
        return specs

    def file_name(self, kind: str, name: str) -> str:
        entry = (self.config.get(kind) or {}).get(name)
        if entry is None:
            raise CommandError(f'undefined {kind[:-1]} "{name}"')
        external = entry.get("external")
        if isinstance(external, dict) and external.get("name"):
            return str(external["name"])
        return str(entry.get("name") or (name if external else self.scope(name)))

    def references(self, kind: str, entries: list[Any]) -> list[tuple[str, FileTarget]]:
        found = []
        for entry in entries:
            entry = {"source": entry} if isinstance(entry, str) else entry
            source = entry["source"]
            target = entry.get("target") or (f"/{source}" if kind == "configs" else source)
            file = FileTarget(
                name=target, uid=entry.get("uid", "0"), gid=entry.get("gid", "0"), mode=int(entry.get("mode", 0o444))
            )
            found.append((self.file_name(kind, source), file))
        return sorted(found, key=lambda pair: pair[0])

    # -- services

    def service(self, name: str) -> ServiceSpec:
        """The spec of one service; ids of networks, secrets and configs are not known yet.

        Raises :class:`CommandError` that names the service.
        """
        try:
            return self._service(name, self.services[name])
        except CommandError as problem:
            raise CommandError(f"service {name}: {problem.message}{self.at(('services', name))}") from None
        except ValueError as problem:
            raise CommandError(f"service {name}: {problem}{self.at(('services', name))}") from None

    def _service(self, name: str, service: Config) -> ServiceSpec:
        spec = with_value(BASE, "name", self.scope(name))
        for record in RECORDS:
            if record.compose and _dig(service, record.compose) is not None:
                spec = with_value(spec, record.path, record.written, begin=False)
        if service.get("healthcheck"):
            service = {**service, "healthcheck": checked_health(service["healthcheck"])}
        for option in OPTIONS:
            value = _dig(service, option.compose) if option.compose else None
            if option.read is not None and value is not None:
                spec = with_value(spec, option.path, option.read(value), begin=False)
        for path, read in OF_THE_STACK.items():
            spec = with_value(spec, path, read(self, name, service), begin=False)
        if spec.task.restart is None:
            spec = with_value(spec, "task.restart", _restart(service), begin=False)
        return spec

    def environment(self, service: Config) -> list[str] | None:
        files = service.get("env_file") or []
        entries: dict[str, str | None] = {}
        for path in [files] if isinstance(files, str) else files:
            entries.update(pairs(read_env_file(self.read(path), path, {})))
        entries.update(pairs(service.get("environment")))
        return sorted(key if value is None else f"{key}={value}" for key, value in entries.items()) or None

    def attachments(self, name: str, networks: Any) -> list[NetworkAttachment]:
        wanted = dict.fromkeys(networks) if isinstance(networks, list) else dict(networks or {})
        attachments = []
        for network, settings in (wanted or {"default": None}).items():
            if network != "default" and network not in (self.config.get("networks") or {}):
                raise CommandError(f'undefined network "{network}"')
            settings = settings or {}
            target = self.network_name(network)
            aliases = [*(settings.get("aliases") or ()), *([name] if target not in ("host", "bridge", "none") else ())]
            options = texts(settings.get("driver_opts"))
            attachments.append(NetworkAttachment(target=target, aliases=aliases or None, driver_opts=options or None))
        return sorted(attachments, key=lambda attachment: attachment.target)

    def mounts(self, volumes: list[Any]) -> list[Mount] | None:
        mounts = []
        for volume in volumes:
            entry = _short_volume(volume) if isinstance(volume, str) else dict(volume)
            kind, source, target = entry["type"], entry.get("source", ""), entry.get("target", "")
            mount = Mount(type=kind, source=source, target=target, read_only=bool(entry.get("read_only", False)))
            if kind == "bind":
                if source.startswith((".", "~")):
                    source = posixpath.normpath(posixpath.join("/", self.folder, source))
                propagation = (entry.get("bind") or {}).get("propagation", "")
                bind = BindOptions(propagation=propagation) if propagation else None
                mount = Mount(type=kind, source=source, target=target, read_only=mount.read_only, bind=bind)
            elif kind == "tmpfs":
                size = (entry.get("tmpfs") or {}).get("size", 0)
                size = ram_in_bytes(size) if isinstance(size, str) else size
                mount = Mount(type=kind, target=target, tmpfs=TmpfsOptions(size_bytes=size) if size else None)
            elif kind == "volume" and source:
                mount = self._named_volume(entry, mount)
            mounts.append(mount)
        return mounts or None

    def _named_volume(self, entry: Config, mount: Mount) -> Mount:
        declared = self.config.get("volumes") or {}
        if mount.source not in declared:
            raise CommandError(f'undefined volume "{mount.source}"')
        volume = declared[mount.source] or {}
        no_copy = bool((entry.get("volume") or {}).get("nocopy", False))
        external = volume.get("external")
        if external:
            source = external.get("name") if isinstance(external, dict) else volume.get("name")
            options = VolumeOptions(no_copy=True) if no_copy else None
            return Mount(
                type="volume",
                source=source or mount.source,
                target=mount.target,
                read_only=mount.read_only,
                volume=options,
            )
        driver = None
        if volume.get("driver") or volume.get("driver_opts"):
            driver = Driver(name=volume.get("driver", ""), options=texts(volume.get("driver_opts")))
        return Mount(
            type="volume",
            source=str(volume.get("name") or self.scope(mount.source)),
            target=mount.target,
            read_only=mount.read_only,
            volume=VolumeOptions(no_copy=no_copy, labels=self.labels(volume.get("labels")), driver=driver),
        )


# -- what one key of a service does not tell


def _dig(service: Config, path: str) -> Any:
    """What stands at a path of keys; ``None`` where there is none, or nothing."""
    value: Any = service
    for key in path.split("."):
        value = (value or {}).get(key)
    return value


def _service_labels(stack: Stack, name: str, service: Config) -> dict[str, str]:
    return {**stack.labels(_dig(service, "deploy.labels")), IMAGE: service["image"]}


def _mode(stack: Stack, name: str, service: Config) -> Mode:
    mode, replicas = _dig(service, "deploy.mode"), _dig(service, "deploy.replicas")
    if mode in ("global", "global-job"):
        if replicas is not None:
            raise CommandError("replicas can only be used with replicated or replicated-job mode")
        return Mode(global_=GlobalService()) if mode == "global" else Mode(global_job=GlobalJob())
    count = 1 if replicas is None else replicas
    if mode == "replicated-job":
        return Mode(replicated_job=ReplicatedJob(max_concurrent=count, total_completions=count))
    if mode not in ("replicated", "", None):
        raise CommandError(f"Unknown mode: {mode}")
    return Mode(replicated=Replicated(replicas=count))


def _secrets(stack: Stack, name: str, service: Config) -> list[SecretReference] | None:
    return [
        SecretReference(file=file, secret_id="", secret_name=source)
        for source, file in stack.references("secrets", service.get("secrets") or [])
    ] or None


def _configs(stack: Stack, name: str, service: Config) -> list[ConfigReference] | None:
    return [
        ConfigReference(file=file, config_id="", config_name=source)
        for source, file in stack.references("configs", service.get("configs") or [])
    ] or None


def _added(stack: Stack, name: str, service: Config) -> list[str] | None:
    """What is dropped as well is not added."""
    dropped = _dropped(stack, name, service) or ()
    return sorted({capability(cap) for cap in service.get("cap_add") or ()}.difference(dropped)) or None


def _dropped(stack: Stack, name: str, service: Config) -> list[str] | None:
    return sorted({capability(cap) for cap in service.get("cap_drop") or ()}) or None


def _restart(service: Config) -> RestartPolicy | None:
    """What ``restart:`` of a plain container means for a service, where there is no ``deploy.restart_policy``."""
    policy, _, attempts = service.get("restart", "").partition(":")
    if policy in ("", "no"):
        return None
    if policy in ("always", "unless-stopped"):
        return RestartPolicy(condition="any")
    if policy == "on-failure":
        return RestartPolicy(condition="on-failure", max_attempts=int(attempts) if attempts else None)
    raise CommandError(f"unknown restart policy: {policy}")


OF_THE_STACK: dict[str, Callable[[Stack, str, Config], Any]] = {
    "labels": _service_labels,
    "mode": _mode,
    "task.container.labels": lambda stack, name, service: stack.labels(service.get("labels")),
    "task.container.env": lambda stack, name, service: stack.environment(service),
    "task.container.open_stdin": lambda stack, name, service: bool(service.get("stdin_open", False)),
    "task.container.mounts": lambda stack, name, service: stack.mounts(service.get("volumes") or []),
    "task.container.secrets": _secrets,
    "task.container.configs": _configs,
    "task.container.capability_add": _added,
    "task.container.capability_drop": _dropped,
    "task.networks": lambda stack, name, service: stack.attachments(name, service.get("networks")),
}
"""By their place in the specification: what depends on the stack's name, its other sections or more than one key."""


def _short_volume(text: str) -> Config:
    """``data:/var/lib/data:ro``, ``./site:/usr/share/nginx/html``, ``/anonymous`` (internal/volumespec)."""
    parts = text.split(":")
    if not text or "" in parts[:2]:
        raise CommandError(f"invalid spec: {text}: empty section between colons")
    if len(parts) == 1:
        return {"type": "volume", "target": parts[0]}
    if len(parts) > 3:
        raise CommandError(f"invalid spec: {text}: too many colons")
    source, target, *options = parts
    entry: Config = {"source": source, "target": target}
    entry["type"] = "bind" if source.startswith((".", "/", "~")) else "volume"
    for option in options[0].split(",") if options else ():
        if option == "ro":
            entry["read_only"] = True
        elif option == "nocopy":
            entry["volume"] = {"nocopy": True}
        elif option in ("private", "rprivate", "shared", "rshared", "slave", "rslave"):
            entry["bind"] = {"propagation": option}
    return entry
