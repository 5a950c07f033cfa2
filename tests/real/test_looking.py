"""A look at a real engine's API gives the rows that the model's own recorder writes of the same swarm."""

from __future__ import annotations

import json
from typing import Any

from swarmsim.apitypes.base import encode, from_json
from swarmsim.apitypes.http import Request
from swarmsim.apitypes.swarm import Node, Service, Task
from swarmsim.real.looking import Differences, View
from swarmsim.scenario.loader import load_scenario
from swarmsim.scenario.runner import ScenarioRun, build_world
from swarmsim.trace.rows import KINDS, Row
from swarmsim.world.simulated import SimulatedWorld
from swarmsim.world.views import Differences as OfTheModel

SEED = 4


def asked(world: SimulatedWorld, path: str) -> Any:
    """What an engine answers on the wire."""
    response = world.run(world.transport(world.engines["m1"]).handle(Request("GET", path, {}, None)))
    return json.loads(encode(response.body))


def looked(world: SimulatedWorld) -> View:
    networks = {network["Id"]: network["Name"] for network in asked(world, "/networks")}
    return View(
        from_json(asked(world, "/nodes"), list[Node]),
        from_json(asked(world, "/services"), list[Service]),
        from_json(asked(world, "/tasks"), list[Task]),
        networks,
    )


def test_rows_of_a_real_api_are_those_of_the_model():
    loaded = load_scenario("rolling-update")
    world = build_world(loaded.scenario, SEED)
    run = ScenarioRun(loaded, world)
    ours, models = (
        Differences(),
        OfTheModel(lambda row_type, *_, **fields: told.append({"kind": KINDS[row_type], **fields})),
    )
    told: list[Row] = []
    compared = 0
    for _ in range(60):
        run.advance(run.now + 0.9)
        told.clear()
        view, shown, after = world.run(world.view()), looked(world), world.run(world.view())
        if view is None or after is None or view[1:] != after[1:]:
            continue  # something changed between the two looks
        models.write(view)
        found = ours.rows(shown)
        assert sorted(map(str, map(sorted_row, found))) == sorted(map(str, map(sorted_row, told)))
        compared += len(told)
    assert compared > 60


def sorted_row(row: Row) -> list[tuple[str, Any]]:
    return sorted(row.items(), key=lambda item: item[0])
