"""Does leaving out what changes nothing change anything? Eager and lazy runs of random fault schedules, compared.

Every schedule (3..9 hosts, two to four faults, everything mended at the end) is run once eagerly and once lazily, each
with its own seed, so that the two differ in their random numbers at least. They must agree in

- the final state of nodes and services, schedule by schedule. Where two runs end differently the schedule is run
  :data:`AGAIN` times more on each side, and the shares are compared: there are races whose outcome stays (a node that
  registers in the very batch that marks it down is shown as down for good, as on a real Swarm, moby/moby#34827);
- how many runs show each string (task states, messages and errors, node states and messages): Fisher's exact test;
- the order in which things follow a fault: a chi-square test for each kind of fault;
- every milestone: the two-sample Kolmogorov-Smirnov test, on one value a run (values of one run are not independent).

Together they are wrong with probability :data:`LEVEL` when nothing differs (Bonferroni: each of n tests at level / n).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from scipy import stats

from swarmsim.analysis.milestones import FAULT_VERBS, milestones
from swarmsim.scenario.loader import LoadedScenario, parse_scenario
from swarmsim.scenario.runner import run_scenario
from swarmsim.trace.reader import Trace
from swarmsim.trace.rows import Row

LEVEL = 0.001
"""The chance that any of the tests fails though nothing differs."""

FEWEST = 20
"""Values of a milestone, or runs with an order, in both samples together; fewer say nothing."""

AGAIN = 40
"""Further runs on each side of a schedule whose two runs ended differently."""

Sampling = Callable[[int, int, bool], "Sample"]
"""Run a schedule (its number) with a seed, eagerly or not."""


def schedule(seed: int) -> LoadedScenario:
    """A random scenario: a cluster, a service or two, faults at random times, all mended, all well."""
    run_seed = Random(f"schedule/{seed}")
    managers = run_seed.choice([1, 3, 3, 5])
    workers = run_seed.randint(max(0, 3 - managers), 9 - managers)
    hosts = [f"m{n + 1}" for n in range(managers)] + [f"w{n + 1}" for n in range(workers)]
    replicas = run_seed.randint(1, 2 * len(hosts))
    steps: list[dict[str, Any]] = [
        {"docker": f"service create -d --name web --replicas {replicas} mini:1 sleep 1000000000"},
        {"wait": {"service": "web", "running": replicas}, "within": "60s"},
        {"sleep": _pause(run_seed)},
    ]
    for _ in range(run_seed.randint(2, 4)):
        steps += [{"fault": _fault(run_seed, hosts, managers)}, {"sleep": _pause(run_seed)}]
    steps += [{"fault": {"heal": "all"}}, {"fault": {"power-on": hosts}}, {"sleep": "5m"}]
    if run_seed.random() < 0.5:
        steps += [{"docker": "service scale -d web=3"}]
        replicas = 3
    steps += [{"expect": {"service": "web", "running": replicas}, "within": "2m"}, {"sleep": "30s"}]
    text = json.dumps(
        {
            "name": f"schedule-{seed}",
            "cluster": {"managers": managers, "workers": workers},
            "steps": steps,
        }
    )
    return parse_scenario(text, f"schedule {seed}")


def _pause(run_seed: Random) -> float:
    """Mostly within the time-outs, at times long after everything has settled."""
    longest = run_seed.choice([5.0, 20.0, 60.0, 60.0, 7200.0])
    return round(longest * run_seed.random() + 0.1, 3)


def _fault(run_seed: Random, hosts: list[str], managers: int) -> dict[str, Any]:
    host = run_seed.choice(["leader", *hosts, *hosts])
    verb = run_seed.choice(
        ["power-off", "power-off", "kill-engine", "kill-host", "cut", "partition", "power-on", "heal"]
    )
    if verb == "partition":
        side = sorted(run_seed.sample(hosts, run_seed.randint(1, len(hosts) - 1)))
        return {"partition": [side, [name for name in hosts if name not in side]]}
    if verb == "heal":
        return {"heal": "all"}
    if verb == "power-on":
        return {"power-on": run_seed.choice(hosts)}
    if verb == "cut":
        other = run_seed.choice([name for name in hosts[:managers] if name != host] or ["m1"])
        return {"cut": [host, other]} if host != other else {"heal": "all"}
    return {verb: host}


class Sample(NamedTuple):
    """What one run showed, to be compared."""

    final: tuple[Any, ...]
    strings: frozenset[tuple[str, ...]]
    orders: list[tuple[str, str]]
    milestones: dict[str, list[float]]


def sample(seed: int, rng: int, eager: bool) -> Sample:
    """Run schedule ``seed`` with the seed ``run_seed``."""
    rows: list[Row] = []
    run_scenario(schedule(seed), rng, rows.append, internals=False, eager=eager)
    trace = Trace({}, rows)
    observed = [row for row in rows if row["t"] >= trace.begin]
    return Sample(_final(rows), _strings(observed), list(_orders(observed)), milestones(trace))


def _final(rows: list[Row]) -> tuple[Any, ...]:
    nodes = {row["node"]: row["status"] for row in rows if row["kind"] == "node"}
    unmet = [row["expected"] for row in rows if row["kind"] == "unmet" and "running within 120" in row["expected"]]
    tasks: dict[str, tuple[str, str]] = {}
    for row in rows:
        if row["kind"] == "task":
            tasks[row["task"]] = (row["state"], row["desired"])
        elif row["kind"] == "task_gone":
            tasks.pop(row["task"], None)
    running = sum(state == ("running", "running") for state in tasks.values())
    return (tuple(sorted(nodes.items())), running, tuple(unmet))


def _strings(rows: list[Row]) -> frozenset[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for row in rows:
        if row["kind"] == "task":
            found.add(("task", row["state"], row["desired"], row["msg"] or "", row["err"] or ""))
        elif row["kind"] == "node":
            found.add(("node", row["status"], row["msg"] or "", row["reach"] or ""))
        elif row["kind"] == "docker":
            found.add(("docker", row["cmd"].split()[1], str(row["rc"]), row["err"]))
    return frozenset(found)


def _orders(rows: list[Row]) -> Iterable[tuple[str, str]]:
    """For each fault: its verb, and what followed it, each thing once, in order."""
    verb, marks, status = "", [""], dict[str, tuple[Any, ...]]()
    for row in rows:
        if row["kind"] == "step":
            if verb:
                yield verb, " ".join(marks)
            verb, marks = row["verb"] if row["verb"] in FAULT_VERBS else "other", []
            continue
        said = []
        if row["kind"] == "node":
            shown = (row["status"], row["reach"], row["leader"])
            before, status[row["node"]] = status.get(row["node"], shown), shown
            said = [str(now) for now, then in zip(shown, before, strict=True) if now != then]
        elif row["kind"] in ("no_manager_answers", "manager_answers"):
            said = [row["kind"]]
        elif row["kind"] == "task":
            said = [f"task-{row['state']}"]
        marks += [mark for mark in said if mark not in marks]
    if verb:
        yield verb, " ".join(marks)


class Finding(NamedTuple):
    """One test: what was compared, the chance of a difference as large by chance, and the two sides in words."""

    what: str
    p: float
    eager: str
    lazy: str


class Agreement(NamedTuple):
    """The outcome over all schedules; findings are sorted, the least likely first."""

    schedules: int
    findings: list[Finding]

    @property
    def bound(self) -> float:
        """The p-value below which a single test counts as a difference."""
        return LEVEL / max(1, len(self.findings))

    @property
    def ok(self) -> bool:
        return all(finding.p >= self.bound for finding in self.findings)


def agree(schedules: range, jobs: int = -1, run: Sampling = sample) -> Agreement:
    """Run every schedule twice and compare."""
    pairs = _both(run, [(seed, 0) for seed in schedules], jobs)
    eager, lazy = [one for one, _ in pairs], [other for _, other in pairs]
    findings = [*_compare_strings(eager, lazy), *_compare_orders(eager, lazy), *_compare_milestones(eager, lazy)]
    doubtful = [seed for seed, (one, other) in zip(schedules, pairs, strict=True) if one.final != other.final]
    for seed in doubtful:
        more = _both(run, [(seed, number) for number in range(1, AGAIN + 1)], jobs)
        findings.append(_compare_finals(seed, [one.final for one, _ in more], [other.final for _, other in more]))
    return Agreement(len(schedules), sorted(findings, key=lambda finding: finding.p))


def _both(run: Sampling, wanted: list[tuple[int, int]], jobs: int) -> list[tuple[Sample, Sample]]:
    """Each schedule eagerly and lazily; ``wanted`` are schedules with the number of the repetition."""
    work = [
        delayed(run)(seed, 2 * (seed + 1_000_000 * number) + int(eager), eager)
        for seed, number in wanted
        for eager in (True, False)
    ]
    samples = Parallel(n_jobs=jobs)(work)
    return list(zip(samples[0::2], samples[1::2], strict=True))


def _compare_finals(seed: int, eager: list[tuple[Any, ...]], lazy: list[tuple[Any, ...]]) -> Finding:
    usual = Counter(eager).most_common(1)[0][0]
    here, there = eager.count(usual), lazy.count(usual)
    p = _shares_differ(here, len(eager), there, len(lazy))
    return Finding(f"usual end of schedule {seed}", p, f"{here}/{len(eager)}", f"{there}/{len(lazy)}")


def _shares_differ(here: int, of: int, there: int, of_those: int) -> float:
    """Fisher's exact test: the chance of shares so different if they are the same."""
    return float(stats.fisher_exact(np.array([[here, of - here], [there, of_those - there]])).pvalue)


def _compare_strings(eager: list[Sample], lazy: list[Sample]) -> Iterable[Finding]:
    counts = [Counter(string for one in side for string in one.strings) for side in (eager, lazy)]
    n = len(eager)
    for string in sorted(counts[0].keys() | counts[1].keys()):
        here, there = counts[0][string], counts[1][string]
        p = _shares_differ(here, n, there, n)
        yield Finding(f"runs with {string}", p, str(here), str(there))


def _compare_orders(eager: list[Sample], lazy: list[Sample]) -> Iterable[Finding]:
    counts = [Counter(order for one in side for order in one.orders) for side in (eager, lazy)]
    for verb in sorted({verb for count in counts for verb, _ in count}):
        orders = sorted({order for count in counts for v, order in count if v == verb})
        often = [order for order in orders if counts[0][verb, order] + counts[1][verb, order] >= FEWEST]
        table = [[count[verb, order] for order in often] for count in counts]
        rest = [sum(n for (v, order), n in count.items() if v == verb and order not in often) for count in counts]
        if sum(rest):
            for row, rare in zip(table, rest, strict=True):
                row.append(rare)
        if len(table[0]) > 1:
            p = float(stats.chi2_contingency(table).pvalue)
            yield Finding(f"orders after {verb}", p, str(table[0]), str(table[1]))


def _compare_milestones(eager: list[Sample], lazy: list[Sample]) -> Iterable[Finding]:
    run_seed = Random("milestones")
    pooled: list[dict[str, list[float]]] = [{}, {}]
    for side, values in zip((eager, lazy), pooled, strict=True):
        for one in side:
            for name, found in one.milestones.items():
                values.setdefault(name, []).append(run_seed.choice(found))
    for name in sorted(pooled[0].keys() | pooled[1].keys()):
        here, there = pooled[0].get(name, []), pooled[1].get(name, [])
        if here and there and len(here) + len(there) >= FEWEST:
            yield Finding(name, float(stats.ks_2samp(here, there).pvalue), _about(here), _about(there))


def _about(values: list[float]) -> str:
    ordered = sorted(values)
    return f"{len(ordered)} of median {ordered[len(ordered) // 2]:.3f} s"


def report(agreement: Agreement) -> str:
    """The verdict in words, with the least likely differences."""
    lines = [
        f"{agreement.schedules} random fault schedules, each eagerly and lazily; {len(agreement.findings)} tests, "
        f"together at level {LEVEL:g}: each must reach p = {agreement.bound:.2g}"
    ]
    shown = [finding for finding in agreement.findings if finding.p < agreement.bound] or agreement.findings[:5]
    for finding in shown:
        mark = "DIFFERS" if finding.p < agreement.bound else "least likely"
        lines.append(f"  {mark}: p = {finding.p:.2g}: {finding.what}: eager {finding.eager}; lazy {finding.lazy}")
    lines.append("  they differ only by chance" if agreement.ok else "  they DIFFER")
    return "\n".join(lines)
