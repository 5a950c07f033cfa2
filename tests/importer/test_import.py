"""A scenario of somebody's own cluster: from what a simulated one prints, and from what a real one printed (``real/``)."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from swarmsim.apitypes.base import from_json
from swarmsim.apitypes.specs import ServiceSpec
from swarmsim.cli import app
from swarmsim.docker.client import split_words
from swarmsim.docker.errors import CommandError
from swarmsim.docker.options import flags
from swarmsim.docker.specs import spec_from_create_flags
from swarmsim.docker.values import FLAG_TYPES
from swarmsim.go.pflag import FlagError, FlagSet, HelpAsked
from swarmsim.importer import ImportFailed, import_cluster, read_outputs
from swarmsim.importer.commands import create_words, lost
from swarmsim.scenario.loader import parse_scenario
from swarmsim.scenario.runner import build_world, run_scenario
from tests.conftest import Lab

REAL = Path(__file__).parent / "real"


def imported(*texts):
    return import_cluster(read_outputs([(name, text) for name, text in texts]), "mine", [name for name, _ in texts])


def real(*names):
    return imported(*((name, (REAL / name).read_text("utf-8")) for name in names))


def ran(made):
    rows = []
    loaded = parse_scenario(made.text, "mine.yaml")
    outcome = run_scenario(loaded, 1, rows.append)
    assert outcome.ok, outcome.failures
    return loaded.scenario, rows


def placements(rows):
    """How many tasks of each service run on each host, by the last rows of each."""
    last = {row["task"]: row for row in rows if row["kind"] == "task"}
    return Counter((row["service"], row["node"]) for row in last.values() if row["state"] == "running")


# -- there and back


def test_a_cluster_that_is_exported_and_imported_is_the_same():
    lab = Lab(3, 3)
    for line in (
        "node update --label-add zone=a w1",
        "node update --label-add zone=b --label-add disk=ssd w2",
        "node update --availability drain m2",
        "network create -d overlay --attachable --subnet 10.77.0.0/24 back",
        "service create -d --no-resolve-image --name one --constraint node.labels.zone==a --network back mini:1 sleep 100000",
        "service create -d --no-resolve-image --name two --replicas 2 --replicas-max-per-node 1 --constraint node.role==worker "
        "--constraint node.hostname!=w3 --env A=1 --env 'B=x y' --stop-grace-period 3s mini:1 sh -c 'sleep 100000'",
        "service create -d --no-resolve-image --name all --mode global -p 8080:80 --limit-memory 64m mini:1 sleep 100000",
    ):
        assert lab.docker(line).code == 0, line
    lab.wait(lambda: lab.running("one") + lab.running("two") + lab.running("all") == 8)
    nodes = "m1 m2 m3 w1 w2 w3"
    said = [
        ("nodes", lab.docker(f"node inspect {nodes}").out),
        ("services", lab.docker("service inspect one two all").out),
        ("networks", lab.docker("network inspect back").out),
    ]
    made = imported(*said)
    assert made.assumed == []
    scenario, rows = ran(made)
    assert placements(rows) == Counter(
        [("one", "w1"), ("two", "w1"), ("two", "w2"), *(("all", host) for host in ("m1", "m3", "w1", "w2", "w3"))]
    )
    hosts = build_world(scenario, 1).hosts
    assert {name: (host.cpus, host.memory, host.address) for name, host in hosts.items()} == {
        name: (host.cpus, host.memory, host.address) for name, host in lab.world.hosts.items()
    }


def test_a_real_cluster_runs_here_as_it_ran_there():
    made = real("nodes.txt", "services.txt", "networks.txt", "secret-ls.txt", "config-ls.txt")
    assert made.assumed == ["what is in secrets and configs: docker does not show it"]
    scenario, rows = ran(made)
    assert scenario.cluster.names() == (["m1", "m2", "m3"], ["w1", "w2"])
    assert scenario.cluster.settings("w1").labels == {"zone": "a", "rack": "r1"}
    there = Counter()
    for line in (REAL / "tasks.txt").read_text("utf-8").splitlines()[1:]:
        name, node, _ = line.split(maxsplit=2)
        there[name.partition(".")[0], node] += 1
    here = placements(rows)
    assert {key for key in here if key[0] in ("agent", "db")} == {key for key in there if key[0] in ("agent", "db")}
    for service in ("shop_web", "spread"):
        assert sum(here[key] for key in here if key[0] == service) == sum(
            there[key] for key in there if key[0] == service
        )
    assert {node for service, node in here if service == "shop_web"} == {"w1", "w2"}
    assert max(here[key] for key in here if key[0] == "spread") <= 2


@pytest.mark.parametrize(
    "files", [("node-ls.txt", "service-ls.txt", "network-ls.txt"), ("node-ls.json.txt", "shop.txt", "secret-ls.txt")]
)
def test_the_less_is_known_the_more_is_assumed_and_it_runs_all_the_same(files):
    made = real(*files)
    assert made.assumed[0] == "only node ls tells of m1, m2, m3, w1, w2: 2 CPUs, 4 GiB of memory, no labels"
    _, rows = ran(made)
    assert {service for service, _ in placements(rows)} >= {"shop_web"}


def test_what_is_in_one_text_after_the_other_is_told_apart():
    """docker's outputs as they stand in a terminal's log, the commands among them."""
    names = ("node-ls.txt", "nodes.txt", "services.txt", "network-ls.txt", "networks.txt", "secret-ls.txt", "shop.txt")
    outputs = read_outputs([("log", "\n".join((REAL / name).read_text("utf-8") for name in names))])
    assert (len(outputs.nodes), len(outputs.listed_nodes), len(outputs.services)) == (5, 5, 4)
    assert [stack.name for stack in outputs.stacks] == ["log"]
    assert list(outputs.secrets) == ["db-password"]
    assert {"back", "shop_front"} < {network.name for network in outputs.networks.values()}


# -- services as commands

SPECS = [
    "--mode global --endpoint-mode dnsrr --hostname '{{.Node.Hostname}}' mini:1 sleep 5",
    "--replicas 0 --restart-condition none --restart-max-attempts 3 --restart-window 1m30s mini:1",
    "--mode replicated-job --replicas 5 --max-concurrent 2 mini:1 true",
    "--mode global-job mini:1 sh -c 'exit 0'",
    "--update-parallelism 0 --update-failure-action rollback --update-max-failure-ratio 0.2 --rollback-order start-first mini:1",
    "--health-cmd 'curl -f http://localhost || exit 1' --health-interval 5s --health-retries 2 mini:1",
    "--no-healthcheck --init --read-only --tty --user 1000 --group ops --workdir /srv mini:1",
    "--mount type=volume,source=d,target=/d,volume-driver=local,volume-opt=type=nfs,volume-label=a=b mini:1",
    "--mount type=tmpfs,target=/t,tmpfs-size=64m,tmpfs-mode=1770 --mount type=bind,source=/etc,target=/e,bind-propagation=rslave mini:1",
    "--secret source=pw,target=/run/pw,mode=0400 --config source=c,target=/c,uid=5 mini:1",
    "--reserve-cpu 0.25 --reserve-memory 64m --limit-cpu 1.5 --limit-pids 100 --generic-resource SSD=3 mini:1",
    "--host db:10.0.0.1 --dns 8.8.8.8 --dns-search example.com --dns-option ndots:1 --sysctl a.b=1 mini:1",
    "--cap-add NET_ADMIN --cap-drop ALL --ulimit nofile=10:20 --log-driver json-file --log-opt max-size=1m mini:1",
    "--network name=back,alias=x,driver-opt=a=b --network front -p published=8080,target=80,mode=host,protocol=udp mini:1",
    "--label 'a=b c' --container-label d=e --env 'F=\"g\" h' --entrypoint 'sh -c' --placement-pref spread=node.labels.z mini:1 'echo a; b'",
]


def spec_of(words):
    given, rest = FlagSet(flags("create"), FLAG_TYPES).parse(words, interspersed=False)
    return spec_from_create_flags(given, rest[0], rest[1:], [])


@pytest.mark.parametrize("line", SPECS)
def test_a_service_is_made_by_a_command_as_it_was(line):
    spec = spec_of(["--name", "web", *split_words(line)])
    words = create_words(spec)
    assert lost(spec, words) == []
    assert spec_of(words) == spec


def test_of_the_services_the_real_client_was_asked_for_nothing_is_lost(records):
    lines = (records / "client" / "lines.txt").read_text("utf-8").splitlines()
    said = {}
    for line in lines:
        if line.startswith("service create "):
            with suppress(FlagError, HelpAsked, CommandError, ValueError, IndexError):
                spec = spec_of(split_words(line)[2:])
                said[line.removeprefix("service create -d --no-resolve-image ")] = lost(spec, create_words(spec))
    assert len(said) > 200
    assert sorted(line for line, missing in said.items() if missing) == [
        "--mount type=bind,src=/etc,dst=/x,readonly,bind-recursive=writable nginx",
        "--mount type=volume,src=d,dst=/d,volume-subpath=x nginx",
        "--update-max-failure-ratio NaN nginx",
        "-p 80:0 nginx",
    ]


def test_what_a_command_cannot_say_is_told():
    spec = from_json(
        {
            "Name": "web",
            "TaskTemplate": {"ContainerSpec": {"Image": "nginx@sha256:00", "OomScoreAdj": 5, "OpenStdin": True}},
            "Mode": {"Replicated": {"Replicas": 2}},
        },
        ServiceSpec,
    )
    assert lost(spec, create_words(spec)) == [
        "TaskTemplate.ContainerSpec.OpenStdin (True)",
        "TaskTemplate.ContainerSpec.OomScoreAdj (5)",
    ]


# -- what is assumed

NODES = """ID            HOSTNAME               STATUS    AVAILABILITY   MANAGER STATUS   ENGINE VERSION
aaaaaaaaaa *  Node_1                 Ready     Active         Leader           28.2.2
bbbbbbbbbb    ip-10-0-0-2.internal   Ready     Pause                           28.2.2
cccccccccc    ip-10-0-0-2.internal   Down      Active                          28.2.2
dddddddddd    w3                     Down      Active                          28.2.2
"""


def test_hosts_get_names_that_scenarios_allow_and_are_there_once():
    made = imported(("nodes", NODES))
    scenario = parse_scenario(made.text, "x.yaml").scenario
    assert scenario.cluster.names() == (["node-1"], ["ip-10-0-0-2-internal", "w3"])
    assert made.assumed[1:] == [
        "Node_1 is called node-1 here",
        "ip-10-0-0-2.internal is called ip-10-0-0-2-internal here",
        "ip-10-0-0-2.internal is listed twice; the node cccccccccc, which is down, is left out",
        "w3 is down there; here it runs (fault: {power-off: w3} takes its power)",
        "no services: add the output of docker service inspect $(docker service ls -q)",
    ]


STACK = """services:
  api:
    image: registry.example.com/shop/api:1.4
    command: ["gunicorn", "app"]
    volumes:
      - {type: bind, source: /srv/api, target: /data}
    secrets: [pw]
    networks: [front]
    deploy: {replicas: 2, placement: {constraints: ["node.hostname != Node_1"]}}
  job:
    image: alpine:3.18
    command: /app/run --forever
networks:
  front: {external: true, name: public}
secrets:
  pw: {file: /root/pw.txt}
"""


def test_what_docker_refuses_is_not_taken_for_a_cluster_that_has_settled():
    """No service, nothing missing: but the stack file names a file that was not given."""
    made = imported(("nodes", NODES), ("shop.yml", "services:\n  api: {image: nginx, env_file: [web.env]}\n"))
    outcome = run_scenario(parse_scenario(made.text, "mine.yaml"), 1)
    assert [failure.expected for failure in outcome.failures] == ["command deploy-shop, code 0", "1 running"]


def test_a_stack_gets_the_images_paths_secrets_and_networks_it_needs():
    made = imported(("nodes", NODES), ("shop.yml", STACK))
    scenario, rows = ran(made)
    assert [(entry.name, entry.source, entry.any_command) for entry in scenario.images] == [
        ("registry.example.com/shop/api:1.4", "cached", False),
        ("alpine:3.18", None, True),
    ]
    assert scenario.cluster.settings("w3").paths == ["/srv/api"]
    assert any("registry.example.com/shop/api:1.4" in sentence for sentence in made.assumed)
    assert {node for service, node in placements(rows) if service == "shop_api"} == {"w3"}


REFUSED = [
    ("", "x: empty; it should have output of docker node ls or inspect"),
    ("hello\n", "x:1: 'hello' is no output of docker node ls"),
    ("[{]", "x:1: not JSON"),
    ('\n{"a": 1}', "x:2: this JSON is no output of docker node ls"),
    ('{"Spec": {"TaskTemplate": 5}}', "x:1: this JSON is not as docker prints it"),
    ('{"Spec": {"Name": "web", "TaskTemplate": {}}}', "which hosts are there? add the output of docker node inspect"),
    ("services:\n  a: [1", "which hosts are there?"),
    (NODES.replace("Leader", "      "), "no manager among the nodes"),
    (NODES.replace("Leader", ""), "x:2: this line does not stand under the headings"),
    (NODES + "\nservices:\n  a: [1\n", "the stack file of x, line 3 of it: not YAML"),
]


@pytest.mark.parametrize(("text", "complaint"), REFUSED)
def test_what_cannot_be_used_is_refused_with_its_place(text, complaint):
    with pytest.raises(ImportFailed) as caught:
        imported(("x", text))
    assert complaint in str(caught.value)


def test_from_the_shell(tmp_path):
    out = tmp_path / "mine.yaml"
    done = CliRunner().invoke(app, ["import", "--name", "mine", "--out", str(out)], input=NODES)
    assert done.exit_code == 0, done.output
    assert "assumed: Node_1 is called node-1 here" in done.stderr
    assert parse_scenario(out.read_text("utf-8"), "mine.yaml").scenario.name == "mine"
    failed = CliRunner().invoke(app, ["import", str(tmp_path / "nosuch")])
    assert (failed.exit_code, "cannot be read" in failed.stderr) == (2, True)
