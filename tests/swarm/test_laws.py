"""Laws that must hold whatever is typed and whatever breaks."""

from __future__ import annotations

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from swarmsim.swarm.objects import Task
from swarmsim.swarm.states import TaskState
from tests.conftest import Lab

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                "scale",
                "kill",
                "on",
                "off",
                "kill-engine",
                "drain",
                "active",
                "force",
                "container",
                "cut",
                "heal",
                "wait",
            )
        ),
        st.integers(0, 100),
    ),
    min_size=3,
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 500), actions=ACTIONS)
@example(seed=247, actions=[("scale", 2), ("container", 23), ("drain", 0)])  # told to stop while it starts
def test_a_service_comes_to_rest_whatever_happened(seed, actions):
    """States never go back (the store asserts it), no slot has two running tasks, managers agree, and once everything
    is back the service has what it was last asked for."""
    lab = Lab(3, 2, seed=seed)
    world, hosts = lab.world, list(lab.world.engines)
    lab.service(3, flags="--stop-grace-period 1s")
    for action, rng in actions:
        host = hosts[rng % len(hosts)]
        up = [name for name in hosts if world.engines[name].running and world.engines[name].host.powered]
        at = next((name for name in up if name.startswith("m")), None)
        if action == "scale" and at:
            lab.docker(f"service scale -d web={rng % 8}", on=at)
        elif action == "force" and at:
            lab.docker("service update -d --force --update-parallelism 0 web", on=at)
        elif action in ("drain", "active") and at:
            lab.docker(f"node update --availability {action} {host}", on=at)
        elif action == "off" and host in up:
            world.power_off(host)
        elif action == "kill" and host in up:
            world.run(world.kill_host(host))
        elif action == "kill-engine" and host in up:
            world.kill_engine(host)
        elif action == "on":
            world.run(world.power_on(host))
        elif action == "container":
            for container in list(world.engines[host].containers.values())[:1]:
                container.signal("SIGKILL")
        elif action == "cut":
            world.ctx.fabric.partition([[host]])
        elif action == "heal":
            world.ctx.fabric.heal()
        lab.sleep(0.5 + rng / 4)
    world.ctx.fabric.heal()
    for host in hosts:
        world.run(world.power_on(host))
    lab.wait(lambda: lab.leader() is not None and lab.view() is not None, within=200, step=1.0)
    for host in hosts:
        lab.docker(f"node update --availability active {host}")
    lab.sleep(150)
    view = lab.view()
    wanted = next(service.replicas for service in view.services)
    assert view.running("web") == wanted
    slots = [task.slot for task in view.tasks if task.desired_state is TaskState.RUNNING]
    assert len(slots) == len(set(slots)) == wanted
    containers = sum(container.alive for engine in world.engines.values() for container in engine.containers.values())
    assert containers == wanted
    stores = [engine.node.manager.raft.store for engine in world.engines.values() if engine.node.manager]
    assert len({tuple(sorted(store.table(Task))) for store in stores}) == 1
