"""From a compose file to what a swarm is asked for (docker/cli cli/compose/convert).

Everything a stack makes carries its name: services, networks and volumes are called ``STACK_name`` and labelled with
the stack's namespace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from swarmsim.apitypes.engine import IPAM, IPAMConfig, NetworkCreateRequest
from swarmsim.apitypes.reference import InvalidReference, parse_reference
from swarmsim.apitypes.specs import (
    STACK_LABEL,
    BindOptions,
    ClusterOptions,
    ConfigReference,
    ContainerSpec,
    CredentialSpec,
    DNSConfig,
    Driver,
    EndpointSpec,
    FileTarget,
    GlobalJob,
    GlobalService,
    ImageOptions,
    Mode,
    Mount,
    NetworkAttachment,
    Placement,
    Replicated,
    ReplicatedJob,
    Resources,
    RestartPolicy,
    RuntimeTarget,
    SecretReference,
    SecretSpec,
    ServiceSpec,
    TaskSpec,
    TmpfsOptions,
    VolumeOptions,
    replace,
)
from swarmsim.docker.compose.load import Loaded
from swarmsim.docker.compose.values import checked_health
from swarmsim.docker.errors import CommandError
from swarmsim.docker.merges import capability, privileges
from swarmsim.docker.options import OPTIONS, RECORDS
from swarmsim.docker.specs import with_value
from swarmsim.go.strconv import atoi

IMAGE = "com.docker.stack.image"
BASE = ServiceSpec(
    name="",
    labels={},
    task=TaskSpec(
        container=ContainerSpec(image="", privileges=privileges(None), dns=DNSConfig()),
        resources=Resources(),
        placement=Placement(),
        force_update=0,
    ),
    mode=Mode(replicated=Replicated()),
    endpoint=EndpointSpec(),
)
"""What a service is of which a stack file says nothing."""
Config = dict[str, Any]


class Stack:
    """A loaded compose file under a stack's name; ``read`` gives the text of files it names."""

    def __init__(self, name: str, loaded: Loaded, read: Callable[[str], str]) -> None:
        self.name = name
        self.config: Config = loaded.config
        self.at = loaded.at
        self.read = read

    def scope(self, name: str) -> str:
        return f"{self.name}_{name}"

    def labels(self, given: dict[str, str] | None) -> dict[str, str]:
        return {**(given or {}), STACK_LABEL: self.name}

    @property
    def services(self) -> dict[str, Config]:
        services: dict[str, Config] = self.config["services"]
        return services

    def check_images(self) -> None:
        """Every service needs an image: a stack builds none. Raises :class:`CommandError`."""
        for name, service in self.services.items():
            image = service.get("image", "")
            if not image:
                said = f"invalid image reference for service {name}: no image specified"
                raise CommandError(f"{said}{self.at(('services', name))}")
            try:
                parse_reference(image)
            except InvalidReference as problem:
                said = f"invalid image reference for service {name}: {problem}"
                raise CommandError(f"{said}{self.at(('services', name, 'image'))}") from None

    # -- networks

    def networks(self) -> tuple[list[NetworkCreateRequest], list[str]]:
        """The networks to make, and the names of external ones that must be there."""
        used: dict[str, None] = {}
        for service in self.services.values():
            used.update(dict.fromkeys(service.get("networks") or ("default",)))
        specs, external = [], []
        for name in sorted(used):
            network = self.config["networks"].get(name) or {}
            if _is_external(network):
                external.append(network["name"])
                continue
            ipam = network.get("ipam") or {}
            pools = [IPAMConfig(subnet=pool.get("subnet", "")) for pool in ipam.get("config") or ()]
            specs.append(
                NetworkCreateRequest(
                    name=self.network_name(name),
                    check_duplicate=True,
                    labels=self.labels(network.get("labels")),
                    driver=network.get("driver") or "overlay",
                    ipam=IPAM(driver=ipam.get("driver", ""), config=pools) if ipam.get("driver") or pools else None,
                    internal=network.get("internal", False),
                    attachable=network.get("attachable", False),
                    options=network.get("driver_opts"),
                )
            )
        return specs, external

    def network_name(self, name: str) -> str:
        return (self.config["networks"].get(name) or {}).get("name") or self.scope(name)

    # -- secrets and configs

    def files(self, kind: str) -> list[SecretSpec]:
        """The secrets or configs to make (``kind`` in the plural)."""
        return [self._file(kind, name, entry) for name, entry in self.config[kind].items() if not _is_external(entry)]

    def _file(self, kind: str, name: str, entry: Config) -> SecretSpec:
        driver = entry.get("driver") if kind == "secrets" else None
        template = entry.get("template_driver")
        return SecretSpec(
            name=self.file_name(kind, name),
            labels=self.labels(entry.get("labels")),
            data=b"" if driver else self.read(entry["file"]).encode(),
            driver=Driver(name=driver, options=entry.get("driver_opts")) if driver else None,
            templating=Driver(name=template) if template else None,
        )

    def file_name(self, kind: str, name: str) -> str:
        entry = self.config[kind].get(name)
        if entry is None:
            raise CommandError(f'undefined {kind[:-1]} "{name}"')
        return entry.get("name") or self.scope(name)

    def references(self, kind: str, entries: list[Config]) -> list[tuple[str, FileTarget]]:
        found = []
        for entry in entries:
            source = entry.get("source", "")
            file = FileTarget(
                name=entry.get("target") or source,
                uid=entry.get("uid") or "0",
                gid=entry.get("gid") or "0",
                mode=entry.get("mode", 0o444),
            )
            found.append((self.file_name(kind, source), file))
        return sorted(found, key=lambda pair: pair[0])

    # -- services

    def begun(self, name: str) -> ServiceSpec:
        """A service of which nothing is known but its secrets and configs, and those by name."""
        service = self.services[name]
        spec = with_value(BASE, "name", self.scope(name))
        spec = with_value(spec, "task.container.secrets", self._secrets(service))
        spec = with_value(spec, "task.container.configs", self._configs(service))
        credential = _dig(service, "credential_spec.config")
        if credential:
            given = CredentialSpec(config=self.file_name("configs", credential))
            spec = with_value(spec, "task.container.privileges", privileges(given))
        return spec

    def _secrets(self, service: Config) -> list[SecretReference] | None:
        return [
            SecretReference(file=file, secret_id="", secret_name=source)
            for source, file in self.references("secrets", service.get("secrets") or [])
        ] or None

    def _configs(self, service: Config) -> list[ConfigReference] | None:
        """Those that are files, and one a credential spec may name."""
        found = [
            ConfigReference(file=file, config_id="", config_name=source)
            for source, file in self.references("configs", service.get("configs") or [])
        ]
        credential = _dig(service, "credential_spec.config")
        if credential:
            source = self.file_name("configs", credential)
            found.append(ConfigReference(config_id="", config_name=source, runtime=RuntimeTarget()))
        return sorted(found, key=lambda reference: reference.config_name) or None

    def service(self, name: str, spec: ServiceSpec) -> ServiceSpec:
        """The spec of one service, of one that was begun. Raises :class:`ValueError`."""
        service = self.services[name]
        for record in RECORDS:
            if record.compose and _dig(service, record.compose) is not None:
                spec = with_value(spec, record.path, record.written, begin=False)
        if service.get("healthcheck") is not None:
            service = {**service, "healthcheck": checked_health(service["healthcheck"])}
        for path, read in OF_THE_STACK.items():
            spec = with_value(spec, path, read(self, name, service), begin=False)
        for option in OPTIONS:
            value = _dig(service, option.compose) if option.compose else None
            if option.read is not None and value is not None:
                spec = with_value(spec, option.path, option.read(value), begin=False)
        if spec.task.restart is None:
            spec = with_value(spec, "task.restart", _restart(service), begin=False)
        _check_credential(service)
        given = service.get("credential_spec") or {}
        if given and not given.get("config"):
            spec = with_value(spec, "task.container.privileges", privileges(CredentialSpec(**given)))
        if service.get("dns") is None and service.get("dns_search") is None:
            spec = with_value(spec, "task.container.dns", None, begin=False)
        return spec

    def attachments(self, name: str, networks: dict[str, Config | None] | None) -> list[NetworkAttachment]:
        attachments = []
        for network, settings in (networks or {"default": None}).items():
            if network != "default" and network not in self.config["networks"]:
                raise CommandError(f'undefined network "{network}"')
            settings = settings or {}
            target = self.network_name(network)
            own = [] if target in PREDEFINED else [name]
            aliases = [*(settings.get("aliases") or ()), *own]
            options = settings.get("driver_opts")
            attachments.append(NetworkAttachment(target=target, aliases=aliases or None, driver_opts=options))
        return sorted(attachments, key=lambda attachment: attachment.target)

    def mounts(self, volumes: list[Config]) -> list[Mount] | None:
        return [self._mount(entry) for entry in volumes] or None

    def _mount(self, entry: Config) -> Mount:
        kind = entry.get("type") or "volume"
        if kind not in MOUNTS:
            raise CommandError("volume type must be volume, bind, tmpfs, npipe, or cluster")
        source = entry.get("source", "")
        if kind == "tmpfs" and source:
            raise CommandError("invalid tmpfs source, source must be empty")
        if kind not in ("tmpfs", "volume") and not source:
            raise CommandError(f"invalid {kind} source, source cannot be empty")
        for other in MOUNTS[kind]:
            if other in entry:
                raise CommandError(f"{other} options are incompatible with type {kind}")
        mount = Mount(
            type=entry.get("type", ""),
            source=source,
            target=entry.get("target", ""),
            read_only=entry.get("read_only", False),
            consistency=entry.get("consistency", ""),
        )
        if kind in ("bind", "npipe") and "bind" in entry:
            return replace(mount, bind=BindOptions(propagation=entry["bind"].get("propagation", "")))
        if kind == "tmpfs" and "tmpfs" in entry:
            return replace(mount, tmpfs=TmpfsOptions(size_bytes=entry["tmpfs"].get("size", 0)))
        if kind == "image" and "image" in entry:
            return replace(mount, image=ImageOptions(subpath=entry["image"].get("subpath", "")))
        if kind == "cluster":
            return replace(mount, source=self._volume_name(source), cluster=ClusterOptions())
        return self._named_volume(entry, mount) if kind == "volume" and source else mount

    def _volume_name(self, source: str) -> str:
        if source.startswith("group:"):
            return source
        if source not in self.config["volumes"]:
            raise CommandError(f'undefined volume "{source}"')
        return self.config["volumes"][source].get("name") or self.scope(source)

    def _named_volume(self, entry: Config, mount: Mount) -> Mount:
        name = self._volume_name(mount.source)
        volume = self.config["volumes"][mount.source]
        given = entry.get("volume") or {}
        options = VolumeOptions(no_copy=given.get("nocopy", False), subpath=given.get("subpath", ""))
        if not _is_external(volume):
            driver, driver_opts = volume.get("driver", ""), volume.get("driver_opts")
            options = replace(
                options,
                labels=self.labels(volume.get("labels")),
                driver=Driver(name=driver, options=driver_opts) if driver or driver_opts is not None else None,
            )
        return replace(mount, source=name, volume=options)


PREDEFINED = ("host", "bridge", "none", "default")
"""Networks that are on every engine; whoever is on them has no aliases."""
MOUNTS: dict[str, tuple[str, ...]] = {
    "volume": ("image", "tmpfs", "bind", "cluster"),
    "image": ("volume", "bind", "tmpfs", "cluster"),
    "bind": ("volume", "image", "tmpfs", "cluster"),
    "tmpfs": ("bind", "volume", "image", "cluster"),
    "npipe": ("volume", "image", "tmpfs"),
    "cluster": ("tmpfs", "bind", "volume"),
}
"""Kinds of mounts, and whose options they refuse, in that order."""


def _is_external(entry: Config) -> bool:
    return bool((entry.get("external") or {}).get("external"))


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
    if mode == "replicated-job":
        return Mode(replicated_job=ReplicatedJob(max_concurrent=replicas, total_completions=replicas))
    if mode not in ("replicated", "", None):
        raise CommandError(f"Unknown mode: {mode}")
    return Mode(replicated=Replicated(replicas=replicas))


def _environment(stack: Stack, name: str, service: Config) -> list[str] | None:
    entries = (service.get("environment") or {}).items()
    return sorted(key if value is None else f"{key}={value}" for key, value in entries) or None


def _check_credential(service: Config) -> None:
    """Of the places a credential spec may come from only one may be given."""
    given = service.get("credential_spec") or {}
    kinds = [f'"{kind}"' for kind in ("Config", "File", "Registry") if given.get(kind.lower())]
    if len(kinds) > 1:
        *others, last = kinds
        told = f"{', '.join(others)}, and {last}" if len(others) > 1 else f"{others[0]} and {last}"
        raise CommandError(f"invalid credential spec: cannot specify both {told}")


def _capabilities(names: list[str] | None) -> set[str]:
    """Under their full names; with ``ALL`` nothing else counts, and ``RESET`` is for updates."""
    found = {capability(name) for name in names or ()}
    return {"ALL"} if "ALL" in found else found - {"RESET"}


def _added(stack: Stack, name: str, service: Config) -> list[str] | None:
    return sorted(_capabilities(service.get("cap_add"))) or None


def _dropped(stack: Stack, name: str, service: Config) -> list[str] | None:
    """What is added is not dropped."""
    return sorted(_capabilities(service.get("cap_drop")) - _capabilities(service.get("cap_add"))) or None


def _restart(service: Config) -> RestartPolicy | None:
    """What ``restart:`` of a plain container means for a service, where there is no ``deploy.restart_policy``."""
    given = service.get("restart", "")
    policy, colon, attempts = given.partition(":")
    if colon and not policy:
        raise CommandError("invalid restart policy format: no policy provided before colon")
    try:
        count = atoi(attempts) if attempts else 0
    except ValueError:
        raise CommandError("invalid restart policy format: maximum retry count must be an integer") from None
    if policy in ("", "no"):
        return None
    if policy in ("always", "unless-stopped"):
        return RestartPolicy(condition="any")
    if policy == "on-failure":
        return RestartPolicy(condition="on-failure", max_attempts=count)
    raise CommandError(f"unknown restart policy: {given}")


OF_THE_STACK: dict[str, Callable[[Stack, str, Config], Any]] = {
    "labels": _service_labels,
    "mode": _mode,
    "task.container.labels": lambda stack, name, service: stack.labels(service.get("labels")),
    "task.container.env": _environment,
    "task.container.open_stdin": lambda stack, name, service: bool(service.get("stdin_open", False)),
    "task.container.mounts": lambda stack, name, service: stack.mounts(service.get("volumes") or []),
    "task.container.capability_add": _added,
    "task.container.capability_drop": _dropped,
    "task.networks": lambda stack, name, service: stack.attachments(name, service.get("networks")),
}
"""By their place in the specification: what depends on the stack's name, its other sections or more than one key."""
