"""How an option changes what a specification has (docker/cli command/service/opts.go, update.go).

Three kinds, by how people give the option:

* :class:`Replace`: one flag, on create and update alike: ``--hostname``.
* :class:`Collect`: a list; create takes ``--env``, update ``--env-add`` and ``--env-rm``.
* :class:`Together`: flags that only mean something together: ``--mode``, ``--replicas`` and ``--max-concurrent``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, NamedTuple, TypeVar

from swarmsim.apitypes.specs import (
    ContainerSpec,
    CredentialSpec,
    DiscreteResource,
    DNSConfig,
    Driver,
    GenericResource,
    GlobalJob,
    GlobalService,
    HealthConfig,
    Mode,
    Mount,
    PortConfig,
    Privileges,
    Replicated,
    ReplicatedJob,
    ServiceSpec,
    replace,
)
from swarmsim.docker.command import key_values
from swarmsim.docker.errors import CommandError
from swarmsim.go.pflag import Flags

T = TypeVar("T")


def _given(_: Any, value: Any) -> Any:
    return value


class Replace(NamedTuple):
    """``new`` makes the new value of the old one and the flag's."""

    new: Callable[[Any, Any], Any] = _given


class Collect(NamedTuple):
    """``create`` makes a value of the old one (of the empty spec) and what the flag gave; ``update`` of the old one,
    what ``-add`` and what ``-rm`` gave; if it ``tidies``, also when nothing was given."""

    create: Callable[[Any, list[Any]], Any]
    update: Callable[[Any, list[Any], list[Any]], Any]
    tidies: bool = False


class Together(NamedTuple):
    """What several flags make of a spec; called once, whichever of them are given."""

    create: Callable[[ServiceSpec, Flags], ServiceSpec]
    update: Callable[[ServiceSpec, Flags], ServiceSpec]


Merge = Replace | Collect | Together

# -- one flag

REPLACE: Replace = Replace()
OR_NONE: Replace = Replace(lambda _, value: value or None)


def _health_command(_: Any, command: str) -> list[str] | None:
    return ["CMD-SHELL", command] if command else None


def no_check(old: HealthConfig | None) -> HealthConfig:
    """A health check to be changed: ``NONE`` does not last."""
    old = old or HealthConfig()
    return replace(old, test=None) if old.test and old.test[0] == "NONE" else old


def _no_health_check(old: HealthConfig | None, without: bool) -> HealthConfig:
    return HealthConfig(test=["NONE"]) if without else no_check(old)


def _credentials(old: Privileges | None, given: CredentialSpec | None) -> Privileges | None:
    return old if given is None else privileges(given)


def privileges(given: CredentialSpec | None) -> Privileges:
    return Privileges(credential_spec=given, selinux_context=None, no_new_privileges=False)


def _one_more(old: int, force: bool) -> int:
    return old + 1 if force else old


HEALTH_COMMAND: Replace = Replace(_health_command)
NO_HEALTH_CHECK: Replace = Replace(_no_health_check)
CREDENTIALS: Replace = Replace(_credentials)
ONE_MORE: Replace = Replace(_one_more)

# -- lists


def _as_given(_: Any, values: list[Any]) -> list[Any] | None:
    return values or None


def _keyed(key: Callable[[T], Hashable], order: Callable[[T], Any] | None) -> Callable[..., list[T] | None]:
    """``-add`` replaces what has the same key, ``-rm`` names keys."""

    def update(old: list[T] | None, added: list[T], removed: list[Any]) -> list[T] | None:
        by_key = {key(item): item for item in [*(old or ()), *added]}
        for name in removed:
            by_key.pop(name, None)
        items = list(by_key.values())
        return (sorted(items, key=order) if order is not None else items) or None

    return update


def _same(text: str) -> str:
    return text


TEXTS: Collect = Collect(_as_given, _keyed(_same, _same))


def _without(old: list[Any] | None, added: list[Any], removed: list[Any]) -> list[Any] | None:
    """Removed first, then added: so one may be replaced by another of the same name."""
    return [*(item for item in old or () if item not in removed), *added] or None


PREFERENCES: Collect = Collect(_as_given, _without)


def _sorted_lines(old: list[str] | None, added: list[str], removed: list[str]) -> list[str] | None:
    return sorted(text for text in [*(old or ()), *added] if text not in removed) or None


CONSTRAINTS: Collect = Collect(_as_given, _sorted_lines)
GROUPS: Collect = Collect(_as_given, _sorted_lines)


def _references(key: Callable[[Any], str]) -> Collect:
    def update(old: list[Any] | None, added: list[Any], removed: list[str]) -> list[Any] | None:
        return [*(item for item in old or () if key(item) not in removed), *added] or None

    return Collect(_as_given, update)


SECRETS: Collect = _references(lambda secret: secret.secret_name)
CONFIGS: Collect = _references(lambda config: config.config_name)
NETWORKS: Collect = Collect(_as_given, lambda old, added, removed: old)
"""Flags give names, the spec has ids: :func:`swarmsim.docker.references.with_networks` changes them."""


def _ulimits(_: Any, values: list[Any]) -> list[Any] | None:
    return by_name(values)


def by_name(items: Iterable[Any]) -> list[Any] | None:
    return sorted({item.name: item for item in items}.values(), key=lambda item: item.name) or None


def sorted_dns(dns: DNSConfig) -> DNSConfig:
    """As an update leaves it, whichever of the three it changes."""
    return DNSConfig(
        nameservers=sorted(dns.nameservers or ()) or None,
        search=sorted(dns.search or ()) or None,
        options=sorted(dns.options or ()) or None,
    )


ULIMITS: Collect = Collect(_ulimits, _keyed(lambda limit: limit.name, lambda limit: limit.name))


def _mounts(old: list[Mount] | None, added: list[Mount], removed: list[str]) -> list[Mount] | None:
    if len({mount.target for mount in added}) < len(added):
        raise CommandError("duplicate mount target")
    return _keyed(lambda mount: mount.target, lambda mount: (mount.source, mount.target))(old, added, removed)


MOUNTS: Collect = Collect(_as_given, _mounts, tidies=True)


def _pairs(removed_key: Callable[[str], str], empty: Callable[[], dict[str, str] | None]) -> Collect:
    def update(old: dict[str, str] | None, added: list[str], removed: list[str]) -> dict[str, str] | None:
        kept = dict(old or {})
        for text in removed:
            kept.pop(removed_key(text), None)
        return {**kept, **key_values(added)} or empty()

    return Collect(lambda old, values: update(old, values, []), update)


LABELS: Collect = _pairs(_same, dict)
PAIRS: Collect = _pairs(_same, lambda: None)
SYSCTLS: Collect = _pairs(lambda text: text.partition("=")[0], lambda: None)


def environment(old: list[str] | None, added: list[str]) -> list[str] | None:
    """A variable that is given again takes the old one's place at the end."""
    by_key: dict[str, str] = {}
    for entry in [*(old or ()), *added]:
        key = entry.partition("=")[0]
        if by_key.get(key) != entry:
            by_key.pop(key, None)
        by_key[key] = entry
    return [*by_key.values()] or None


def _environment(old: list[str] | None, added: list[str], removed: list[str]) -> list[str] | None:
    kept = [entry for entry in old or () if entry.partition("=")[0] not in removed]
    return [*{entry.partition("=")[0]: entry for entry in [*kept, *added]}.values()] or None


ENVIRONMENT: Collect = Collect(environment, _environment)


def etc_hosts(texts: list[str]) -> list[str]:
    """``name:address`` as /etc/hosts has it: ``address name``."""
    return [f"{address} {name}" for name, _, address in (text.partition(":") for text in texts)]


def _hosts(old: list[str] | None, added: list[str], removed: list[str]) -> list[str] | None:
    kept = []
    for line in old or ():
        address, *names = line.split()
        for text in removed:
            name, _, only = text.partition(":")
            if not only or only == address:
                names = [other for other in names if other != name]
        if names:
            kept.append(f"{address} {' '.join(names)}")
    return [*dict.fromkeys([*kept, *etc_hosts(added)])] or None


HOSTS: Collect = Collect(lambda _, values: etc_hosts(values) or None, _hosts)


def _resources(texts: list[str]) -> list[GenericResource]:
    """``SSD=3``; names are for nodes only (command/service/generic_resource_opts.go)."""
    resources = []
    for text in texts:
        kind, _, value = text.partition("=")
        if value[:1] == "-" and value[1:].isdigit():
            raise CommandError(
                "invalid generic resource specification: could not parse GenericResource: "
                f"cannot ask for negative resource {kind}"
            )
        if not value.isdigit():
            raise CommandError(
                f"invalid generic-resource request `{kind}={value}`, "
                "Named Generic Resources is not supported for service create or update"
            )
        resources.append(GenericResource(discrete=DiscreteResource(kind=kind, value=int(value))))
    return resources


def _generic(old: list[GenericResource] | None, added: list[str], removed: list[str]) -> list[GenericResource] | None:
    by_kind = {resource.kind: resource for resource in [*(old or ()), *_resources(added)]}
    for kind in removed:
        if kind not in by_kind:
            raise CommandError(f"could not find generic-resource `{kind}` to remove it")
        del by_kind[kind]
    return [*by_kind.values()] or None


GENERIC: Collect = Collect(lambda _, values: _resources(values) or None, _generic)


def _ports(old: list[PortConfig] | None, added: list[PortConfig], removed: list[PortConfig]) -> list[PortConfig] | None:
    def target(port: PortConfig) -> tuple[str, int, str]:
        return port.protocol or "tcp", port.target_port, port.publish_mode or "ingress"

    def shown(port: PortConfig) -> str:
        return f"{port.published_port}:{port.target_port}/{port.protocol}/{port.publish_mode}"

    ports = {shown(port): port for port in old or ()}
    gone = {target(port) for port in removed}
    kept = [port for port in ports.values() if target(port) not in gone]
    kept += [port for port in added if shown(port) not in ports]
    return sorted(kept, key=shown) or None


PORTS: Collect = Collect(_as_given, _ports)

# -- flags that go together


def _mode(flags: Flags) -> Mode:
    mode = flags.get("mode", "replicated")
    one_a_node = mode in ("global", "global-job")
    if one_a_node and flags.changed("replicas"):
        raise CommandError("replicas can only be used with replicated or replicated-job mode")
    if one_a_node and flags.get("replicas-max-per-node", 0):
        raise CommandError("replicas-max-per-node can only be used with replicated or replicated-job mode")
    if mode != "replicated-job" and flags.changed("max-concurrent"):
        raise CommandError("max-concurrent can only be used with replicated-job mode")
    if mode == "global":
        return Mode(global_=GlobalService())
    if mode == "global-job":
        return Mode(global_job=GlobalJob())
    replicas = flags.get("replicas")
    if mode == "replicated-job":
        concurrent = flags.get("max-concurrent", replicas)
        return Mode(replicated_job=ReplicatedJob(max_concurrent=concurrent, total_completions=replicas))
    if mode != "replicated":
        raise CommandError(f"Unknown mode: {mode}, only replicated and global supported")
    return Mode(replicated=Replicated(replicas=replicas))


def _scaled(spec: ServiceSpec, flags: Flags) -> ServiceSpec:
    if not flags.changed("replicas"):
        return spec
    if spec.mode.replicated is None:
        raise CommandError("replicas can only be used with replicated mode")
    return replace(spec, mode=Mode(replicated=Replicated(replicas=flags.get("replicas"))))


MODE: Together = Together(lambda spec, flags: replace(spec, mode=_mode(flags)), _scaled)


def _with_container(spec: ServiceSpec, **changes: Any) -> ServiceSpec:
    return replace(spec, task=replace(spec.task, container=replace(spec.task.container, **changes)))


def capability(name: str) -> str:
    """A Linux capability under its full name; ``ALL`` and ``RESET`` stand for themselves."""
    name = name.upper()
    return name if name in ("ALL", "RESET") or name.startswith("CAP_") else f"CAP_{name}"


def _capabilities(spec: ServiceSpec, flags: Flags) -> ServiceSpec:
    """Adding what was dropped only takes it from the dropped, and the other way round."""
    old: ContainerSpec = spec.task.container
    to_add = {capability(name): None for name in flags.every("cap-add")}
    to_drop = {capability(name): None for name in flags.every("cap-drop")}
    added = dict.fromkeys(old.capability_add or ()) if "RESET" not in to_add else {}
    dropped = dict.fromkeys(old.capability_drop or ()) if "RESET" not in to_drop else {}
    to_add.pop("RESET", None)
    to_drop.pop("RESET", None)
    for name in to_drop:
        if name not in to_add:
            if name in added:
                del added[name]
            else:
                dropped[name] = None
    for name in to_add:
        if name in dropped:
            del dropped[name]
        else:
            added[name] = None

    def listed(names: dict[str, None]) -> list[str] | None:
        return ["ALL"] if "ALL" in names else sorted(names) or None

    return _with_container(spec, capability_add=listed(added), capability_drop=listed(dropped))


CAPABILITIES: Together = Together(_capabilities, _capabilities)


def _log_driver(spec: ServiceSpec, flags: Flags) -> ServiceSpec:
    name = flags.get("log-driver", "")
    if not name:
        return spec
    return replace(
        spec, task=replace(spec.task, log_driver=Driver(name=name, options=key_values(flags.every("log-opt"))))
    )


LOG_DRIVER: Together = Together(_log_driver, _log_driver)
