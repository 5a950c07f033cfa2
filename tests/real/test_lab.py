"""A lab on this machine: hosts come and go without a trace, faults are what they say, and whoever dies leaves nothing behind.

Needs root, namespaces and an engine to start; elsewhere it says what is missing. What is seen of a fault is told by programs that
know nothing of ours: a TCP client, ping, /proc.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from swarmsim.analysis.reality import refuse_for
from swarmsim.docker.client import Result
from swarmsim.real.lab import HOME, Lab, LabMachine, Plan, missing
from swarmsim.real.links import delays_packets
from swarmsim.real.world import RealWorld
from swarmsim.scenario.loader import ScenarioError, parse_scenario
from swarmsim.scenario.runner import ScenarioRun
from swarmsim.trace.rows import Row, fault_in
from swarmsim.trace.state import ClusterState
from swarmsim.world import Activity, ContainerChoice, FaultError, HostSpec

LACKING = missing()
pytestmark = pytest.mark.skipif(LACKING is not None, reason=LACKING or "")
NUMBER = 240
PLANS = [Plan("m1", "manager", {"rack": "a 1", "disk": "ssd"}), Plan("w1", "worker")]
SPECS = {plan.name: HostSpec(plan.name, "", plan.role) for plan in PLANS}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = free_lab()
    assert left_over(made) == []
    made.up(PLANS)
    yield made
    made.down()
    assert left_over(made) == []


def free_lab() -> Lab:
    for number in range(NUMBER, 250):
        found = Lab(number)
        if not found.is_up and found.lock():
            return found
    raise AssertionError("no lab is free")


@pytest.fixture
def world(lab) -> Iterator[RealWorld]:
    with RealWorld(list(lab.machines.values()), lab.journal, SPECS) as made:
        yield made
    assert lab.journal.entries == []
    wait_for(lambda: all(machine.engine_runs for machine in lab.machines.values()))


def left_over(lab: Lab) -> list[str]:
    """What a lab has in the kernel and on disk."""
    links = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout.split()
    spaces = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout.split()
    kept = [HOME / str(lab.number), *Path("/sys/fs/cgroup").glob(f"*/{lab.name}*")]
    return [word for word in links + spaces if word.startswith(lab.name)] + [
        str(each) for each in kept if each.exists()
    ]


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "not in time"
        time.sleep(0.02)


def carried_out(world: RealWorld, activity: Activity[object]) -> object:
    done = world.spawn(activity)
    world.advance(done)
    return done.value


def docker(world: RealWorld, host: str, line: str) -> Result:
    done = carried_out(world, world.docker(host, line))
    assert isinstance(done, Result)
    return done


def probe(lab: Lab, machine: LabMachine, port: int = 2377, patience: float = 1.0) -> str:
    """What a TCP client on the lab's bridge is told: a name of errno, ``connected``, or ``silence``."""
    source = next(each for each in lab.machines.values() if each is not machine)
    script = f"""
import errno, socket
asked = socket.socket(); asked.settimeout({patience})
try: asked.connect(({machine.address!r}, {port})); print("connected")
except TimeoutError: print("silence")
except OSError as problem: print(errno.errorcode[problem.errno])
"""
    words = ["ip", "netns", "exec", source.namespace, sys.executable, "-c", script]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def test_a_host_is_a_host_of_its_own(world):
    for name, machine in world.machines.items():
        told = docker(world, name, "info --format '{{.Name}} {{.DockerRootDir}} {{.Swarm.LocalNodeState}}'")
        assert told.out == f"{name} /var/lib/docker inactive\n"
        assert machine.powered
        assert machine.engine_runs


def test_commands_print_what_they_print_and_end_as_they_end(world):
    assert docker(world, "m1", "run --rm mini:1 sh -c 'echo here; echo there >&2; exit 7'") == Result(
        7, "here\n", "there\n"
    )
    world.files.inline["greeting.env"] = "WORD=hello\n"
    told = docker(world, "w1", "run --rm --env-file greeting.env mini:1 sh -c 'echo $WORD'")
    assert told.out == "hello\n"
    assert docker(world, "w1", "service ls").err.startswith(
        "Error response from daemon: This node is not a swarm manager."
    )


def test_ctrl_c_ends_a_command(world):
    began = time.monotonic()
    result = carried_out(world, world.docker("m1", "run --rm mini:1 sh -c 'echo up; sleep 1000'", limit=3.0))
    assert isinstance(result, Result)
    assert result.out == "up\n"
    assert result.code != 0
    assert time.monotonic() - began < 60


def test_a_swarm_is_formed_and_told_in_rows(world):
    rows: list[Row] = []
    world.subscribe(rows.append)
    world.introduce()
    carried_out(world, world.form())
    world.observe()
    docker(world, "m1", "service create -d --no-resolve-image --name web --replicas 3 -p 8080:80 mini:1 sleep 1000")

    state = ClusterState()
    world.subscribe(state.apply)
    wait_advancing(world, lambda: state.alive.get("web") == 3 and state.up.get("web") == 3)
    assert [fault for row in rows if (fault := fault_in(row)) is not None] == []
    assert world.leader() == "m1"
    assert world.managers_up() == ["m1"]
    shown = carried_out(world, world.look())
    assert isinstance(shown, ClusterState)
    assert shown.services["web"].replicas == 3
    assert shown.services["web"].ports == ("*:8080->80/tcp",)

    with pytest.raises(FaultError, match="no running container"):
        carried_out(world, world.fault("kill-container", ContainerChoice(task="nosuch.1")))
    ended = [row for row in rows if row["kind"] == "container.ended"]
    carried_out(world, world.fault("kill-container", ContainerChoice(task="web.2")))
    wait_advancing(world, lambda: len([row for row in rows if row["kind"] == "container.ended"]) == len(ended) + 1)
    for host in ("w1", "m1"):
        docker(world, host, "swarm leave --force")


def wait_advancing(world: RealWorld, condition: Callable[[], object], seconds: float = 60.0) -> None:
    until = world.now + seconds
    while not condition():
        assert world.now < until, "not in time"
        world.advance(world.now + 0.1)


def alone(world: RealWorld) -> None:
    """w1 as a swarm of its own: there is something that listens."""
    assert docker(world, "w1", f"swarm init --advertise-addr {world.hosts['w1'].address}").code == 0


def test_a_killed_host_resets_and_then_refuses(lab, world):
    machine = lab.machines["w1"]
    alone(world)
    assert probe(lab, machine) == "connected"
    heard = kept_connection(lab, machine)
    carried_out(world, world.fault("kill-host", ["w1"]))
    assert heard() in ("eof", "ECONNRESET")
    assert probe(lab, machine) == "ECONNREFUSED"
    assert not machine.powered
    assert docker(world, "w1", "ps").err == "swarmsim: nothing can be typed on w1: it has no power\n"
    carried_out(world, world.fault("power-on", ["w1"]))
    assert machine.engine_runs
    wait_for(lambda: probe(lab, machine) == "connected")
    docker(world, "w1", "swarm leave --force")


def test_a_host_without_power_is_silent(lab, world):
    machine = lab.machines["w1"]
    alone(world)
    heard = kept_connection(lab, machine)
    carried_out(world, world.fault("power-off", ["w1"]))
    assert heard() == "silence"
    assert probe(lab, machine) in ("silence", "EHOSTUNREACH")  # the second once ARP has given up
    carried_out(world, world.fault("power-on", ["w1"]))
    docker(world, "w1", "swarm leave --force")


def test_a_cut_is_silence_between_two(lab, world):
    alone(world)
    carried_out(world, world.fault("cut", ["m1", "w1"]))
    assert probe(lab, lab.machines["w1"]) == "silence"
    assert docker(world, "w1", "node ls").code == 0, "the host itself does not notice"
    carried_out(world, world.fault("heal", []))
    assert probe(lab, lab.machines["w1"]) == "connected"
    docker(world, "w1", "swarm leave --force")


def answered(lab: Lab, machine: LabMachine, pings: int = 100) -> int:
    """How many of so many pings from another host are answered."""
    source = next(each for each in lab.machines.values() if each is not machine)
    asked = ["busybox", "ping", "-q", "-i", "0.02", "-W", "1", "-c", str(pings), machine.address]
    words = ["ip", "netns", "exec", source.namespace, *asked]
    told = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    return int(told.split(" packets received")[0].split()[-1])


def test_a_bad_link_loses_packets_both_ways(lab, world):
    machine = lab.machines["w1"]
    assert answered(lab, machine) == 100
    carried_out(world, world.fault("loss", ("w1", 0.3)))
    assert 30 <= answered(lab, machine) <= 68, (
        "0.7 of them arrive, 0.7 of the answers do: 49 and three standard deviations"
    )
    carried_out(world, world.fault("loss", ("w1", 0.0)))
    assert answered(lab, machine) == 100
    carried_out(world, world.fault("loss", ("w1", 1.0)))
    assert answered(lab, machine, 3) == 0


def test_a_closed_port_is_silent_and_the_one_beside_it_answers(lab, world):
    machine = lab.machines["w1"]
    alone(world)
    carried_out(world, world.fault("block", ("w1", (("tcp", 2377), ("udp", 4789)))))
    assert probe(lab, machine) == "silence"
    assert probe(lab, machine, 7946) == "connected"
    assert answered(lab, machine, 5) == 5
    carried_out(world, world.fault("unblock", ("w1", (("tcp", 2377),))))
    assert probe(lab, machine) == "connected"
    assert world.links.row == {"slow": [], "lossy": {}, "closed": [("w1", "4789/udp")]}
    docker(world, "w1", "swarm leave --force")


LATE = """
name: late
cluster: {managers: 1, workers: 1}
steps: [fault: {latency: {host: w1, by: 50ms}}]
"""


def test_packets_are_late_where_the_kernel_can_hold_them_back(lab, world):
    if not delays_packets():
        with pytest.raises(ScenarioError, match=r"the fault latency is not possible here: .* module sch_netem"):
            refuse_for("lab", parse_scenario(LATE, "late.yaml"))
        return
    asked = [
        "ip",
        "netns",
        "exec",
        lab.machines["m1"].namespace,
        "busybox",
        "ping",
        "-q",
        "-c",
        "5",
        world.hosts["w1"].address,
    ]
    carried_out(world, world.fault("latency", ("w1", 0.05)))
    told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert 100 <= float(told.split("min/avg/max = ")[1].split("/")[0]) < 130


def test_a_health_check_fails_from_now_on_and_what_runs_does_not_notice(lab, world):
    docker(
        world,
        "w1",
        "run -d --name web.1.x --health-cmd true --health-interval 200ms --health-retries 3 mini:1 sleep 45678",
    )
    health = "inspect -f '{{.State.Health.Status}} {{.State.Running}}' web.1.x"
    wait_for(lambda: docker(world, "w1", health).out == "healthy true\n")
    assert carried_out(world, world.fault("fail-healthcheck", ContainerChoice(task="web.1"))) == ["w1"]
    wait_for(lambda: docker(world, "w1", health).out == "unhealthy true\n")
    assert processes_with("45678") == 1
    assert lab.journal.undo_all()
    wait_for(lambda: docker(world, "w1", health).out == "healthy true\n")
    with pytest.raises(FaultError, match=r"no running container with a health check web\.2"):
        carried_out(world, world.fault("fail-healthcheck", ContainerChoice(task="web.2")))
    docker(world, "w1", "rm -f web.1.x")


def test_an_engine_has_the_labels_that_are_wanted(lab, world):
    assert docker(world, "m1", "info -f '{{.Labels}}'").out == "[rack=a 1 disk=ssd]\n"
    assert docker(world, "w1", "info -f '{{.Labels}}'").out == "[]\n"


def test_a_killed_engine_leaves_containers_a_stopped_one_does_not(lab, world):
    docker(world, "m1", "run -d --name left mini:1 sleep 98765")
    carried_out(world, world.fault("kill-engine", ["m1"]))
    assert not lab.machines["m1"].engine_runs
    assert processes_with("98765") == 1
    carried_out(world, world.fault("start-engine", ["m1"]))
    assert docker(world, "m1", "rm -f left").code == 0
    docker(world, "m1", "run -d --name left mini:1 sh -c 'trap exit TERM; sleep 98765 & wait'")
    carried_out(world, world.fault("stop-engine", ["m1"]))
    assert processes_with("98765") == 0
    carried_out(world, world.fault("start-engine", ["m1"]))
    docker(world, "m1", "rm -f left")


def processes_with(word: str) -> int:
    found = 0
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        found += words[:2] == ["sleep", word]
    return found


def kept_connection(lab: Lab, machine: LabMachine) -> Callable[[], str]:
    """Connect to its manager's port, and tell later what came of the connection, waiting two seconds."""
    source = next(each for each in lab.machines.values() if each is not machine)
    script = f"""
import errno, socket, sys
kept = socket.create_connection(({machine.address!r}, 2377), 5)
print("up", flush=True); sys.stdin.readline(); kept.settimeout(2)
try:
    while kept.recv(4096): pass
    print("eof")
except TimeoutError: print("silence")
except OSError as problem: print(errno.errorcode[problem.errno])
"""
    words = ["ip", "netns", "exec", source.namespace, sys.executable, "-c", script]
    asked = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert asked.stdout is not None
    assert asked.stdout.readline() == "up\n"
    return lambda: asked.communicate("\n")[0].strip()


CONTROLLER = """\
import os, signal, sys
from swarmsim.real.lab import Lab, LabMachine
from swarmsim.real.world import RealWorld
from swarmsim.world import ContainerChoice, HostSpec
steps = int(sys.argv[2])
plain = LabMachine.shell
async def shell(machine, script):
    global steps
    steps -= 1
    if steps < 0: os.kill(os.getpid(), signal.SIGKILL)
    return await plain(machine, script)
LabMachine.shell = shell
lab = Lab(int(sys.argv[1]))
world = RealWorld(list(lab.machines.values()), lab.journal, {name: HostSpec(name, "", "worker") for name in lab.machines})
for verb, argument in (
    ("partition", [["m1"], ["w1"]]), ("cut", ["m1", "w1"]), ("loss", ("w1", 0.5)), ("block", ("m1", (("tcp", 2377),))),
    ("fail-healthcheck", ContainerChoice(on="w1")), ("kill-engine", ["w1"]), ("start-engine", ["w1"]), ("stop-engine", ["w1"]),
    ("power-off", ["m1"]), ("kill-host", ["w1"]), ("power-on", ["m1"]),
):
    world.advance(world.spawn(world.fault(verb, argument)))
print("all faults", flush=True)
steps = min(steps, 1)
world.advance(world.spawn(world.fault("heal", [])))
"""
FAULTS_TAKE = 18
"""Lines of shell that all its faults are, and the healing of cuts; a line more and there is nothing to be killed in."""


def heal(lab: Lab) -> None:
    """As a user does it: from another process."""
    healed = [sys.executable, "-m", "swarmsim", "lab", "heal", "--lab", str(lab.number)]
    lab.unlock()
    try:
        done = subprocess.run(healed, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    finally:
        assert lab.lock()


def killed_and_then_heal(lab: Lab) -> None:
    """Healing is itself killed, with everything it runs, in the middle of its second entry."""
    second = sorted((lab.folder / "journal").glob("*.undo"))[-2:][0]
    script = second.read_text()
    second.write_text(f"{script}\nkill -9 0\n")
    words = [sys.executable, "-c", f"from swarmsim.real.lab import Lab; Lab({lab.number}).journal.undo_all()"]
    assert subprocess.run(words, check=False, start_new_session=True).returncode == -signal.SIGKILL
    second.write_text(script)
    heal(lab)


def the_dead_man(lab: Lab) -> None:
    """Nobody heals, but the switch that the controller left behind: its deadline is brought forward."""
    (lab.folder / "journal" / "deadline").write_text("0\n")
    wait_for(lambda: not lab.journal.entries, 120)


@pytest.mark.parametrize("steps", range(FAULTS_TAKE))
def test_a_controller_killed_at_any_step_leaves_what_can_be_undone(lab, steps):
    """By heal, by a heal that was killed and another, by the dead man's switch: in turn, or (``make lab``) each at every step."""
    remedies = [heal, killed_and_then_heal, the_dead_man]
    for remedy in remedies if os.environ.get("LAB") == "all" else [remedies[steps % len(remedies)]]:
        docker_on(lab, "w1", "rm -f probed.1.x")
        docker_on(lab, "w1", "run -d --name probed.1.x --health-cmd true mini:1 sleep 1000000")
        before = state(lab)
        words = [sys.executable, "-c", CONTROLLER, str(lab.number), str(steps)]
        assert subprocess.run(words, check=False, capture_output=True).returncode == -signal.SIGKILL
        assert lab.journal.entries
        remedy(lab)
        wait_for(lambda: all(machine.engine_runs for machine in lab.machines.values()), 60)
        assert lab.journal.entries == []
        assert state(lab) == before
        lab.journal.disarm()


def docker_on(lab: Lab, host: str, line: str) -> str:
    words, environment = lab.machines[host].docker(line.split())
    return subprocess.run(words, env={**os.environ, **environment}, capture_output=True, text=True, check=False).stdout


def state(lab: Lab) -> list[str]:
    """Of every host: tables of the packet filter, queues, links, whether its plug is in; and what a health check would run."""
    docker_on(lab, "w1", "start probed.1.x")
    found = [""]

    def runs() -> bool:
        found[0] = docker_on(lab, "w1", "exec probed.1.x sh -c pwd")
        return found[0] != ""

    wait_for(runs, 20)
    return [*rules(lab), *found]


def test_undoing_waits_for_a_change_that_outlives_its_controller(lab, tmp_path):
    entry = lab.journal.write("slow", f"rm -f {tmp_path}/made")
    script = f"""
import asyncio
from swarmsim.real.lab import Lab
asyncio.run(Lab({lab.number}).machines["m1"].shell("touch {tmp_path}/begun; sleep 1; touch {tmp_path}/made"))
"""
    controller = subprocess.Popen([sys.executable, "-c", script])
    wait_for(lambda: (tmp_path / "begun").exists())
    controller.kill()
    controller.wait()
    assert lab.journal.undo_all()
    assert not entry.path.exists()
    time.sleep(1.2)
    assert not (tmp_path / "made").exists()


def rules(lab: Lab) -> list[str]:
    """Every host's tables of the packet filter, and whether its plug is in."""
    found = []
    for machine in lab.machines.values():
        for words in (
            ["nft", "list", "tables"],
            ["tc", "qdisc", "show", "dev", "eth0"],
            ["ip", "-br", "link", "show", "lo"],
        ):
            spaced = ["ip", "netns", "exec", machine.namespace, *words]
            found.append(subprocess.run(spaced, capture_output=True, text=True, check=True).stdout)
        state = Path(f"/sys/class/net/{machine.plug}/flags").read_text()
        found.append(str(int(state, 16) & 1))
    return found


def test_started_twice_at_once_there_is_one_of_it(lab, world):
    machine = lab.machines["w1"]
    carried_out(world, world.fault("power-off", ["w1"]))
    both = [subprocess.Popen(["sh", "-c", machine.start().do]) for _ in range(2)]
    assert [each.wait() for each in both] == [0, 0]
    wait_for(lambda: machine.engine_runs)
    inits = [
        each for each in Path("/proc").glob("[0-9]*/cmdline") if words_of(each)[-2:-1] == [f"{machine.folder}/init.sh"]
    ]
    assert len([each for each in inits if words_of(each)[0] == "sh"]) == 1


def words_of(command_line: Path) -> list[str]:
    try:
        return command_line.read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def test_a_second_controller_is_kept_out(lab):
    assert not Lab(lab.number).lock()


MEANWHILE = """\
name: meanwhile
cluster: {managers: [m1], workers: [w1]}
steps:
  - sleep: 3s
meanwhile:
  - {at: 1s, docker: node ls}
  - {at: 2s, docker: service ls}
"""


def test_what_is_done_at_set_times_is_done_once_its_time_has_passed(world):
    """On wall time no moment is met exactly."""
    rows: list[Row] = []
    run = ScenarioRun(parse_scenario(MEANWHILE, "meanwhile"), world, rows.append)
    run.finish(world.now + 90.0)
    assert run.finished
    assert [row["cmd"] for row in rows if row["kind"] == "docker" and row["cmd"].endswith(" ls")] == [
        "node ls",
        "service ls",
    ]
