"""What a swarm does, told as the textbook tells it."""

from __future__ import annotations

import pytest

from swarmsim.sim.net.channel import Connectivity
from swarmsim.swarm.api.control import LIST_NODES, ListNodesRequest
from swarmsim.swarm.states import TaskState
from tests.conftest import Lab


def slots(tasks):
    return sorted(task.slot for task in tasks if task.desired_state is TaskState.RUNNING)


# -- services and tasks


def test_a_service_gets_its_replicas_in_slots_from_one(lab):
    lab.service(3)
    lab.wait(lambda: lab.running() == 3)
    assert slots(lab.tasks()) == [1, 2, 3]


def test_scaling_up_fills_the_lowest_free_slots(lab):
    lab.service(4, flags="--stop-grace-period 1s")
    lab.wait(lambda: lab.running() == 4)
    lab.docker("service scale -d web=2")
    lab.wait(lambda: len(lab.tasks()) == 2)
    lab.docker("service scale -d web=4")
    lab.wait(lambda: lab.running() == 4)
    assert slots(lab.tasks()) == [1, 2, 3, 4]


def test_scaling_down_takes_from_the_fullest_node(lab):
    lab.service(7, flags="--stop-grace-period 1s")
    lab.wait(lambda: lab.running() == 7)
    lab.docker("service scale -d web=5")
    lab.wait(lambda: len(lab.tasks()) == 5)
    assert len({task.node_id for task in lab.tasks()}) == 5


def test_a_task_that_ignores_sigterm_is_killed_after_ten_seconds_and_then_removed(lab):
    lab.service(1)
    lab.wait(lambda: lab.running() == 1)
    lab.docker("service rm web")
    # One second until the agent tries again what the news cancelled, ten of grace, then bookkeeping.
    assert 11.0 <= lab.wait(lambda: not lab.tasks()) <= 13.5


def test_a_published_task_leaves_the_routing_mesh_two_seconds_before_it_is_stopped(lab):
    lab.service(1, name="plain", flags="--init")
    lab.service(1, name="published", flags="--init -p 8080:80")
    lab.wait(lambda: lab.running("plain") == lab.running("published") == 1)
    lab.docker("service rm plain published")
    plain = lab.wait(lambda: not lab.tasks("plain"))
    assert 1.4 <= lab.wait(lambda: not lab.tasks("published")) <= 2.6, plain


def test_with_an_init_the_task_stops_at_once(lab):
    lab.service(1, flags="--init")
    lab.wait(lambda: lab.running() == 1)
    lab.docker("service rm web")
    assert lab.wait(lambda: not lab.tasks()) <= 3.0


def test_a_crashed_task_is_replaced_after_five_seconds(lab):
    lab.service(1, command="sh -c 'sleep 3; exit 7'")
    lab.wait(lambda: lab.running() == 1)
    lab.wait(lambda: any(task.status.state is TaskState.FAILED for task in lab.tasks()))
    failed = lab.now
    lab.wait(lambda: lab.running() == 1)
    assert 5.0 <= lab.now - failed <= 12.0  # the first start on a node may be slow
    old = next(task for task in lab.tasks() if task.status.state is TaskState.FAILED)
    assert (old.status.err, old.status.container.exit_code) == ("task: non-zero exit (7)", 7)
    assert old.status.message == "started"


RESTARTS = [
    # condition, exit code, restarted
    ("none", 1, False),
    ("none", 0, False),
    ("on-failure", 1, True),
    ("on-failure", 0, False),
    ("any", 0, True),
    ("any", 1, True),
]


@pytest.mark.parametrize(("condition", "code", "restarted"), RESTARTS)
def test_restart_conditions(condition, code, restarted):
    lab = Lab(1, 0)
    lab.service(1, flags=f"--restart-condition {condition} --restart-delay 1s", command=f"sh -c 'sleep 1; exit {code}'")
    lab.sleep(20)
    assert (len(lab.tasks()) > 1) is restarted


def test_restart_max_attempts():
    lab = Lab(1, 0)
    lab.service(1, flags="--restart-max-attempts 2 --restart-delay 1s", command="false")
    lab.sleep(40)
    assert len(lab.tasks()) == 3


def test_history_keeps_five_tasks_a_slot():
    lab = Lab(1, 0)
    lab.service(1, flags="--restart-delay 0s", command="false")
    lab.sleep(60)
    assert 5 <= len(lab.tasks()) <= 6


def test_an_image_that_does_not_exist_rejects_the_task(lab):
    lab.docker("service create -d --no-resolve-image --name web nosuch:1")
    lab.sleep(4)
    rejected = [task for task in lab.tasks() if task.status.state is TaskState.REJECTED]
    assert rejected[0].status.err == "No such image: nosuch:1"


def test_a_bind_of_a_path_that_is_not_there_rejects_the_task(lab):
    lab.service(1, flags="--mount type=bind,src=/data,dst=/data")
    lab.sleep(4)
    rejected = next(task for task in lab.tasks() if task.status.state is TaskState.REJECTED)
    assert rejected.status.err == 'invalid mount config for type "bind": bind source path does not exist: /data'
    lab.service(1, name="ui", flags="--mount type=bind,src=/var/run/docker.sock,dst=/var/run/docker.sock")
    lab.wait(lambda: lab.running("ui") == 1)


def test_a_command_the_image_does_not_have_fails_the_task(lab):
    lab.service(1, command="frobnicate --now")
    lab.sleep(3)
    failed = next(task for task in lab.tasks() if task.status.state is TaskState.FAILED)
    assert 'exec: "frobnicate": executable file not found in $PATH' in failed.status.err


def test_a_global_service_runs_once_on_every_node_and_follows_new_ones():
    lab = Lab(1, 1)
    lab.docker("service create -d --no-resolve-image --name agent --mode global mini:1 sleep 100000")
    lab.wait(lambda: lab.running("agent") == 2)
    lab.docker("node update --availability drain w1")
    lab.wait(lambda: lab.running("agent") == 1)
    lab.docker("node update --availability active w1")
    lab.wait(lambda: lab.running("agent") == 2)


# -- nodes


def test_a_dead_worker_is_down_three_heartbeats_after_its_last(lab):
    lab.sleep(20)
    lab.world.power_off("w2")
    took = lab.wait(lambda: lab.status("w2") == "down")
    assert 8.0 <= took <= 17.0


def test_the_task_of_a_dead_worker_is_replaced_and_not_given_back(lab):
    lab.service(5)
    lab.wait(lambda: lab.running() == 5)
    lab.world.power_off("w2")
    lab.wait(lambda: lab.status("w2") == "down")
    lab.wait(lambda: lab.running() == 5)
    lab.world.run(lab.world.power_on("w2"))
    lab.sleep(60)
    w2 = lab.view().node("w2").node.id
    assert [str(task.status.state) for task in lab.tasks() if task.node_id == w2] == ["failed"]


def test_draining_moves_tasks_without_the_restart_delay(lab):
    lab.service(5, flags="--stop-grace-period 1s")
    lab.wait(lambda: lab.running() == 5)
    lab.docker("node update --availability drain w1")
    w1 = lab.view().node("w1").node.id
    took = lab.wait(
        lambda: (
            lab.running() == 5
            and not [t for t in lab.tasks() if t.node_id == w1 and t.status.state is TaskState.RUNNING]
        )
    )
    assert took <= 5.0


def test_a_paused_node_keeps_its_tasks_and_gets_no_new_ones(lab):
    lab.service(5)
    lab.wait(lambda: lab.running() == 5)
    lab.docker("node update --availability pause w1")
    lab.docker("service scale -d web=10")
    lab.wait(lambda: lab.running() == 10)
    w1 = lab.view().node("w1").node.id
    assert len([task for task in lab.tasks() if task.node_id == w1]) == 1


def test_the_constraint_enforcer_rejects_what_no_longer_fits(lab):
    lab.docker("node update --label-add zone=a w1")
    lab.service(1, flags="--constraint node.labels.zone==a")
    lab.wait(lambda: lab.running() == 1)
    lab.docker("node update --label-rm zone w1")
    lab.sleep(2)
    old = min(lab.tasks(), key=lambda task: task.meta.created_at)
    assert (old.status.err, old.desired_state) == ("assigned node no longer meets constraints", TaskState.SHUTDOWN)
    assert (old.status.state, old.status.message) == (TaskState.REJECTED, "task rejected by constraint enforcer")
    new = max(lab.tasks(), key=lambda task: task.meta.created_at)
    assert new.status.err == "no suitable node (scheduling constraints not satisfied on 5 nodes)"


def test_tasks_of_a_node_that_is_down_for_a_day_are_orphaned():
    lab = Lab(1, 1)
    lab.service(1, flags="--constraint node.role==worker")
    lab.wait(lambda: lab.running() == 1)
    lab.world.power_off("w1")
    lab.wait(lambda: lab.status("w1") == "down")
    lab.sleep(24 * 3600 - 30)
    assert [str(t.status.state) for t in lab.tasks()].count("running") == 1
    lab.sleep(60)
    assert "orphaned" in [str(t.status.state) for t in lab.tasks()]


# -- managers


def test_any_manager_answers(lab):
    assert lab.docker("node ls", on="m3").out.count("Ready") == 5
    assert lab.docker("service create -d --no-resolve-image --name web mini:1 sleep 1000", on="m2").code == 0


def test_promotion_and_demotion(lab):
    assert lab.docker("node promote w1").code == 0
    lab.wait(lambda: "Reachable" in lab.docker("node ls --filter name=w1").out)
    lab.wait(lambda: lab.docker("node ls", on="w1").code == 0, within=1)  # "Manager is being prepared" until then
    lab.docker("node demote w1")
    lab.sleep(8)
    assert "Reachable" not in lab.docker("node ls --filter name=w1").out
    assert lab.docker("node ls", on="w1").code == 1


def test_of_the_answers_that_come_too_late_one_in_seven_says_unknown(lab):
    """Manager and caller run out of time together; mostly the caller notices first."""
    for host in ("m1", "m2"):
        lab.world.power_off(host)
    control = lab.world.engines["m3"].node.control
    lab.wait(lambda: control.raft.leader is None)
    calls = []
    for _ in range(300):
        lab.sleep(0.02)
        calls.append(control.call(LIST_NODES, ListNodesRequest(), 20.0))
    lab.sleep(21)
    errors = [str(call._value) for call in calls]
    late = "context deadline exceeded"
    assert set(errors) == {f"rpc error: code = {code} desc = {late}" for code in ("DeadlineExceeded", "Unknown")}
    assert 1 / 10 < sum("Unknown" in error for error in errors) / len(errors) < 1 / 5


def test_demoting_the_leader_hands_leadership_over_first(lab):
    assert lab.leader() == "m1"
    assert lab.docker("node demote m1", on="m2").code == 0
    lab.wait(lambda: lab.leader() in ("m2", "m3"), within=40)
    lab.sleep(12)
    assert lab.docker("node ls", on="m1").code == 1


def test_the_last_manager_cannot_be_demoted():
    lab = Lab(1, 1)
    assert "attempting to demote the last manager of the swarm" in lab.docker("node demote m1").err


def test_a_demotion_that_costs_the_quorum_is_refused(lab):
    lab.world.run(lab.world.kill_host("m3"))
    lab.sleep(3)
    assert "this would result in a loss of quorum" in lab.docker("node demote m2").err


def test_a_new_leader_is_elected_after_ten_to_about_twenty_seconds(lab):
    lab.world.power_off("m1")
    took = lab.wait(lambda: lab.leader() is not None, within=90)
    assert 9.0 <= took <= 45.0


def test_a_new_leader_marks_everybody_unknown_and_they_register_again(lab):
    lab.world.power_off("m1")
    lab.wait(lambda: lab.leader() is not None, within=90)
    lab.sleep(0.2)
    view = lab.view()
    assert str(view.node("m1").node.status.state) == "unknown"
    assert view.node("m1").node.status.message == 'Node moved to "unknown" state due to leadership change in cluster'
    lab.wait(lambda: lab.status("w1") == "ready" and lab.status("w2") == "ready")
    took = lab.wait(lambda: lab.status("m1") == "down")
    assert took <= 33.5
    assert lab.view().node("m1").node.status.message == 'heartbeat failure for node in "unknown" state'


def test_without_quorum_containers_run_on_and_a_dead_one_is_not_replaced(lab):
    lab.service(5)
    lab.wait(lambda: lab.running() == 5)
    for host in ("m2", "m3"):
        lab.world.power_off(host)
    lab.sleep(60)
    container = next(iter(lab.world.engines["w1"].containers.values()))
    assert container.alive
    container.signal("SIGKILL")
    lab.sleep(60)
    assert len(lab.world.engines["w1"].containers) == 1


def test_the_scale_that_failed_without_quorum_happens_when_it_is_back(lab):
    lab.service(2)
    lab.wait(lambda: lab.running() == 2)
    for host in ("m2", "m3"):
        lab.world.power_off(host)
    result = lab.docker("service scale -d web=4")
    assert "raft: failed to process the request: node lost leader status" in result.err
    lab.world.run(lab.world.power_on("m2"))
    lab.wait(lambda: lab.view() is not None and lab.running() == 4, within=120)


def test_a_manager_that_was_away_for_long_catches_up_by_snapshot():
    lab = Lab(3, 0)
    lab.docker("swarm update --snapshot-interval 20")
    lab.service(1)
    lab.world.power_off("m3")
    for count in range(2, 40):
        lab.docker(f"service update -d --label-add n={count} web")
    for name in ("m1", "m2"):
        raft = lab.world.engines[name].node.manager.raft
        raft.core.log.compact(raft.core.log.applied)
    lab.world.run(lab.world.power_on("m3"))
    lab.sleep(15)
    stores = [lab.world.engines[name].node.manager.raft.store for name in ("m1", "m3")]
    assert stores[0].save() == stores[1].save()


# -- engines


def test_a_killed_engine_leaves_its_containers_running_and_stops_them_when_it_is_back(lab):
    lab.service(5)
    lab.wait(lambda: lab.running() == 5)
    lab.world.kill_engine("w1")
    container = next(iter(lab.world.engines["w1"].containers.values()))
    lab.sleep(3)
    assert container.alive
    lab.world.run(lab.world.power_on("w1"))
    assert (container.alive, container.exit_code) == (False, 137)


def test_after_a_power_cut_containers_are_exited_255(lab):
    lab.service(5)
    lab.wait(lambda: lab.running() == 5)
    lab.world.power_off("w1")
    lab.sleep(2)
    lab.world.run(lab.world.power_on("w1"))
    assert "Exited (255)" in lab.docker("ps -a", on="w1").out


def test_a_command_whose_daemon_dies_says_so(lab):
    lab.world.scope.after(1.0, lab.world.kill_engine, "m1")
    result = lab.docker("service create --no-resolve-image --name web --replicas 3 mini:1 sleep 100000")
    assert (result.code, "daemon went away" in result.err) == (1, True)
    assert "Cannot connect to the Docker daemon" in lab.docker("ps", on="m1").err


def test_leaving_and_joining_again_gives_a_new_node_and_leaves_the_old_one_down(lab):
    token = lab.docker("swarm join-token -q worker").out.strip()
    assert lab.docker("swarm leave", on="w2").out == "Node left the swarm.\n"
    address = lab.world.hosts["m1"].address
    assert lab.docker(f"swarm join --token {token} {address}:2377", on="w2").code == 0
    lab.sleep(20)
    listed = [line.split()[1:3] for line in lab.docker("node ls").out.splitlines() if " w2 " in line]
    assert sorted(listed) == [["w2", "Down"], ["w2", "Ready"]]
    old = next(line.split()[0] for line in lab.docker("node ls").out.splitlines() if "Down" in line)
    assert lab.docker(f"node rm {old}").code == 0


@pytest.mark.parametrize("eager", [True, False])
def test_the_kernel_gives_up_a_silent_connection_after_924_seconds(eager):
    """tcp_retries2: until then Raft messages wait in the queue, one time-out after the other; then it reconnects.

    The kernel looks when it would send again, which it does every 120 s in the end: that is 935 s after the first loss.
    """
    lab = Lab(3, 0, eager=eager)
    leader = lab.leader()
    lost = next(name for name in lab.world.engines if name != leader)
    lab.world.power_off(lost)
    raft = lab.world.raft_on(leader)
    peer = next(peer for peer in raft.peers.values() if peer.member.host == lost)
    lab.sleep(920)
    assert peer.channel.state is Connectivity.READY
    lab.world.clock.quiescence.invalidate(raft)  # a lazy peer shows its queue only when it is woken
    assert 455 <= len(peer.queue) <= 465
    lab.sleep(45)
    assert peer.channel.state is not Connectivity.READY
    assert len(peer.queue) <= 11
    lab.world.run(lab.world.power_on(lost))
    lab.wait(lambda: peer.channel.healthy, within=40)
