"""The benchmarks: a table on the screen and a flat map in build/bench.json.

Machines differ and are noisy, so each run also measures T, the CPU time of one million bare SimPy
time-outs with 1,000 pending, right before and after each benchmark; bounds are in T.
"""

from __future__ import annotations

import asyncio
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import simpy

from benchmarks import gossip, mesh, tui
from benchmarks.scheduler import schedule
from swarmsim.analysis.availability import Meter
from swarmsim.scenario.loader import load_scenario, parse_scenario
from swarmsim.scenario.runner import build_world, run_scenario, trace_header
from swarmsim.scenario.schema import ClusterLayout, Scenario
from swarmsim.sim.future import Activity
from swarmsim.world.simulated import SimulatedWorld

BUILD = Path("build")


def measure_t() -> float:
    """CPU seconds of one million SimPy time-outs with 1,000 pending."""
    env = simpy.Environment()

    def ticker(number: int) -> object:
        while True:
            yield env.timeout(1.0 + number / 1000)

    for number in range(1000):
        env.process(ticker(number))  # type: ignore[arg-type]
    start = time.process_time()
    for _ in range(1_000_000):
        env.step()
    return time.process_time() - start


HOUR, DAY, YEAR = 3600.0, 86_400.0, 31_536_000.0


def formed(managers: int, workers: int, tasks: int, seed: int = 1, *, eager: bool = False) -> SimulatedWorld:
    """A formed cluster with a service of ``tasks`` tasks running."""
    cluster = ClusterLayout(managers=managers, workers=workers)
    world = build_world(Scenario(name="bench", cluster=cluster), seed, eager=eager)
    world.run(world.form())
    if tasks:
        world.run(scale(world, "web", tasks, create=True))
    return world


def scale(world: SimulatedWorld, name: str, tasks: int, create: bool) -> Activity[None]:
    """Create or scale a service and wait until all its tasks run."""
    if create:
        yield from world.docker(
            "m1", f"service create -d --no-resolve-image --name {name} --replicas {tasks} mini:1 sleep 1000000000"
        )
    else:
        yield from world.docker("m1", f"service scale -d {name}={tasks}")
    while True:
        view = yield from world.look()
        if view is not None and view.running(name) == tasks:
            return
        yield 1.0


def healthy(nodes: int, seconds: float) -> float:
    """Simulated seconds per CPU second of a cluster in which nothing happens but heartbeats and ticks, all of them run."""
    world = formed(3, nodes - 3, 10 * nodes, eager=True)
    world.clock.run(world.clock.now + 10)
    start = time.process_time()
    world.clock.run(world.clock.now + seconds)
    return seconds / (time.process_time() - start)


def quiet(nodes: int, seconds: float) -> float:
    """CPU seconds of a cluster with ten tasks a node, formed and running, and then ``seconds`` without a fault."""
    start = time.process_time()
    world = formed(3, nodes - 3, 10 * nodes)
    formed_in = time.process_time() - start
    world.clock.run(world.clock.now + seconds)
    total = time.process_time() - start
    print(f"  {nodes} nodes: formed and running in {formed_in:.2f} s, then {total - formed_in:.4f} s", file=sys.stderr)
    return total


def renewals(nodes: int) -> float:
    """CPU seconds of a healthy year of so many nodes beyond their forming: each renews its certificate about six times."""
    world = formed(3, nodes - 3, 10 * nodes)
    start = time.process_time()
    world.clock.run(world.clock.now + YEAR)
    return time.process_time() - start


def rotation(nodes: int) -> float:
    """CPU seconds of `swarm ca --rotate` over ``nodes``, forming left out; it takes 3 s for every thirty of them."""
    world = formed(3, nodes - 3, 0)
    start, began = time.process_time(), world.clock.now
    world.run(world.docker("m1", "swarm ca --rotate -q"))
    rounds = math.ceil(nodes / 30)
    took = world.clock.now - began
    assert 3.0 * rounds < took < 3.0 * rounds + 2.0, f"{took} s instead of {3 * rounds} s and a bit"
    return time.process_time() - start


def faulty(managers: int, workers: int, tasks: int, duration: str) -> float:
    """CPU seconds of a scenario in which every host loses its power once in 30 days, for an hour."""
    text = f"""
name: faulty
cluster: {{managers: {managers}, workers: {workers}}}
duration: {duration}
faults: {{hosts: all, every: {{exponential: 30d}}, for: {{exponential: 1h}}}}
"""
    if tasks:
        text += f"""
steps:
  - docker: service create -d --name web --replicas {tasks} nginx:1.27
  - wait: {{service: web, running: {tasks}}}
    within: 10m
"""
    loaded = parse_scenario(text, "faulty.yaml")
    start = time.process_time()
    run_scenario(loaded, 1, Meter().add)
    return time.process_time() - start


def eager_over_lazy() -> float:
    """How many times longer a healthy hour of five nodes takes when every heartbeat and tick is run."""
    seconds = []
    for eager in (True, False):
        world = formed(3, 2, 50, eager=eager)
        world.clock.run(world.clock.now + 60)
        start = time.perf_counter()
        world.clock.run(world.clock.now + HOUR)
        seconds.append(time.perf_counter() - start)
    return seconds[0] / seconds[1]


def scale_up(nodes: int, tasks: int) -> float:
    """CPU seconds to bring a service from 0 to so many running tasks."""
    world = formed(3, nodes - 3, 0)
    world.run(scale(world, "web", 0, create=True))
    start = time.process_time()
    world.run(scale(world, "web", tasks, create=False))
    return time.process_time() - start


def rss(nodes: int) -> float:
    """Megabytes a process needs for nodes with ten running tasks each."""
    code = (
        f"from benchmarks.run import formed; import resource; world = formed(3, {nodes - 3}, {10 * nodes}); "
        "world.clock.run(world.clock.now + 60); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def ensemble(seeds: int) -> float:
    """Wall-clock seconds of so many quorum-loss runs on all cores."""
    start = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "swarmsim", "run", "quorum-loss", "--seeds", str(seeds), "--json", "-q"],
        capture_output=True,
        check=False,
    )
    return time.monotonic() - start


def trace_open(rows: int) -> float:
    """Wall-clock seconds until a trace of so many rows can be seen in the app; it goes on reading then."""
    told: list[bytes] = []
    loaded = load_scenario("rolling-failures")
    encode = msgspec.json.encode
    run_scenario(loaded, 1, lambda row: told.append(encode(row)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.jsonl"
        lines = [encode(trace_header(loaded, 1)), *(told[n % len(told)] for n in range(rows))]
        path.write_bytes(b"\n".join(lines) + b"\n")
        del lines
        start = time.monotonic()
        asyncio.run(tui.opened(str(path)))
        return time.monotonic() - start


def rolling_update(nodes: int, tasks: int) -> float:
    """CPU seconds of a rolling update of so many tasks, a hundred at a time."""
    world = formed(3, nodes - 3, tasks)
    start = time.process_time()
    world.run(_update(world))
    return time.process_time() - start


def _update(world: SimulatedWorld) -> Activity[None]:
    yield from world.docker(
        "m1", "service update -d --no-resolve-image --update-parallelism 100 --stop-grace-period 1s --image mini:2 web"
    )
    while True:
        view = yield from world.look()
        service = view.services["web"] if view is not None else None
        if service is not None and service.update not in (None, "updating"):
            assert service.update == "completed", service.update_message
            return
        yield 1.0


class Benchmark(NamedTuple):
    """``kind`` says how the figure is related to T: a ``rate`` is multiplied by T, a ``time`` divided by it; ``absolute``
    figures have a bound from above, ``at least`` ones from below.
    """

    measure: Callable[[], float]
    kind: str
    bound: float
    unit: str


BENCHMARKS: dict[str, Benchmark] = {
    "healthy_5": Benchmark(lambda: healthy(5, 6000), "rate", 3000, "simulated s"),
    "healthy_100": Benchmark(lambda: healthy(100, 900), "rate", 450, "simulated s"),
    "healthy_1000": Benchmark(lambda: healthy(1000, 120), "rate", 60, "simulated s"),
    "rss_1000": Benchmark(lambda: rss(1000), "absolute", 500, "MB"),
    "rss_10000": Benchmark(lambda: rss(10_000), "absolute", 1300, "MB"),
    "scale_10000": Benchmark(lambda: scale_up(1000, 10_000), "time", 3, "CPU s"),
    "sched_1k_1k": Benchmark(lambda: schedule(1000, 1000), "time", 4, "CPU s"),
    "sched_1k_10k": Benchmark(lambda: schedule(1000, 10_000), "time", 4, "CPU s"),
    "sched_1k_100k": Benchmark(lambda: schedule(1000, 100_000), "time", 4, "CPU s"),
    "sched_100k_1k": Benchmark(lambda: schedule(100_000, 1000), "time", 2, "CPU s"),
    "sched_constraints_1k_100k": Benchmark(lambda: schedule(1000, 100_000, constraints=True), "time", 4, "CPU s"),
    "update_10000": Benchmark(lambda: rolling_update(1000, 10_000), "time", 8, "CPU s"),
    "year_5": Benchmark(lambda: quiet(5, YEAR), "time", 0.5, "CPU s"),
    "year_1000": Benchmark(lambda: quiet(1000, YEAR), "time", 4, "CPU s"),
    "year_100_pki": Benchmark(lambda: renewals(100), "time", 1, "CPU s"),
    "year_1000_pki": Benchmark(lambda: renewals(1000), "time", 4, "CPU s"),
    "rotation_1000": Benchmark(lambda: rotation(1000), "time", 2, "CPU s"),
    "day_10000": Benchmark(lambda: quiet(10_000, DAY), "time", 30, "CPU s"),
    "faulty_year_100": Benchmark(lambda: faulty(3, 97, 1000, "1y"), "time", 15, "CPU s"),
    "quorum_century": Benchmark(lambda: faulty(3, 0, 0, "100y"), "time", 10, "CPU s"),
    "eager_over_lazy_year_5": Benchmark(eager_over_lazy, "ratio", 1, "times (of an hour)"),
    "mesh_60": Benchmark(lambda: mesh.requests(1000, 60.0)[0], "time", 4, "CPU s"),
    "mesh_fluid": Benchmark(lambda: mesh.requests(1000, 60.0, ", requests: rates")[0], "time", 0.1, "CPU s"),
    "gossip_1000": Benchmark(lambda: gossip.seconds(1000, 60.0, eager=True), "time", 4, "CPU s"),
    "gossip_year_1000": Benchmark(lambda: gossip.seconds(1000, YEAR, eager=False), "time", 0.5, "CPU s"),
    "gossip_year_100_keys": Benchmark(lambda: gossip.year_with_keys(100), "time", 0.5, "CPU s"),
    "tui_frame_1000": Benchmark(lambda: tui.frames_a_second(1000, 10_000, 12.0), "at least", 20, "redraws/s"),
    "tui_key_latency_1000": Benchmark(lambda: tui.key_latency(1000, 10_000, 60), "absolute", 100, "ms (95 %)"),
    "tui_idle": Benchmark(lambda: tui.idle_share(20), "absolute", 5, "% of a core"),
    "trace_open_1m": Benchmark(lambda: trace_open(1_000_000), "absolute", 5, "wall s"),
    "ensemble_200": Benchmark(lambda: ensemble(200), "time", 5, "wall s"),
}


def main(only: list[str]) -> int:
    unknown = [name for name in only if name not in BENCHMARKS]
    if unknown:
        print(f"bench: no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    BUILD.mkdir(exist_ok=True)
    target = BUILD / "bench.json"
    results: dict[str, float] = json.loads(target.read_text()) if target.exists() and only else {}
    print(f"{'benchmark':<14} {'measured':>22} {'in T':>16} {'bound':>12}")
    for name, benchmark in BENCHMARKS.items():
        if only and name not in only:
            continue
        before = measure_t()
        value = benchmark.measure()
        t = (before + measure_t()) / 2
        if benchmark.kind == "rate":
            in_t, shown, bound, ok = (
                value * t,
                f"{value * t:.0f} s per T",
                f">= {benchmark.bound:g}",
                value * t >= benchmark.bound,
            )
        elif benchmark.kind == "time":
            in_t, shown, bound, ok = (
                value / t,
                f"{value / t:.2f} T",
                f"< {benchmark.bound:g}",
                value / t < benchmark.bound,
            )
        elif benchmark.kind in ("ratio", "at least"):
            in_t, shown, bound, ok = value, "", f"> {benchmark.bound:g}", value > benchmark.bound
        else:
            in_t, shown, bound, ok = value, "", f"< {benchmark.bound:g}", value < benchmark.bound
        results[name] = round(value, 4)
        results[f"{name}_in_T"] = round(in_t, 4)
        results["T"] = round(t, 4)
        per = f"{benchmark.unit} per CPU s" if benchmark.kind == "rate" else benchmark.unit
        print(f"{name:<14} {value:10.1f} {per:<24} {shown:>14} {bound:>10}  {'ok' if ok else 'MISSED'}", flush=True)
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(
        f"T = {results['T']:.3f} s; peak memory here {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB; {target}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
