"""A scenario in a process of its own: what its end of the line says."""

from __future__ import annotations

from multiprocessing import Pipe
from threading import Thread

import msgspec

from swarmsim.scenario.live import LiveSession, Progress, _serve
from swarmsim.scenario.loader import load_scenario
from swarmsim.scenario.runner import run_scenario


def test_all_rows_arrive_in_order_and_the_same_as_in_one_run():
    live, rows = LiveSession(load_scenario("first-service"), 2), []
    live.advance(500.0)
    while live.asked:
        news = live.read(None)
        assert news is not None
        rows += news.rows
    live.close()
    told: list[dict] = []
    run_scenario(load_scenario("first-service"), 2, told.append)
    # A session that may go on has no end, and nothing is judged at it.
    assert rows == [row for row in told if row["kind"] not in ("met", "end")]
    assert news.now == 500.0


def test_a_mistake_inside_is_told_with_where_it_was():
    """Something to be done while the cluster is still being built is a mistake of who asks: it must not go unnoticed."""
    near, far = Pipe()
    thread = Thread(target=_serve, args=(far, load_scenario("first-service"), 1, False))
    thread.start()
    near.send(("act", {"at": 1.0, "docker": "node ls"}))
    news = msgspec.msgpack.decode(near.recv_bytes(), type=Progress)
    thread.join()
    assert news.arrived
    assert "the cluster is still being built" in news.crash
    assert "live.py" in news.crash


def test_when_nobody_watches_any_more_the_process_ends():
    live = LiveSession(load_scenario("first-service"), 1)
    live.advance(1.0)
    process = live._process
    live._conn.close()
    process.join()
    assert process.exitcode == 0
