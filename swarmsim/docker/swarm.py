"""``docker swarm …`` (docker/cli command/swarm)."""

from __future__ import annotations

from swarmsim.apitypes.http import ApiError
from swarmsim.apitypes.specs import replace
from swarmsim.apitypes.swarm import DispatcherConfig, EncryptionConfig, InitRequest, JoinRequest, Swarm, SwarmSpec
from swarmsim.docker.command import CommandContext, error_text
from swarmsim.docker.errors import CommandError
from swarmsim.docker.grammar import BY_PATH
from swarmsim.docker.help import command_help
from swarmsim.docker.rotation import wait_on_rotation
from swarmsim.go.pflag import Flags
from swarmsim.sim.future import Activity


def _settings(flags: Flags, spec: SwarmSpec, root: str = "") -> SwarmSpec:
    """The spec with what flags say; durations are nanoseconds. External authorities are said to be of one ``root``, in PEM."""
    raft, orchestration = spec.raft, spec.orchestration
    return replace(
        spec,
        orchestration=replace(
            orchestration, task_history_limit=flags.get("task-history-limit", orchestration.task_history_limit)
        ),
        raft=replace(
            raft,
            snapshot_interval=flags.get("snapshot-interval", raft.snapshot_interval),
            keep_old_snapshots=flags.get("max-snapshots", raft.keep_old_snapshots),
        ),
        dispatcher=DispatcherConfig(
            heartbeat_period=flags.get("dispatcher-heartbeat", spec.dispatcher.heartbeat_period)
        ),
        ca=replace(
            spec.ca,
            node_cert_expiry=flags.get("cert-expiry", spec.ca.node_cert_expiry),
            external_cas=[replace(each, ca_cert=root) for each in flags.every("external-ca")]
            if flags.changed("external-ca")
            else spec.ca.external_cas,
        ),
        encryption=EncryptionConfig(autolock=flags.get("autolock", spec.encryption.autolock)),
    )


def _token(swarm: Swarm, role: str) -> str:
    return swarm.join_tokens.manager if role == "manager" else swarm.join_tokens.worker


def init(command: CommandContext) -> Activity[None]:
    flags = command.flags
    try:
        request = InitRequest(
            listen_addr=flags.get("listen-addr", "0.0.0.0:2377"),
            advertise_addr=flags.get("advertise-addr", ""),
            availability=_availability(flags),
            force_new_cluster=flags.on("force-new-cluster"),
            spec=_settings(flags, SwarmSpec()),
            autolock=flags.on("autolock"),
            address_pool=flags.every("default-addr-pool"),
            subnet_size=flags.get("default-addr-pool-mask-length", 24),
        )
        node_id = yield from command.api.swarm_init(request)
    except ApiError as error:
        if "could not choose an IP address to advertise" in error.message:
            raise CommandError(f"{error.message} - specify one with --advertise-addr") from None
        raise
    command.out(f"Swarm initialized: current node ({node_id}) is now a manager.\n\n")
    yield from _print_join_command(command, "worker", node_id)
    command.out("To add a manager to this swarm, run 'docker swarm join-token manager' and follow the instructions.\n")
    if flags.on("autolock"):
        command.out(_unlock_instructions((yield from _unlock_key(command))))


def _availability(flags: Flags) -> str:
    """Raises :class:`CommandError` (command/swarm/opts.go)."""
    given: str = flags.get("availability", "")
    if given not in ("", "active", "pause", "drain"):
        raise CommandError(f'invalid availability "{given}", only active, pause and drain are supported')
    return given


def _print_join_command(command: CommandContext, role: str, node_id: str) -> Activity[None]:
    node = yield from command.api.node(node_id)
    swarm = yield from command.api.swarm_inspect()
    token = _token(swarm, role)
    if node.manager_status is not None:
        command.out(
            f"To add a {role} to this swarm, run the following command:\n\n"
            f"    docker swarm join --token {token} {node.manager_status.address}\n\n"
        )


def join(command: CommandContext) -> Activity[None]:
    flags = command.flags
    request = JoinRequest(
        listen_addr=flags.get("listen-addr", "0.0.0.0:2377"),
        advertise_addr=flags.get("advertise-addr", ""),
        remotes=[command.arguments[0]],
        token=flags.get("token", ""),
        availability=_availability(flags),
    )
    yield from command.api.swarm_join(request)
    info = yield from command.api.info()
    role = "manager" if info.swarm.is_manager else "worker"
    command.out(f"This node joined a swarm as a {role}.\n")


def join_token(command: CommandContext) -> Activity[None]:
    role = command.arguments[0]
    if role not in ("worker", "manager"):
        raise CommandError(f"unknown role {role}")
    swarm = yield from command.api.swarm_inspect()
    if command.flags.on("rotate"):
        yield from command.api.swarm_update(swarm.version.index, swarm.spec, role == "worker", role == "manager")
        swarm = yield from command.api.swarm_inspect()
        if not command.flags.on("quiet"):
            command.out(f"Successfully rotated {role} join token.\n\n")
    if command.flags.on("quiet"):
        command.out(_token(swarm, role) + "\n")
        return
    info = yield from command.api.info()
    yield from _print_join_command(command, role, info.swarm.node_id)


def leave(command: CommandContext) -> Activity[None]:
    yield from command.api.swarm_leave(command.flags.on("force"))
    command.out("Node left the swarm.\n")


def update(command: CommandContext) -> Activity[None]:
    if not command.flags.names():
        command.out(command_help(BY_PATH["swarm update"]))
        return
    swarm = yield from command.api.swarm_inspect()
    wanted = _settings(command.flags, swarm.spec, swarm.tls.trust_root)
    yield from command.api.swarm_update(swarm.version.index, wanted)
    command.out("Swarm updated.\n")
    if wanted.encryption.autolock and not swarm.spec.encryption.autolock:
        command.out(_unlock_instructions((yield from _unlock_key(command))))


def ca(command: CommandContext) -> Activity[None]:
    flags = command.flags
    swarm = yield from command.api.swarm_inspect()
    if not flags.on("rotate"):
        for name in ("ca-cert", "ca-key", "cert-expiry", "external-ca"):
            if flags.changed(name):
                raise CommandError(f"`--{name}` flag requires the `--rotate` flag to update the CA")
        command.out(swarm.tls.trust_root)
        return
    if flags.changed("external-ca") and not flags.changed("ca-cert"):
        raise CommandError(
            "rotating to an external CA requires the `--ca-cert` flag to specify the external CA's cert - "
            "to add an external CA with the current root CA certificate, use the `update` command instead"
        )
    if flags.changed("ca-cert") and not flags.changed("external-ca", "ca-key"):
        raise CommandError(
            "the --ca-cert flag requires that a --ca-key flag and/or --external-ca flag be provided as well"
        )
    cert, key = flags.get("ca-cert", ""), flags.get("ca-key", "")
    spec = _settings(flags, swarm.spec, cert)
    forced = spec.ca.force_rotate + (0 if cert or key else 1)
    rotated = replace(spec, ca=replace(spec.ca, signing_ca_cert=cert, signing_ca_key=key, force_rotate=forced))
    yield from command.api.swarm_update(swarm.version.index, rotated)
    if not flags.on("detach"):
        yield from wait_on_rotation(command, flags.on("quiet"))


def unlock(command: CommandContext) -> Activity[None]:
    """Asks for the key only where there is something to unlock. It is read from what is piped in."""
    info = yield from command.api.info()
    if info.swarm.state == "inactive":
        raise CommandError("Error: This node is not part of a swarm")
    if info.swarm.state != "locked":
        raise CommandError("Error: swarm is not locked")
    key, _, _ = command.files.read("-").partition("\n")
    yield from command.api.swarm_unlock(key.strip())


def unlock_key(command: CommandContext) -> Activity[None]:
    quiet = command.flags.on("quiet")
    if command.flags.on("rotate"):
        swarm = yield from command.api.swarm_inspect()
        if not swarm.spec.encryption.autolock:
            raise CommandError("cannot rotate because autolock is not turned on")
        yield from command.api.swarm_update(swarm.version.index, swarm.spec, rotate_key=True)
        if not quiet:
            command.out("Successfully rotated manager unlock key.\n")
    key = yield from _unlock_key(command)
    if not key:
        raise CommandError("no unlock key is set")
    command.out(f"{key}\n" if quiet else _unlock_instructions(key))


def _unlock_key(command: CommandContext) -> Activity[str]:
    """Empty where none is set. Raises :class:`CommandError`."""
    try:
        return (yield from command.api.swarm_unlock_key())
    except ApiError as error:
        raise CommandError(f"could not fetch unlock key: {error_text(error)}") from None


def _unlock_instructions(key: str) -> str:
    if not key:
        return ""
    return (
        "To unlock a swarm manager after it restarts, run the `docker swarm unlock`\n"
        f"command and provide the following key:\n\n    {key}\n\n"
        "Remember to store this key in a password manager, since without it you\n"
        "will not be able to restart the manager.\n"
    )
