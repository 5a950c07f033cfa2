"""Logs of services and tasks (moby daemon/cluster/services.go ServiceLogs), collected from the nodes that the tasks are on."""

from __future__ import annotations

from collections.abc import Callable

from swarmsim.apitypes.http import ApiError
from swarmsim.engine.calls import find
from swarmsim.engine.engine import LOG_PORT
from swarmsim.engine.lookups import Lookups
from swarmsim.engine.stream import STDOUT, SYSTEM_ERROR, LogQuery, Pipe, log_frame, log_line
from swarmsim.sim.future import Activity
from swarmsim.sim.net.channel import ask_once
from swarmsim.sim.net.status import RpcError
from swarmsim.swarm.api.logbroker import SUBSCRIBE_LOGS, SubscribeLogsRequest
from swarmsim.swarm.objects import Task

FOLLOW_INTERVAL = 0.5  # seconds between two looks at logs that are followed
INCOMPLETE = (
    "rpc error: code = Unknown desc = warning: incomplete log stream. "
    "some logs could not be retrieved for the following reasons: "
)
LOGS_TIMEOUT = 5.0  # seconds that a node has to answer; an estimate


class LogCalls(Lookups):
    def logs(self, reference: str, kind: str, query: LogQuery) -> Activity[Pipe[bytes]]:
        """What the containers of a service's tasks, or of one task, printed: lines as ``docker service logs`` reads them.

        Without ``follow`` the stream ends with what is there now; with it, nodes are asked again every 0.5 s.
        """
        yield from self._request()
        if kind == "service":
            service = yield from self._service(reference)
            wanted, key = service.id, "service_id"
        else:
            tasks = yield from self._tasks()
            wanted, key = find("task", reference, [(task.id, "", task) for task in tasks]).id, "id"
        pipe: Pipe[bytes] = Pipe(self.host.clock)
        self.engine.process.spawn(self._collect(pipe, lambda task: getattr(task, key) == wanted, query))
        return pipe

    def _collect(self, pipe: Pipe[bytes], fits: Callable[[Task], bool], query: LogQuery) -> Activity[None]:
        since, first = query.since, True
        while True:
            asked = self.host.wall.now
            try:
                tasks = [task for task in (yield from self._tasks()) if fits(task)]
                lines, missing = yield from self._printed(tasks)
            except ApiError as error:
                pipe.put(log_frame(SYSTEM_ERROR, f"Error grabbing logs: {error.message}\n"))
                break
            entries = []
            for task, printed in lines:
                new = [line for line in printed if (line[0] >= since if first else line[0] > since)]
                if first and query.tail is not None:
                    new = new[len(new) - min(query.tail, len(new)) :]
                entries += [(at, log_line(task, at, text, query)) for at, text in new]
            for _, line in sorted(entries, key=lambda entry: entry[0]):
                pipe.put(log_frame(STDOUT, line))
            if missing and first:
                reasons = "\n".join(f"\tnode {id} is not available" for id in missing)
                pipe.put(log_frame(SYSTEM_ERROR, f"Error grabbing logs: {INCOMPLETE}{reasons.strip()}\n"))
            if not query.follow or pipe.closed:
                break
            since, first = asked, False
            yield FOLLOW_INTERVAL
        pipe.end()

    def _printed(self, tasks: list[Task]) -> Activity[tuple[list[tuple[Task, list[tuple[float, str]]]], list[str]]]:
        """The lines of tasks, node by node, and the nodes that did not answer."""
        found: list[tuple[Task, list[tuple[float, str]]]] = []
        missing: list[str] = []
        for view in (yield from self._nodes()):
            own = [task for task in tasks if task.node_id == view.node.id]
            if not own:
                continue
            request = SubscribeLogsRequest(tuple(task.id for task in own))
            try:
                address = self.host.ctx.hosts[view.node.hostname].address
                logs = yield from ask_once(
                    self.engine.process, f"{address}:{LOG_PORT}", SUBSCRIBE_LOGS, request, LOGS_TIMEOUT
                )
            except RpcError:
                missing.append(view.node.id)
                continue
            found += [(task, logs.lines.get(task.id, [])) for task in own]
        return found, missing
