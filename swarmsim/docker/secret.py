"""``docker secret …`` and ``docker config …`` (docker/cli command/secret, command/config): the same but for a few words."""

from __future__ import annotations

from collections.abc import Callable

from swarmsim.apitypes.base import Json, from_json
from swarmsim.apitypes.specs import SecretSpec
from swarmsim.apitypes.swarm import Config, Secret
from swarmsim.docker.command import CommandContext, error_text, joined, key_values
from swarmsim.docker.errors import CommandError
from swarmsim.docker.node import pretty_time
from swarmsim.docker.output import Listing
from swarmsim.docker.pretty import pairs
from swarmsim.docker.tasks import natural
from swarmsim.sim.future import Activity

SECRETS = Listing(
    "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.CreatedAt}}\t{{.UpdatedAt}}",
    {
        "ID": "ID",
        "Name": "NAME",
        "Driver": "DRIVER",
        "CreatedAt": "CREATED",
        "UpdatedAt": "UPDATED",
        "Labels": "LABELS",
    },
    "secret.secretContext",
    labels=True,
)
CONFIGS = Listing(
    "{{.ID}}\t{{.Name}}\t{{.CreatedAt}}\t{{.UpdatedAt}}",
    {"ID": "ID", "Name": "NAME", "CreatedAt": "CREATED", "UpdatedAt": "UPDATED", "Labels": "LABELS"},
    "config.configContext",
    labels=True,
)


def create(kind: str) -> Callable[[CommandContext], Activity[None]]:
    def action(command: CommandContext) -> Activity[None]:
        name, *rest = command.arguments
        if not rest:
            raise CommandError("secret file is required")
        try:
            data = _read(command, rest[0])
        except CommandError as problem:
            told = f'Error reading content from "{rest[0]}": ' if kind == "config" else ""
            raise CommandError(told + problem.message) from None
        labels = key_values(command.flags.every("label"))
        id = yield from command.api.secret_create(kind, SecretSpec(name=name, labels=labels, data=data.encode()))
        command.out(f"{id}\n")

    return action


def _read(command: CommandContext, path: str) -> str:
    """Raises :class:`CommandError` (cli/command/utils readSecret, config create)."""
    try:
        data = command.files.read(path)
    except CommandError as problem:
        raise CommandError(f"error reading from {path}: {problem.message}") from None
    if not data:
        raise CommandError(f"error reading from {'STDIN' if path == '-' else path}: data is empty")
    return data


def ls(kind: str) -> Callable[[CommandContext], Activity[None]]:
    def action(command: CommandContext) -> Activity[None]:
        found = yield from command.api.secret_list(kind, command.filters())
        rows = [
            {
                "ID": obj.id,
                "Name": obj.spec.name,
                "Driver": "",
                "CreatedAt": f"{command.ago(obj.created_at)} ago",
                "UpdatedAt": f"{command.ago(obj.updated_at)} ago",
                "Labels": joined(obj.spec.labels),
                "labels": obj.spec.labels,
            }
            for obj in sorted(found, key=lambda obj: natural(obj.spec.name))
        ]
        listing = SECRETS if kind == "secret" else CONFIGS
        command.render(lambda: listing.render(rows, command.flags.get("format", ""), command.flags.on("quiet")))

    return action


def inspect(kind: str) -> Callable[[CommandContext], Activity[None]]:
    def action(command: CommandContext) -> Activity[None]:
        yield from command.inspect(
            lambda reference: command.api.secret_inspect(kind, reference),
            lambda _, error: error_text(error),
            Secret if kind == "secret" else Config,
            _pretty_secret if kind == "secret" else _pretty_config,
            raw=True,
        )

    return action


def _labels(labels: dict[str, str]) -> str:
    lines = pairs(labels, " - ")
    return "\n".join(["Labels:", *lines, ""]) if lines else ""


def _pretty_secret(body: Json) -> str:
    secret = from_json(body, Secret)
    return (
        f"ID:              {secret.id}\nName:              {secret.spec.name}\n{_labels(secret.spec.labels)}"
        f"Driver:            \nCreated at:        {pretty_time(secret.created_at)}\n"
        f"Updated at:        {pretty_time(secret.updated_at)}\n"
    )


def _pretty_config(body: Json) -> str:
    config = from_json(body, Config)
    return (
        f"ID:\t\t\t{config.id}\nName:\t\t\t{config.spec.name}\n{_labels(config.spec.labels)}"
        f"Created at:            \t{pretty_time(config.created_at)}\n"
        f"Updated at:            \t{pretty_time(config.updated_at)}\nData:\n{config.spec.data.decode()}\n"
    )


def rm(kind: str) -> Callable[[CommandContext], Activity[None]]:
    def action(command: CommandContext) -> Activity[None]:
        def remove(reference: str) -> Activity[None]:
            yield from command.api.secret_remove(kind, reference)
            command.out(f"{reference}\n")

        yield from command.each(command.arguments, remove)

    return action
