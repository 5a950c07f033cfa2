"""From a compose file to what a swarm is asked for (docker/cli cli/compose/convert).

Everything a stack makes carries its name: services, networks and volumes are called ``STACK_name`` and labelled with
the stack's namespace.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Callable
from typing import Any

from swarmsim.docker.command import CommandError
from swarmsim.docker.compose.load import Loaded, pairs
from swarmsim.docker.specs import capability, read_env_file
from swarmsim.docker.values import parse_cpus, parse_ports
from swarmsim.go.duration import parse_duration
from swarmsim.go.units import ram_in_bytes
from swarmsim.swarm.reference import InvalidReference, parse_reference
from swarmsim.swarm.specs import (
    BindOptions,
    ConfigReference,
    ContainerSpec,
    CredentialSpec,
    DiscreteResource,
    DNSConfig,
    Driver,
    EndpointSpec,
    FileTarget,
    GenericResource,
    HealthConfig,
    Mode,
    Mount,
    NetworkAttachment,
    NetworkSpec,
    Placement,
    PlacementPreference,
    PortConfig,
    Privileges,
    Quantities,
    Replicated,
    ReplicatedJob,
    Resources,
    RestartPolicy,
    SecretReference,
    SecretSpec,
    ServiceSpec,
    SpreadOver,
    TaskSpec,
    TmpfsOptions,
    Ulimit,
    UpdateConfig,
    VolumeOptions,
)

NAMESPACE = "com.docker.stack.namespace"
IMAGE = "com.docker.stack.image"
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

    def networks(self) -> tuple[list[NetworkSpec], list[str]]:
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
            ipam = (network.get("ipam") or {}).get("config") or [{}]
            specs.append(
                NetworkSpec(
                    name=self.network_name(name),
                    labels=self.labels(network.get("labels")),
                    driver=network.get("driver") or "overlay",
                    subnet=ipam[0].get("subnet", ""),
                    gateway=ipam[0].get("gateway", ""),
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
                SecretSpec(name=self.file_name(kind, name), labels=self.labels(entry.get("labels")), data=data)
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

    def _references(self, kind: str, entries: list[Any]) -> list[tuple[str, FileTarget]]:
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
        deploy = service.get("deploy") or {}
        placement = deploy.get("placement") or {}
        logging = service.get("logging")
        caps = {key: [capability(cap) for cap in service.get(key) or ()] for key in ("cap_add", "cap_drop")}
        credentials = service.get("credential_spec")
        container = ContainerSpec(
            image=service["image"],
            labels=self.labels(service.get("labels")),
            command=_words(service.get("entrypoint")),
            args=_words(service.get("command")),
            hostname=service.get("hostname", ""),
            env=self._environment(service),
            dir=service.get("working_dir", ""),
            user=service.get("user", ""),
            privileges=Privileges(
                credential_spec=CredentialSpec(**credentials) if credentials else None,
                selinux_context=None,
                no_new_privileges=False,
            ),
            init=service.get("init"),
            stop_signal=service.get("stop_signal", ""),
            tty=bool(service.get("tty", False)),
            open_stdin=bool(service.get("stdin_open", False)),
            read_only=bool(service.get("read_only", False)),
            mounts=self._mounts(service.get("volumes") or []),
            stop_grace_period=_duration(service.get("stop_grace_period")),
            health=_health(service.get("healthcheck")),
            hosts=_hosts(service.get("extra_hosts")),
            dns=DNSConfig(nameservers=_listed(service.get("dns")), search=_listed(service.get("dns_search"))),
            secrets=[
                SecretReference(file=file, secret_id="", secret_name=source)
                for source, file in self._references("secrets", service.get("secrets") or [])
            ]
            or None,
            configs=[
                ConfigReference(file=file, config_id="", config_name=source)
                for source, file in self._references("configs", service.get("configs") or [])
            ]
            or None,
            isolation=service.get("isolation", "default"),
            sysctls={key: value or "" for key, value in pairs(service.get("sysctls")).items()} or None,
            capability_add=sorted(set(caps["cap_add"]) - set(caps["cap_drop"])) or None,
            capability_drop=sorted(set(caps["cap_drop"])) or None,
            ulimits=_ulimits(service.get("ulimits")),
        )
        task = TaskSpec(
            container=container,
            resources=_resources(deploy.get("resources") or {}),
            restart=_restart(service.get("restart", ""), deploy.get("restart_policy")),
            placement=Placement(
                constraints=placement.get("constraints") or None,
                preferences=[
                    PlacementPreference(spread=SpreadOver(spread_descriptor=each["spread"]))
                    for each in placement.get("preferences") or ()
                ]
                or None,
                max_replicas=placement.get("max_replicas_per_node", 0),
            ),
            networks=self._attachments(name, service.get("networks")),
            log_driver=Driver(name=logging.get("driver", ""), options=_texts(logging.get("options")))
            if logging
            else None,
            force_update=0,
            runtime="container",
        )
        return ServiceSpec(
            name=self.scope(name),
            labels={**self.labels(deploy.get("labels")), IMAGE: service["image"]},
            task=task,
            mode=_mode(deploy.get("mode", "replicated"), deploy.get("replicas")),
            update=_update(deploy.get("update_config")),
            rollback=_update(deploy.get("rollback_config")),
            endpoint=EndpointSpec(mode=deploy.get("endpoint_mode", ""), ports=_ports(service.get("ports") or [])),
        )

    def _environment(self, service: Config) -> list[str] | None:
        files = service.get("env_file") or []
        entries: dict[str, str | None] = {}
        for path in [files] if isinstance(files, str) else files:
            entries.update(pairs(read_env_file(self.read(path), path)))
        entries.update(pairs(service.get("environment")))
        return sorted(key if value is None else f"{key}={value}" for key, value in entries.items()) or None

    def _attachments(self, name: str, networks: Any) -> list[NetworkAttachment]:
        wanted = dict.fromkeys(networks) if isinstance(networks, list) else dict(networks or {})
        attachments = []
        for network, settings in (wanted or {"default": None}).items():
            if network != "default" and network not in (self.config.get("networks") or {}):
                raise CommandError(f'undefined network "{network}"')
            settings = settings or {}
            target = self.network_name(network)
            aliases = [*(settings.get("aliases") or ()), *([name] if target not in ("host", "bridge", "none") else ())]
            options = _texts(settings.get("driver_opts"))
            attachments.append(NetworkAttachment(target=target, aliases=aliases or None, driver_opts=options or None))
        return sorted(attachments, key=lambda attachment: attachment.target)

    def _mounts(self, volumes: list[Any]) -> list[Mount] | None:
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
            driver = Driver(name=volume.get("driver", ""), options=_texts(volume.get("driver_opts")))
        return Mount(
            type="volume",
            source=str(volume.get("name") or self.scope(mount.source)),
            target=mount.target,
            read_only=mount.read_only,
            volume=VolumeOptions(no_copy=no_copy, labels=self.labels(volume.get("labels")), driver=driver),
        )


# -- values


def _texts(mapping: Any) -> dict[str, str] | None:
    return {key: str(value) for key, value in (mapping or {}).items()} or None


def _listed(value: Any) -> list[str] | None:
    return [value] if isinstance(value, str) else (value or None)


def _words(value: Any) -> list[str] | None:
    return (shlex.split(value) if isinstance(value, str) else value) or None


def _duration(value: Any) -> int | None:
    return None if value is None else parse_duration(str(value))


def _hosts(value: Any) -> list[str] | None:
    entries = (
        [tuple(entry.split(":", 1)) for entry in value] if isinstance(value, list) else list((value or {}).items())
    )
    return [f"{address} {name}" for name, address in entries] or None


def _ulimits(value: Any) -> list[Ulimit] | None:
    limits = []
    for name, limit in sorted((value or {}).items()):
        soft, hard = (limit, limit) if isinstance(limit, int) else (limit["soft"], limit["hard"])
        limits.append(Ulimit(name=name, soft=soft, hard=hard))
    return limits or None


def _health(value: Any) -> HealthConfig | None:
    if value is None:
        return None
    test = value.get("test")
    test = ["CMD-SHELL", test] if isinstance(test, str) else test
    if value.get("disable"):
        if test:
            raise CommandError("test and disable can't be set at the same time")
        return HealthConfig(test=["NONE"])
    return HealthConfig(
        test=test,
        interval=_duration(value.get("interval")) or 0,
        timeout=_duration(value.get("timeout")) or 0,
        start_period=_duration(value.get("start_period")) or 0,
        retries=int(value.get("retries", 0)),
    )


def _mode(mode: str, replicas: int | None) -> Mode:
    if mode in ("global", "global-job"):
        if replicas is not None:
            raise CommandError("replicas can only be used with replicated or replicated-job mode")
        return Mode(global_={}) if mode == "global" else Mode(global_job={})
    count = 1 if replicas is None else replicas
    if mode == "replicated-job":
        return Mode(replicated_job=ReplicatedJob(max_concurrent=count, total_completions=count))
    if mode not in ("replicated", ""):
        raise CommandError(f"Unknown mode: {mode}")
    return Mode(replicated=Replicated(replicas=count))


def _update(value: Any) -> UpdateConfig | None:
    if value is None:
        return None
    return UpdateConfig(
        parallelism=value.get("parallelism", 1),
        delay=_duration(value.get("delay")) or 0,
        failure_action=value.get("failure_action", ""),
        monitor=_duration(value.get("monitor")) or 0,
        max_failure_ratio=value.get("max_failure_ratio", 0),
        order=value.get("order", ""),
    )


def _restart(restart: str, policy: Any) -> RestartPolicy | None:
    """``deploy.restart_policy``, or what ``restart:`` of a plain container means for a service."""
    if policy is not None:
        return RestartPolicy(
            condition=policy.get("condition", ""),
            delay=_duration(policy.get("delay")),
            max_attempts=policy.get("max_attempts"),
            window=_duration(policy.get("window")),
        )
    name, _, attempts = restart.partition(":")
    if name in ("", "no"):
        return None
    if name in ("always", "unless-stopped"):
        return RestartPolicy(condition="any")
    if name == "on-failure":
        return RestartPolicy(condition="on-failure", max_attempts=int(attempts) if attempts else None)
    raise CommandError(f"unknown restart policy: {name}")


def _resources(value: Config) -> Resources:
    def quantities(given: Config | None) -> Quantities | None:
        if given is None:
            return None
        generic = [
            GenericResource(
                discrete=DiscreteResource(
                    kind=each["discrete_resource_spec"]["kind"], value=int(each["discrete_resource_spec"]["value"])
                )
            )
            for each in given.get("generic_resources") or ()
        ]
        return Quantities(
            nano_cpus=parse_cpus(str(given["cpus"])) if given.get("cpus") else 0,
            memory_bytes=ram_in_bytes(given["memory"]) if given.get("memory") else 0,
            pids=given.get("pids", 0),
            generic=generic or None,
        )

    return Resources(limits=quantities(value.get("limits")), reservations=quantities(value.get("reservations")))


def _ports(entries: list[Any]) -> list[PortConfig] | None:
    ports: list[PortConfig] = []
    for entry in entries:
        if isinstance(entry, dict):
            if not entry.get("target"):
                raise CommandError("missing mandatory field 'target' of a port")
            port = PortConfig(
                protocol=entry.get("protocol", "tcp"),
                target_port=int(entry["target"]),
                published_port=int(entry.get("published", 0)),
                publish_mode=entry.get("mode", "ingress"),
            )
            ports.append(port)
        else:
            ports += parse_ports(str(entry))
    return sorted(ports, key=lambda port: port.published_port) or None


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
