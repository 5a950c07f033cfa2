"""An inventory: somebody's own hosts, how they are reached, and how their power is switched. ``hosts.yaml`` of ``--on hosts.yaml``.

.. code-block:: yaml

    hosts:
      - name: m1                     # the host's own name, as `hostname` prints it
        address: 192.168.56.11       # by which the other hosts reach it
        user: student
        power: {off: VBoxManage controlvm m1 poweroff, on: VBoxManage startvm m1 --type headless}

All that is not said here (``user``, ``port``, ``key``, ``jump``) the user's own ssh configuration says.
"""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from swarmsim.real.machine import MachineError
from swarmsim.yamldoc import Document, DocumentError, KeyPath

Text = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^-\s]\S*$")]
"""A word that ssh does not take for an option."""
Command = Annotated[str, StringConstraints(min_length=1)]
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Power(Strict):
    """Lines of shell on this machine: ``off`` takes the power away at once, ``on`` gives it."""

    off: Command
    on: Command


class Host(Strict):
    """One host."""

    name: Text
    address: Text
    """By which the other hosts reach it."""
    ssh: Text | None = None
    """By which it is reached from here, where that is another one: an address, or a Host of the ssh configuration."""
    user: Text | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    key: Text | None = None
    """A file with the private key."""
    jump: Text | None = None
    """The host, or hosts, on the way, as for ``ssh -J``."""
    site: Text | None = None
    power: Power | None = None
    start_engine: Annotated[Command | None, Field(alias="start-engine")] = None
    """A line of shell that starts its engine, where neither systemd nor ``service docker start`` does."""


class Inventory(Strict):
    """Hosts, each once."""

    hosts: Annotated[list[Host], Field(min_length=1)]
    ssh_config: Annotated[Text | None, Field(alias="ssh-config")] = None
    """A file that ssh reads in the place of the user's own configuration."""


KEYS = {field.alias or name for model in (Inventory, Host, Power) for name, field in model.model_fields.items()}


def load_inventory(path: Path) -> Inventory:
    """Raises :class:`MachineError` with every mistake, each with its line and what would be right."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MachineError(f"{path}: there is no such inventory of hosts; docs/howto.md shows what to write") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise MachineError(f"{path}: cannot be read: {problem}") from None
    try:
        document = Document(text, text_keys=True)
    except DocumentError as problem:
        line, column = problem.place
        raise MachineError(f"{path}:{line}:{column}: not YAML: {problem.problem}") from None
    try:
        inventory = Inventory.model_validate(document.data)
    except ValidationError as problem:
        found = [(error["loc"], _told(error)) for error in problem.errors(include_url=False)]
    else:
        found = list(_mistakes(inventory, path.parent))
        if not found:
            return inventory
    told = sorted({(*document.place(where), what) for where, what in found})
    raise MachineError("\n".join(f"{path}:{line}:{column}: {what}" for line, column, what in told))


def _told(error: Any) -> str:
    key = str(error["loc"][-1]) if error["loc"] else "the inventory"
    if error["type"] == "extra_forbidden":
        close = get_close_matches(key, sorted(KEYS), 1)
        meant = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(sorted(KEYS))}"
        return f"unknown key {key!r}{meant}"
    if error["type"] == "missing":
        return f"{key!r} is missing"
    message = str(error["msg"])
    return f"{key}: {message[0].lower()}{message[1:]}, not {error['input']!r}"[:300]


def _mistakes(inventory: Inventory, folder: Path) -> list[tuple[KeyPath, str]]:
    """What no form can say of one host alone."""
    found: list[tuple[KeyPath, str]] = []
    for number, host in enumerate(inventory.hosts):
        place = ("hosts", number)
        if not NAME.fullmatch(host.name):
            found.append(((*place, "name"), f"{host.name!r} is no name of a host: letters, digits, - and ."))
        for before in inventory.hosts[:number]:
            if before.name == host.name:
                found.append(((*place, "name"), f"{host.name} is here twice: every host has a name of its own"))
            elif before.address == host.address:
                found.append(
                    (
                        (*place, "address"),
                        f"{host.address} is the address of {before.name} already: the same host twice?",
                    )
                )
        if host.key is not None and not os.access(key_file(host, folder), os.R_OK):
            found.append(
                (
                    (*place, "key"),
                    f"{host.key} cannot be read: write the file of the private key, such as ~/.ssh/id_ed25519",
                )
            )
    return found


def key_file(host: Host, folder: Path) -> Path:
    """Where its key is; a relative path begins where the inventory is."""
    return folder / Path(host.key or "").expanduser()
