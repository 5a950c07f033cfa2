"""The Engine API as HTTP: requests and what answers them, over a wire on which only bytes travel."""

from __future__ import annotations

import json

import pytest

from swarmsim.apitypes import engine as engineapi
from swarmsim.apitypes import swarm as swarmapi
from swarmsim.apitypes.base import as_json, decode
from swarmsim.apitypes.http import ConnectError, Request, Response
from swarmsim.engine.routes import ROUTES, EngineTransport, find_route
from swarmsim.sim.future import Activity
from tests.apitypes.test_specs import SENT
from tests.conftest import Lab


class Wire:
    """A transport that makes bytes of every body, as a socket would."""

    def __init__(self, inner: EngineTransport) -> None:
        self.inner = inner
        self.requests: list[Request] = []

    def handle(self, request: Request) -> Activity[Response]:
        self.requests.append(request)
        response = yield from self.inner.handle(request._replace(body=request.content))
        return response._replace(body=response.content)


@pytest.fixture(scope="module")
def shared() -> Lab:
    lab = Lab()
    lab.service(2, flags="-p 8080:80 --label tier=front")
    lab.wait(lambda: lab.running() == 2)
    return lab


def ask(lab: Lab, method: str, path: str, query: dict[str, str] | None = None, body: object = None, on: str = "m1"):
    content = json.dumps(body).encode() if body is not None else None
    transport = Wire(EngineTransport(lab.world.engines[on]))
    return lab.world.run(transport.handle(Request(method, path, query or {}, content)))


ANSWERED = [
    ("GET", "/v1.41/services", {}, 200, lambda b: [s["Spec"]["Name"] for s in b] == ["web"]),
    ("GET", "/services", {"filters": '{"name":{"w":true}}'}, 200, lambda b: len(b) == 1),
    ("GET", "/services", {"filters": '{"name":["x"]}'}, 200, lambda b: b == []),
    ("GET", "/services", {"filters": '{"label":{"tier=back":true}}'}, 200, lambda b: b == []),
    ("GET", "/services", {"filters": '{"mode":{"replicated":true}}'}, 200, lambda b: len(b) == 1),
    ("GET", "/services", {"filters": '{"colour":{"red":true}}'}, 400, lambda b: b["message"] == "Invalid filter 'colour'"),
    ("GET", "/services/web", {"insertDefaults": "true"}, 200, lambda b: b["Spec"]["UpdateConfig"]["Parallelism"] == 1),
    ("GET", "/services/nobody", {}, 404, lambda b: b["message"] == "service nobody not found"),
    ("GET", "/nodes", {"filters": '{"role":{"worker":true}}'}, 200, lambda b: len(b) == 2),
    ("GET", "/nodes/self", {}, 200, lambda b: b["Description"]["Hostname"] == "m1"),
    ("GET", "/tasks", {"filters": '{"service":{"web":true},"_up-to-date":{"true":true}}'}, 200, lambda b: len(b) == 2),
    ("GET", "/tasks", {"filters": '{"desired-state":{"shutdown":true}}'}, 200, lambda b: b == []),
    ("GET", "/tasks", {"filters": '{"desired-state":{"odd":true}}'}, 400, lambda b: b["message"] == "Invalid desired-state filter: 'odd'"),
    ("GET", "/tasks", {"filters": '{"node":{"nowhere":true}}'}, 404, lambda b: b["message"] == "node nowhere not found"),
    ("POST", "/services/web/update", {"version": "x"}, 400, lambda b: "got EOF" in b["message"]),
    ("GET", "/networks", {"filters": '{"driver":{"bridge":true}}'}, 200, lambda b: {n["Driver"] for n in b} == {"bridge"}),
    ("GET", "/volumes", {}, 200, lambda b: b == {"Volumes": [], "Warnings": None}),
    ("GET", "/containers/json", {"all": "1"}, 200, lambda b: all(isinstance(c["Created"], int) for c in b)),
    ("GET", "/info", {}, 200, lambda b: b["Swarm"]["ControlAvailable"] is True),
    ("GET", "/version", {}, 200, lambda b: b["ApiVersion"] == "1.41"),
    ("GET", "/distribution/nginx:latest/json", {}, 200, lambda b: b["Descriptor"]["digest"].startswith("sha256:")),
    ("GET", "/services/web/logs", {}, 400, lambda b: "at least one stream" in b["message"]),
    ("GET", "/nothing", {}, 404, lambda b: b["message"] == "page not found"),
    ("POST", "/swarm/leave", {}, 503, lambda b: "participating as a manager" in b["message"]),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "query", "status", "right"), ANSWERED)
def test_requests_are_answered(shared, method, path, query, status, right):
    response = ask(shared, method, path, query)
    assert response.status == status
    assert right(response.json())


@pytest.mark.parametrize("sent", SENT, ids=lambda sent: sent["says"][:60])
def test_the_daemon_takes_what_the_real_client_sends(sent):
    lab = Lab(managers=1, workers=0)
    response = ask(lab, "POST", "/services/create", body=sent["body"])
    answer = response.json()
    if "--secret" in sent["says"] or "--network" in sent["says"]:
        assert response.status in (201, 400, 404), answer  # what they name is not here
        return
    assert response.status == 201, answer
    spec = ask(lab, "GET", f"/services/{answer['ID']}").json()["Spec"]
    container = spec["TaskTemplate"]["ContainerSpec"]
    assert (spec["TaskTemplate"]["Runtime"], container["Isolation"]) == ("container", "default")


def test_a_worker_has_no_swarm_to_show(shared):
    assert ask(shared, "GET", "/services", on="w1").status == 503


def test_every_route_is_found_by_its_own_path():
    for route in ROUTES:
        found = find_route(route.method, "/v1.41" + route.path.replace("{id}", "some.thing"))
        assert found is not None
        assert found[0] is route


def test_where_no_daemon_runs_nobody_answers():
    lab = Lab(managers=1, workers=0)
    lab.world.kill_engine("m1")
    with pytest.raises(ConnectError):
        ask(lab, "GET", "/info")
    assert "Cannot connect to the Docker daemon" in lab.docker("node ls").err


def test_commands_say_the_same_over_a_wire():
    """What is typed has the same answer whether bodies are records or bytes."""
    lines = [
        "service create -d --name web --replicas 2 --secret pw --network back -p 80:80 --mount src=d,dst=/d nginx",
        "service update -d --limit-cpu 0.5 --env-add A=1 web", "service scale -d web=3", "service ls", "service ps web",
        "service inspect web", "service inspect --pretty web", "node ls", "node ps", "node inspect self", "ps -a",
        "node update --label-add a=b m1", "network ls", "network inspect back", "volume ls", "secret ls", "info",
        "version", "service logs web", "events --since 1m --until 0s", "swarm join-token worker",
        "swarm update --task-history-limit 3", "service rollback -d web", "service rm web",
    ]  # fmt: skip
    outcomes = []
    for wired in (False, True):
        lab = Lab(managers=1, workers=1)
        if wired:
            lab.world.transport = lambda engine: Wire(EngineTransport(engine))  # type: ignore[method-assign]
        lab.world.files.inline["pw"] = "x"
        lab.docker("secret create pw pw")
        lab.docker("network create -d overlay back")
        outcomes.append([(line, *lab.docker(line)) for line in lines])
    assert outcomes[0] == outcomes[1]
    assert [line for line, code, *_ in outcomes[0] if code] == []


SHOWN = [
    ("/services", list[swarmapi.Service]), ("/services/web", swarmapi.Service), ("/tasks", list[swarmapi.Task]),
    ("/nodes", list[swarmapi.Node]), ("/swarm", swarmapi.Swarm), ("/secrets", list[swarmapi.Secret]),
    ("/configs", list[swarmapi.Config]), ("/networks", list[engineapi.Network]), ("/volumes", engineapi.VolumeList),
    ("/containers/json", list[engineapi.Container]), ("/info", engineapi.Info),
]  # fmt: skip


@pytest.mark.parametrize(("path", "kind"), SHOWN, ids=[path for path, _ in SHOWN])
def test_what_is_shown_is_what_the_table_of_types_says(shared, path, kind):
    response = ask(shared, "GET", path)
    assert as_json(decode(response.content, kind)) == response.json()


def test_who_asks_for_the_status_of_services_is_told_how_many_tasks_they_have():
    lab = Lab(managers=1, workers=1)
    lab.service(replicas=2)
    lab.wait(lambda: lab.running() == 2)
    (plain,) = ask(lab, "GET", "/services").json()
    assert "ServiceStatus" not in plain
    (told,) = ask(lab, "GET", "/services", {"status": "true"}).json()
    assert told["ServiceStatus"] == {"RunningTasks": 2, "DesiredTasks": 2, "CompletedTasks": 0}
