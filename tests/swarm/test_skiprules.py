"""Every rule of which timers may be skipped, and every place that ends a dormant state, in eager and lazy runs with the same luck."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import swarmsim
from swarmsim.network.agent import GossipAgent
from swarmsim.sim.errors import ModelError
from swarmsim.sim.net.channel import Channel
from swarmsim.sim.quiescence import Quiescence
from swarmsim.swarm.agent.agent import Agent, Session
from swarmsim.swarm.manager.raftnode import RaftNode
from swarmsim.swarm.manager.rolemanager import RoleManager
from swarmsim.world.cluster import SWITCH
from tests.conftest import Lab
from tests.swarm.same_luck import Outcome, Schedule, Step, differences, run


def fault(verb: str, *hosts: str) -> Step:
    return lambda lab: lab.world.run(lab.world.fault(verb, list(hosts)))


def docker(line: str, on: str = "m1") -> Step:
    return lambda lab: lab.docker(line, on=on)


def nothing(lab: Lab) -> None:
    """So that time passes, and what follows shows."""


def separate(*hosts: str) -> Step:
    return lambda lab: lab.world.ctx.fabric.separate(hosts)


def rejoin(lab: Lab) -> None:
    lab.world.ctx.fabric.rejoin(1)


def closes(host: str, port: int) -> Step:
    return lambda lab: lab.world.ctx.fabric.close_port(host, "tcp", port)


def opens(host: str, port: int) -> Step:
    return lambda lab: lab.world.ctx.fabric.open_port(host, "tcp", port)


def slow(host: str) -> Step:
    return lambda lab: lab.world.add_latency(host, 1.0)


def second_link(lab: Lab) -> None:
    """The worker hangs on two switches from now on; the way over the second is longer."""
    latency = lab.world.engines["w1"].host.profile.samplers["link"]
    lab.world.ctx.fabric.link("second switch", SWITCH, latency)
    lab.world.ctx.fabric.link("w1", "second switch", latency)


def handing_over(lab: Lab) -> None:
    """The leader hands over to a member that loses power before it hears of it."""
    leader = lab.world.raft_on("m1")
    assert leader is not None
    assert leader.transfer_leadership()
    handed_over(lab)


def handed_over(lab: Lab) -> None:
    """As soon as the leader hands over, its successor loses power."""
    leader = lab.world.raft_on("m1")
    assert leader is not None
    while not leader.core.transferee:
        lab.world.advance(lab.world.next_event() + 1e-9)
    lab.world.power_off(leader.members[leader.core.transferee].host)


def rejoins_the_swarm(lab: Lab) -> None:
    token = lab.docker("swarm join-token -q worker").out.strip()
    lab.docker(f"swarm join --token {token} {lab.world.hosts['m1'].address}:2377", on="w1")


SCHEDULES = {
    Session.heartbeat: [
        Schedule("a worker loses power", [(307.3, fault("power-off", "w1")), (63.1, nothing)]),
        Schedule("a worker is cut off", [(307.3, separate("w1")), (63.1, rejoin), (60.7, nothing)]),
        Schedule(
            "the heartbeat period is changed",
            [
                (307.3, docker("swarm update --dispatcher-heartbeat 10s")),
                (211.7, fault("power-off", "w1")),
                (63.1, nothing),
            ],
        ),
        Schedule(
            "an engine is killed",
            [(307.3, fault("kill-engine", "w1")), (33.1, fault("power-on", "w1")), (60.7, nothing)],
        ),
        Schedule("a link becomes slow", [(307.3, slow("w1")), (100.1, fault("power-off", "w1")), (63.1, nothing)]),
        Schedule(
            "a link becomes slow that is not the only one",
            [(7.3, second_link), (300.1, slow("w1")), (100.1, fault("power-off", "w1")), (63.1, nothing)],
        ),
    ],
    RaftNode.tick: [
        Schedule(
            "a firewall closes the port of an engine that is away",
            [
                (307.3, fault("kill-engine", "m2")),
                (60.3, closes("m2", 2377)),
                (63.1, fault("power-on", "m2")),
                (60.7, opens("m2", 2377)),
                (60.7, nothing),
            ],
        ),
        Schedule("a leader is cut off", [(307.3, separate("m1")), (63.1, rejoin), (60.7, nothing)]),
        Schedule("leader and follower are cut off", [(307.3, fault("cut", "m1", "m2")), (63.1, nothing)]),
        Schedule(
            "a leader loses power",
            [(307.3, fault("power-off", "m1")), (133.1, fault("power-on", "m1")), (60.7, nothing)],
        ),
        *(
            Schedule(
                f"a leader loses power just after a commit at {at}",
                [
                    (at, docker("service create -d --name web --replicas 0 mini:1")),
                    (0.3, fault("power-off", "m1")),
                    (63.1, nothing),
                ],
            )
            for at in (307.05, 307.45)  # before and after the leader's tick
        ),
        Schedule(
            "a follower loses power and comes back",
            [
                (307.3, fault("power-off", "m2")),
                (253.1, docker("service create -d --name web mini:1")),
                (60.7, fault("power-on", "m2")),
                (60.3, nothing),
            ],
        ),
        Schedule(
            "whoever is to lead next loses power",
            [(307.3, handing_over), (5.1, docker("service create -d --name web --replicas 0 mini:1")), (60.7, nothing)],
        ),
        Schedule(
            "a leader is demoted, and whoever is to lead next loses power",
            [
                (307.3, lambda lab: lab.world.spawn(lab.world.docker("m1", "node demote m1"))),
                (1e-6, handed_over),
                (6.1, fault("power-on", "m2")),
                (60.7, nothing),
            ],
        ),
        Schedule(
            "a worker becomes a manager and a worker again",
            [(307.3, docker("node promote w1")), (63.1, docker("node demote w1")), (60.7, nothing)],
        ),
        Schedule(
            "a lonely manager gets company",
            [(307.3, docker("node promote w1")), (63.1, fault("power-off", "w1")), (60.7, nothing)],
            managers=1,
        ),
    ],
    Channel.redial: [
        Schedule(
            "a follower comes back when its connection has been given up",
            [
                (57.3, fault("power-off", "m2")),
                (1100.1, nothing),
                (7.3, fault("power-on", "m2")),
                (60.7, nothing),
            ],
        ),
        *(
            Schedule(
                f"an engine is started anew behind a {name}",
                [
                    (57.3, fault("kill-engine", "m2")),
                    (100.1, cut),
                    (60.7, fault("power-on", "m2")),
                    (100.9, heal),
                    (60.7, nothing),
                ],
            )
            for name, cut, heal in (
                ("separation", separate("m2"), rejoin),
                ("partition", fault("partition", ["m2"]), fault("heal")),
                ("cut", fault("cut", "m1", "m2"), fault("heal", "m1", "m2")),
            )
        ),
    ],
    GossipAgent.look: [
        Schedule(
            "who gossips loses power and comes back",
            [(307.3, fault("power-off", "w1")), (333.1, fault("power-on", "w1")), (60.7, nothing)],
            managers=2,
            workers=2,
            gossip=True,
        ),
        Schedule(
            "who gossips is cut off",
            [(307.3, separate("w1")), (133.1, rejoin), (60.7, nothing)],
            managers=2,
            workers=2,
            gossip=True,
        ),
        Schedule(
            "an engine that gossips is killed",
            [(307.3, fault("kill-engine", "w1")), (333.1, fault("power-on", "w1")), (60.7, nothing)],
            managers=2,
            workers=2,
            gossip=True,
        ),
        Schedule(
            "who leaves the gossip, comes again and loses power",
            [
                (307.3, docker("swarm leave", on="w1")),
                (133.1, rejoins_the_swarm),
                (133.1, fault("power-off", "w1")),
                (60.7, nothing),
            ],
            managers=2,
            workers=2,
            gossip=True,
        ),
    ],
    Agent.check_description: [Schedule("nothing happens", [(307.3, nothing), (211.1, nothing)])],
    RoleManager.beat: [
        Schedule(
            "a manager cannot be removed until another is back",
            [
                (57.3, fault("cut", "m2", "m3")),
                (0.1, fault("kill-engine", "m2")),
                (0.1, fault("power-on", "m2")),
                (3.1, docker("node demote m1")),
                (1.1, fault("power-off", "m3")),
                (0.1, fault("heal")),
                (211.7, fault("power-on", "m3")),
                (63.1, nothing),
            ],
        )
    ],
}
"""For each rule the schedules it must pass."""

ALL = [schedule for schedules in SCHEDULES.values() for schedule in schedules]


@cache
def eagerly(schedule: str) -> Outcome:
    return run(next(one for one in ALL if one.name == schedule), eager=True)


def test_every_rule_has_a_schedule():
    assert SCHEDULES.keys() == Lab(1, 0, formed=False).world.clock.quiescence.rules.keys()


@pytest.mark.parametrize("schedule", ALL, ids=[one.name for one in ALL])
def test_leaving_out_changes_nothing(schedule: Schedule):
    lazy = run(schedule, eager=False)
    assert differences(eagerly(schedule.name).events, lazy.events) == []
    woken = run(schedule, eager=False, wake=True)
    assert differences(eagerly(schedule.name).stands, woken.stands) == []
    assert differences(eagerly(schedule.name).events, woken.events) == []


class Site(NamedTuple):
    """A place in the source that says what is about to change."""

    file: str
    first: int
    last: int
    what: str

    def __str__(self) -> str:
        return f"{Path(self.file).relative_to(SOURCE).as_posix()} {self.what}"


SOURCE = Path(swarmsim.__file__).parent
SAYING = [name for name in vars(Quiescence) if name.startswith("invalidate")]


def sites() -> Iterator[Site]:
    """Every call of an ``invalidate`` method outside of Quiescence itself."""
    for path in sorted(SOURCE.rglob("*.py")):
        if path.name == "quiescence.py":
            continue
        for scope in ast.walk(ast.parse(path.read_text())):
            if not isinstance(scope, ast.FunctionDef):
                continue
            for call in ast.walk(scope):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in SAYING:
                    what = f"{scope.name}: {ast.unparse(call).rpartition('quiescence.')[2]}"
                    yield Site(str(path), call.lineno, call.end_lineno or call.lineno, what)


SITES = list(sites())


def forget(patch: pytest.MonkeyPatch, site: Site) -> None:
    """From now on nothing is said at ``site``."""

    def guarded(say: Callable[..., None]) -> Callable[..., None]:
        def unless_forgotten(*args: Any) -> None:
            caller = sys._getframe(1)
            if caller.f_code.co_filename != site.file or not site.first <= caller.f_lineno <= site.last:
                say(*args)

        return unless_forgotten

    for name in SAYING:
        patch.setattr(Quiescence, name, guarded(getattr(Quiescence, name)))


def test_the_places_that_say_what_changes_are_found():
    assert len(SITES) == len(set(map(str, SITES))) > 10


@pytest.mark.parametrize("site", SITES, ids=map(str, SITES))
def test_a_forgotten_invalidation_is_noticed(site: Site):
    assert any(noticed(schedule, site) for schedule in ALL)


def noticed(schedule: Schedule, site: Site) -> bool:
    eager = eagerly(schedule.name)  # with nothing forgotten
    try:
        with pytest.MonkeyPatch.context() as patch:
            forget(patch, site)
            return bool(differences(eager.events, run(schedule, eager=False).events))
    except (AssertionError, ModelError):
        return True
