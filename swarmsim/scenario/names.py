"""Names in a scenario must be of something: hosts, profiles, results of earlier steps."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection
from fnmatch import fnmatchcase
from typing import Any

from swarmsim.profile import ProfileError, load_profile
from swarmsim.scenario.faults import OF_HOSTS
from swarmsim.scenario.parts import Condition, fitting, is_pattern
from swarmsim.scenario.schema import (
    BackupStep,
    DockerStep,
    ExpectStep,
    Fault,
    FaultStep,
    RestoreStep,
    Scenario,
    WaitStep,
)
from swarmsim.scenario.traffic import ANY_NODE, CurlStep, FromService, Traffic, TrafficStep
from swarmsim.world import OUTSIDE
from swarmsim.yamldoc import KeyPath

Complaint = tuple[KeyPath, str]
"""Where something is wrong, and what."""
Complain = Callable[[KeyPath, str], None]
ROLES = {"leader", "follower"}
"""Names of whichever host that is now."""


def misnamed(scenario: Scenario) -> list[Complaint]:
    """Hosts, profiles and results of earlier steps that are named and not there; words that are no command."""
    found: list[Complaint] = []

    def complain(path: KeyPath, message: str) -> None:
        found.append((path, message))

    everybody = scenario.cluster.all_names()
    hosts = set(everybody)

    def look(host: str, path: KeyPath, more: Collection[str] = (), many: bool = False) -> None:
        if is_pattern(host) and not many:
            complain(path, f"{host!r} is a pattern: name one host here")
        elif is_pattern(host) and not fitting([host], everybody):
            complain(path, f"no host fits {host!r}; there are {_some(hosts)}")
        elif not is_pattern(host) and host not in hosts and host not in more:
            complain(path, f"unknown host {host!r}; there are {_some({*hosts, *more})}")

    def look_at_profile(name: str, path: KeyPath) -> None:
        try:
            load_profile(name)
        except ProfileError as problem:
            complain(path, str(problem))

    look_at_profile(scenario.cluster.profile, ("cluster", "profile"))
    addresses: dict[str, str] = {}
    for name, settings in scenario.cluster.hosts.items():
        look(name, ("cluster", "hosts", name), many=True)
        if settings.profile is not None:
            look_at_profile(settings.profile, ("cluster", "hosts", name, "profile"))
        if settings.address is not None:
            if is_pattern(name):
                complain(
                    ("cluster", "hosts", name, "address"), f"{name!r} is a pattern: each host has an address of its own"
                )
            if settings.address in addresses:
                complain(
                    ("cluster", "hosts", name, "address"),
                    f"{settings.address} is already the address of {addresses[settings.address]}",
                )
            addresses[settings.address] = name
    sites: dict[str, str] = {}
    for site, members in scenario.cluster.sites.items():
        for number, host in enumerate(members):
            look(host, ("cluster", "sites", site, number), many=True)
        for host in fitting(members, everybody):
            if sites.setdefault(host, site) != site:
                complain(("cluster", "sites", site), f"{host} stands in {sites[host]} already")
    for number, beside in enumerate(scenario.meanwhile):
        for host, key in _hosts_of(beside.step):
            look(host, ("meanwhile", number, *key), ROLES | _beside(beside.step, scenario), _many(beside.step))
        for word, line in (("docker", beside.docker), ("curl", beside.curl)):
            if line is not None:
                _check_words(line, ("meanwhile", number, word), complain)
        if beside.traffic is not None:
            _check_asker(beside.traffic, scenario, ("meanwhile", number, "traffic", "from", "service"), complain)
    for number, process in enumerate(scenario.faults):
        for host in process.named:
            look(host, ("faults", number), many=True)
    named: set[str] = set()
    copies: set[str] = set()
    flows = [beside.as_ or "traffic" for beside in scenario.meanwhile if beside.traffic is not None]
    for number, step in enumerate(scenario.steps):
        path: KeyPath = ("steps", number)
        for host, key in _hosts_of(step):
            look(host, (*path, *key), named | ROLES | _beside(step, scenario), _many(step))
        if isinstance(step, DockerStep):
            _check_words(step.docker, (*path, "docker"), complain)
        if isinstance(step, CurlStep):
            _check_words(step.curl, (*path, "curl"), complain)
        condition = step.wait if isinstance(step, WaitStep) else step.expect if isinstance(step, ExpectStep) else None
        _check_command(condition, named, (*path, "wait" if isinstance(step, WaitStep) else "expect"), complain)
        if isinstance(step, TrafficStep):
            flows.append(step.as_)
            _check_asker(step.traffic, scenario, (*path, "traffic", "from", "service"), complain)
        if isinstance(step, BackupStep):
            copies.add(step.as_)
        if isinstance(step, RestoreStep) and step.restore not in copies:
            there = f"; there are {_some(copies)}" if copies else ": nothing was backed up before"
            complain((*path, "restore"), f"no earlier step made a backup {step.restore!r}{there}")
        if isinstance(step, DockerStep | CurlStep | FaultStep) and step.as_ is not None:
            if step.as_ in hosts:
                complain((*path, "as"), f"{step.as_!r} is already a host")
            named.add(step.as_)
    for number, entry in enumerate(scenario.expect):
        path = ("expect", number)
        for host, key in _hosts_of(entry):
            look(host, (*path, *key[1:]), named | ROLES)
        _check_command(entry.expect, named, path, complain)
        if entry.expect.traffic is not None and entry.expect.traffic not in flows:
            complain((*path, "traffic"), f"no traffic has the name {entry.expect.traffic!r}")
    return found


def _check_asker(traffic: Traffic, scenario: Scenario, path: KeyPath, complain: Complain) -> None:
    """The service that asks must be made by some step, unless somebody else types, or a name is only known later."""
    if not isinstance(traffic.from_, FromService) or scenario.exercise is not None:
        return
    made: set[str] = set()
    typed = [step.docker for step in scenario.steps if isinstance(step, DockerStep)]
    for line in [*typed, *(beside.docker or "" for beside in scenario.meanwhile)]:
        words = line.replace("=", " ").split()
        if "{" in line or words[:2] == ["stack", "up"]:
            return
        if words[:2] == ["service", "create"] and "--name" in words[:-1]:
            made.add(words[words.index("--name") + 1])
        elif words[:2] == ["stack", "deploy"]:
            made.add(f"{words[-1]}_*")
    if not any(fnmatchcase(traffic.from_.service, name) for name in made):
        there = f"; there are {_some(made)}" if made else ": there are none"
        complain(path, f"no step makes a service {traffic.from_.service!r}{there}")


def _beside(step: Any, scenario: Scenario) -> set[str]:
    """What may be named beside hosts of the cluster: faults may be of authorities."""
    return set(scenario.cluster.authorities) if isinstance(step, FaultStep) else set()


def _check_words(command: str, path: KeyPath, complain: Complain) -> None:
    try:
        words = shlex.split(command)
    except ValueError as problem:
        complain(path, f"cannot be split into words: {problem}")
        return
    if not words:
        complain(path, "no command; write for example 'node ls'")


def _check_command(condition: Condition | None, named: set[str], path: KeyPath, complain: Complain) -> None:
    if condition is not None and condition.command is not None and condition.command not in named:
        complain((*path, "command"), f"no earlier step was given the name {condition.command!r} with as")


def _some(known: set[str]) -> str:
    shown = sorted(known)
    return f"{', '.join(shown[:12])}{', …' if len(shown) > 12 else ''}"


def _many(step: Any) -> bool:
    """Whether a step may name many hosts at once by a pattern."""
    return isinstance(step, FaultStep) and step.fault.verb in OF_HOSTS


def _hosts_of(step: Any) -> list[tuple[str, KeyPath]]:
    """Every host a step names, and where in the step."""
    if isinstance(step, DockerStep):
        return [(step.on, ("on",))] if step.on is not None else []
    if isinstance(step, CurlStep):
        return [(step.on, ("on",))] if step.on != OUTSIDE else []
    if isinstance(step, TrafficStep):
        return _hosts_of_traffic(step.traffic)
    if isinstance(step, FaultStep):
        return _hosts_of_fault(step.fault)
    if isinstance(step, BackupStep):
        return [(step.backup, ("backup",))]
    if isinstance(step, RestoreStep):
        return [(step.on, ("on",))] if step.on is not None else []
    if isinstance(step, WaitStep | ExpectStep):
        key = "wait" if isinstance(step, WaitStep) else "expect"
        condition = step.wait if isinstance(step, WaitStep) else step.expect
        found: list[tuple[str, KeyPath]] = []
        if condition.node is not None:
            found.append((condition.node, (key, "node")))
        if condition.containers is not None:
            found.append((condition.containers, (key, "containers")))
        if isinstance(condition.leader, str) and condition.leader not in ("elected", "none"):
            found.append((condition.leader, (key, "leader")))
        return found
    return []


def _hosts_of_traffic(traffic: Traffic) -> list[tuple[str, KeyPath]]:
    found: list[tuple[str, KeyPath]] = []
    if not isinstance(traffic.from_, str):
        return []
    if traffic.from_ != OUTSIDE:
        found.append((traffic.from_, ("traffic", "from")))
    if isinstance(traffic.to, list):
        found += [(host, ("traffic", "to", place)) for place, host in enumerate(traffic.to)]
    elif traffic.to != ANY_NODE:
        found.append((traffic.to, ("traffic", "to")))
    return found


def _hosts_of_fault(fault: Fault) -> list[tuple[str, KeyPath]]:
    argument, path = fault.argument, ("fault", fault.verb)
    if fault.verb in ("kill-container", "fail-healthcheck"):
        return [] if isinstance(argument, str) else [(argument.on, (*path, "on"))]
    if argument == "all":
        return []
    if fault.verb in ("latency", "loss", "block", "unblock", "mtu", "clock", "authority"):
        return [(argument.host, (*path, "host"))]
    if fault.verb == "partition":
        return [(host, (*path, g, n)) for g, group in enumerate(argument) for n, host in enumerate(group)]
    if isinstance(argument, str):
        return [(argument, path)]
    return [(host, (*path, number)) for number, host in enumerate(argument)]
