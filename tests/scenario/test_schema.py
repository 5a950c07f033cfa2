"""What an editor is told of scenario files: a JSON Schema that takes what the loader takes."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from swarmsim.scenario.loader import ScenarioError, parse_scenario
from swarmsim.scenario.schema import Fault, Scenario

ROOT = Path(__file__).parent.parent.parent
SCHEMA = Scenario.model_json_schema(by_alias=True)
READ = YAML(typ="safe")  # YAML 1.2, in which `on` is a word and not a truth value


def scenarios():
    for path in sorted((ROOT / "scenarios").glob("*.yaml")):
        yield pytest.param(path.read_text("utf-8"), id=path.stem)
    for document in sorted((ROOT / "docs").glob("*.md")):
        for text in re.findall(r"^```yaml\n(name: .*?)^```", document.read_text("utf-8"), re.S | re.M):
            yield pytest.param(text, id=f"{document.name}: {text.split()[1]}")


@pytest.mark.parametrize("text", scenarios())
def test_every_scenario_there_is_fits(text):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(READ.load(text), SCHEMA, jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    "text",
    [
        "name: x\nsteps: [{dcoker: ps}]",
        "name: x\nsteps: [{fault: {power-of: m1}}]",
        "name: x\nexpect: [{service: web, runing: 1}]",
        "name: x\ncluster: {managers: three}",
        "name: x\nmeanwhile: [{docker: ps}]",
    ],
)
def test_what_the_loader_refuses_does_not_fit(text):
    with pytest.raises(ScenarioError):
        parse_scenario(text, "x.yaml")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(READ.load(text), SCHEMA, jsonschema.Draft202012Validator)


def test_every_property_is_described():
    for name, definition in {"Scenario": SCHEMA, **SCHEMA["$defs"]}.items():
        assert [key for key, value in definition.get("properties", {}).items() if not value.get("description")] == [], (
            name
        )


def test_an_editor_completes_fault_verbs():
    verbs = {field.alias or name for name, field in Fault.model_fields.items()}
    assert set(SCHEMA["$defs"]["Fault"]["properties"]) == verbs
