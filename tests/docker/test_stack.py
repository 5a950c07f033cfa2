"""Stacks: what compose files become, and how mistakes in them are told."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmsim.docker.compose.interpolate import BadVariable, substitute
from swarmsim.docker.compose.load import load
from swarmsim.docker.errors import CommandError
from swarmsim.docker.files import Files
from tests.conftest import Lab


def deployed(*texts: str, environment: dict[str, str] | None = None, flags: str = "", lab: Lab | None = None):
    lab = lab or Lab(managers=1, workers=1)
    names = [f"{n}.yml" for n in range(len(texts))]
    lab.world.files = Files(dict(zip(names, texts, strict=True)), None, environment)
    lab.world.files.inline["pw.txt"] = "secret"
    files = " ".join(f"-c {name}" for name in names)
    return lab, lab.docker(f"stack deploy -d {flags} --resolve-image never {files} s")


def web(lines: str) -> str:
    """A file with one service; ``lines`` are indented below it."""
    body = "\n".join(f"    {line}" for line in lines.splitlines())
    return f"services:\n  web:\n{body}\n"


def test_a_remark_between_a_key_and_its_value():
    _, result = deployed(web("image: # from our own registry\n  mini:1\n\ncommand: sleep 1000"))
    assert (result.code, result.err) == (0, "")


MISTAKES = [
    (web("image: mini:1\nreplicas: 3"), "services.web Additional property replicas is not allowed", "line 4; 'replicas' belongs under 'deploy'"),
    (web("imagee: mini:1"), "services.web Additional property imagee is not allowed", "line 3; did you mean 'image'?"),
    (web("image: 3"), "services.web.image must be a string", "line 3; wanted: string"),
    (web("image: mini:1\ndeploy: {replicas: many}"), "services.web.deploy.replicas must be a integer", "line 4"),
    (web("image: mini:1\nports: 80"), "services.web.ports must be a list", "line 4; wanted: list"),
    (web("image: mini:1\nports: ['70000:80']"), "services.web.ports.0 Does not match format 'ports'", "line 4; wanted: ports from 1 to 65535"),
    (web("image: mini:1\nvolumes: ['data::b']\ndeploy: {replicas: -1}"), "decoding failed due to the following error(s):\n\ncannot parse 'Deploy.Replicas', -1 overflows uint\nerror decoding 'Volumes[0]': invalid spec: data::b: empty section between colons", "line 5"),
    (web("command: sleep 3"), "invalid image reference for service web: no image specified", "line 2"),
    (web("image: Mini:1"), "invalid image reference for service web: invalid reference format", "line 3"),
    (web("image: mini:1\nnetworks: [nowhere]"), 'service web: undefined network "nowhere"', "line 2"),
    (web("image: mini:1\nvolumes: ['data:/d']"), 'service web: undefined volume "data"', "line 2"),
    (web("image: mini:1\nsecrets: [pw]"), 'service web: undefined secret "pw"', "line 2"),
    (web("image: mini:1\nstop_grace_period: soon"), "services.web.stop_grace_period Does not match format 'duration'", "line 4; wanted: a duration"),
    ("version: '3.3'\n" + web("image: mini:1\ninit: true"), "services.web Additional property init is not allowed", "line 5; 'init' is known from version 3.7 on"),
    (web("image: mini:${"), 'invalid interpolation format for services.web.image: "mini:${"', "line 3"),
    (web("image: mini:${TAG:?is needed}"), '"required variable TAG is missing a value: is needed"; you may need to escape any $ with another $', "line 3"),
    (web("image: mini:1\nimage: mini:2"), 'mapping key "image" already defined', "line 4"),
    ("services: [\n", "yaml: line 1: did not find expected node content", "line 2"),
    ("- a\n", "top-level object must be a mapping", ""),
    ("version: '2.4'\nservices: {}\n", "unsupported Compose file version: 2.4", ""),
    ("version: '3.99'\nservices: {}\n", "unsupported Compose file version: 3.99", ""),
    ("servces: {}\n", "(root) Additional property servces is not allowed", "line 1; did you mean 'services'?"),
    (web("image: mini:1\nextends: other"), "Support for `extends` is not implemented yet.", ""),
    (web("image: mini:1\ndeploy: {mode: some}"), "service web: Unknown mode: some", "line 2"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said", "where"), MISTAKES)
def test_mistakes_are_told_in_dockers_words_and_with_their_place(text, said, where):
    lab, result = deployed(text)
    assert result.code == 1
    assert said in result.err
    assert where in result.err
    assert "Traceback" not in result.err
    assert lab.view().services == []


def test_what_was_made_before_a_mistake_is_said():
    bad = web("image: mini:1\ncommand: sleep 100\ndeploy: {update_config: {failure_action: explode}}\nnetworks: [back]")
    _, result = deployed(bad + "networks: {back: {}}\n")
    assert (
        "failed to create service s_web: Error response from daemon: unrecognized update failure action explode"
        in result.err
    )
    assert "swarmsim: done before that: network s_back" in result.err


def test_files_are_merged_the_later_one_wins():
    first = web("image: mini:1\ncommand: sleep 1000\nenvironment: [A=1, B=2]\ndeploy: {replicas: 1}")
    second = web("environment: {B: 3}\ndeploy: {replicas: 2}")
    lab, result = deployed(first, second)
    assert result.code == 0, result.err
    spec = lab.view().services[0].spec
    assert (spec.task.container.env, spec.mode.replicated.replicas) == (["A=1", "B=3"], 2)


def test_prune_removes_what_is_no_longer_in_the_file():
    two = "services:\n  a: {image: 'mini:1', command: sleep 1000}\n  b: {image: 'mini:1', command: sleep 1000}\n"
    lab, _ = deployed(two)
    _, result = deployed("services:\n  a: {image: 'mini:1', command: sleep 1000}\n", flags="--prune", lab=lab)
    assert "Removing service s_b" in result.out
    assert [service.spec.name for service in lab.view().services] == ["s_a"]


def test_deploying_again_changes_no_task():
    text = web("image: mini:1\ncommand: sleep 1000\nlabels: {a: b}")
    lab, _ = deployed(text)
    lab.sleep(5)
    before = {task.id for task in lab.tasks("s_web")}
    _, result = deployed(text, lab=lab)
    assert "Updating service s_web (id: " in result.out
    lab.sleep(20)
    assert {task.id for task in lab.tasks("s_web")} == before


def test_everything_of_a_stack_carries_its_name_and_goes_with_it():
    text = web("image: mini:1\ncommand: sleep 1000\nsecrets: [pw]\nnetworks: [back]\nvolumes: ['data:/d']")
    lab, result = deployed(text + "networks: {back: {}}\nvolumes: {data: {}}\nsecrets: {pw: {file: pw.txt}}\n")
    assert result.out.splitlines() == ["Creating network s_back", "Creating secret s_pw", "Creating service s_web"]
    mount = lab.view().services[0].spec.task.container.mounts[0]
    assert (mount.source, mount.volume.labels) == ("s_data", {"com.docker.stack.namespace": "s"})
    removed = lab.docker("stack rm s").out
    assert removed.splitlines() == ["Removing service s_web", "Removing secret s_pw", "Removing network s_back"]
    assert lab.docker("secret ls -q").out == ""


VARIABLES = [
    ("$A", "1"),
    ("${A}", "1"),
    ("x${A}y", "x1y"),
    ("$$A", "$A"),
    ("${B:-2}", "2"),
    ("${E:-2}", "2"),
    ("${E-2}", ""),
    ("${A:-2}", "1"),
    ("${B:-${A}}", "${A}"),
    ("$B", ""),
    ("${B:?must} $A", " 1"),
]


@pytest.mark.parametrize(("text", "filled"), VARIABLES)
def test_variables(text, filled):
    assert substitute(text, {"A": "1", "E": ""}) == filled


@pytest.mark.parametrize("text", ["${A", "${A:+3}", "$", "${B:?must}", "$A ${"])
def test_variables_that_are_none(text):
    with pytest.raises(BadVariable):
        substitute(text, {"A": "1"})


@given(text=st.text(max_size=200))
def test_any_text_is_a_file_or_one_complaint(text):
    with suppress(CommandError):
        load(["x.yml"], Files({"x.yml": text}), lambda warning: None)


def test_environment_files_come_first_and_what_is_written_wins():
    lab = Lab(managers=1, workers=0)
    text = web("image: mini:1\ncommand: sleep 9\nenv_file: a.env\nenvironment: {B: 3}")
    lab.world.files = Files({"s.yml": text, "a.env": "# remarks\nA=1\n\nB=2\n"})
    result = lab.docker("stack deploy -d --resolve-image never -c s.yml s")
    assert result.code == 0, result.err
    assert lab.view().services[0].spec.task.container.env == ["A=1", "B=3"]
