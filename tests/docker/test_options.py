"""Every row of the table of options is kept, shown and changed; what commands show while they wait, and of the past."""

from __future__ import annotations

import json

import pytest

from swarmsim.docker.compose.schema import Schema, schema_of
from swarmsim.docker.files import Files
from swarmsim.docker.merges import Together
from swarmsim.docker.options import OPTIONS as TABLE
from swarmsim.docker.options import PRETTY, PRETTY_ENDPOINT, PRETTY_HEAD, PRETTY_HEALTH, RECORDS, Option
from swarmsim.docker.specs import BLANK, value_at, with_value
from tests.conftest import Lab

# flags of create, where inspect shows it, what; flags of update, what then
OPTIONS = [
    ("--env A=1 --env B=2", "ContainerSpec.Env", ["A=1", "B=2"], "--env-add A=3 --env-rm B", ["A=3"]),
    ("--label a=1 --label b=2", "/Labels", {"a": "1", "b": "2"}, "--label-add a=3 --label-rm b", {"a": "3"}),
    ("--container-label a=1", "ContainerSpec.Labels", {"a": "1"}, "--container-label-add b=2 --container-label-rm a", {"b": "2"}),
    ("--mount type=volume,src=d,dst=/d", "ContainerSpec.Mounts", [{"Type": "volume", "Source": "d", "Target": "/d"}], "--mount-rm /d --mount-add type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1770", [{"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 1048576, "Mode": 0o1770}}]),
    ("--hostname h", "ContainerSpec.Hostname", "h", "--hostname {{.Task.Slot}}", "{{.Task.Slot}}"),
    ("--user 1000", "ContainerSpec.User", "1000", "--user root", "root"),
    ("--group g", "ContainerSpec.Groups", ["g"], "--group-add h --group-rm g", ["h"]),
    ("--workdir /a", "ContainerSpec.Dir", "/a", "--workdir /b", "/b"),
    ("--entrypoint 'sh -c'", "ContainerSpec.Command", ["sh", "-c"], "--entrypoint sh", ["sh"]),
    ("--stop-signal SIGINT", "ContainerSpec.StopSignal", "SIGINT", "--stop-signal SIGTERM", "SIGTERM"),
    ("--stop-grace-period 3s", "ContainerSpec.StopGracePeriod", 3 * 10**9, "--stop-grace-period 1m", 60 * 10**9),
    ("--log-driver json-file --log-opt max-size=1m", "LogDriver", {"Name": "json-file", "Options": {"max-size": "1m"}}, "--log-driver none", {"Name": "none"}),
    ("--limit-cpu 0.5 --limit-memory 64m --limit-pids 9", "Resources.Limits", {"NanoCPUs": 500000000, "MemoryBytes": 67108864, "Pids": 9}, "--limit-memory 32m", {"NanoCPUs": 500000000, "MemoryBytes": 33554432, "Pids": 9}),
    ("--reserve-cpu 0.1 --generic-resource SSD=1", "Resources.Reservations", {"NanoCPUs": 100000000, "GenericResources": [{"DiscreteResourceSpec": {"Kind": "SSD", "Value": 1}}]}, "--generic-resource-rm SSD", {"NanoCPUs": 100000000}),
    ("--ulimit nofile=10:20", "ContainerSpec.Ulimits", [{"Name": "nofile", "Hard": 20, "Soft": 10}], "--ulimit-add core=0 --ulimit-rm nofile", [{"Name": "core", "Hard": 0, "Soft": 0}]),
    ("--cap-add net_admin --cap-drop chown", "ContainerSpec.CapabilityAdd", ["CAP_NET_ADMIN"], "--cap-add SYS_TIME --cap-drop NET_ADMIN", ["CAP_SYS_TIME"]),
    ("--init", "ContainerSpec.Init", True, "--init=false", False),
    ("--read-only", "ContainerSpec.ReadOnly", True, "--read-only=false", None),
    ("--tty", "ContainerSpec.TTY", True, "--tty=false", None),
    ("--isolation process", "ContainerSpec.Isolation", "process", "--isolation default", "default"),
    ("--dns 8.8.8.8 --dns-search a.b --dns-option x", "ContainerSpec.DNSConfig", {"Nameservers": ["8.8.8.8"], "Search": ["a.b"], "Options": ["x"]}, "--dns-rm 8.8.8.8 --dns-add 1.1.1.1 --dns-search-rm a.b", {"Nameservers": ["1.1.1.1"], "Options": ["x"]}),
    ("--host db:10.0.0.9", "ContainerSpec.Hosts", ["10.0.0.9 db"], "--host-rm db --host-add web:10.0.0.8", ["10.0.0.8 web"]),
    ("--sysctl net.x=1", "ContainerSpec.Sysctls", {"net.x": "1"}, "--sysctl-rm net.x --sysctl-add net.y=2", {"net.y": "2"}),
    ("--health-cmd true --health-retries 2", "ContainerSpec.Healthcheck", {"Test": ["CMD-SHELL", "true"], "Retries": 2}, "--no-healthcheck", {"Test": ["NONE"]}),
    ("--constraint node.role==worker", "Placement.Constraints", ["node.role==worker"], "--constraint-rm node.role==worker --constraint-add node.labels.a!=b", ["node.labels.a!=b"]),
    ("--placement-pref spread=node.labels.a", "Placement.Preferences", [{"Spread": {"SpreadDescriptor": "node.labels.a"}}], "--placement-pref-rm spread=node.labels.a", None),
    ("--replicas-max-per-node 2", "Placement.MaxReplicas", 2, "--replicas-max-per-node 3", 3),
    ("--endpoint-mode dnsrr", "/EndpointSpec.Mode", "dnsrr", "--endpoint-mode vip", "vip"),
    ("-p 8080:80", "/EndpointSpec.Ports", [{"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8080, "PublishMode": "ingress"}], "--publish-rm 80 --publish-add published=81,target=81,mode=host", [{"Protocol": "tcp", "TargetPort": 81, "PublishedPort": 81, "PublishMode": "host"}]),
    ("--restart-condition none", "RestartPolicy.Condition", "none", "--restart-condition any", "any"),
    ("--update-order start-first", "/UpdateConfig.Order", "start-first", "--update-parallelism 3", "start-first"),
    ("--rollback-monitor 3s", "/RollbackConfig.Monitor", 3 * 10**9, "--rollback-monitor 4s", 4 * 10**9),
    ("", "ForceUpdate", 0, "--force", 1),
    ("--mode replicated", "/Mode", {"Replicated": {"Replicas": 0}}, "--replicas 2", {"Replicated": {"Replicas": 2}}),
    ("--mode replicated-job --max-concurrent 2", "/Mode.ReplicatedJob", {"MaxConcurrent": 2, "TotalCompletions": 0}, "--hostname h", {"MaxConcurrent": 2, "TotalCompletions": 0}),
    ("--update-delay 3s --update-failure-action rollback", "/UpdateConfig", {"Parallelism": 1, "Delay": 3 * 10**9, "FailureAction": "rollback", "Monitor": 5 * 10**9, "MaxFailureRatio": 0, "Order": "stop-first"}, "--update-monitor 2s --update-max-failure-ratio 0.5", {"Parallelism": 1, "Delay": 3 * 10**9, "FailureAction": "rollback", "Monitor": 2 * 10**9, "MaxFailureRatio": 0.5, "Order": "stop-first"}),
    ("--rollback-delay 3s --rollback-failure-action continue --rollback-order start-first", "/RollbackConfig", {"Parallelism": 1, "Delay": 3 * 10**9, "FailureAction": "continue", "Monitor": 5 * 10**9, "MaxFailureRatio": 0, "Order": "start-first"}, "--rollback-parallelism 0 --rollback-max-failure-ratio 0.5", {"Parallelism": 0, "Delay": 3 * 10**9, "FailureAction": "continue", "Monitor": 5 * 10**9, "MaxFailureRatio": 0.5, "Order": "start-first"}),
    ("--restart-delay 1s --restart-max-attempts 3", "RestartPolicy", {"Condition": "any", "Delay": 10**9, "MaxAttempts": 3}, "--restart-window 2s --restart-max-attempts 0", {"Condition": "any", "Delay": 10**9, "MaxAttempts": 0, "Window": 2 * 10**9}),
    ("", "ContainerSpec.Image", "mini:1", "--image mini:2", "mini:2"),
    ("", "ContainerSpec.Args", ["sleep", "9"], "--args 'sleep 8'", ["sleep", "8"]),
    ("--secret s1", "ContainerSpec.Secrets.0.SecretName", "s1", "--secret-rm s1 --secret-add s2", "s2"),
    ("--config source=s1,target=/a", "ContainerSpec.Configs.0.File.Name", "/a", "--config-rm s1 --config-add source=s2,target=/b", "/b"),
    ("--network name=n1,alias=a", "Networks.0.Aliases", ["a"], "--network-rm n1 --network-add name=n2,alias=b", ["b"]),
    ("--credential-spec file://x", "ContainerSpec.Privileges.CredentialSpec.File", "x", "--credential-spec file://y", "y"),
    ("--health-interval 2s --health-timeout 1s", "ContainerSpec.Healthcheck", {"Interval": 2 * 10**9, "Timeout": 10**9}, "--health-start-period 3s", {"Interval": 2 * 10**9, "Timeout": 10**9, "StartPeriod": 3 * 10**9}),
    ("--reserve-memory 4m", "Resources.Reservations", {"MemoryBytes": 4 << 20}, "--reserve-memory 5m --generic-resource-add SSD=2", {"MemoryBytes": 5 << 20, "GenericResources": [{"DiscreteResourceSpec": {"Kind": "SSD", "Value": 2}}]}),
]  # fmt: skip


IN_THE_SPEC = [option for option in TABLE if option.path and option.flag != "name" and not option.since]


@pytest.mark.parametrize("option", IN_THE_SPEC, ids=lambda option: option.flag)
def test_a_row_of_the_table_has_a_test_here(option: Option):
    rows = " ".join(create + " " + update for create, _, _, update, _ in OPTIONS)
    assert {flag.name for command in option.commands for flag in option.flags(command)} & {
        word.removeprefix("--").partition("=")[0] for word in rows.replace("-p ", "--publish ").split()
    }


@pytest.mark.parametrize("option", IN_THE_SPEC, ids=lambda option: option.flag)
def test_a_path_leads_somewhere_in_a_specification(option: Option):
    spec = with_value(BLANK, option.path, "here")
    assert value_at(spec, option.path) == "here" or isinstance(option.merge, Together)


def test_what_a_row_shows_has_its_place_in_pretty():
    sections = (*PRETTY_HEAD, *PRETTY, *PRETTY_ENDPOINT, *PRETTY_HEALTH)
    placed = [flag for section in sections for flag in section.options]
    assert sorted(placed) == sorted(option.flag for option in TABLE if option.pretty is not None)


KEYS = [option.compose for option in TABLE if option.compose] + [record.compose for record in RECORDS if record.compose]


@pytest.mark.parametrize("path", KEYS)
def test_a_stack_file_may_have_what_a_row_reads(path: str):
    schema = schema_of("3.13").keys["services"].patterns[0][1]
    for key in path.split("."):
        schema = schema.keys[key]
    assert isinstance(schema, Schema)


@pytest.fixture(scope="module")
def shared():
    lab = Lab(managers=1, workers=1)
    lab.world.files = Files({"data": "x"})
    for command in ("secret create", "config create"):
        for name in ("s1", "s2"):
            assert lab.docker(f"{command} {name} data").code == 0
    for name in ("n1", "n2"):
        assert lab.docker(f"network create -d overlay {name}").code == 0
    return lab


def shown(lab: Lab, name: str, path: str):
    """A value of the spec; paths begin at the task's template, or with "/" at the spec."""
    value = json.loads(lab.docker(f"service inspect {name}").out)[0]["Spec"]
    for key in (path[1:] if path.startswith("/") else f"TaskTemplate.{path}").split("."):
        value = value[int(key)] if isinstance(value, list) else value.get(key) if value is not None else None
    return value


@pytest.mark.parametrize(("number", "option"), enumerate(OPTIONS))
def test_an_option_is_kept_shown_and_changed(shared, number, option):
    create, path, first, update, then = option
    name = f"s{number}"
    result = shared.docker(f"service create -d --no-resolve-image --name {name} --replicas 0 {create} mini:1 sleep 9")
    assert result.code == 0, result.err
    assert shown(shared, name, path) == first
    result = shared.docker(f"service update -d --no-resolve-image {update} {name}")
    assert result.code == 0, result.err
    assert shown(shared, name, path) == then
    shared.docker(f"service rm {name}")


def test_ctrl_c_ends_the_waiting_not_the_work():
    lab = Lab(managers=1, workers=1)
    waiting = lab.docker(
        "service create --no-resolve-image --name web --constraint node.labels.x==y mini:1 sleep 9", limit=4
    )
    assert waiting.code == 0
    assert "1/1: no suitable node (scheduling constraints not satisfied on 2 nodes)" in waiting.out
    assert waiting.out.splitlines()[-2:] == [
        "Operation continuing in background.",
        f"Use `docker service ps {waiting.out.split()[0]}` to check progress.",
    ]
    assert lab.docker("service ls -q").out != ""


def test_a_job_is_waited_for_until_it_is_done():
    lab = Lab(managers=1, workers=1)
    job = "--mode replicated-job --replicas 3 --max-concurrent 2"
    result = lab.docker(f"service create --no-resolve-image --name job {job} mini:1 sh -c 'sleep 1'")
    lines = result.out.splitlines()
    assert lines[1:5] == ["active tasks: 0 out of 2 tasks", "1/3:  ", "2/3:  ", "3/3:  "]
    assert lines[-2:] == ["active tasks: 0 out of 0 tasks", "job complete"]
    assert lab.docker("service ls --format '{{.Replicas}}'").out == "0/2 (3/3 completed)\n"


def test_events_of_a_service_and_its_container():
    lab = Lab(managers=1, workers=0)
    lab.docker("service create -d --no-resolve-image --name web --stop-grace-period 1s mini:1 sleep 1000")
    lab.wait(lambda: lab.running() == 1)
    lab.docker("service scale -d web=0")
    lab.sleep(10)
    lines = lab.docker("events --since 1h --until 0s --format '{{.Type}} {{.Action}}'").out.splitlines()
    assert [line for line in lines if line.startswith("container")] == [
        f"container {action}" for action in ("create", "start", "kill", "kill", "die", "destroy")
    ]
    assert [line for line in lines if line.startswith("service")] == ["service create", "service update"]
    body = json.loads(
        lab.docker("events --since 1h --until 0s --filter service=web --filter event=update --format json").out
    )
    assert body["Actor"]["Attributes"] == {"name": "web", "replicas.new": "0", "replicas.old": "1"}


def test_logs_of_every_task_of_a_service():
    lab = Lab(managers=1, workers=1)
    lab.service(2, command="sh -c 'echo hello; sleep 1000'")
    lab.wait(lambda: len(lab.docker("service logs --no-task-ids web").out.splitlines()) == 2)
    lines = lab.docker("service logs --no-task-ids web").out.splitlines()
    assert sorted(lines) == ["web.1@m1    | hello", "web.2@w1    | hello"] or sorted(lines) == [
        "web.1@w1    | hello",
        "web.2@m1    | hello",
    ]
    lab.world.power_off("w1")
    assert "is not available" in lab.docker("service logs web").err
