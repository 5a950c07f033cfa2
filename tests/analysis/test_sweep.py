"""Sweeps: the grid, the results in any order and after any interruption, on cores and on a Dask cluster."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time

import pytest

from swarmsim.analysis.sweep import (
    Cores,
    DaskCluster,
    Results,
    SweepError,
    load_results,
    parse_setting,
    plan,
    run_sweep,
)
from swarmsim.plot.figures import plot_sweep
from swarmsim.trace.reader import TraceError

TEXT = """name: small
cluster: {managers: 1, workers: 1}
duration: 2h
faults:
  - {hosts: managers, every: {exponential: 30m}, for: [5m]}
"""
SETTINGS = [parse_setting("cluster.managers=1,3"), parse_setting("faults.0.for=[5m],{exponential: 10m}")]
SEEDS = range(1, 4)


def sweep():
    return plan(TEXT, "small.yaml", SETTINGS)


class Backwards:
    """As the cores, but the other way round, and stopped after some runs."""

    def __init__(self, stop: int) -> None:
        self.stop = stop

    def run(self, planned, keys):
        for number, done in enumerate(Cores().run(planned, keys[::-1])):
            if number == self.stop:
                raise KeyboardInterrupt
            yield done


def finish(path, place, seeds=SEEDS):
    with Results(path, sweep()) as results:
        return list(run_sweep(sweep(), seeds, results, place))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("sweep") / "whole.parquet"
    finish(path, Cores())
    return path


def test_the_grid_is_every_combination_in_order():
    assert [list(changes.values()) for changes, _ in sweep().points] == [
        [1, ["5m"]],
        [1, {"exponential": "10m"}],
        [3, ["5m"]],
        [3, {"exponential": "10m"}],
    ]


def test_a_table_has_a_row_for_every_run(whole):
    frame = load_results(whole)
    assert list(frame.columns[:5]) == ["cluster.managers", "faults.0.for", "seed", "unmet", "simulated"]
    assert list(frame["seed"]) == [1, 2, 3] * 4
    assert list(frame["cluster.managers"]) == [1] * 6 + [3] * 6
    assert frame["no quorum: share"].between(0, 1).all()
    assert not whole.with_name("whole.parquet.part").exists()


@pytest.mark.filterwarnings("ignore:.*tasks which were still being processed")
@pytest.mark.parametrize("stop", [0, 1, 7, 11])
def test_an_interrupted_sweep_goes_on_and_has_the_same_results(whole, tmp_path, stop):
    path = tmp_path / "r.parquet"
    with pytest.raises(KeyboardInterrupt):
        finish(path, Backwards(stop))
    assert not path.exists()
    part = tmp_path / "r.parquet.part"
    part.write_bytes(part.read_bytes() + b'{"point": 1, "ro')  # torn in the middle of a line
    assert finish(path, Cores())[0] == stop
    assert path.read_bytes() == whole.read_bytes()


def test_more_seeds_are_added_to_a_finished_sweep(whole, tmp_path):
    path = tmp_path / "r.parquet"
    finish(path, Cores(), range(1, 3))
    assert finish(path, Cores())[0] == 8
    assert path.read_bytes() == whole.read_bytes()
    finish(path, Cores(), range(1, 2))  # fewer seeds drop nothing
    assert path.read_bytes() == whole.read_bytes()


@pytest.mark.filterwarnings("ignore:.*tasks which were still being processed")
@pytest.mark.parametrize("ending", ["", ".part"])
def test_results_of_another_sweep_are_refused_and_kept(whole, tmp_path, ending):
    path = tmp_path / "r.parquet"
    if ending:
        with pytest.raises(KeyboardInterrupt):
            finish(path, Backwards(1))
    else:
        path.write_bytes(whole.read_bytes())
    kept = path.with_name(path.name + ending).read_bytes()
    other = plan(TEXT, "small.yaml", SETTINGS[:1])
    with pytest.raises(SweepError, match=r"another sweep .* name another file"):
        Results(path, other)
    assert path.with_name(path.name + ending).read_bytes() == kept


@pytest.mark.parametrize(("content", "complaint"), [(b"PAR1 not really", "cannot be read"), (b"", "cannot be read")])
def test_what_is_no_table_is_refused_and_kept(tmp_path, content, complaint):
    path = tmp_path / "r.parquet"
    path.write_bytes(content)
    with pytest.raises(SweepError, match=complaint):
        Results(path, sweep())
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ([], "nothing to sweep over"),
        (["cluster.managers"], "write --set cluster.managers=1,3,5"),
        (["cluster.managers="], "write --set"),
        (["=1,2"], "write --set"),
        (["cluster.managers=[1"], "not YAML"),
        (["cluster.managers=1,1"], "1 is there twice"),
        (["cluster.managers=1", "cluster.managers=3"], "given twice"),
        (["cluster.mangers=1,3"], "unknown key 'mangers'; did you mean 'managers'?"),
        (["clutser.managers=1,3"], "unknown key 'clutser'; did you mean 'cluster'?"),
        (["faults.1.for=[1h]"], "faults has no '1'; its entries are 0 to 0"),
        (["duration.days=3"], "duration has no 'days'; it is a single value"),
        (["cluster.managers=1,-3"], "(with cluster.managers=-3)"),
        (["faults.0.every=1h,often"], "'often' is no duration"),
        (["faults.0.every={gamma: 1h}"], "unknown law 'gamma'"),
        ([f"{path}={','.join(map(str, range(1, 1001)))}" for path in ("a", "b", "c")], "at most 1,000,000"),
    ],
)
def test_what_cannot_be_swept_over(settings, complaint):
    with pytest.raises(SweepError) as refusal:
        plan(TEXT, "small.yaml", [parse_setting(setting) for setting in settings])
    assert complaint in str(refusal.value)
    assert "\n" not in str(refusal.value)


def command(tmp_path, *words, **more):
    (tmp_path / "small.yaml").write_text(TEXT)
    words = ["sweep", "small.yaml", "--set", "cluster.managers=1,3", "--seeds", "8", "--out", "r.parquet", *words]
    return subprocess.Popen(
        [sys.executable, "-m", "swarmsim", *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True, **more
    )


def test_ctrl_c_keeps_what_is_finished(tmp_path):
    running = command(tmp_path)
    part = tmp_path / "r.parquet.part"
    while not (part.exists() and part.read_bytes().count(b"\n") > 2):
        assert running.poll() is None, running.stderr.read()
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate()
    if running.returncode == 0:
        pytest.skip("the sweep was faster than the interrupt")
    assert running.returncode == 130
    assert "are kept; the same command goes on" in errors
    again = command(tmp_path)
    again.communicate()
    assert again.returncode == 0
    assert len(load_results(tmp_path / "r.parquet")) == 16


def test_a_full_disk_keeps_what_is_finished(tmp_path):
    """No file may grow beyond 3,000 bytes: a few runs of the sixteen."""

    def full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    running = command(tmp_path, preexec_fn=full)
    _, errors = running.communicate()
    assert running.returncode == 2
    assert "r.parquet.part: cannot be written" in errors
    assert "of 16 runs are kept; the same command goes on" in errors
    assert "Traceback" not in errors
    again = command(tmp_path)
    again.communicate()
    assert len(load_results(tmp_path / "r.parquet")) == 16


def test_a_column_is_drawn_against_a_parameter(whole, tmp_path):
    results = load_results(whole)
    figure = plot_sweep(results, "no quorum: share", "cluster.managers")
    (axes,) = figure.axes
    assert axes.get_xlabel() == "cluster.managers"
    assert len(axes.get_legend().get_texts()) == 2
    assert plot_sweep(results, "seed", "faults.0.for").axes[0].get_xlabel() == "faults.0.for"
    with pytest.raises(TraceError, match="no parameter of this sweep; there are cluster"):
        plot_sweep(results, "seed", "workers")
    with pytest.raises(TraceError, match="no column of numbers in these results; there are seed"):
        plot_sweep(results, "nonsense")


def test_no_scheduler_is_one_clear_error(tmp_path):
    pytest.importorskip("distributed")
    for where, complaint in (
        ("tcp://127.0.0.1:1", "no Dask scheduler answers there"),
        ("nosuch.json", "no such scheduler file"),
        ("gibberish://x", "no Dask scheduler answers there"),
    ):
        with pytest.raises(SweepError, match=complaint):
            DaskCluster(where)


@pytest.mark.slow
def test_a_dask_cluster_has_the_same_results_though_a_worker_dies(whole, tmp_path):
    pytest.importorskip("distributed")
    file = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    quiet = {"cwd": tmp_path, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = ["scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(file), "--host", "127.0.0.1"]
    worker = ["worker", "--nthreads", "1", "--no-nanny", "--no-dashboard", "--scheduler-file", str(file)]
    processes = [subprocess.Popen([*dask, *scheduler], **quiet)]
    try:
        while not file.exists() or not json.loads(file.read_text() or "{}"):
            assert processes[0].poll() is None
            time.sleep(0.1)
        processes += [subprocess.Popen([*dask, *worker], **quiet) for _ in range(2)]
        from distributed import Client

        with Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        path = tmp_path / "r.parquet"
        with Results(path, sweep()) as results:
            progress = run_sweep(sweep(), SEEDS, results, DaskCluster(str(file)))
            for done in progress:
                if done == 2:
                    processes[1].kill()
        assert path.read_bytes() == whole.read_bytes()
    finally:
        for process in processes[::-1]:
            process.kill()
            process.wait()
