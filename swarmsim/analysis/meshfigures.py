"""What was read off the recorded meshes: for each situation its figures, in seconds after the step unless their name says otherwise.

Five engines 20.10.24 (user-mode Linux with IPVS), one to five runs each. Their tables were polled every 0.05 s, tasks every 0.2 s, so those may be
late by that; requests were begun eight to ten times a second at each host.
"""

from __future__ import annotations

from swarmsim.analysis.mesh import (
    Figure,
    Kinds,
    Measure,
    Run,
    Situation,
    Traffic,
    elected,
    known_before_running,
    new_tasks,
    node_is,
    old_tasks,
    removed,
    waited,
    weighed,
)

LOOKED = 0.25
"""Seconds: a task's state is seen by a poll every 0.2 s."""
TICK = 0.13
"""Seconds between two requests at one host: when the first or last that failed began is known no better."""

MACHINE = 50.0
"""Milliseconds that a request may take longer there than in the model, whose servers are not slowed by the machine's load."""

HOSTS = ("m1", "w1", "w2")
NONE: frozenset[str] = frozenset()
EARLY = frozenset(("refused",))
"""A new task is asked a moment before it listens: in the recordings once in about 50 starts."""
SLOW = "engine work on those machines took as long as their load let it"
LATE = "in one real run one host heard 3 s later that a task stops"
LOADED = "run 5, on a machine under load, whose members doubt themselves and look more slowly"
TOGETHER = "a loaded machine starts a host's tasks together, so they stand side by side in the lists"
ALONE = "whom a member that is alone looks at next is chance: in a fifth of runs again who is suspect, which takes 3 s; real: 3 runs"


def _kinds(*names: str) -> frozenset[str]:
    return frozenset(names)


def _scaled(server: str, gone: tuple[float, ...]) -> Situation:
    up, down = Traffic("up", until="down"), Traffic("down")
    return Situation(
        f"scale-{server}",
        "mesh_b, 2 runs",
        (
            Figure("up: requests that failed", (1, 0, 0, 0), up.lost),
            Figure(
                "up: an entry before its task is shown RUNNING",
                (0.05, 1.1),
                known_before_running("up", "down"),
                LOOKED,
                SLOW,
            ),
            Figure("down: requests that failed", (0, 0, 0, 1), down.lost, 0.0, LATE),
            Figure("down: weight 0 at m1", (1.2, 1.6), weighed("down", 0, "m1"), 0.1, SLOW),
            Figure("down: the last entry gone at m1", gone, weighed("down", None, "m1", last=True), 0.1, SLOW),
        ),
        (
            Kinds("up: how they failed", NONE, up.failures, EARLY),
            Kinds("down: how they failed", NONE, down.failures, EARLY),
        ),
    )


def _drained(server: str, gone: tuple[float, ...], stopped: tuple[float, ...], running: tuple[float, ...]) -> Situation:
    return Situation(
        f"drain-{server}",
        "mesh_f, 1 run",
        (
            Figure("requests that failed", (0,), Traffic("drain").lost),
            Figure("weight 0", (1.15, 1.29) if server == "ignores" else (1.20, 1.24), weighed("drain", 0, *HOSTS), 0.1),
            Figure("the last entry gone", gone, weighed("drain", None, *HOSTS, last=True), 0.1),
            Figure("old tasks SHUTDOWN", stopped, old_tasks("drain", "shutdown"), LOOKED),
            Figure("replacements READY", (0.45,), new_tasks("drain", "ready"), LOOKED),
            Figure("replacements RUNNING", running, new_tasks("drain", "running"), LOOKED, SLOW),
        ),
        (Kinds("how they failed", NONE, Traffic("drain").failures, EARLY),),
    )


def _alone(server: str, figures: dict[str, tuple[float, ...]]) -> Situation:
    """One task on w1; requests at w1 and m1."""
    at = ("w1", "m1")
    update, off = Traffic("update", at, "scale-0"), Traffic("scale-0", at, "scale-1")
    rm = Traffic("rm", at)
    return Situation(
        f"alone-{server}",
        "mesh_o, 1 run",
        (
            Figure(
                "create: first answer", figures["create"], Traffic("create", at, "update").first_after("ok"), TICK, SLOW
            ),
            Figure("update: first failure", figures["ok until"], update.first_lost, TICK, SLOW),
            Figure("update: the last time-out began", figures["update: last"], update.last_of("timeout"), 0.3, SLOW),
            Figure("update: time-outs", figures["update: timeouts"], update.number_of("timeout"), 2.0, SLOW),
            Figure("update: answered again", figures["ok again"], update.first_after("ok"), TICK, SLOW),
            Figure("scale 0: first failure", figures["off from"], off.first_lost, TICK),
            Figure("scale 0: the last time-out began", figures["scale 0: last"], off.last_of("timeout"), 0.3),
            Figure("scale 0: time-outs", figures["scale 0: timeouts"], off.number_of("timeout"), 2.0),
            Figure("rm: first failure", figures["off from"], rm.first_lost, TICK),
            Figure("rm: the last time-out began", figures["rm: last"], rm.last_of("timeout"), 0.3),
            Figure("rm: time-outs", figures["rm: timeouts"], rm.number_of("timeout"), 2.0),
        ),
        (
            Kinds("update: how they failed", _kinds("refused", "timeout"), update.failures, _kinds("reset")),
            Kinds("scale 0: how they failed", _kinds("refused", "timeout"), off.failures, _kinds("reset")),
            Kinds("rm: how they failed", _kinds("refused", "timeout"), rm.failures, _kinds("reset")),
        ),
    )


def _updated(
    name: str,
    took: tuple[float, ...],
    lost: tuple[float, ...],
    failed: frozenset[str],
    *more: Figure,
    runs: str = "2 runs",
) -> Situation:
    asked = Traffic("update")
    figures = (
        Figure("took", took, waited("update", "service web, update completed"), LOOKED, SLOW),
        Figure("requests that failed", lost, asked.lost),
    )
    return Situation(
        f"update-{name}", f"mesh_c, {runs}", figures + more, (Kinds("how they failed", failed, asked.failures, EARLY),)
    )


def _after_ready(run: Run) -> list[float]:
    """When a load balancer first gives up a task, after its node is shown ready again."""
    ready, weight = node_is("heal", "w2", "ready")(run), weighed("heal", 0, "m1")(run)
    return [weight[0] - ready[0]] if ready and weight else []


def _clients(kind: str) -> list[Traffic]:
    return [Traffic("power-off", until="scale-0", name=f"{kind}-{host}") for host in ("m1", "w1")]


def _named(kind: str, measure: str) -> Measure:
    """A measure of the requests of both clients' containers."""
    return lambda run: [value for client in _clients(kind) for value in getattr(client, measure)(run)]


def _named_failures(run: Run) -> set[str]:
    return {how for kind in ("vip", "rr") for client in _clients(kind) for how in client.failures(run)}


_LOST = Traffic("power-off", ("m1", "w1"), "power-on")
_LOST_OF_FIVE = Traffic("power-off", ("m1", "m2", "m3", "w1"), "power-on")
_OWN = Traffic("power-on", ("w2",))
_LOST_OF_THREE = Traffic("power-off", ("m2", "m3", "w1", "w2"))
_KILLED = Traffic("kill-container")
_CUT = Traffic("partition", ("m1", "w1"), "heal")
_CUT_OFF = Traffic("partition", ("w2",), "heal")
_HEALED = Traffic("heal", ("w2",))
_HEALED_OTHERS = Traffic("heal", ("m1", "w1"))
_EMPTIED = Traffic("scale-0", name="emptied")

SITUATIONS: tuple[Situation, ...] = (
    Situation(
        "any-node",
        "mesh_a, 1 run",
        (
            Figure(
                "how many more one task answered than the other",
                (1, 1, 1),
                Traffic(None, HOSTS, name="in-turn").shares_differ,
            ),
            Figure(
                "held connections stay with the task that stops until",
                (13.48,),
                Traffic("scale-echo", name="held").other_answers_until,
                TICK,
                SLOW,
            ),
        ),
        (
            Kinds("in turn", _kinds("ok"), Traffic(None, name="in-turn").outcomes),
            Kinds("no task left", _kinds("refused"), Traffic(None, name="nothing-left").outcomes),
            Kinds("a port never published", _kinds("refused"), Traffic(None, name="never-published").outcomes),
            Kinds("a drained node", _kinds("ok"), Traffic(None, name="drained-node").outcomes),
            Kinds("just removed", _kinds("ok"), Traffic(None, name="just-removed").outcomes),
            Kinds("removed for 18 s", _kinds("refused"), Traffic(None, name="removed").outcomes),
        ),
    ),
    Situation(
        "worker-power-loss",
        "mesh_d, 5 runs",
        (
            Figure("time-outs at m1 and w1", (13, 14, 16, 16, 13, 13, 18, 17, 23, 22), _LOST.lost, 0.0, LOADED),
            Figure(
                "share that failed while nobody knew",
                (0.37, 0.36, 0.32, 0.36, 0.35, 0.34, 0.36),
                _LOST.share_while_stale,
                0.01,
            ),
            Figure(
                "the last time-out began", (3.7, 3.7, 4.3, 4.3, 4.0, 4.0, 4.9, 4.84, 6.6, 6.14), _LOST.last_lost, TICK
            ),
            Figure(
                "milliseconds when the second SYN is answered",
                (1008, 1011, 1036, 1010, 1020, 1009, 1050),
                _LOST.slowest,
                MACHINE,
            ),
            Figure(
                "its entries gone at m1 and w1",
                (5.09, 5.55, 5.06, 5.07, 6.15, 7.63),
                removed("power-off", "w2", "m1", "w1"),
                0.05,
                LOADED,
            ),
            Figure("w2 down", (9.86, 13.24, 10.86, 11.4, 11.7), node_is("power-off", "w2", "down"), LOOKED),
            Figure(
                "replacements STARTING after that",
                (5.2, 5.2, 5.3),
                new_tasks("power-off", "starting", "power-on", "w2"),
                LOOKED,
            ),
            Figure(
                "replacements RUNNING after that",
                (6.3, 6.5, 6.5, 6.7, 6.7, 6.9, 6.3, 6.5, 6.5, 6.9),
                new_tasks("power-off", "running", "power-on", "w2"),
                LOOKED,
            ),
            Figure(
                "w2 answers again after power on", (9.0, 9.2, 11.8, 12.2, 12.4), _OWN.first_after("ok", "refused"), TICK
            ),
            Figure(
                "w2 refuses at once after power on", (0.53, 0.48, 0.57, 0.59, 0.62), _OWN.first_at_once("refused"), TICK
            ),
        ),
        (
            Kinds("how they failed", _kinds("timeout"), _LOST.failures, EARLY),
            Kinds(
                "… at w2, without power",
                _kinds("timeout"),
                Traffic("power-off", ("w2",), "power-on").outcomes,
                _kinds("unreachable", "refused"),
            ),
            Kinds("… at w2, once it is back", _kinds("refused", "ok"), _OWN.outcomes, _kinds("unreachable", "timeout")),
        ),
    ),
    Situation(
        "five-hosts-power-loss",
        "mesh_d5, 2 runs",
        (
            Figure("time-outs at each living host", (12, 12, 10, 12, 10, 10, 10, 10), _LOST_OF_FIVE.lost),
            Figure(
                "share that failed while nobody knew", (0.23, 0.24), _LOST_OF_FIVE.share_while_stale, 0.01, TOGETHER
            ),
            Figure("the last time-out began", (5.1, 5.1, 4.1, 5.2, 4.1, 4.2, 4.1, 4.2), _LOST_OF_FIVE.last_lost, TICK),
            Figure(
                "its entries gone at each living host",
                (6.25, 6.28, 6.03, 6.30, 5.48, 5.63, 5.61),
                removed("power-off", "w2", "m1", "m2", "m3", "w1"),
            ),
            Figure("w2 down", (16.15, 13.22), node_is("power-off", "w2", "down"), LOOKED),
            Figure(
                "replacements RUNNING after that",
                (8.2, 9.8, 6.5, 6.9),
                new_tasks("power-off", "running", "power-on", "w2"),
                LOOKED,
                SLOW,
            ),
            Figure("w2 answers again after power on", (11.5, 7.7), _OWN.first_after("ok", "refused"), TICK),
        ),
        (Kinds("how they failed", _kinds("timeout"), _LOST_OF_FIVE.failures, EARLY),),
    ),
    Situation(
        "leader-power-loss",
        "mesh_dL, 2 runs",
        (
            Figure("elected", (9.69, 10.15), elected("power-off")),
            Figure("time-outs at each living host", (6, 6, 6, 6, 6, 6, 6, 6), _LOST_OF_THREE.lost),
            Figure("the last time-out began", (4.5, 5.0), _LOST_OF_THREE.last_lost, TICK),
            Figure(
                "its entries gone at each living host", (6.07, 5.93), removed("power-off", "m1", "m2", "m3", "w1", "w2")
            ),
            Figure("m1 down", (40.8, 39.7), node_is("power-off", "m1", "down"), LOOKED),
            Figure(
                "replacements RUNNING after that",
                (7.05, 6.7, 6.8),
                new_tasks("power-off", "running", None, "m1"),
                LOOKED,
            ),
        ),
        (Kinds("how they failed", _kinds("timeout"), _LOST_OF_THREE.failures, EARLY),),
    ),
    _scaled("ends", (3.8, 4.4)),
    _scaled("ignores", (13.7, 14.7)),
    _drained("ends", (3.7, 3.9), (4.2,), (6.2, 6.5)),
    _drained("ignores", (13.6, 13.9), (14.0, 14.2), (15.6, 16.5)),
    Situation(
        "killed-container",
        "mesh_g, 3 kills",
        (
            Figure("requests that failed", (2, 2, 2), _KILLED.lost),
            Figure("the last that failed began", (0.2, 0.2, 0.2), _KILLED.last_lost, 0.2),
            Figure("milliseconds when the second SYN is answered", (1018, 1042), _KILLED.slowest, MACHINE),
            Figure("its entry gone at m1", (0.4,), weighed("kill-container", None, "m1"), 0.1),
            Figure("the task is shown FAILED", (0.4, 0.5), old_tasks("kill-container", "failed"), LOOKED),
            Figure("the replacement RUNNING", (6.7, 7.4), new_tasks("kill-container", "running"), LOOKED),
        ),
        (Kinds("how they failed", _kinds("refused"), _KILLED.failures, _kinds("eof", "reset")),),
    ),
    Situation(
        "cut",
        "mesh_e, 3 runs",
        (
            Figure("time-outs at m1 and w1", (12, 12, 11, 12, 13, 14), _CUT.lost),
            Figure("the last began", (4.38, 4.41, 3.88, 3.91, 4.75, 4.91), _CUT.last_lost, TICK),
            Figure("time-outs at w2", (37, 42, 31), _CUT_OFF.lost, 0.0, ALONE),
            Figure("the last began", (7.81, 9.19, 6.19), _CUT_OFF.last_lost, TICK, ALONE),
            Figure("w2's entries gone at m1", (5.78,), removed("partition", "w2", "m1", until="heal")),
            Figure(
                "m1's or w1's entries gone at w2, the first", (5.86,), weighed("partition", None, "w2", until="heal")
            ),
            Figure("… and the last", (8.86,), weighed("partition", None, "w2", until="heal", last=True), 0.05, ALONE),
            Figure("w2 down", (10.35, 12.78, 11.88), node_is("partition", "w2", "down"), LOOKED),
            Figure("w2 ready after healing", (2.37, 0.65, 1.73), node_is("heal", "w2", "ready"), LOOKED),
            Figure("weight 0 after that", (3.3 - 2.37,), _after_ready, 0.2),
            Figure("share lost at w2 after healing (25 s)", (32 / 216, 32 / 211), _HEALED.share_lost, 0.01),
            Figure("requests lost at m1 and w1 after healing", (0, 0, 0, 0, 0, 0), _HEALED_OTHERS.lost),
        ),
        (
            Kinds("how they failed", _kinds("timeout"), _CUT.failures, EARLY),
            Kinds("… at w2", _kinds("timeout"), _CUT_OFF.failures),
            Kinds("… at w2 after healing", _kinds("timeout"), _HEALED.failures, EARLY),
        ),
    ),
    Situation(
        "names",
        "mesh_j, 2 runs",
        (
            Figure("time-outs at the virtual address, each client", (12, 12, 10, 10), _named("vip", "lost")),
            Figure("… the last began", (4.45, 4.93, 3.95, 3.98), _named("vip", "last_lost"), 0.2),
            Figure("time-outs by the name without one", (20, 19, 9, 13), _named("rr", "lost")),
            Figure("… the last began", (5.90, 5.95, 4.98, 5.04), _named("rr", "last_lost"), 0.2),
            Figure(
                "its entries gone at m1 and w1",
                (6.13, 6.15, 5.14, 5.14),
                removed("power-off", "w2", "m1", "w1", network="ov"),
            ),
            Figure("w2 down", (11.9, 14.8), node_is("power-off", "w2", "down"), LOOKED),
            Figure("scaled to nothing: the first refusal", (1.2, 1.3), _EMPTIED.first_lost, 0.2),
            Figure("… the last time-out", (14.2, 16.7), _EMPTIED.last_of("timeout"), 0.3, SLOW),
        ),
        (
            Kinds("how they failed", _kinds("timeout"), _named_failures, EARLY),
            Kinds(
                "scaled to nothing: how", _kinds("refused", "timeout", "unknown"), _EMPTIED.failures, _kinds("reset")
            ),
        ),
    ),
    _alone(
        "ends",
        {
            "create": (2.0, 2.6),
            "ok until": (1.4, 1.7),
            "update: last": (2.64, 2.61),
            "update: timeouts": (6, 4),
            "ok again": (6.5, 7.5),
            "off from": (1.2, 1.4),
            "scale 0: last": (2.62, 2.59),
            "scale 0: timeouts": (8, 6),
            "rm: last": (2.2, 2.47),
            "rm: timeouts": (4, 5),
        },
    ),
    _alone(
        "ignores",
        {
            "create": (2.5, 3.2),
            "ok until": (1.25, 1.4),
            "update: last": (12.95, 13.02),
            "update: timeouts": (101, 100),
            "ok again": (16.7, 17.4),
            "off from": (1.2, 1.3),
            "scale 0: last": (12.34, 12.5),
            "scale 0: timeouts": (95, 97),
            "rm: last": (12.4, 12.37),
            "rm: timeouts": (96, 95),
        },
    ),
    _updated("stop-first", (22.4, 20.9), (0, 0), NONE),
    _updated("start-first", (12.3, 10.3), (0, 0), NONE),
    _updated(
        "late",
        (11.8, 11.3),
        (104, 104),
        _kinds("refused"),
        Figure("the first refused", (2.6, 2.25), Traffic("update").first_lost, TICK, SLOW),
        Figure("the last refused", (11.7, 10.96), Traffic("update").last_lost, TICK, SLOW),
    ),
    _updated("late-checked", (30.7,), (0,), NONE, runs="1 run"),
    _updated("stop-first-checked", (47.5,), (0,), NONE, runs="1 run"),
)
