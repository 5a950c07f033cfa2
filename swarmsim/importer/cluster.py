"""A scenario from what docker printed about a cluster, and what had to be assumed.

Hosts keep their names, roles, availability, labels and resources; services are made as they are, by ``docker service create`` or, where
a stack file was given, by ``docker stack deploy``. What docker does not show (what is in a secret, what an image's program does) is
assumed and said, in the scenario's first lines.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from io import StringIO
from ipaddress import IPv4Address, ip_network
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import LiteralScalarString

from swarmsim.apitypes.specs import STACK_LABEL, NetworkAttachment, ServiceSpec, replace
from swarmsim.apitypes.swarm import Node
from swarmsim.engine.behaviour import NotUnderstood
from swarmsim.engine.engine import PLUGINS
from swarmsim.engine.executor import HOST_PATHS
from swarmsim.engine.images import Catalogue, NoExecutable, plan_probe, plan_run
from swarmsim.importer.commands import create_words, image_name, lost
from swarmsim.importer.outputs import ImportFailed, ListedService, Network, Outputs, StackFile, each_line
from swarmsim.scenario.parts import NAME
from swarmsim.yamldoc import Document, DocumentError

PREDEFINED = ("ingress", "bridge", "host", "none", "docker_gwbridge")
GIB = 1024**3
CONTENT = "imported"
"""What is in every secret and config: docker does not show it, and nothing here depends on it."""


class Imported(NamedTuple):
    """A scenario as text, and what was assumed, a sentence each."""

    text: str
    assumed: list[str]


class _Host(NamedTuple):
    """A node as a scenario has it; ``hostname`` is its own name for itself."""

    name: str
    hostname: str
    id: str
    manager: bool
    leader: bool
    availability: str
    down: bool
    settings: dict[str, Any]


def import_cluster(outputs: Outputs, name: str, sources: Iterable[str]) -> Imported:
    """The scenario. Raises :class:`ImportFailed` if nothing tells which hosts there are."""
    return _Import(outputs).scenario(name, list(sources))


class _Import:
    def __init__(self, outputs: Outputs) -> None:
        self.outputs = outputs
        self.assumed: list[str] = []
        self.hosts = self._hosts()
        self.renamed = {host.hostname: host.name for host in self.hosts if host.hostname != host.name}
        self.catalogue = Catalogue()
        self.images: dict[str, bool] = {}
        """Those that services name, and whether they run what is known of no image."""
        self.replicas: dict[str, int] = {}
        """How many tasks of each replicated service are to run."""
        self.paths: dict[str, None] = {}
        self.files: dict[str, str] = {}
        self.secrets = dict(outputs.secrets)
        self.configs = dict(outputs.configs)
        self.external: dict[str, None] = {}
        """Networks that stacks need and do not make."""

    # -- hosts

    def _hosts(self) -> list[_Host]:
        found = [self._inspected(node) for node in self.outputs.nodes]
        known = {host.id for host in found}
        listed = [node for node in self.outputs.listed_nodes if node.id.rstrip("* ") not in known]
        for node in listed:
            down = node.status.lower() == "down"
            manager = node.manager != ""
            availability = node.availability.lower()
            id = node.id.rstrip("* ")
            found.append(
                _Host(node.hostname, node.hostname, id, manager, node.manager == "Leader", availability, down, {})
            )
        if not found:
            raise ImportFailed(
                "which hosts are there? add the output of docker node inspect $(docker node ls -q), or of docker node ls"
            )
        if listed:
            self._assume(
                f"only node ls tells of {_few(node.hostname for node in listed)}: 2 CPUs, 4 GiB of memory, no labels"
            )
        found = self._without_twins(found)
        if not any(host.manager for host in found):
            raise ImportFailed("no manager among the nodes: add the output of docker node ls, or inspect all nodes")
        for host in found:
            if host.down:
                self._assume(
                    f"{host.hostname} is down there; here it runs (fault: {{power-off: {host.name}}} takes its power)"
                )
        return sorted(found, key=lambda host: (not host.manager, not host.leader))

    def _inspected(self, node: Node) -> _Host:
        description = node.description
        settings: dict[str, Any] = {}
        if description.resources.nano_cpus:
            settings["cpus"] = _number(description.resources.nano_cpus / 1e9)
        if description.resources.memory_bytes:
            settings["memory"] = _memory(description.resources.memory_bytes)
        address = node.status.address or (node.manager_status.address.partition(":")[0] if node.manager_status else "")
        if _is_address(address):
            settings["address"] = address
        resources: dict[str, Any] = {}
        for each in description.resources.generic:
            if each.discrete is not None:
                resources[each.kind] = each.discrete.value
            elif each.named is not None:
                resources.setdefault(each.kind, []).append(each.named.value)
        built_in = {f"{kind}/{name}" for kind, name in PLUGINS}
        plugins = [f"{each.type}/{each.name}" for each in description.engine.plugins]
        platform = description.platform
        more = {
            "labels": node.spec.labels,
            "engine_labels": description.engine.labels,
            "resources": resources,
            "plugins": [plugin for plugin in plugins if plugin not in built_in],
            "arch": platform.architecture if platform.architecture not in ("", "x86_64") else "",
            "os": platform.os if platform.os not in ("", "linux") else "",
        }
        settings |= {key: value for key, value in more.items() if value}
        manager = node.spec.role == "manager" or node.manager_status is not None
        leader = node.manager_status is not None and node.manager_status.leader
        hostname = description.hostname or node.id[:12]
        down = node.status.state == "down"
        return _Host(hostname, hostname, node.id, manager, leader, node.spec.availability or "active", down, settings)

    def _without_twins(self, hosts: list[_Host]) -> list[_Host]:
        """Every host once and under a name of its own: one that left and joined again is in the list twice."""
        kept: list[_Host] = []
        up = {host.hostname for host in hosts if not host.down}
        for host in hosts:
            if host.down and host.hostname in up:
                self._assume(f"{host.hostname} is listed twice; the node {host.id[:12]}, which is down, is left out")
                continue
            name, number = _as_name(host.hostname), 2
            while any(other.name == name for other in kept):
                name, number = f"{_as_name(host.hostname)}-{number}", number + 1
            if name != host.hostname:
                self._assume(f"{host.hostname} is called {name} here")
            kept.append(host._replace(name=name))
        return kept

    # -- services

    def _spec(self, spec: ServiceSpec) -> ServiceSpec:
        """With names of networks for their ids, and hosts by their names here."""
        networks = [self._attachment(each) for each in spec.task.networks or spec.networks or ()]
        placement = spec.task.placement
        if placement.constraints:
            placement = replace(placement, constraints=[self._constraint(each) for each in placement.constraints])
        container = spec.task.container
        for mount in container.mounts or ():
            if mount.type == "bind":
                self.paths[mount.source] = None
        self.secrets.update(dict.fromkeys(each.secret_name for each in container.secrets or ()))
        self.configs.update(dict.fromkeys(each.config_name for each in container.configs or ()))
        test = (container.health.test if container.health is not None else None) or []
        self._use(container.image, [*(container.command or ()), *(container.args or ())], test)
        return replace(spec, networks=None, task=replace(spec.task, networks=networks or None, placement=placement))

    def _attachment(self, attachment: NetworkAttachment) -> NetworkAttachment:
        network = self.outputs.network_of(attachment.target)
        if network is None:
            name = f"net-{attachment.target[:8]}"
            self.outputs.add_network(Network(attachment.target, name, "overlay", "swarm"))
            self._assume(f"no network ls tells of the network {attachment.target[:12]}: an overlay called {name}")
            return replace(attachment, target=name)
        return replace(attachment, target=network.name)

    def _constraint(self, text: str) -> str:
        """A constraint with the names that hosts have here; ids are of the other cluster."""

        def by_id(match: re.Match[str]) -> str:
            host = next((host for host in self.hosts if host.id == match[2]), None)
            return f"node.hostname{match[1]}{host.name if host is not None else match[2]}"

        text = re.sub(r"node\.id\s*(==|!=)\s*(\w+)", by_id, text)
        return re.sub(
            r"(node\.hostname\s*(?:==|!=)\s*)([\w.-]+)",
            lambda match: match[1] + self.renamed.get(match[2], match[2]),
            text,
        )

    def _create(self, spec: ServiceSpec) -> str:
        words = create_words(spec)
        if spec.mode.replicated is not None:
            self.replicas[spec.name] = spec.mode.replicated.count
        for what in lost(spec, words):
            self._assume(f"{spec.name}: {what} is left out")
        return f"service create -d --no-resolve-image {shlex.join(words)}"

    def _listed(self, service: ListedService) -> str:
        """A service of which only ``service ls`` tells."""
        mode = service.mode.replace(" ", "-")
        words = ["--name", service.name]
        if mode != "replicated":
            words += ["--mode", mode]
        wanted = re.match(r"\d+/(\d+)", service.replicas)
        if wanted is not None and mode in ("replicated", "replicated-job"):
            words += ["--replicas", wanted[1]]
            if mode == "replicated":
                self.replicas[service.name] = int(wanted[1])
        most = re.search(r"max (\d+) per node", service.replicas)
        if most is not None:
            words += ["--replicas-max-per-node", most[1]]
        for published, target, protocol in re.findall(r"\*:(\d+)->(\d+)/(\w+)", service.ports):
            words += ["--publish", f"published={published},target={target},protocol={protocol}"]
        image = image_name(service.image)
        self._use(image, [], [])
        words.append(image)
        found = self.catalogue.find(image)
        if found is not None and not found[0].server:
            words += ["sleep", "infinity"]
            self._assume(f"{service.name} runs sleep infinity: service ls does not tell the command")
        return f"service create -d --no-resolve-image {shlex.join(words)}"

    def _use(self, image: str, command: list[str], test: list[str]) -> None:
        """An image is needed, to run a command, with a health check if there is one."""
        image = image_name(image)
        self.images.setdefault(image, False)
        found = self.catalogue.find(image)
        if found is None or not command:
            return
        try:
            plan_run(found[0], command, False, lambda _: 0.0)
            if test and test[0] != "NONE":
                plan_probe(found[0], test, command)
        except (NoExecutable, NotUnderstood):
            self.images[image] = True

    def _services(self) -> list[str]:
        """The commands that make the services, in the order in which they were made."""
        stacks = {stack.name for stack in self.outputs.stacks}
        commands = []
        for service in sorted(self.outputs.services, key=lambda service: service.created_at):
            if service.spec.labels.get(STACK_LABEL) in stacks:
                continue
            commands.append(self._create(self._spec(service.spec)))
        listed = [
            each for each in each_line(self.outputs) if not any(each.name.startswith(f"{stack}_") for stack in stacks)
        ]
        commands += [self._listed(service) for service in listed]
        if listed:
            names = _few(service.name for service in listed)
            self._assume(
                f"only service ls tells of {names}: no constraints, networks, mounts, reservations, health checks"
            )
        return commands

    # -- stacks

    def _stack(self, stack: StackFile) -> str:
        try:
            data = Document(stack.text, text_keys=True).data
        except DocumentError as problem:
            raise ImportFailed(
                f"the stack file of {stack.name}, line {problem.place.line} of it: not YAML: {problem.problem}"
            ) from None
        data = data if isinstance(data, dict) else {}
        for name, service in _mapping(data, "services").items():
            if isinstance(service, dict):
                deploy = _mapping(service, "deploy")
                replicas = deploy.get("replicas", 1)
                if deploy.get("mode", "replicated") == "replicated" and isinstance(replicas, int):
                    self.replicas[f"{stack.name}_{name}"] = replicas
                if "image" in service:
                    self._use(str(service["image"]), _words(service), [])
                self.paths.update(dict.fromkeys(_bound(service)))
        for key, known in (("networks", self.external), ("secrets", self.secrets), ("configs", self.configs)):
            for name, made in _mapping(data, key).items():
                made = made if isinstance(made, dict) else {}
                outside = made.get("external")
                if outside:
                    inner = outside.get("name") if isinstance(outside, dict) else None
                    known[str(made.get("name") or inner or name)] = None
                elif key != "networks" and "file" in made:
                    self.files[str(made["file"])] = CONTENT
        file = f"{stack.name}.yml"
        text = stack.text
        for old, new in self.renamed.items():
            text = re.sub(rf"(node\.hostname\s*[=!]=\s*){re.escape(old)}(?![\w.-])", rf"\g<1>{new}", text)
        self.files[file] = text
        return f"stack deploy -c {file} {stack.name}"

    # -- what services need

    def _networks(self, stacks: set[str]) -> list[str]:
        commands = []
        wanted = [network for network in self.outputs.networks.values() if network.scope == "swarm"]
        wanted = [each for each in wanted if each.name not in PREDEFINED and not each.ingress]
        for network in wanted:
            labels = dict(network.labels)
            if labels.get(STACK_LABEL) in stacks or any(network.name.startswith(f"{stack}_") for stack in stacks):
                continue
            words = ["-d", "overlay"]
            if network.driver != "overlay":
                self._assume(f"the network {network.name} has the driver {network.driver}; here it is an overlay")
            words += ["--attachable"] if network.attachable else []
            words += ["--internal"] if network.internal else []
            for subnet, gateway in network.subnets:
                words += _subnet(subnet, gateway)
            for key, value in network.options:
                words += ["--opt", f"{key}={value}" if value else key]
            for key, value in network.labels:
                words += ["--label", f"{key}={value}"]
            commands.append(f"network create {shlex.join([*words, network.name])}")
        there = {network.name for network in wanted}
        commands += [
            f"network create -d overlay --attachable {name}"
            for name in self.external
            if name not in (*there, *PREDEFINED)
        ]
        return commands

    def _assume(self, sentence: str) -> None:
        if sentence not in self.assumed:
            self.assumed.append(sentence)

    def _unknown_images(self) -> list[CommentedMap]:
        entries, unknown = [], []
        for image, other_program in self.images.items():
            if self.catalogue.find(image) is None:
                unknown.append(image)
                entries.append(_flow({"name": image, "source": "cached"}))
            elif other_program:
                entries.append(_flow({"name": image, "any_command": True}))
                self._assume(f"what services run in {image}, which swarmsim does not know, runs until it is stopped")
        if unknown:
            names = _few(unknown)
            self._assume(
                f"images that swarmsim does not know ({names}): servers that every host has, well at once, stopping when told to"
            )
        return entries

    # -- the scenario

    def scenario(self, name: str, sources: list[str]) -> Imported:
        stacks = {stack.name for stack in self.outputs.stacks}
        services = self._services()
        deploys = {stack.name: self._stack(stack) for stack in self.outputs.stacks}
        networks = self._networks(stacks)
        steps = [
            _step(f"node update --availability {host.availability} {host.name}")
            for host in self.hosts
            if host.availability not in ("active", "")
        ]
        steps += [_step(command) for command in networks]
        for kind, names in (("secret", self.secrets), ("config", self.configs)):
            for each in names:
                steps.append(CommentedMap(docker=f"{kind} create {shlex.quote(each)} -", input=CONTENT))
        if self.secrets or self.configs:
            self._assume("what is in secrets and configs: docker does not show it")
        steps += [_step(command) for command in services]
        for stack, command in deploys.items():
            steps.append(CommentedMap({"docker": command, "as": f"deploy-{_as_name(stack)}"}))
            steps.append(CommentedMap(expect=_flow({"command": f"deploy-{_as_name(stack)}", "code": 0})))
        if services or deploys:
            steps.append(CommentedMap(wait=_flow({"settled": "5s"}), within="10m"))
        else:
            self._assume("no services: add the output of docker service inspect $(docker service ls -q)")
        images = self._unknown_images()
        document = CommentedMap(name=name, title=f"A cluster imported from {', '.join(sources)}")
        document["cluster"] = self._layout()
        if images:
            document["images"] = images
            document.yaml_set_comment_before_after_key(
                "images", before="assumed; say what is so: size, healthy, stop, … (swarmsim schema)"
            )
        if self.files:
            document["files"] = {file: LiteralScalarString(text) for file, text in self.files.items()}
        if steps:
            document["steps"] = steps
        if self.replicas:
            document["expect"] = [_flow({"service": name, "running": number}) for name, number in self.replicas.items()]
        head = [f"# Made by swarmsim import from {', '.join(sources)}.", *(["# Assumed:"] if self.assumed else [])]
        head += [f"# - {sentence}" for sentence in self.assumed]
        return Imported("\n".join(head) + "\n" + _dumped(document), self.assumed)

    def _layout(self) -> CommentedMap:
        cluster = CommentedMap(
            managers=_flow([host.name for host in self.hosts if host.manager]),
            workers=_flow([host.name for host in self.hosts if not host.manager]),
        )
        hosts = CommentedMap()
        everywhere = self._everywhere()
        if everywhere:
            hosts["*"] = _flow(everywhere)
        for host in self.hosts:
            own = {key: value for key, value in host.settings.items() if everywhere.get(key) != value}
            if own:
                hosts[host.name] = _flow(own)
        if hosts:
            cluster["hosts"] = hosts
        return cluster

    def _everywhere(self) -> dict[str, Any]:
        """What is so on every host, if there are several."""
        first, *others = (host.settings for host in self.hosts)
        same = {
            key: value for key, value in first.items() if others and all(other.get(key) == value for other in others)
        }
        paths = [path for path in self.paths if path not in HOST_PATHS]
        if paths:
            same["paths"] = paths
            self._assume(f"every host has {_few(paths)} to bind")
        return same


# -- small things


def _is_address(text: str) -> bool:
    try:
        return not IPv4Address(text).is_unspecified
    except ValueError:
        return False


def _number(value: float) -> float | int:
    return int(value) if value == int(value) else round(value, 3)


def _memory(size: int) -> str | int:
    """
    >>> _memory(8 * GIB), _memory(25276514304)
    ('8g', 25276514304)
    """
    if size % GIB == 0:
        return f"{size // GIB}g"
    return f"{size // 1024**2}m" if size % 1024**2 == 0 else size


def _as_name(hostname: str) -> str:
    """A hostname as scenarios allow it.

    >>> _as_name("ip-10-0-0-1.ec2.internal"), _as_name("Node_1")
    ('ip-10-0-0-1-ec2-internal', 'node-1')
    """
    name = re.sub(r"[^a-z0-9-]+", "-", hostname.lower()).strip("-")[:63].strip("-")
    return name if NAME.match(name) and name not in ("leader", "follower") else f"host-{name}".strip("-")


def _few(names: Iterable[str], most: int = 6) -> str:
    shown = list(names)
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")


def _subnet(subnet: str, gateway: str) -> list[str]:
    try:
        network = ip_network(subnet)
    except ValueError:
        return []
    if network.version != 4:
        return []
    usual = str(network.network_address + 1)
    return ["--subnet", subnet, *(["--gateway", gateway] if gateway not in ("", usual) else [])]


def _mapping(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _bound(service: dict[str, Any]) -> Iterable[str]:
    """Paths of the host that a service of a stack file binds."""
    for volume in service.get("volumes") or ():
        if isinstance(volume, dict) and volume.get("type") == "bind":
            yield str(volume.get("source", ""))
        elif isinstance(volume, str) and volume.startswith("/") and ":" in volume:
            yield volume.partition(":")[0]


def _words(service: dict[str, Any]) -> list[str]:
    """What a service of a stack file runs."""
    words: list[str] = []
    for key in ("entrypoint", "command"):
        value = service.get(key) or []
        try:
            words += shlex.split(value) if isinstance(value, str) else [str(word) for word in value]
        except ValueError:
            words.append(str(value))
    return words


def _flow(value: Any) -> Any:
    """In one line."""
    made: Any = CommentedSeq(value) if isinstance(value, list) else CommentedMap(value)
    made.fa.set_flow_style()
    return made


def _step(command: str) -> CommentedMap:
    return CommentedMap(docker=command)


def _dumped(document: CommentedMap) -> str:
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    yaml.dump(document, out)
    return out.getvalue()
