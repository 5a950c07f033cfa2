"""How docker reads words: flags and their values."""

from __future__ import annotations

import pytest

from swarmsim.docker.values import FLAG_TYPES
from swarmsim.go.pflag import Flag, FlagError, Flags, FlagSet

FLAGS = (
    Flag("detach", "bool", "", "d"),
    Flag("quiet", "bool", "", "q"),
    Flag("replicas", "uint", ""),
    Flag("publish", "port", "", "p"),
    Flag("label", "list", "", "l"),
    Flag("update-delay", "duration", ""),
    Flag("limit-cpu", "decimal", ""),
    Flag("limit-memory", "bytes", ""),
    Flag("filter", "filter", "", "f"),
    Flag("mount", "mount", ""),
)


def parse(words: list[str], interspersed: bool = True) -> tuple[Flags, list[str]]:
    return FlagSet(FLAGS, FLAG_TYPES).parse(words, interspersed)


READ = [
    ("--replicas=3 nginx", {"replicas": 3}, ["nginx"]),
    ("--replicas 3 nginx", {"replicas": 3}, ["nginx"]),
    ("-d nginx", {"detach": True}, ["nginx"]),
    ("-dq nginx", {"detach": True, "quiet": True}, ["nginx"]),
    ("--detach=false nginx", {"detach": False}, ["nginx"]),
    ("-d=false nginx", {"detach": False}, ["nginx"]),
    ("--label a=b -l c nginx", {"label": ["a=b", "c"]}, ["nginx"]),
    ("--update-delay 1m30s x", {"update-delay": 90_000_000_000}, ["x"]),
    ("--limit-cpu .5 x", {"limit-cpu": 500_000_000}, ["x"]),
    ("--limit-memory 64m x", {"limit-memory": 64 << 20}, ["x"]),
    ("-f name=web x", {"filter": [("name", "web")]}, ["x"]),
    ("-- --replicas 3", {}, ["--replicas", "3"]),
]


@pytest.mark.parametrize(("line", "values", "arguments"), READ)
def test_words_that_are_understood(line, values, arguments):
    flags, rest = parse(line.split())
    assert ({name: flags.get(name) for name in flags.names()}, rest) == (values, arguments)


def test_where_it_is_so_everything_after_the_first_argument_belongs_to_the_container():
    flags, rest = parse(["-d", "nginx", "--replicas", "3", "-x"], interspersed=False)
    assert (flags.names(), rest) == (["detach"], ["nginx", "--replicas", "3", "-x"])


REFUSED = [
    ("--foo", "unknown flag: --foo"),
    ("-z", "unknown shorthand flag: 'z' in -z"),
    ("-dz", "unknown shorthand flag: 'z' in -z"),
    ("--replicas", "flag needs an argument: --replicas"),
    ("-p", "flag needs an argument: 'p' in -p"),
    ("--replicas x", 'invalid argument "x" for "--replicas" flag: strconv.ParseUint: parsing "x": invalid syntax'),
    ("--replicas=-1", 'invalid argument "-1" for "--replicas" flag: strconv.ParseUint: parsing "-1": invalid syntax'),
    (
        "--detach=maybe",
        'invalid argument "maybe" for "-d, --detach" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ),
    ("-p foo", 'invalid argument "foo" for "-p, --publish" flag: invalid containerPort: foo'),
    ("-p 99999:80", 'invalid argument "99999:80" for "-p, --publish" flag: invalid hostPort: 99999'),
    ("--update-delay 5", 'invalid argument "5" for "--update-delay" flag: time: missing unit in duration "5"'),
    ("--update-delay 5x", 'invalid argument "5x" for "--update-delay" flag: time: unknown unit "x" in duration "5x"'),
    ("--limit-cpu foo", 'invalid argument "foo" for "--limit-cpu" flag: failed to parse foo as a rational number'),
    ("--limit-memory 10xx", 'invalid argument "10xx" for "--limit-memory" flag: invalid suffix: \'xx\''),
    ("--mount src=a", 'invalid argument "src=a" for "--mount" flag: target is required'),
]


@pytest.mark.parametrize(("line", "complaint"), REFUSED)
def test_words_that_are_refused(line, complaint):
    with pytest.raises(FlagError) as refusal:
        parse(line.split())
    assert str(refusal.value) == complaint


PORTS = [
    ("8888:80", [("tcp", 80, 8888, "ingress")]),
    ("80", [("tcp", 80, 0, "ingress")]),
    ("53:53/udp", [("udp", 53, 53, "ingress")]),
    ("8000-8001:80-81", [("tcp", 80, 8000, "ingress"), ("tcp", 81, 8001, "ingress")]),
    ("published=8080,target=80,mode=host", [("tcp", 80, 8080, "host")]),
]


@pytest.mark.parametrize(("text", "ports"), PORTS)
def test_published_ports(text, ports):
    flags, _ = parse(["-p", text])
    assert [(p.protocol, p.target_port, p.published_port, p.publish_mode) for p in flags.every("publish")] == ports
