"""The observer sleeps while nothing changes; it must not sleep through a change."""

from __future__ import annotations

import pytest

from swarmsim.scenario.loader import parse_scenario
from swarmsim.scenario.runner import run_scenario
from swarmsim.trace.state import ClusterState
from swarmsim.world.views import View
from tests.conftest import Lab


def shown(view: View) -> tuple[dict, dict]:
    nodes = {
        each.node.hostname: (
            str(each.node.status.state),
            str(each.node.spec.availability),
            bool(each.manager and each.manager.leader),
            each.manager.reachability if each.manager else None,
        )
        for each in view.nodes
    }
    tasks = {task.id[:8]: (str(task.status.state), str(task.desired_state)) for task in view.tasks}
    return nodes, tasks


class Told:
    """What the journal's rows say is the case now."""

    def __init__(self, lab: Lab) -> None:
        self.nodes, self.tasks = shown(lab.view())
        lab.world.journal.subscribe(self.read)
        lab.world.observe()

    def read(self, row: dict) -> None:
        if row["kind"] == "node":
            self.nodes[row["node"]] = (row["status"], row["avail"], row["leader"], row["reach"])
        elif row["kind"] == "task":
            self.tasks[row["task"]] = (row["state"], row["desired"])
        elif row["kind"] == "task_gone":
            del self.tasks[row["task"]]


@pytest.mark.parametrize("seed", range(3))
def test_what_the_trace_tells_is_what_a_look_shows(seed):
    lab = Lab(3, 2, seed=seed)
    told = Told(lab)
    world = lab.world

    def agree() -> None:
        for _ in range(40):
            lab.sleep(1)
            # A look may be under way that hangs at a dead manager for 5 s, as may the next, and the one of this test.
            lab.wait(lambda: (view := lab.view()) is None or (told.nodes, told.tasks) == shown(view), within=15)

    lab.service(4)
    agree()
    lab.docker("node update --availability drain w1")
    agree()
    lab.docker("service scale -d web=7")
    agree()
    world.power_off("w2")
    agree()
    world.run(world.kill_host(lab.leader()))
    agree()
    for host in world.engines:
        world.run(world.power_on(host))
    agree()
    world.ctx.fabric.cut("m1", "m2")
    agree()
    world.ctx.fabric.heal()
    agree()
    lab.docker("node demote m3", on="m3")
    agree()
    lab.docker("node promote w1", on=lab.leader())
    agree()
    lab.docker("service rm web", on=lab.leader())
    agree()


@pytest.mark.parametrize("fault", ["power_off", "kill_host", "kill_engine", "stop_engine"])
def test_the_only_managers_silence_and_return_are_seen(fault):
    lab = Lab(1, 0)
    kinds: list[str] = []
    lab.world.journal.subscribe(lambda row: kinds.append(row["kind"]))
    lab.world.observe()
    lab.sleep(30)
    hit = getattr(lab.world, fault)("m1")
    if hit is not None:
        lab.world.run(hit)
    lab.sleep(6)
    assert kinds[-1] == "no_manager_answers"
    lab.world.run(lab.world.power_on("m1"))
    lab.sleep(30)
    assert kinds.count("manager_answers") == 2


def test_a_lost_quorum_is_seen_though_nothing_is_written():
    lab = Lab(2, 0)
    kinds: list[str] = []
    lab.world.journal.subscribe(lambda row: kinds.append(row["kind"]))
    lab.world.observe()
    lab.world.run(lab.world.kill_host("m2"))
    lab.sleep(60)
    assert "no_manager_answers" in kinds


def test_a_service_created_again_between_two_looks_is_there():
    """It went before it came: whoever adds the rows up sees the new one."""
    text = """
name: x
steps:
  - docker: service create -d --no-resolve-image --name web mini:1 sleep 9999
  - wait: {service: web, running: 1}
  - docker: service rm web
  - docker: service create -d --no-resolve-image --name web --replicas 2 mini:1 sleep 9999
  - sleep: 5s
"""
    rows = []
    run_scenario(parse_scenario(text, "x"), 1, rows.append)
    state = ClusterState()
    for row in rows:
        state.apply(row)
    assert state.services["web"].replicas == 2
