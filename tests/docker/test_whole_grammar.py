"""Whatever is typed, docker's errors and the model's limits are all that comes out of a command: no fault of ours.

Words are drawn from the grammar itself, with good values and bad ones; templates and stack files are random.
"""

from __future__ import annotations

import json
import shlex

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from swarmsim.docker.grammar import ALIASES, COMMANDS, GLOBAL_FLAGS, GROUPS, Command
from swarmsim.go.pflag import Flag
from tests.conftest import Lab

ANYTHING = st.sampled_from(
    ["", "0", "-1", "1", "x", "a=b", "=", "a,b=c", '"', "{{.ID}}", "é", "web", "99999999999999999999"]
)
NAMES = st.sampled_from(
    [
        "web",
        "glob",
        "job",
        "gjob",
        "st",
        "st_a",
        "s1",
        "c1",
        "n1",
        "v1",
        "m1",
        "w1",
        "self",
        "nope",
        "-",
        "s.yml",
        "10.0.0.1:2377",
    ]
)
IMAGES = st.sampled_from(["mini:1", "mini:2", "nginx", "Mini", "", "a/b/c:d@sha256:00"])
VALUES: dict[str, st.SearchStrategy[str]] = {
    "bool": st.sampled_from(["true", "false", "1", "maybe"]),
    "uint": st.sampled_from(["0", "1", "5", "-1", "18446744073709551615"]),
    "int": st.sampled_from(["0", "1", "-1", "x"]),
    "float": st.sampled_from(["0", "0.5", "2", "NaN", "x"]),
    "duration": st.sampled_from(["0s", "1s", "1ms", "-1s", "300h", "1"]),
    "positive-duration": st.sampled_from(["0s", "1s", "1us", "-1s"]),
    "bytes": st.sampled_from(["0", "4m", "1", "1g", "-1", "x"]),
    "decimal": st.sampled_from(["0", "0.1", "1/3", "2", "-1"]),
    "command": st.sampled_from(["sh -c true", "true", '"', ""]),
    "label": st.sampled_from(["a=1", "b", "=1", ""]),
    "env": st.sampled_from(["A=1", "B", "=1", ""]),
    "ip": st.sampled_from(["8.8.8.8", "::1", "x"]),
    "domain": st.sampled_from(["a.b", ".", "a b"]),
    "extra-host": st.sampled_from(["a:1.2.3.4", "b:::1", "a", ":1.2.3.4"]),
    "generic-resource": st.sampled_from(["SSD=1", "SSD=x", "SSD"]),
    "network": st.sampled_from(["n1", "name=n1,alias=x", "host", "bridge", "none", "ingress", "nope", ""]),
    "secret": st.sampled_from(["s1", "source=s1,target=x,mode=0400", "source=s1,mode=9", "nope"]),
    "config": st.sampled_from(["c1", "source=c1,target=/x", "target=/x", "nope"]),
    "port": st.sampled_from(["80", "8080:80", "0:80", "80:0", "8000-8002:80", "80/udp", "mode=host,target=80", "target=0", "1:2:3"]),
    "mount": st.sampled_from(["src=d,dst=/d", "type=tmpfs,dst=/t,tmpfs-mode=17", "type=bind,src=x,dst=/x", "type=bind,dst=/x,bind-recursive=readonly,ro", "dst=/x,volume-driver=nope", "type=npipe,dst=x", ","]),
    "pref": st.sampled_from(["spread=node.labels.a", "spread=", "x"]),
    "filter": st.sampled_from(["name=web", "id=", "label=a=1", "desired-state=running", "node=m1", "role=manager", "since=web", "x=y", "z", "=x"]),
    "ulimit": st.sampled_from(["nofile=1:2", "core=-1", "nofile=2:1", "x=1"]),
    "credential-spec": st.sampled_from(["config://c1", "file://x", "config://nope", ""]),
}  # fmt: skip
STRINGS: dict[str, st.SearchStrategy[str]] = {
    "mode": st.sampled_from(["replicated", "global", "replicated-job", "global-job", "x"]),
    "endpoint-mode": st.sampled_from(["vip", "dnsrr", "x"]),
    "update-order": st.sampled_from(["start-first", "stop-first", "x"]),
    "update-failure-action": st.sampled_from(["pause", "continue", "rollback", "x"]),
    "restart-condition": st.sampled_from(["none", "on-failure", "any", "x"]),
    "availability": st.sampled_from(["active", "pause", "drain", "x"]),
    "role": st.sampled_from(["worker", "manager", "x"]),
    "driver": st.sampled_from(["overlay", "bridge", "local", "host", "x"]),
    "image": IMAGES,
    "compose-file": st.sampled_from(["s.yml", "random.yml", "nope.yml", "-"]),
    "constraint": st.sampled_from(["node.role==worker", "node.labels.a!=b", "node.role=worker", "x", ""]),
    "type": st.sampled_from(["service", "node", "task", "image", "x"]),
}
PIECES = [
    "{{", "}}", "{{.", "{{-", ".ID", ".Name", ".Spec", ".Status", ".Nothing", "|", "json", "printf", '"%s %d"', "range", "end", "if", "else", "with", "index", "len", "println", "$x", ":=", "eq", "and", "not", "split", "table ", " ", ".", "1", '"a"', "break", "slice", "call", "upper", "(", ")",
]  # fmt: skip
TEMPLATES = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join) | st.lists(
    st.sampled_from(PIECES[3:]), min_size=1, max_size=6
).map(lambda pieces: "{{" + " ".join(pieces) + "}}")


def value_of(flag: Flag) -> st.SearchStrategy[str]:
    name = flag.name.removesuffix("-add").removesuffix("-rm")
    if name == "format":
        return TEMPLATES
    good = STRINGS.get(name, VALUES.get(flag.type, ANYTHING))
    return st.integers(0, 9).flatmap(lambda chance: ANYTHING if chance == 0 else good)


def flag_words(flag: Flag) -> st.SearchStrategy[list[str]]:
    """In every way a flag can be written."""
    if flag.type == "bool":
        short = [[f"-{flag.short}"]] if flag.short else []
        return st.sampled_from([*short, *([f"--{flag.name}{value}"] for value in ("", "=false", "=maybe"))])
    ways = [
        ("--" + flag.name, " "),
        ("--" + flag.name, "="),
        *(("-" + flag.short, way) for way in (" ", "=", "") if flag.short),
    ]
    return st.tuples(st.sampled_from(ways), value_of(flag)).map(_written)


def _written(drawn: tuple[tuple[str, str], str]) -> list[str]:
    (name, way), value = drawn
    return [name, value] if way == " " else [f"{name}{way}{value}"]


HELP_WORDS = [
    "--help",
    "-h",
    "--help=1",
    "--help=0",
    "--help=maybe",
    "-hx",
    "-h=1",
    "--help=",
    "-",
    "--",
    "-x",
    "--nope",
]
"""Words that are of no command, or of every one."""
HELP = st.sampled_from(HELP_WORDS)
GROUP_WORDS = [*GROUPS, "foo", "help", "container", "run", "ls", "create"]


@st.composite
def lines(draw: st.DrawFn) -> str:
    if draw(st.integers(0, 9)) == 0:
        return shlex.join(draw(about_groups()))
    command: Command = draw(st.sampled_from(COMMANDS))
    flags = draw(st.lists(st.sampled_from(command.flags), max_size=4)) if command.flags else []
    words = draw(flag_words(draw(st.sampled_from(GLOBAL_FLAGS)))) if draw(st.integers(0, 19)) == 0 else []
    words += draw(
        st.sampled_from([command.path, *(alias for alias in ALIASES if ALIASES[alias] == command.path)])
    ).split()
    if any(flag.name == "detach" for flag in command.flags) and draw(st.integers(0, 9)):
        words.append("-d")
    for flag in flags:
        words += draw(flag_words(flag))
    if draw(st.integers(0, 9)) == 0:
        words.append(draw(HELP))
    most = command.least + 1 if command.most is None else command.most
    first = IMAGES if command.path == "service create" else NAMES
    if command.path == "service scale":
        first = st.sampled_from(["web=1", "web=0", "glob=1", "job=2", "web", "web=x"])
    for number in range(draw(st.integers(command.least, max(most, command.least)))):
        words.append(draw(first if number == 0 else NAMES))
    return shlex.join(words)


def about_groups() -> st.SearchStrategy[list[str]]:
    """``docker node -hx``, ``docker help stack nope``, ``docker --help=1 foo``."""
    return st.lists(st.sampled_from(GROUP_WORDS) | HELP, max_size=4)


KEYS = [
    "image", "command", "entrypoint", "environment", "env_file", "ports", "networks", "volumes", "secrets", "configs", "deploy", "healthcheck", "labels", "logging", "extra_hosts", "dns", "ulimits", "cap_add", "init", "user", "stop_grace_period", "sysctls", "tmpfs", "build", "x-y", "depends_on", "nonsense", "isolation", "credential_spec", "read_only", "tty", "hostname", "restart",
]  # fmt: skip
INNER = [
    "mode", "replicas", "placement", "constraints", "update_config", "resources", "limits", "cpus", "memory", "restart_policy", "condition", "delay", "labels", "endpoint_mode", "test", "interval", "retries", "disable", "driver", "options", "target", "source", "published", "protocol", "type", "aliases", "name", "external", "file", "nofile", "soft", "hard",
]  # fmt: skip
SCALARS = st.sampled_from(
    [
        None,
        True,
        0,
        1,
        -1,
        0.5,
        "",
        "x",
        "80:80",
        "8000-8002:80",
        "a=b",
        "1s",
        "10m",
        "./x:/y",
        "d:/d:ro",
        "node.role==worker",
        "mini:1",
        "${A}",
        "${A:?no}",
        "$",
        "n1",
        "s1",
        "global",
        "host",
    ]
)
STACK_VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER), inner, max_size=3)
)
SERVICES = st.dictionaries(st.sampled_from(KEYS), STACK_VALUES, max_size=4).map(
    lambda service: {"image": "mini:1"} | service
)
STACKS = st.fixed_dictionaries(
    {"services": st.dictionaries(st.sampled_from(["a", "b"]), SERVICES | STACK_VALUES, max_size=2)},
    optional={
        "version": st.sampled_from(["3", "3.8", "2", 3, "x"]),
        **{
            key: st.dictionaries(st.sampled_from(["n1", "s1", "d"]), STACK_VALUES, max_size=2)
            for key in ("networks", "secrets", "configs", "volumes")
        },
    },
)
HERE = "services: {a: {image: 'mini:1', command: sleep 100000, ports: ['7000:70'], networks: [default]}}"


def lab() -> Lab:
    """Two nodes with something of everything."""
    lab = Lab(managers=1, workers=1)
    lab.world.files.inline |= {"s.yml": HERE, "data": "secret"}
    for line in (
        "secret create s1 data",
        "config create c1 data",
        "network create -d overlay n1",
        "volume create v1",
        "service create -d --name web --replicas 2 --network n1 --secret s1 --config c1 -p 80:80 -p mode=host,target=81 --health-cmd true mini:1 sleep 100000",
        "service create -d --name glob --mode global mini:1 sleep 100000",
        "service create -d --name job --mode replicated-job --replicas 2 mini:1 true",
        "service create -d --name gjob --mode global-job mini:1 true",
        "stack deploy -d --resolve-image never -c s.yml st",
    ):
        assert lab.docker(line).code == 0, line
    lab.sleep(5)
    return lab


def type_all(lab: Lab, typed: list[str]) -> None:
    for line in typed:
        for host in ("m1", "w1"):
            result = lab.docker(line, on=host, limit=1.0)
            assert not result.fault, f"docker {line}: {result.fault}"
    lab.sleep(3)


ARGUMENTS = {
    **{
        f"{kind} inspect": name
        for kind, name in (("service", "web"), ("node", "m1"), ("secret", "s1"), ("config", "c1"))
    },
    **{f"{kind} inspect": name for kind, name in (("network", "n1"), ("volume", "v1"))},
    "service ps": "web",
    "stack ps": "st",
    "stack services": "st",
    "inspect": "web",
    "events": "--until 1",
}
"""Of commands that show something, the one it is to be."""


def test_every_flag_by_itself_meets_no_fault_of_ours():
    """What chance draws seldom: each flag of each command once, with the first value of its type."""
    simple = {"bool": "true", "uint": "1", "int": "1", "float": "0.5", "duration": "1s", "format": "{{json .}}"}
    wanted = {"service create": "mini:1", "service scale": "web=2", "volume create": "v2"}
    for command in COMMANDS:
        here = lab()
        named = wanted.get(command.path, ARGUMENTS.get(command.path, "web" if command.least else ""))
        for flag in command.flags:
            value = simple.get(flag.name) or simple.get(flag.type, "x")
            detached = " -d" if any(each.name == "detach" for each in command.flags) else ""
            type_all(here, [f"{command.path}{detached} --{flag.name}={shlex.quote(value)} {named}"])


def test_every_group_with_every_odd_word_meets_no_fault_of_ours():
    words = [f"{group} {word}" for group in GROUP_WORDS for word in HELP_WORDS]
    type_all(lab(), [*words, *(f"{word} {group}" for group in GROUP_WORDS for word in HELP_WORDS)])


SLOWLY = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    max_examples=25,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
"""The line at fault is told, so nothing need be made smaller, which takes minutes."""


@SLOWLY
@given(typed=st.lists(lines(), min_size=5, max_size=25))
def test_no_command_line_meets_a_fault_of_ours(typed):
    type_all(lab(), typed)


SHOWING = [
    f"{command.path} {ARGUMENTS.get(command.path, '')}"
    for command in COMMANDS
    if any(flag.name == "format" for flag in command.flags)
]


def test_every_command_with_a_format_shows_something():
    here = lab()
    results = {line: here.docker(f"{line} --format '{{{{json .}}}}'", limit=1.0) for line in SHOWING}
    assert {line: result.err for line, result in results.items() if result.code} == {}


@SLOWLY
@given(templates=st.lists(st.tuples(st.sampled_from(SHOWING), TEMPLATES), min_size=20, max_size=60))
def test_no_template_meets_a_fault_of_ours(templates):
    type_all(lab(), [f"{line} --format {shlex.quote(template)}" for line, template in templates])


@SLOWLY
@given(stacks=st.lists(STACKS, min_size=5, max_size=20))
def test_no_stack_file_meets_a_fault_of_ours(stacks):
    here = lab()
    for stack in stacks:
        here.world.files.inline["random.yml"] = json.dumps(stack)
        type_all(here, ["stack config -c random.yml", "stack deploy -d -c random.yml st", "stack services st"])
